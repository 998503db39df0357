#include "query/json_record.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

// The field of a JSON object as a column of the type that was declared for it.
BoundPtr record_column(QueryBinder& binder, SqlType json, const std::string& name, SqlType type,
                       uint32_t position) {
  const bool is_json = type.id == TypeId::kJson || type.id == TypeId::kJsonb;
  ResolvedCall call{&json_record_field_function(type),
                    {{json, TypeId::kText}, is_json ? json : SqlType(TypeId::kText)}};
  std::vector<BoundPtr> arguments;
  arguments.push_back(BoundExpression::column(0, json));
  arguments.push_back(BoundExpression::constant(Value::of_string(TypeId::kText, name)));
  BoundPtr field = BoundExpression::call(call, std::move(arguments));
  // What is too long for a VARCHAR(n) is an error as in any input.
  const bool is_sized_text = is_string_like(type.id);
  return binder.coerce(std::move(field), type,
                       is_sized_text ? CastContext::kAssignment : CastContext::kExplicit, position);
}

}  // namespace

std::optional<Source> QueryBinder::bind_json_record(const ast::TableFunction& function,
                                                    ExpressionContext& context) {
  const ast::FunctionCall& call = *function.calls[0];
  const std::string& name = call.function();
  const bool is_jsonb = name.starts_with("jsonb_");
  const SqlType json = is_jsonb ? TypeId::kJsonb : TypeId::kJson;
  const bool is_set = name.ends_with("_to_recordset");
  if (name != (is_jsonb ? "jsonb_to_record" : "json_to_record") + std::string(is_set ? "set" : ""))
    return std::nullopt;
  if (function.calls.size() > 1 || function.with_ordinality || call.arguments.size() != 1) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{}() is supported with one argument and alone", name)
        .with_position(call.position);
  }
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->columns.push_back({"value", json});
  BoundPtr argument = coerce(bind(*call.arguments[0], context), json, CastContext::kImplicit, call.position);
  if (is_set) {
    plan->kind = PlanKind::kTableFunction;
    plan->table_function = find_table_function(is_jsonb ? "jsonb_array_elements" : "json_array_elements");
    plan->function_types = {json};
    plan->expressions.push_back(std::move(argument));
  } else {
    plan->rows.emplace_back();
    plan->rows[0].push_back(std::move(argument));
  }
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  project->children.push_back(std::move(plan));
  for (const ast::ColumnTypePair& column : function.column_definitions) {
    BoundPtr value =
        record_column(*this, json, column.name.text, resolve_type(column.type), column.name.position);
    project->columns.push_back({column.name.text, value->type});
    project->expressions.push_back(std::move(value));
  }
  QueryResult result;
  result.visible = project->columns.size();
  result.plan = std::move(project);
  return result_source(std::move(result), name);
}

}  // namespace idem::binding
