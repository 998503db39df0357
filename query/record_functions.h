#pragma once

#include <string_view>

#include "query/bound_expression.h"

namespace idem {

// (record, INTEGER field from 0) → the field, of the type that the call says. Not callable by name: the
// binder makes such calls of (record).field.
const ScalarFunction& record_field_function();
// (record) → BOOLEAN: record IS NULL (it, or each of its fields, is NULL) and record IS NOT NULL (no field
// is).
const ScalarFunction& record_null_function(bool negated);
// (name TEXT, value, …) → JSON, written as PostgreSQL writes a row: {"name":value,…}.
const ScalarFunction& json_of_fields_function();
// The aggregate that json_agg(record) is bound to once the record is JSON. No name that SQL can call it by.
inline constexpr std::string_view kJsonOfRows = "json_agg of rows";
// Whether this is the call that ROW(…) is bound to: its children are the fields.
bool is_row_constructor(const BoundExpression& expression);
// Replaces (ROW(a, b)).f2 by b; false if it is something else.
bool take_known_field(BoundPtr& expression);

}  // namespace idem
