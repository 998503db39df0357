#include "parser/parser.h"
#include "query/access_control.h"
#include "query/expression_evaluator.h"
#include "query/portal.h"
#include "query/statement_executors.h"
#include "query/system_relations.h"
#include "query/virtual_rows.h"
#include "storage/database.h"
#include "storage/retention.h"

namespace idem {

namespace {

// RETAIN n HOURS.
int64_t micros_of(const ast::TtlClause& clause) {
  return parse_retention(fmt::format("{} {}", clause.count, clause.unit));
}

std::string quoted_literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string quoted_name(const TableSchema& schema) {
  const auto quote = [](const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
  };
  return quote(schema.schema_name) + "." + quote(schema.name);
}

SqlError in_block(std::string_view statement) {
  return sql_error(sqlstate::kActiveSqlTransaction, "{} cannot run inside a transaction block", statement);
}

const DroppedTable* find_dropped(const SessionState& session, const ast::ObjectName& name) {
  const Catalog& catalog = *session.snapshot().catalog;
  std::vector<std::string> schemas =
      name.schema.empty() ? session.search_path(false) : std::vector<std::string>{name.schema.text};
  const auto when = [](const DroppedTable& dropped) {  // the drop of this transaction has no time yet
    return dropped.time_micros == 0 ? INT64_MAX : dropped.time_micros;
  };
  for (const std::string& schema : schemas) {
    const DroppedTable* newest = nullptr;
    for (const auto& [id, dropped] : catalog.dropped) {
      if (dropped.schema_name != schema || dropped.name != name.name.text) continue;
      if (!newest || when(dropped) >= when(*newest)) newest = &dropped;
    }
    if (newest) return newest;
  }
  return nullptr;
}

RetentionRequest retention_request(const SessionState& session, const ast::VacuumStatement& s) {
  RetentionRequest request;
  if (!s.tables.empty()) {
    request.tables.emplace();
    for (const ast::ObjectName& name : s.tables) {
      const auto table = session.target_table(name);
      const SecuredObject object = SecuredObject::of(*table->schema);
      // Giving back the past is for owners, the rest for whoever maintains the table.
      if (s.retain) session.access().require_owner(object);
      else session.access().require(object, Privilege::kMaintain);
      request.tables->insert(static_cast<uint32_t>(table->schema->id));
    }
  }
  if (s.retain) {
    request.retain_micros = micros_of(*s.retain);
    request.gives_back_log = *request.retain_micros == 0;
  }
  return request;
}

}  // namespace

Value SessionState::constant_value(const ast::Expression& expression, SqlType type) {
  ParameterTypes none;
  const BoundPtr bound = bind_expression(expression, {}, *this, none, type);
  auto run = start_run();
  EvaluationState state{&run->context, {}};
  Value value = evaluate_constant(state, *bound);
  if (value.is_null()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "NULL is not allowed here")
        .with_position(expression.position);
  }
  return value;
}

VersionTarget SessionState::version_target(const ast::VersionClause& clause) {
  switch (clause.kind) {
    case ast::VersionClause::Kind::kVersion: {
      const int64_t number = constant_value(*clause.value, TypeId::kBigInt).as_int();
      if (number < 0) {
        throw sql_error(sqlstate::kInvalidParameterValue, "there is no version {}", number)
            .with_position(clause.position);
      }
      return VersionNumberTarget{VersionNumber{static_cast<uint64_t>(number)}};
    }
    case ast::VersionClause::Kind::kTimestamp:
      return VersionTimeTarget{constant_value(*clause.value, TypeId::kTimestamp).as_int()};
    case ast::VersionClause::Kind::kTag:
      return VersionTagTarget{constant_value(*clause.value, TypeId::kText).as_string()};
  }
  return VersionNumberTarget{};
}

KeptVersion SessionState::past_version(const std::shared_ptr<const TableVersion>& table,
                                       const ast::VersionClause& clause) {
  const VersionTarget target = version_target(clause);
  try {
    return server.database->find_version(transaction().committed_view(), table->schema->id, target);
  } catch (SqlError& error) {
    error.with_position(clause.position);
    throw;
  }
}

std::shared_ptr<const TableVersion> SessionState::find_past_version(
    const std::shared_ptr<const TableVersion>& table, const ast::VersionClause& clause) const {
  return const_cast<SessionState*>(this)->past_version(table, clause).version;
}

std::string execute_restore(SessionState& session, const ast::RestoreTableStatement& s) {
  session.check_writable("RESTORE TABLE");
  session.begin_statement();
  const auto table = session.owned_table(s.table);
  KeptVersion version = session.past_version(table, s.to);
  session.write_transaction("RESTORE").restore(table->schema->id, std::move(version.version));
  return "RESTORE TABLE";
}

std::string execute_undrop(SessionState& session, const ast::UndropStatement& s) {
  session.check_writable("UNDROP TABLE");
  session.begin_statement();
  const DroppedTable* dropped = find_dropped(session, s.table);
  if (!dropped) {
    SqlError error =
        sql_error(sqlstate::kUndefinedTable, "there is no dropped table \"{}\"", s.table.name.text);
    throw error.with_hint("What was dropped longer ago than history_retention is gone.")
        .with_position(s.table.position());
  }
  const std::string name = s.new_name.empty() ? dropped->name : s.new_name.text;
  if (!session.access().is_superuser()) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "must be owner of table {}", dropped->name)
        .with_position(s.table.position());
  }
  session.write_transaction("UNDROP").undrop_table(dropped->table, dropped->schema_name, name);
  return "UNDROP TABLE";
}

void create_tag(SessionState& session, const ast::AlterAction& action,
                const std::shared_ptr<const TableVersion>& table) {
  if (action.tag.empty()) {
    throw sql_error(sqlstate::kInvalidParameterValue, "the name of a tag must not be empty")
        .with_position(action.position);
  }
  const TableId id = table->schema->id;
  Transaction& transaction = session.write_transaction("ALTER TABLE");
  const auto committed = transaction.committed_view().table(id);
  if (!committed || transaction.writes(id)) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                    "a tag names a committed version, and this transaction has changed table \"{}\"",
                    table->schema->name)
        .with_position(action.position);
  }
  if (action.version && *action.version < 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "there is no version {}", *action.version)
        .with_position(action.position);
  }
  const VersionNumber number =
      action.version ? VersionNumber{static_cast<uint64_t>(*action.version)} : committed->version;
  KeptVersion version =
      session.server.database->find_version(transaction.committed_view(), id, VersionNumberTarget{number});
  TableTag tag{id, action.tag, number, 0, 0};
  if (action.retain) tag.expires_micros = session.server.clock->now_micros() + micros_of(*action.retain);
  transaction.create_tag(std::move(tag), std::move(version));
}

void drop_tag(SessionState& session, const ast::AlterAction& action, const TableVersion& table) {
  const auto key = std::pair(static_cast<uint32_t>(table.schema->id), action.tag);
  if (!session.snapshot().catalog->tags.contains(key)) {
    SqlError error = sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no tag \"{}\"",
                               table.schema->name, action.tag);
    if (!action.if_exists) throw error.with_position(action.position);
    session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion, "{}, skipping", error.message()));
    return;
  }
  session.write_transaction("ALTER TABLE").drop_tag(table.schema->id, action.tag);
}

std::string history_query(const SessionState& session, const ast::DescribeHistoryStatement& s) {
  const auto table = session.target_table(s.table);
  std::string text = fmt::format("SELECT * FROM table_history({}) ORDER BY version DESC",
                                 quoted_literal(quoted_name(*table->schema)));
  if (s.limit) text += fmt::format(" LIMIT {}", *s.limit);
  return text;
}

std::unique_ptr<Portal> execute_describe_history(SessionState& session,
                                                 const ast::DescribeHistoryStatement& s) {
  session.begin_statement();
  ParameterTypes none;
  return session.make_query_portal(bind_query(*parser::parse_query(history_query(session, s)), session, none),
                                   {});
}

std::vector<PlanColumn> history_columns() { return find_system_function("table_history")->columns(); }

std::vector<PlanColumn> vacuum_columns(const ast::VacuumStatement& s) {
  if (!s.dry_run) return {};
  return {{"schema_name", TypeId::kVarchar},
          {"table_name", TypeId::kVarchar},
          {"versions", TypeId::kBigInt},
          {"files", TypeId::kBigInt},
          {"bytes", TypeId::kBigInt}};
}

std::unique_ptr<Portal> execute_vacuum(SessionState& session, const ast::VacuumStatement& s) {
  session.begin_statement();
  if (s.tables.empty()) session.access().require_superuser("vacuum all tables");
  const RetentionRequest request = retention_request(session, s);
  if (s.dry_run) {
    return std::make_unique<RowsPortal>(vacuum_columns(s), [&session, request, columns = vacuum_columns(s)] {
      RowsPortal::Result result;
      const std::function<void(DataChunk&)> collect = [&](DataChunk& chunk) {
        result.chunks.push_back(std::move(chunk));
      };
      RowEmitter out(columns, collect);
      for (const VacuumPreview& p : session.server.database->preview_vacuum(request)) {
        out.row({p.schema_name, p.table_name, static_cast<int64_t>(p.versions), static_cast<int64_t>(p.files),
                 static_cast<int64_t>(p.bytes)});
      }
      out.flush();
      result.tag = "VACUUM";
      return result;
    });
  }
  session.check_writable("VACUUM");
  if (session.status() != TransactionStatus::kIdle) throw in_block("VACUUM");
  return std::make_unique<CommandPortal>([&session, request] {
    session.server.database->vacuum(request);
    return std::string("VACUUM");
  });
}

std::string execute_create_change_slot(SessionState& session, const ast::CreateChangeSlotStatement& s) {
  session.check_writable("CREATE CHANGE SLOT");
  session.begin_statement();
  if (session.snapshot().catalog->slots.contains(s.name.text)) {
    SqlError error = sql_error(sqlstate::kDuplicateObject, "change slot \"{}\" already exists", s.name.text);
    if (!s.if_not_exists) throw error.with_position(s.name.position);
    session.notice("NOTICE", sql_error(sqlstate::kDuplicateObject, "{}, skipping", error.message()));
    return "CREATE CHANGE SLOT";
  }
  const auto named = session.target_table(s.table);
  session.check_read(*named->schema);
  const TableId table = named->schema->id;
  Transaction& transaction = session.write_transaction("CREATE CHANGE SLOT");
  const auto committed = transaction.committed_view().table(table);
  if (!committed || transaction.writes(table)) {
    throw sql_error(
        sqlstate::kObjectNotInPrerequisiteState,
        "a change slot begins at a committed version, and this transaction has changed table \"{}\"",
        s.table.name.text)
        .with_position(s.table.position());
  }
  KeptVersion version = session.server.database->find_version(transaction.committed_view(), table,
                                                              VersionNumberTarget{committed->version});
  transaction.put_slot({s.name.text, session.user(), table, committed->version}, std::move(version));
  return "CREATE CHANGE SLOT";
}

std::string execute_advance_change_slot(SessionState& session, const ast::AdvanceChangeSlotStatement& s) {
  session.check_writable("ADVANCE CHANGE SLOT");
  session.begin_statement();
  const auto found = session.snapshot().catalog->slots.find(s.name.text);
  if (found == session.snapshot().catalog->slots.end()) {
    throw sql_error(sqlstate::kUndefinedObject, "change slot \"{}\" does not exist", s.name.text)
        .with_position(s.name.position);
  }
  ChangeSlot slot = found->second;
  session.access().require_role(slot.owner);
  const int64_t version = session.constant_value(*s.version, TypeId::kBigInt).as_int();
  const auto table = session.transaction().committed_view().table(slot.table);
  const auto newest = table ? static_cast<int64_t>(static_cast<uint64_t>(table->version)) : -1;
  if (version < static_cast<int64_t>(static_cast<uint64_t>(slot.version)) || version > newest) {
    throw sql_error(sqlstate::kInvalidParameterValue, "change slot \"{}\" cannot advance to version {}",
                    slot.name, version)
        .with_hint(fmt::format("It is at version {}, and the table is at version {}.",
                               static_cast<uint64_t>(slot.version), newest))
        .with_position(s.version->position);
  }
  slot.version = VersionNumber{static_cast<uint64_t>(version)};
  KeptVersion kept = session.server.database->find_version(session.transaction().committed_view(), slot.table,
                                                           VersionNumberTarget{slot.version});
  session.write_transaction("ADVANCE CHANGE SLOT").put_slot(std::move(slot), std::move(kept));
  return "ADVANCE CHANGE SLOT";
}

}  // namespace idem
