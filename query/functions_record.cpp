#include "common/error.h"
#include "common/record_value.h"
#include "query/array_elements.h"
#include "query/expression_node.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/record_functions.h"

namespace idem {

namespace {

constexpr std::string_view kRow = "row";

// ROW(a, b, …)
bool bind_row(std::span<const SqlType> arguments, CallTypes* types) {
  for (SqlType type : arguments) {
    if (type.id == TypeId::kUnknown) type = TypeId::kText;
    if (type.id == TypeId::kSymbol) type = TypeId::kVarchar;
    types->arguments.push_back(type);
  }
  types->result = TypeId::kRecord;
  return true;
}

void make_row(KernelCall& call, std::string& out) {
  RecordBuilder record;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    record.append(call.types.arguments[i], call.is_valid(i) ? call.element(i) : nullptr);
  }
  record.append_to(out);
}

bool is_same_type(SqlType a, SqlType b) {
  return a.id == b.id && (a.id != TypeId::kArray || a.element == b.element);
}

void field_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                  Selection selection, Vector* result) {
  VectorScatter scatter(types.result, size, result);
  ElementBuffer element;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!arguments[0].is_valid(row)) {
      scatter.set_null(row);
      continue;
    }
    const RecordView record(arguments[0].values<std::string_view>()[arguments[0].is_constant() ? 0 : row]);
    const auto field =
        static_cast<uint32_t>(arguments[1].values<int32_t>()[arguments[1].is_constant() ? 0 : row]);
    if (field >= record.size() || !is_same_type(record.type(field), types.result)) {
      throw sql_error(sqlstate::kDatatypeMismatch, "composite value has no field {} of type {}", field + 1,
                      format_type(types.result));
    }
    if (record.is_null(field)) {
      scatter.set_null(row);
      continue;
    }
    record.element_at(field, element.bytes);
    scatter.set_element(row, element.bytes);
  }
}

template <bool kNegated>
void null_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                 Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(types.result, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    bool holds = !kNegated;
    if (!arguments[0].is_valid(row)) {
      out[row] = holds ? 1 : 0;
      continue;
    }
    const RecordView record(arguments[0].values<std::string_view>()[arguments[0].is_constant() ? 0 : row]);
    holds = true;
    for (uint32_t field = 0; field < record.size(); ++field)
      holds = holds && record.is_null(field) != kNegated;
    out[row] = holds ? 1 : 0;
  }
}

ScalarFunction internal_function(std::string name, std::vector<SqlType> parameters, SqlType result,
                                 ScalarKernel kernel) {
  ScalarFunction function;
  function.name = std::move(name);
  function.parameters = std::move(parameters);
  function.result = result;
  function.kernel = kernel;
  function.strict = false;
  return function;
}

}  // namespace

const ScalarFunction& record_field_function() {
  static const ScalarFunction function =
      internal_function("record_field", {TypeId::kRecord, TypeId::kInteger}, TypeId::kUnknown, field_kernel);
  return function;
}

const ScalarFunction& record_null_function(bool negated) {
  static const ScalarFunction is_null =
      internal_function("record_is_null", {TypeId::kRecord}, TypeId::kBoolean, null_kernel<false>);
  static const ScalarFunction is_not_null =
      internal_function("record_is_not_null", {TypeId::kRecord}, TypeId::kBoolean, null_kernel<true>);
  return negated ? is_not_null : is_null;
}

bool is_row_constructor(const BoundExpression& expression) {
  return expression.kind == BoundKind::kCall && expression.function->name == kRow &&
         expression.type.id == TypeId::kRecord;
}

bool take_known_field(BoundPtr& expression) {
  if (expression->kind != BoundKind::kCall || expression->function != &record_field_function() ||
      !is_row_constructor(*expression->children[0])) {
    return false;
  }
  const auto field = static_cast<size_t>(expression->children[1]->value.as_int());
  BoundPtr value = std::move(expression->children[0]->children[field]);
  expression = std::move(value);
  return true;
}

void register_record_functions(FunctionRegistry& r) {
  r.add_polymorphic(kRow, bind_row, row_kernel<[](KernelCall& c, std::string& out) { make_row(c, out); }>)
      .strict = false;
}

}  // namespace idem
