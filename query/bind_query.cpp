#include <algorithm>

#include "query/query_binder.h"

namespace idem::binding {

namespace {

constexpr int kMaxQueryDepth = 200;

std::string_view set_operator_name(ast::SetOperator op) {
  switch (op) {
    case ast::SetOperator::kUnion: return "UNION";
    case ast::SetOperator::kIntersect: return "INTERSECT";
    case ast::SetOperator::kExcept: return "EXCEPT";
  }
  return "UNION";
}

void strip_hidden(QueryResult& result) {
  if (result.plan->columns.size() == result.visible) return;
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  for (size_t i = 0; i < result.visible; i++) {
    project->columns.push_back(result.plan->columns[i]);
    project->expressions.push_back(
        BoundExpression::column(static_cast<uint32_t>(i), result.plan->columns[i].type));
  }
  project->children.push_back(std::move(result.plan));
  result.plan = std::move(project);
}

}  // namespace

QueryResult QueryBinder::bind_query(const ast::Query& query, const Environment& environment,
                                    const OutputOptions& options) {
  if (depth_ >= kMaxQueryDepth) {
    throw sql_error(sqlstate::kStatementTooComplex, "queries are nested too deeply")
        .with_position(query.position);
  }
  depth_++;
  Environment inner = environment;
  CteScope* with = query.with ? push_with(*query.with, environment) : nullptr;
  if (with) inner.ctes = with;
  QueryResult result = query.kind == ast::QueryKind::kSelect ? bind_select_query(query, inner, options)
                                                             : bind_core(query, inner, options);
  if (with) check_unread(*with);
  strip_hidden(result);
  if (!options.keep_unknown) {
    std::vector<SqlType> types;
    for (const PlanColumn& column : result.plan->columns) {
      types.push_back(column.type.id == TypeId::kUnknown ? SqlType(TypeId::kText) : column.type);
    }
    result.plan = coerce_outputs(std::move(result.plan), types, CastContext::kImplicit, query.position);
  }
  depth_--;
  return result;
}

// VALUES and set operations: what is ordered are the output columns.
QueryResult QueryBinder::bind_core(const ast::Query& query, const Environment& environment,
                                   const OutputOptions& options) {
  const bool is_plain = query.order_by.empty() && query.limit.empty();
  OutputOptions inner = options;
  if (!is_plain) inner.keep_unknown = false;
  QueryResult result = query.kind == ast::QueryKind::kValues
                           ? bind_values(query, environment, inner)
                           : bind_set_operation(query, query.operands.size(), environment, inner);
  if (is_plain) return result;
  std::vector<SortKey> keys;
  for (const ast::OrderItem& item : query.order_by) {
    size_t index = SIZE_MAX;
    const auto* literal = ast::try_as<ast::Literal>(item.expression.get());
    const auto* ref = ast::try_as<ast::ColumnRef>(item.expression.get());
    if (literal && literal->literal == ast::LiteralKind::kInteger) {
      if (literal->integer < 1 || literal->integer > static_cast<int64_t>(result.visible)) {
        throw sql_error(sqlstate::kInvalidColumnReference, "ORDER BY position {} is not in select list",
                        literal->integer)
            .with_position(literal->position);
      }
      index = static_cast<size_t>(literal->integer - 1);
    } else if (ref && ref->parts.size() == 1) {
      std::vector<ScopeColumn> outputs;
      for (size_t i = 0; i < result.visible; i++) {
        outputs.push_back(plain_column(result.plan->columns[i].name, result.plan->columns[i].type,
                                       static_cast<uint32_t>(i)));
      }
      std::vector<size_t> found = find_columns(outputs, ref->parts[0]);
      if (found.empty()) {
        throw sql_error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", ref->parts[0].text)
            .with_position(ref->position);
      }
      if (found.size() > 1) {
        throw sql_error(sqlstate::kAmbiguousColumn, "ORDER BY \"{}\" is ambiguous", ref->parts[0].text)
            .with_position(ref->position);
      }
      index = found[0];
    } else {
      throw sql_error(sqlstate::kFeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
          .with_detail("Only result column names can be used, not expressions or functions.")
          .with_hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
          .with_position(item.expression->position);
    }
    keys.push_back(sort_key(
        item, BoundExpression::column(static_cast<uint32_t>(index), result.plan->columns[index].type)));
  }
  if (!keys.empty()) {
    auto sort = std::make_shared<LogicalPlan>();
    sort->kind = PlanKind::kSort;
    sort->columns = result.plan->columns;
    for (const SortKey& key : keys)
      sort->sort_keys.push_back({key.expression->clone(), key.descending, key.nulls_first});
    sort->children.push_back(std::move(result.plan));
    result.plan = std::move(sort);
  }
  result.plan = bind_limit(std::move(result.plan), query.limit, environment, std::move(keys));
  return result;
}

QueryResult QueryBinder::bind_set_operation(const ast::Query& query, size_t operand_count,
                                            const Environment& environment, const OutputOptions& options) {
  const std::string_view word = set_operator_name(query.set_operator);
  OutputOptions inner;
  inner.keep_unknown = true;
  std::vector<QueryResult> operands;
  for (size_t i = 0; i < operand_count; i++) {
    operands.push_back(bind_query(*query.operands[i], environment, inner));
    if (operands[i].visible != operands[0].visible) {
      throw sql_error(sqlstate::kSyntaxError, "each {} query must have the same number of columns", word)
          .with_position(query.operands[i]->position);
    }
  }
  const size_t width = operands[0].visible;
  std::vector<PlanColumn> columns;
  std::vector<SqlType> types;
  for (size_t c = 0; c < width; c++) {
    std::vector<SqlType> all;
    bool all_unknown = true;
    for (const QueryResult& operand : operands) {
      all.push_back(operand.plan->columns[c].type);
      all_unknown = all_unknown && all.back().id == TypeId::kUnknown;
    }
    SqlType type = TypeId::kUnknown;
    if (!all_unknown) {
      type = at_position(query.operands.back()->position, [&] { return common_type(all, word); });
    } else if (!options.keep_unknown) {
      type = TypeId::kText;
    }
    if (type.id == TypeId::kSymbol) type = TypeId::kVarchar;
    types.push_back(type);
    columns.push_back({operands[0].plan->columns[c].name, type});
    columns.back().shape = operands[0].plan->columns[c].shape;
    for (const QueryResult& operand : operands) {
      if (operand.plan->columns[c].shape != columns.back().shape) columns.back().shape.reset();
    }
  }
  QueryResult result;
  result.visible = width;
  const bool is_union = query.set_operator == ast::SetOperator::kUnion;
  result.timestamp = is_union && query.set_all ? operands[0].timestamp : -1;
  for (QueryResult& operand : operands) {
    if (operand.timestamp != result.timestamp) result.timestamp = -1;
    operand.plan = coerce_outputs(std::move(operand.plan), types, CastContext::kImplicit, query.position);
  }
  const auto combine_plans = [&](PlanKind kind, std::vector<PlanPtr> children) {
    auto plan = std::make_shared<LogicalPlan>();
    plan->kind = kind;
    plan->columns = columns;
    plan->children = std::move(children);
    return plan;
  };
  if (is_union) {
    std::vector<PlanPtr> children;
    for (QueryResult& operand : operands) {
      if (operand.plan->kind == PlanKind::kUnionAll) {
        children.insert(children.end(), operand.plan->children.begin(), operand.plan->children.end());
      } else {
        children.push_back(std::move(operand.plan));
      }
    }
    result.plan = combine_plans(PlanKind::kUnionAll, std::move(children));
    if (!query.set_all) result.plan = combine_plans(PlanKind::kDistinct, {std::move(result.plan)});
    return result;
  }
  result.plan = std::move(operands[0].plan);
  for (size_t i = 1; i < operands.size(); i++) {
    result.plan =
        combine_plans(PlanKind::kSetOperation, {std::move(result.plan), std::move(operands[i].plan)});
    result.plan->set_all = query.set_all;
    result.plan->set_except = query.set_operator == ast::SetOperator::kExcept;
  }
  return result;
}

PlanPtr QueryBinder::bind_limit(PlanPtr child, const ast::Limit& limit, const Environment& environment,
                                std::vector<SortKey> ties) {
  if (limit.empty()) return child;
  Scope nothing;
  ExpressionContext context;
  context.scope = &nothing;
  context.clause = "LIMIT";
  context.ctes = environment.ctes;
  context.view = environment.view;
  const auto bind_count = [&](const ast::ExpressionPtr& e, std::string_view word) -> BoundPtr {
    if (!e) return nullptr;
    context.clause = word;
    BoundPtr count = bind_typed(*e, context, TypeId::kBigInt, CastContext::kAssignment, word);
    if (std::optional<Value> value = constant_value(*count)) {
      BoundPtr constant = BoundExpression::constant(*value);
      constant->position = count->position;
      return constant;
    }
    return count;
  };
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kLimit;
  plan->columns = child->columns;
  plan->limit = bind_count(limit.count, "LIMIT");
  plan->offset = bind_count(limit.offset, "OFFSET");
  if (limit.range_start) {
    BoundPtr from = bind_count(limit.range_start, "LIMIT");
    const auto is_natural = [](const BoundPtr& e) {
      return e->is_constant() && !e->value.is_null() && e->value.as_int() >= 0;
    };
    if (!is_natural(from) || !is_natural(plan->limit)) {
      throw sql_error(sqlstate::kFeatureNotSupported, "LIMIT a, b takes constants that are not negative")
          .with_position(limit.range_start->position);
    }
    const int64_t count = std::max<int64_t>(0, plan->limit->value.as_int() - from->value.as_int());
    plan->limit = BoundExpression::constant(Value::of_int(TypeId::kBigInt, count));
    plan->offset = std::move(from);
  }
  if (plan->offset && plan->offset->is_constant() && !plan->offset->value.is_null() &&
      plan->offset->value.as_int() < 0) {
    throw sql_error(sqlstate::kInvalidRowCountInOffset, "OFFSET must not be negative")
        .with_position(plan->offset->position);
  }
  if (!limit.with_ties) {
    plan->children.push_back(std::move(child));
    return plan;
  }
  if (ties.empty()) {
    throw sql_error(sqlstate::kSyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
        .with_position(limit.count ? limit.count->position : 0);
  }
  // Rows of rank at most offset + count.
  auto window = std::make_shared<LogicalPlan>();
  window->kind = PlanKind::kWindow;
  window->columns = child->columns;
  window->columns.push_back({"rank", TypeId::kBigInt});
  LogicalPlan::Window rank;
  rank.function_name = "rank";
  rank.type = TypeId::kBigInt;
  std::vector<SortKey> order;
  for (const SortKey& key : ties) order.push_back({key.expression->clone(), key.descending, key.nulls_first});
  rank.order_by = std::move(ties);
  window->windows.push_back(std::move(rank));
  const auto rank_column = static_cast<uint32_t>(child->columns.size());
  std::vector<PlanColumn> visible = child->columns;
  window->children.push_back(std::move(child));
  BoundPtr most = std::move(plan->limit);
  if (plan->offset) {
    std::vector<BoundPtr> sum;
    sum.push_back(std::move(most));
    sum.push_back(plan->offset->clone());
    most = call_operator("+", std::move(sum), 0);
  }
  std::vector<BoundPtr> sides;
  sides.push_back(BoundExpression::column(rank_column, TypeId::kBigInt));
  sides.push_back(std::move(most));
  auto filter = std::make_shared<LogicalPlan>();
  filter->kind = PlanKind::kFilter;
  filter->columns = window->columns;
  filter->expressions.push_back(call_operator("<=", std::move(sides), 0));
  filter->children.push_back(std::move(window));
  auto sort = std::make_shared<LogicalPlan>();
  sort->kind = PlanKind::kSort;
  sort->columns = filter->columns;
  sort->sort_keys = std::move(order);
  sort->children.push_back(std::move(filter));
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  project->columns = visible;
  for (uint32_t i = 0; i < rank_column; i++)
    project->expressions.push_back(BoundExpression::column(i, visible[i].type));
  project->children.push_back(std::move(sort));
  if (!plan->offset) return project;
  plan->children.push_back(std::move(project));
  return plan;
}

}  // namespace idem::binding
