#include "storage/codec_string.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <lz4.h>

#include "storage/codec_integer.h"

namespace idem {

namespace {

using Strings = std::span<const std::string_view>;

constexpr size_t kMaxDictionaryStrings = 32768;
constexpr size_t kMaxDictionaryBytes = 512 << 10;
// What LZ4 can at most make of a byte, so that a damaged size never asks for much memory.
constexpr uint64_t kMaxLz4Ratio = 255;

size_t total_bytes(Strings values) {
  size_t bytes = 0;
  for (const std::string_view value : values) bytes += value.size();
  return bytes;
}

void append_characters(Strings values, std::string* out) {
  for (const std::string_view value : values) out->append(value);
}

void encode_lengths(Strings values, std::string* out) {
  std::array<int64_t, kVectorSize> lengths;
  for (size_t i = 0; i < values.size(); ++i) lengths[i] = static_cast<int64_t>(values[i].size());
  const IntegerChoice choice{.delta = false, .delta_delta = false, .run_length = true};
  encode_integers(lengths.data(), static_cast<uint32_t>(values.size()), choice, out);
}

// The characters as one LZ4 block; empty where they are too many or too few for it.
std::string compress(Strings values) {
  const size_t size = total_bytes(values);
  if (size < 64 || size > LZ4_MAX_INPUT_SIZE) return {};
  std::string characters;
  characters.reserve(size);
  append_characters(values, &characters);
  std::string compressed(static_cast<size_t>(LZ4_compressBound(static_cast<int>(size))), '\0');
  const int written = LZ4_compress_default(characters.data(), compressed.data(), static_cast<int>(size),
                                           static_cast<int>(compressed.size()));
  compressed.resize(written > 0 ? static_cast<size_t>(written) : 0);
  return compressed;
}

// Bytes of all values by LZ4 or plain, judged by the first vector.
size_t estimate_without_dictionary(const std::vector<Strings>& vectors) {
  size_t bytes = 0, rows = 0;
  for (const Strings vector : vectors) bytes += total_bytes(vector), rows += vector.size();
  const size_t first_bytes = total_bytes(vectors[0]);
  const std::string compressed = compress(vectors[0]);
  if (!compressed.empty() && compressed.size() < first_bytes) {
    bytes = static_cast<size_t>(static_cast<double>(bytes) * static_cast<double>(compressed.size()) /
                                static_cast<double>(first_bytes));
  }
  return bytes + rows / 2;
}

}  // namespace

StringEncoder::StringEncoder(std::vector<Strings> vectors) {
  if (vectors.empty() || !collect_distinct(vectors)) return;
  size_t rows = 0;
  for (const Strings vector : vectors) rows += vector.size();
  const size_t dictionary_bytes = total_bytes(distinct_) + distinct_.size() * 2;
  const size_t code_bytes = rows * static_cast<size_t>(std::bit_width(distinct_.size() - 1)) / 8;
  // A dictionary decodes several times as fast as LZ4.
  if (dictionary_bytes + code_bytes > estimate_without_dictionary(vectors) * 5 / 4) return;
  use_dictionary_ = true;
  ByteWriter writer(parameters_);
  writer.varint(distinct_.size());
  for (const std::string_view string : distinct_) writer.varint(string.size());
  append_characters(distinct_, &parameters_);
}

// False as soon as too many are distinct.
bool StringEncoder::collect_distinct(const std::vector<Strings>& vectors) {
  size_t rows = 0, bytes = 0;
  for (const Strings vector : vectors) {
    for (const std::string_view value : vector) {
      if (!codes_.try_emplace(value, 0).second) continue;
      bytes += value.size();
      if (codes_.size() > kMaxDictionaryStrings || bytes > kMaxDictionaryBytes) return false;
    }
    rows += vector.size();
    if (codes_.size() > rows / 2 + 16) return false;
  }
  distinct_.reserve(codes_.size());
  for (const auto& [value, unused] : codes_) distinct_.push_back(value);
  std::sort(distinct_.begin(), distinct_.end());
  for (uint32_t code = 0; code < distinct_.size(); ++code) codes_[distinct_[code]] = code;
  return true;
}

Codec StringEncoder::encode(Strings values, std::string* payload) const {
  if (std::all_of(values.begin(), values.end(), [&](std::string_view value) { return value == values[0]; })) {
    ByteWriter(*payload).string(values[0]);
    return Codec::kConstant;
  }
  if (use_dictionary_) {
    std::array<int64_t, kVectorSize> codes;
    for (size_t i = 0; i < values.size(); ++i) { codes[i] = codes_.find(values[i])->second; }
    const IntegerChoice choice{.delta = false, .delta_delta = false, .run_length = true};
    encode_integers(codes.data(), static_cast<uint32_t>(values.size()), choice, payload);
    return Codec::kDictionary;
  }
  encode_lengths(values, payload);
  const size_t plain_bytes = total_bytes(values);
  const std::string compressed = compress(values);
  if (!compressed.empty() && compressed.size() < plain_bytes - plain_bytes / 10) {
    ByteWriter(*payload).string(compressed);
    return Codec::kLz4;
  }
  append_characters(values, payload);
  return Codec::kPlain;
}

std::vector<std::string_view> read_string_dictionary(std::string_view parameters) {
  std::vector<std::string_view> strings;
  if (parameters.empty()) return strings;
  ByteReader in(parameters, "dictionary of strings");
  const size_t count = in.count();
  std::vector<uint64_t> lengths(count);
  for (uint64_t& length : lengths) length = in.varint();
  strings.reserve(count);
  for (const uint64_t length : lengths) strings.push_back(in.bytes(length));
  in.expect_end();
  return strings;
}

namespace {

void decode_codes(ByteReader& in, uint32_t count, const std::vector<std::string_view>& dictionary,
                  std::string_view* values) {
  std::array<uint32_t, kVectorSize> codes;
  decode_integers(in, count, codes.data());
  const uint32_t largest = *std::max_element(codes.begin(), codes.begin() + count);
  if (largest >= dictionary.size()) throw_damaged_encoding("string beyond the dictionary");
  for (uint32_t i = 0; i < count; ++i) values[i] = dictionary[codes[i]];
}

// Lengths as they are in the payload; their sum fits in 64 bits because each fits in 32.
uint64_t decode_lengths(ByteReader& in, uint32_t count, uint32_t* lengths) {
  std::array<int64_t, kVectorSize> wide;
  decode_integers(in, count, wide.data());
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (wide[i] < 0 || wide[i] > std::numeric_limits<uint32_t>::max())
      throw_damaged_encoding("impossible length");
    lengths[i] = static_cast<uint32_t>(wide[i]);
    sum += lengths[i];
  }
  return sum;
}

void split(const char* characters, const uint32_t* lengths, uint32_t count, std::string_view* values) {
  for (uint32_t i = 0; i < count; ++i) {
    values[i] = std::string_view(characters, lengths[i]);
    characters += lengths[i];
  }
}

}  // namespace

void decode_strings(Codec codec, ByteReader& in, uint32_t count,
                    const std::vector<std::string_view>& dictionary, Vector* out, std::string_view* values) {
  if (codec == Codec::kDictionary) return decode_codes(in, count, dictionary, values);
  if (codec != Codec::kPlain && codec != Codec::kLz4) throw_damaged_encoding("not a codec of strings");
  std::array<uint32_t, kVectorSize> lengths;
  const uint64_t size = decode_lengths(in, count, lengths.data());
  if (codec == Codec::kPlain) return split(in.bytes(size).data(), lengths.data(), count, values);
  const std::string_view compressed = in.string();
  if (size > LZ4_MAX_INPUT_SIZE || size > compressed.size() * kMaxLz4Ratio) {
    throw_damaged_encoding("impossible size of an LZ4 block");
  }
  char* characters = out->store_string_space(size);
  const int written = LZ4_decompress_safe(compressed.data(), characters, static_cast<int>(compressed.size()),
                                          static_cast<int>(size));
  if (written < 0 || static_cast<uint64_t>(written) != size) throw_damaged_encoding("damaged LZ4 block");
  split(characters, lengths.data(), count, values);
}

}  // namespace idem
