#include <algorithm>

#include "common/array_value.h"
#include "query/array_quantifier.h"
#include "query/interval_string.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

std::vector<BoundPtr> pair_of(BoundPtr a, BoundPtr b) {
  std::vector<BoundPtr> both;
  both.push_back(std::move(a));
  both.push_back(std::move(b));
  return both;
}

bool is_comparison(std::string_view symbol) {
  return symbol == "=" || symbol == "<>" || symbol == "<" || symbol == "<=" || symbol == ">" ||
         symbol == ">=";
}

Value array_element(const ArrayView& array, uint32_t i) {
  const SqlType type = array.element();
  if (array.is_null(i)) return Value::null(type);
  if (physical_type(type) == PhysicalType::kString)
    return Value::of_string(type, std::string(array.string_at(i)));
  alignas(16) char element[sizeof(Decimal)] = {};
  array.element_at(i, element);
  Vector vector;
  vector.type = type;
  vector.form = Vector::Form::kConstant;
  vector.data = element;
  return vector.value_at(0);
}

}  // namespace

BoundPtr QueryBinder::bind_operator(const ast::Operator& op, ExpressionContext& context) {
  if (!op.schema.empty() && !equal_ignoring_case(op.schema, "pg_catalog")) {
    throw sql_error(sqlstate::kUndefinedFunction, "operator does not exist: {}.{}", op.schema, op.symbol)
        .with_position(op.position);
  }
  if (!op.left) {
    std::vector<BoundPtr> arguments;
    arguments.push_back(bind(*op.right, context));
    // -9223372036854775808 and -2147483648 arrive as the negation of a literal.
    if (const auto* literal = ast::try_as<ast::Literal>(op.right.get());
        literal && op.symbol == "-" && literal->literal == ast::LiteralKind::kInteger) {
      ast::Literal negative;
      negative.literal = ast::LiteralKind::kInteger;
      negative.integer = -literal->integer;
      return bind_literal(negative);
    }
    return call_operator(op.symbol, std::move(arguments), op.position);
  }
  const auto* left_row = ast::try_as<ast::Row>(op.left.get());
  const auto* right_row = ast::try_as<ast::Row>(op.right.get());
  const auto* right_query = ast::try_as<ast::Subquery>(op.right.get());
  if (left_row && (right_row || right_query)) {
    if (!is_comparison(op.symbol)) {
      throw sql_error(sqlstate::kFeatureNotSupported, "operator {} of rows is not supported", op.symbol)
          .with_position(op.position);
    }
    std::vector<BoundPtr> left = bind_row_items(*left_row, context), right;
    if (right_row) {
      right = bind_row_items(*right_row, context);
    } else {
      const BoundPtr row = bind_row_subquery(*right_query->query, right_query->position, context);
      for (const ScopeColumn& field : record_fields(*row, op.position)) right.push_back(field.reference());
    }
    return compare_rows(op.symbol, std::move(left), std::move(right), op.position);
  }
  if (left_row || right_row) {
    throw sql_error(sqlstate::kFeatureNotSupported, "comparing a row with a single value is not supported")
        .with_position(op.position);
  }
  BoundPtr left = bind(*op.left, context);
  return call_operator(op.symbol, pair_of(std::move(left), bind(*op.right, context)), op.position);
}

std::vector<BoundPtr> QueryBinder::bind_row_items(const ast::Row& row, ExpressionContext& context) {
  std::vector<BoundPtr> items;
  for (const auto& item : row.items) {
    if (const auto* star = ast::try_as<ast::Star>(item.get())) {
      for (const ScopeColumn& column : expand_star(*star, context)) items.push_back(column.reference());
    } else {
      items.push_back(bind(*item, context));
    }
  }
  return items;
}

BoundPtr QueryBinder::compare_rows(std::string_view symbol, std::vector<BoundPtr> left,
                                   std::vector<BoundPtr> right, uint32_t position) {
  if (left.size() != right.size()) {
    throw sql_error(sqlstate::kSyntaxError, "unequal number of entries in row expressions")
        .with_position(position);
  }
  const auto compare = [&](std::string_view op, size_t i) {
    return call_operator(op, pair_of(left[i]->clone(), right[i]->clone()), position);
  };
  if (symbol == "=" || symbol == "<>") {
    std::vector<BoundPtr> parts;
    for (size_t i = 0; i < left.size(); i++) parts.push_back(compare(symbol, i));
    return symbol == "=" ? make_and(std::move(parts)) : make_or(std::move(parts));
  }
  // (a, b) < (c, d) is a < c OR (a = c AND b < d)
  BoundPtr result = compare(symbol, left.size() - 1);
  const std::string_view strict = symbol.substr(0, 1);
  for (size_t i = left.size() - 1; i-- > 0;) {
    result = make_or(pair_of(compare(strict, i), make_and(pair_of(compare("=", i), std::move(result)))));
  }
  return result;
}

BoundPtr QueryBinder::bind_between(const ast::Between& between, ExpressionContext& context) {
  BoundPtr operand = bind(*between.operand, context);
  BoundPtr low = bind(*between.low, context);
  const auto compare = [&](const char* symbol, const BoundPtr& bound) {
    return call_operator(symbol, pair_of(operand->clone(), bound->clone()), between.position);
  };
  // Gives a parameter its type before it is met again: ts BETWEEN $1 AND $1 + interval '1 day'.
  BoundPtr result = compare(">=", low);
  BoundPtr high = bind(*between.high, context);
  result = make_and(pair_of(std::move(result), compare("<=", high)));
  if (between.symmetric) {
    BoundPtr swapped = make_and(pair_of(compare(">=", high), compare("<=", low)));
    result = make_or(pair_of(std::move(result), std::move(swapped)));
  }
  return between.negated ? make_not(std::move(result)) : std::move(result);
}

BoundPtr QueryBinder::bind_like(const ast::Like& like, ExpressionContext& context) {
  BoundPtr operand = bind(*like.operand, context);
  BoundPtr pattern = bind(*like.pattern, context);
  const char* symbol = like.negated ? "!~~" : "~~";
  if (like.form == ast::Like::Form::kILike) symbol = like.negated ? "!~~*" : "~~*";
  std::vector<BoundPtr> arguments;
  if (like.form == ast::Like::Form::kSimilarTo) {
    symbol = like.negated ? "!~" : "~";
    arguments.push_back(std::move(pattern));
    if (like.escape) arguments.push_back(bind(*like.escape, context));
    pattern = call_function("similar_to_escape", std::move(arguments), like.position);
  } else if (like.escape) {
    pattern =
        call_function("like_escape", pair_of(std::move(pattern), bind(*like.escape, context)), like.position);
  }
  return call_operator(symbol, pair_of(std::move(operand), std::move(pattern)), like.position);
}

BoundPtr QueryBinder::bind_in(const ast::In& in, ExpressionContext& context) {
  BoundPtr result;
  if (in.query) {
    result = bind_any_subquery(SubqueryKind::kAny, "=", *in.left, *in.query, in.position, context);
  } else if (const auto* row = ast::try_as<ast::Row>(in.left.get())) {
    std::vector<BoundPtr> left = bind_row_items(*row, context), parts;
    for (const auto& item : in.list) {
      const auto* right = ast::try_as<ast::Row>(item.get());
      if (!right) {
        throw sql_error(sqlstate::kSyntaxError, "unequal number of entries in row expressions")
            .with_position(item->position);
      }
      std::vector<BoundPtr> copy;
      for (const BoundPtr& e : left) copy.push_back(e->clone());
      parts.push_back(compare_rows("=", std::move(copy), bind_row_items(*right, context), item->position));
    }
    result = make_or(std::move(parts));
  } else if (in.interval_string) {
    result = bind_interval_string(in, context);
  } else {
    BoundPtr left = bind(*in.left, context);
    std::vector<BoundPtr> items;
    for (const auto& item : in.list) items.push_back(bind(*item, context));
    result = bind_in_list(std::move(left), std::move(items), in.position);
  }
  return in.negated ? make_not(std::move(result)) : std::move(result);
}

BoundPtr QueryBinder::bind_in_list(BoundPtr left, std::vector<BoundPtr> items, uint32_t position) {
  if (items.size() == 1) return call_operator("=", pair_of(std::move(left), std::move(items[0])), position);
  const auto is_text_constant = [](const BoundPtr& e) {
    return e->is_constant() &&
           (e->type.id == TypeId::kUnknown || e->type.id == TypeId::kVarchar || e->type.id == TypeId::kText);
  };
  std::vector<BoundPtr> children;
  if (left->type.id == TypeId::kSymbol && std::all_of(items.begin(), items.end(), is_text_constant)) {
    // The symbol stays one, so that the constants can be looked up as codes.
    children.push_back(std::move(left));
    for (BoundPtr& item : items) {
      item = coerce(std::move(item), TypeId::kVarchar, CastContext::kImplicit);
      children.push_back(std::move(item));
    }
    return BoundExpression::make(BoundKind::kInList, TypeId::kBoolean, std::move(children));
  }
  std::vector<SqlType> types{left->type};
  for (const BoundPtr& item : items) types.push_back(item->type);
  bool has_common_type = true;
  try {
    common_type(types, "IN");
  } catch (const SqlError&) { has_common_type = false; }
  if (!has_common_type) {
    std::vector<BoundPtr> parts;
    for (BoundPtr& item : items)
      parts.push_back(call_operator("=", pair_of(left->clone(), std::move(item)), position));
    return make_or(std::move(parts));
  }
  children.push_back(std::move(left));
  for (BoundPtr& item : items) children.push_back(std::move(item));
  unify(children, "IN", position);
  return BoundExpression::make(BoundKind::kInList, TypeId::kBoolean, std::move(children));
}

BoundPtr QueryBinder::bind_interval_string(const ast::In& in, ExpressionContext& context) {
  BoundPtr left = bind(*in.left, context);
  const bool is_time = is_timestamp(left->type.id) || left->type.id == TypeId::kDate;
  const auto* literal = ast::try_as<ast::Literal>(in.list[0].get());
  if (!is_time || !literal) {
    std::vector<BoundPtr> items;
    items.push_back(bind(*in.list[0], context));
    return bind_in_list(std::move(left), std::move(items), in.position);
  }
  const SqlType type = left->type.id == TypeId::kTimestampTz ? TypeId::kTimestampTz : TypeId::kTimestamp;
  std::vector<BoundPtr> parts;
  for (const auto& [first, last] :
       at_position(literal->position, [&] { return parse_interval_string(literal->text); })) {
    parts.push_back(make_and(pair_of(
        call_operator(">=", pair_of(left->clone(), BoundExpression::constant(Value::of_int(type, first))),
                      in.position),
        call_operator("<=", pair_of(left->clone(), BoundExpression::constant(Value::of_int(type, last))),
                      in.position))));
  }
  return make_or(std::move(parts));
}

BoundPtr QueryBinder::bind_quantified(const ast::Quantified& q, ExpressionContext& context) {
  if (!q.schema.empty() && !equal_ignoring_case(q.schema, "pg_catalog")) {
    throw sql_error(sqlstate::kUndefinedFunction, "operator does not exist: {}.{}", q.schema, q.symbol)
        .with_position(q.position);
  }
  if (q.query) {
    return bind_any_subquery(q.all ? SubqueryKind::kAll : SubqueryKind::kAny, q.symbol, *q.left, *q.query,
                             q.position, context);
  }
  const bool is_membership = q.all ? q.symbol == "<>" : q.symbol == "=";
  const auto negate_if_all = [&](BoundPtr e) { return q.all ? make_not(std::move(e)) : std::move(e); };
  BoundPtr left = bind(*q.left, context);
  if (const auto* array = ast::try_as<ast::Array>(q.array.get());
      array && is_membership && !array->items.empty()) {
    std::vector<BoundPtr> items;
    for (const auto& item : array->items) items.push_back(bind(*item, context));
    return negate_if_all(bind_in_list(std::move(left), std::move(items), q.position));
  }
  BoundPtr array = bind(*q.array, context);
  ResolvedCall call = at_position(
      q.position, [&] { return resolve_array_quantifier(q.symbol, left->type, array->type, q.all); });
  array = coerce(std::move(array), call.types.arguments[2], CastContext::kImplicit, q.array->position);
  if (array->is_constant() && !array->value.is_null() && is_membership) {
    ArrayView view(array->value.as_string());
    std::vector<BoundPtr> items;
    for (uint32_t i = 0; i < view.size(); i++)
      items.push_back(BoundExpression::constant(array_element(view, i)));
    if (!items.empty()) return negate_if_all(bind_in_list(std::move(left), std::move(items), q.position));
    // In an aggregate the left side may say which query the aggregate belongs to.
    if (!context.in_aggregate) return BoundExpression::constant(Value::of_bool(q.all));
  }
  const bool is_negation = q.all && is_membership;
  if (is_negation) call = resolve_array_quantifier("=", left->type, array->type, false);
  if (left->type.id != TypeId::kSymbol || !is_string_like(call.types.arguments[1].id)) {
    left = coerce(std::move(left), call.types.arguments[1], CastContext::kImplicit, q.left->position);
  }
  std::vector<BoundPtr> children;
  children.push_back(
      BoundExpression::constant(Value::of_string(TypeId::kText, is_negation ? "=" : q.symbol)));
  children.push_back(std::move(left));
  children.push_back(std::move(array));
  BoundPtr bound = BoundExpression::call(call, std::move(children));
  bound->position = q.position;
  return is_negation ? make_not(std::move(bound)) : std::move(bound);
}

}  // namespace idem::binding
