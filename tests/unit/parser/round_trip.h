#pragma once

#include <gtest/gtest.h>
#include <string>

#include "common/error.h"
#include "parser/clone.h"
#include "parser/deparse.h"

namespace idem::parser {

struct Example {
  const char* sql;
  const char* canonical;  // nullptr: the same as `sql`
};

// The canonical text of a text reads back as itself, and a copy of the tree has it too. Returns it.
inline std::string expect_round_trip(const char* sql) {
  SCOPED_TRACE(sql);
  try {
    std::string whole;
    for (const ParsedStatement& statement : parse_statements(sql)) {
      const std::string once = normalized_text(statement);
      const std::string twice = normalized_text(parse_one(once));
      EXPECT_EQ(once, twice);
      if (const auto* query = ast::try_as<ast::QueryStatement>(statement.statement.get())) {
        EXPECT_EQ(deparse(*ast::clone(*query->query)), once);
      }
      whole += whole.empty() ? once : "; " + once;
    }
    return whole;
  } catch (const SqlError& error) {
    ADD_FAILURE() << error.what() << " at " << error.position().value_or(0) << " hint: " << error.hint();
    return {};
  }
}

inline void expect_canonical(const Example& example) {
  EXPECT_EQ(expect_round_trip(example.sql), example.canonical != nullptr ? example.canonical : example.sql);
}

}  // namespace idem::parser
