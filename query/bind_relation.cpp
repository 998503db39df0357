#include <utility>

#include "parser/parser.h"
#include "query/cross_database.h"
#include "query/query_binder.h"
#include "query/table_union.h"

namespace idem::binding {

namespace {

// While it lives, what is looked up is read as that role.
class ActingRole {
 public:
  ActingRole(const NameResolver& names, const std::string& role)
      : names_(names), before_(names.act_as(role)) {}
  ~ActingRole() { names_.act_as(before_); }
  ActingRole(const ActingRole&) = delete;
  ActingRole& operator=(const ActingRole&) = delete;

 private:
  const NameResolver& names_;
  std::string before_;
};

// Positions are those of the view's text.
SqlError without_position(const SqlError& error, const std::string& view) {
  SqlError outside(error.sqlstate(), error.message());
  if (!error.detail().empty()) outside.with_detail(error.detail());
  if (!error.hint().empty()) outside.with_hint(error.hint());
  outside.with_context(error.context().empty() ? fmt::format("view \"{}\"", view) : error.context());
  return outside;
}

std::string shown_name(const ast::ObjectName& name) {
  return name.schema.empty() ? name.name.text : name.schema.text + "." + name.name.text;
}

}  // namespace

Source QueryBinder::scan_source(std::shared_ptr<const TableVersion> table, const std::string& alias,
                                const std::string& schema) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kScan;
  tables_.push_back(table);
  plan->table = std::move(table);
  const TableSchema& shape = *plan->table->schema;
  Source source;
  Relation relation;
  relation.alias = alias;
  relation.schema = schema;
  for (uint32_t i = 0; i < shape.columns.size(); i++) {
    plan->scan_columns.push_back(i);
    plan->columns.push_back({shape.columns[i].name, shape.columns[i].type, shape.id, i + 1});
    ScopeColumn column = plain_column(shape.columns[i].name, shape.columns[i].type, i);
    column.table = shape.id;
    column.attribute = i + 1;
    relation.columns.push_back(std::move(column));
  }
  if (shape.has_timestamp())
    source.scope.timestamp = relation.columns[static_cast<size_t>(shape.timestamp_column)];
  source.scope.visible = relation.columns;
  source.scope.relations.push_back(std::move(relation));
  source.plan = std::move(plan);
  return source;
}

Source QueryBinder::bind_virtual(std::shared_ptr<const VirtualTable> table, const std::string& alias,
                                 std::vector<BoundPtr> arguments) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kVirtualScan;
  plan->columns = table->columns();
  plan->virtual_table = std::move(table);
  plan->expressions = std::move(arguments);
  QueryResult result;
  result.visible = plan->columns.size();
  result.plan = std::move(plan);
  return result_source(std::move(result), alias);
}

std::optional<Source> QueryBinder::find_relation(const std::vector<std::string>& name,
                                                 const ast::NamedTable& table) {
  if (auto found = names_.find_virtual_table(name)) {
    Source source = bind_virtual(std::move(found), name.back(), {});
    if (name.size() > 1) source.scope.relations[0].schema = name[0];
    return source;
  }
  if (name.size() > 1) names_.check_schema(name[0], Privilege::kUsage);
  if (auto found = names_.find_table(name)) {
    names_.check_read(*found->schema);
    const MaterializedView* view = names_.snapshot().catalog->materialized_view(found->schema->id);
    if (view && !view->populated) {
      throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                      "materialized view \"{}\" has not been populated", found->schema->name)
          .with_hint("Use the REFRESH MATERIALIZED VIEW command.")
          .with_position(table.position);
    }
    const std::string schema = found->schema->schema_name, own_name = found->schema->name;
    return scan_source(std::move(found), own_name, schema);
  }
  if (auto found = names_.find_view(name)) return bind_view(*found, table);
  return std::nullopt;
}

Source QueryBinder::bind_named_table(const ast::NamedTable& table, const Environment& environment) {
  const ast::ObjectName& name = table.name;
  if (table.sample) {
    throw sql_error(sqlstate::kFeatureNotSupported, "TABLESAMPLE is not supported")
        .with_position(table.position);
  }
  if (!name.database.empty() && name.database.text != names_.session().database()) {
    throw cross_database_error(name.database.text, name.schema.text, name.name.text)
        .with_position(name.position());
  }
  if (name.schema.empty()) {
    if (std::optional<Source> cte = bind_cte(table, environment)) return std::move(*cte);
  }
  std::vector<std::string> parts;
  if (!name.schema.empty()) parts.push_back(name.schema.text);
  parts.push_back(name.name.text);
  std::optional<Source> source;
  // A view finds what stands beside it, whatever the session's search_path.
  if (environment.view && parts.size() == 1)
    source = find_relation({environment.view->schema_name, parts[0]}, table);
  if (!source) source = find_relation(parts, table);
  if (!source && !name.name.quoted) {
    for (const auto& [key, id] : names_.snapshot().catalog->tables) {
      if (!equal_ignoring_case(key.second, name.name.text) ||
          (parts.size() > 1 && !equal_ignoring_case(key.first, parts[0])))
        continue;
      source = find_relation(parts.size() > 1 ? std::vector{key.first, key.second} : std::vector{key.second},
                             table);
      if (source) break;
    }
  }
  // No view reads what only this session has.
  if (source && environment.view && source->plan->kind == PlanKind::kScan &&
      source->plan->table->schema->temporary) {
    source.reset();
  }
  if (!source) throw_undefined_table(name);
  if (table.version) {
    if (source->plan->kind != PlanKind::kScan) {
      throw sql_error(sqlstate::kWrongObjectType, "\"{}\" is not a table and has no versions",
                      shown_name(name))
          .with_position(table.version->position);
    }
    is_for_once_ = true;
    auto past = names_.find_past_version(source->plan->table, *table.version);
    // Under the name that the table has now.
    const Relation& now = source->scope.relations[0];
    return scan_source(std::move(past), now.alias, now.schema);
  }
  return std::move(*source);
}

QueryResult QueryBinder::bind_view_text(const ViewSchema& view) {
  const ActingRole as_owner(names_, view.owner);
  try {
    ast::QueryPtr query = parser::parse_query(view.query_text);
    Environment environment;
    environment.view = &view;
    return bind_query(*query, environment);
  } catch (const SqlError& error) { throw without_position(error, view.name); }
}

// Tables under UNION ALL are bound once, and then stand in plans as a leaf.
QueryResult QueryBinder::bind_view_plan(const ViewSchema& view, const ast::NamedTable& table) {
  if (const auto kept = keeps_views_ ? names_.find_kept_view(view) : nullptr) {
    if (auto tables = TableUnion::of(kept, names_.snapshot())) return union_result(std::move(tables));
  }
  const size_t tables_before = tables_.size();
  const bool was_for_once = std::exchange(is_for_once_, false);
  view_depth_++;
  QueryResult result = at_position(table.position, [&] { return bind_view_text(view); });
  view_depth_--;
  const bool may_keep = keeps_views_ && !is_for_once_;
  is_for_once_ = is_for_once_ || was_for_once;
  const auto shape = may_keep ? union_shape_of(*result.plan, result.timestamp) : nullptr;
  auto tables = shape ? TableUnion::of(shape, names_.snapshot()) : nullptr;
  if (!tables) return result;
  names_.keep_view(view, shape);
  tables_.resize(tables_before);
  return union_result(std::move(tables));
}

QueryResult QueryBinder::union_result(std::shared_ptr<const TableUnion> tables) {
  QueryResult result;
  result.visible = tables->columns().size();
  result.timestamp = tables->shape().timestamp;
  result.plan = std::make_shared<LogicalPlan>();
  result.plan->kind = PlanKind::kVirtualScan;
  result.plan->columns = tables->columns();
  unions_.push_back(tables);
  result.plan->virtual_table = std::move(tables);
  return result;
}

bool QueryBinder::reads_many_tables() const {
  constexpr size_t kManyTables = 32;
  size_t tables = 0;
  for (const auto& of_view : unions_) tables += of_view->shape().branches.size();
  return tables >= kManyTables;
}

Source QueryBinder::bind_view(const ViewSchema& view, const ast::NamedTable& table) {
  constexpr int kMaxViewDepth = 60;
  if (view_depth_ >= kMaxViewDepth) {
    throw sql_error(kInvalidObjectDefinition, "infinite recursion detected in view \"{}\"", view.name)
        .with_position(table.position);
  }
  names_.check_read(view);
  QueryResult result = bind_view_plan(view, table);
  if (view.column_names.size() > result.visible) {
    throw sql_error(sqlstate::kInvalidTableDefinition, "view \"{}\" names {} columns but its query has {}",
                    view.name, view.column_names.size(), result.visible)
        .with_position(table.position);
  }
  Source source = result_source(std::move(result), view.name);
  Relation& relation = source.scope.relations[0];
  relation.schema = view.schema_name;
  for (size_t i = 0; i < view.column_names.size(); i++) relation.columns[i].name = view.column_names[i];
  for (size_t i = 0; i < relation.columns.size(); i++) {
    relation.columns[i].table = TableId{view.id};
    relation.columns[i].attribute = static_cast<uint32_t>(i + 1);
  }
  source.scope.visible = relation.columns;
  return source;
}

void QueryBinder::throw_undefined_table(const ast::ObjectName& name) const {
  const Catalog& catalog = *names_.snapshot().catalog;
  SqlError error = sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", shown_name(name));
  std::vector<std::string> candidates;
  const auto add = [&](const std::pair<std::string, std::string>& key) {
    if (name.schema.empty() || key.first == name.schema.text) candidates.push_back(key.second);
  };
  for (const auto& [key, id] : catalog.tables) add(key);
  for (const auto& [key, view] : catalog.views) add(key);
  const std::string nearest = nearest_name(name.name.text, candidates);
  if (name.schema.empty() && names_.find_virtual_function(name.name.text)) {
    error.with_hint(fmt::format("There is a function of that name: FROM {}().", name.name.text));
  } else if (!nearest.empty()) {
    error.with_hint(fmt::format("Perhaps you meant the table \"{}\".", nearest));
  }
  throw error.with_position(name.position());
}

}  // namespace idem::binding
