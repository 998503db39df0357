#include "query/json_path.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/decimal.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/number_text.h"

namespace idem {

namespace {

using Kind = JsonPathNode::Kind;
using Method = JsonPathNode::Method;
using Items = std::vector<JsonPathItem>;
using View = std::string_view;

constexpr View kMemberNotFound = "2203A", kObjectNotFound = "2203C", kArrayNotFound = "22039",
               kInvalidSubscript = "22033", kNonNumeric = "22036", kNumberNotFound = "2203B",
               kSingletonRequired = "22038";

enum class Truth : uint8_t { kFalse, kTrue, kUnknown };
Truth truth(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

bool is_data_error(const SqlError& error) { return error.sqlstate().starts_with("22"); }

View method_name(Method method) {
  switch (method) {
    case Method::kType: return "type";
    case Method::kSize: return "size";
    case Method::kAbs: return "abs";
    case Method::kFloor: return "floor";
    case Method::kCeiling: return "ceiling";
    case Method::kToDouble: return "double";
  }
  return {};
}

View sign_of(Kind kind) {
  switch (kind) {
    case Kind::kAdd:
    case Kind::kPlus: return "+";
    case Kind::kSubtract:
    case Kind::kMinus: return "-";
    case Kind::kMultiply: return "*";
    case Kind::kDivide: return "/";
    default: return "%";
  }
}

JsonPathItem made(std::string json) {
  auto owner = std::make_shared<const std::string>(std::move(json));
  return {*owner, owner};
}
JsonPathItem made(const Decimal& number) { return made(decimal_to_string(number)); }

// Sign of a - b, by bytes.
int compare_texts(View a, View b) {
  const int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// Runs a path over one document. Lax mode unwraps arrays where something else is wanted and forgives what is not there.
class Execution {
 public:
  Execution(const JsonPath& path, const JsonPathCall& call)
      : path_(path), call_(call), root_({call.json, nullptr}), check_cancel_(call.cancel) {
    if (json_kind(call.variables) != JsonKind::kObject) {
      throw SqlError(sqlstate::kInvalidParameterValue, "\"vars\" argument is not an object")
          .with_detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.");
    }
  }

  // True unless it ends with a silent error.
  bool run(Items* found) {
    if (!call_.silent) {
      evaluate(path_.root(), root_, found);
      return true;
    }
    return evaluate_silently(path_.root(), root_, false, found);
  }

 private:
  bool is_lax() const { return !path_.is_strict(); }
  bool forgives() const { return is_lax() || forgives_ > 0; }

  void evaluate(const JsonPathNode& node, const JsonPathItem& item, Items* found) {
    evaluate(node, item, is_lax(), found);
  }

  // What the rest of the path behind `node` finds in an item.
  void go_on(const JsonPathNode& node, const JsonPathItem& item, Items* found) {
    if (node.next) return evaluate(*node.next, item, found);
    found->push_back(item);
  }

  // `unwraps`: where an array cannot be used, its elements are.
  void evaluate(const JsonPathNode& node, const JsonPathItem& item, bool unwraps, Items* found) {
    check_cancel_();
    switch (node.kind) {
      case Kind::kRoot: return go_on(node, root_, found);
      case Kind::kCurrent: return go_on(node, current_, found);
      case Kind::kLast: return go_on(node, made(decimal_from_int64(array_size_ - 1)), found);
      case Kind::kLiteral: return go_on(node, {node.text, nullptr}, found);
      case Kind::kVariable: {
        const auto value = json_member(call_.variables, node.text);
        if (!value)
          throw sql_error(sqlstate::kUndefinedObject, "could not find jsonpath variable \"{}\"", node.text);
        return go_on(node, {*value, nullptr}, found);
      }
      case Kind::kAdd:
      case Kind::kSubtract:
      case Kind::kMultiply:
      case Kind::kDivide:
      case Kind::kModulo: return go_on(node, made(calculate(node, item)), found);
      case Kind::kPlus:
      case Kind::kMinus: return apply_sign(node, item, found);
      case Kind::kMember: return member(node, item, unwraps, found);
      case Kind::kAnyMember: return any_member(node, item, unwraps, found);
      case Kind::kAnyDepth: return any_depth(node, item, found);
      case Kind::kElements: return elements(node, item, found);
      case Kind::kAnyElement:
        if (is_array(item))
          return for_each_element(item, [&](const JsonPathItem& e) { go_on(node, e, found); });
        if (is_lax()) return go_on(node, item, found);
        return structural_error(kArrayNotFound,
                                "jsonpath wildcard array accessor can only be applied to an array");
      case Kind::kFilter:
        if (unwraps && is_array(item)) return unwrap(node, item, found);
        if (filter(*node.left, item) == Truth::kTrue) go_on(node, item, found);
        return;
      case Kind::kMethod: return method(node, item, unwraps, found);
      default: return go_on(node, truth_item(test(node, item)), found);
    }
  }

  static JsonPathItem truth_item(Truth value) {
    return {value == Truth::kTrue ? "true" : value == Truth::kFalse ? "false" : "null", nullptr};
  }

  void structural_error(View sqlstate, std::string message) const {
    if (!forgives()) throw SqlError(sqlstate, std::move(message));
  }

  static bool is_array(const JsonPathItem& item) { return json_kind(item.json) == JsonKind::kArray; }

  template <class Fn>
  static void for_each_element(const JsonPathItem& array, Fn&& fn) {
    for (const View element : json_elements(array.json)) fn({element, array.owner});
  }
  void unwrap(const JsonPathNode& node, const JsonPathItem& array, Items* found) {
    for_each_element(array, [&](const JsonPathItem& e) { evaluate(node, e, false, found); });
  }

  // ---- Steps

  void member(const JsonPathNode& node, const JsonPathItem& item, bool unwraps, Items* found) {
    if (json_kind(item.json) == JsonKind::kObject) {
      if (const auto value = json_member(item.json, node.text))
        return go_on(node, {*value, item.owner}, found);
      return structural_error(kMemberNotFound,
                              fmt::format("JSON object does not contain key \"{}\"", node.text));
    }
    if (unwraps && is_array(item)) return unwrap(node, item, found);
    structural_error(kMemberNotFound, "jsonpath member accessor can only be applied to an object");
  }

  void any_member(const JsonPathNode& node, const JsonPathItem& item, bool unwraps, Items* found) {
    if (json_kind(item.json) == JsonKind::kObject) {
      for (const JsonMember& member : json_members(item.json)) go_on(node, {member.value, item.owner}, found);
      return;
    }
    if (unwraps && is_array(item)) return unwrap(node, item, found);
    structural_error(kObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object");
  }

  void any_depth(const JsonPathNode& node, const JsonPathItem& item, Items* found) {
    ++forgives_;
    descend(node, item, 0, found);
    --forgives_;
  }
  // kDeepest as the first level stands for leaves.
  void descend(const JsonPathNode& node, const JsonPathItem& item, uint32_t depth, Items* found) {
    const JsonKind kind = json_kind(item.json);
    const bool has_parts = kind == JsonKind::kArray || kind == JsonKind::kObject;
    if ((depth >= node.from_depth && depth <= node.to_depth) || (node.from_depth == UINT32_MAX && !has_parts))
      go_on(node, item, found);
    if (depth >= node.to_depth) return;
    if (kind == JsonKind::kArray)
      for_each_element(item, [&](const JsonPathItem& e) { descend(node, e, depth + 1, found); });
    if (kind != JsonKind::kObject) return;
    for (const JsonMember& member : json_members(item.json))
      descend(node, {member.value, item.owner}, depth + 1, found);
  }

  void elements(const JsonPathNode& node, const JsonPathItem& item, Items* found) {
    if (!is_array(item) && !is_lax())
      return structural_error(kArrayNotFound, "jsonpath array accessor can only be applied to an array");
    const std::vector<View> parts = is_array(item) ? json_elements(item.json) : std::vector<View>{item.json};
    const auto size = static_cast<int64_t>(parts.size());
    const int64_t outer_size = array_size_;
    for (const JsonPathNode::Subscript& subscript : node.subscripts) {
      array_size_ = size;
      int64_t from = index(*subscript.from, item);
      int64_t to = subscript.to ? index(*subscript.to, item) : from;
      array_size_ = outer_size;
      if (from < 0 || from > to || to >= size)
        structural_error(kInvalidSubscript, "jsonpath array subscript is out of bounds");
      from = std::max<int64_t>(from, 0);
      to = std::min(to, size - 1);
      for (int64_t i = from; i <= to; ++i) go_on(node, {parts[static_cast<size_t>(i)], item.owner}, found);
    }
  }
  int64_t index(const JsonPathNode& expression, const JsonPathItem& item) {
    Items values;
    evaluate(expression, item, &values);
    const auto number = values.size() == 1 ? number_of(values[0]) : std::nullopt;
    if (!number) throw SqlError(kInvalidSubscript, "jsonpath array subscript is not a single numeric value");
    const Decimal whole = truncate(*number);
    if (compare(whole, decimal_from_int64(INT32_MIN)) < 0 ||
        compare(whole, decimal_from_int64(INT32_MAX)) > 0)
      throw SqlError(kInvalidSubscript, "jsonpath array subscript is out of integer range");
    return decimal_to_int64(whole);
  }

  void method(const JsonPathNode& node, const JsonPathItem& item, bool unwraps, Items* found) {
    const JsonKind kind = json_kind(item.json);
    if (node.method == Method::kType) return go_on(node, made(json_quoted(json_kind_name(kind))), found);
    if (node.method == Method::kSize) {
      if (kind != JsonKind::kArray && !is_lax())
        structural_error(kArrayNotFound, "jsonpath item method .size() can only be applied to an array");
      const int64_t size = kind == JsonKind::kArray ? json_array_length(item.json) : 1;
      return go_on(node, made(decimal_from_int64(size)), found);
    }
    if (unwraps && kind == JsonKind::kArray) return unwrap(node, item, found);
    if (node.method == Method::kToDouble) return go_on(node, as_double(item), found);
    const auto number = number_of(item);
    if (!number) {
      throw sql_error(kNonNumeric, "jsonpath item method .{}() can only be applied to a numeric value",
                      method_name(node.method));
    }
    switch (node.method) {
      case Method::kAbs: return go_on(node, made(absolute(*number)), found);
      case Method::kFloor: return go_on(node, made(floor(*number)), found);
      default: return go_on(node, made(ceiling(*number)), found);
    }
  }
  static JsonPathItem as_double(const JsonPathItem& item) {
    const JsonKind kind = json_kind(item.json);
    if (kind != JsonKind::kNumber && kind != JsonKind::kString) {
      throw SqlError(kNonNumeric,
                     "jsonpath item method .double() can only be applied to a string or numeric value");
    }
    const std::string text = *json_as_text(item.json);
    double value = 0;
    if (!parse_double(text.data(), text.data() + text.size(), &value) || !std::isfinite(value)) {
      throw sql_error(
          kNonNumeric,
          "{} argument of jsonpath item method .double() is not a valid representation of a double "
          "precision number",
          kind == JsonKind::kNumber ? "numeric" : "string");
    }
    return kind == JsonKind::kNumber ? item : made(decimal_from_double(value));
  }

  // ---- Numbers

  static std::optional<Decimal> number_of(const JsonPathItem& item) {
    if (json_kind(item.json) != JsonKind::kNumber) return std::nullopt;
    return decimal_from_text(item.json);
  }

  // The values of an operand; arrays among them as their elements, in lax mode.
  Items operand(const JsonPathNode& node, const JsonPathItem& item) {
    Items values;
    evaluate(node, item, &values);
    return is_lax() ? unwrapped(std::move(values)) : values;
  }
  static Items unwrapped(Items values) {
    if (std::none_of(values.begin(), values.end(), is_array)) return values;
    Items out;
    for (const JsonPathItem& value : values) {
      if (is_array(value)) {
        for_each_element(value, [&](const JsonPathItem& e) { out.push_back(e); });
      } else {
        out.push_back(value);
      }
    }
    return out;
  }

  Decimal single_number(const JsonPathNode& expression, const JsonPathItem& item, View side, Kind kind) {
    const Items values = operand(expression, item);
    const auto number = values.size() == 1 ? number_of(values[0]) : std::nullopt;
    if (!number) {
      throw sql_error(kSingletonRequired, "{} operand of jsonpath operator {} is not a single numeric value",
                      side, sign_of(kind));
    }
    return *number;
  }
  Decimal calculate(const JsonPathNode& node, const JsonPathItem& item) {
    const Decimal left = single_number(*node.left, item, "left", node.kind);
    const Decimal right = single_number(*node.right, item, "right", node.kind);
    switch (node.kind) {
      case Kind::kAdd: return add(left, right);
      case Kind::kSubtract: return subtract(left, right);
      case Kind::kMultiply: return multiply(left, right);
      case Kind::kDivide: return divide(left, right);
      default: return modulo(left, right);
    }
  }
  void apply_sign(const JsonPathNode& node, const JsonPathItem& item, Items* found) {
    for (const JsonPathItem& value : operand(*node.left, item)) {
      const auto number = number_of(value);
      if (!number) {
        throw sql_error(kNumberNotFound, "operand of unary jsonpath operator {} is not a numeric value",
                        sign_of(node.kind));
      }
      go_on(node, node.kind == Kind::kMinus ? made(negate(*number)) : value, found);
    }
  }

  // ---- Predicates

  Truth filter(const JsonPathNode& predicate, const JsonPathItem& item) {
    const JsonPathItem outer = std::exchange(current_, item);
    const Truth result = test(predicate, item);
    current_ = outer;
    return result;
  }

  Truth test(const JsonPathNode& node, const JsonPathItem& item) {
    switch (node.kind) {
      case Kind::kAnd: {
        const Truth left = test(*node.left, item);
        if (left == Truth::kFalse) return left;
        const Truth right = test(*node.right, item);
        return right == Truth::kTrue ? left : right;
      }
      case Kind::kOr: {
        const Truth left = test(*node.left, item);
        if (left == Truth::kTrue) return left;
        const Truth right = test(*node.right, item);
        return right == Truth::kFalse ? left : right;
      }
      case Kind::kNot: {
        const Truth inner = test(*node.left, item);
        return inner == Truth::kUnknown ? inner : truth(inner == Truth::kFalse);
      }
      case Kind::kIsUnknown: return truth(test(*node.left, item) == Truth::kUnknown);
      case Kind::kExists: {
        Items values;
        const bool ended = evaluate_silently(*node.left, item, false, &values);
        if (!ended && (path_.is_strict() || values.empty())) return Truth::kUnknown;
        return truth(!values.empty());
      }
      default: return compare_all(node, item);
    }
  }

  // Whether the predicate holds of some pair of the operands' values.
  Truth compare_all(const JsonPathNode& node, const JsonPathItem& item) {
    Items left, right;
    if (!evaluate_silently(*node.left, item, true, &left)) return Truth::kUnknown;
    if (!node.right) {
      right.push_back(item);  // LIKE_REGEX has its own
    } else if (!evaluate_silently(*node.right, item, node.kind != Kind::kStartsWith, &right)) {
      return Truth::kUnknown;
    }
    bool any = false, unknown = false;
    for (const JsonPathItem& a : left) {
      for (const JsonPathItem& b : right) {
        const Truth result = compare_pair(node, a, b);
        if (result == Truth::kUnknown) {
          if (path_.is_strict()) return result;
          unknown = true;
        } else if (result == Truth::kTrue) {
          if (is_lax()) return result;
          any = true;
        }
      }
    }
    return any ? Truth::kTrue : unknown ? Truth::kUnknown : Truth::kFalse;
  }

  static Truth compare_pair(const JsonPathNode& node, const JsonPathItem& a, const JsonPathItem& b) {
    const JsonKind kind = json_kind(a.json), other = json_kind(b.json);
    if (node.kind == Kind::kLikeRegex) {
      return kind == JsonKind::kString ? truth(node.regex->matches(*json_as_text(a.json))) : Truth::kUnknown;
    }
    if (node.kind == Kind::kStartsWith) {
      if (kind != JsonKind::kString || other != JsonKind::kString) return Truth::kUnknown;
      return truth(json_as_text(a.json)->starts_with(*json_as_text(b.json)));
    }
    if (kind != other) {
      // null is unequal to everything else, and neither less nor greater.
      const bool has_null = kind == JsonKind::kNull || other == JsonKind::kNull;
      return has_null ? truth(node.kind == Kind::kNotEqual) : Truth::kUnknown;
    }
    int order = 0;
    switch (kind) {
      case JsonKind::kNull: break;
      case JsonKind::kBoolean:
        order = static_cast<int>(a.json == "true") - static_cast<int>(b.json == "true");
        break;
      case JsonKind::kNumber: order = compare(*number_of(a), *number_of(b)); break;
      case JsonKind::kString: order = compare_texts(*json_as_text(a.json), *json_as_text(b.json)); break;
      default: return Truth::kUnknown;
    }
    switch (node.kind) {
      case Kind::kEqual: return truth(order == 0);
      case Kind::kNotEqual: return truth(order != 0);
      case Kind::kLess: return truth(order < 0);
      case Kind::kLessOrEqual: return truth(order <= 0);
      case Kind::kGreater: return truth(order > 0);
      default: return truth(order >= 0);
    }
  }

  // False after an error; `found` has what came before it.
  bool evaluate_silently(const JsonPathNode& node, const JsonPathItem& item, bool unwraps, Items* found) {
    const JsonPathItem current = current_;
    const int64_t array_size = array_size_;
    const int forgives = forgives_;
    try {
      evaluate(node, item, found);
      if (unwraps && is_lax()) *found = unwrapped(std::move(*found));
      return true;
    } catch (const SqlError& error) {
      if (!is_data_error(error)) throw;
    }
    current_ = current;
    array_size_ = array_size;
    forgives_ = forgives;
    return false;
  }

  const JsonPath& path_;
  const JsonPathCall& call_;
  const JsonPathItem root_;
  JsonPathItem current_ = root_;  // @
  int64_t array_size_ = 0;        // of `last`
  int forgives_ = 0;              // how many .** enclose the step at hand
  CancelCheck check_cancel_;
};

}  // namespace

std::vector<JsonPathItem> json_path_query(const JsonPath& path, const JsonPathCall& call) {
  Items found;
  Execution(path, call).run(&found);
  return found;
}

std::optional<bool> json_path_exists(const JsonPath& path, const JsonPathCall& call) {
  Items found;
  if (!Execution(path, call).run(&found) && (path.is_strict() || found.empty())) return std::nullopt;
  return !found.empty();
}

std::optional<bool> json_path_match(const JsonPath& path, const JsonPathCall& call) {
  Items found;
  const bool ended = Execution(path, call).run(&found);
  if (ended && found.size() == 1) {
    const JsonKind kind = json_kind(found[0].json);
    if (kind == JsonKind::kBoolean) return found[0].json == "true";
    if (kind == JsonKind::kNull) return std::nullopt;
  }
  if (!call.silent) throw SqlError(kSingletonRequired, "single boolean result is expected");
  return std::nullopt;
}

}  // namespace idem
