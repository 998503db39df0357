#include "query/query_binder.h"

namespace idem::binding {

namespace {

void check_aliases(const Scope& left, const Scope& right, uint32_t position) {
  for (const Relation& relation : right.relations) {
    for (const Relation& other : left.relations) {
      const bool same_table_of_other_schema =
          !relation.schema.empty() && !other.schema.empty() && relation.schema != other.schema;
      if (relation.alias.empty() || relation.alias != other.alias || same_table_of_other_schema) continue;
      throw sql_error(sqlstate::kDuplicateAlias, "table name \"{}\" specified more than once", relation.alias)
          .with_position(position);
    }
  }
}

}  // namespace

PlanPtr QueryBinder::one_row() {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kValues;
  plan->rows.emplace_back();
  return plan;
}

Source QueryBinder::bind_from(const std::vector<ast::TableRefPtr>& items, const Environment& environment) {
  Source source;
  if (items.empty()) {
    source.plan = one_row();
    source.scope.outer = environment.outer;
    return source;
  }
  return bind_more_from(bind_table_ref(*items[0], environment, environment), std::span(items).subspan(1),
                        environment);
}

Source QueryBinder::bind_more_from(Source source, std::span<const ast::TableRefPtr> items,
                                   const Environment& environment) {
  for (const ast::TableRefPtr& item : items) {
    source.scope.outer = environment.outer;
    OuterLink link;
    link.scope = &source.scope;
    Environment lateral = environment;
    lateral.outer = &link;
    Source right = bind_table_ref(*item, environment, lateral);
    source = combine(std::move(source), std::move(right), JoinType::kCross, link, item->position);
  }
  source.scope.outer = environment.outer;
  return source;
}

Source QueryBinder::bind_table_ref(const ast::TableRef& ref, const Environment& environment,
                                   const Environment& lateral) {
  switch (ref.kind) {
    case ast::TableRefKind::kTable: {
      Source source = bind_named_table(ast::as<ast::NamedTable>(ref), environment);
      apply_aliases(source, ref);
      return source;
    }
    case ast::TableRefKind::kFunction: {
      Source source = bind_table_function(ast::as<ast::TableFunction>(ref), lateral);
      apply_aliases(source, ref);
      return source;
    }
    case ast::TableRefKind::kSubquery: {
      const auto& derived = ast::as<ast::DerivedTable>(ref);
      Source source =
          result_source(bind_query(*derived.query, derived.lateral ? lateral : environment), ref.alias.text);
      apply_aliases(source, ref);
      return source;
    }
    case ast::TableRefKind::kJoin: {
      Source source = bind_join(ast::as<ast::Join>(ref), environment, lateral);
      if (!ref.alias.empty()) {
        Relation relation;
        relation.columns = source.scope.visible;
        source.scope.relations.clear();
        source.scope.relations.push_back(std::move(relation));
        apply_aliases(source, ref);
      }
      return source;
    }
  }
  throw sql_error(sqlstate::kInternalError, "unknown kind of FROM item");
}

Source QueryBinder::result_source(QueryResult result, const std::string& alias) {
  Source source;
  Relation relation;
  relation.alias = alias;
  for (size_t i = 0; i < result.visible; i++) {
    const PlanColumn& column = result.plan->columns[i];
    ScopeColumn scope_column = plain_column(column.name, column.type, static_cast<uint32_t>(i), column.shape);
    scope_column.table = column.table;
    scope_column.attribute = column.attribute;
    relation.columns.push_back(std::move(scope_column));
  }
  if (result.timestamp >= 0) source.scope.timestamp = relation.columns[static_cast<size_t>(result.timestamp)];
  source.scope.visible = relation.columns;
  source.scope.relations.push_back(std::move(relation));
  source.plan = std::move(result.plan);
  return source;
}

// The alias and column aliases of an item, which has one relation.
void QueryBinder::apply_aliases(Source& source, const ast::TableRef& ref) {
  Relation& relation = source.scope.relations[0];
  if (!ref.alias.empty()) {
    relation.alias = ref.alias.text;
    relation.schema.clear();
  }
  if (ref.column_aliases.size() > relation.columns.size()) {
    throw sql_error(sqlstate::kInvalidColumnReference,
                    "table \"{}\" has {} columns available but {} columns specified", relation.alias,
                    relation.columns.size(), ref.column_aliases.size())
        .with_position(ref.position);
  }
  for (size_t i = 0; i < ref.column_aliases.size(); i++)
    relation.columns[i].name = ref.column_aliases[i].text;
  source.scope.visible = relation.columns;
}

Source QueryBinder::combine(Source left, Source right, JoinType type, OuterLink& link, uint32_t position) {
  check_aliases(left.scope, right.scope, position);
  if (!link.correlated.empty() && type != JoinType::kInner && type != JoinType::kLeft &&
      type != JoinType::kCross) {
    throw sql_error(sqlstate::kInvalidColumnReference,
                    "invalid reference to FROM-clause entry of the left side of a join")
        .with_detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
        .with_position(position);
  }
  Source source;
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kJoin;
  plan->join_type = type;
  plan->correlated = std::move(link.correlated);
  plan->columns = left.plan->columns;
  plan->columns.insert(plan->columns.end(), right.plan->columns.begin(), right.plan->columns.end());
  shift_scope(right.scope, static_cast<uint32_t>(left.plan->columns.size()));
  source.scope = std::move(left.scope);
  for (Relation& relation : right.scope.relations) source.scope.relations.push_back(std::move(relation));
  for (ScopeColumn& column : right.scope.visible) source.scope.visible.push_back(std::move(column));
  // Rows of a join with several matches keep the left side's order at best: see is_ascending_by().
  plan->children = {std::move(left.plan), std::move(right.plan)};
  source.plan = std::move(plan);
  return source;
}

}  // namespace idem::binding
