#include "common/sql_type.h"

#include <algorithm>
#include <array>

#include "common/error.h"

namespace idem {

namespace {

// One line per TypeId, in its order.
struct TypeFacts {
  TypeId id;
  std::string_view name;     // PostgreSQL's
  std::string_view dialect;  // ours
  uint32_t oid;
  uint32_t array_oid;
  int16_t length;
  PhysicalType physical;
};

constexpr std::array<TypeFacts, 32> kTypes = {{
    {TypeId::kBoolean, "boolean", "BOOLEAN", 16, 1000, 1, PhysicalType::kBool},
    {TypeId::kSmallInt, "smallint", "SMALLINT", 21, 1005, 2, PhysicalType::kInt16},
    {TypeId::kInteger, "integer", "INTEGER", 23, 1007, 4, PhysicalType::kInt32},
    {TypeId::kBigInt, "bigint", "BIGINT", 20, 1016, 8, PhysicalType::kInt64},
    {TypeId::kReal, "real", "REAL", 700, 1021, 4, PhysicalType::kFloat},
    {TypeId::kDouble, "double precision", "DOUBLE", 701, 1022, 8, PhysicalType::kDouble},
    {TypeId::kDecimal, "numeric", "DECIMAL", 1700, 1231, -1, PhysicalType::kDecimal},
    {TypeId::kVarchar, "character varying", "VARCHAR", 1043, 1015, -1, PhysicalType::kString},
    {TypeId::kText, "text", "TEXT", 25, 1009, -1, PhysicalType::kString},
    {TypeId::kChar, "character", "CHAR", 1042, 1014, -1, PhysicalType::kString},
    {TypeId::kSymbol, "character varying", "SYMBOL", 1043, 1015, -1, PhysicalType::kInt32},
    {TypeId::kTimestamp, "timestamp", "TIMESTAMP", 1114, 1115, 8, PhysicalType::kInt64},
    {TypeId::kTimestampTz, "timestamp", "TIMESTAMPTZ", 1184, 1185, 8, PhysicalType::kInt64},
    {TypeId::kDate, "date", "DATE", 1082, 1182, 4, PhysicalType::kInt32},
    {TypeId::kTime, "time", "TIME", 1083, 1183, 8, PhysicalType::kInt64},
    {TypeId::kInterval, "interval", "INTERVAL", 1186, 1187, 16, PhysicalType::kInterval},
    {TypeId::kUuid, "uuid", "UUID", 2950, 2951, 16, PhysicalType::kUuid},
    {TypeId::kBytea, "bytea", "BYTEA", 17, 1001, -1, PhysicalType::kString},
    {TypeId::kJson, "json", "JSON", 114, 199, -1, PhysicalType::kString},
    {TypeId::kJsonb, "jsonb", "JSONB", 3802, 3807, -1, PhysicalType::kString},
    {TypeId::kArray, "anyarray", "ANYARRAY", 2277, 0, -1, PhysicalType::kString},
    {TypeId::kUnknown, "unknown", "UNKNOWN", 705, 0, -2, PhysicalType::kString},
    {TypeId::kName, "name", "NAME", 19, 1003, 64, PhysicalType::kString},
    {TypeId::kOid, "oid", "OID", 26, 1028, 4, PhysicalType::kInt32},
    {TypeId::kInternalChar, "\"char\"", "\"char\"", 18, 1002, 1, PhysicalType::kString},
    {TypeId::kRegclass, "regclass", "REGCLASS", 2205, 2210, 4, PhysicalType::kInt32},
    {TypeId::kRegtype, "regtype", "REGTYPE", 2206, 2211, 4, PhysicalType::kInt32},
    {TypeId::kRegproc, "regproc", "REGPROC", 24, 1008, 4, PhysicalType::kInt32},
    {TypeId::kRegnamespace, "regnamespace", "REGNAMESPACE", 4089, 4090, 4, PhysicalType::kInt32},
    {TypeId::kInt2Vector, "int2vector", "INT2VECTOR", 22, 1006, -1, PhysicalType::kString},
    {TypeId::kRecord, "record", "RECORD", 2249, 2287, -1, PhysicalType::kString},
    {TypeId::kVoid, "void", "VOID", 2278, 0, 4, PhysicalType::kString},
}};

constexpr bool is_in_enum_order() {
  for (size_t i = 0; i < kTypes.size(); ++i) {
    if (static_cast<size_t>(kTypes[i].id) != i) return false;
  }
  return true;
}
static_assert(is_in_enum_order());

const TypeFacts& facts(TypeId id) { return kTypes[static_cast<size_t>(id)]; }

struct Spelling {
  std::string_view name;
  TypeId id;
};

constexpr std::array kSpellings = {
    Spelling{"boolean", TypeId::kBoolean},
    Spelling{"bool", TypeId::kBoolean},
    Spelling{"smallint", TypeId::kSmallInt},
    Spelling{"short", TypeId::kSmallInt},
    Spelling{"int2", TypeId::kSmallInt},
    Spelling{"byte", TypeId::kSmallInt},
    Spelling{"integer", TypeId::kInteger},
    Spelling{"int", TypeId::kInteger},
    Spelling{"int4", TypeId::kInteger},
    Spelling{"bigint", TypeId::kBigInt},
    Spelling{"long", TypeId::kBigInt},
    Spelling{"int8", TypeId::kBigInt},
    Spelling{"real", TypeId::kReal},
    Spelling{"float4", TypeId::kReal},
    Spelling{"float", TypeId::kReal},
    Spelling{"double", TypeId::kDouble},
    Spelling{"double precision", TypeId::kDouble},
    Spelling{"float8", TypeId::kDouble},
    Spelling{"decimal", TypeId::kDecimal},
    Spelling{"dec", TypeId::kDecimal},
    Spelling{"numeric", TypeId::kDecimal},
    Spelling{"varchar", TypeId::kVarchar},
    Spelling{"character varying", TypeId::kVarchar},
    Spelling{"char varying", TypeId::kVarchar},
    Spelling{"string", TypeId::kVarchar},
    Spelling{"text", TypeId::kText},
    Spelling{"char", TypeId::kChar},
    Spelling{"character", TypeId::kChar},
    Spelling{"bpchar", TypeId::kChar},
    Spelling{"symbol", TypeId::kSymbol},
    Spelling{"timestamp", TypeId::kTimestamp},
    Spelling{"timestamp without time zone", TypeId::kTimestamp},
    Spelling{"timestamptz", TypeId::kTimestampTz},
    Spelling{"timestamp with time zone", TypeId::kTimestampTz},
    Spelling{"date", TypeId::kDate},
    Spelling{"time", TypeId::kTime},
    Spelling{"time without time zone", TypeId::kTime},
    Spelling{"interval", TypeId::kInterval},
    Spelling{"uuid", TypeId::kUuid},
    Spelling{"bytea", TypeId::kBytea},
    Spelling{"binary", TypeId::kBytea},
    Spelling{"json", TypeId::kJson},
    Spelling{"jsonb", TypeId::kJsonb},
    Spelling{"unknown", TypeId::kUnknown},
    Spelling{"name", TypeId::kName},
    Spelling{"oid", TypeId::kOid},
    Spelling{"xid", TypeId::kOid},
    Spelling{"cid", TypeId::kOid},
    Spelling{"\"char\"", TypeId::kInternalChar},
    Spelling{"regclass", TypeId::kRegclass},
    Spelling{"regtype", TypeId::kRegtype},
    Spelling{"regproc", TypeId::kRegproc},
    Spelling{"regprocedure", TypeId::kRegproc},
    Spelling{"regnamespace", TypeId::kRegnamespace},
    Spelling{"int2vector", TypeId::kInt2Vector},
    Spelling{"record", TypeId::kRecord},
    Spelling{"void", TypeId::kVoid},
};

constexpr int kMaxCharacters = 10'485'760;
constexpr int kMaxFractionDigits = 6;

bool has_fraction_digits(TypeId id) {
  return is_timestamp(id) || id == TypeId::kTime || id == TypeId::kInterval;
}

SqlType decimal_of_modifiers(const int32_t* modifiers, size_t count) {
  const int precision = modifiers[0];
  const int scale = count > 1 ? modifiers[1] : 0;
  if (count > 2) throw sql_error(sqlstate::kInvalidParameterValue, "invalid NUMERIC type modifier");
  if (precision < 1 || precision > 38) {
    throw sql_error(sqlstate::kInvalidParameterValue, "NUMERIC precision {} must be between 1 and 38",
                    precision);
  }
  if (scale < 0 || scale > precision) {
    throw sql_error(sqlstate::kInvalidParameterValue, "NUMERIC scale {} must be between 0 and precision {}",
                    scale, precision);
  }
  return SqlType::decimal(precision, scale);
}

int32_t length_of_modifier(std::string_view name, int32_t length) {
  if (length < 1)
    throw sql_error(sqlstate::kInvalidParameterValue, "length for type {} must be at least 1", name);
  if (length > kMaxCharacters) {
    throw sql_error(sqlstate::kInvalidParameterValue, "length for type {} cannot exceed {}", name,
                    kMaxCharacters);
  }
  return length;
}

// FLOAT(24) is real, FLOAT(25) double precision.
SqlType float_of_modifier(int32_t bits) {
  if (bits < 1)
    throw sql_error(sqlstate::kInvalidParameterValue, "precision for type float must be at least 1 bit");
  if (bits > 53) {
    throw sql_error(sqlstate::kInvalidParameterValue, "precision for type float must be less than 54 bits");
  }
  return bits <= 24 ? TypeId::kReal : TypeId::kDouble;
}

SqlType apply_modifiers(TypeId id, std::string_view name, const int32_t* modifiers, size_t count) {
  if (count == 0) return SqlType(id, id == TypeId::kChar && name != "bpchar" ? 1 : -1);
  if (id == TypeId::kDecimal) return decimal_of_modifiers(modifiers, count);
  const bool is_float = name == "float";
  const bool is_sized = id == TypeId::kVarchar || id == TypeId::kChar;
  if (count > 1 || !(is_float || is_sized || has_fraction_digits(id))) {
    throw sql_error(sqlstate::kSyntaxError, "type modifier is not allowed for type \"{}\"", name);
  }
  if (is_float) return float_of_modifier(modifiers[0]);
  if (is_sized)
    return SqlType(id, length_of_modifier(id == TypeId::kChar ? "char" : "varchar", modifiers[0]));
  if (modifiers[0] < 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "{}({}) precision must not be negative", name,
                    modifiers[0]);
  }
  return SqlType(id, modifiers[0] < kMaxFractionDigits ? modifiers[0] : -1);
}

std::string modifier_suffix(SqlType type, TypeId id, std::string_view comma) {
  if (type.modifier < 0) return {};
  if (id == TypeId::kDecimal) return fmt::format("({}{}{})", type.precision(), comma, type.scale());
  if (id == TypeId::kVarchar || id == TypeId::kChar || has_fraction_digits(id)) {
    return fmt::format("({})", type.modifier);
  }
  return {};
}

}  // namespace

PhysicalType physical_type(SqlType type) { return facts(type.id).physical; }

size_t physical_size(PhysicalType type) {
  switch (type) {
    case PhysicalType::kBool: return 1;
    case PhysicalType::kInt16: return 2;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat: return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kDouble: return 8;
    case PhysicalType::kDecimal: return 32;
    case PhysicalType::kInterval:
    case PhysicalType::kUuid: return 16;
    case PhysicalType::kString: return sizeof(std::string_view);
  }
  throw sql_error(sqlstate::kInternalError, "unknown physical type {}", static_cast<int>(type));
}

std::string format_type(SqlType type) {
  const bool is_array = type.id == TypeId::kArray && type.element != TypeId::kUnknown;
  const TypeId id = is_array ? type.element : type.id;
  std::string text(facts(id).name);
  if (id == TypeId::kChar && type.modifier < 0) text = "bpchar";
  text += modifier_suffix(type, id, ",");
  if (id == TypeId::kTimestamp || id == TypeId::kTime) text += " without time zone";
  if (id == TypeId::kTimestampTz) text += " with time zone";
  if (is_array) text += "[]";
  return text;
}

std::string dialect_type_name(SqlType type) {
  const bool is_array = type.id == TypeId::kArray && type.element != TypeId::kUnknown;
  const TypeId id = is_array ? type.element : type.id;
  std::string text(facts(id).dialect);
  text += modifier_suffix(type, id, ",");
  if (is_array) text += "[]";
  return text;
}

uint32_t type_oid(SqlType type) {
  if (type.id == TypeId::kArray && type.element != TypeId::kUnknown) return facts(type.element).array_oid;
  return facts(type.id).oid;
}

int16_t type_length(SqlType type) { return facts(type.id).length; }

int32_t type_modifier_on_wire(SqlType type) {
  if (type.modifier < 0) return -1;
  const TypeId id = type.id == TypeId::kArray ? type.element : type.id;
  if (id == TypeId::kDecimal || id == TypeId::kVarchar || id == TypeId::kChar) return type.modifier + 4;
  if (id == TypeId::kInterval) return 0x7fff << 16 | type.modifier;
  return has_fraction_digits(id) ? type.modifier : -1;
}

bool type_of_oid(uint32_t oid, SqlType* type) {
  constexpr uint32_t kXid = 28;
  constexpr uint32_t kRegprocedure = 2202;
  if (oid == 0) return *type = TypeId::kUnknown, true;
  if (oid == kXid) return *type = TypeId::kOid, true;
  if (oid == kRegprocedure) return *type = TypeId::kRegproc, true;
  for (const TypeFacts& t : kTypes) {
    if (t.id == TypeId::kSymbol) continue;  // shares VARCHAR's
    if (t.oid == oid) return *type = t.id, true;
    if (t.array_oid == oid) return *type = SqlType::array_of(t.id), true;
  }
  return false;
}

SqlType resolve_type_name(std::string_view name, const int32_t* modifiers, size_t modifier_count,
                          bool is_array) {
  const auto* found =
      std::find_if(kSpellings.begin(), kSpellings.end(), [&](const Spelling& s) { return s.name == name; });
  if (found == kSpellings.end())
    throw sql_error(sqlstate::kUndefinedObject, "type \"{}\" does not exist", name);
  const SqlType scalar = apply_modifiers(found->id, name, modifiers, modifier_count);
  if (!is_array) return scalar;
  SqlType array = SqlType::array_of(scalar.id);
  array.modifier = scalar.modifier;
  return array;
}

}  // namespace idem
