#include "common/array_value.h"
#include "common/ascii.h"
#include "common/error.h"

// The text form of arrays: {1,NULL,"a b"}.
namespace idem {

namespace {

bool is_null_word(std::string_view text) {
  constexpr std::string_view kNull = "null";
  if (text.size() != kNull.size()) return false;
  for (size_t i = 0; i < kNull.size(); ++i) {
    if ((text[i] | 0x20) != kNull[i]) return false;
  }
  return true;
}

class ArrayTextReader {
 public:
  explicit ArrayTextReader(std::string_view text) : text_(text) {}

  std::vector<std::optional<std::string>> read() {
    skip_spaces();
    skip_bounds();
    if (!accept('{')) fail("Array value must start with \"{\" or dimension information.");
    std::vector<std::optional<std::string>> items;
    skip_spaces();
    if (!accept('}')) {
      for (;;) {
        items.push_back(read_item());
        skip_spaces();
        if (accept('}')) break;
        if (!accept(',')) fail("Unexpected end of input.");
      }
    }
    skip_spaces();
    if (at_ != text_.size()) fail("Junk after closing right brace.");
    return items;
  }

 private:
  [[noreturn]] void fail(std::string detail) const {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "malformed array literal: \"{}\"", text_)
        .with_detail(std::move(detail));
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool accept(char c) {
    if (at_ == text_.size() || peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  // '[1:3]=' before the items says only what they say themselves.
  void skip_bounds() {
    if (peek() != '[') return;
    const size_t end = text_.find('=', at_);
    if (end == std::string_view::npos) fail("Missing \"=\" after array dimensions.");
    at_ = end + 1;
    skip_spaces();
  }

  std::optional<std::string> read_item() {
    skip_spaces();
    if (peek() == '{') {
      throw sql_error(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported");
    }
    if (accept('"')) return read_quoted();
    std::string item;
    size_t kept = 0;  // up to the last character that is no space, or is escaped
    bool has_escape = false;
    while (at_ < text_.size() && peek() != ',' && peek() != '}') {
      if (peek() == '"' || peek() == '{') fail("Unexpected array element.");
      if (accept('\\')) {
        if (at_ == text_.size()) fail("Unexpected end of input.");
        has_escape = true;
        item += text_[at_++];
        kept = item.size();
        continue;
      }
      item += peek();
      if (!is_space(peek())) kept = item.size();
      ++at_;
    }
    item.resize(kept);
    if (item.empty())
      fail(at_ == text_.size() ? "Unexpected end of input." : "Unexpected \",\" or \"}\" character.");
    if (!has_escape && is_null_word(item)) return std::nullopt;
    return item;
  }

  std::string read_quoted() {
    std::string item;
    while (!accept('"')) {
      accept('\\');
      if (at_ >= text_.size()) fail("Unexpected end of input.");
      item += text_[at_++];
    }
    skip_spaces();
    if (at_ < text_.size() && peek() != ',' && peek() != '}') fail("Unexpected array element.");
    return item;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<std::optional<std::string>> split_array_text(std::string_view text) {
  return ArrayTextReader(text).read();
}

void append_array_item(std::string& out, std::string_view text) {
  const bool has_special = text.find_first_of("{},\"\\ \t\n\v\f\r") != std::string_view::npos;
  if (!text.empty() && !has_special && !is_null_word(text)) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace idem
