#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/cancellation.h"
#include "query/regex.h"

namespace idem {

// An expression of a SQL/JSON path, and what follows it: $.a[0] is the root, followed by a member, followed by elements.
struct JsonPathNode {
  enum class Kind : uint8_t {
    kRoot,
    kCurrent,   // @
    kLast,      // last, in subscripts
    kVariable,  // $name
    kLiteral,   // text is JSON
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kPlus,  // with one operand, as kMinus
    kMinus,
    // What follows another expression.
    kMember,
    kAnyMember,
    kAnyDepth,  // .**{from to to}
    kElements,  // [0, 2 to last]
    kAnyElement,
    kFilter,
    kMethod,
    // Predicates.
    kAnd,
    kOr,
    kNot,
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kStartsWith,
    kLikeRegex,
    kExists,
    kIsUnknown,
  };
  enum class Method : uint8_t { kType, kSize, kAbs, kFloor, kCeiling, kToDouble };
  struct Subscript {
    std::unique_ptr<JsonPathNode> from, to;  // `to` null: one element
  };

  bool is_predicate() const { return kind >= Kind::kAnd && !next; }

  Kind kind = Kind::kRoot;
  Method method = Method::kType;
  std::string text;  // a key, the name of a variable, a literal
  uint32_t from_depth = 0, to_depth = 0;
  std::unique_ptr<JsonPathNode> left, right;
  std::vector<Subscript> subscripts;
  std::optional<Regex> regex;
  std::unique_ptr<JsonPathNode> next;
};

// A path as PostgreSQL's jsonpath: lax or strict, filters, predicates, arithmetic and methods. The methods datetime() and
// keyvalue() are 0A000; a text that is no path 42601.
class JsonPath {
 public:
  explicit JsonPath(std::string_view text);

  const JsonPathNode& root() const { return *root_; }
  bool is_strict() const { return is_strict_; }

 private:
  bool is_strict_ = false;  // before root_, whose parser sets it
  std::unique_ptr<JsonPathNode> root_;
};

// A value that a path finds: a part of the document, or made by the path.
struct JsonPathItem {
  std::string_view json;
  std::shared_ptr<const std::string> owner;  // of what was made
};

// What a path is applied to. Errors of class 22 that the path runs into are thrown, unless it is `silent`.
struct JsonPathCall {
  std::string_view json;
  std::string_view variables = "{}";  // an object (22023)
  bool silent = false;
  const CancelToken* cancel = nullptr;  // 57014
};

// What the path finds, in order; up to the error where it is silent. The path and the call's texts outlive the items.
std::vector<JsonPathItem> json_path_query(const JsonPath& path, const JsonPathCall& call);
// Whether it finds anything; nothing after a silent error.
std::optional<bool> json_path_exists(const JsonPath& path, const JsonPathCall& call);
// The one boolean that it finds. For null nothing; for anything else 22038, or nothing where it is silent.
std::optional<bool> json_path_match(const JsonPath& path, const JsonPathCall& call);

}  // namespace idem
