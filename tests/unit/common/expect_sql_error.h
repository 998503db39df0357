#pragma once

#include <gtest/gtest.h>
#include <string_view>

#include "common/error.h"

namespace idem {

// Runs `action` and expects an SqlError of this state; an empty message matches any.
template <class Action>
void expect_sql_error(std::string_view state, std::string_view message, Action action) {
  try {
    action();
    ADD_FAILURE() << "no error where " << state << " was expected";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), state) << error.message();
    if (!message.empty()) { EXPECT_EQ(error.message(), message); }
  }
}

}  // namespace idem
