#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/time_zone.h"
#include "parser/parser.h"
#include "query/array_quantifier.h"
#include "query/expression_evaluator.h"
#include "query/function.h"

namespace idem::test {

// Binds expressions without columns, just enough to call functions by their SQL: the binder proper is tested
// with statements.
class ExpressionFixture {
 public:
  ExpressionFixture() {
    context_.time_zone = utc_time_zone();
    context_.transaction_time_micros = context_.statement_time_micros =
        1'705'314'600'000'000;  // 2024-01-15 10:30
    state_.context = &context_;
  }

  BoundPtr bind(std::string_view sql) { return bind(*parser::parse_expression(sql)); }

  // The result as psql shows it, "NULL", or the SQLSTATE and message of the error.
  std::string text(std::string_view sql) {
    try {
      const BoundPtr expression = bind(sql);
      const Value value = evaluate_constant(state_, *expression);
      if (value.is_null()) return "NULL";
      if (value.type().id == TypeId::kBoolean) return value.as_bool() ? "t" : "f";
      return cast_value(state_, value, TypeId::kText, CastContext::kExplicit).as_string();
    } catch (const SqlError& error) { return error.sqlstate() + ": " + error.message(); }
  }
  std::string type_of(std::string_view sql) { return format_type(bind(sql)->type); }

  EvaluationState& state() { return state_; }
  ExecutionContext& context() { return context_; }

 private:
  BoundPtr bind(const ast::Expression& e) {
    using ast::ExpressionKind;
    switch (e.kind) {
      case ExpressionKind::kLiteral: return literal(ast::as<ast::Literal>(e));
      case ExpressionKind::kTypedLiteral: {
        const auto& typed = ast::as<ast::TypedLiteral>(e);
        return cast(BoundExpression::constant(Value::of_string(TypeId::kUnknown, typed.text)),
                    type(typed.type), CastContext::kExplicit);
      }
      case ExpressionKind::kCast: {
        const auto& c = ast::as<ast::Cast>(e);
        return cast(bind(*c.operand), type(c.type), CastContext::kExplicit);
      }
      case ExpressionKind::kFunctionCall: {
        const auto& call = ast::as<ast::FunctionCall>(e);
        if (call.function() == "coalesce") return coalesce(call);
        return function(call.function(), list(call.arguments));
      }
      case ExpressionKind::kOperator: {
        const auto& op = ast::as<ast::Operator>(e);
        std::vector<BoundPtr> children;
        if (op.left) children.push_back(bind(*op.left));
        children.push_back(bind(*op.right));
        const ResolvedCall resolved = resolve_operator(op.symbol, types(children));
        return call(resolved, std::move(children));
      }
      case ExpressionKind::kLike: return like(ast::as<ast::Like>(e));
      case ExpressionKind::kArray: return function("array_constructor", array_items(ast::as<ast::Array>(e)));
      case ExpressionKind::kSubscript: {
        const auto& s = ast::as<ast::Subscript>(e);
        std::vector<BoundPtr> children;
        children.push_back(bind(*s.operand));
        if (!s.slice) {
          children.push_back(bind(*s.index));
          return function("array_subscript", std::move(children));
        }
        const auto bound = [&](const ast::ExpressionPtr& b) {
          return b ? bind(*b) : BoundExpression::constant(Value::null(TypeId::kInteger));
        };
        children.push_back(bound(s.low));
        children.push_back(bound(s.high));
        return function("array_slice", std::move(children));
      }
      case ExpressionKind::kQuantified: {
        const auto& q = ast::as<ast::Quantified>(e);
        BoundPtr left = bind(*q.left), array = bind(*q.array);
        const ResolvedCall resolved = resolve_array_quantifier(q.symbol, left->type, array->type, q.all);
        std::vector<BoundPtr> children;
        children.push_back(BoundExpression::constant(Value::of_string(TypeId::kText, q.symbol)));
        children.push_back(std::move(left));
        children.push_back(std::move(array));
        return call(resolved, std::move(children));
      }
      case ExpressionKind::kAtTimeZone: {
        const auto& at = ast::as<ast::AtTimeZone>(e);
        std::vector<BoundPtr> children;
        children.push_back(bind(*at.zone));
        children.push_back(bind(*at.operand));
        return function("timezone", std::move(children));
      }
      case ExpressionKind::kLogical: {
        const auto& logical = ast::as<ast::Logical>(e);
        return BoundExpression::make(logical.is_and ? BoundKind::kAnd : BoundKind::kOr, TypeId::kBoolean,
                                     booleans(logical.operands));
      }
      case ExpressionKind::kNot: {
        std::vector<BoundPtr> children;
        children.push_back(
            cast(bind(*ast::as<ast::Not>(e).operand), TypeId::kBoolean, CastContext::kImplicit));
        return BoundExpression::make(BoundKind::kNot, TypeId::kBoolean, std::move(children));
      }
      case ExpressionKind::kIs: {
        std::vector<BoundPtr> children;
        children.push_back(bind(*ast::as<ast::Is>(e).operand));
        BoundPtr is_null = BoundExpression::make(BoundKind::kIsNull, TypeId::kBoolean, std::move(children));
        if (!ast::as<ast::Is>(e).negated) return is_null;
        std::vector<BoundPtr> inner;
        inner.push_back(std::move(is_null));
        return BoundExpression::make(BoundKind::kNot, TypeId::kBoolean, std::move(inner));
      }
      default: throw SqlError(sqlstate::kFeatureNotSupported, "not bound by this fixture");
    }
  }

  static BoundPtr literal(const ast::Literal& l) {
    switch (l.literal) {
      case ast::LiteralKind::kNull: return BoundExpression::constant(Value::null(TypeId::kUnknown));
      case ast::LiteralKind::kBoolean: return BoundExpression::constant(Value::of_bool(l.boolean));
      case ast::LiteralKind::kInteger: {
        const bool fits = l.integer >= INT32_MIN && l.integer <= INT32_MAX;
        return BoundExpression::constant(Value::of_int(fits ? TypeId::kInteger : TypeId::kBigInt, l.integer));
      }
      case ast::LiteralKind::kDecimal:
        return BoundExpression::constant(Value::of_decimal(TypeId::kDecimal, decimal_from_text(l.text)));
      default: return BoundExpression::constant(Value::of_string(TypeId::kUnknown, l.text));
    }
  }

  static SqlType type(const ast::TypeName& name) {
    return resolve_type_name(name.name, name.modifiers.data(), name.modifiers.size(), name.is_array());
  }

  static std::vector<SqlType> types(const std::vector<BoundPtr>& children) {
    std::vector<SqlType> result;
    for (const BoundPtr& child : children) result.push_back(child->type);
    return result;
  }

  std::vector<BoundPtr> list(const ast::ExpressionList& items) {
    std::vector<BoundPtr> result;
    for (const auto& item : items) result.push_back(bind(*item));
    return result;
  }

  std::vector<BoundPtr> booleans(const ast::ExpressionList& items) {
    std::vector<BoundPtr> result;
    for (const auto& item : items)
      result.push_back(cast(bind(*item), TypeId::kBoolean, CastContext::kImplicit));
    return result;
  }

  std::vector<BoundPtr> array_items(const ast::Array& array) {
    std::vector<BoundPtr> items = list(array.items);
    const SqlType common = common_type(types(items), "ARRAY");
    for (BoundPtr& item : items) item = cast(std::move(item), common, CastContext::kImplicit);
    return items;
  }

  BoundPtr coalesce(const ast::FunctionCall& call) {
    std::vector<BoundPtr> items = list(call.arguments);
    const SqlType common = common_type(types(items), "COALESCE");
    for (BoundPtr& item : items) item = cast(std::move(item), common, CastContext::kImplicit);
    return BoundExpression::make(BoundKind::kCoalesce, common, std::move(items));
  }

  BoundPtr like(const ast::Like& l) {
    std::vector<BoundPtr> children;
    children.push_back(bind(*l.operand));
    BoundPtr pattern = bind(*l.pattern);
    std::string symbol;
    if (l.form == ast::Like::Form::kSimilarTo) {
      std::vector<BoundPtr> inner;
      inner.push_back(std::move(pattern));
      if (l.escape) inner.push_back(bind(*l.escape));
      pattern = function("similar_to_escape", std::move(inner));
      symbol = l.negated ? "!~" : "~";
    } else {
      if (l.escape) {
        std::vector<BoundPtr> inner;
        inner.push_back(std::move(pattern));
        inner.push_back(bind(*l.escape));
        pattern = function("like_escape", std::move(inner));
      }
      symbol = std::string(l.negated ? "!" : "") + (l.form == ast::Like::Form::kLike ? "~~" : "~~*");
    }
    children.push_back(std::move(pattern));
    const ResolvedCall resolved = resolve_operator(symbol, types(children));
    return call(resolved, std::move(children));
  }

  BoundPtr function(std::string_view name, std::vector<BoundPtr> children) {
    const ResolvedCall resolved = resolve_function(name, types(children));
    return call(resolved, std::move(children));
  }

  BoundPtr call(const ResolvedCall& resolved, std::vector<BoundPtr> children) {
    for (size_t i = 0; i < children.size(); ++i) {
      children[i] = cast(std::move(children[i]), resolved.types.arguments[i], CastContext::kImplicit);
    }
    return BoundExpression::call(resolved, std::move(children));
  }

  BoundPtr cast(BoundPtr child, SqlType to, CastContext context) {
    if (child->type == to) return child;
    if (child->is_constant() && child->type.id == TypeId::kUnknown) {
      if (child->value.is_null()) return BoundExpression::constant(Value::null(to));
      return BoundExpression::constant(cast_value(state_, child->value, to, context));
    }
    const ScalarFunction* found = find_cast(child->type, to, context);
    if (found == nullptr) {
      throw sql_error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", format_type(child->type),
                      format_type(to));
    }
    std::vector<BoundPtr> children;
    const SqlType from = child->type;
    children.push_back(std::move(child));
    return BoundExpression::call({found, {{from}, to}}, std::move(children));
  }

  ExecutionContext context_;
  EvaluationState state_;
};

}  // namespace idem::test
