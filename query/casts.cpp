#include <array>

#include "common/error.h"
#include "query/cast_registry.h"
#include "query/kernel.h"

namespace idem {

CastRegistry::CastRegistry() {
  register_numeric_casts(*this);
  register_datetime_casts(*this);
}

const CastRegistry& CastRegistry::instance() {
  static const CastRegistry registry;
  return registry;
}

void CastRegistry::add(TypeId from, TypeId to, CastContext context, ScalarKernel kernel,
                       Volatility volatility) {
  ScalarFunction& function = functions_.emplace_back();
  function.name = "cast";
  function.parameters = {from};
  function.result = to;
  function.kernel = kernel;
  function.volatility = volatility;
  casts_[{from, to}] = {&function, context};
}

const CastRegistry::Cast* CastRegistry::find(TypeId from, TypeId to) const {
  const auto found = casts_.find({from, to});
  return found == casts_.end() ? nullptr : &found->second;
}

namespace {

// The casts that follow rules instead of pairs of types.
struct RuleCasts {
  ScalarFunction relabel, format, format_stable, parse, parse_stable, length, explicit_length, decimal_scale,
      time_precision, array;

  RuleCasts() {
    const auto set = [](ScalarFunction& function, ScalarKernel kernel,
                        Volatility volatility = Volatility::kImmutable) {
      function.name = "cast";
      function.kernel = kernel;
      function.volatility = volatility;
    };
    set(relabel, nullptr);
    relabel.takes_symbols = true;
    relabel.blind = relabel.never_fails = true;
    set(format, format_kernel);
    set(format_stable, format_kernel, Volatility::kStable);
    set(parse, parse_kernel);
    set(parse_stable, parse_kernel, Volatility::kStable);
    set(length, length_kernel);
    set(explicit_length, explicit_length_kernel);
    set(decimal_scale, decimal_scale_kernel);
    set(time_precision, time_precision_kernel);
    set(array, array_cast_kernel);
  }
  static const RuleCasts& instance() {
    static const RuleCasts casts;
    return casts;
  }
};

bool is_character(TypeId id) { return is_string_like(id) || id == TypeId::kInternalChar; }
bool is_relaxed_enough(CastContext needed, CastContext given) { return given >= needed; }

// What is left to do for the modifier once the type is right.
const ScalarFunction* modifier_cast(SqlType from, SqlType to, CastContext context) {
  const RuleCasts& rules = RuleCasts::instance();
  if (to.modifier < 0 || to.modifier == from.modifier) return &rules.relabel;
  switch (to.id) {
    case TypeId::kVarchar:
    case TypeId::kChar: return context == CastContext::kExplicit ? &rules.explicit_length : &rules.length;
    case TypeId::kDecimal: return &rules.decimal_scale;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
    case TypeId::kTime:
    case TypeId::kInterval: return &rules.time_precision;
    case TypeId::kArray: return &rules.array;
    default: return &rules.relabel;
  }
}

// Between string types; PostgreSQL's contexts for the pairs that are not implicit.
const ScalarFunction* character_cast(SqlType from, SqlType to, CastContext context) {
  const RuleCasts& rules = RuleCasts::instance();
  const bool narrowing =
      to.id == TypeId::kInternalChar || (to.id == TypeId::kName && from.id == TypeId::kInternalChar) ||
      ((from.id == TypeId::kName || from.id == TypeId::kInternalChar) && to.id != TypeId::kText);
  if (narrowing && context == CastContext::kImplicit) return nullptr;
  const bool cuts = to.id == TypeId::kName || to.id == TypeId::kInternalChar;
  const bool sized = to.modifier >= 0 && (to.id == TypeId::kVarchar || to.id == TypeId::kChar);
  if (cuts || from.id == TypeId::kChar) return &rules.explicit_length;
  if (sized) return context == CastContext::kExplicit ? &rules.explicit_length : &rules.length;
  return &rules.relabel;
}

// now(), a session's zone and the catalog are in what texts of these types mean.
bool reads_session(TypeId id) {
  return is_timestamp(id) || id == TypeId::kDate || id == TypeId::kTime ||
         (is_oid_like(id) && id != TypeId::kOid);
}
bool shows_session(TypeId id) {
  return id == TypeId::kTimestampTz || (is_oid_like(id) && id != TypeId::kOid);
}

const ScalarFunction* array_cast(SqlType from, SqlType to, CastContext context) {
  const RuleCasts& rules = RuleCasts::instance();
  if (from.element == TypeId::kUnknown || (from.element == to.element && to.modifier < 0))
    return &rules.relabel;
  const ScalarFunction* element = find_cast(SqlType(from.element), SqlType(to.element, to.modifier), context);
  if (element == nullptr) return nullptr;
  // Even a relabelling has to write the element's type into the array.
  return &rules.array;
}

}  // namespace

const ScalarFunction* find_cast(SqlType from, SqlType to, CastContext context) {
  const RuleCasts& rules = RuleCasts::instance();
  if (from.id == TypeId::kArray && to.id == TypeId::kArray) {
    return to.element == TypeId::kUnknown ? &rules.relabel : array_cast(from, to, context);
  }
  if (from.id == to.id) return modifier_cast(from, to, context);
  if (to.id == TypeId::kUnknown) return &rules.relabel;
  if (from.id == TypeId::kUnknown) {
    if (to.id == TypeId::kText || to.id == TypeId::kSymbol || (to.id == TypeId::kVarchar && to.modifier < 0))
      return &rules.relabel;
    if (is_character(to.id))
      return context == CastContext::kExplicit ? &rules.explicit_length : &rules.length;
    return reads_session(to.id) ? &rules.parse_stable : &rules.parse;
  }
  if (to.id == TypeId::kVoid || from.id == TypeId::kVoid) return nullptr;
  if (is_character(from.id) && is_character(to.id)) return character_cast(from, to, context);
  if ((from.id == TypeId::kInt2Vector && to.id == TypeId::kArray && to.element == TypeId::kSmallInt))
    return &rules.relabel;
  if (const CastRegistry::Cast* cast = CastRegistry::instance().find(from.id, to.id)) {
    return is_relaxed_enough(cast->context, context) ? cast->function : nullptr;
  }
  if (is_character(to.id) && to.id != TypeId::kInternalChar) {
    if (context == CastContext::kImplicit) return nullptr;
    return shows_session(from.id) || shows_session(from.element) ? &rules.format_stable : &rules.format;
  }
  if (is_character(from.id)) {
    const bool implicit = to.id == TypeId::kRegclass && from.id != TypeId::kName;
    if (context != CastContext::kExplicit && !implicit) return nullptr;
    return reads_session(to.id) ? &rules.parse_stable : &rules.parse;
  }
  return nullptr;
}

bool can_cast(SqlType from, SqlType to, CastContext context) {
  return find_cast(from, to, context) != nullptr;
}

Value cast_value(EvaluationState& state, const Value& value, SqlType to, CastContext context) {
  const SqlType from = value.type();
  const ScalarFunction* cast = find_cast(from, to, context);
  if (cast == nullptr) {
    throw sql_error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", format_type(from), format_type(to));
  }
  if (to.id == TypeId::kSymbol) to = TypeId::kVarchar;
  if (value.is_null()) return Value::null(to);
  Vector input = Vector::constant(value);
  if (cast->kernel == nullptr) {
    input.type = to;
    return input.value_at(0);
  }
  Vector result;
  const CallTypes types{{from}, to};
  cast->kernel(state, types, {&input, 1}, 1, {nullptr, 1}, &result);
  return result.value_at(0);
}

}  // namespace idem
