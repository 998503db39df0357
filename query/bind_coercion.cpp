#include <algorithm>

#include "common/interval.h"
#include "query/expression_evaluator.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

bool is_same_string(TypeId id) {
  return id == TypeId::kVarchar || id == TypeId::kText || id == TypeId::kSymbol || id == TypeId::kName;
}

// 'now' and its like mean the time of execution, not of planning.
bool depends_on_now(const Value& value, SqlType type) {
  if (!is_timestamp(type.id) && type.id != TypeId::kDate && type.id != TypeId::kTime) return false;
  std::string_view text = value.as_string();
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  for (std::string_view word : {"now", "today", "tomorrow", "yesterday"}) {
    if (text.size() >= word.size() && equal_ignoring_case(text.substr(0, word.size()), word)) return true;
  }
  return false;
}

bool same_but_for_modifier(SqlType a, SqlType b) { return a.id == b.id && a.element == b.element; }

}  // namespace

BoundPtr QueryBinder::coerce(BoundPtr e, SqlType type, CastContext cast, uint32_t position) {
  if (position == 0) position = e->position;
  if (type.id == TypeId::kUnknown) return e;
  if (e->type.id == TypeId::kUnknown) {
    if (e->kind == BoundKind::kSlot) {
      SqlType declared = type;
      if (type.id == TypeId::kSymbol) declared = TypeId::kVarchar;
      SqlType& known = parameters_.types[e->index];
      if (known.id != TypeId::kUnknown && !same_but_for_modifier(known, declared)) {
        throw sql_error(kAmbiguousParameter, "inconsistent types deduced for parameter ${}", e->index + 1)
            .with_detail(fmt::format("{} versus {}", format_type(known), format_type(declared)))
            .with_position(position);
      }
      // A length or scale of a cast is applied to the value, it is not part of the parameter's type.
      known = SqlType(declared.id);
      known.element = declared.element;
      e->type = known;
      return declared.modifier < 0 ? std::move(e) : coerce(std::move(e), declared, cast, position);
    }
    if (e->is_constant()) {
      if (e->value.is_null()) {
        auto null = BoundExpression::constant(Value::null(type));
        null->position = e->position;
        return null;
      }
      if (type.id == TypeId::kSymbol) type = TypeId::kVarchar;
      if (!depends_on_now(e->value, type)) {
        Value converted = at_position(position, [&] { return cast_value(state_, e->value, type, cast); });
        auto constant = BoundExpression::constant(std::move(converted));
        constant->position = e->position;
        return constant;
      }
      e->value = Value::of_string(TypeId::kText, e->value.as_string());
      cast = CastContext::kExplicit;
    }
    e->type = TypeId::kText;
  }
  if (e->type == type || (same_but_for_modifier(e->type, type) && type.modifier < 0)) return e;
  const ScalarFunction* function = find_cast(e->type, type, cast);
  if (!function) {
    throw sql_error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", format_type(e->type),
                    format_type(type))
        .with_position(position);
  }
  SqlType from = e->type;
  bool was_constant = e->is_constant();
  std::vector<BoundPtr> children;
  children.push_back(std::move(e));
  BoundPtr call = BoundExpression::call({function, {{from}, type}}, std::move(children));
  call->type = type;
  call->position = position;
  if (was_constant && function->volatility == Volatility::kImmutable) {
    Value value = at_position(position, [&] { return evaluate_constant(state_, *call); });
    BoundPtr constant = BoundExpression::constant(std::move(value));
    constant->type = type;
    constant->position = position;
    return constant;
  }
  return call;
}

BoundPtr QueryBinder::resolve_unknown(BoundPtr e) {
  if (e->type.id != TypeId::kUnknown) return e;
  return coerce(std::move(e), TypeId::kText, CastContext::kImplicit, 0);
}

SqlType QueryBinder::unify(std::span<BoundPtr> expressions, std::string_view what, uint32_t position) {
  std::vector<SqlType> types;
  for (const BoundPtr& e : expressions) {
    // The type of a parameter may have become known since.
    if (e->kind == BoundKind::kSlot && e->type.id == TypeId::kUnknown) e->type = parameters_.types[e->index];
    types.push_back(e->type);
  }
  SqlType type = at_position(position, [&] { return common_type(types, what); });
  if (type.id == TypeId::kUnknown) type = TypeId::kText;
  // Symbols of two columns have codes of two dictionaries.
  if (type.id == TypeId::kSymbol) type = TypeId::kVarchar;
  for (BoundPtr& e : expressions) e = coerce(std::move(e), type, CastContext::kImplicit, position);
  return type;
}

BoundPtr QueryBinder::call_function(std::string_view name, std::vector<BoundPtr> arguments,
                                    uint32_t position) {
  std::vector<SqlType> types;
  for (const BoundPtr& a : arguments) {
    if (a->kind == BoundKind::kSlot && a->type.id == TypeId::kUnknown) a->type = parameters_.types[a->index];
    types.push_back(a->type);
  }
  ResolvedCall call = at_position(position, [&] { return resolve_function(name, types); });
  for (size_t i = 0; i < arguments.size(); i++) {
    SqlType wanted = call.types.arguments[std::min(i, call.types.arguments.size() - 1)];
    if (wanted.id == TypeId::kUnknown) {
      arguments[i] = resolve_unknown(std::move(arguments[i]));
      call.types.arguments[i] = arguments[i]->type;
    } else if (!(is_same_string(arguments[i]->type.id) && is_same_string(wanted.id))) {
      arguments[i] = coerce(std::move(arguments[i]), wanted, CastContext::kImplicit);
    }
  }
  BoundPtr bound = BoundExpression::call(call, std::move(arguments));
  bound->position = position;
  return bound;
}

BoundPtr QueryBinder::call_operator(std::string_view symbol, std::vector<BoundPtr> arguments,
                                    uint32_t position) {
  std::vector<SqlType> types;
  for (const BoundPtr& a : arguments) {
    if (a->kind == BoundKind::kSlot && a->type.id == TypeId::kUnknown) a->type = parameters_.types[a->index];
    types.push_back(a->type);
  }
  ResolvedCall call = at_position(position, [&] { return resolve_operator(symbol, types); });
  for (size_t i = 0; i < arguments.size(); i++) {
    SqlType wanted = call.types.arguments[i];
    if (!(is_same_string(arguments[i]->type.id) && is_same_string(wanted.id))) {
      arguments[i] = coerce(std::move(arguments[i]), wanted, CastContext::kImplicit);
    }
  }
  BoundPtr bound = BoundExpression::call(call, std::move(arguments));
  bound->position = position;
  return bound;
}

std::optional<Value> QueryBinder::constant_value(const BoundExpression& e) {
  if (e.is_constant()) return e.value;
  if (!is_foldable(e)) return std::nullopt;
  return at_position(e.position, [&] { return evaluate_constant(state_, e); });
}

bool QueryBinder::contains_columns(const BoundExpression& e) {
  bool found = false;
  for_each_column(e, [&](uint32_t) { found = true; });
  return found;
}

namespace {

BoundPtr join_parts(std::vector<BoundPtr> parts, BoundKind kind) {
  if (parts.size() == 1) return std::move(parts[0]);
  std::vector<BoundPtr> flat;
  for (BoundPtr& part : parts) {
    if (part->kind != kind) {
      flat.push_back(std::move(part));
      continue;
    }
    for (BoundPtr& child : part->children) flat.push_back(std::move(child));
  }
  return BoundExpression::make(kind, TypeId::kBoolean, std::move(flat));
}

}  // namespace

BoundPtr QueryBinder::make_and(std::vector<BoundPtr> parts) {
  if (parts.empty()) return BoundExpression::constant(Value::of_bool(true));
  return join_parts(std::move(parts), BoundKind::kAnd);
}

BoundPtr QueryBinder::make_or(std::vector<BoundPtr> parts) {
  if (parts.empty()) return BoundExpression::constant(Value::of_bool(false));
  return join_parts(std::move(parts), BoundKind::kOr);
}

BoundPtr QueryBinder::make_not(BoundPtr operand) {
  std::vector<BoundPtr> children;
  children.push_back(std::move(operand));
  return BoundExpression::make(BoundKind::kNot, TypeId::kBoolean, std::move(children));
}

}  // namespace idem::binding
