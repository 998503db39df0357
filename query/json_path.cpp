#include "query/json_path.h"

#include <cctype>

#include "common/error.h"
#include "common/json_text.h"

namespace idem {

namespace {

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text) {}

  std::vector<JsonPath::Step> read() {
    skip_spaces();
    if (take_word("lax")) skip_spaces();
    if (take_word("strict"))
      throw SqlError(sqlstate::kFeatureNotSupported, "strict mode of jsonpath is not supported");
    if (!take('$')) syntax_error();
    std::vector<JsonPath::Step> steps;
    for (skip_spaces(); at_ < text_.size(); skip_spaces()) steps.push_back(step());
    return steps;
  }

 private:
  [[noreturn]] void syntax_error() const {
    throw sql_error(sqlstate::kSyntaxError, "syntax error in jsonpath \"{}\" at offset {}", text_, at_);
  }
  [[noreturn]] void unsupported() const {
    throw SqlError(sqlstate::kFeatureNotSupported,
                   "filters, operators and methods of jsonpath are not supported");
  }
  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  JsonPath::Step step() {
    using Kind = JsonPath::Step::Kind;
    if (take('.')) {
      skip_spaces();
      if (take('*')) return {Kind::kAnyMember, {}, 0};
      JsonPath::Step member{Kind::kMember, key(), 0};
      skip_spaces();
      if (at_ < text_.size() && text_[at_] == '(') unsupported();
      return member;
    }
    if (take('[')) {
      skip_spaces();
      JsonPath::Step element{Kind::kElement, {}, 0};
      if (take('*')) {
        element.kind = Kind::kAnyElement;
      } else if (take_word("last")) {
        element.kind = Kind::kLastElement;
      } else {
        const size_t begin = at_;
        while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
          element.index = element.index * 10 + (text_[at_++] - '0');
        }
        if (at_ == begin || at_ - begin > 9) syntax_error();
      }
      skip_spaces();
      if (!take(']')) unsupported();
      return element;
    }
    if (std::string_view("?@=<>!&|+-*/%").find(text_[at_]) != std::string_view::npos) unsupported();
    syntax_error();
  }

  std::string key() {
    std::string key;
    if (take('"')) {
      const size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
      if (at_ >= text_.size()) syntax_error();
      const std::string quoted = "\"" + std::string(text_.substr(begin, at_ - begin)) + "\"";
      ++at_;
      validate_json(quoted);
      return *json_as_text(quoted);
    }
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (std::isalnum(c) == 0 && c != '_' && c != '$' && c < 0x80) break;
      key += text_[at_++];
    }
    if (key.empty()) syntax_error();
    return key;
  }

  std::string_view text_;
  size_t at_ = 0;
};

void walk(std::string_view json, const std::vector<JsonPath::Step>& steps, size_t depth,
          std::vector<std::string_view>* found) {
  using Kind = JsonPath::Step::Kind;
  if (depth == steps.size()) {
    found->push_back(json);
    return;
  }
  const JsonPath::Step& step = steps[depth];
  const JsonKind kind = json_kind(json);
  if (step.kind == Kind::kMember || step.kind == Kind::kAnyMember) {
    if (kind == JsonKind::kArray) {
      for (const std::string_view item : json_elements(json)) {
        if (json_kind(item) == JsonKind::kObject) walk(item, steps, depth, found);
      }
    } else if (kind == JsonKind::kObject && step.kind == Kind::kMember) {
      if (const auto member = json_member(json, step.key)) walk(*member, steps, depth + 1, found);
    } else if (kind == JsonKind::kObject) {
      for (const JsonMember& member : json_members(json)) walk(member.value, steps, depth + 1, found);
    }
    return;
  }
  if (kind != JsonKind::kArray) {
    if (step.kind != Kind::kElement || step.index == 0) walk(json, steps, depth + 1, found);
    return;
  }
  if (step.kind == Kind::kAnyElement) {
    for (const std::string_view item : json_elements(json)) walk(item, steps, depth + 1, found);
    return;
  }
  const auto item = json_element(json, step.kind == Kind::kLastElement ? -1 : step.index);
  if (item) walk(*item, steps, depth + 1, found);
}

}  // namespace

JsonPath::JsonPath(std::string_view text) : steps_(PathReader(text).read()) {}

std::vector<std::string_view> json_path_query(std::string_view json, const JsonPath& path) {
  std::vector<std::string_view> found;
  walk(json, path.steps(), 0, &found);
  return found;
}

}  // namespace idem
