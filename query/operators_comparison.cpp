#include "query/comparison_kernels.h"
#include "query/function_registry.h"

namespace idem {

namespace {

template <Comparison C>
void comparison_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(types.result, size);
  compare_vectors(C, arguments[0], arguments[1], size, selection, out);
}

ScalarKernel kernel_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual: return comparison_kernel<Comparison::kEqual>;
    case Comparison::kNotEqual: return comparison_kernel<Comparison::kNotEqual>;
    case Comparison::kLess: return comparison_kernel<Comparison::kLess>;
    case Comparison::kLessEqual: return comparison_kernel<Comparison::kLessEqual>;
    case Comparison::kGreater: return comparison_kernel<Comparison::kGreater>;
    case Comparison::kGreaterEqual: return comparison_kernel<Comparison::kGreaterEqual>;
  }
  return nullptr;
}

bool bind_arrays(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  SqlType array = arguments[0].id == TypeId::kUnknown ? arguments[1] : arguments[0];
  const SqlType other = arguments[1].id == TypeId::kUnknown ? array : arguments[1];
  if (array.id != TypeId::kArray || other.id != TypeId::kArray) return false;
  const auto text_like = [](TypeId id) {
    return id == TypeId::kVarchar || id == TypeId::kText || id == TypeId::kSymbol;
  };
  if (array.element != other.element && !(text_like(array.element) && text_like(other.element))) return false;
  types->arguments = {array, array};
  types->result = TypeId::kBoolean;
  return true;
}

bool bind_records(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 || arguments[0].id != TypeId::kRecord || arguments[1].id != TypeId::kRecord)
    return false;
  types->arguments = {TypeId::kRecord, TypeId::kRecord};
  types->result = TypeId::kBoolean;
  return true;
}

constexpr TypeId kComparable[] = {
    TypeId::kBoolean,   TypeId::kSmallInt,    TypeId::kInteger, TypeId::kBigInt, TypeId::kReal,
    TypeId::kDouble,    TypeId::kDecimal,     TypeId::kText,    TypeId::kChar,   TypeId::kName,
    TypeId::kTimestamp, TypeId::kTimestampTz, TypeId::kDate,    TypeId::kTime,   TypeId::kInterval,
    TypeId::kUuid,      TypeId::kBytea,       TypeId::kJsonb,   TypeId::kOid,    TypeId::kInternalChar,
};

}  // namespace

void register_comparison_operators(FunctionRegistry& registry) {
  for (int i = 0; i < 6; ++i) {
    const auto comparison = static_cast<Comparison>(i);
    const std::string_view symbol = comparison_symbol(comparison);
    const ScalarKernel kernel = kernel_of(comparison);
    const auto add = [&](SqlType left, SqlType right) {
      ScalarFunction& function = registry.add(symbol, {left, right}, TypeId::kBoolean, kernel);
      function.blind = true;
      function.never_fails = true;
      function.takes_symbols = true;
    };
    for (const TypeId type : kComparable) add(type, type);
    add(TypeId::kReal, TypeId::kDouble);
    add(TypeId::kDouble, TypeId::kReal);
    add(TypeId::kName, TypeId::kText);
    add(TypeId::kText, TypeId::kName);
    ScalarFunction& arrays = registry.add_polymorphic(symbol, bind_arrays, kernel);
    arrays.blind = true;
    arrays.never_fails = true;
    registry.add_polymorphic(symbol, bind_records, kernel);
  }
}

}  // namespace idem
