#include "common/value_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/array_value.h"
#include "common/ascii.h"
#include "common/bytea.h"
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/element_access.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/json_text.h"
#include "common/number_text.h"
#include "common/record_value.h"
#include "common/timestamp_arithmetic.h"
#include "common/timestamp_text.h"
#include "common/utf8.h"
#include "common/utf8_repair.h"
#include "common/uuid.h"

namespace idem {

namespace {

constexpr size_t kMaxNameBytes = 63;
constexpr size_t kLargestFixedText = 128;

// Appends what `write(char*)` puts into a buffer large enough for any value of fixed size.
template <class Write>
void append_written(std::string& out, Write write) {
  static_assert(kMaxIntervalText <= kLargestFixedText);
  char buffer[kLargestFixedText];
  out.append(buffer, static_cast<size_t>(write(buffer) - buffer));
}

void append_array_text(std::string& out, std::string_view bytes, const TextOptions& options) {
  const ArrayView array(bytes);
  alignas(16) char element[sizeof(Decimal)];
  std::string item;
  out += '{';
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    if (array.is_null(i)) {
      out += "NULL";
      continue;
    }
    array.element_at(i, element);
    item.clear();
    append_text(item, array.element(), element, options);
    append_array_item(out, item);
  }
  out += '}';
}

void append_int2vector_text(std::string& out, std::string_view bytes) {
  const ArrayView array(bytes);
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ' ';
    int16_t value;
    array.element_at(i, &value);
    append_written(out, [&](char* p) { return format_int32(p, value); });
  }
}

void append_record_field(std::string& out, std::string_view text) {
  if (!text.empty() && text.find_first_of("(),\"\\ \t\n\v\f\r") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += c;
    out += c;
  }
  out += '"';
}

void append_record_text(std::string& out, std::string_view bytes, const TextOptions& options) {
  const RecordView record(bytes);
  alignas(16) char element[sizeof(Decimal)];
  std::string field;
  out += '(';
  for (uint32_t i = 0; i < record.size(); ++i) {
    if (i > 0) out += ',';
    if (record.is_null(i)) continue;
    record.element_at(i, element);
    field.clear();
    append_text(field, record.type(i), element, options);
    append_record_field(out, field);
  }
  out += ')';
}

TimestampTextOptions timestamp_options(TypeId type, const TextOptions& options) {
  TimestampTextOptions result;
  result.now_micros = options.now_micros;
  result.allow_integer = options.allow_integer_timestamps;
  if (type == TypeId::kTimestamp) {
    result.suffix = options.ignore_zone_suffix ? ZoneSuffix::kIgnore : ZoneSuffix::kApply;
  } else {
    result.zone = options.zone;
  }
  return result;
}

std::string_view parse_string(SqlType type, std::string_view text, StringArena& arena) {
  check_utf8(text);
  if (type.id == TypeId::kName) return arena.copy(utf8_cut(text, kMaxNameBytes));
  if (type.id == TypeId::kInternalChar) return arena.copy(text.substr(0, 1));
  const std::string_view kept = enforce_length(type, text);
  const size_t padding = type.id == TypeId::kChar && type.modifier > 0
                             ? static_cast<size_t>(type.modifier) -
                                   std::min(utf8_length(kept), static_cast<size_t>(type.modifier))
                             : 0;
  if (padding == 0) return arena.copy(kept);
  char* out = arena.allocate(kept.size() + padding);
  std::memcpy(out, kept.data(), kept.size());
  std::memset(out + kept.size(), ' ', padding);
  return {out, kept.size() + padding};
}

std::string_view parse_array(SqlType type, std::string_view text, StringArena& arena,
                             const TextOptions& options) {
  SqlType element_type = type.element;
  element_type.modifier = type.modifier;
  ArrayBuilder builder(type.element);
  alignas(16) char element[sizeof(Decimal)];
  StringArena scratch;
  for (const std::optional<std::string>& item : split_array_text(text)) {
    if (item) {
      parse_text(element_type, *item, element, scratch, options);
      builder.append(element);
    } else {
      builder.append_null();
    }
  }
  return arena.copy(builder.finish());
}

std::string_view parse_int2vector(std::string_view text, StringArena& arena) {
  ArrayBuilder builder(TypeId::kSmallInt);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      const int16_t value = int16_from_text(text.substr(at, end - at));
      builder.append(&value);
    }
    at = end + 1;
  }
  return arena.copy(builder.finish());
}

std::string_view parse_bytea(std::string_view text, StringArena& arena) {
  std::string bytes;
  append_bytea_from_text(bytes, text);
  return arena.copy(bytes);
}

Decimal parse_decimal_column(SqlType type, std::string_view text) {
  const Decimal value = decimal_from_text(text);
  return type.modifier < 0 ? value : rescale(value, type.precision(), type.scale());
}

int32_t parse_object_id(std::string_view text) {
  return static_cast<int32_t>(text == "-" ? 0 : oid_from_text(text));
}

}  // namespace

void append_text(std::string& out, SqlType type, const void* element, const TextOptions& options) {
  switch (type.id) {
    case TypeId::kBoolean: out += load<uint8_t>(element) != 0 ? 't' : 'f'; return;
    case TypeId::kSmallInt:
      return append_written(out, [&](char* p) { return format_int32(p, load<int16_t>(element)); });
    case TypeId::kInteger:
      return append_written(out, [&](char* p) { return format_int32(p, load<int32_t>(element)); });
    case TypeId::kBigInt:
      return append_written(out, [&](char* p) { return format_int64(p, load<int64_t>(element)); });
    case TypeId::kReal:
      return append_written(
          out, [&](char* p) { return format_float(p, load<float>(element), options.extra_float_digits); });
    case TypeId::kDouble:
      return append_written(
          out, [&](char* p) { return format_double(p, load<double>(element), options.extra_float_digits); });
    case TypeId::kDecimal:
      return append_written(out, [&](char* p) { return format_decimal(p, load<Decimal>(element)); });
    case TypeId::kTimestamp:
      return append_written(out, [&](char* p) { return format_timestamp(p, load<int64_t>(element)); });
    case TypeId::kTimestampTz:
      return append_written(
          out, [&](char* p) { return format_timestamp_tz(p, load<int64_t>(element), options.zone); });
    case TypeId::kDate:
      return append_written(out, [&](char* p) { return format_date(p, load<int32_t>(element)); });
    case TypeId::kTime:
      return append_written(out, [&](char* p) { return format_time(p, load<int64_t>(element)); });
    case TypeId::kInterval:
      return append_written(out, [&](char* p) { return format_interval(p, load<Interval>(element)); });
    case TypeId::kUuid:
      return append_written(out, [&](char* p) { return format_uuid(p, load<Uuid>(element)); });
    case TypeId::kOid:
    case TypeId::kRegclass:
    case TypeId::kRegtype:
    case TypeId::kRegproc:
    case TypeId::kRegnamespace:
      return append_written(out, [&](char* p) { return format_uint64(p, load<uint32_t>(element)); });
    case TypeId::kBytea: return append_bytea_text(out, load<std::string_view>(element));
    case TypeId::kArray: return append_array_text(out, load<std::string_view>(element), options);
    case TypeId::kInt2Vector: return append_int2vector_text(out, load<std::string_view>(element));
    case TypeId::kRecord: return append_record_text(out, load<std::string_view>(element), options);
    case TypeId::kVoid: return;
    case TypeId::kVarchar:
    case TypeId::kText:
    case TypeId::kChar:
    case TypeId::kSymbol:
    case TypeId::kJson:
    case TypeId::kJsonb:
    case TypeId::kUnknown:
    case TypeId::kName:
    case TypeId::kInternalChar: out += load<std::string_view>(element); return;
  }
}

void parse_text(SqlType type, std::string_view text, void* element, StringArena& arena,
                const TextOptions& options) {
  switch (type.id) {
    case TypeId::kBoolean: return store<uint8_t>(element, boolean_from_text(text));
    case TypeId::kSmallInt: return store(element, int16_from_text(text));
    case TypeId::kInteger: return store(element, int32_from_text(text));
    case TypeId::kBigInt: return store(element, int64_from_text(text));
    case TypeId::kReal: return store(element, float_from_text(text));
    case TypeId::kDouble: return store(element, double_from_text(text));
    case TypeId::kDecimal: return store(element, parse_decimal_column(type, text));
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: {
      const std::string_view name = type.id == TypeId::kTimestamp ? "timestamp" : "timestamp with time zone";
      const int64_t micros = timestamp_from_text(text, timestamp_options(type.id, options), name);
      return store(element, round_to_second_digits(micros, type.modifier));
    }
    case TypeId::kDate: return store(element, date_from_text(text, timestamp_options(type.id, options)));
    case TypeId::kTime:
      return store(element, round_to_second_digits(time_from_text(text, timestamp_options(type.id, options)),
                                                   type.modifier));
    case TypeId::kInterval:
      return store(element, interval_from_text(text, IntervalFields::kAll, type.modifier));
    case TypeId::kUuid: return store(element, uuid_from_text(text));
    case TypeId::kOid:
    case TypeId::kRegclass:
    case TypeId::kRegtype:
    case TypeId::kRegproc:
    case TypeId::kRegnamespace: return store(element, parse_object_id(text));
    case TypeId::kBytea: return store(element, parse_bytea(text, arena));
    case TypeId::kJson:
      check_utf8(text);
      validate_json(text);
      return store(element, arena.copy(text));
    case TypeId::kJsonb: check_utf8(text); return store(element, arena.copy(normalize_jsonb(text)));
    case TypeId::kArray: return store(element, parse_array(type, text, arena, options));
    case TypeId::kInt2Vector: return store(element, parse_int2vector(text, arena));
    case TypeId::kRecord:
      throw sql_error(sqlstate::kFeatureNotSupported, "input of anonymous composite types is not supported");
    case TypeId::kVoid: return store(element, std::string_view());
    case TypeId::kVarchar:
    case TypeId::kText:
    case TypeId::kChar:
    case TypeId::kSymbol:
    case TypeId::kUnknown:
    case TypeId::kName:
    case TypeId::kInternalChar: return store(element, parse_string(type, text, arena));
  }
}

bool parse_boolean(std::string_view text, bool* value) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  struct Word {
    std::string_view text;
    size_t shortest;
    bool value;
  };
  constexpr std::array kWords = {Word{"true", 1, true}, Word{"false", 1, false}, Word{"yes", 1, true},
                                 Word{"no", 1, false},  Word{"on", 2, true},     Word{"off", 2, false},
                                 Word{"1", 1, true},    Word{"0", 1, false}};
  for (const Word& word : kWords) {
    if (text.size() < word.shortest || text.size() > word.text.size()) continue;
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    if (std::equal(text.begin(), text.end(), word.text.begin(), same)) {
      *value = word.value;
      return true;
    }
  }
  return false;
}

bool boolean_from_text(std::string_view text) {
  bool value;
  if (!parse_boolean(text, &value)) {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type boolean: \"{}\"",
                    text);
  }
  return value;
}

std::string_view enforce_length(SqlType type, std::string_view text, bool is_explicit_cast) {
  if ((type.id != TypeId::kVarchar && type.id != TypeId::kChar) || type.modifier < 0) return text;
  const auto limit = static_cast<size_t>(type.modifier);
  if (text.size() <= limit) return text;  // bytes are at least as many as characters
  const size_t end = utf8_offset(text, limit);
  if (!is_explicit_cast && text.find_first_not_of(' ', end) != std::string_view::npos) {
    throw sql_error(sqlstate::kStringDataRightTruncation, "value too long for type {}", format_type(type));
  }
  return text.substr(0, end);
}

}  // namespace idem
