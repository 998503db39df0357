#include <algorithm>
#include <cctype>

#include "common/ascii.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/json_text.h"
#include "query/json_path.h"

namespace idem {

namespace {

using Kind = JsonPathNode::Kind;
using Method = JsonPathNode::Method;
using NodePtr = std::unique_ptr<JsonPathNode>;

constexpr uint32_t kDeepest = UINT32_MAX;
constexpr int kMostNodes = 500;  // recursion follows them

struct Comparison {
  std::string_view sign;
  Kind kind;
};
constexpr Comparison kComparisons[] = {
    {"==", Kind::kEqual}, {"!=", Kind::kNotEqual},       {"<>", Kind::kNotEqual}, {"<=", Kind::kLessOrEqual},
    {"<", Kind::kLess},   {">=", Kind::kGreaterOrEqual}, {">", Kind::kGreater}};

struct NamedMethod {
  std::string_view name;
  Method method;
};
constexpr NamedMethod kMethods[] = {{"type", Method::kType},       {"size", Method::kSize},
                                    {"abs", Method::kAbs},         {"floor", Method::kFloor},
                                    {"ceiling", Method::kCeiling}, {"double", Method::kToDouble}};

// A parser by descent; the names of its functions are those of the grammar, from what binds least.
class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  NodePtr parse(bool* is_strict) {
    if (peek() == '\0')
      throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type jsonpath: \"{}\"",
                      text_);
    *is_strict = take_word("strict");
    if (!*is_strict) take_word("lax");
    NodePtr root = disjunction();
    skip_spaces();
    if (at_ < text_.size()) syntax_error();
    return root;
  }

 private:
  [[noreturn]] void syntax_error() const {
    throw sql_error(sqlstate::kSyntaxError, "syntax error in jsonpath \"{}\" at offset {}", text_, at_);
  }

  NodePtr make(Kind kind, NodePtr left = nullptr, NodePtr right = nullptr) {
    if (++nodes_ > kMostNodes) throw SqlError(sqlstate::kStatementTooComplex, "jsonpath is too complex");
    auto node = std::make_unique<JsonPathNode>();
    node->kind = kind;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  // ---- Tokens

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(std::string_view sign) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void expect(std::string_view sign) {
    if (!take(sign)) syntax_error();
  }
  static bool ends_word(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("?%$.[]{}()|&!=<>@#,*:-+/\\\"").find(c) != std::string_view::npos;
  }
  std::string_view word() {
    skip_spaces();
    const size_t begin = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool take_word(std::string_view wanted) {
    const size_t begin = at_;
    if (word() == wanted) return true;
    at_ = begin;
    return false;
  }
  std::string string() {
    expect("\"");
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) syntax_error();
    const std::string quoted = "\"" + std::string(text_.substr(begin, at_ - begin)) + "\"";
    ++at_;
    validate_json(quoted);
    return *json_as_text(quoted);
  }
  std::string name() {
    if (peek() == '"') return string();
    const std::string_view found = word();
    if (found.empty()) syntax_error();
    return std::string(found);
  }
  uint32_t depth() {
    if (take_word("last")) return kDeepest;
    const std::string_view digits = word();
    if (digits.empty() || digits.size() > 9 || !std::all_of(digits.begin(), digits.end(), is_digit))
      syntax_error();
    uint32_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<uint32_t>(c - '0');
    return value;
  }

  // ---- Predicates

  NodePtr disjunction() {
    NodePtr left = conjunction();
    while (take("||")) left = both(Kind::kOr, std::move(left), conjunction());
    return left;
  }
  NodePtr conjunction() {
    NodePtr left = negation();
    while (take("&&")) left = both(Kind::kAnd, std::move(left), negation());
    return left;
  }
  NodePtr both(Kind kind, NodePtr left, NodePtr right) {
    if (!left->is_predicate() || !right->is_predicate()) syntax_error();
    return make(kind, std::move(left), std::move(right));
  }
  NodePtr negation() {
    skip_spaces();
    if (!text_.substr(at_).starts_with("!=") && take("!")) {
      if (peek() != '(' && !text_.substr(at_).starts_with("exists")) syntax_error();
      NodePtr operand = primary();
      if (!operand->is_predicate()) syntax_error();
      return make(Kind::kNot, std::move(operand));
    }
    return comparison();
  }
  NodePtr comparison() {
    NodePtr left = sum();
    if (left->is_predicate()) {
      if (!take_word("is")) return left;
      if (!take_word("unknown")) syntax_error();
      return make(Kind::kIsUnknown, std::move(left));
    }
    for (const auto& [sign, kind] : kComparisons) {
      if (take(sign)) return make(kind, std::move(left), value_of(sum()));
    }
    if (take_word("starts")) {
      if (!take_word("with")) syntax_error();
      NodePtr initial = primary();
      const bool is_text = initial->kind == Kind::kLiteral && initial->text.starts_with('"');
      if (!is_text && initial->kind != Kind::kVariable) syntax_error();
      return make(Kind::kStartsWith, std::move(left), std::move(initial));
    }
    if (take_word("like_regex")) {
      const std::string pattern = string();
      const std::string flags = take_word("flag") ? string() : std::string();
      NodePtr node = make(Kind::kLikeRegex, std::move(left));
      node->regex.emplace(pattern, regex_flags(flags));
      return node;
    }
    return left;
  }
  // XQuery's flags as those of regexp_like(): without s a dot does not match a line's end.
  static std::string regex_flags(std::string_view flags) {
    bool dot_all = false, lines = false;
    std::string out;
    for (const char c : flags) {
      switch (c) {
        case 'i':
        case 'q': out += c; break;
        case 's': dot_all = true; break;
        case 'm': lines = true; break;
        case 'x':
          throw SqlError(sqlstate::kFeatureNotSupported,
                         "flag \"x\" (expanded regular expressions) of LIKE_REGEX is not supported");
        default:
          throw SqlError(sqlstate::kSyntaxError, "invalid input syntax for type jsonpath")
              .with_detail(fmt::format("Unrecognized flag character \"{}\" in LIKE_REGEX predicate.", c));
      }
    }
    return out + (dot_all ? (lines ? 'w' : 's') : (lines ? 'n' : 'p'));
  }

  // ---- Values

  NodePtr value_of(NodePtr node) const {
    if (node->is_predicate()) syntax_error();
    return node;
  }
  NodePtr sum() {
    NodePtr left = product();
    for (;;) {
      if (take("+")) {
        left = arithmetic(Kind::kAdd, std::move(left), product());
      } else if (take("-")) {
        left = arithmetic(Kind::kSubtract, std::move(left), product());
      } else {
        return left;
      }
    }
  }
  NodePtr product() {
    NodePtr left = signed_value();
    for (;;) {
      if (take("*")) {
        left = arithmetic(Kind::kMultiply, std::move(left), signed_value());
      } else if (take("/")) {
        left = arithmetic(Kind::kDivide, std::move(left), signed_value());
      } else if (take("%")) {
        left = arithmetic(Kind::kModulo, std::move(left), signed_value());
      } else {
        return left;
      }
    }
  }
  NodePtr arithmetic(Kind kind, NodePtr left, NodePtr right) {
    return make(kind, value_of(std::move(left)), value_of(std::move(right)));
  }
  NodePtr signed_value() {
    const Nesting nesting(*this);
    if (take("+")) return make(Kind::kPlus, value_of(signed_value()));
    if (take("-")) return make(Kind::kMinus, value_of(signed_value()));
    return followed();
  }
  NodePtr followed() {
    NodePtr first = primary();
    for (JsonPathNode* last = first.get();; last = last->next.get()) {
      while (last->next) last = last->next.get();
      last->next = accessor();
      if (!last->next) return first;
    }
  }

  NodePtr primary() {
    const Nesting nesting(*this);
    const char c = peek();
    if (c == '(') {
      ++at_;
      NodePtr inner = disjunction();
      expect(")");
      return inner;
    }
    if (c == '$') return root_or_variable();
    if (c == '@') {
      ++at_;
      if (filters_ == 0) throw SqlError(sqlstate::kSyntaxError, "@ is not allowed in root expressions");
      return make(Kind::kCurrent);
    }
    if (c == '"') return literal(json_quoted(string()));
    if (is_digit(c) || c == '.') return number();
    const std::string_view found = word();
    if (found == "true" || found == "false" || found == "null") return literal(std::string(found));
    if (found == "last") {
      if (subscripts_ == 0)
        throw SqlError(sqlstate::kSyntaxError, "LAST is allowed only in array subscripts");
      return make(Kind::kLast);
    }
    if (found != "exists") syntax_error();
    expect("(");
    NodePtr operand = value_of(sum());
    expect(")");
    return make(Kind::kExists, std::move(operand));
  }
  NodePtr root_or_variable() {
    ++at_;
    if (at_ >= text_.size() || (text_[at_] != '"' && ends_word(text_[at_]))) return make(Kind::kRoot);
    NodePtr node = make(Kind::kVariable);
    node->text = name();
    return node;
  }
  NodePtr literal(std::string json) {
    NodePtr node = make(Kind::kLiteral);
    node->text = std::move(json);
    return node;
  }
  NodePtr number() {
    const size_t begin = at_;
    const auto digits = [&] {
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      digits();
    }
    if (at_ < text_.size() && !ends_word(text_[at_])) syntax_error();  // trailing junk after a number
    Decimal value;
    if (!parse_decimal(text_.data() + begin, text_.data() + at_, &value)) syntax_error();
    return literal(decimal_to_string(value));
  }

  // ---- What follows a value

  NodePtr accessor() {
    if (take("?")) {
      expect("(");
      ++filters_;
      NodePtr node = make(Kind::kFilter, disjunction());
      --filters_;
      expect(")");
      if (!node->left->is_predicate()) syntax_error();
      return node;
    }
    if (take("[")) return elements();
    if (peek() != '.') return nullptr;
    ++at_;
    if (take("**")) return any_depth();
    if (take("*")) return make(Kind::kAnyMember);
    const bool is_quoted = peek() == '"';
    NodePtr node = make(Kind::kMember);
    node->text = name();
    if (is_quoted || peek() != '(') return node;
    return method(node->text);
  }
  NodePtr method(std::string_view name) {
    if (name == "datetime" || name == "keyvalue")
      throw sql_error(sqlstate::kFeatureNotSupported, "jsonpath item method .{}() is not supported", name);
    for (const NamedMethod& known : kMethods) {
      if (known.name != name) continue;
      expect("(");
      expect(")");
      NodePtr node = make(Kind::kMethod);
      node->method = known.method;
      return node;
    }
    syntax_error();
  }
  NodePtr any_depth() {
    NodePtr node = make(Kind::kAnyDepth);
    node->to_depth = kDeepest;
    if (!take("{")) return node;
    node->from_depth = node->to_depth = depth();
    if (take_word("to")) node->to_depth = depth();
    expect("}");
    return node;
  }
  NodePtr elements() {
    if (take("*")) {
      expect("]");
      return make(Kind::kAnyElement);
    }
    NodePtr node = make(Kind::kElements);
    ++subscripts_;
    do {
      JsonPathNode::Subscript& subscript = node->subscripts.emplace_back();
      subscript.from = value_of(sum());
      if (take_word("to")) subscript.to = value_of(sum());
    } while (take(","));
    --subscripts_;
    expect("]");
    return node;
  }

  // Recursion goes on until the text does.
  class Nesting {
   public:
    explicit Nesting(PathParser& parser) : parser_(parser) {
      if (++parser_.nesting_ > kMostNodes)
        throw SqlError(sqlstate::kStatementTooComplex, "jsonpath is too complex");
    }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    PathParser& parser_;
  };

  std::string_view text_;
  size_t at_ = 0;
  int filters_ = 0, subscripts_ = 0, nesting_ = 0;  // that enclose the place
  int nodes_ = 0;
};

}  // namespace

JsonPath::JsonPath(std::string_view text) : root_(PathParser(text).parse(&is_strict_)) {}

}  // namespace idem
