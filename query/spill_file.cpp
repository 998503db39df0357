#include "query/spill_file.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <lz4.h>

#include "common/crc32c.h"
#include "common/error.h"
#include "storage/element_type.h"

namespace idem {

namespace {

constexpr size_t kHeaderBytes = 2 * sizeof(uint32_t);
constexpr uint32_t kNoDictionary = UINT32_MAX;  // codes of which all are NULL
constexpr int kLz4Acceleration = 4;             // temporary files: speed before size

enum ColumnKind : uint8_t { kPlain = 0, kStrings = 1, kCodes = 2, kHasNulls = 4 };

void append_bytes(std::vector<char>& out, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  out.insert(out.end(), bytes, bytes + size);
}
template <class T>
void append_value(std::vector<char>& out, T value) {
  append_bytes(out, &value, sizeof value);
}

// Appends the elements of the selected rows.
template <class T>
void append_elements(const Vector& vector, Selection selection, std::vector<char>& out) {
  const size_t at = out.size();
  out.resize(at + selection.count * sizeof(T));
  char* to = out.data() + at;
  const T* from = vector.values<T>();
  if (vector.form == Vector::Form::kSequence) {
    for (uint32_t i = 0; i < selection.count; ++i) {
      const int64_t value = vector.sequence_start + selection[i] * vector.sequence_step;
      std::memcpy(to + i * sizeof(T), &value, sizeof(T));
    }
  } else if (vector.is_constant()) {
    for (uint32_t i = 0; i < selection.count; ++i) std::memcpy(to + i * sizeof(T), from, sizeof(T));
  } else if (selection.is_all()) {
    std::memcpy(to, from, selection.count * sizeof(T));
  } else {
    for (uint32_t i = 0; i < selection.count; ++i)
      std::memcpy(to + i * sizeof(T), from + selection.rows[i], sizeof(T));
  }
}

void append_strings(const Vector& vector, Selection selection, std::vector<char>& out) {
  const auto* texts = vector.values<std::string_view>();
  const auto text_at = [&](uint32_t i) {
    const uint32_t row = vector.is_constant() ? 0 : selection[i];
    return vector.is_valid(row) ? texts[row] : std::string_view();
  };
  size_t characters = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const std::string_view text = text_at(i);
    append_value(out, static_cast<uint32_t>(text.size()));
    characters += text.size();
  }
  out.reserve(out.size() + characters);
  for (uint32_t i = 0; i < selection.count; ++i) append_bytes(out, text_at(i).data(), text_at(i).size());
}

// Reads the columns of a block one after the other; what is beyond its end is damage.
class BlockReader {
 public:
  BlockReader(const char* data, size_t size) : at_(data), end_(data + size) {}
  const char* take(size_t bytes) {
    if (bytes > static_cast<size_t>(end_ - at_)) throw damaged();
    const char* taken = at_;
    at_ += bytes;
    return taken;
  }
  template <class T>
  T value() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  static SqlError damaged() { return SqlError(sqlstate::kDataCorrupted, "a temporary file is damaged"); }

 private:
  const char* at_;
  const char* const end_;
};

}  // namespace

SpillFile::SpillFile(TemporaryFolder& folder, std::vector<SqlType> types)
    : types_(std::move(types)), file_(folder.create().value_or_throw()) {}

uint32_t SpillFile::number_of(const Vector& vector) {
  if (!vector.dictionary) return kNoDictionary;
  const std::lock_guard lock(mutex_);
  for (uint32_t i = 0; i < dictionaries_.size(); ++i) {
    if (dictionaries_[i].first == vector.dictionary) return i;
  }
  dictionaries_.emplace_back(vector.dictionary, vector.owner);
  return static_cast<uint32_t>(dictionaries_.size() - 1);
}

SpillFile::Dictionary SpillFile::dictionary(uint32_t number) const {
  if (number == kNoDictionary) return {};
  const std::lock_guard lock(mutex_);
  if (number >= dictionaries_.size()) throw BlockReader::damaged();
  return dictionaries_[number];
}

void SpillFile::encode_column(const Vector& vector, Selection selection, std::vector<char>& out) {
  const bool codes = vector.dictionary || vector.type.id == TypeId::kSymbol;
  const bool strings = !codes && physical_type(vector.type) == PhysicalType::kString;
  bool nulls = false;
  if (vector.may_have_nulls()) {
    for (uint32_t i = 0; i < selection.count && !nulls; ++i) nulls = !vector.is_valid(selection[i]);
  }
  out.push_back(static_cast<char>((codes ? kCodes : strings ? kStrings : kPlain) | (nulls ? kHasNulls : 0)));
  if (codes) append_value(out, number_of(vector));
  if (nulls) {
    for (uint32_t first = 0; first < selection.count; first += 64) {
      uint64_t word = 0;
      const uint32_t end = std::min(selection.count, first + 64);
      for (uint32_t i = first; i < end; ++i) word |= uint64_t{vector.is_valid(selection[i])} << (i - first);
      append_value(out, word);
    }
  }
  if (codes) return append_elements<int32_t>(vector, selection, out);
  if (strings) return append_strings(vector, selection, out);
  with_element_type(physical_type(vector.type), [&](auto* tag) {
    append_elements<std::remove_pointer_t<decltype(tag)>>(vector, selection, out);
  });
}

SpillBlock SpillFile::write(std::span<const Vector> columns, Selection selection, Scratch& scratch) {
  scratch.stored.clear();
  SpillBlock block = encode(columns, selection, scratch);
  block.offset += place(scratch);
  return block;
}

SpillBlock SpillFile::encode(std::span<const Vector> columns, Selection selection, Scratch& scratch) {
  assert(selection.count > 0 && selection.count <= kVectorSize);
  scratch.raw.clear();
  for (size_t c = 0; c < types_.size(); ++c) encode_column(columns[c], selection, scratch.raw);
  if (scratch.raw.size() > LZ4_MAX_INPUT_SIZE) {
    throw SqlError(sqlstate::kProgramLimitExceeded, "rows are too wide for a temporary file");
  }
  const int raw_bytes = static_cast<int>(scratch.raw.size());
  SpillBlock block;
  block.offset = scratch.stored.size();
  block.rows = selection.count;
  scratch.stored.resize(block.offset + kHeaderBytes + static_cast<size_t>(LZ4_compressBound(raw_bytes)));
  char* const header_at = scratch.stored.data() + block.offset;
  char* const content = header_at + kHeaderBytes;
  int bytes = LZ4_compress_fast(scratch.raw.data(), content, raw_bytes, LZ4_compressBound(raw_bytes),
                                kLz4Acceleration);
  if (bytes <= 0 || bytes >= raw_bytes) {
    std::copy(scratch.raw.begin(), scratch.raw.end(), content);
    bytes = raw_bytes;
  }
  const uint32_t header[2] = {static_cast<uint32_t>(raw_bytes), crc32c(content, static_cast<size_t>(bytes))};
  std::memcpy(header_at, header, sizeof header);
  block.stored_bytes = static_cast<uint32_t>(kHeaderBytes + static_cast<size_t>(bytes));
  scratch.stored.resize(block.offset + block.stored_bytes);
  return block;
}

uint64_t SpillFile::place(Scratch& scratch) {
  const uint64_t offset = end_.fetch_add(scratch.stored.size(), std::memory_order_relaxed);
  file_->write_at(offset, scratch.stored.data(), scratch.stored.size()).throw_if_error();
  scratch.stored.clear();
  return offset;
}

void SpillFile::read(const SpillBlock& block, Scratch& scratch, DataChunk* out) const {
  scratch.stored.resize(block.stored_bytes);
  file_->read_exact_at(block.offset, scratch.stored.data(), block.stored_bytes).throw_if_error();
  uint32_t header[2];
  std::memcpy(header, scratch.stored.data(), sizeof header);
  const char* const content = scratch.stored.data() + kHeaderBytes;
  const size_t bytes = block.stored_bytes - kHeaderBytes;
  if (crc32c(content, bytes) != header[1]) throw BlockReader::damaged();
  const uint32_t raw_bytes = header[0];
  // Characters of strings stay here: the vectors share it.
  const std::shared_ptr<char[]> raw = std::make_shared_for_overwrite<char[]>(raw_bytes);
  if (bytes == raw_bytes) {
    std::memcpy(raw.get(), content, bytes);
  } else if (LZ4_decompress_safe(content, raw.get(), static_cast<int>(bytes), static_cast<int>(raw_bytes)) !=
             static_cast<int>(raw_bytes)) {
    throw BlockReader::damaged();
  }
  BlockReader reader(raw.get(), raw_bytes);
  const uint32_t rows = block.rows;
  out->columns.resize(types_.size());
  for (size_t c = 0; c < types_.size(); ++c) {
    Vector& vector = out->columns[c];
    const auto kind = reader.value<uint8_t>();
    const bool codes = (kind & kCodes) != 0, strings = (kind & kStrings) != 0;
    const Dictionary dictionary = codes ? this->dictionary(reader.value<uint32_t>()) : Dictionary();
    const SqlType type = strings && types_[c].id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : types_[c];
    void* elements = vector.allocate(codes ? SqlType(TypeId::kSymbol) : type, rows);
    if (kind & kHasNulls) {
      const size_t words = (rows + 63) / 64;
      std::memcpy(vector.allocate_validity(rows), reader.take(words * sizeof(uint64_t)),
                  words * sizeof(uint64_t));
    }
    if (codes) {
      vector.dictionary = dictionary.first;
      vector.owner = dictionary.second;
    }
    if (!strings) {
      const size_t size = physical_size(physical_type(vector.type)) * rows;
      std::memcpy(elements, reader.take(size), size);
      continue;
    }
    const char* lengths = reader.take(rows * sizeof(uint32_t));
    auto* texts = static_cast<std::string_view*>(elements);
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t length;
      std::memcpy(&length, lengths + i * sizeof length, sizeof length);
      texts[i] = {reader.take(length), length};
    }
    vector.string_owner = raw;
  }
  out->set_size(rows);
}

}  // namespace idem
