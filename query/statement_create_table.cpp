#include <algorithm>

#include "parser/deparse.h"
#include "query/access_control.h"
#include "query/insert_plan.h"
#include "query/query_columns.h"
#include "query/statement_executors.h"
#include "query/table_definition.h"

namespace idem {

namespace {

void copy_like(SessionState& session, const ast::LikeClause& like, TableSchema& schema, size_t at) {
  auto other = session.target_table(like.table);
  session.check_read(*other->schema);
  for (const ColumnSchema& column : other->schema->columns) {
    ColumnSchema copy = column;
    copy.id = ColumnId{};
    copy.dictionary = nullptr;
    copy.initial = Value();
    if (!like.including_all) copy.keep = KeepPolicy::kLast;
    schema.columns.insert(schema.columns.begin() + static_cast<std::ptrdiff_t>(at++), std::move(copy));
  }
}

// Clauses that LIKE brings along refer to columns by index in the other table; here by name.
void copy_like_clauses(const TableSchema& other, bool including_all, TableSchema& schema) {
  auto same = [&](int index) {
    return index < 0 ? -1 : schema.find_column(other.columns[static_cast<size_t>(index)].name);
  };
  if (schema.timestamp_column < 0) {
    schema.timestamp_column = same(other.timestamp_column);
    schema.partition_by = other.partition_by;
  }
  if (!including_all) return;
  if (schema.upsert_keys.empty()) {
    for (uint32_t key : other.upsert_keys)
      schema.upsert_keys.push_back(static_cast<uint32_t>(same(static_cast<int>(key))));
    schema.keys_unique = !schema.upsert_keys.empty();
    schema.version_column = same(other.version_column);
    schema.deleted_column = same(other.deleted_column);
  }
  if (schema.ttl_unit.empty()) {
    schema.ttl_count = other.ttl_count;
    schema.ttl_unit = other.ttl_unit;
  }
}

uint64_t fill_from_query(SessionState& session, TableId table, const BoundQuery& query,
                         const StatementInput& input) {
  auto run = session.start_run();
  auto stream = execute(query, StatementRun::share_context(run), input.parameters);
  Transaction& transaction = session.transaction();
  auto schema = transaction.schema_view().table(table)->schema;
  constexpr uint32_t kBatchRows = 128 * 1024;
  uint64_t rows = 0;
  ColumnBatch batch(schema);
  DataChunk chunk;
  auto hand_over = [&] {
    rows += batch.rows();
    if (batch.rows() > 0) transaction.insert(table, std::move(batch));
    batch = ColumnBatch(schema);
  };
  while (stream->next(&chunk)) {
    for (size_t c = 0; c < chunk.columns.size(); c++)
      batch.column(c).append_vector(chunk.columns[c], chunk.selection);
    if (batch.rows() >= kBatchRows) hand_over();
  }
  hand_over();
  return rows;
}

}  // namespace

std::string execute_create_table(SessionState& session, const ast::CreateTableStatement& s,
                                 const StatementInput& input) {
  session.check_writable("CREATE TABLE");
  const bool temporary = s.temporary || s.name.schema.text == "pg_temp";
  if (s.temporary && !s.name.schema.empty() && s.name.schema.text != "pg_temp") {
    throw SqlError(sqlstate::kInvalidTableDefinition,
                   "cannot create temporary relation in non-temporary schema")
        .with_position(s.name.position());
  }
  if (s.on_commit && !temporary) {
    throw SqlError(sqlstate::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  }
  session.begin_statement();
  Transaction& transaction = session.write_transaction("CREATE TABLE");
  TableSchema schema;
  schema.temporary = temporary;
  schema.schema_name = temporary ? session.temporary_schema() : session.creation_schema(s.name);
  schema.name = s.name.name.text;
  schema.owner = session.object_owner(schema.schema_name);
  const Snapshot& view = session.snapshot();
  if (auto existing = view.find_table(schema.schema_name, schema.name)) {
    if (s.if_not_exists) {
      session.notice("NOTICE", sql_error(sqlstate::kDuplicateTable,
                                         "relation \"{}\" already exists, skipping", schema.name));
      return s.query ? "CREATE TABLE AS" : "CREATE TABLE";
    }
    if (!s.or_replace)
      throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", schema.name);
    require_changeable(*view.catalog, *existing->schema, session.server.clock->now_micros());
    require_removable(*view.catalog, *existing->schema, session.server.clock->now_micros());
    session.access().require_owner(SecuredObject::of(*existing->schema));
    transaction.drop_table(existing->schema->id);
  } else if (view.find_view(schema.schema_name, schema.name)) {
    throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", schema.name);
  }

  BoundQuery query;
  if (s.query) {
    ParameterTypes types = input.parameter_types;
    query = bind_query(*s.query, session, types);
    schema.columns = columns_of_query(s.column_names, query.plan->columns);
  }
  for (const ast::ColumnDefinition& definition : s.columns)
    schema.columns.push_back(column_from_definition(definition, session));
  size_t inserted = 0;
  for (const ast::LikeClause& like : s.likes) {
    size_t before = schema.columns.size();
    copy_like(session, like, schema, like.columns_before + inserted);
    inserted += schema.columns.size() - before;
  }
  check_column_names(schema);
  apply_table_clauses(s, schema);
  for (const ast::LikeClause& like : s.likes)
    copy_like_clauses(*session.target_table(like.table)->schema, like.including_all, schema);
  apply_partitioning(s, schema);
  check_table_definition(schema, s.dedup ? s.dedup->position : 0);
  check_policies_have_keys(schema);

  const std::string owner = schema.owner, schema_name = schema.schema_name;
  TableId table = transaction.create_table(std::move(schema));
  if (temporary) {
    session.note_temporary(table, s.on_commit.value_or(ast::OnCommit::kPreserveRows));
  } else {
    session.grant_initial_access({SecuredObject::Kind::kTable, static_cast<uint32_t>(table), "", owner},
                                 schema_name);
  }
  if (!s.query) return "CREATE TABLE";
  uint64_t rows = s.with_no_data ? 0 : fill_from_query(session, table, query, input);
  return s.with_no_data ? "CREATE TABLE AS" : fmt::format("SELECT {}", rows);
}

}  // namespace idem
