#include "query/plan_walk.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

void name_columns(std::vector<PlanColumn>& columns, const ast::CommonTableExpression& definition) {
  if (definition.columns.size() > columns.size()) {
    throw sql_error(sqlstate::kInvalidColumnReference,
                    "WITH query \"{}\" has {} columns available but {} columns specified",
                    definition.name.text, columns.size(), definition.columns.size())
        .with_position(definition.name.position);
  }
  for (size_t i = 0; i < definition.columns.size(); i++) columns[i].name = definition.columns[i].text;
}

// Whether a FROM list names the recursion's table itself.
bool reads_working_table(const LogicalPlan& from, uint32_t working_id) {
  if (from.kind == PlanKind::kWorkingTable) return from.shared_id == working_id;
  if (from.kind != PlanKind::kFilter && from.kind != PlanKind::kJoin) return false;
  return std::any_of(from.children.begin(), from.children.end(),
                     [&](const PlanPtr& child) { return reads_working_table(*child, working_id); });
}

}  // namespace

CteScope* QueryBinder::push_with(const ast::With& with, const Environment& environment) {
  auto scope = std::make_shared<CteScope>();
  scope->parent = environment.ctes;
  scope->recursive = with.recursive;
  for (const ast::CommonTableExpression& definition : with.tables) {
    for (const CteEntry& other : scope->entries) {
      if (other.definition->name.text != definition.name.text) continue;
      throw sql_error(sqlstate::kDuplicateAlias, "WITH query name \"{}\" specified more than once",
                      definition.name.text)
          .with_position(definition.name.position);
    }
    scope->entries.emplace_back();
    scope->entries.back().definition = &definition;
  }
  scope->visible = scope->entries.size();
  scope->environment = environment;
  scope->environment.ctes = scope.get();
  kept_scopes_.push_back(scope);
  return scope.get();
}

void QueryBinder::check_unread(CteScope& scope) {
  for (size_t i = 0; i < scope.entries.size(); i++) {
    if (scope.entries[i].state == CteEntry::State::kUnbound) bind_shared(scope.entries[i], scope);
  }
}

QueryResult QueryBinder::bind_cte_query(CteEntry& entry, CteScope& scope, OuterLink* outer) {
  const size_t index = static_cast<size_t>(&entry - scope.entries.data());
  const size_t visible_before = scope.visible;
  const CteEntry::State state_before = entry.state;
  const OuterLink* outer_before = entry.binding_outer;
  if (!scope.recursive) scope.visible = index;
  entry.state = CteEntry::State::kBinding;
  entry.binding_outer = outer;
  Environment environment = scope.environment;
  environment.outer = outer;
  const ast::Query& query = *entry.definition->query;
  const bool may_recur = scope.recursive && query.kind == ast::QueryKind::kSetOperation &&
                         query.set_operator == ast::SetOperator::kUnion && query.order_by.empty() &&
                         query.limit.empty();
  QueryResult result = may_recur ? bind_recursive(entry, query, environment) : bind_query(query, environment);
  name_columns(result.plan->columns, *entry.definition);
  entry.state = state_before;
  entry.binding_outer = outer_before;
  scope.visible = visible_before;
  return result;
}

QueryResult QueryBinder::bind_recursive(CteEntry& entry, const ast::Query& query,
                                        const Environment& outside) {
  Environment environment = outside;
  if (query.with) environment.ctes = push_with(*query.with, environment);
  entry.state = CteEntry::State::kBindingStart;
  const size_t last = query.operands.size() - 1;
  QueryResult start = last == 1 ? bind_query(*query.operands[0], environment)
                                : bind_set_operation(query, last, environment, {});
  start.plan->columns.resize(start.visible);
  std::vector<SqlType> types;
  for (PlanColumn& column : start.plan->columns) {
    types.push_back(column.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : column.type);
    column.table = TableId{};
    column.attribute = 0;
  }
  start.plan = coerce_outputs(std::move(start.plan), types, CastContext::kImplicit, query.position);
  entry.columns = start.plan->columns;
  name_columns(entry.columns, *entry.definition);
  entry.working_id = new_shared_id();
  entry.reads_itself = false;
  entry.state = CteEntry::State::kBindingStep;
  OutputOptions options;
  options.keep_unknown = true;
  QueryResult step = bind_query(*query.operands[last], environment, options);
  entry.state = CteEntry::State::kBinding;
  if (step.visible != start.visible) {
    throw sql_error(sqlstate::kSyntaxError, "each UNION query must have the same number of columns")
        .with_position(query.operands[last]->position);
  }
  if (entry.reads_itself) {
    size_t readers = 0;
    for_each_node(step.plan, [&](const PlanPtr& node) {
      if (node->kind == PlanKind::kWorkingTable && node->shared_id == entry.working_id && ++readers > 1) {
        throw sql_error(kInvalidRecursion,
                        "recursive reference to query \"{}\" must not appear more than once",
                        entry.definition->name.text)
            .with_position(query.operands[last]->position);
      }
      if (node->kind != PlanKind::kAggregate || !reads_working_table(*node->children[0], entry.working_id))
        return;
      throw sql_error(kInvalidRecursion,
                      "aggregate functions are not allowed in a recursive query's recursive term")
          .with_position(query.operands[last]->position);
    });
  }
  for (size_t i = 0; i < types.size(); i++) {
    const SqlType other = step.plan->columns[i].type;
    const SqlType both[] = {types[i], other};
    const SqlType overall =
        at_position(query.operands[last]->position, [&] { return common_type(both, "UNION"); });
    if (overall.id == types[i].id || (is_string_like(overall.id) && is_string_like(types[i].id))) continue;
    throw sql_error(sqlstate::kDatatypeMismatch,
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    entry.definition->name.text, i + 1, format_type(types[i]), format_type(overall))
        .with_hint("Cast the output of the non-recursive term to the correct type.")
        .with_position(query.operands[0]->position);
  }
  step.plan =
      coerce_outputs(std::move(step.plan), types, CastContext::kImplicit, query.operands[last]->position);
  auto plan = std::make_shared<LogicalPlan>();
  plan->columns = start.plan->columns;
  plan->children = {std::move(start.plan), std::move(step.plan)};
  QueryResult result;
  result.visible = plan->columns.size();
  if (entry.reads_itself) {
    plan->kind = PlanKind::kRecursive;
    plan->shared_id = entry.working_id;
    plan->set_all = query.set_all;
    result.plan = std::move(plan);
    return result;
  }
  plan->kind = PlanKind::kUnionAll;
  result.plan = std::move(plan);
  if (!query.set_all) {
    auto distinct = std::make_shared<LogicalPlan>();
    distinct->kind = PlanKind::kDistinct;
    distinct->columns = result.plan->columns;
    distinct->children.push_back(std::move(result.plan));
    result.plan = std::move(distinct);
  }
  return result;
}

// Binds a query once for all its readers, unless it reads columns of the query around.
void QueryBinder::bind_shared(CteEntry& entry, CteScope& scope) {
  OuterLink probe;
  OuterLink* outer = scope.environment.outer;
  if (outer) probe.scope = outer->scope;
  QueryResult result = bind_cte_query(entry, scope, outer ? &probe : nullptr);
  entry.is_correlated = !probe.correlated.empty();
  entry.columns.assign(result.plan->columns.begin(),
                       result.plan->columns.begin() + static_cast<ptrdiff_t>(result.visible));
  entry.timestamp = result.timestamp;
  entry.plan = std::move(result.plan);
  entry.shared_id = new_shared_id();
  entry.state = CteEntry::State::kBound;
  if (entry.definition->materialized == ast::CommonTableExpression::Materialized::kAlways) {
    always_materialized_.insert(entry.shared_id);
  }
}

std::optional<Source> QueryBinder::bind_cte(const ast::NamedTable& table, const Environment& environment) {
  for (CteScope* scope = environment.ctes; scope; scope = scope->parent) {
    for (size_t i = 0; i < scope->visible; i++) {
      CteEntry& entry = scope->entries[i];
      if (!name_matches(entry.definition->name.text, table.name.name)) continue;
      const std::string& name = entry.definition->name.text;
      if (table.version) {
        throw sql_error(sqlstate::kFeatureNotSupported, "a WITH query has no versions")
            .with_position(table.version->position);
      }
      if (entry.state == CteEntry::State::kBinding || entry.state == CteEntry::State::kBindingStart) {
        throw SqlError(
            kInvalidRecursion,
            entry.state == CteEntry::State::kBinding
                ? fmt::format("recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] "
                              "recursive-term",
                              name)
                : fmt::format(
                      "recursive reference to query \"{}\" must not appear within its non-recursive term",
                      name))
            .with_position(table.position);
      }
      QueryResult result;
      result.plan = std::make_shared<LogicalPlan>();
      if (entry.state == CteEntry::State::kBindingStep) {
        if (environment.outer != entry.binding_outer) {
          throw sql_error(kInvalidRecursion,
                          "recursive reference to query \"{}\" must not appear within a subquery", name)
              .with_position(table.position);
        }
        entry.reads_itself = true;
        result.plan->kind = PlanKind::kWorkingTable;
        result.plan->shared_id = entry.working_id;
        result.plan->columns = entry.columns;
        result.visible = entry.columns.size();
        return result_source(std::move(result), name);
      }
      if (entry.state == CteEntry::State::kUnbound) bind_shared(entry, *scope);
      if (entry.is_correlated ||
          entry.definition->materialized == ast::CommonTableExpression::Materialized::kNever) {
        if (entry.is_correlated && environment.outer != scope->environment.outer) {
          throw sql_error(sqlstate::kFeatureNotSupported,
                          "WITH query \"{}\", which refers to columns of the query around it, cannot be read "
                          "in a nested query",
                          name)
              .with_position(table.position);
        }
        return result_source(bind_cte_query(entry, *scope, entry.is_correlated ? environment.outer : nullptr),
                             name);
      }
      result.plan->kind = PlanKind::kMaterialize;
      result.plan->shared_id = entry.shared_id;
      result.plan->columns = entry.columns;
      result.plan->children.push_back(entry.plan);
      result.visible = entry.columns.size();
      result.timestamp = entry.timestamp;
      return result_source(std::move(result), name);
    }
  }
  return std::nullopt;
}

}  // namespace idem::binding
