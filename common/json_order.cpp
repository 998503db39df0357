#include "common/json_order.h"

#include <algorithm>

#include "common/json_text.h"

namespace idem {

namespace {

int compare_sizes(size_t a, size_t b) { return static_cast<int>(a > b) - static_cast<int>(a < b); }

std::string_view without_final_zeros(std::string_view number) {
  if (number.find('.') == std::string_view::npos) return number;
  number = number.substr(0, number.find_last_not_of('0') + 1);
  if (number.ends_with('.')) number.remove_suffix(1);
  return number;
}

// Of any number of digits. Normalized numbers have no exponent, and zero has no sign.
int compare_numbers(std::string_view a, std::string_view b) {
  const bool negative = a[0] == '-';
  if (negative != (b[0] == '-')) return negative ? -1 : 1;
  a = without_final_zeros(a);
  b = without_final_zeros(b);
  const size_t whole_a = std::min(a.find('.'), a.size()), whole_b = std::min(b.find('.'), b.size());
  const int order = whole_a != whole_b ? compare_sizes(whole_a, whole_b) : a.compare(b);
  return negative ? -order : order;
}

int rank_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return 0;
    case JsonKind::kString: return 1;
    case JsonKind::kNumber: return 2;
    case JsonKind::kBoolean: return 3;
    case JsonKind::kArray: return 4;
    case JsonKind::kObject: return 5;
  }
  return 0;
}

// Calls itself for each level, of which there are at most kMaxJsonDepth.
int compare_values(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  const JsonKind kind = json_kind(a), other = json_kind(b);
  if (kind != other) return rank_of(kind) < rank_of(other) ? -1 : 1;
  switch (kind) {
    case JsonKind::kNull: return 0;
    case JsonKind::kBoolean: return a < b ? -1 : 1;  // "false" and "true"
    case JsonKind::kNumber: return compare_numbers(a, b);
    case JsonKind::kString: return json_as_text(a)->compare(*json_as_text(b));
    case JsonKind::kArray: {
      const std::vector<std::string_view> x = json_elements(a), y = json_elements(b);
      if (x.size() != y.size()) return compare_sizes(x.size(), y.size());
      for (size_t i = 0; i < x.size(); ++i) {
        if (const int order = compare_values(x[i], y[i]); order != 0) return order;
      }
      return 0;
    }
    case JsonKind::kObject: {
      const std::vector<JsonMember> x = json_members(a), y = json_members(b);
      if (x.size() != y.size()) return compare_sizes(x.size(), y.size());
      for (size_t i = 0; i < x.size(); ++i) {
        if (const int order = x[i].key.compare(y[i].key); order != 0) return order;
        if (const int order = compare_values(x[i].value, y[i].value); order != 0) return order;
      }
      return 0;
    }
  }
  return 0;
}

bool is_scalar(JsonKind kind) { return kind != JsonKind::kArray && kind != JsonKind::kObject; }

size_t end_of_string(std::string_view json, size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

int compare_jsonb(std::string_view a, std::string_view b) {
  if (a == "[]" && is_scalar(json_kind(b))) return -1;
  if (b == "[]" && is_scalar(json_kind(a))) return 1;
  return compare_values(a, b);
}

void append_jsonb_key(std::string& out, std::string_view json) {
  for (size_t at = 0, end = 0; at < json.size(); at = end) {
    if (json[at] == '"') {
      end = end_of_string(json, at);
      out += json.substr(at, end - at);
    } else if (json[at] >= '0' && json[at] <= '9') {
      end = std::min(json.find_first_not_of("0123456789.", at), json.size());
      out += without_final_zeros(json.substr(at, end - at));
    } else {
      end = at + 1;
      out += json[at];
    }
  }
}

}  // namespace idem
