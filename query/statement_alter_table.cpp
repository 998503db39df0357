#include <algorithm>

#include "parser/deparse.h"
#include "query/access_control.h"
#include "query/execution.h"
#include "query/expression_evaluator.h"
#include "query/insert_plan.h"
#include "query/partition_condition.h"
#include "query/plan_walk.h"
#include "query/returning.h"
#include "query/statement_executors.h"
#include "query/table_definition.h"
#include "query/view_dependencies.h"
#include "storage/retention.h"

namespace idem {

namespace {

using ast::AlterAction;
using Kind = AlterAction::Kind;

SqlError not_supported(std::string_view what, uint32_t position) {
  SqlError error = sql_error(sqlstate::kFeatureNotSupported, "ALTER TABLE … {} is not supported", what);
  error.with_position(position);
  return error;
}

// Writes the table anew: `values` are its columns, over those that it has now.
void rewrite(SessionState& session, TableSchema schema, std::vector<PlanColumn> columns,
             std::vector<BoundPtr> values) {
  auto scan = std::make_shared<LogicalPlan>();
  scan->kind = PlanKind::kScan;
  scan->columns = std::move(columns);
  auto all_rows = std::make_shared<TableVersion>(*session.transaction().read_view().table(schema.id));
  if (all_rows->schema->deleted_column >= 0) {  // tombstones are written anew, too
    auto shape = std::make_shared<TableSchema>(*all_rows->schema);
    shape->deleted_column = -1;
    all_rows->schema = std::move(shape);
  }
  scan->table = std::move(all_rows);
  for (const PlanColumn& c : scan->columns) scan->scan_columns.push_back(c.attribute - 1);
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  for (const BoundPtr& value : values) project->columns.push_back({"", value->type});
  project->expressions = std::move(values);
  project->children.push_back(std::move(scan));
  BoundQuery query;
  query.plan = std::move(project);

  // Batches carry the shape of the new table; its dictionaries are assigned by rewrite_table for columns that have none.
  for (ColumnSchema& c : schema.columns) {
    if (c.type.id == TypeId::kSymbol && !c.dictionary) c.dictionary = std::make_shared<SymbolDictionary>();
  }
  auto run = session.start_run();
  ColumnBatch rows(std::make_shared<TableSchema>(schema));
  auto stream = execute(query, StatementRun::share_context(run), {});
  DataChunk chunk;
  while (stream->next(&chunk)) {
    for (size_t c = 0; c < chunk.columns.size(); c++)
      rows.column(c).append_vector(chunk.columns[c], chunk.selection);
  }
  session.transaction().rewrite_table(schema.id, std::move(schema), std::move(rows));
}

std::vector<BoundPtr> column_values(const std::vector<PlanColumn>& columns) {
  std::vector<BoundPtr> values;
  for (uint32_t i = 0; i < columns.size(); i++) values.push_back(BoundExpression::column(i, columns[i].type));
  return values;
}

void add_column(SessionState& session, const AlterAction& action, const TableVersion& table,
                TableSchema& schema) {
  if (schema.find_column(action.column.name.text) >= 0) {
    if (action.if_not_exists) {
      session.notice("NOTICE", sql_error(sqlstate::kDuplicateColumn,
                                         "column \"{}\" of relation \"{}\" already exists, skipping",
                                         action.column.name.text, schema.name));
      return;
    }
    throw sql_error(sqlstate::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                    action.column.name.text, schema.name)
        .with_position(action.column.name.position);
  }
  ColumnSchema column = column_from_definition(action.column, session);
  auto run = session.start_run();
  EvaluationState state{&run->context, {}};
  column.initial = evaluate_constant(state, *bind_default(column, session));
  if (column.not_null && column.initial.is_null() && table.row_count > 0) {
    throw sql_error(sqlstate::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values",
                    column.name, schema.name);
  }
  schema.columns.push_back(std::move(column));
}

// With a volatile default each row gets a value of its own: the table is written anew.
void add_computed_column(SessionState& session, const TableVersion& table, TableSchema schema,
                         BoundPtr value) {
  check_table_definition(schema, 0);
  std::vector<PlanColumn> columns = table_scope(*table.schema, "")[0].columns;
  std::vector<BoundPtr> values = column_values(columns);
  values.push_back(std::move(value));
  rewrite(session, std::move(schema), std::move(columns), std::move(values));
}

void drop_column(SessionState& session, const AlterAction& action, TableSchema& schema) {
  int found = schema.find_column(action.name.text);
  if (found < 0 && action.if_exists) {
    session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion,
                                       "column \"{}\" of relation \"{}\" does not exist, skipping",
                                       action.name.text, schema.name));
    return;
  }
  int index = column_index(schema, action.name);
  auto used_as = [&](std::string_view what) {
    throw sql_error(sqlstate::kDependentObjectsStillExist, "cannot drop column \"{}\": it is {} of the table",
                    action.name.text, what)
        .with_position(action.name.position);
  };
  if (index == schema.timestamp_column) used_as("the designated timestamp");
  if (index == schema.version_column || index == schema.deleted_column)
    used_as("the version or deletion column");
  if (std::find(schema.upsert_keys.begin(), schema.upsert_keys.end(), static_cast<uint32_t>(index)) !=
      schema.upsert_keys.end())
    used_as("an upsert key");
  if (schema.columns.size() == 1)
    throw SqlError(sqlstate::kInvalidTableDefinition, "a table must have at least one column");
  schema.columns.erase(schema.columns.begin() + index);
  auto shift = [&](int& i) { i -= i > index; };
  shift(schema.timestamp_column);
  shift(schema.version_column);
  shift(schema.deleted_column);
  for (uint32_t& key : schema.upsert_keys) key -= static_cast<int>(key) > index;
}

// ALTER COLUMN … TYPE writes the table anew: every row is read, the column cast.
void change_type(SessionState& session, const AlterAction& action, const TableVersion& table,
                 TableSchema schema) {
  int index = column_index(schema, action.column.name);
  ColumnSchema& column = schema.columns[static_cast<size_t>(index)];
  SqlType old_type = column.type;
  column.type = resolve_type_name(action.column.type.name, action.column.type.modifiers.data(),
                                  action.column.type.modifiers.size(), action.column.type.is_array());
  if (index == schema.timestamp_column && !is_timestamp(column.type.id)) {
    throw SqlError(sqlstate::kDatatypeMismatch, "the designated timestamp must stay a TIMESTAMP")
        .with_position(action.column.type.position);
  }
  column.dictionary = nullptr;
  check_table_definition(schema, 0);

  ParameterTypes none;
  std::vector<ScopeTable> scope = table_scope(*table.schema, "");
  SqlType target = assignment_type(column.type);
  std::vector<BoundPtr> values = column_values(scope[0].columns);
  BoundPtr& value = values[static_cast<size_t>(index)];
  if (action.expression) {
    value = bind_expression(*action.expression, scope, session, none, target);
  } else {
    if (!can_cast(old_type, target, CastContext::kAssignment)) {
      throw sql_error(sqlstate::kDatatypeMismatch, "column \"{}\" cannot be cast automatically to type {}",
                      column.name, format_type(column.type))
          .with_hint(fmt::format("You might need to specify \"USING {}::{}\".", column.name,
                                 format_type(column.type)));
    }
    ResolvedCall cast{find_cast(old_type, target, CastContext::kAssignment), {{old_type}, target}};
    std::vector<BoundPtr> arguments;
    arguments.push_back(std::move(value));
    value = BoundExpression::call(cast, std::move(arguments));
  }
  rewrite(session, std::move(schema), std::move(scope[0].columns), std::move(values));
}

std::string quoted_name(const std::string& name) {
  std::string quoted = "\"";
  for (char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// The first row of a query of texts; nothing if it has none.
std::optional<std::vector<std::string>> first_row(SessionState& session, const std::string& text) {
  ParameterTypes none;
  BoundQuery query = bind_query(*parser::parse_query(text), session, none);
  auto run = session.start_run();
  auto stream = execute(query, StatementRun::share_context(run), {});
  DataChunk chunk;
  while (stream->next(&chunk)) {
    if (chunk.count() == 0) continue;
    std::vector<std::string> row;
    for (const Vector& column : chunk.columns) {
      Value value = column.value_at(chunk.selection[0]);
      row.emplace_back(value.is_null() ? "null" : value.as_string());
    }
    return row;
  }
  return std::nullopt;
}

// Making keys of what is stored: none may be NULL (23502), each combination may be there once only (23505).
void check_primary_key(SessionState& session, const TableSchema& schema) {
  std::string keys, texts, names;
  const std::string table = quoted_name(schema.schema_name) + "." + quoted_name(schema.name);
  for (uint32_t key : schema.upsert_keys) {
    const std::string name = quoted_name(schema.columns[key].name);
    const std::string comma = keys.empty() ? "" : ", ";
    keys += comma + name;
    texts += comma + name + "::text";
    names += comma + schema.columns[key].name;
    if (first_row(session, fmt::format("SELECT 'null' FROM {} WHERE {} IS NULL LIMIT 1", table, name))) {
      throw sql_error(sqlstate::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values",
                      schema.columns[key].name, schema.name);
    }
  }
  if (auto twice = first_row(session, fmt::format("SELECT {} FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                                                  texts, table, keys))) {
    throw sql_error(sqlstate::kUniqueViolation, "could not make ({}) the keys of \"{}\"", names, schema.name)
        .with_detail(fmt::format("Key ({})=({}) is duplicated.", names, fmt::join(*twice, ", ")));
  }
}

void add_primary_key(SessionState& session, const AlterAction& action, const TableVersion& table,
                     TableSchema& schema) {
  if (schema.has_keys()) {
    throw sql_error(sqlstate::kInvalidTableDefinition,
                    "multiple primary keys for table \"{}\" are not allowed: it has upsert keys", schema.name)
        .with_position(action.position);
  }
  ast::DedupClause dedup;
  dedup.keys = action.columns;
  apply_dedup(dedup, schema);
  for (uint32_t key : schema.upsert_keys) schema.columns[key].not_null = true;
  if (table.row_count > 0) check_primary_key(session, schema);
  schema.keys_unique = true;
}

// Only what is acted on is accepted.
void set_options(const AlterAction& action, TableSchema& schema) {
  for (const ast::Option& option : action.options) {
    if (option.name != "history_retention") {
      throw not_supported(fmt::format("SET ({})", option.name),
                          option.position ? option.position : action.position);
    }
    std::erase_if(schema.options, [&](const auto& known) { return known.first == option.name; });
    if (action.kind == Kind::kResetOptions) continue;
    parse_retention(option.value);
    schema.options.emplace_back(option.name, option.value);
  }
}

// DETACH PARTITION 'name' INTO other, ATTACH PARTITION 'name' FROM other [REPLACE].
void move_partition(SessionState& session, const AlterAction& action, const TableVersion& table) {
  const bool detaches = action.kind == Kind::kDetachPartition;
  auto other = session.owned_table(action.table);
  const TableSchema& from = detaches ? *table.schema : *other->schema;
  const TableSchema& to = detaches ? *other->schema : *table.schema;
  auto start = parse_partition_name(from.partition_by, action.partitions[0]);
  if (!start || (detaches ? table : *other).find_partition(*start) < 0) {
    throw sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no partition \"{}\"", from.name,
                    action.partitions[0])
        .with_position(action.position);
  }
  session.write_transaction(detaches ? "DETACH" : "ATTACH")
      .move_partition(from.id, *start, to.id, action.replace);
}

std::string altered_tag(const ast::AlterTableStatement& s) {
  return s.object == ast::ObjectKind::kMaterializedView ? "ALTER MATERIALIZED VIEW" : "ALTER TABLE";
}

// IF EXISTS; an error without.
void note_missing(SessionState& session, const ast::AlterTableStatement& s, std::string_view kind) {
  if (!s.if_exists) {
    throw sql_error(sqlstate::kUndefinedTable, "{} \"{}\" does not exist", kind, s.table.name.text)
        .with_position(s.table.position());
  }
  session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion,
                                     "relation \"{}\" does not exist, skipping", s.table.name.text));
}

// Renames of tables and views. What read them by their names must find these again at COMMIT.
std::string rename(SessionState& session, const ast::AlterTableStatement& s, const AlterAction& action) {
  Transaction& transaction = session.write_transaction("ALTER TABLE");
  const Snapshot& view = session.snapshot();
  if (s.object == ast::ObjectKind::kView) {
    std::vector<std::string> parts;
    if (!s.table.schema.empty()) parts.push_back(s.table.schema.text);
    parts.push_back(s.table.name.text);
    auto found = session.find_view(parts);
    if (!found) {
      note_missing(session, s, "view");
      return "ALTER VIEW";
    }
    session.access().require_owner(SecuredObject::of(*found));
    session.check_schema(found->schema_name, Privilege::kCreate);
    ViewSchema renamed = *found;
    renamed.name = action.new_name.text;
    if (view.find_table(renamed.schema_name, renamed.name) ||
        view.find_view(renamed.schema_name, renamed.name)) {
      throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", renamed.name);
    }
    session.note_dropped(found->schema_name, found->name);
    transaction.rename_view(*found, std::move(renamed));
    return "ALTER VIEW";
  }
  const bool materialized = s.object == ast::ObjectKind::kMaterializedView;
  auto table = materialized ? altered_materialized_view(session, s) : session.owned_table(s.table);
  session.check_schema(table->schema->schema_name, Privilege::kCreate);
  TableSchema schema = *table->schema;
  schema.name = action.new_name.text;
  session.note_dropped(table->schema->schema_name, table->schema->name);
  session.note_altered(schema.id);
  transaction.alter_table(schema.id, std::move(schema));
  return altered_tag(s);
}

// Views that can no longer be computed go, where DROP COLUMN … CASCADE says so; else they must be gone at COMMIT.
void alter(SessionState& session, const ast::AlterTableStatement& s, TableSchema schema) {
  check_table_definition(schema, 0);
  const TableId table = schema.id;
  session.transaction().alter_table(table, std::move(schema));
  session.note_altered(table);
  if (std::none_of(s.actions.begin(), s.actions.end(),
                   [](const AlterAction& action) { return action.cascade; }))
    return;
  session.begin_write_statement();
  note_cascade(session, drop_cascading(session, views_broken_by(session, {table})));
}

std::string change_view_owner(SessionState& session, const ast::AlterTableStatement& s) {
  std::vector<std::string> parts;
  if (!s.table.schema.empty()) parts.push_back(s.table.schema.text);
  parts.push_back(s.table.name.text);
  const auto found = session.find_view(parts);
  if (!found) {
    note_missing(session, s, "view");
    return "ALTER VIEW";
  }
  change_owner(session, s.actions[0], nullptr, found.get());
  return "ALTER VIEW";
}

}  // namespace

std::string execute_alter_table(SessionState& session, const ast::AlterTableStatement& s) {
  session.check_writable("ALTER TABLE");
  session.begin_statement();
  const bool only_renames = s.actions.size() == 1 && s.actions[0].kind == Kind::kRename;
  if (s.object == ast::ObjectKind::kView) {
    if (only_renames) return rename(session, s, s.actions[0]);
    if (s.actions.size() != 1 || s.actions[0].kind != Kind::kOwnerTo) {
      throw SqlError(sqlstate::kFeatureNotSupported, "ALTER VIEW can only rename and change the owner");
    }
    return change_view_owner(session, s);
  }

  std::shared_ptr<const TableVersion> table;
  try {
    table = session.target_table(s.table);
  } catch (const SqlError& error) {
    if (!s.if_exists || error.sqlstate() != sqlstate::kUndefinedTable) throw;
    note_missing(session, s, "relation");
    return altered_tag(s);
  }
  if (only_renames) return rename(session, s, s.actions[0]);
  const bool protects = std::all_of(s.actions.begin(), s.actions.end(), is_protection);
  if (s.object == ast::ObjectKind::kMaterializedView) altered_materialized_view(session, s);
  else if (!protects) session.owned_table(s.table);
  if (s.actions.size() == 1 && s.actions[0].kind == Kind::kOwnerTo) {
    change_owner(session, s.actions[0], table.get(), nullptr);
    return altered_tag(s);
  }
  session.write_transaction("ALTER TABLE");
  TableSchema schema = *table->schema;
  bool changed = false;
  for (const AlterAction& action : s.actions) {
    switch (action.kind) {
      case Kind::kAddColumn: {
        const size_t columns = schema.columns.size();
        add_column(session, action, *table, schema);
        if (schema.columns.size() == columns || table->row_count == 0) break;
        BoundPtr value = bind_default(schema.columns.back(), session);
        if (!is_volatile(*value)) break;
        if (s.actions.size() > 1)
          throw not_supported("several actions with a volatile DEFAULT", action.position);
        add_computed_column(session, *table, std::move(schema), std::move(value));
        session.note_altered(table->schema->id);
        return "ALTER TABLE";
      }
      case Kind::kDropColumn: drop_column(session, action, schema); break;
      case Kind::kRenameColumn: {
        int index = column_index(schema, action.name);
        schema.columns[static_cast<size_t>(index)].name = action.new_name.text;
        check_column_names(schema);
        break;
      }
      case Kind::kAlterType:
        if (s.actions.size() > 1)
          throw not_supported("several actions with a change of type", action.position);
        change_type(session, action, *table, std::move(schema));
        session.note_altered(table->schema->id);
        return "ALTER TABLE";
      case Kind::kSetDefault: {
        ColumnSchema& column = schema.columns[static_cast<size_t>(column_index(schema, action.name))];
        ParameterTypes none;
        bind_expression(*action.expression, {}, session, none, assignment_type(column.type));
        column.default_text = parser::deparse(*action.expression);
        break;
      }
      case Kind::kDropDefault:
        schema.columns[static_cast<size_t>(column_index(schema, action.name))].default_text.clear();
        break;
      case Kind::kDropNotNull:
        schema.columns[static_cast<size_t>(column_index(schema, action.name))].not_null = false;
        break;
      case Kind::kDedupEnable:
        apply_dedup(action.dedup, schema);
        schema.keys_unique = table->row_count == 0 ||
                             (table->schema->keys_unique && schema.upsert_keys == table->schema->upsert_keys);
        break;
      case Kind::kDedupDisable:
        schema.upsert_keys.clear();
        schema.keys_unique = false;
        schema.version_column = schema.deleted_column = -1;
        break;
      case Kind::kAddPrimaryKey: add_primary_key(session, action, *table, schema); break;
      case Kind::kDropPartition: {
        if (s.actions.size() > 1) throw not_supported("several actions with DROP PARTITION", action.position);
        std::vector<int64_t> starts;
        if (action.expression) starts = partitions_where(session, *table, *action.expression);
        for (const std::string& name : action.partitions) {
          auto start = parse_partition_name(schema.partition_by, name);
          if (!start || table->find_partition(*start) < 0) {
            throw sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no partition \"{}\"", schema.name,
                            name)
                .with_position(action.position);
          }
          starts.push_back(*start);
        }
        session.write_transaction("DROP PARTITION").drop_partitions(schema.id, starts);
        return "ALTER TABLE";
      }
      case Kind::kSetSchema: throw not_supported("SET SCHEMA", action.position);
      case Kind::kOwnerTo: throw not_supported("several actions with OWNER TO", action.position);
      case Kind::kSetNotNull: throw not_supported("SET NOT NULL", action.position);
      case Kind::kSetOptions:
      case Kind::kResetOptions:
        if (is_protection(action)) {
          protect_table(session, action, *table);
          continue;
        }
        set_options(action, schema);
        break;
      case Kind::kSetTtl:
        schema.ttl_count = action.ttl ? action.ttl->count : 0;
        schema.ttl_unit = action.ttl ? action.ttl->unit : "";
        break;
      case Kind::kSetRefresh:
        if (s.actions.size() > 1) throw not_supported("several actions with SET REFRESH", action.position);
        change_refresh_mode(session, action, *table);
        return altered_tag(s);
      case Kind::kFreezePartition: protect_table(session, action, *table); continue;
      case Kind::kDetachPartition:
      case Kind::kAttachPartition:
        if (s.actions.size() > 1)
          throw not_supported("several actions with DETACH or ATTACH PARTITION", action.position);
        move_partition(session, action, *table);
        return "ALTER TABLE";
      case Kind::kCreateTag:
        if (s.actions.size() > 1) throw not_supported("several actions with a tag", action.position);
        create_tag(session, action, table);
        return altered_tag(s);
      case Kind::kDropTag:
        if (s.actions.size() > 1) throw not_supported("several actions with a tag", action.position);
        drop_tag(session, action, *table);
        return altered_tag(s);
      case Kind::kRename: throw not_supported("several actions with RENAME", action.position);
    }
    changed = true;
  }
  if (changed) alter(session, s, std::move(schema));
  return altered_tag(s);
}

}  // namespace idem
