#include <set>

#include "parser/deparse.h"
#include "query/access_control.h"
#include "query/statement_executors.h"
#include "query/view_dependencies.h"

namespace idem {

namespace {

// Views that read the relation go with it (CASCADE), or must be able to do without it when the transaction commits.
void drop_dependents(SessionState& session, const std::string& schema, const std::string& name,
                     bool cascade) {
  if (!cascade) return session.note_dropped(schema, name);
  note_cascade(session, drop_views_reading(session, {RelationName{schema, name}}));
}

// Owners of a schema may drop what is in it.
bool owns_schema(const SessionState& session, const std::string& name) {
  const auto& schemas = session.snapshot().catalog->schemas;
  const auto found = schemas.find(name);
  return found != schemas.end() && session.access().owns(SecuredObject::of(found->second));
}

void drop_schema(SessionState& session, const std::string& name, bool cascade) {
  const Snapshot& view = session.snapshot();
  for (const auto& [key, id] : view.catalog->tables) {
    const auto table = key.first == name ? view.table(id) : nullptr;
    if (table) require_removable(*view.catalog, *table->schema, session.server.clock->now_micros());
  }
  session.access().require_owner(SecuredObject::of(view.catalog->schemas.find(name)->second));
  if (name == "public" || name == "default")
    throw sql_error(sqlstate::kDependentObjectsStillExist, "schema \"{}\" cannot be dropped", name);
  std::vector<TableId> tables;
  std::vector<std::shared_ptr<const ViewSchema>> views;
  std::set<RelationName> relations;
  std::vector<std::string> objects;
  for (const auto& [key, id] : view.catalog->tables) {
    if (key.first != name) continue;
    tables.push_back(id);
    relations.insert(key);
    objects.push_back(
        described(session, view.catalog->materialized_view(id) ? "materialized view" : "table", key));
  }
  for (const auto& [key, v] : view.catalog->views) {
    if (key.first != name) continue;
    views.push_back(v);
    relations.insert(key);
    objects.push_back(described(session, "view", key));
  }
  if (!cascade && !objects.empty()) {
    throw sql_error(sqlstate::kDependentObjectsStillExist,
                    "cannot drop schema {} because other objects depend on it", name)
        .with_detail(fmt::format("{1} depends on schema {0}", name,
                                 fmt::join(objects, fmt::format(" depends on schema {}\n", name))))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  const std::vector<std::string> readers = drop_views_reading(session, relations);
  objects.insert(objects.end(), readers.begin(), readers.end());
  note_cascade(session, objects);
  Transaction& transaction = session.write_transaction("DROP");
  for (const auto& v : views) transaction.drop_view(v->schema_name, v->name);
  for (TableId id : tables) transaction.drop_table(id);
  transaction.drop_schema(name);
}

std::string drop_hint(const Snapshot& snapshot, const TableVersion& table) {
  return snapshot.catalog->materialized_view(table.schema->id)
             ? "Use DROP MATERIALIZED VIEW to remove a materialized view."
             : "Use DROP TABLE to remove a table.";
}

// What DROP names is not there: a notice with IF EXISTS.
void refuse_missing(SessionState& session, const ast::DropStatement& s, const ast::ObjectName& name,
                    std::string_view kind, std::string_view state) {
  std::string shown = fmt::format("{}", fmt::join(name.parts(), "."));
  const std::string& schema = name.schema.text;
  if (!schema.empty() && !schema.starts_with("pg_") &&
      !session.snapshot().catalog->schemas.contains(schema)) {
    kind = "schema";
    state = sqlstate::kInvalidSchemaName;
    shown = schema;
  }
  if (!s.if_exists)
    throw sql_error(state, "{} \"{}\" does not exist", kind, shown).with_position(name.position());
  session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion, "{} \"{}\" does not exist, skipping",
                                     kind, shown));
}

void drop_one(SessionState& session, const ast::DropStatement& s, const ast::ObjectName& name) {
  const Snapshot& view = session.snapshot();
  const auto missing = [&](std::string_view kind, std::string_view state) {
    refuse_missing(session, s, name, kind, state);
  };
  switch (s.object) {
    case ast::ObjectKind::kTable:
    case ast::ObjectKind::kMaterializedView: {
      const bool materialized = s.object == ast::ObjectKind::kMaterializedView;
      const std::string_view kind = materialized ? "materialized view" : "table";
      auto table = session.find_table(name.parts());
      const auto wrong_kind = [&](std::string_view hint) {
        return sql_error(sqlstate::kWrongObjectType, "\"{}\" is not a {}", name.name.text, kind)
            .with_hint(std::string(hint));
      };
      if (!table) {
        if (session.find_view(name.parts())) throw wrong_kind("Use DROP VIEW to remove a view.");
        return missing(kind, sqlstate::kUndefinedTable);
      }
      if (materialized != (view.catalog->materialized_view(table->schema->id) != nullptr))
        throw wrong_kind(drop_hint(view, *table));
      require_removable(*view.catalog, *table->schema, session.server.clock->now_micros());
      if (!owns_schema(session, table->schema->schema_name))
        session.access().require_owner(SecuredObject::of(*table->schema));
      drop_dependents(session, table->schema->schema_name, table->schema->name, s.cascade);
      session.write_transaction("DROP").drop_table(table->schema->id);
      return;
    }
    case ast::ObjectKind::kView: {
      auto found = session.find_view(name.parts());
      if (!found) {
        if (const auto table = session.find_table(name.parts())) {
          throw sql_error(sqlstate::kWrongObjectType, "\"{}\" is not a view", name.name.text)
              .with_hint(drop_hint(view, *table));
        }
        return missing("view", sqlstate::kUndefinedTable);
      }
      if (!owns_schema(session, found->schema_name))
        session.access().require_owner(SecuredObject::of(*found));
      drop_dependents(session, found->schema_name, found->name, s.cascade);
      session.write_transaction("DROP").drop_view(found->schema_name, found->name);
      return;
    }
    case ast::ObjectKind::kSchema:
      if (!view.catalog->schemas.contains(name.name.text))
        return missing("schema", sqlstate::kInvalidSchemaName);
      drop_schema(session, name.name.text, s.cascade);
      return;
    case ast::ObjectKind::kRole:
      session.access().require_superuser("drop role");
      if (!view.catalog->roles.contains(name.name.text)) return missing("role", sqlstate::kUndefinedObject);
      if (name.name.text == session.user() || name.name.text == session.session_user())
        throw SqlError(sqlstate::kObjectInUse, "current user cannot be dropped");
      drop_role(session, name.name.text);
      return;
    case ast::ObjectKind::kChangeSlot:
      if (!view.catalog->slots.contains(name.name.text))
        return missing("change slot", sqlstate::kUndefinedObject);
      session.access().require_role(view.catalog->slots.find(name.name.text)->second.owner);
      session.write_transaction("DROP").drop_slot(name.name.text);
      return;
    default: throw SqlError(sqlstate::kFeatureNotSupported, "this DROP is not supported");
  }
}

// Who may replace a view needs no right to create others.
std::string view_schema(const SessionState& session, const ast::CreateViewStatement& s) {
  if (s.or_replace) {
    if (const auto known = session.find_view(s.name.parts())) return known->schema_name;
  }
  return session.creation_schema(s.name);
}

// The names that the statement gives to the first columns of its query.
std::vector<std::string> view_column_names(const ast::CreateViewStatement& s,
                                           const std::vector<PlanColumn>& columns) {
  if (s.columns.size() > columns.size()) {
    throw SqlError(sqlstate::kSyntaxError, "CREATE VIEW specifies more column names than columns")
        .with_position(s.columns.back().position);
  }
  std::vector<std::string> names;
  for (const ast::Identifier& name : s.columns) names.push_back(name.text);
  std::set<std::string> all;
  for (size_t i = 0; i < columns.size(); i++) {
    const std::string& name = i < names.size() ? names[i] : columns[i].name;
    if (!all.insert(name).second)
      throw sql_error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once", name);
  }
  return names;
}

}  // namespace

std::string execute_drop(SessionState& session, const ast::DropStatement& s) {
  session.check_writable("DROP");
  for (const ast::ObjectName& name : s.names) {
    session.begin_statement();  // each name sees what the one before it removed
    drop_one(session, s, name);
  }
  switch (s.object) {
    case ast::ObjectKind::kView: return "DROP VIEW";
    case ast::ObjectKind::kMaterializedView: return "DROP MATERIALIZED VIEW";
    case ast::ObjectKind::kSchema: return "DROP SCHEMA";
    case ast::ObjectKind::kRole: return "DROP ROLE";
    case ast::ObjectKind::kChangeSlot: return "DROP CHANGE SLOT";
    default: return "DROP TABLE";
  }
}

std::string execute_truncate(SessionState& session, const ast::TruncateStatement& s) {
  session.check_writable("TRUNCATE");
  session.begin_statement();
  std::set<TableId> tables;
  for (const ast::ObjectName& name : s.tables) {
    tables.insert(session.writable_table(name, static_cast<PrivilegeSet>(Privilege::kTruncate))->schema->id);
  }
  for (TableId id : tables) session.write_transaction("TRUNCATE").truncate(id);
  return "TRUNCATE TABLE";
}

std::string execute_create_schema(SessionState& session, const ast::CreateSchemaStatement& s) {
  session.check_writable("CREATE SCHEMA");
  session.begin_statement();
  std::string name = s.name.empty() ? s.owner : s.name.text;
  bool owns_objects = false;
  for (const ast::Option& option : s.options) {
    if (option.name != "owns_objects") {
      throw sql_error(sqlstate::kFeatureNotSupported, "CREATE SCHEMA … WITH ({}) is not supported",
                      option.name)
          .with_position(option.position);
    }
    owns_objects = boolean_option(option);
  }
  if (!session.access().is_superuser()) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "permission denied for database {}",
                    session.database());
  }
  if (!s.owner.empty() && !session.snapshot().catalog->roles.contains(s.owner)) {
    throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", s.owner);
  }
  if (session.snapshot().catalog->schemas.contains(name) || name == "pg_catalog" ||
      name == "information_schema") {
    if (!s.if_not_exists)
      throw sql_error(sqlstate::kDuplicateSchema, "schema \"{}\" already exists", name)
          .with_position(s.name.position);
    session.notice("NOTICE",
                   sql_error(sqlstate::kDuplicateSchema, "schema \"{}\" already exists, skipping", name));
    return "CREATE SCHEMA";
  }
  if (name.starts_with("pg_")) {
    throw sql_error("42939", "unacceptable schema name \"{}\"", name)
        .with_detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  session.write_transaction("CREATE SCHEMA")
      .create_schema(name, s.owner.empty() ? session.user() : s.owner, owns_objects);
  return "CREATE SCHEMA";
}

std::string execute_create_view(SessionState& session, const ast::CreateViewStatement& s) {
  session.check_writable("CREATE VIEW");
  if (s.temporary) throw SqlError(sqlstate::kFeatureNotSupported, "temporary views are not supported");
  if (!s.options.empty())
    throw SqlError(sqlstate::kFeatureNotSupported, "CREATE VIEW … WITH is not supported")
        .with_position(s.options[0].position);
  session.begin_statement();
  ViewSchema view;
  view.schema_name = view_schema(session, s);
  view.name = s.name.name.text;
  const Snapshot& snapshot = session.snapshot();
  auto existing = snapshot.find_view(view.schema_name, view.name);
  view.owner = existing ? existing->owner : session.object_owner(view.schema_name);
  bool taken = existing || snapshot.find_table(view.schema_name, view.name);
  if (existing && s.if_not_exists) {
    session.notice("NOTICE", sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists, skipping",
                                       view.name));
    return "CREATE VIEW";
  }
  if (taken && !(existing && s.or_replace))
    throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", view.name);

  const BoundQuery query = bind_view_query(session, *s.query);
  view.column_names = view_column_names(s, query.plan->columns);
  view.query_text = parser::deparse(*s.query);
  Transaction& transaction = session.write_transaction("CREATE VIEW");
  if (existing) {
    const SecuredObject object = SecuredObject::of(*existing);
    if (!contains(session.access().privileges(object), Privilege::kReplace))
      session.access().require_owner(object);
    view.id = existing->id;
    transaction.put_view(std::move(view));
    return "CREATE VIEW";
  }
  const std::string owner = view.owner, schema_name = view.schema_name, name = view.name;
  transaction.put_view(std::move(view));
  const auto made = transaction.schema_view().find_view(schema_name, name);
  session.grant_initial_access({SecuredObject::Kind::kView, made->id, "", owner}, schema_name);
  return "CREATE VIEW";
}

}  // namespace idem
