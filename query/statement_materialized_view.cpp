#include <algorithm>

#include "common/calendar.h"
#include "parser/deparse.h"
#include "query/access_control.h"
#include "query/materialized_refresh.h"
#include "query/materialized_views.h"
#include "query/query_columns.h"
#include "query/refresh_ranges.h"
#include "query/statement_executors.h"
#include "query/stored_query.h"
#include "query/table_definition.h"

namespace idem {

namespace {

using Create = ast::CreateMaterializedViewStatement;

PartitionUnit partition_by_bucket(SessionState& session, const BoundExpression& bucket) {
  constexpr int64_t kAnyTime = 0;
  const auto run = session.start_run();
  EvaluationState state{&run->context, {}};
  const auto whole = whole_buckets(bucket_start(bucket, state), {TimeRange{kAnyTime, kAnyTime}});
  const int64_t width = whole ? whole->back().max - whole->front().min + 1 : 0;
  return width <= kMicrosPerMinute ? PartitionUnit::kDay
         : width <= kMicrosPerHour ? PartitionUnit::kMonth
                                   : PartitionUnit::kYear;
}

// As QuestDB chooses it: some hundreds to some ten thousands of buckets in a partition.
PartitionUnit partition_by(SessionState& session, const SampledTables& sampled) {
  if (sampled.bucket) return partition_by_bucket(session, *sampled.bucket);
  if (!sampled.buckets) return sampled.partition_by;
  switch (sampled.buckets->unit) {
    case 'U':
    case 'T':
    case 's': return PartitionUnit::kDay;
    case 'm': return sampled.buckets->count > 1 ? PartitionUnit::kMonth : PartitionUnit::kDay;
    case 'h': return sampled.buckets->count > 1 ? PartitionUnit::kYear : PartitionUnit::kMonth;
    default: return PartitionUnit::kYear;
  }
}

void set_refresh_mode(const ast::RefreshClause& refresh, MaterializedView& view) {
  using Mode = ast::RefreshClause::Mode;
  switch (refresh.mode) {
    case Mode::kDefault:
    case Mode::kImmediate: view.mode = RefreshMode::kImmediate; return;
    case Mode::kManual: view.mode = RefreshMode::kManual; return;
    case Mode::kEvery: break;
  }
  const ast::TimeSpan& every = refresh.every;
  constexpr int64_t kMost = 10'000'000;
  if (std::string_view("smhdw").find(every.unit) == std::string_view::npos || every.count < 1 ||
      every.count > kMost) {
    throw SqlError(sqlstate::kInvalidParameterValue, "invalid interval of REFRESH EVERY")
        .with_hint("Write a number and a unit: seconds, minutes, hours, days or weeks.")
        .with_position(every.position);
  }
  view.mode = RefreshMode::kEvery;
  view.every_count = every.count;
  view.every_unit = every.unit;
}

// The table of the rows, its columns those of the query as whoever creates the view reads it.
TableSchema table_schema(SessionState& session, const Create& s, MaterializedView& view) {
  TableSchema schema;
  schema.schema_name = session.creation_schema(s.name);
  schema.name = s.name.name.text;
  schema.owner = session.user();
  const StoredQuery query = bind_stored_query(view_definition(view, schema), session);
  for (const TableId source : query.sources) view.sources.push_back({source, std::nullopt});
  view.reads_clock = query.reads_clock;
  schema.columns = columns_of_query(s.columns, query.query.plan->columns);
  check_column_names(schema);
  schema.timestamp_column = query.timestamp;
  if (schema.has_timestamp())
    schema.partition_by = query.sampled ? partition_by(session, *query.sampled) : PartitionUnit::kDay;
  if (s.partition_by) schema.partition_by = partition_unit(*s.partition_by);
  if (s.ttl) {
    schema.ttl_count = s.ttl->count;
    schema.ttl_unit = s.ttl->unit;
  }
  schema.owner = session.object_owner(schema.schema_name);
  check_table_definition(schema, 0);
  return schema;
}

// The view that a statement names: 42809 for anything else.
std::shared_ptr<const TableVersion> named_view(const SessionState& session, const ast::ObjectName& name) {
  auto table = session.target_table(name);
  if (session.snapshot().catalog->materialized_view(table->schema->id)) return table;
  throw sql_error(sqlstate::kWrongObjectType, "\"{}\" is not a materialized view", name.name.text)
      .with_position(name.position());
}

}  // namespace

std::string execute_create_materialized_view(SessionState& session, const Create& s) {
  session.check_writable("CREATE MATERIALIZED VIEW");
  if (!s.options.empty()) {
    throw SqlError(sqlstate::kFeatureNotSupported, "CREATE MATERIALIZED VIEW … WITH (…) is not supported")
        .with_position(s.options[0].position);
  }
  session.begin_statement();
  const std::string in_schema = session.creation_schema(s.name);
  if (session.snapshot().find_table(in_schema, s.name.name.text) ||
      session.snapshot().find_view(in_schema, s.name.name.text)) {
    if (!s.if_not_exists)
      throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", s.name.name.text);
    session.notice("NOTICE", sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists, skipping",
                                       s.name.name.text));
    return "CREATE MATERIALIZED VIEW";
  }
  MaterializedView view;
  view.query_text = parser::deparse(*s.query);
  for (const char* name : {"TimeZone", "search_path"})
    view.settings.emplace_back(name, session.settings.get(name));
  set_refresh_mode(s.refresh, view);
  TableSchema schema = table_schema(session, s, view);
  const std::string owner = schema.owner, schema_name = schema.schema_name;
  Transaction& transaction = session.write_transaction("CREATE MATERIALIZED VIEW");
  view.table = transaction.create_table(std::move(schema));
  const TableId table = view.table;
  transaction.put_materialized_view(std::move(view), {});
  session.grant_initial_access({SecuredObject::Kind::kTable, static_cast<uint32_t>(table), "", owner},
                               schema_name);
  if (s.with_no_data) return "CREATE MATERIALIZED VIEW";
  session.begin_write_statement();  // the table is there now
  refresh_materialized_view(session, *session.snapshot().table(table), true);
  return fmt::format("SELECT {}", transaction.read_view().table(table)->row_count);
}

std::string execute_refresh_materialized_view(SessionState& session,
                                              const ast::RefreshMaterializedViewStatement& s) {
  session.check_writable("REFRESH MATERIALIZED VIEW");
  session.begin_statement();
  const auto table = named_view(session, s.name);
  session.access().require_owner(SecuredObject::of(*table->schema));
  if (!s.with_no_data) {
    refresh_materialized_view(session, *table, s.full);
    return "REFRESH MATERIALIZED VIEW";
  }
  MaterializedView emptied =
      with_unknown_sources(*session.snapshot().catalog->materialized_view(table->schema->id));
  emptied.populated = false;
  Transaction& transaction = session.write_transaction("REFRESH");
  if (table->row_count > 0) transaction.truncate(table->schema->id);
  transaction.put_materialized_view(std::move(emptied), {});
  return "REFRESH MATERIALIZED VIEW";
}

std::shared_ptr<const TableVersion> altered_materialized_view(SessionState& session,
                                                              const ast::AlterTableStatement& s) {
  using Kind = ast::AlterAction::Kind;
  auto table = named_view(session, s.table);
  require_not_immutable(*session.snapshot().catalog, *table->schema, session.server.clock->now_micros());
  session.access().require_owner(SecuredObject::of(*table->schema));
  for (const ast::AlterAction& action : s.actions) {
    switch (action.kind) {
      case Kind::kRename:
      case Kind::kOwnerTo:
      case Kind::kSetOptions:
      case Kind::kResetOptions:
      case Kind::kSetTtl:
      case Kind::kSetRefresh:
      case Kind::kCreateTag:
      case Kind::kDropTag: break;
      default:
        throw sql_error(sqlstate::kWrongObjectType, "this action does not apply to materialized view \"{}\"",
                        table->schema->name)
            .with_hint("Its rows and columns are those of its query.")
            .with_position(action.position);
    }
  }
  return table;
}

void change_refresh_mode(SessionState& session, const ast::AlterAction& action, const TableVersion& table) {
  const MaterializedView* known = session.snapshot().catalog->materialized_view(table.schema->id);
  if (!known) {
    throw sql_error(sqlstate::kWrongObjectType, "\"{}\" is not a materialized view", table.schema->name)
        .with_position(action.position);
  }
  MaterializedView changed = *known;
  set_refresh_mode(action.refresh, changed);
  ++changed.generation;
  session.write_transaction("ALTER TABLE").put_materialized_view(std::move(changed), {});
}

}  // namespace idem
