#include <algorithm>

#include "query/query_binder.h"

namespace idem::binding {

// To the type of the column that the value goes to; a SYMBOL column takes text.
BoundPtr QueryBinder::assign(BoundPtr value, SqlType column_type, const std::string& column,
                             uint32_t position) {
  if (column_type.id == TypeId::kUnknown) return resolve_unknown(std::move(value));
  if (column_type.id == TypeId::kSymbol && value->type.id == TypeId::kSymbol) return value;
  const SqlType type = column_type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : column_type;
  if (value->type.id != TypeId::kUnknown && value->type.id != type.id &&
      !can_cast(value->type, type, CastContext::kAssignment)) {
    throw sql_error(sqlstate::kDatatypeMismatch, "column \"{}\" is of type {} but expression is of type {}",
                    column, format_type(column_type), format_type(value->type))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(position);
  }
  return coerce(std::move(value), type, CastContext::kAssignment, position);
}

QueryResult QueryBinder::bind_values(const ast::Query& query, const Environment& environment,
                                     const OutputOptions& options) {
  Scope nothing;
  nothing.outer = environment.outer;
  ExpressionContext context;
  context.scope = &nothing;
  context.clause = "VALUES";
  context.ctes = environment.ctes;
  context.view = environment.view;
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kValues;
  const size_t width = query.values[0].size();
  plan->rows.reserve(query.values.size());
  for (const ast::ExpressionList& list : query.values) {
    if (list.size() != width) {
      throw sql_error(sqlstate::kSyntaxError, "VALUES lists must all be the same length")
          .with_position(list.empty() ? query.position : list[0]->position);
    }
    if (options.targets && list.size() > options.targets->size()) {
      throw sql_error(sqlstate::kSyntaxError, "INSERT has more expressions than target columns")
          .with_position(list[options.targets->size()]->position);
    }
    std::vector<BoundPtr> row;
    for (size_t i = 0; i < list.size(); i++) {
      const InsertColumn* target = options.targets ? &(*options.targets)[i] : nullptr;
      BoundPtr value;
      if (target && list[i]->kind == ast::ExpressionKind::kDefault) {
        ExpressionContext alone;
        Scope no_columns;
        alone.scope = &no_columns;
        alone.clause = "DEFAULT expressions";
        value = target->default_value ? bind(*target->default_value, alone)
                                      : BoundExpression::constant(Value::null(TypeId::kUnknown));
      } else {
        value = bind(*list[i], context);
      }
      row.push_back(target ? assign(std::move(value), target->type, target->name, list[i]->position)
                           : std::move(value));
    }
    plan->rows.push_back(std::move(row));
  }
  for (size_t c = 0; c < width; c++) {
    std::vector<BoundPtr> column;
    bool all_unknown = true;
    for (auto& row : plan->rows) {
      all_unknown = all_unknown && row[c]->type.id == TypeId::kUnknown;
      column.push_back(std::move(row[c]));
    }
    SqlType type = TypeId::kUnknown;
    if (options.targets) {
      type = column[0]->type;
      for (BoundPtr& e : column) e = coerce(std::move(e), type, CastContext::kImplicit, 0);
    } else if (!all_unknown || !options.keep_unknown) {
      type = unify(column, "VALUES", query.position);
    }
    for (size_t r = 0; r < column.size(); r++) plan->rows[r][c] = std::move(column[r]);
    plan->columns.push_back({fmt::format("column{}", c + 1), type});
  }
  QueryResult result;
  result.visible = width;
  result.plan = std::move(plan);
  return result;
}

bool QueryBinder::can_coerce_in_place(const LogicalPlan& plan, size_t column) const {
  const bool is_unknown = plan.columns[column].type.id == TypeId::kUnknown;
  switch (plan.kind) {
    case PlanKind::kProject:
    case PlanKind::kValues: return true;
    case PlanKind::kUnionAll: break;
    case PlanKind::kSetOperation:
    case PlanKind::kDistinct:
      // Another type may make other rows equal.
      if (!is_unknown || !plan.distinct_on.empty()) return false;
      break;
    default: return false;
  }
  return std::all_of(plan.children.begin(), plan.children.end(),
                     [&](const PlanPtr& child) { return can_coerce_in_place(*child, column); });
}

void QueryBinder::coerce_output(LogicalPlan& plan, size_t column, SqlType type, CastContext cast,
                                uint32_t position) {
  switch (plan.kind) {
    case PlanKind::kProject:
      plan.expressions[column] = coerce(std::move(plan.expressions[column]), type, cast, position);
      type = plan.expressions[column]->type;
      break;
    case PlanKind::kValues:
      for (auto& row : plan.rows) row[column] = coerce(std::move(row[column]), type, cast, position);
      break;
    default:
      for (const PlanPtr& child : plan.children) coerce_output(*child, column, type, cast, position);
  }
  PlanColumn& output = plan.columns[column];
  if (output.type != type) {
    output.table = TableId{};
    output.attribute = 0;
  }
  output.type = type;
}

PlanPtr QueryBinder::coerce_outputs(PlanPtr plan, const std::vector<SqlType>& types, CastContext cast,
                                    uint32_t position) {
  const auto differs = [&](size_t i) {
    const SqlType now = plan->columns[i].type;
    if (types[i].id == TypeId::kUnknown) return false;
    return now.id != types[i].id || now.element != types[i].element ||
           (types[i].modifier >= 0 && now.modifier != types[i].modifier);
  };
  const size_t count = std::min(types.size(), plan->columns.size());
  bool needs_project = false;
  for (size_t i = 0; i < count; i++) {
    if (!differs(i)) continue;
    if (can_coerce_in_place(*plan, i)) {
      coerce_output(*plan, i, types[i], cast, position);
    } else {
      needs_project = true;
    }
  }
  if (!needs_project) return plan;
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  for (size_t i = 0; i < plan->columns.size(); i++) {
    BoundPtr value = BoundExpression::column(static_cast<uint32_t>(i), plan->columns[i].type);
    const bool changed = i < count && differs(i);
    if (changed) value = coerce(std::move(value), types[i], cast, position);
    PlanColumn column = plan->columns[i];
    if (changed) {
      column.table = TableId{};
      column.attribute = 0;
    }
    column.type = value->type;
    project->columns.push_back(std::move(column));
    project->expressions.push_back(std::move(value));
  }
  project->children.push_back(std::move(plan));
  return project;
}

}  // namespace idem::binding
