#include "query/plan_walk.h"
#include "query/query_binder.h"

namespace idem::binding {

QueryBinder::Inner QueryBinder::bind_inner(const ast::Query& query, ExpressionContext& context) {
  OuterLink link;
  link.scope = context.scope;
  link.context = &context;
  Environment environment;
  environment.outer = &link;
  environment.ctes = context.ctes;
  environment.view = context.view;
  Inner inner;
  inner.result = bind_query(query, environment);
  inner.correlated = std::move(link.correlated);
  return inner;
}

BoundPtr QueryBinder::scalar_subquery(Inner inner, uint32_t position, ExpressionContext& context) {
  PlanPtr& plan = inner.result.plan;
  BoundPtr bound = BoundExpression::make(BoundKind::kSubquery, plan->columns[0].type, {});
  bound->position = position;
  bound->shape = plan->columns[0].shape;
  if (inner.correlated.empty() && init_plans_allowed_ && !context.conditional) {
    BoundPtr value = BoundExpression::slot(new_slot(), bound->type);
    value->shape = bound->shape;
    init_plans_.emplace_back(value->index, std::move(plan));
    return value;
  }
  bound->subquery_kind = SubqueryKind::kScalar;
  bound->subquery = std::move(plan);
  bound->correlated = std::move(inner.correlated);
  return bound;
}

BoundPtr QueryBinder::bind_row_subquery(const ast::Query& query, uint32_t position,
                                        ExpressionContext& context) {
  Inner inner = bind_inner(query, context);
  std::vector<BoundPtr> values;
  std::vector<std::string> names;
  for (size_t i = 0; i < inner.result.visible; i++) {
    const PlanColumn& column = inner.result.plan->columns[i];
    values.push_back(BoundExpression::column(static_cast<uint32_t>(i), column.type));
    values.back()->shape = column.shape;
    names.push_back(column.name);
  }
  BoundPtr record = make_record(std::move(values), names, position);
  PlanPtr project = make_node(PlanKind::kProject, std::move(inner.result.plan));
  project->columns.clear();
  project->columns.push_back({"row", record->type, {}, 0, record->shape});
  project->expressions.push_back(std::move(record));
  inner.result.plan = std::move(project);
  return scalar_subquery(std::move(inner), position, context);
}

BoundAssignments QueryBinder::bind_assignments(const std::vector<TargetOutput>& outputs, uint32_t width,
                                               ExpressionContext& context) {
  BoundAssignments bound;
  std::vector<ScopeColumn> fields;  // of the last row
  for (const TargetOutput& output : outputs) {
    const uint32_t position = output.value->position;
    if (output.fields > 1 && output.field == 0) {
      const auto& subquery = ast::as<ast::Subquery>(*output.value);
      BoundPtr row = bind_row_subquery(*subquery.query, position, context);
      if (row->shape->fields.size() != output.fields) {
        throw sql_error(sqlstate::kSyntaxError, "number of columns does not match number of values")
            .with_position(position);
      }
      const BoundPtr reference =
          BoundExpression::column(width + static_cast<uint32_t>(bound.rows.size()), row->type);
      reference->shape = row->shape;
      fields = record_fields(*reference, position);
      bound.rows.push_back(std::move(row));
    }
    BoundPtr value = output.fields > 1 ? fields[output.field].reference() : bind(*output.value, context);
    bound.values.push_back(assign(std::move(value), output.type, output.column, position));
  }
  return bound;
}

BoundPtr QueryBinder::bind_subquery(const ast::Subquery& subquery, ExpressionContext& context) {
  Inner inner = bind_inner(*subquery.query, context);
  QueryResult& result = inner.result;
  BoundPtr bound = BoundExpression::make(BoundKind::kSubquery, TypeId::kBoolean, {});
  bound->position = subquery.position;
  if (subquery.form == ast::Subquery::Form::kExists) {
    bound->subquery_kind = SubqueryKind::kExists;
  } else {
    if (result.visible != 1) {
      throw sql_error(sqlstate::kSyntaxError, "subquery must return only one column")
          .with_position(subquery.position);
    }
    if (subquery.form == ast::Subquery::Form::kScalar)
      return scalar_subquery(std::move(inner), subquery.position, context);
    bound->type = result.plan->columns[0].type;
    bound->subquery_kind = SubqueryKind::kArray;
    if (bound->type.id == TypeId::kArray) {
      throw sql_error(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported")
          .with_position(subquery.position);
    }
    if (bound->type.id == TypeId::kSymbol) bound->type = TypeId::kVarchar;
    std::vector<SqlType> types{bound->type};
    for (size_t i = 1; i < result.plan->columns.size(); i++) types.push_back(result.plan->columns[i].type);
    result.plan = coerce_outputs(std::move(result.plan), types, CastContext::kImplicit, subquery.position);
    bound->type = SqlType::array_of(bound->type.id);
  }
  bound->subquery = std::move(result.plan);
  bound->correlated = std::move(inner.correlated);
  return bound;
}

BoundPtr QueryBinder::bind_any_subquery(SubqueryKind kind, std::string_view symbol,
                                        const ast::Expression& left, const ast::Query& query,
                                        uint32_t position, ExpressionContext& context) {
  std::vector<BoundPtr> sides;
  if (const auto* row = ast::try_as<ast::Row>(&left)) {
    sides = bind_row_items(*row, context);
  } else {
    sides.push_back(bind(left, context));
  }
  Inner inner = bind_inner(query, context);
  const size_t count = sides.size();
  if (inner.result.visible != count) {
    throw sql_error(sqlstate::kSyntaxError, "subquery has too {} columns",
                    inner.result.visible > count ? "many" : "few")
        .with_position(position);
  }
  std::vector<BoundPtr> here, there;
  for (size_t i = 0; i < count; i++) {
    SqlType type = inner.result.plan->columns[i].type;
    if (sides[i]->type.id == TypeId::kUnknown)
      sides[i] = coerce(std::move(sides[i]), type, CastContext::kImplicit, left.position);
    here.push_back(BoundExpression::column(static_cast<uint32_t>(i), sides[i]->type));
    there.push_back(BoundExpression::column(static_cast<uint32_t>(count + i), type));
  }
  BoundPtr bound = BoundExpression::make(BoundKind::kSubquery, TypeId::kBoolean, std::move(sides));
  bound->position = position;
  bound->subquery_kind = kind;
  if (count == 1) {
    std::vector<BoundPtr> both;
    both.push_back(std::move(here[0]));
    both.push_back(std::move(there[0]));
    bound->comparison = call_operator(symbol, std::move(both), position);
    if (bound->comparison->type.id != TypeId::kBoolean) {
      throw sql_error(sqlstate::kDatatypeMismatch, "operator {} must return type boolean, not type {}",
                      symbol, format_type(bound->comparison->type))
          .with_position(position);
    }
  } else {
    bound->comparison = compare_rows(symbol, std::move(here), std::move(there), position);
  }
  bound->subquery = std::move(inner.result.plan);
  bound->correlated = std::move(inner.correlated);
  return bound;
}

}  // namespace idem::binding
