#pragma once

#include <string>

#include "common/sql_type.h"
#include "common/value_text.h"

namespace idem {

// Appends a value as to_json() shows it: numbers and booleans bare, JSON as it is, arrays as arrays,
// timestamps in ISO form with a T, everything else as a string.
void append_json_value(std::string& out, SqlType type, const void* element, const TextOptions& options);
// An object's key: the text of the value in quotes.
void append_json_key(std::string& out, SqlType type, const void* element, const TextOptions& options);

}  // namespace idem
