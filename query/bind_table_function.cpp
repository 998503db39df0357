#include <algorithm>

#include "query/query_binder.h"

namespace idem::binding {

Source QueryBinder::bind_table_function(const ast::TableFunction& function, const Environment& lateral) {
  Scope nothing;
  nothing.outer = lateral.outer;
  ExpressionContext context;
  context.scope = &nothing;
  context.clause = "functions in FROM";
  context.ctes = lateral.ctes;
  context.view = lateral.view;
  if (std::optional<Source> record = bind_json_record(function, context)) return std::move(*record);
  if (!function.column_definitions.empty()) {
    throw sql_error(sqlstate::kFeatureNotSupported, "a column definition list of {}() is not supported",
                    function.calls[0]->function())
        .with_position(function.position);
  }
  std::vector<const ast::FunctionCall*> calls;
  for (const auto& call : function.calls) calls.push_back(call.get());
  const bool is_unnest_of_several =
      calls.size() == 1 && calls[0]->function() == "unnest" && calls[0]->arguments.size() > 1;
  if (calls.size() == 1 && !is_unnest_of_several) {
    Source source = bind_function_call(*calls[0], context, function.with_ordinality);
    Relation& relation = source.scope.relations[0];
    // FROM generate_series(1, 3) AS i: the only column takes the alias.
    if (relation.columns.size() == 1u + function.with_ordinality && !function.alias.empty() &&
        source.plan->kind != PlanKind::kVirtualScan) {
      relation.columns[0].name = function.alias.text;
      source.scope.visible = relation.columns;
    }
    return source;
  }
  if (function.with_ordinality) {
    throw sql_error(sqlstate::kFeatureNotSupported, "WITH ORDINALITY over several functions is not supported")
        .with_position(function.position);
  }
  return bind_lockstep(calls, context);
}

Source QueryBinder::bind_function_call(const ast::FunctionCall& call, ExpressionContext& context,
                                       bool with_ordinality) {
  const std::string& name = call.function();
  const bool is_plain = call.name.size() == 1 ||
                        equal_ignoring_case(call.name[call.name.size() - 2].text, "pg_catalog") ||
                        equal_ignoring_case(call.name[call.name.size() - 2].text, "information_schema");
  auto plan = std::make_shared<LogicalPlan>();
  if (is_plain && !call.bare_keyword) {
    if (auto feed = names_.bind_change_function(call)) {
      is_for_once_ = true;
      if (with_ordinality) {
        throw sql_error(sqlstate::kFeatureNotSupported, "WITH ORDINALITY of {}() is not supported", name)
            .with_position(call.position);
      }
      return bind_virtual(std::move(feed), name, {});
    }
    if (auto table = names_.find_virtual_function(name)) {
      if (with_ordinality) {
        throw sql_error(sqlstate::kFeatureNotSupported, "WITH ORDINALITY of {}() is not supported", name)
            .with_position(call.position);
      }
      std::vector<BoundPtr> arguments;
      for (const auto& argument : call.arguments)
        arguments.push_back(resolve_unknown(bind(*argument, context)));
      return bind_virtual(std::move(table), name, std::move(arguments));
    }
    if (const TableFunction* function = find_table_function(name)) {
      std::vector<std::pair<std::string, SqlType>> columns;
      SetCall set = make_set_call(call, *function, bind_arguments(call, name, context), &columns);
      plan->kind = PlanKind::kTableFunction;
      plan->table_function = function;
      plan->function_types = std::move(set.types);
      plan->expressions = std::move(set.arguments);
      plan->with_ordinality = with_ordinality;
      for (auto& [column, type] : columns) plan->columns.push_back({std::move(column), type});
      if (with_ordinality) plan->columns.push_back({"ordinality", TypeId::kBigInt});
    }
  }
  if (plan->columns.empty()) {
    // A function that gives one value: one row.
    if (with_ordinality) {
      throw sql_error(sqlstate::kFeatureNotSupported, "WITH ORDINALITY of {}() is not supported", name)
          .with_position(call.position);
    }
    BoundPtr value = resolve_unknown(bind(call, context));
    plan->columns.push_back({name, value->type});
    plan->rows.emplace_back();
    plan->rows[0].push_back(std::move(value));
  }
  QueryResult result;
  result.visible = plan->columns.size();
  result.plan = std::move(plan);
  return result_source(std::move(result), name);
}

// ROWS FROM (f(…), g(…)), unnest(a, b): side by side, the shorter ones filled with NULL.
Source QueryBinder::bind_lockstep(const std::vector<const ast::FunctionCall*>& calls,
                                  ExpressionContext& context) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kProjectSet;
  plan->children.push_back(one_row());
  const auto add = [&](const ast::FunctionCall& call, const TableFunction& function,
                       std::vector<BoundPtr> arguments) {
    std::vector<std::pair<std::string, SqlType>> columns;
    plan->set_calls.push_back(make_set_call(call, function, std::move(arguments), &columns));
    for (auto& [column, type] : columns) plan->columns.push_back({std::move(column), type});
  };
  for (const ast::FunctionCall* call : calls) {
    const TableFunction* function = find_table_function(call->function());
    if (!function) {
      throw sql_error(sqlstate::kFeatureNotSupported, "{}() among several functions in FROM is not supported",
                      call->function())
          .with_position(call->position);
    }
    std::vector<BoundPtr> arguments = bind_arguments(*call, call->function(), context);
    if (call->function() != "unnest") {
      add(*call, *function, std::move(arguments));
      continue;
    }
    for (BoundPtr& argument : arguments) {
      std::vector<BoundPtr> one;
      one.push_back(std::move(argument));
      add(*call, *function, std::move(one));
    }
  }
  QueryResult result;
  result.visible = plan->columns.size();
  result.plan = std::move(plan);
  return result_source(std::move(result), calls[0]->function());
}

}  // namespace idem::binding
