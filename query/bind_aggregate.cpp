#include <algorithm>

#include "query/query_binder.h"
#include "query/record_functions.h"

namespace idem::binding {

namespace {

bool reads_slot(const BoundExpression& e, uint32_t slot) {
  if (e.kind == BoundKind::kSlot && e.index == slot) return true;
  for (const auto& [inner, value] : e.correlated) {
    if (reads_slot(*value, slot)) return true;
  }
  return std::any_of(e.children.begin(), e.children.end(),
                     [slot](const BoundPtr& c) { return reads_slot(*c, slot); });
}

// percentile_cont(…) and percentile_disc(…) have WITHIN GROUP, mode() may have it, others may not.
void check_within_group(const ast::FunctionCall& call, std::string_view name) {
  const bool is_ordered_set = name == "percentile_cont" || name == "percentile_disc";
  if (is_ordered_set && !call.within_group) {
    throw sql_error(sqlstate::kWrongObjectType, "WITHIN GROUP is required for ordered-set aggregate {}", name)
        .with_position(call.position);
  }
  if (!call.within_group) return;
  if (!is_ordered_set && name != "mode") {
    throw sql_error(sqlstate::kWrongObjectType,
                    "{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
        .with_position(call.position);
  }
  if (call.distinct) {
    throw sql_error(sqlstate::kSyntaxError, "cannot use DISTINCT with WITHIN GROUP")
        .with_position(call.position);
  }
}

// How many columns of the queries around are read so far, to forget those that an expression bound in vain has added.
class OuterColumns {
 public:
  explicit OuterColumns(const Scope& scope) {
    for (OuterLink* link = scope.outer; link; link = link->scope->outer)
      counts_.emplace_back(link, link->correlated.size());
  }
  void restore() const {
    for (const auto& [link, count] : counts_) link->correlated.resize(count);
  }

 private:
  std::vector<std::pair<OuterLink*, size_t>> counts_;
};

// Whether it reads columns of a query around, and none of its own.
bool belongs_outside(const BoundAggregate& aggregate, const Scope& scope) {
  bool reads_outer = false;
  const auto reads_here = [&](const BoundExpression& e) {
    for (const auto& [slot, value] : scope.outer->correlated)
      reads_outer = reads_outer || reads_slot(e, slot);
    return QueryBinder::contains_columns(e);
  };
  for (const BoundPtr& argument : aggregate.arguments) {
    if (reads_here(*argument)) return false;
  }
  for (const BoundAggregate::Order& order : aggregate.order_by) {
    if (reads_here(*order.expression)) return false;
  }
  if (aggregate.filter && reads_here(*aggregate.filter)) return false;
  return reads_outer;
}

}  // namespace

BoundAggregate QueryBinder::bind_aggregate_call(const ast::FunctionCall& call, const std::string& name,
                                                ExpressionContext& context) {
  ExpressionContext inner = context;
  inner.sets = nullptr;
  inner.clause = "aggregate function calls";
  BoundAggregate aggregate;
  aggregate.name = name;
  aggregate.distinct = call.distinct;
  if (call.distinct && call.arguments.empty()) {
    throw sql_error(sqlstate::kWrongObjectType, "DISTINCT is not allowed in {}(*)", name)
        .with_position(call.position);
  }
  check_within_group(call, name);
  const bool is_json = name.starts_with("json");
  bool of_rows = false;
  for (const auto& argument : call.arguments) {
    BoundPtr bound = bind(*argument, inner);
    if (is_json) {
      of_rows = name == "json_agg" && bound->type.id == TypeId::kRecord;
      bound = json_of_record(std::move(bound), argument->position);
    }
    aggregate.arguments.push_back(std::move(bound));
  }
  for (const ast::OrderItem& item : call.order_by) {
    SortKey key = sort_key(item, resolve_unknown(bind(*item.expression, inner)));
    if (call.within_group) aggregate.arguments.push_back(key.expression->clone());
    aggregate.order_by.push_back({std::move(key.expression), key.descending, key.nulls_first});
  }
  std::vector<SqlType> types;
  for (const BoundPtr& a : aggregate.arguments) types.push_back(a->type);
  ResolvedAggregate resolved =
      at_position(call.position, [&] { return resolve_aggregate(of_rows ? kJsonOfRows : name, types); });
  if (call.star && !resolved.function->star_allowed) {
    throw sql_error(sqlstate::kUndefinedFunction, "function {}() does not exist", name)
        .with_position(call.position);
  }
  aggregate.function = resolved.function;
  aggregate.types = resolved.types;
  for (size_t i = 0; i < aggregate.arguments.size(); i++) {
    BoundPtr& argument = aggregate.arguments[i];
    if (i < aggregate.types.arguments.size() && aggregate.types.arguments[i].id != TypeId::kUnknown) {
      const BoundPtr given = argument->clone();
      argument = coerce(std::move(argument), aggregate.types.arguments[i], CastContext::kImplicit);
      // ORDER BY means the argument as the function takes it.
      for (BoundAggregate::Order& order : aggregate.order_by) {
        if (!call.within_group && order.expression->equals(*given)) order.expression = argument->clone();
      }
    } else {
      argument = resolve_unknown(std::move(argument));
      if (i < aggregate.types.arguments.size()) aggregate.types.arguments[i] = argument->type;
    }
  }
  if (call.distinct) {
    for (const BoundAggregate::Order& order : aggregate.order_by) {
      const bool listed = std::any_of(aggregate.arguments.begin(), aggregate.arguments.end(),
                                      [&](const BoundPtr& a) { return a->equals(*order.expression); });
      if (!listed) {
        throw sql_error(sqlstate::kInvalidColumnReference,
                        "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
            .with_position(call.position);
      }
    }
  }
  if (call.filter) aggregate.filter = bind_condition(*call.filter, inner, "FILTER");
  return aggregate;
}

BoundPtr QueryBinder::bind_aggregate(const ast::FunctionCall& call, const std::string& name,
                                     ExpressionContext& context) {
  OuterLink* const outside = context.scope->outer;
  const auto check_place = [&] {
    if (context.in_aggregate) {
      throw sql_error(sqlstate::kGroupingError, "aggregate function calls cannot be nested")
          .with_position(call.position);
    }
    if (!context.aggregates) {
      throw sql_error(sqlstate::kGroupingError, "aggregate functions are not allowed in {}", context.clause)
          .with_position(call.position);
    }
  };
  if (!outside) check_place();
  const OuterColumns columns_before(*context.scope);
  ExpressionContext inner = context;
  inner.in_aggregate = true;
  BoundAggregate aggregate = bind_aggregate_call(call, name, inner);
  if (outside && belongs_outside(aggregate, *context.scope)) {
    columns_before.restore();
    return bind_outer_aggregate(call, name, *outside);
  }
  check_place();
  AggregateSink& sink = *context.aggregates;
  SqlType type = aggregate.types.result;
  for (size_t i = 0; sink.share_equal && i < sink.aggregates.size(); i++) {
    if (equal_aggregates(sink.aggregates[i], aggregate)) {
      return BoundExpression::column(kAggregateMark | static_cast<uint32_t>(i), type);
    }
  }
  sink.aggregates.push_back(std::move(aggregate));
  return BoundExpression::column(kAggregateMark | static_cast<uint32_t>(sink.aggregates.size() - 1), type);
}

// The aggregate is one of the query around: there it is bound and computed, here its value is read.
BoundPtr QueryBinder::bind_outer_aggregate(const ast::FunctionCall& call, const std::string& name,
                                           OuterLink& link) {
  if (!link.context) {
    throw sql_error(sqlstate::kGroupingError,
                    "aggregate functions are not allowed in FROM clause of their own query level")
        .with_position(call.position);
  }
  BoundPtr value = bind_aggregate(call, name, *link.context);
  for (const auto& [slot, expression] : link.correlated) {
    if (expression->equals(*value)) return BoundExpression::slot(slot, value->type);
  }
  const uint32_t slot = new_slot();
  const SqlType type = value->type;
  link.correlated.emplace_back(slot, std::move(value));
  return BoundExpression::slot(slot, type);
}

BoundPtr QueryBinder::bind_grouping(const ast::FunctionCall& call, ExpressionContext& context) {
  if (!context.aggregates || context.in_aggregate) {
    throw sql_error(sqlstate::kGroupingError, "grouping operations are not allowed in {}",
                    context.in_aggregate ? "aggregate function calls" : context.clause)
        .with_position(call.position);
  }
  constexpr size_t kMaxArguments = 31;
  if (call.arguments.empty() || call.arguments.size() > kMaxArguments) {
    throw sql_error(sqlstate::kWrongObjectType, "GROUPING must have 1 to 31 arguments")
        .with_position(call.position);
  }
  std::vector<BoundPtr> arguments;
  for (const auto& argument : call.arguments) arguments.push_back(bind(*argument, context));
  AggregateSink& sink = *context.aggregates;
  sink.groupings.push_back(std::move(arguments));
  sink.grouping_positions.push_back(call.position);
  return BoundExpression::column(kGroupingMark | static_cast<uint32_t>(sink.groupings.size() - 1),
                                 TypeId::kInteger);
}

SortKey QueryBinder::sort_key(const ast::OrderItem& item, BoundPtr expression) {
  SortKey key;
  key.expression = std::move(expression);
  key.descending = item.direction == ast::OrderItem::Direction::kDescending;
  if (!item.using_operator.empty()) {
    if (item.using_operator != "<" && item.using_operator != ">") {
      throw sql_error(sqlstate::kWrongObjectType, "operator {} is not a valid ordering operator",
                      item.using_operator)
          .with_hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
          .with_position(item.expression->position);
    }
    key.descending = item.using_operator == ">";
  }
  key.nulls_first = item.nulls == ast::OrderItem::Nulls::kDefault
                        ? key.descending
                        : item.nulls == ast::OrderItem::Nulls::kFirst;
  return key;
}

}  // namespace idem::binding
