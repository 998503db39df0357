#include "query/scan_condition.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace idem {

namespace {

void add_conjuncts(const BoundExpression* condition, std::vector<const BoundExpression*>* out) {
  if (condition->kind != BoundKind::kAnd) {
    out->push_back(condition);
    return;
  }
  for (const BoundPtr& child : condition->children) add_conjuncts(child.get(), out);
}

const BoundExpression& without_relabelling(const BoundExpression& expression) {
  const BoundExpression* e = &expression;
  while (e->kind == BoundKind::kCall && e->function && !e->function->kernel && e->children.size() == 1 &&
         is_string_like(e->type.id) && is_string_like(e->children[0]->type.id)) {
    e = e->children[0].get();
  }
  return *e;
}

}  // namespace

bool has_integer_statistics(TypeId id) {
  return is_integer(id) || is_timestamp(id) || id == TypeId::kBoolean || id == TypeId::kDate ||
         id == TypeId::kTime;
}

std::vector<const BoundExpression*> conjuncts_of(const BoundExpression* condition) {
  std::vector<const BoundExpression*> out;
  if (condition) add_conjuncts(condition, &out);
  return out;
}

bool is_execution_constant(const BoundExpression& expression) {
  if (expression.kind == BoundKind::kColumn || expression.kind == BoundKind::kSubquery) return false;
  if (expression.function && expression.function->volatility == Volatility::kVolatile) return false;
  return std::all_of(expression.children.begin(), expression.children.end(),
                     [](const BoundPtr& child) { return is_execution_constant(*child); });
}

const BoundExpression* symbol_equality_value(const BoundExpression& condition) {
  if (condition.kind != BoundKind::kCall || !condition.function || condition.children.size() != 2)
    return nullptr;
  if (condition.function->name != "=") return nullptr;
  const BoundExpression& left = without_relabelling(*condition.children[0]);
  const BoundExpression& right = without_relabelling(*condition.children[1]);
  const auto fits = [](const BoundExpression& column, const BoundExpression& value) {
    return column.is_column() && column.type.id == TypeId::kSymbol && is_string_like(value.type.id) &&
           is_execution_constant(value);
  };
  if (fits(left, right)) return &right;
  if (fits(right, left)) return &left;
  return nullptr;
}

std::optional<ScanBound> bound_of(const DynamicBound& condition, SqlType column_type, const Value& value) {
  using Op = DynamicBound::Op;
  const TypeId column = column_type.id;
  ScanBound bound;
  bound.column = condition.column;
  bound.not_null_only = true;
  const bool lower =
      condition.op == Op::kEqual || condition.op == Op::kGreater || condition.op == Op::kGreaterEqual;
  const bool upper =
      condition.op == Op::kEqual || condition.op == Op::kLess || condition.op == Op::kLessEqual;
  if (value.type().id != column && !(is_integer(column) && is_integer(value.type().id))) return std::nullopt;
  if (has_integer_statistics(column)) {
    const int64_t v = value.as_int();
    if (lower) bound.min = condition.op == Op::kGreater && v < INT64_MAX ? v + 1 : v;
    if (upper) bound.max = condition.op == Op::kLess && v > INT64_MIN ? v - 1 : v;
    return bound;
  }
  if ((column == TypeId::kDouble || column == TypeId::kReal) && !std::isnan(value.as_double())) {
    // Both zeros are equal, so a bound at zero must not leave out the other one.
    const double v = value.as_double();
    if (lower) bound.min = std::bit_cast<int64_t>(v == 0 ? -0.0 : v);
    if (upper) bound.max = std::bit_cast<int64_t>(v == 0 ? 0.0 : v);
    return bound;
  }
  return std::nullopt;
}

}  // namespace idem
