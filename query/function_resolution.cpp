#include <algorithm>
#include <array>

#include "common/error.h"
#include "query/function_registry.h"

namespace idem {

namespace {

constexpr std::string_view kHint =
    "No function matches the given name and argument types. You might need to add explicit type casts.";
constexpr std::string_view kOperatorHint =
    "No operator matches the given name and argument types. You might need to add explicit type casts.";

// PostgreSQL's typcategory.
char category(SqlType type) {
  switch (type.id) {
    case TypeId::kBoolean: return 'B';
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kReal:
    case TypeId::kDouble:
    case TypeId::kDecimal:
    case TypeId::kOid:
    case TypeId::kRegclass:
    case TypeId::kRegtype:
    case TypeId::kRegproc:
    case TypeId::kRegnamespace: return 'N';
    case TypeId::kVarchar:
    case TypeId::kText:
    case TypeId::kChar:
    case TypeId::kSymbol:
    case TypeId::kName: return 'S';
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
    case TypeId::kDate:
    case TypeId::kTime: return 'D';
    case TypeId::kInterval: return 'T';
    case TypeId::kArray:
    case TypeId::kInt2Vector: return 'A';
    case TypeId::kRecord:
    case TypeId::kVoid: return 'P';
    case TypeId::kInternalChar: return 'Z';
    case TypeId::kUnknown: return 'X';
    default: return 'U';
  }
}

bool is_preferred(SqlType type) {
  switch (type.id) {
    case TypeId::kBoolean:
    case TypeId::kDouble:
    case TypeId::kOid:
    case TypeId::kText:
    case TypeId::kTimestampTz:
    case TypeId::kInterval: return true;
    default: return false;
  }
}

bool is_unknown(SqlType type) { return type.id == TypeId::kUnknown; }
// SYMBOL has no functions of its own: it is a text with a dictionary behind it.
TypeId identity(SqlType type) {
  return type.id == TypeId::kSymbol || type.id == TypeId::kVarchar ? TypeId::kText : type.id;
}
bool same_type(SqlType a, SqlType b) { return identity(a) == identity(b) && a.element == b.element; }

struct Candidate {
  const ScalarFunction* function = nullptr;
  CallTypes types;
};

std::optional<Candidate> match(const ScalarFunction& function, std::span<const SqlType> arguments) {
  Candidate candidate{&function, {}};
  if (function.bind != nullptr) {
    if (!function.bind(arguments, &candidate.types) || candidate.types.arguments.size() != arguments.size()) {
      return std::nullopt;
    }
  } else {
    const size_t fixed = function.parameters.size();
    if (function.variadic ? arguments.size() < fixed : arguments.size() != fixed) return std::nullopt;
    candidate.types.arguments.reserve(arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      candidate.types.arguments.push_back(function.parameters[std::min(i, fixed - 1)]);
    }
    candidate.types.result = function.result;
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const SqlType wanted = candidate.types.arguments[i];
    if (is_unknown(arguments[i]) || same_type(arguments[i], wanted)) continue;
    if (!can_cast(arguments[i], wanted, CastContext::kImplicit)) return std::nullopt;
  }
  return candidate;
}

template <class Score>
void keep_best(std::vector<Candidate>& candidates, Score&& score) {
  std::vector<int> scores;
  scores.reserve(candidates.size());
  for (const Candidate& c : candidates) scores.push_back(score(c));
  const int best = *std::max_element(scores.begin(), scores.end());
  std::vector<Candidate> kept;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (scores[i] == best) kept.push_back(std::move(candidates[i]));
  }
  candidates = std::move(kept);
}

int exact_matches(const Candidate& c, std::span<const SqlType> arguments) {
  int count = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    count += !is_unknown(arguments[i]) && same_type(arguments[i], c.types.arguments[i]);
  }
  return count;
}

int preferred_matches(const Candidate& c, std::span<const SqlType> arguments) {
  int count = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (is_unknown(arguments[i])) continue;
    const SqlType wanted = c.types.arguments[i];
    count += same_type(arguments[i], wanted) ||
             (is_preferred(wanted) && category(wanted) == category(arguments[i]));
  }
  return count;
}

// Chooses a type category for each untyped literal: strings where some candidate takes one, else what all
// agree on.
bool keep_by_category(std::vector<Candidate>& candidates, std::span<const SqlType> arguments) {
  std::vector<Candidate> kept = candidates;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!is_unknown(arguments[i])) continue;
    char chosen = category(candidates[0].types.arguments[i]);
    bool agree = true, has_preferred = false;
    for (const Candidate& c : candidates) {
      const char own = category(c.types.arguments[i]);
      if (own == 'S') chosen = 'S';
      agree &= own == category(candidates[0].types.arguments[i]);
    }
    if (chosen != 'S' && !agree) return false;
    for (const Candidate& c : candidates) {
      has_preferred |= category(c.types.arguments[i]) == chosen && is_preferred(c.types.arguments[i]);
    }
    std::erase_if(kept, [&](const Candidate& c) {
      const SqlType type = c.types.arguments[i];
      return category(type) != chosen || (has_preferred && !is_preferred(type));
    });
  }
  if (!kept.empty()) candidates = std::move(kept);
  return true;
}

// All literals take the type that the typed arguments share.
std::optional<Candidate> by_shared_type(const std::vector<Candidate>& candidates,
                                        std::span<const SqlType> arguments) {
  SqlType shared = TypeId::kUnknown;
  for (const SqlType type : arguments) {
    if (is_unknown(type)) continue;
    if (!is_unknown(shared) && !same_type(shared, type)) return std::nullopt;
    shared = type;
  }
  if (is_unknown(shared)) return std::nullopt;
  const Candidate* found = nullptr;
  for (const Candidate& c : candidates) {
    const bool fits = std::all_of(c.types.arguments.begin(), c.types.arguments.end(), [&](SqlType wanted) {
      return same_type(shared, wanted) || can_cast(shared, wanted, CastContext::kImplicit);
    });
    if (!fits) continue;
    if (found != nullptr) return std::nullopt;
    found = &c;
  }
  if (found == nullptr) return std::nullopt;
  return *found;
}

enum class Outcome : uint8_t { kFound, kNone, kAmbiguous };

Outcome choose(std::vector<Candidate>& candidates, std::span<const SqlType> arguments, Candidate* chosen) {
  const auto done = [&] {
    if (candidates.size() != 1) return false;
    *chosen = candidates[0];
    return true;
  };
  if (candidates.empty()) return Outcome::kNone;
  if (done()) return Outcome::kFound;
  // A fixed signature that fits exactly wins over a polymorphic one that would do the same.
  keep_best(candidates, [&](const Candidate& c) { return exact_matches(c, arguments); });
  if (done()) return Outcome::kFound;
  if (exact_matches(candidates[0], arguments) == static_cast<int>(arguments.size())) {
    keep_best(candidates, [](const Candidate& c) {
      return (c.function->bind == nullptr ? 2 : 0) + (c.function->variadic ? 0 : 1);
    });
    *chosen = candidates[0];
    return Outcome::kFound;
  }
  keep_best(candidates, [&](const Candidate& c) { return preferred_matches(c, arguments); });
  if (done()) return Outcome::kFound;
  const bool has_unknown = std::any_of(arguments.begin(), arguments.end(), is_unknown);
  if (has_unknown) {
    const std::vector<Candidate> before = candidates;
    const bool resolved = keep_by_category(candidates, arguments);
    if (resolved && done()) return Outcome::kFound;
    if (const auto shared = by_shared_type(before, arguments)) {
      *chosen = *shared;
      return Outcome::kFound;
    }
  }
  keep_best(candidates, [](const Candidate& c) {
    return (c.function->bind == nullptr ? 2 : 0) + (c.function->variadic ? 0 : 1);
  });
  if (done()) return Outcome::kFound;
  return Outcome::kAmbiguous;
}

std::string type_list(std::span<const SqlType> arguments) {
  std::string text;
  for (const SqlType type : arguments) {
    if (!text.empty()) text += ", ";
    SqlType bare = type;
    bare.modifier = -1;
    text += bare.id == TypeId::kChar ? "character" : format_type(bare);
  }
  return text;
}

// text(x), float8(x), date(ts): a type's name as a function is a cast.
std::optional<ResolvedCall> as_cast(std::string_view name, SqlType argument) {
  static constexpr std::array<std::pair<std::string_view, TypeId>, 22> kTypes = {{
      {"bool", TypeId::kBoolean},        {"int2", TypeId::kSmallInt}, {"int4", TypeId::kInteger},
      {"int8", TypeId::kBigInt},         {"float4", TypeId::kReal},   {"float8", TypeId::kDouble},
      {"numeric", TypeId::kDecimal},     {"text", TypeId::kText},     {"varchar", TypeId::kVarchar},
      {"bpchar", TypeId::kChar},         {"name", TypeId::kName},     {"date", TypeId::kDate},
      {"timestamp", TypeId::kTimestamp}, {"time", TypeId::kTime},     {"timestamptz", TypeId::kTimestampTz},
      {"interval", TypeId::kInterval},   {"uuid", TypeId::kUuid},     {"json", TypeId::kJson},
      {"jsonb", TypeId::kJsonb},         {"oid", TypeId::kOid},       {"regclass", TypeId::kRegclass},
      {"bytea", TypeId::kBytea},
  }};
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.first == name; });
  if (found == kTypes.end()) return std::nullopt;
  const ScalarFunction* cast = find_cast(argument, found->second, CastContext::kExplicit);
  if (cast == nullptr) return std::nullopt;
  return ResolvedCall{cast, {{argument}, found->second}};
}

}  // namespace

ResolvedCall resolve_function(std::string_view name, std::span<const SqlType> arguments) {
  std::vector<Candidate> candidates;
  if (const auto* functions = FunctionRegistry::instance().find(name)) {
    for (const ScalarFunction* function : *functions) {
      if (auto candidate = match(*function, arguments)) candidates.push_back(std::move(*candidate));
    }
  }
  const bool has_exact = std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& c) {
    return exact_matches(c, arguments) == static_cast<int>(arguments.size());
  });
  if (!has_exact && arguments.size() == 1) {
    if (auto cast = as_cast(name, arguments[0])) return *cast;
  }
  Candidate chosen;
  switch (choose(candidates, arguments, &chosen)) {
    case Outcome::kFound: return {chosen.function, std::move(chosen.types)};
    case Outcome::kAmbiguous:
      throw sql_error(sqlstate::kAmbiguousFunction, "function {}({}) is not unique", name,
                      type_list(arguments))
          .with_hint(
              "Could not choose a best candidate function. You might need to add explicit type casts.");
    case Outcome::kNone: break;
  }
  throw sql_error(sqlstate::kUndefinedFunction, "function {}({}) does not exist", name, type_list(arguments))
      .with_hint(std::string(kHint));
}

ResolvedCall resolve_operator(std::string_view symbol, std::span<const SqlType> arguments) {
  if (symbol == "!=") symbol = "<>";
  std::vector<Candidate> candidates;
  if (const auto* functions = FunctionRegistry::instance().find(symbol)) {
    for (const ScalarFunction* function : *functions) {
      if (auto candidate = match(*function, arguments)) candidates.push_back(std::move(*candidate));
    }
  }
  Candidate chosen;
  Outcome outcome = Outcome::kNone;
  // One untyped literal first tries to be of the other side's type.
  if (arguments.size() == 2 && is_unknown(arguments[0]) != is_unknown(arguments[1])) {
    const SqlType known = is_unknown(arguments[0]) ? arguments[1] : arguments[0];
    for (const Candidate& c : candidates) {
      if (outcome != Outcome::kFound && same_type(c.types.arguments[0], known) &&
          same_type(c.types.arguments[1], known)) {
        chosen = c;
        outcome = Outcome::kFound;
      }
    }
  }
  if (outcome != Outcome::kFound) outcome = choose(candidates, arguments, &chosen);
  if (outcome == Outcome::kFound) return {chosen.function, std::move(chosen.types)};
  const std::string text = arguments.size() == 2 ? fmt::format("{} {} {}", type_list(arguments.first(1)),
                                                               symbol, type_list(arguments.last(1)))
                                                 : fmt::format("{} {}", symbol, type_list(arguments));
  if (outcome == Outcome::kAmbiguous) {
    throw sql_error(sqlstate::kAmbiguousFunction, "operator is not unique: {}", text)
        .with_hint("Could not choose a best candidate operator. You might need to add explicit type casts.");
  }
  throw sql_error(sqlstate::kUndefinedFunction, "operator does not exist: {}", text)
      .with_hint(std::string(kOperatorHint));
}

bool is_scalar_function(std::string_view name) { return FunctionRegistry::instance().find(name) != nullptr; }

const TableFunction* find_table_function(std::string_view name) {
  return FunctionRegistry::instance().find_table_function(name);
}

std::vector<std::string> function_names() { return FunctionRegistry::instance().names(); }

SqlType common_type(std::span<const SqlType> types, std::string_view what) {
  SqlType result = TypeId::kUnknown;
  bool same_modifier = true;
  for (const SqlType type : types) {
    if (is_unknown(type)) continue;
    if (is_unknown(result)) {
      result = type;
      continue;
    }
    if (type == result) continue;
    same_modifier &= type.modifier == result.modifier && type.id == result.id;
    if (type.id == result.id && type.element == result.element) continue;
    if (category(type) != category(result)) {
      SqlType a = result, b = type;
      a.modifier = b.modifier = -1;
      throw sql_error(sqlstate::kDatatypeMismatch, "{} types {} and {} cannot be matched", what,
                      format_type(a), format_type(b));
    }
    if (!is_preferred(result) && can_cast(result, type, CastContext::kImplicit) &&
        !(can_cast(type, result, CastContext::kImplicit) && !is_preferred(type) &&
          type.id != TypeId::kVarchar)) {
      result = type;
    } else if (!can_cast(type, result, CastContext::kImplicit)) {
      throw sql_error(sqlstate::kCannotCoerce, "{} could not convert type {} to {}", what, format_type(type),
                      format_type(result));
    }
  }
  if (is_unknown(result)) return TypeId::kText;
  if (!same_modifier) result.modifier = -1;
  // The symbols of two expressions may come from two dictionaries; only set operations keep each input's own.
  const bool keeps_dictionaries = what == "UNION" || what == "INTERSECT" || what == "EXCEPT";
  if (result.id == TypeId::kSymbol) {
    const bool all =
        std::all_of(types.begin(), types.end(), [](SqlType t) { return t.id == TypeId::kSymbol; });
    if (!(all && (keeps_dictionaries || types.size() == 1))) result = TypeId::kVarchar;
  }
  return result;
}

}  // namespace idem
