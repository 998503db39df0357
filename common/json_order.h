#pragma once

#include <string>
#include <string_view>

namespace idem {

// The B-tree order of jsonb, of texts as normalize_jsonb() writes them:
// Object > Array > Boolean > Number > String > Null; objects by their number of pairs, then key and value for key
// and value in stored order; arrays by length, then element by element; numbers by value, strings by bytes. As in
// PostgreSQL an empty array at the top is below every scalar.
int compare_jsonb(std::string_view a, std::string_view b);

// Appends bytes that are alike exactly for equal values: the text, numbers without zeros at their end.
void append_jsonb_key(std::string& out, std::string_view json);

}  // namespace idem
