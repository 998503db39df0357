#pragma once

#include "query/function.h"

namespace idem {

// (object JSON or JSONB, name TEXT) → the field for a column of json_to_record() of this type: JSON itself for JSON
// columns, the text of an array for arrays, TEXT for all others; NULL where there is none or it is null.
const ScalarFunction& json_record_field_function(SqlType column);
// (object JSON or JSONB, name TEXT) → BOOLEAN: whether it has the field, be it null.
const ScalarFunction& json_has_field_function();

}  // namespace idem
