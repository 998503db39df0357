#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

// JSON kept as text. Functions that take `json` expect text that was validated before.

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

inline constexpr int kMaxJsonDepth = 1000;

// RFC 8259. Throws 22P02 `invalid input syntax for type json` with the offending token in the detail, 54001
// when nested deeper than kMaxJsonDepth.
void validate_json(std::string_view text);
bool is_valid_json(std::string_view text);

// Validates and rewrites as PostgreSQL prints jsonb: of equal keys the last value, keys ordered by length
// then bytes, `: ` and
// `, ` between, escapes resolved, digits of numbers kept (exponents written out). Throws as validate_json.
std::string normalize_jsonb(std::string_view text);

JsonKind json_kind(std::string_view json);
std::string_view json_kind_name(JsonKind kind);  // json_typeof: 'null', 'boolean', …

// `->`: the text of the value, a view into `json`; nothing if there is none. Of equal keys the last; a
// negative index counts from the end.
std::optional<std::string_view> json_member(std::string_view json, std::string_view key);
std::optional<std::string_view> json_element(std::string_view json, int64_t index);
// `#>`: by keys and, in arrays, indexes written as text.
std::optional<std::string_view> json_at_path(std::string_view json,
                                             const std::vector<std::string_view>& path);
// `->>`: what a value looks like as text: strings without quotes and escapes, JSON null is nothing (SQL
// NULL).
std::optional<std::string> json_as_text(std::string_view json);

struct JsonMember {
  std::string key;
  std::string_view value;
};
std::vector<JsonMember> json_members(std::string_view json);         // of an object, in order
std::vector<std::string_view> json_elements(std::string_view json);  // of an array
int64_t json_array_length(std::string_view json);

// Appends the text as a JSON string with quotes and the escapes that it needs.
void append_json_string(std::string& out, std::string_view text);
inline std::string json_quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace idem
