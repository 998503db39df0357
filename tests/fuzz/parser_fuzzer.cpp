#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "common/error.h"
#include "parser/clone.h"
#include "parser/deparse.h"

// Any text parses or fails with SqlError; what parses has a canonical text that parses to the same canonical
// text.
namespace {

void require(bool holds, std::string_view what, std::string_view once, std::string_view twice) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n  %.*s\n  %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(once.size()), once.data(), static_cast<int>(twice.size()), twice.data());
  std::abort();
}

void check(const idem::parser::ParsedStatement& statement) {
  const std::string once = idem::parser::normalized_text(statement);
  std::string twice;
  try {
    twice = idem::parser::normalized_text(idem::parser::parse_one(once));
  } catch (const idem::SqlError& error) {
    if (error.sqlstate() == idem::sqlstate::kStatementTooComplex) return;  // parentheses that deparsing added
    twice = error.what();
  }
  require(once == twice, "canonical text is not stable", once, twice);
  if (const auto* query = idem::ast::try_as<idem::ast::QueryStatement>(statement.statement.get())) {
    const std::string copy = idem::parser::deparse(*idem::ast::clone(*query->query));
    require(once == copy, "copy differs", once, copy);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& statement : idem::parser::parse_statements(text)) check(statement);
  } catch (const idem::SqlError&) {}
  return 0;
}
