#include "query/query_binder.h"
#include "query/record_functions.h"

namespace idem::binding {

namespace {

BoundPtr field_of(const BoundExpression& record, size_t field) {
  if (is_row_constructor(record)) return record.children[field]->clone();
  const RecordShape::Field& description = record.shape->fields[field];
  ResolvedCall call{&record_field_function(), {{TypeId::kRecord, TypeId::kInteger}, description.type}};
  std::vector<BoundPtr> arguments;
  arguments.push_back(record.clone());
  arguments.push_back(
      BoundExpression::constant(Value::of_int(TypeId::kInteger, static_cast<int64_t>(field))));
  BoundPtr value = BoundExpression::call(call, std::move(arguments));
  value->shape = description.shape;
  value->position = record.position;
  return value;
}

BoundPtr null_test(BoundPtr value) {
  std::vector<BoundPtr> children;
  children.push_back(std::move(value));
  return BoundExpression::make(BoundKind::kIsNull, TypeId::kBoolean, std::move(children));
}

BoundPtr null_where(BoundPtr condition, BoundPtr value) {
  BoundPtr null = BoundExpression::constant(Value::null(value->type));
  return QueryBinder::make_choice(std::move(condition), std::move(null), std::move(value));
}

}  // namespace

BoundPtr QueryBinder::make_choice(BoundPtr condition, BoundPtr value, BoundPtr otherwise) {
  const SqlType type = otherwise->type;
  const RecordShapePtr shape = otherwise->shape;
  std::vector<BoundPtr> children;
  children.push_back(std::move(condition));
  children.push_back(std::move(value));
  children.push_back(std::move(otherwise));
  BoundPtr choice = BoundExpression::make(BoundKind::kCase, type, std::move(children));
  choice->shape = shape;
  return choice;
}

BoundPtr QueryBinder::make_record(std::vector<BoundPtr> values, const std::vector<std::string>& names,
                                  uint32_t position) {
  auto shape = std::make_shared<RecordShape>();
  for (BoundPtr& value : values) {
    value = resolve_unknown(std::move(value));
    // The names of tables and types are for whoever reads the record: it keeps them, not their numbers.
    if (is_oid_like(value->type.id) && value->type.id != TypeId::kOid)
      value = coerce(std::move(value), TypeId::kText, CastContext::kExplicit, position);
  }
  std::vector<RecordShapePtr> inner;
  for (const BoundPtr& value : values) inner.push_back(value->shape);
  BoundPtr record = call_function("row", std::move(values), position);
  for (size_t i = 0; i < names.size(); i++)
    shape->fields.push_back({names[i], record->call_types.arguments[i], std::move(inner[i])});
  record->shape = std::move(shape);
  return record;
}

std::vector<ScopeColumn> QueryBinder::record_fields(const BoundExpression& record, uint32_t position) {
  if (!record.shape) {
    throw sql_error(sqlstate::kUndefinedColumn, "the fields of this composite value are not known")
        .with_position(position);
  }
  std::vector<ScopeColumn> fields;
  for (size_t i = 0; i < record.shape->fields.size(); i++) {
    ScopeColumn& column = fields.emplace_back();
    column.name = record.shape->fields[i].name;
    column.type = record.shape->fields[i].type;
    column.expression = field_of(record, i);
  }
  return fields;
}

// ROW(a, b): fields f1, f2.
BoundPtr QueryBinder::bind_row(const ast::Row& row, ExpressionContext& context) {
  std::vector<BoundPtr> values = bind_row_items(row, context);
  std::vector<std::string> names;
  for (size_t i = 0; i < values.size(); i++) names.push_back(fmt::format("f{}", i + 1));
  return make_record(std::move(values), names, row.position);
}

BoundPtr QueryBinder::bind_whole_row(const ast::ColumnRef& ref, ExpressionContext& context) {
  const ast::Identifier& name = ref.parts.back();
  const std::string_view schema =
      ref.parts.size() > 1 ? std::string_view(ref.parts[ref.parts.size() - 2].text) : "";
  const Scope* scope = context.scope;
  while (scope && scope->find_relation(name.text, schema, name.quoted) == SIZE_MAX)
    scope = scope->outer ? scope->outer->scope : nullptr;
  if (!scope) return nullptr;
  ast::Star star;
  star.position = ref.position;
  star.qualifier = ref.parts;
  std::vector<BoundPtr> values, is_null;
  std::vector<std::string> names;
  for (const ScopeColumn& column : expand_star(star, context)) {
    values.push_back(column.reference());
    is_null.push_back(null_test(column.reference()));
    names.push_back(column.name);
  }
  BoundPtr row = make_record(std::move(values), names, ref.position);
  // An outer join puts nothing but NULLs where it finds no row, and then there is no row.
  if (scope->relations.size() > 1) row = null_where(make_and(std::move(is_null)), std::move(row));
  row->position = ref.position;
  return row;
}

BoundPtr QueryBinder::json_of_record(BoundPtr value, uint32_t position) {
  if (value->type.id != TypeId::kRecord || !value->shape) return value;
  std::vector<BoundPtr> arguments;
  for (ScopeColumn& field : record_fields(*value, position)) {
    arguments.push_back(BoundExpression::constant(Value::of_string(TypeId::kText, field.name)));
    arguments.push_back(json_of_record(field.reference(), position));
  }
  ResolvedCall call{&json_of_fields_function(), {{}, TypeId::kJson}};
  for (const BoundPtr& argument : arguments) call.types.arguments.push_back(argument->type);
  BoundPtr json = BoundExpression::call(call, std::move(arguments));
  json->position = position;
  if (is_row_constructor(*value)) return json;
  return null_where(null_test(std::move(value)), std::move(json));
}

BoundPtr QueryBinder::bind_field(const ast::FieldSelect& field, ExpressionContext& context) {
  const auto pick = [&](const std::vector<ScopeColumn>& fields) {
    std::vector<size_t> found = find_columns(fields, field.field);
    if (found.size() != 1) {
      throw sql_error(sqlstate::kUndefinedColumn, "could not identify column \"{}\" in record data type",
                      field.field.text)
          .with_position(field.operand->position);
    }
    return fields[found[0]].reference();
  };
  // (f(x)).a takes the column of the function as it is.
  if (const auto* call = ast::try_as<ast::FunctionCall>(field.operand.get())) {
    if (const TableFunction* function = set_function(*call))
      return pick(bind_set_function(*call, *function, context));
  }
  if (const auto* ref = ast::try_as<ast::ColumnRef>(field.operand.get())) {
    if (!find_column(*ref, *context.scope)) {
      // (t).column
      ast::ColumnRef qualified;
      qualified.position = ref->position;
      qualified.parts = ref->parts;
      qualified.parts.push_back(field.field);
      return resolve_column(qualified, context);
    }
  }
  BoundPtr operand = bind(*field.operand, context);
  if (operand->type.id != TypeId::kRecord) {
    throw sql_error(sqlstate::kWrongObjectType,
                    "column notation .{} applied to type {}, which is not a composite type", field.field.text,
                    format_type(operand->type))
        .with_position(field.operand->position);
  }
  return pick(record_fields(*operand, field.position));
}

BoundPtr QueryBinder::bind_record_null_test(BoundPtr record, bool negated, uint32_t position) {
  ResolvedCall call{&record_null_function(negated), {{TypeId::kRecord}, TypeId::kBoolean}};
  std::vector<BoundPtr> arguments;
  arguments.push_back(std::move(record));
  BoundPtr test = BoundExpression::call(call, std::move(arguments));
  test->position = position;
  return test;
}

}  // namespace idem::binding
