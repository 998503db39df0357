#include <algorithm>

#include "common/decimal.h"
#include "common/interval.h"
#include "query/query_binder.h"

namespace idem::binding {

using ast::ExpressionKind;

namespace {

std::optional<IntervalFields> interval_fields(std::string_view words) {
  static constexpr std::pair<std::string_view, IntervalFields> kFields[] = {
      {"", IntervalFields::kAll},
      {"year", IntervalFields::kYear},
      {"month", IntervalFields::kMonth},
      {"day", IntervalFields::kDay},
      {"hour", IntervalFields::kHour},
      {"minute", IntervalFields::kMinute},
      {"second", IntervalFields::kSecond},
      {"year to month", IntervalFields::kYearToMonth},
      {"day to hour", IntervalFields::kDayToHour},
      {"day to minute", IntervalFields::kDayToMinute},
      {"day to second", IntervalFields::kDayToSecond},
      {"hour to minute", IntervalFields::kHourToMinute},
      {"hour to second", IntervalFields::kHourToSecond},
      {"minute to second", IntervalFields::kMinuteToSecond},
  };
  for (const auto& [text, fields] : kFields) {
    if (text == words) return fields;
  }
  return std::nullopt;
}

bool is_known_collation(const std::vector<ast::Identifier>& name) {
  if (name.size() > 1 && !equal_ignoring_case(name[name.size() - 2].text, "pg_catalog")) return false;
  for (std::string_view known : {"default", "c", "posix", "ucs_basic", "c.utf8", "c.utf-8"}) {
    if (equal_ignoring_case(name.back().text, known)) return true;
  }
  return false;
}

}  // namespace

BoundPtr QueryBinder::bind(const ast::Expression& expression, ExpressionContext& context) {
  BoundPtr bound = bind_kind(expression, context);
  if (bound->position == 0) bound->position = expression.position;
  return bound;
}

BoundPtr QueryBinder::bind_kind(const ast::Expression& e, ExpressionContext& context) {
  switch (e.kind) {
    case ExpressionKind::kLiteral: return bind_literal(ast::as<ast::Literal>(e));
    case ExpressionKind::kTypedLiteral: return bind_typed_literal(ast::as<ast::TypedLiteral>(e));
    case ExpressionKind::kParameter: {
      if (context.view) {
        throw sql_error(sqlstate::kUndefinedParameter, "there is no parameter ${}",
                        ast::as<ast::Parameter>(e).number)
            .with_position(e.position);
      }
      return bind_parameter(ast::as<ast::Parameter>(e));
    }
    case ExpressionKind::kColumnRef: return resolve_column(ast::as<ast::ColumnRef>(e), context);
    case ExpressionKind::kStar:
      throw sql_error(sqlstate::kFeatureNotSupported, "row expansion via \"*\" is not supported here")
          .with_position(e.position);
    case ExpressionKind::kFunctionCall: return bind_function(ast::as<ast::FunctionCall>(e), context);
    case ExpressionKind::kOperator: return bind_operator(ast::as<ast::Operator>(e), context);
    case ExpressionKind::kLogical: {
      const auto& logical = ast::as<ast::Logical>(e);
      std::vector<BoundPtr> parts;
      for (const auto& operand : logical.operands) {
        parts.push_back(bind_condition(*operand, context, logical.is_and ? "AND" : "OR"));
      }
      return logical.is_and ? make_and(std::move(parts)) : make_or(std::move(parts));
    }
    case ExpressionKind::kNot: return make_not(bind_condition(*ast::as<ast::Not>(e).operand, context, "NOT"));
    case ExpressionKind::kQuantified: return bind_quantified(ast::as<ast::Quantified>(e), context);
    case ExpressionKind::kIn: return bind_in(ast::as<ast::In>(e), context);
    case ExpressionKind::kBetween: return bind_between(ast::as<ast::Between>(e), context);
    case ExpressionKind::kLike: return bind_like(ast::as<ast::Like>(e), context);
    case ExpressionKind::kIs: return bind_is(ast::as<ast::Is>(e), context);
    case ExpressionKind::kCase: return bind_case(ast::as<ast::Case>(e), context);
    case ExpressionKind::kCast: return bind_cast(ast::as<ast::Cast>(e), context);
    case ExpressionKind::kSubquery: return bind_subquery(ast::as<ast::Subquery>(e), context);
    case ExpressionKind::kRow: return bind_row(ast::as<ast::Row>(e), context);
    case ExpressionKind::kArray: return bind_array(ast::as<ast::Array>(e), context, TypeId::kUnknown);
    case ExpressionKind::kSubscript: return bind_subscript(ast::as<ast::Subscript>(e), context);
    case ExpressionKind::kFieldSelect: return bind_field(ast::as<ast::FieldSelect>(e), context);
    case ExpressionKind::kCollate: {
      const auto& collate = ast::as<ast::Collate>(e);
      if (!is_known_collation(collate.collation)) {
        throw sql_error(sqlstate::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist",
                        collate.collation.back().text)
            .with_hint("Text is compared by its bytes (collation \"C\").")
            .with_position(collate.collation.front().position);
      }
      BoundPtr operand = resolve_unknown(bind(*collate.operand, context));
      if (!is_string_like(operand->type.id)) {
        throw sql_error(sqlstate::kDatatypeMismatch, "collations are not supported by type {}",
                        format_type(operand->type))
            .with_position(e.position);
      }
      return operand;
    }
    case ExpressionKind::kAtTimeZone: {
      const auto& at = ast::as<ast::AtTimeZone>(e);
      std::vector<BoundPtr> arguments;
      arguments.push_back(bind(*at.zone, context));
      arguments.push_back(bind(*at.operand, context));
      return call_function("timezone", std::move(arguments), e.position);
    }
    case ExpressionKind::kDefault:
      throw sql_error(sqlstate::kSyntaxError, "DEFAULT is not allowed in this context")
          .with_position(e.position);
  }
  throw sql_error(sqlstate::kInternalError, "unknown kind of expression");
}

BoundPtr QueryBinder::bind_condition(const ast::Expression& expression, ExpressionContext& context,
                                     std::string_view what) {
  return bind_typed(expression, context, TypeId::kBoolean, CastContext::kImplicit, what);
}

BoundPtr QueryBinder::bind_typed(const ast::Expression& expression, ExpressionContext& context, SqlType type,
                                 CastContext cast, std::string_view what) {
  BoundPtr bound = bind(expression, context);
  if (bound->type.id != TypeId::kUnknown && !what.empty() && !can_cast(bound->type, type, cast) &&
      bound->type.id != type.id) {
    throw sql_error(sqlstate::kDatatypeMismatch, "argument of {} must be type {}, not type {}", what,
                    format_type(type), format_type(bound->type))
        .with_position(expression.position);
  }
  return coerce(std::move(bound), type, cast, expression.position);
}

BoundPtr QueryBinder::bind_literal(const ast::Literal& literal) {
  switch (literal.literal) {
    case ast::LiteralKind::kNull: return BoundExpression::constant(Value::null(TypeId::kUnknown));
    case ast::LiteralKind::kBoolean: return BoundExpression::constant(Value::of_bool(literal.boolean));
    case ast::LiteralKind::kInteger: {
      const bool is_small = literal.integer >= INT32_MIN && literal.integer <= INT32_MAX;
      return BoundExpression::constant(
          Value::of_int(is_small ? TypeId::kInteger : TypeId::kBigInt, literal.integer));
    }
    case ast::LiteralKind::kDecimal: {
      BoundPtr text = BoundExpression::constant(Value::of_string(TypeId::kUnknown, literal.text));
      // Beyond 38 digits only a double can hold it: 1e300, 1e-40.
      const auto as_double = [&] {
        return coerce(text->clone(), TypeId::kDouble, CastContext::kImplicit, literal.position);
      };
      try {
        BoundPtr exact = coerce(text->clone(), TypeId::kDecimal, CastContext::kImplicit, literal.position);
        const Decimal& value = exact->value.as_decimal();
        if (value.scale < kMaxDecimalDigits) return exact;
        BoundPtr wide = as_double();
        return decimal_to_double(value) == wide->value.as_double() ? std::move(exact) : std::move(wide);
      } catch (const SqlError& error) {
        if (error.sqlstate() != sqlstate::kNumericValueOutOfRange) throw;
        return as_double();
      }
    }
    case ast::LiteralKind::kString:
      return BoundExpression::constant(Value::of_string(TypeId::kUnknown, literal.text));
    case ast::LiteralKind::kBitString:
      throw sql_error(sqlstate::kFeatureNotSupported, "bit strings are not supported")
          .with_position(literal.position);
  }
  return nullptr;
}

SqlType QueryBinder::resolve_type(const ast::TypeName& type) const {
  if (!type.schema.empty() && !equal_ignoring_case(type.schema, "pg_catalog")) {
    throw sql_error(sqlstate::kUndefinedObject, "type \"{}.{}\" does not exist", type.schema, type.name)
        .with_position(type.position);
  }
  if (type.array_dimensions > 1) {
    throw sql_error(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported")
        .with_position(type.position);
  }
  return at_position(type.position, [&] {
    // An interval's precision is part of its literal (bind_typed_literal).
    const size_t modifiers = type.name == "interval" ? 0 : type.modifiers.size();
    return resolve_type_name(type.name, type.modifiers.data(), modifiers, type.is_array());
  });
}

BoundPtr QueryBinder::bind_typed_literal(const ast::TypedLiteral& literal) {
  SqlType type = resolve_type(literal.type);
  if (type.id == TypeId::kInterval) {
    std::optional<IntervalFields> fields = interval_fields(literal.type.interval_fields);
    int digits = literal.type.modifiers.empty() ? -1 : literal.type.modifiers[0];
    return at_position(literal.position, [&] {
      return BoundExpression::constant(Value::of_interval(
          interval_from_text(literal.text, fields.value_or(IntervalFields::kAll), digits)));
    });
  }
  BoundPtr text = BoundExpression::constant(Value::of_string(TypeId::kUnknown, literal.text));
  return coerce(std::move(text), type, CastContext::kExplicit, literal.position);
}

BoundPtr QueryBinder::bind_parameter(const ast::Parameter& parameter) {
  if (parameter.number == 0 || parameter.number > 65535) {
    throw sql_error(sqlstate::kUndefinedParameter, "there is no parameter ${}", parameter.number)
        .with_position(parameter.position);
  }
  if (parameters_.types.size() < parameter.number)
    parameters_.types.resize(parameter.number, TypeId::kUnknown);
  const size_t index = parameter.number - 1;
  const bool takes_value = index < parameters_.values.size() && reads_many_tables();
  uses_values_ = uses_values_ || takes_value;
  BoundPtr bound = takes_value
                       ? BoundExpression::constant(parameters_.values[index])
                       : BoundExpression::slot(static_cast<uint32_t>(index), parameters_.types[index]);
  bound->position = parameter.position;
  return bound;
}

BoundPtr QueryBinder::bind_case(const ast::Case& expression, ExpressionContext& context) {
  ExpressionContext inner = context;
  inner.conditional = true;
  BoundPtr operand;
  if (expression.operand) operand = resolve_unknown(bind(*expression.operand, context));
  std::vector<BoundPtr> conditions, results;
  for (const ast::Case::When& when : expression.whens) {
    if (operand) {
      std::vector<BoundPtr> sides;
      sides.push_back(operand->clone());
      sides.push_back(bind(*when.condition, inner));
      conditions.push_back(call_operator("=", std::move(sides), when.condition->position));
    } else {
      conditions.push_back(
          bind_condition(*when.condition, conditions.empty() ? context : inner, "CASE/WHEN"));
    }
    results.push_back(bind(*when.result, inner));
  }
  results.push_back(expression.otherwise ? bind(*expression.otherwise, inner)
                                         : BoundExpression::constant(Value::null(TypeId::kUnknown)));
  SqlType type = unify(results, "CASE", expression.position);
  std::vector<BoundPtr> children;
  for (size_t i = 0; i < conditions.size(); i++) {
    children.push_back(std::move(conditions[i]));
    children.push_back(std::move(results[i]));
  }
  children.push_back(std::move(results.back()));
  return BoundExpression::make(BoundKind::kCase, type, std::move(children));
}

BoundPtr QueryBinder::bind_cast(const ast::Cast& cast, ExpressionContext& context) {
  SqlType type = resolve_type(cast.type);
  const uint32_t position = cast.operand->position;
  if (const auto* array = ast::try_as<ast::Array>(cast.operand.get()); array && type.id == TypeId::kArray) {
    return coerce(bind_array(*array, context, type.element), type, CastContext::kExplicit, position);
  }
  if (const auto* literal = ast::try_as<ast::Literal>(cast.operand.get());
      literal && literal->literal == ast::LiteralKind::kString && type.id == TypeId::kInterval &&
      !cast.type.interval_fields.empty()) {
    ast::TypedLiteral typed;
    typed.position = literal->position;
    typed.type = cast.type;
    typed.text = literal->text;
    return bind_typed_literal(typed);
  }
  BoundPtr operand = bind(*cast.operand, context);
  if (operand->type.id != TypeId::kUnknown && operand->type.id != type.id &&
      !find_cast(operand->type, type, CastContext::kExplicit)) {
    throw sql_error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", format_type(operand->type),
                    format_type(type))
        .with_position(cast.position);
  }
  return coerce(std::move(operand), type, CastContext::kExplicit, position);
}

BoundPtr QueryBinder::bind_array(const ast::Array& array, ExpressionContext& context, SqlType element) {
  std::vector<BoundPtr> items;
  for (const auto& item : array.items) {
    if (item->kind == ExpressionKind::kArray) {
      throw sql_error(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported")
          .with_position(item->position);
    }
    items.push_back(bind(*item, context));
  }
  if (element.id != TypeId::kUnknown) {
    if (items.empty()) {
      BoundPtr empty = BoundExpression::constant(Value::of_string(TypeId::kUnknown, "{}"));
      return coerce(std::move(empty), SqlType::array_of(element.id), CastContext::kExplicit, array.position);
    }
    for (BoundPtr& item : items) item = coerce(std::move(item), element, CastContext::kExplicit);
  } else if (items.empty()) {
    throw sql_error(kIndeterminateArray, "cannot determine type of empty array")
        .with_hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
        .with_position(array.position);
  } else {
    unify(items, "ARRAY", array.position);
  }
  return call_function("array_constructor", std::move(items), array.position);
}

BoundPtr QueryBinder::bind_subscript(const ast::Subscript& subscript, ExpressionContext& context) {
  std::vector<BoundPtr> arguments;
  arguments.push_back(bind(*subscript.operand, context));
  const auto bind_bound = [&](const ast::ExpressionPtr& bound) {
    if (!bound) return BoundExpression::constant(Value::null(TypeId::kInteger));
    return bind_typed(*bound, context, TypeId::kInteger, CastContext::kAssignment, "array subscript");
  };
  if (!subscript.slice) {
    if (arguments[0]->type.id == TypeId::kJsonb) {
      arguments.push_back(bind(*subscript.index, context));
      return call_operator("->", std::move(arguments), subscript.position);
    }
    arguments.push_back(bind_bound(subscript.index));
  } else {
    arguments.push_back(bind_bound(subscript.low));
    arguments.push_back(bind_bound(subscript.high));
  }
  if (arguments[0]->type.id != TypeId::kArray && arguments[0]->type.id != TypeId::kInt2Vector) {
    throw sql_error(sqlstate::kDatatypeMismatch,
                    "cannot subscript type {} because it does not support subscripting",
                    format_type(arguments[0]->type))
        .with_position(subscript.operand->position);
  }
  return call_function(subscript.slice ? "array_slice" : "array_subscript", std::move(arguments),
                       subscript.position);
}

BoundPtr QueryBinder::bind_is(const ast::Is& is, ExpressionContext& context) {
  const auto wrap = [](BoundKind kind, BoundPtr a, BoundPtr b) {
    std::vector<BoundPtr> children;
    children.push_back(std::move(a));
    if (b) children.push_back(std::move(b));
    return BoundExpression::make(kind, TypeId::kBoolean, std::move(children));
  };
  const auto negate_if = [](bool negated, BoundPtr e) {
    return negated ? make_not(std::move(e)) : std::move(e);
  };
  switch (is.test) {
    case ast::Is::Test::kNull: {
      if (const auto* row = ast::try_as<ast::Row>(is.operand.get())) {
        std::vector<BoundPtr> parts;
        for (BoundPtr& item : bind_row_items(*row, context)) {
          parts.push_back(
              negate_if(is.negated, wrap(BoundKind::kIsNull, resolve_unknown(std::move(item)), nullptr)));
        }
        return make_and(std::move(parts));
      }
      BoundPtr operand = resolve_unknown(bind(*is.operand, context));
      if (operand->type.id == TypeId::kRecord)
        return bind_record_null_test(std::move(operand), is.negated, is.position);
      return negate_if(is.negated, wrap(BoundKind::kIsNull, std::move(operand), nullptr));
    }
    case ast::Is::Test::kTrue:
    case ast::Is::Test::kFalse: {
      const bool truth = is.test == ast::Is::Test::kTrue;
      const char* what =
          truth ? (is.negated ? "IS NOT TRUE" : "IS TRUE") : (is.negated ? "IS NOT FALSE" : "IS FALSE");
      BoundPtr operand = bind_condition(*is.operand, context, what);
      return negate_if(!is.negated, wrap(BoundKind::kIsDistinct, std::move(operand),
                                         BoundExpression::constant(Value::of_bool(truth))));
    }
    case ast::Is::Test::kUnknown:
      return negate_if(
          is.negated,
          wrap(BoundKind::kIsNull,
               bind_condition(*is.operand, context, is.negated ? "IS NOT UNKNOWN" : "IS UNKNOWN"), nullptr));
    case ast::Is::Test::kDistinctFrom: {
      const auto distinct = [&](BoundPtr left, BoundPtr right) {
        std::vector<BoundPtr> sides;
        sides.push_back(std::move(left));
        sides.push_back(std::move(right));
        unify(sides, "IS DISTINCT FROM", is.position);
        return wrap(BoundKind::kIsDistinct, std::move(sides[0]), std::move(sides[1]));
      };
      const auto* left = ast::try_as<ast::Row>(is.operand.get());
      const auto* right = ast::try_as<ast::Row>(is.right.get());
      if (left && right) {
        std::vector<BoundPtr> a = bind_row_items(*left, context), b = bind_row_items(*right, context), parts;
        if (a.size() != b.size()) {
          throw sql_error(sqlstate::kSyntaxError, "unequal number of entries in row expressions")
              .with_position(is.position);
        }
        for (size_t i = 0; i < a.size(); i++) parts.push_back(distinct(std::move(a[i]), std::move(b[i])));
        return negate_if(is.negated, make_or(std::move(parts)));
      }
      return negate_if(is.negated, distinct(bind(*is.operand, context), bind(*is.right, context)));
    }
    case ast::Is::Test::kDocument:
    case ast::Is::Test::kNormalized:
      throw sql_error(sqlstate::kFeatureNotSupported, "{} is not supported",
                      is.test == ast::Is::Test::kDocument ? "IS DOCUMENT" : "IS NORMALIZED")
          .with_position(is.position);
  }
  return nullptr;
}

}  // namespace idem::binding
