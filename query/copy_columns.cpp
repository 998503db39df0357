#include "query/copy_columns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/error.h"
#include "common/number_text.h"
#include "common/timestamp_text.h"
#include "common/utf8.h"
#include "query/short_numbers.h"

namespace idem {

namespace {

constexpr size_t kSlots = 1024;

bool read_integer(const char* p, uint32_t size, int64_t* value) {
  return read_short_integer(p, size, value) || parse_int64(p, p + size, value);
}

template <class T>
bool read_narrow(const char* p, uint32_t size, T* value) {
  int64_t wide = 0;
  if (!read_integer(p, size, &wide) || wide != static_cast<T>(wide)) return false;
  *value = static_cast<T>(wide);
  return true;
}

bool read_double(const char* p, uint32_t size, double* value) {
  return read_short_double(p, size, value) || parse_double(p, p + size, value);
}

constexpr std::array<uint32_t, 7> kFractionUnits = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};

// ":SS" or ":SS.f" with up to six digits behind the minute at p, which ends at `end`.
bool read_seconds(const char* p, const char* end, int64_t* micros) {
  const auto tens = static_cast<uint8_t>(p[1] - '0'), ones = static_cast<uint8_t>(p[2] - '0');
  if (p[0] != ':' || tens > 5 || ones > 9) return false;
  *micros = int64_t{tens * 10 + ones} * 1'000'000;
  const auto left = static_cast<uint32_t>(end - p) - 3;
  if (left == 0) return true;
  uint32_t fraction = 0;
  if (p[3] != '.' || left < 2 || left > 7 || !read_short_digits(load_chunk(p + 4), left - 1, &fraction))
    return false;
  *micros += int64_t{fraction} * kFractionUnits[left - 1];
  return true;
}

}  // namespace

// -- symbols --------------------------------------------------------------------------------------------

int32_t CopyColumns::SymbolCodes::code_of(const char* p, uint32_t size, SymbolDictionary& dictionary) {
  const int32_t next = previous_ + 1;
  if (in_order_ && next < static_cast<int32_t>(dictionary.size()) &&
      dictionary.at(next) == std::string_view(p, size))
    return previous_ = next;
  const int32_t code = look_up(p, size, dictionary);
  in_order_ = code == next;
  return previous_ = code;
}

int32_t CopyColumns::SymbolCodes::look_up(const char* p, uint32_t size, SymbolDictionary& dictionary) {
  const auto from_dictionary = [&] {
    const std::string_view text(p, size);
    if (const auto known = dictionary.find(text)) return *known;
    check_utf8(text);
    return dictionary.intern(text);
  };
  if (size - 1 >= 16) return from_dictionary();  // the empty one, too
  if (slots_.empty()) slots_.resize(kSlots);
  const uint64_t low = low_bytes(load_chunk(p), std::min(size, uint32_t{8}));
  const uint64_t high = size > 8 ? low_bytes(load_chunk(p + 8), size - 8) : 0;
  const uint64_t hash = (low ^ std::rotl(high, 32) ^ size) * 0x9e3779b97f4a7c15ULL;
  Slot* slot = &slots_[(hash >> 32) % (kSlots / 2) * 2];
  for (int i = 0; i < 2; ++i) {
    if (slot[i].low == low && slot[i].high == high && slot[i].size == size) return slot[i].code;
  }
  slot[1] = slot[0];
  slot[0] = {low, high, size, from_dictionary()};
  return slot[0].code;
}

// -- columns --------------------------------------------------------------------------------------------

CopyColumns::CopyColumns(const CopyLayout& layout) : layout_(layout), symbols_(layout.targets.size()) {}

bool CopyColumns::is_null(std::string_view text, const CopyFields& fields, uint32_t row,
                          uint32_t field) const {
  const std::string& null = layout_.format.null;
  const CopyLayout::Target& target = layout_.targets[field];
  const bool may_be = layout_.format.kind != CopyFormat::Kind::kCsv ? true
                      : fields.is_quoted(row, field)                ? target.force_null
                                                                    : !target.force_not_null;
  return may_be && fields.size(row, field) == null.size() &&
         std::memcmp(text.data() + fields.start(row, field), null.data(), null.size()) == 0;
}

// Values of fixed size by `read(p, size, &value)`, which is not called for fields without characters.
template <class Read>
bool CopyColumns::read_values(std::string_view text, const CopyFields& fields, uint32_t field,
                              BatchColumn* column, const Read& read) {
  using T = std::remove_pointer_t<decltype(read.type())>;
  const uint32_t rows = fields.rows();
  const auto null_size = static_cast<uint32_t>(layout_.format.null.size());
  auto* values = static_cast<T*>(column->append_space(rows));
  for (uint32_t row = 0; row < rows; ++row) {
    const uint32_t size = fields.size(row, field);
    T value{};
    if (size == null_size && is_null(text, fields, row, field)) {
      nulls_.push_back(row);
    } else if (size == 0 || !read(text.data() + fields.start(row, field), size, &value)) {
      return false;
    }
    values[row] = value;
  }
  return true;
}

bool CopyColumns::read_timestamp(const char* p, uint32_t size, int64_t* value) {
  if (size < 19) return parse_timestamp_fast(p, p + size, ZoneSuffix::kApply, value);
  const uint64_t low = load_chunk(p), high = load_chunk(p + 8);
  if (low == minute_.low && high == minute_.high) {
    int64_t seconds = 0;
    if (read_seconds(p + 16, p + size, &seconds)) {
      *value = minute_.micros + seconds;
      return true;
    }
  }
  if (!parse_timestamp_fast(p, p + size, ZoneSuffix::kApply, value)) return false;
  std::array<char, 19> minute;
  std::memcpy(minute.data(), p, 16);
  std::memcpy(minute.data() + 16, ":00", 3);
  int64_t micros = 0;
  if (parse_timestamp_fast(minute.data(), minute.data() + minute.size(), ZoneSuffix::kApply, &micros)) {
    minute_ = {low, high, micros};
  }
  return true;
}

bool CopyColumns::append_strings(std::string_view text, const CopyFields& fields, uint32_t field,
                                 BatchColumn* column) {
  for (uint32_t row = 0; row < fields.rows(); ++row) {
    if (is_null(text, fields, row, field)) {
      column->append_null();
      continue;
    }
    const std::string_view value = text.substr(fields.start(row, field), fields.size(row, field));
    if (!is_valid_utf8(value)) return false;
    column->append_string(value);
  }
  return true;
}

bool CopyColumns::append_generic(std::string_view text, const CopyFields& fields, uint32_t field,
                                 BatchColumn* column) {
  const CopyLayout::Target& target = layout_.targets[field];
  const bool string = physical_type(target.type) == PhysicalType::kString;
  alignas(16) std::array<unsigned char, 32> element{};
  for (uint32_t row = 0; row < fields.rows(); ++row) {
    if (is_null(text, fields, row, field)) {
      column->append_null();
      continue;
    }
    const std::string_view value = text.substr(fields.start(row, field), fields.size(row, field));
    if (string && target.type.id != TypeId::kBytea && !is_valid_utf8(value)) return false;
    try {
      parse_text(target.type, value, element.data(), arena_, layout_.text);
    } catch (const SqlError&) { return false; }
    if (string) {
      std::string_view parsed;
      std::memcpy(&parsed, element.data(), sizeof(parsed));
      column->append_string(parsed);
    } else {
      column->append_raw(element.data());
    }
  }
  arena_.reset();
  return true;
}

namespace {

// A reader of values with the type that it writes.
template <class T, class Function>
struct Reader {
  Function function;
  T* type() const { return nullptr; }
  bool operator()(const char* p, uint32_t size, T* value) const { return function(p, size, value); }
};
template <class T, class Function>
Reader<T, Function> reader_of(Function function) {
  return {function};
}

}  // namespace

bool CopyColumns::append_column(std::string_view text, const CopyFields& fields, uint32_t field,
                                BatchColumn* column) {
  using Conversion = CopyLayout::Conversion;
  const auto values = [&](const auto& reader) { return read_values(text, fields, field, column, reader); };
  switch (layout_.targets[field].conversion) {
    case Conversion::kInt16: return values(reader_of<int16_t>(read_narrow<int16_t>));
    case Conversion::kInt32: return values(reader_of<int32_t>(read_narrow<int32_t>));
    case Conversion::kInt64:
      return values(
          reader_of<int64_t>([](const char* p, uint32_t n, int64_t* v) { return read_integer(p, n, v); }));
    case Conversion::kFloat:
      return values(
          reader_of<float>([](const char* p, uint32_t n, float* v) { return parse_float(p, p + n, v); }));
    case Conversion::kDouble:
      return values(
          reader_of<double>([](const char* p, uint32_t n, double* v) { return read_double(p, n, v); }));
    case Conversion::kTimestamp:
      return values(reader_of<int64_t>(
          [this](const char* p, uint32_t n, int64_t* v) { return read_timestamp(p, n, v); }));
    case Conversion::kDate:
      return values(reader_of<int32_t>(
          [](const char* p, uint32_t n, int32_t* v) { return parse_date_fast(p, p + n, v); }));
    case Conversion::kSymbol: {
      SymbolCodes& codes = symbols_[field];
      SymbolDictionary& dictionary = *column->dictionary();
      return values(reader_of<int32_t>([&](const char* p, uint32_t n, int32_t* v) {
        *v = codes.code_of(p, n, dictionary);
        return true;
      }));
    }
    case Conversion::kString: return append_strings(text, fields, field, column);
    case Conversion::kGeneric: return append_generic(text, fields, field, column);
  }
  return false;
}

bool CopyColumns::append(std::string_view text, const CopyFields& fields, ColumnBatch* batch) {
  const uint32_t before = batch->rows();
  bool converted = true;
  try {
    for (uint32_t f = 0; f < layout_.targets.size() && converted; ++f) {
      const CopyLayout::Target& target = layout_.targets[f];
      BatchColumn& column = batch->column(target.column);
      nulls_.clear();
      converted = append_column(text, fields, f, &column);
      if (!converted) break;
      for (const uint32_t row : nulls_) column.set_null(before + row);
      if (target.not_null && column.has_nulls()) converted = false;
    }
  } catch (const SqlError&) { converted = false; }
  if (!converted) {
    for (const CopyLayout::Target& target : layout_.targets) batch->column(target.column).truncate(before);
    arena_.reset();
    return false;
  }
  for (const auto& [column, value] : layout_.defaults) {
    for (uint32_t row = 0; row < fields.rows(); ++row) batch->column(column).append_value(value);
  }
  return true;
}

}  // namespace idem
