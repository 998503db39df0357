#include "common/error.h"
#include "common/json_text.h"
#include "query/cast_registry.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/like_pattern.h"
#include "query/regex.h"

namespace idem {

namespace {

struct Like {
  explicit Like(std::string_view pattern) : compiled(pattern, false) {}
  bool operator()(std::string_view text) const { return compiled.matches(text); }
  LikePattern compiled;
};
struct InsensitiveLike {
  explicit InsensitiveLike(std::string_view pattern) : compiled(pattern, true) {}
  bool operator()(std::string_view text) const { return compiled.matches(text); }
  LikePattern compiled;
};
struct Match {
  explicit Match(std::string_view pattern) : compiled(pattern, "") {}
  bool operator()(std::string_view text) const { return compiled.matches(text); }
  Regex compiled;
};
struct InsensitiveMatch {
  explicit InsensitiveMatch(std::string_view pattern) : compiled(pattern, "i") {}
  bool operator()(std::string_view text) const { return compiled.matches(text); }
  Regex compiled;
};

// The pattern is compiled when it changes: once where it is a constant.
template <class Matcher, bool kNegated>
void pattern_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                    uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(types.result, size);
  const Vector &texts = arguments[0], &patterns = arguments[1];
  const auto* text = texts.values<std::string_view>();
  const auto* pattern = patterns.values<std::string_view>();
  std::optional<Matcher> matcher;
  std::string_view compiled;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const std::string_view wanted = pattern[patterns.is_constant() ? 0 : row];
    if (!matcher || wanted != compiled) {
      matcher.emplace(wanted);
      compiled = wanted;
    }
    out[row] = (*matcher)(text[texts.is_constant() ? 0 : row]) != kNegated;
  }
}

template <class Matcher>
void add_matches(FunctionRegistry& registry, std::string_view symbol, std::string_view name) {
  const std::string negated = "!" + std::string(symbol);
  for (const TypeId type : {TypeId::kText, TypeId::kName, TypeId::kChar}) {
    registry.add(symbol, {type, TypeId::kText}, TypeId::kBoolean, pattern_kernel<Matcher, false>);
    registry.add(negated, {type, TypeId::kText}, TypeId::kBoolean, pattern_kernel<Matcher, true>);
  }
  if (!name.empty())
    registry.add(name, {TypeId::kText, TypeId::kText}, TypeId::kBoolean, pattern_kernel<Matcher, false>);
}

// text || anything and anything || text.
bool bind_mixed_concatenation(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const auto is_text = [](SqlType t) { return is_string_like(t.id) || t.id == TypeId::kUnknown; };
  const auto is_other = [](SqlType t) {
    return !is_string_like(t.id) && t.id != TypeId::kUnknown && t.id != TypeId::kArray &&
           t.id != TypeId::kVoid;
  };
  if (is_text(arguments[0]) && is_other(arguments[1])) {
    types->arguments = {TypeId::kText, arguments[1]};
  } else if (is_other(arguments[0]) && is_text(arguments[1])) {
    types->arguments = {arguments[0], TypeId::kText};
  } else {
    return false;
  }
  types->result = TypeId::kText;
  return true;
}

void append_argument(std::string& out, KernelCall& call, size_t argument) {
  const SqlType type = call.types.arguments[argument];
  if (type.id == TypeId::kBoolean) {
    out += *static_cast<const uint8_t*>(call.element(argument)) != 0 ? "true" : "false";
  } else {
    append_sql_text(out, call.state, type, call.element(argument));
  }
}

void concatenate_mixed(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  row_kernel<[](KernelCall& call, std::string& out) {
    append_argument(out, call, 0);
    append_argument(out, call, 1);
  }>(state, types, arguments, size, selection, result);
}

// Writes both parts where they will stay.
void concatenate(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                 Selection selection, Vector* result) {
  auto* out = result->allocate_as<std::string_view>(types.result, size);
  const kernel_detail::Reader<std::string_view> left(arguments[0]), right(arguments[1]);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const std::string_view a = left[row], b = right[row];
    char* space = result->store_string_space(a.size() + b.size());
    if (!a.empty()) std::memcpy(space, a.data(), a.size());
    if (!b.empty()) std::memcpy(space + a.size(), b.data(), b.size());
    out[row] = {space, a.size() + b.size()};
  }
}

std::string concatenated_json(std::string_view a, std::string_view b) {
  const JsonKind left = json_kind(a), right = json_kind(b);
  std::string out;
  const auto append_items = [&](std::string_view json) {
    const std::vector<std::string_view> items =
        json_kind(json) == JsonKind::kArray ? json_elements(json) : std::vector{json};
    for (const std::string_view item : items) {
      if (out.size() > 1) out += ',';
      out += item;
    }
  };
  if (left == JsonKind::kObject && right == JsonKind::kObject) {
    out = "{";
    for (const std::string_view json : {a, b}) {
      for (const JsonMember& member : json_members(json)) {
        if (out.size() > 1) out += ',';
        append_json_string(out, member.key);
        out += ':';
        out += member.value;
      }
    }
    out += '}';
  } else {
    out = "[";
    append_items(a);
    append_items(b);
    out += ']';
  }
  return normalize_jsonb(out);
}

}  // namespace

void register_text_operators(FunctionRegistry& registry) {
  add_matches<Like>(registry, "~~", "like");
  add_matches<InsensitiveLike>(registry, "~~*", "");
  add_matches<Match>(registry, "~", "textregexeq");
  add_matches<InsensitiveMatch>(registry, "~*", "");
  registry.add("notlike", {TypeId::kText, TypeId::kText}, TypeId::kBoolean, pattern_kernel<Like, true>);
  registry.add("like_escape", {TypeId::kText, TypeId::kText}, TypeId::kText,
               row_kernel<[](std::string_view pattern, std::string_view escape) {
                 return like_escape(pattern, escape);
               }>);
  for (const std::string_view name : {"similar_to_escape", "similar_escape"}) {
    registry.add(name, {TypeId::kText}, TypeId::kText,
                 row_kernel<[](std::string_view pattern) { return similar_to_regex(pattern, "\\"); }>);
    registry.add(name, {TypeId::kText, TypeId::kText}, TypeId::kText,
                 row_kernel<[](std::string_view pattern, std::string_view escape) {
                   return similar_to_regex(pattern, escape);
                 }>);
  }
  registry.add("||", {TypeId::kText, TypeId::kText}, TypeId::kText, concatenate);
  registry.add("||", {TypeId::kBytea, TypeId::kBytea}, TypeId::kBytea, concatenate);
  registry.add("||", {TypeId::kJsonb, TypeId::kJsonb}, TypeId::kJsonb,
               row_kernel<[](std::string_view a, std::string_view b) { return concatenated_json(a, b); }>);
  registry.add_polymorphic("||", bind_mixed_concatenation, concatenate_mixed, Volatility::kStable);
  registry.add("~~", {TypeId::kBytea, TypeId::kBytea}, TypeId::kBoolean, pattern_kernel<Like, false>);
  registry.add("!~~", {TypeId::kBytea, TypeId::kBytea}, TypeId::kBoolean, pattern_kernel<Like, true>);
}

}  // namespace idem
