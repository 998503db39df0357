#include "server/http_parameters.h"

#include <algorithm>
#include <charconv>
#include <fmt/ranges.h>

namespace idem {

namespace {

SqlError invalid_value(std::string_view name, std::string_view value, std::string hint) {
  return sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                   value)
      .with_hint(std::move(hint));
}

}  // namespace

SqlError unknown_http_parameter(const std::string& name, const std::vector<std::string_view>& known) {
  return sql_error(sqlstate::kInvalidParameterValue, "unknown parameter \"{}\"", name)
      .with_hint(fmt::format("Known are: {}.", fmt::join(known, ", ")));
}

bool parse_http_flag(std::string_view name, std::string_view value) {
  check_http_choice(name, value, {"true", "false", ""});
  return value != "false";
}

uint64_t parse_http_count(std::string_view name, std::string_view value) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size())
    throw invalid_value(name, value, "A whole number was expected.");
  return number;
}

char parse_http_delimiter(std::string_view name, std::string_view value) {
  if (value.size() != 1 || value[0] == '"' || value[0] == '\n' || value[0] == '\r')
    throw invalid_value(name, value, "One character was expected.");
  return value[0];
}

void check_http_choice(std::string_view name, std::string_view value,
                       std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    throw invalid_value(name, value, fmt::format("Available values: {}.", fmt::join(choices, ", ")));
}

}  // namespace idem
