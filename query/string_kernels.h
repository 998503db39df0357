#pragma once

#include <string>
#include <string_view>

#include "query/kernel.h"

namespace idem {

// 'text' as quote_literal() writes it: with E and doubled backslashes where there are some.
std::string quoted_literal(std::string_view text);
// The output form of an argument of any type, as concat() and format() show it; nothing for NULL.
void append_shown_argument(std::string& out, KernelCall& call, size_t argument);

}  // namespace idem
