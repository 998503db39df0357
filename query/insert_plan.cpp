#include "query/insert_plan.h"

#include <algorithm>

#include "common/error.h"
#include "parser/parser.h"

namespace idem {

namespace {

constexpr size_t kMaxCachedRows = 1000;

bool reads_nothing(const BoundExpression& e) {
  if (e.kind == BoundKind::kSubquery || e.kind == BoundKind::kColumn) return false;
  return std::all_of(e.children.begin(), e.children.end(),
                     [](const BoundPtr& c) { return reads_nothing(*c); });
}

// VALUES whose cells can be evaluated on their own, without a plan.
bool is_plain_values(const BoundQuery& query, size_t parameters) {
  if (query.plan->kind != PlanKind::kValues || !query.init_plans.empty() || query.slot_count > parameters)
    return false;
  for (const auto& row : query.plan->rows) {
    if (!std::all_of(row.begin(), row.end(), [](const BoundPtr& cell) { return reads_nothing(*cell); }))
      return false;
  }
  return true;
}

bool has_only_given_values(const InsertPlan& plan) {
  const auto given = [](const BoundPtr& e) {
    return e->kind == BoundKind::kSlot || e->kind == BoundKind::kConstant;
  };
  if (plan.query) return false;
  for (size_t c = 0; c < plan.source.size(); c++) {
    if (plan.source[c] < 0 && !given(plan.defaults[c])) return false;
  }
  return std::all_of(plan.rows.begin(), plan.rows.end(),
                     [&](const auto& row) { return std::all_of(row.begin(), row.end(), given); });
}

}  // namespace

bool InsertPlan::is_cacheable() const { return !query && rows.size() <= kMaxCachedRows; }

std::vector<uint32_t> resolve_target_columns(const TableSchema& schema,
                                             const std::vector<ast::Identifier>& names) {
  std::vector<uint32_t> targets;
  if (names.empty()) {
    for (uint32_t i = 0; i < schema.columns.size(); i++) targets.push_back(i);
    return targets;
  }
  for (const ast::Identifier& name : names) {
    int found = schema.find_column(name.text);
    if (found < 0) {
      throw sql_error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                      name.text, schema.name)
          .with_position(name.position);
    }
    if (std::find(targets.begin(), targets.end(), static_cast<uint32_t>(found)) != targets.end()) {
      throw sql_error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once", name.text)
          .with_position(name.position);
    }
    targets.push_back(static_cast<uint32_t>(found));
  }
  return targets;
}

Assignments resolve_assignments(const TableSchema& schema, const std::vector<ast::Assignment>& assignments) {
  std::vector<ast::Identifier> names;
  for (const ast::Assignment& assignment : assignments) {
    for (const ast::Identifier& name : assignment.columns) {
      if (std::any_of(names.begin(), names.end(),
                      [&](const auto& other) { return other.text == name.text; })) {
        throw sql_error(sqlstate::kSyntaxError, "multiple assignments to same column \"{}\"", name.text)
            .with_position(name.position);
      }
      names.push_back(name);
    }
  }
  Assignments resolved;
  resolved.targets = resolve_target_columns(schema, names);
  for (const ast::Assignment& assignment : assignments) {
    for (size_t field = 0; field < assignment.columns.size(); field++) {
      const ColumnSchema& column = schema.columns[resolved.targets[resolved.outputs.size()]];
      TargetOutput output{assignment.value.get(), assignment_type(column.type), column.name, field,
                          assignment.columns.size()};
      if (assignment.value->kind == ast::ExpressionKind::kDefault) {
        ast::ExpressionPtr value = parse_default(column);
        resolved.defaults.push_back(value ? std::move(value) : parser::parse_expression("NULL"));
        output.value = resolved.defaults.back().get();
      }
      resolved.outputs.push_back(std::move(output));
    }
  }
  return resolved;
}

SqlType assignment_type(SqlType column_type) {
  return column_type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : column_type;
}

ast::ExpressionPtr parse_default(const ColumnSchema& column) {
  return column.default_text.empty() ? nullptr : parser::parse_expression(column.default_text);
}

BoundPtr bind_default(const ColumnSchema& column, const NameResolver& names) {
  SqlType type = assignment_type(column.type);
  ast::ExpressionPtr parsed = parse_default(column);
  if (!parsed) return BoundExpression::constant(Value::null(type));
  ParameterTypes none;
  return bind_expression(*parsed, {}, names, none, type);
}

std::shared_ptr<const InsertPlan> plan_insert(std::shared_ptr<const TableSchema> schema,
                                              const ast::InsertStatement& s, const NameResolver& names,
                                              ParameterTypes& parameters) {
  auto plan = std::make_shared<InsertPlan>();
  plan->schema = std::move(schema);
  const std::vector<ColumnSchema>& columns = plan->schema->columns;
  std::vector<uint32_t> targets = resolve_target_columns(*plan->schema, s.columns);
  for (const ColumnSchema& column : columns) plan->defaults.push_back(bind_default(column, names));
  plan->source.assign(columns.size(), -1);
  if (!s.query) {  // DEFAULT VALUES
    plan->rows.emplace_back();
    plan->is_direct = has_only_given_values(*plan);
    return plan;
  }
  std::vector<ast::ExpressionPtr> default_trees;
  std::vector<InsertColumn> target_columns;
  for (uint32_t target : targets) {
    default_trees.push_back(parse_default(columns[target]));
    InsertColumn& column = target_columns.emplace_back();
    column.name = columns[target].name;
    column.type = assignment_type(columns[target].type);
    column.default_value = default_trees.back().get();
    if (!s.columns.empty()) column.listed_at = s.columns[target_columns.size() - 1].position;
  }
  auto query = std::make_shared<BoundQuery>(
      bind_insert_rows(*s.query, target_columns, names, parameters, s.with.get()));
  for (size_t i = 0; i < targets.size(); i++) plan->source[targets[i]] = static_cast<int>(i);
  if (is_plain_values(*query, parameters.types.size())) plan->rows = std::move(query->plan->rows);
  else plan->query = std::move(query);
  plan->is_direct = has_only_given_values(*plan);
  return plan;
}

}  // namespace idem
