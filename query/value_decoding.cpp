
#include "common/element_access.h"
#include "query/statement_executors.h"

namespace idem {

Value decode_value(SqlType type, std::string_view bytes, bool binary, const TextOptions& options,
                   StringArena& arena) {
  SqlType stored = type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type;
  alignas(16) unsigned char element[32] = {};
  if (binary) parse_binary(stored, std::span<const char>(bytes.data(), bytes.size()), element, arena);
  else parse_text(stored, bytes, element, arena, options);
  switch (physical_type(stored)) {
    case PhysicalType::kBool: return Value::of_int(stored, load<uint8_t>(element));
    case PhysicalType::kInt16: return Value::of_int(stored, load<int16_t>(element));
    case PhysicalType::kInt32: return Value::of_int(stored, load<int32_t>(element));
    case PhysicalType::kInt64: return Value::of_int(stored, load<int64_t>(element));
    case PhysicalType::kFloat: return Value::of_double(stored, static_cast<double>(load<float>(element)));
    case PhysicalType::kDouble: return Value::of_double(stored, load<double>(element));
    case PhysicalType::kDecimal: return Value::of_decimal(stored, load<Decimal>(element));
    case PhysicalType::kInterval: return Value::of_interval(load<Interval>(element));
    case PhysicalType::kUuid: return Value::of_uuid(load<Uuid>(element));
    case PhysicalType::kString: return Value::of_string(stored, std::string(load<std::string_view>(element)));
  }
  return Value::null(type);
}

}  // namespace idem
