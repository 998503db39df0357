#pragma once

#include <optional>
#include <vector>

#include "query/logical_plan.h"

namespace idem {

// The parts of a condition that are joined by AND, outermost first. They point into `condition`.
std::vector<const BoundExpression*> conjuncts_of(const BoundExpression* condition);

// True if the expression reads no column and gives one value for the whole execution (no volatile function,
// no subquery).
bool is_execution_constant(const BoundExpression& expression);

// Of `symbol column = string that is known at the start of an execution`: the string's expression, which
// points into the condition; null for anything else. Sees through casts that only relabel.
const BoundExpression* symbol_equality_value(const BoundExpression& condition);

// Whether VectorStatistics hold values of the type as integers.
bool has_integer_statistics(TypeId id);

// What rows that meet the condition have in statistics; nothing for types without statistics and values of
// another type.
std::optional<ScanBound> bound_of(const DynamicBound& condition, SqlType column_type, const Value& value);

}  // namespace idem
