#pragma once

#include <gtest/gtest.h>
#include <span>

#include "tests/unit/query/expression_fixture.h"

namespace idem::test {

struct Example {
  const char* sql;
  const char* result;
};

inline void expect_examples(std::span<const Example> examples) {
  ExpressionFixture fixture;
  for (const Example& example : examples) EXPECT_EQ(fixture.text(example.sql), example.result) << example.sql;
}

}  // namespace idem::test
