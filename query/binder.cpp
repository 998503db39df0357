#include "query/binder.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "parser/deparse.h"
#include "query/plan_walk.h"
#include "query/query_binder.h"
#include "query/source_table.h"
#include "query/table_union.h"

namespace idem {

namespace binding {

QueryBinder::QueryBinder(const NameResolver& names, ParameterTypes& parameters, bool init_plans_allowed)
    : names_(names),
      parameters_(parameters),
      init_plans_allowed_(init_plans_allowed),
      next_slot_(kFirstTemporarySlot) {
  context_.snapshot = &names.snapshot();
  context_.session = &names.session();
  context_.time_zone = find_time_zone(names.session().setting("timezone", true));
  if (!context_.time_zone) context_.time_zone = utc_time_zone();
  state_.context = &context_;
}

namespace {

// CTEs with one reader become part of it; recursions only where LIMIT may end them early, so that nothing starts them anew.
void inline_single_readers(const std::vector<PlanPtr>& roots, const std::set<uint32_t>& always) {
  std::unordered_map<uint32_t, std::unordered_set<const LogicalPlan*>> readers;
  for (const PlanPtr& root : roots) {
    for_each_node(root, [&](const PlanPtr& node) {
      if (node->kind == PlanKind::kMaterialize) readers[node->shared_id].insert(node.get());
    });
  }
  std::unordered_set<const LogicalPlan*> outermost;
  for (const LogicalPlan* node = roots[0].get();
       node->kind == PlanKind::kProject || node->kind == PlanKind::kLimit; node = node->children[0].get())
    outermost.insert(node);
  for (const PlanPtr& root : roots) {
    for_each_node(root, [&](const PlanPtr& node) {
      for (PlanPtr& child : node->children) {
        if (child->kind != PlanKind::kMaterialize || readers[child->shared_id].size() > 1 ||
            always.count(child->shared_id) > 0 ||
            (child->children[0]->kind == PlanKind::kRecursive && !outermost.contains(node.get()))) {
          continue;
        }
        PlanPtr inlined = child->children[0];
        // The names may be those of WITH q(a, b).
        for (size_t i = 0; i < child->columns.size(); i++) inlined->columns[i].name = child->columns[i].name;
        child = inlined;
      }
    });
  }
}

void number_slots(BoundExpression& e, uint32_t parameter_count) {
  const auto number = [parameter_count](uint32_t& slot) {
    if (slot >= kFirstTemporarySlot) slot = slot - kFirstTemporarySlot + parameter_count;
  };
  for_each_part(e, [&](BoundExpression& part) {
    if (part.kind == BoundKind::kSlot) number(part.index);
    for (auto& [slot, value] : part.correlated) number(slot);
  });
}

}  // namespace

BoundQuery QueryBinder::finish(PlanPtr plan) {
  // The top may be a kMaterialize itself.
  PlanPtr top = make_node(PlanKind::kProject, std::move(plan));
  std::vector<PlanPtr> roots{top};
  for (const auto& [slot, init] : init_plans_) roots.push_back(make_node(PlanKind::kProject, init));
  inline_single_readers(roots, always_materialized_);
  std::unordered_set<uint32_t> used;
  const auto collect_used = [&](const PlanPtr& root) {
    for_each_node(root, [&](const PlanPtr& node) {
      for_each_expression(*node, [&](BoundPtr& e) {
        for_each_part(*e, [&](BoundExpression& part) {
          if (part.kind == BoundKind::kSlot) used.insert(part.index);
        });
      });
    });
  };
  collect_used(roots[0]);
  // Later init plans may read earlier ones.
  std::vector<size_t> kept;
  for (size_t i = init_plans_.size(); i-- > 0;) {
    if (used.count(init_plans_[i].first) == 0) continue;
    collect_used(roots[i + 1]);
    kept.push_back(i);
  }
  std::reverse(kept.begin(), kept.end());
  for (SqlType& type : parameters_.types) {
    if (type.id == TypeId::kUnknown) type = TypeId::kText;
  }
  const auto parameter_count = static_cast<uint32_t>(parameters_.types.size());
  std::unordered_set<const LogicalPlan*> numbered;
  const auto number = [&](const PlanPtr& root) {
    for_each_node(root, [&](const PlanPtr& node) {
      if (!numbered.insert(node.get()).second) return;
      for (auto& [slot, value] : node->correlated) {
        if (slot >= kFirstTemporarySlot) slot = slot - kFirstTemporarySlot + parameter_count;
      }
      for_each_expression(*node, [&](BoundPtr& e) { number_slots(*e, parameter_count); });
    });
  };
  number(roots[0]);
  for (size_t i : kept) number(roots[i + 1]);
  BoundQuery query;
  query.slot_count = next_slot_ - kFirstTemporarySlot + parameter_count;
  query.parameter_types = parameters_.types;
  query.tables = std::move(tables_);
  query.is_for_once = is_for_once_;
  if (parameters_.only_described && parameter_count > 0 && reads_many_tables()) {
    query.plan = roots[0]->children[0];
    query.is_for_once = true;
    return query;
  }
  query.plan = optimize(roots[0]->children[0], &context_, &query.is_for_once);
  for (size_t i : kept) {
    query.init_plans.emplace_back(init_plans_[i].first - kFirstTemporarySlot + parameter_count,
                                  optimize(roots[i + 1]->children[0], &context_, &query.is_for_once));
  }
  if (!query.is_for_once) {
    for (const auto& tables : unions_) tables->add_tables(query.tables);
  }
  query.gains_nothing_by_values = uses_values_ && !query.is_for_once;
  query.is_for_once = query.is_for_once || uses_values_;
  return query;
}

BoundPtr QueryBinder::finish(BoundPtr expression, uint32_t* slot_count) {
  // A plan of one projection, so that subqueries are treated as everywhere else.
  PlanPtr project = make_node(PlanKind::kProject, one_row());
  project->columns.push_back({"", expression->type});
  project->expressions.push_back(std::move(expression));
  inline_single_readers({project}, always_materialized_);
  const auto parameter_count = static_cast<uint32_t>(parameters_.types.size());
  for_each_node(project, [&](const PlanPtr& node) {
    for (auto& [slot, value] : node->correlated) {
      if (slot >= kFirstTemporarySlot) slot = slot - kFirstTemporarySlot + parameter_count;
    }
    for_each_expression(*node, [&](BoundPtr& e) { number_slots(*e, parameter_count); });
  });
  if (slot_count) *slot_count = std::max(*slot_count, next_slot_ - kFirstTemporarySlot + parameter_count);
  for_each_part(*project->expressions[0], [&](BoundExpression& part) {
    if (part.subquery) part.subquery = optimize(mutable_subquery(part), &context_);
  });
  return std::move(project->expressions[0]);
}

namespace {

Scope table_scope(const std::vector<ScopeTable>& tables) {
  Scope scope;
  std::vector<ScopeColumn> last;
  uint32_t index = 0;
  for (const ScopeTable& table : tables) {
    Relation relation;
    relation.alias = table.alias;
    for (const PlanColumn& plan_column : table.columns) {
      ScopeColumn column = plain_column(plan_column.name, plan_column.type, index++, plan_column.shape);
      column.table = plan_column.table;
      column.attribute = plan_column.attribute;
      relation.columns.push_back(column);
      if (!table.hidden) (table.last_in_star ? last : scope.visible).push_back(std::move(column));
    }
    scope.relations.push_back(std::move(relation));
  }
  std::move(last.begin(), last.end(), std::back_inserter(scope.visible));
  return scope;
}

}  // namespace

}  // namespace binding

using namespace binding;

BoundQuery bind_query(const ast::Query& query, const NameResolver& names, ParameterTypes& parameters,
                      const ast::With* with) {
  QueryBinder binder(names, parameters, true);
  Environment environment;
  if (with) environment.ctes = binder.push_with(*with, environment);
  PlanPtr plan = binder.bind_query(query, environment).plan;
  if (with) binder.check_unread(*environment.ctes);
  return binder.finish(std::move(plan));
}

BoundQuery bind_insert_rows(const ast::Query& query, const std::vector<InsertColumn>& columns,
                            const NameResolver& names, ParameterTypes& parameters, const ast::With* with) {
  QueryBinder binder(names, parameters, true);
  Environment environment;
  if (with) environment.ctes = binder.push_with(*with, environment);
  OutputOptions options;
  options.keep_unknown = true;
  const bool is_plain_values =
      query.kind == ast::QueryKind::kValues && query.order_by.empty() && query.limit.empty();
  if (is_plain_values) options.targets = &columns;
  QueryResult result = binder.bind_query(query, environment, options);
  if (with) binder.check_unread(*environment.ctes);
  if (result.visible > columns.size()) {
    throw sql_error(sqlstate::kSyntaxError, "INSERT has more expressions than target columns")
        .with_position(query.position);
  }
  if (result.visible < columns.size() && columns[result.visible].listed_at) {
    throw sql_error(sqlstate::kSyntaxError, "INSERT has more target columns than expressions")
        .with_position(*columns[result.visible].listed_at);
  }
  PlanPtr project = make_node(PlanKind::kProject, std::move(result.plan));
  LogicalPlan& child = *project->children[0];
  // Untyped outputs of the query itself take the column's type.
  std::vector<SqlType> types;
  for (size_t i = 0; i < result.visible; i++) {
    const bool is_unknown = child.columns[i].type.id == TypeId::kUnknown;
    const SqlType wanted =
        columns[i].type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : columns[i].type;
    types.push_back(is_unknown ? wanted : child.columns[i].type);
  }
  project->children[0] =
      binder.coerce_outputs(std::move(project->children[0]), types, CastContext::kAssignment, query.position);
  project->columns.clear();
  for (size_t i = 0; i < columns.size(); i++) {
    BoundPtr value;
    if (i < result.visible) {
      value = BoundExpression::column(static_cast<uint32_t>(i), project->children[0]->columns[i].type);
    } else if (columns[i].default_value) {
      Scope nothing;
      ExpressionContext context;
      context.scope = &nothing;
      context.clause = "DEFAULT expressions";
      value = binder.bind(*columns[i].default_value, context);
    } else {
      value = BoundExpression::constant(Value::null(TypeId::kUnknown));
    }
    value = binder.assign(std::move(value), columns[i].type, columns[i].name, query.position);
    project->columns.push_back({columns[i].name, value->type});
    project->expressions.push_back(std::move(value));
  }
  return binder.finish(std::move(project));
}

BoundPtr bind_expression(const ast::Expression& expression, const std::vector<ScopeTable>& tables,
                         const NameResolver& names, ParameterTypes& parameters, SqlType wanted,
                         uint32_t* slot_count) {
  QueryBinder binder(names, parameters, false);
  Scope scope = table_scope(tables);
  ExpressionContext context;
  context.scope = &scope;
  context.clause = tables.empty() ? "this expression" : "expressions over a row";
  BoundPtr bound = binder.bind(expression, context);
  if (wanted.id != TypeId::kUnknown && bound->type.id != TypeId::kUnknown && bound->type.id != wanted.id &&
      !can_cast(bound->type, wanted, CastContext::kAssignment)) {
    throw sql_error(sqlstate::kDatatypeMismatch, "expression is of type {} but type {} is needed",
                    format_type(bound->type), format_type(wanted))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(expression.position);
  }
  bound = wanted.id == TypeId::kUnknown
              ? binder.resolve_unknown(std::move(bound))
              : binder.coerce(std::move(bound), wanted, CastContext::kAssignment, expression.position);
  return binder.finish(std::move(bound), slot_count);
}

BoundAssignments bind_assignments(const std::vector<TargetOutput>& outputs,
                                  const std::vector<ScopeTable>& tables, const NameResolver& names,
                                  ParameterTypes& parameters, uint32_t* slot_count) {
  QueryBinder binder(names, parameters, false);
  const Scope scope = table_scope(tables);
  ExpressionContext context;
  context.scope = &scope;
  context.clause = "UPDATE";
  uint32_t width = 0;
  for (const ScopeTable& table : tables) width += static_cast<uint32_t>(table.columns.size());
  BoundAssignments bound = binder.bind_assignments(outputs, width, context);
  for (std::vector<BoundPtr>* expressions : {&bound.rows, &bound.values}) {
    for (BoundPtr& e : *expressions) e = binder.finish(std::move(e), slot_count);
  }
  return bound;
}

std::vector<BoundItem> bind_returning(const std::vector<ast::SelectItem>& items,
                                      const std::vector<ScopeTable>& tables, const NameResolver& names,
                                      ParameterTypes& parameters, uint32_t* slot_count,
                                      const ast::With* with) {
  QueryBinder binder(names, parameters, false);
  Scope scope = table_scope(tables);
  ExpressionContext context;
  context.scope = &scope;
  context.clause = "RETURNING";
  if (with) context.ctes = binder.push_with(*with, {});
  std::vector<BoundItem> bound;
  const auto add_column = [&](const ScopeColumn& column, std::string name) {
    bound.push_back({{std::move(name), column.type, column.table, column.attribute}, column.reference()});
  };
  for (const ast::SelectItem& item : items) {
    if (const auto* star = ast::try_as<ast::Star>(item.expression.get())) {
      for (const ScopeColumn& column : binder.expand_star(*star, context)) add_column(column, column.name);
      continue;
    }
    const auto* ref = ast::try_as<ast::ColumnRef>(item.expression.get());
    if (std::optional<ScopeColumn> column = ref ? binder.find_column(*ref, scope) : std::nullopt) {
      add_column(*column, item.alias.empty() ? column->name : item.alias.text);
      continue;
    }
    BoundPtr value = binder.resolve_unknown(binder.bind(*item.expression, context));
    std::string name = item.alias.empty() ? parser::output_name(*item.expression) : item.alias.text;
    PlanColumn column{std::move(name), value->type, {}, 0, value->shape};
    bound.push_back({std::move(column), binder.finish(std::move(value), slot_count)});
  }
  return bound;
}

TargetRows bind_target_rows(const ast::ObjectName& table, const std::string& alias,
                            const std::vector<ast::TableRefPtr>& from, const ast::Expression* where,
                            const std::vector<TargetOutput>& outputs, const NameResolver& names,
                            ParameterTypes& parameters, const ast::With* with) {
  QueryBinder binder(names, parameters, true);
  Environment environment;
  if (with) environment.ctes = binder.push_with(*with, environment);
  std::vector<std::string> parts;
  if (!table.schema.empty()) parts.push_back(table.schema.text);
  parts.push_back(table.name.text);
  auto version = names.find_table(parts);
  if (!version) {
    throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", table.name.text)
        .with_position(table.position());
  }
  const std::string name = alias.empty() ? version->schema->name : alias;
  const std::string schema = alias.empty() ? version->schema->schema_name : std::string();
  const size_t width = version->schema->columns.size();
  Source source = binder.scan_source(std::move(version), name, schema);
  source.plan->scan_columns.insert(source.plan->scan_columns.begin(), UINT32_MAX);
  source.plan->columns.insert(source.plan->columns.begin(), PlanColumn{"", TypeId::kBigInt});
  shift_scope(source.scope, 1);
  const size_t own_relations = source.scope.relations.size();
  source = binder.bind_more_from(std::move(source), from, environment);
  PlanPtr plan = std::move(source.plan);
  ExpressionContext context;
  context.scope = &source.scope;
  context.ctes = environment.ctes;
  if (where) {
    context.clause = "WHERE";
    BoundPtr condition = binder.bind_condition(*where, context, "WHERE");
    plan = make_node(PlanKind::kFilter, std::move(plan));
    plan->expressions.push_back(std::move(condition));
  }
  context.clause = "UPDATE";
  BoundAssignments assigned =
      binder.bind_assignments(outputs, static_cast<uint32_t>(plan->columns.size()), context);
  for (BoundPtr& row : assigned.rows) plan = with_column(std::move(plan), "(row)", std::move(row));
  PlanPtr project = make_node(PlanKind::kProject, plan);
  project->columns.clear();
  const auto add = [&](PlanColumn column, BoundPtr value) {
    column.type = value->type;
    project->columns.push_back(std::move(column));
    project->expressions.push_back(std::move(value));
  };
  for (uint32_t i = 0; i <= width; i++)
    add(plan->columns[i], BoundExpression::column(i, plan->columns[i].type));
  for (size_t i = 0; i < outputs.size(); i++)
    add({outputs[i].column, TypeId::kUnknown}, std::move(assigned.values[i]));
  TargetRows rows;
  for (size_t r = own_relations; r < source.scope.relations.size(); r++)
    rows.from_tables.push_back(binding::source_table(source.scope.relations[r], add));
  if (with) binder.check_unread(*environment.ctes);
  rows.query = binder.finish(std::move(project));
  return rows;
}

std::shared_ptr<const TableVersion> NameResolver::find_past_version(
    const std::shared_ptr<const TableVersion>&, const ast::VersionClause& clause) const {
  throw sql_error(sqlstate::kFeatureNotSupported, "reading a past version of a table is not supported here")
      .with_position(clause.position);
}

}  // namespace idem
