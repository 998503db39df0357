#include "common/error.h"
#include "common/utf8.h"
#include "parser/deparse.h"
#include "query/function_registry.h"
#include "query/string_kernels.h"

namespace idem {

namespace {

using View = std::string_view;

// format('%s %I %L', …): %[position$][flags][width]type, width * takes an argument.
class Formatter {
 public:
  Formatter(KernelCall& call, std::string& out) : call_(call), out_(out), pattern_(call.at<View>(0)) {}

  void run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] != '%') {
        out_ += pattern_[at_++];
        continue;
      }
      ++at_;
      if (peek() == '%') {
        out_ += '%';
        ++at_;
        continue;
      }
      directive();
    }
  }

 private:
  char peek() const {
    if (at_ >= pattern_.size())
      throw SqlError(sqlstate::kInvalidParameterValue, "unterminated format() type specifier")
          .with_hint("For a single \"%\" use \"%%\".");
    return pattern_[at_];
  }
  bool is_digit() const { return at_ < pattern_.size() && '0' <= pattern_[at_] && pattern_[at_] <= '9'; }
  int number() {
    int value = 0;
    while (is_digit()) {
      value = value * 10 + (pattern_[at_++] - '0');
      if (value > 1'000'000) throw SqlError(sqlstate::kNumericValueOutOfRange, "number is out of range");
    }
    return value;
  }
  // "3$" of an argument.
  int position() {
    const size_t begin = at_;
    if (is_digit()) {
      const int value = number();
      if (at_ < pattern_.size() && pattern_[at_] == '$') {
        ++at_;
        if (value == 0)
          throw SqlError(sqlstate::kInvalidParameterValue,
                         "format specifies argument 0, but arguments are numbered from 1");
        return value;
      }
    }
    at_ = begin;
    return 0;
  }

  size_t argument(int position) {
    const size_t index = position > 0 ? static_cast<size_t>(position) : next_;
    if (index >= call_.arguments.size())
      throw SqlError(sqlstate::kInvalidParameterValue, "too few arguments for format()");
    next_ = index + 1;
    return index;
  }

  void directive() {
    const int at_position = position();
    bool left = false;
    while (peek() == '-') {
      left = true;
      ++at_;
    }
    int width = 0;
    if (peek() == '*') {
      ++at_;
      const size_t index = argument(position());
      std::string text;
      append_shown_argument(text, call_, index);
      width = text.empty() ? 0 : std::stoi(text);
      if (width < 0) {
        left = true;
        width = -width;
      }
    } else {
      width = number();
    }
    const char kind = peek();
    ++at_;
    if (kind != 's' && kind != 'I' && kind != 'L') {
      throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized format() type specifier \"{}\"", kind)
          .with_hint("For a single \"%\" use \"%%\".");
    }
    append_padded(converted(kind, argument(at_position)), width, left);
  }

  std::string converted(char kind, size_t index) {
    std::string text;
    if (!call_.is_valid(index)) {
      if (kind == 'I') throw SqlError("22004", "null values cannot be formatted as an SQL identifier");
      return kind == 'L' ? "NULL" : "";
    }
    append_shown_argument(text, call_, index);
    if (kind == 'I') return parser::quote_identifier(text);
    return kind == 'L' ? quoted_literal(text) : text;
  }

  void append_padded(const std::string& text, int width, bool left) {
    const size_t length = utf8_length(text);
    const size_t padding = static_cast<size_t>(width) > length ? static_cast<size_t>(width) - length : 0;
    if (!left) out_.append(padding, ' ');
    out_ += text;
    if (left) out_.append(padding, ' ');
  }

  KernelCall& call_;
  std::string& out_;
  View pattern_;
  size_t at_ = 0, next_ = 1;
};

bool bind_format(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.empty()) return false;
  types->arguments.clear();
  for (const SqlType type : arguments) {
    types->arguments.push_back(
        type.id == TypeId::kUnknown || type.id == TypeId::kSymbol ? SqlType(TypeId::kText) : type);
  }
  types->arguments[0] = TypeId::kText;
  types->result = TypeId::kText;
  return true;
}

}  // namespace

void register_format_function(FunctionRegistry& r) {
  r.add_polymorphic("format", bind_format, row_kernel<[](KernelCall& call, std::string& out) {
                      if (!call.is_valid(0)) return false;
                      Formatter(call, out).run();
                      return true;
                    }>,
                    Volatility::kStable)
      .strict = false;
}

}  // namespace idem
