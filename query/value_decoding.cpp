#include <cstring>

#include "query/statement_executors.h"

namespace idem {

Value decode_value(SqlType type, std::string_view bytes, bool binary, const TextOptions& options,
                   StringArena& arena) {
  SqlType stored = type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type;
  alignas(16) unsigned char element[32] = {};
  if (binary) parse_binary(stored, std::span<const char>(bytes.data(), bytes.size()), element, arena);
  else parse_text(stored, bytes, element, arena, options);
  auto read = [&]<class T>(T) {
    T value;
    std::memcpy(&value, element, sizeof(T));
    return value;
  };
  switch (physical_type(stored)) {
    case PhysicalType::kBool: return Value::of_int(stored, read(uint8_t{}));
    case PhysicalType::kInt16: return Value::of_int(stored, read(int16_t{}));
    case PhysicalType::kInt32: return Value::of_int(stored, read(int32_t{}));
    case PhysicalType::kInt64: return Value::of_int(stored, read(int64_t{}));
    case PhysicalType::kFloat: return Value::of_double(stored, static_cast<double>(read(float{})));
    case PhysicalType::kDouble: return Value::of_double(stored, read(double{}));
    case PhysicalType::kDecimal: return Value::of_decimal(stored, read(Decimal{}));
    case PhysicalType::kInterval: return Value::of_interval(read(Interval{}));
    case PhysicalType::kUuid: return Value::of_uuid(read(Uuid{}));
    case PhysicalType::kString: return Value::of_string(stored, std::string(read(std::string_view{})));
  }
  return Value::null(type);
}

}  // namespace idem
