#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace idem {

using int128_t = __int128;
using uint128_t = unsigned __int128;

// SQL types. The first group can be columns of tables; the second exists in queries and catalogs only.
enum class TypeId : uint8_t {
  kBoolean,
  kSmallInt,
  kInteger,
  kBigInt,
  kReal,
  kDouble,
  kDecimal,  // modifier: precision << 16 | scale, or -1 (each value brings its own scale)
  kVarchar,  // modifier: n of VARCHAR(n), or -1
  kText,
  kChar,         // CHAR(n), blank padded; modifier n
  kSymbol,       // an i32 code into the column's dictionary
  kTimestamp,    // microseconds since 1970-01-01 00:00 UTC
  kTimestampTz,  // the same, shown with +00
  kDate,         // days since 1970-01-01
  kTime,         // microseconds of the day
  kInterval,
  kUuid,
  kBytea,
  kJson,
  kJsonb,
  kArray,  // of SqlType::element, one level

  kUnknown,  // an untyped string literal or NULL before resolution
  kName,
  kOid,
  kInternalChar,  // PostgreSQL's "char"
  kRegclass,
  kRegtype,
  kRegproc,
  kRegnamespace,
  kInt2Vector,  // kept like an array of smallint
  kRecord,      // kept like an array of text; only what catalog queries need
  kVoid,
};

// How values of a type are laid out in vectors, row groups and hash tables.
enum class PhysicalType : uint8_t {
  kBool,  // uint8_t 0 or 1
  kInt16,
  kInt32,  // INTEGER, DATE, OID family; SYMBOL codes
  kInt64,  // BIGINT, TIMESTAMP, TIMESTAMPTZ, TIME
  kFloat,
  kDouble,
  kDecimal,   // struct Decimal, 32 bytes
  kInterval,  // struct Interval, 16 bytes
  kUuid,      // struct Uuid, 16 bytes, compared as unsigned big-endian bytes
  kString,  // std::string_view: VARCHAR, TEXT, CHAR, NAME, BYTEA, JSON, JSONB; arrays in the form of array_value.h
};

struct SqlType {
  TypeId id = TypeId::kUnknown;
  TypeId element = TypeId::kUnknown;  // of arrays
  int32_t modifier = -1;

  constexpr SqlType() = default;
  constexpr SqlType(TypeId type_id, int32_t type_modifier = -1)
      : id(type_id), modifier(type_modifier) {}  // NOLINT: implicit on purpose
  static constexpr SqlType array_of(TypeId element_id) {
    SqlType t(TypeId::kArray);
    t.element = element_id;
    return t;
  }
  static constexpr SqlType decimal(int precision, int scale) {
    return {TypeId::kDecimal, precision << 16 | scale};
  }
  constexpr int precision() const { return modifier < 0 ? -1 : modifier >> 16; }
  constexpr int scale() const { return modifier < 0 ? -1 : modifier & 0xffff; }
  constexpr bool operator==(const SqlType&) const = default;
};

PhysicalType physical_type(SqlType type);
size_t physical_size(PhysicalType type);  // bytes of one element in a flat vector

// PostgreSQL's names: "timestamp without time zone", "numeric(10,2)", "character varying", "bigint[]".
std::string format_type(SqlType type);
// How dialect.md and SHOW CREATE TABLE spell it: "TIMESTAMP", "DECIMAL(10,2)", "VARCHAR", "LONG" is never used.
std::string dialect_type_name(SqlType type);

// OIDs, typlen and typmod as on PostgreSQL's wire (clients/NEEDS: 1043 for varchar and symbol).
uint32_t type_oid(SqlType type);
int16_t type_length(SqlType type);
int32_t type_modifier_on_wire(SqlType type);  // PostgreSQL's atttypmod: n + 4, (p << 16 | s) + 4, or -1
// The type of an OID declared by a client in Parse; false if the OID is unknown to the server.
bool type_of_oid(uint32_t oid, SqlType* type);

// From a type's spelling, lower case, as the parser leaves it in ast::TypeName ("int8", "double precision",
// "varchar", "list<double>" never: arrays are flagged apart). Applies the modifiers. Throws SqlError 42704 for an unknown
// name, 22023 for modifiers out of range.
SqlType resolve_type_name(std::string_view name, const int32_t* modifiers, size_t modifier_count,
                          bool is_array);

constexpr bool is_string_like(TypeId t) {
  return t == TypeId::kVarchar || t == TypeId::kText || t == TypeId::kChar || t == TypeId::kSymbol ||
         t == TypeId::kName;
}
constexpr bool is_integer(TypeId t) {
  return t == TypeId::kSmallInt || t == TypeId::kInteger || t == TypeId::kBigInt;
}
constexpr bool is_numeric(TypeId t) { return t >= TypeId::kSmallInt && t <= TypeId::kDecimal; }
constexpr bool is_timestamp(TypeId t) { return t == TypeId::kTimestamp || t == TypeId::kTimestampTz; }
constexpr bool is_oid_like(TypeId t) {
  return t == TypeId::kOid || (t >= TypeId::kRegclass && t <= TypeId::kRegnamespace);
}

}  // namespace idem
