#include <bit>
#include <cstring>

#include "common/array_value.h"
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/element_access.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/json_text.h"
#include "common/record_value.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "common/value_text.h"

// PostgreSQL's binary format: numbers big-endian, times counted from 2000-01-01.
namespace idem {

namespace {

constexpr char kJsonbVersion = 1;

template <class T>
void append_big_endian(std::string& out, T value) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  out.append(bytes, sizeof(T));
}

// Takes values off the front; the end must be reached.
class BinaryReader {
 public:
  explicit BinaryReader(std::span<const char> bytes) : bytes_(bytes) {}

  template <class T>
  T read() {
    const std::string_view part = take(sizeof(T));
    uint64_t v = 0;
    for (const char c : part) v = v << 8 | static_cast<uint8_t>(c);
    return static_cast<T>(v);
  }
  std::string_view take(size_t size) {
    if (size > bytes_.size())
      throw sql_error(sqlstate::kProtocolViolation, "insufficient data left in message");
    const std::string_view part(bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return part;
  }
  std::string_view rest() { return take(bytes_.size()); }
  void expect_end() const {
    if (!bytes_.empty())
      throw sql_error(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
  }

 private:
  std::span<const char> bytes_;
};

int64_t wire_timestamp(int64_t micros) {
  return is_finite_timestamp(micros) ? micros - kPostgresEpochMicros : micros;
}

int64_t timestamp_from_wire(int64_t wire) {
  if (!is_finite_timestamp(wire)) return wire;
  int64_t micros;
  if (__builtin_add_overflow(wire, kPostgresEpochMicros, &micros) || !is_finite_timestamp(micros) ||
      !is_valid_timestamp(micros)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return micros;
}

int32_t wire_date(int32_t days) { return is_finite_date(days) ? days - kPostgresEpochDays : days; }

int32_t date_from_wire(int32_t wire) {
  if (!is_finite_date(wire)) return wire;
  const int64_t days = static_cast<int64_t>(wire) + kPostgresEpochDays;
  if (days < kMinDate || days >= kEndDate)
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "date out of range");
  return static_cast<int32_t>(days);
}

int64_t time_from_wire(int64_t wire) {
  if (wire < 0 || wire > kMicrosPerDay)
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "time out of range");
  return wire;
}

// The length word is written once the value's size is known.
void append_sized(std::string& out, SqlType type, const void* element) {
  const size_t at = out.size();
  out.append(4, '\0');
  append_binary(out, type, element);
  const auto size = static_cast<uint32_t>(out.size() - at - 4);
  for (size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(size >> (8 * (3 - i)));
}

void append_array_binary(std::string& out, std::string_view bytes, TypeId element_type, int32_t lower_bound) {
  const ArrayView array(bytes);
  bool has_nulls = false;
  for (uint32_t i = 0; i < array.size(); ++i) has_nulls = has_nulls || array.is_null(i);
  append_big_endian<int32_t>(out, array.size() > 0 ? 1 : 0);  // dimensions
  append_big_endian<int32_t>(out, has_nulls ? 1 : 0);
  append_big_endian<uint32_t>(out, type_oid(element_type));
  if (array.size() == 0) return;
  append_big_endian<uint32_t>(out, array.size());
  append_big_endian<int32_t>(out, lower_bound);
  alignas(16) char element[sizeof(Decimal)];
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      append_big_endian<int32_t>(out, -1);
      continue;
    }
    array.element_at(i, element);
    append_sized(out, element_type, element);
  }
}

void append_record_binary(std::string& out, std::string_view bytes) {
  const RecordView record(bytes);
  alignas(16) char element[sizeof(Decimal)];
  append_big_endian<uint32_t>(out, record.size());
  for (uint32_t i = 0; i < record.size(); ++i) {
    append_big_endian<uint32_t>(out, type_oid(record.type(i)));
    if (record.is_null(i)) {
      append_big_endian<int32_t>(out, -1);
      continue;
    }
    record.element_at(i, element);
    append_sized(out, record.type(i), element);
  }
}

void check_element_type(uint32_t oid, SqlType expected) {
  SqlType sent;
  if (oid == type_oid(expected)) return;
  if (type_of_oid(oid, &sent) && is_string_like(sent.id) && is_string_like(expected.id)) return;
  throw sql_error(sqlstate::kDatatypeMismatch, "binary data has array element type {} instead of expected {}",
                  oid, type_oid(expected));
}

std::string_view parse_array_binary(SqlType element_type, BinaryReader& in, StringArena& arena) {
  const auto dimensions = in.read<int32_t>();
  in.read<int32_t>();  // whether there are NULLs
  check_element_type(in.read<uint32_t>(), element_type);
  ArrayBuilder builder(element_type.id);
  if (dimensions > 1) {
    throw sql_error(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported");
  }
  if (dimensions < 0) {
    throw sql_error(sqlstate::kInvalidBinaryRepresentation, "invalid number of dimensions: {}", dimensions);
  }
  if (dimensions == 1) {
    const auto count = in.read<int32_t>();
    in.read<int32_t>();  // lower bound
    alignas(16) char element[sizeof(Decimal)];
    StringArena scratch;
    for (int32_t i = 0; i < count; ++i) {
      const auto size = in.read<int32_t>();
      if (size == -1) {
        builder.append_null();
        continue;
      }
      const std::string_view value = in.take(static_cast<uint32_t>(size));
      parse_binary(element_type, value, element, scratch);
      builder.append(element);
    }
  }
  return arena.copy(builder.finish());
}

std::string_view checked_text(SqlType type, std::string_view text, StringArena& arena) {
  std::string_view result;
  parse_text(type, text, &result, arena, {});
  return result;
}

std::string_view jsonb_text(BinaryReader& in) {
  const auto version = in.read<uint8_t>();
  if (version != kJsonbVersion) {
    throw sql_error(sqlstate::kInvalidBinaryRepresentation, "unsupported jsonb version number {}", version);
  }
  return in.rest();
}

}  // namespace

void append_binary(std::string& out, SqlType type, const void* element) {
  switch (type.id) {
    case TypeId::kBoolean: out += static_cast<char>(load<uint8_t>(element)); return;
    case TypeId::kSmallInt: return append_big_endian(out, load<int16_t>(element));
    case TypeId::kInteger:
    case TypeId::kReal:
    case TypeId::kOid:
    case TypeId::kRegclass:
    case TypeId::kRegtype:
    case TypeId::kRegproc:
    case TypeId::kRegnamespace: return append_big_endian(out, load<uint32_t>(element));
    case TypeId::kBigInt:
    case TypeId::kDouble:
    case TypeId::kTime: return append_big_endian(out, load<uint64_t>(element));
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: return append_big_endian(out, wire_timestamp(load<int64_t>(element)));
    case TypeId::kDate: return append_big_endian(out, wire_date(load<int32_t>(element)));
    case TypeId::kDecimal: return append_decimal_binary(out, load<Decimal>(element));
    case TypeId::kInterval: {
      const auto interval = load<Interval>(element);
      append_big_endian(out, interval.micros);
      append_big_endian(out, interval.days);
      append_big_endian(out, interval.months);
      return;
    }
    case TypeId::kUuid: out.append(static_cast<const char*>(element), sizeof(Uuid)); return;
    case TypeId::kArray: {
      const auto bytes = load<std::string_view>(element);
      return append_array_binary(out, bytes, ArrayView(bytes).element(), 1);
    }
    case TypeId::kInt2Vector:
      return append_array_binary(out, load<std::string_view>(element), TypeId::kSmallInt, 0);
    case TypeId::kRecord: return append_record_binary(out, load<std::string_view>(element));
    case TypeId::kVoid: return;
    case TypeId::kJsonb: out += kJsonbVersion; [[fallthrough]];
    case TypeId::kVarchar:
    case TypeId::kText:
    case TypeId::kChar:
    case TypeId::kSymbol:
    case TypeId::kBytea:
    case TypeId::kJson:
    case TypeId::kUnknown:
    case TypeId::kName:
    case TypeId::kInternalChar: out += load<std::string_view>(element); return;
  }
}

void parse_binary(SqlType type, std::span<const char> bytes, void* element, StringArena& arena) {
  BinaryReader in(bytes);
  switch (type.id) {
    case TypeId::kBoolean: store<uint8_t>(element, in.read<uint8_t>() != 0); break;
    case TypeId::kSmallInt: store(element, in.read<int16_t>()); break;
    case TypeId::kInteger:
    case TypeId::kReal:
    case TypeId::kOid:
    case TypeId::kRegclass:
    case TypeId::kRegtype:
    case TypeId::kRegproc:
    case TypeId::kRegnamespace: store(element, in.read<uint32_t>()); break;
    case TypeId::kBigInt:
    case TypeId::kDouble: store(element, in.read<uint64_t>()); break;
    case TypeId::kTime: store(element, time_from_wire(in.read<int64_t>())); break;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: store(element, timestamp_from_wire(in.read<int64_t>())); break;
    case TypeId::kDate: store(element, date_from_wire(in.read<int32_t>())); break;
    case TypeId::kDecimal: {
      const Decimal value = decimal_from_binary(in.rest());
      store(element, type.modifier < 0 ? value : rescale(value, type.precision(), type.scale()));
      break;
    }
    case TypeId::kInterval: {
      Interval interval;
      interval.micros = in.read<int64_t>();
      interval.days = in.read<int32_t>();
      interval.months = in.read<int32_t>();
      store(element, interval);
      break;
    }
    case TypeId::kUuid: std::memcpy(element, in.take(sizeof(Uuid)).data(), sizeof(Uuid)); break;
    case TypeId::kBytea: store(element, arena.copy(in.rest())); break;
    case TypeId::kArray: {
      SqlType element_type = type.element;
      element_type.modifier = type.modifier;
      store(element, parse_array_binary(element_type, in, arena));
      break;
    }
    case TypeId::kInt2Vector: store(element, parse_array_binary(TypeId::kSmallInt, in, arena)); break;
    case TypeId::kRecord:
      throw sql_error(sqlstate::kFeatureNotSupported, "input of anonymous composite types is not supported");
    case TypeId::kVoid: store(element, std::string_view()); break;
    case TypeId::kJsonb: store(element, checked_text(type, jsonb_text(in), arena)); break;
    case TypeId::kVarchar:
    case TypeId::kText:
    case TypeId::kChar:
    case TypeId::kSymbol:
    case TypeId::kJson:
    case TypeId::kUnknown:
    case TypeId::kName:
    case TypeId::kInternalChar: store(element, checked_text(type, in.rest(), arena)); break;
  }
  in.expect_end();
}

}  // namespace idem
