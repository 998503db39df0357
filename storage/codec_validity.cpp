#include "storage/codec_validity.h"

#include <bit>
#include <cstring>

#include "storage/codec.h"

namespace idem {

namespace {

enum class ValidityForm : uint8_t { kNoNulls = 0, kBitmap = 1, kRuns = 2 };

bool bit_at(const uint64_t* words, uint32_t i) { return (words[i >> 6] >> (i & 63)) & 1; }

void set_bits(uint64_t* words, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; ++i) words[i >> 6] |= uint64_t{1} << (i & 63);
}

uint32_t decode_runs(ByteReader& in, uint32_t count, ValidityWords* words) {
  words->fill(0);
  const uint64_t runs = in.varint();
  if (runs > count + 1) throw_damaged_encoding("too many runs of NULLs");
  uint32_t done = 0, nulls = 0;
  for (uint64_t run = 0; run < runs; ++run) {
    const uint64_t length = in.varint();
    if (length > count - done) throw_damaged_encoding("runs of NULLs longer than the vector");
    if (run % 2 == 0) {
      set_bits(words->data(), done, static_cast<uint32_t>(length));
    } else {
      nulls += static_cast<uint32_t>(length);
    }
    done += static_cast<uint32_t>(length);
  }
  if (done != count) throw_damaged_encoding("runs of NULLs shorter than the vector");
  return nulls;
}

}  // namespace

uint32_t count_nulls(const uint64_t* validity, uint32_t count) {
  if (!validity) return 0;
  uint32_t valid = 0;
  for (uint32_t first = 0; first < count; first += 64) {
    uint64_t word = validity[first / 64];
    if (count - first < 64) word &= (uint64_t{1} << (count - first)) - 1;
    valid += static_cast<uint32_t>(std::popcount(word));
  }
  return count - valid;
}

void encode_validity(const uint64_t* validity, uint32_t count, std::string* out) {
  ByteWriter writer(*out);
  if (count_nulls(validity, count) == 0) {
    writer.u8(static_cast<uint8_t>(ValidityForm::kNoNulls));
    return;
  }
  const size_t bitmap_bytes = (count + 7) / 8;
  std::string lengths;
  ByteWriter length_writer(lengths);
  uint32_t runs = 0;
  bool valid = true;
  for (uint32_t i = 0; i < count && lengths.size() < bitmap_bytes; ++runs, valid = !valid) {
    uint32_t end = i;
    while (end < count && bit_at(validity, end) == valid) ++end;
    length_writer.varint(end - i);
    i = end;
  }
  if (lengths.size() + 2 < bitmap_bytes) {
    writer.u8(static_cast<uint8_t>(ValidityForm::kRuns));
    writer.varint(runs);
    writer.bytes(lengths);
    return;
  }
  ValidityWords words{};
  std::memcpy(words.data(), validity, (count + 63) / 64 * sizeof(uint64_t));
  if (count % 64 != 0) words[count / 64] &= (uint64_t{1} << (count % 64)) - 1;
  writer.u8(static_cast<uint8_t>(ValidityForm::kBitmap));
  writer.bytes(words.data(), bitmap_bytes);
}

uint32_t decode_validity(ByteReader& in, uint32_t count, ValidityWords* words) {
  switch (static_cast<ValidityForm>(in.u8())) {
    case ValidityForm::kNoNulls: return 0;
    case ValidityForm::kBitmap: {
      const std::string_view bitmap = in.bytes((count + 7) / 8);
      words->fill(0);
      std::memcpy(words->data(), bitmap.data(), bitmap.size());
      if (count % 64 != 0) (*words)[count / 64] &= (uint64_t{1} << (count % 64)) - 1;
      return count_nulls(words->data(), count);
    }
    case ValidityForm::kRuns: return decode_runs(in, count, words);
  }
  throw_damaged_encoding("unknown form of validity");
}

}  // namespace idem
