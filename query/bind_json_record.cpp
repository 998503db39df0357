// Rows from JSON objects: json_to_record(set)(…) AS x(a int, …) and json_populate_record(set)(row, …), and those of JSONB.
#include <algorithm>

#include "query/json_record.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

// What the name of such a function says.
struct RecordFunction {
  SqlType json;
  bool is_set = false;    // an array of objects, one row of each
  bool has_base = false;  // a row gives the columns, and the values of those that an object does not have
};

bool is_null_constant(const BoundExpression& expression) {
  return expression.is_constant() && expression.value.is_null();
}

std::optional<RecordFunction> find_record_function(std::string_view name) {
  const bool is_jsonb = name.starts_with("jsonb_");
  if (!is_jsonb && !name.starts_with("json_")) return std::nullopt;
  name.remove_prefix(is_jsonb ? 6 : 5);
  RecordFunction function{is_jsonb ? TypeId::kJsonb : TypeId::kJson, name.ends_with("set"),
                          name.starts_with("populate_")};
  if (function.is_set) name.remove_suffix(3);
  if (name != (function.has_base ? "populate_record" : "to_record")) return std::nullopt;
  return function;
}

BoundPtr call_with_field(const ScalarFunction& function, SqlType result, const BoundExpression& json,
                         const std::string& field) {
  ResolvedCall call{&function, {{json.type, TypeId::kText}, result}};
  std::vector<BoundPtr> arguments;
  arguments.push_back(json.clone());
  arguments.push_back(BoundExpression::constant(Value::of_string(TypeId::kText, field)));
  return BoundExpression::call(call, std::move(arguments));
}

// The field of a JSON object as a column of the type that was declared for it.
BoundPtr record_column(QueryBinder& binder, const BoundExpression& json, const std::string& name,
                       SqlType type, uint32_t position) {
  const bool is_json = type.id == TypeId::kJson || type.id == TypeId::kJsonb;
  BoundPtr field = call_with_field(json_record_field_function(type),
                                   is_json ? json.type : SqlType(TypeId::kText), json, name);
  // What is too long for a VARCHAR(n) is an error as in any input.
  const bool is_sized_text = is_string_like(type.id);
  return binder.coerce(std::move(field), type,
                       is_sized_text ? CastContext::kAssignment : CastContext::kExplicit, position);
}

}  // namespace

// The table whose row NULL::table is.
std::shared_ptr<const TableVersion> QueryBinder::table_of_null(const ast::Expression& expression) const {
  const auto* cast = ast::try_as<ast::Cast>(&expression);
  const auto* literal = cast ? ast::try_as<ast::Literal>(cast->operand.get()) : nullptr;
  if (!literal || literal->literal != ast::LiteralKind::kNull || cast->type.is_array()) return nullptr;
  std::vector<std::string> name{cast->type.name};
  if (!cast->type.schema.empty()) {
    names_.check_schema(cast->type.schema, Privilege::kUsage);
    name.insert(name.begin(), cast->type.schema);
  }
  return names_.find_table(name);
}

// The columns that a list after AS says. A base beside it says nothing more: it is NULL.
std::vector<QueryBinder::RecordColumn> QueryBinder::defined_columns(
    const std::vector<ast::ColumnTypePair>& definitions, const ast::Expression* base,
    ExpressionContext& context) {
  if (base && table_of_null(*base)) {
    throw sql_error(sqlstate::kSyntaxError,
                    "a column definition list is redundant for a function returning a named composite type")
        .with_position(definitions[0].name.position);
  }
  if (base && !is_null_constant(*bind(*base, context))) {
    throw sql_error(sqlstate::kFeatureNotSupported, "a column definition list beside a row is not supported")
        .with_position(definitions[0].name.position);
  }
  std::vector<RecordColumn> columns;
  for (const ast::ColumnTypePair& column : definitions)
    columns.push_back({column.name.text, resolve_type(column.type), nullptr, column.name.position});
  return columns;
}

// The columns of NULL::table, or of any row whose fields are known.
std::vector<QueryBinder::RecordColumn> QueryBinder::base_columns(const ast::FunctionCall& call,
                                                                 ExpressionContext& context) {
  const ast::Expression& base = *call.arguments[0];
  std::vector<RecordColumn> columns;
  if (const auto table = table_of_null(base)) {
    for (const ColumnSchema& column : table->schema->columns)
      columns.push_back({column.name, column.type, nullptr, base.position});
    return columns;
  }
  const BoundPtr row = bind(base, context);
  if (row->type.id != TypeId::kRecord) {
    throw sql_error(sqlstate::kDatatypeMismatch, "first argument of {} must be a row type", call.function())
        .with_hint("Give NULL::table, or a row whose columns are to be filled.")
        .with_position(base.position);
  }
  if (!row->shape) {
    throw sql_error(sqlstate::kFeatureNotSupported, "could not determine row type for result of {}",
                    call.function())
        .with_hint(
            "Provide a non-null record argument, or call the function in the FROM clause using a column "
            "definition list.")
        .with_position(base.position);
  }
  for (ScopeColumn& field : record_fields(*row, base.position))
    columns.push_back({field.name, field.type, field.reference(), base.position});
  return columns;
}

// The field if the object has it, else what stands in the base row.
BoundPtr QueryBinder::fill_record_column(const BoundExpression& json, const RecordColumn& column) {
  BoundPtr value = record_column(*this, json, column.name, column.type, column.position);
  if (!column.base) return value;
  return make_choice(call_with_field(json_has_field_function(), TypeId::kBoolean, json, column.name),
                     std::move(value), column.base->clone());
}

std::optional<Source> QueryBinder::bind_json_record(const ast::TableFunction& function,
                                                    ExpressionContext& context) {
  const ast::FunctionCall& call = *function.calls[0];
  const std::string& name = call.function();
  const std::optional<RecordFunction> record = find_record_function(name);
  if (!record) return std::nullopt;
  const std::vector<ast::ColumnTypePair>& definitions = function.column_definitions;
  if (!record->has_base && definitions.empty()) {
    throw sql_error(sqlstate::kSyntaxError,
                    "a column definition list is required for functions returning \"record\"")
        .with_position(call.position);
  }
  const size_t argument_count = record->has_base ? 2 : 1;
  if (function.calls.size() > 1 || function.with_ordinality || call.arguments.size() != argument_count) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{}() is supported with {} and alone", name,
                    record->has_base ? "two arguments" : "one argument")
        .with_position(call.position);
  }
  const std::vector<RecordColumn> columns =
      definitions.empty()
          ? base_columns(call, context)
          : defined_columns(definitions, record->has_base ? call.arguments[0].get() : nullptr, context);
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->columns.push_back({"value", record->json});
  BoundPtr argument =
      coerce(bind(*call.arguments.back(), context), record->json, CastContext::kImplicit, call.position);
  if (record->is_set) {
    plan->kind = PlanKind::kTableFunction;
    plan->table_function = find_table_function(record->json.id == TypeId::kJsonb ? "jsonb_array_elements"
                                                                                 : "json_array_elements");
    plan->function_types = {record->json};
    plan->expressions.push_back(std::move(argument));
  } else {
    plan->rows.emplace_back();
    plan->rows[0].push_back(std::move(argument));
  }
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  project->children.push_back(std::move(plan));
  const BoundPtr json = BoundExpression::column(0, record->json);
  for (const RecordColumn& column : columns) {
    BoundPtr value = fill_record_column(*json, column);
    project->columns.push_back({column.name, value->type});
    project->expressions.push_back(std::move(value));
  }
  QueryResult result;
  result.visible = project->columns.size();
  result.plan = std::move(project);
  return result_source(std::move(result), name);
}

BoundPtr QueryBinder::bind_json_record_value(const ast::FunctionCall& call, const std::string& name,
                                             ExpressionContext& context) {
  const std::optional<RecordFunction> record = find_record_function(name);
  if (!record) return nullptr;
  if (record->is_set || !record->has_base || call.arguments.size() != 2) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{}() is supported in the FROM clause", name)
        .with_position(call.position);
  }
  const std::vector<RecordColumn> columns = base_columns(call, context);
  const BoundPtr json =
      coerce(bind(*call.arguments[1], context), record->json, CastContext::kImplicit, call.position);
  std::vector<BoundPtr> values;
  std::vector<std::string> names;
  for (const RecordColumn& column : columns) {
    values.push_back(fill_record_column(*json, column));
    names.push_back(column.name);
  }
  BoundPtr row = make_record(std::move(values), names, call.position);
  const bool has_base = std::any_of(columns.begin(), columns.end(),
                                    [](const RecordColumn& column) { return column.base != nullptr; });
  if (has_base) return row;
  std::vector<BoundPtr> tested;
  tested.push_back(json->clone());
  BoundPtr is_null = BoundExpression::make(BoundKind::kIsNull, TypeId::kBoolean, std::move(tested));
  BoundPtr null = BoundExpression::constant(Value::null(row->type));
  return make_choice(std::move(is_null), std::move(null), std::move(row));
}

}  // namespace idem::binding
