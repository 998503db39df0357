#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace idem {

// Parameters of a path, by name, and what they set. `set` throws 22023.
template <class Target>
struct HttpParameter {
  std::string_view name;
  void (*set)(Target& target, const std::string& value);
};

SqlError unknown_http_parameter(const std::string& name, const std::vector<std::string_view>& known);

// Sets all that were given. 22023 for one that is not known.
template <class Target>
void set_http_parameters(const std::map<std::string, std::string>& given,
                         std::span<const HttpParameter<Target>> known, Target* target) {
  for (const auto& [name, value] : given) {
    const HttpParameter<Target>* parameter = nullptr;
    std::vector<std::string_view> names;
    for (const HttpParameter<Target>& candidate : known) {
      if (candidate.name == name) parameter = &candidate;
      names.push_back(candidate.name);
    }
    if (!parameter) throw unknown_http_parameter(name, names);
    parameter->set(*target, value);
  }
}

// Values of parameters: 22023 for what they cannot be.
bool parse_http_flag(std::string_view name, std::string_view value);  // true, false; "" is true
uint64_t parse_http_count(std::string_view name, std::string_view value);
char parse_http_delimiter(std::string_view name,
                          std::string_view value);  // one character, of fields in a line
void check_http_choice(std::string_view name, std::string_view value,
                       std::initializer_list<std::string_view> choices);

}  // namespace idem
