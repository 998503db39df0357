#pragma once

#include <concepts>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "common/json_text.h"

namespace idem::tools {

// {"name":value,…}, members in the order in which they are added.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view text) { return add_json(name, json_quoted(text)); }
  JsonObject& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  template <std::integral T>
  JsonObject& add(std::string_view name, T value) {
    return add_json(name, fmt::format("{}", value));
  }
  template <std::floating_point T>
  JsonObject& add(std::string_view name, T value) {
    return add_json(name, fmt::format("{:.6g}", value));
  }
  // A value that is JSON already.
  JsonObject& add_json(std::string_view name, std::string_view json) {
    fmt::format_to(std::back_inserter(members_), "{}{}:{}", members_.empty() ? "" : ",", json_quoted(name),
                   json);
    return *this;
  }

  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace idem::tools
