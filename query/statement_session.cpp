#include "query/access_control.h"
#include "query/isolation_level.h"
#include "query/portal.h"
#include "query/statement_executors.h"
#include "query/system_relations.h"
#include "query/table_definition.h"

namespace idem {

namespace {

using ast::ShowStatement;

std::string joined(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

// search_path = a, "B c" is kept as PostgreSQL shows it: names that need quotes get them.
std::string joined_names(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& v : values) {
    bool plain = !v.empty() && v.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == v.npos &&
                 (v[0] < '0' || v[0] > '9');
    out += (out.empty() ? "" : ", ") + (plain ? v : "\"" + v + "\"");
  }
  return out;
}

std::unique_ptr<Portal> rows(const std::vector<std::string>& names, std::function<void(TextRows&)> fill,
                             std::string tag = "SHOW") {
  TextRows header(names);
  std::vector<PlanColumn> columns = header.columns();
  return std::make_unique<RowsPortal>(std::move(columns),
                                      [names, fill = std::move(fill), tag = std::move(tag)] {
                                        TextRows text(names);
                                        fill(text);
                                        return text.finish(tag);
                                      });
}

std::vector<std::string> column_names(const ShowStatement& s) {
  switch (s.what) {
    case ShowStatement::What::kSetting: return {s.setting};
    case ShowStatement::What::kAll:
    case ShowStatement::What::kParameters: return {"name", "setting", "description"};
    case ShowStatement::What::kTables: return {"table_name"};
    case ShowStatement::What::kCreateTable:
    case ShowStatement::What::kCreateView: return {"ddl"};
    case ShowStatement::What::kLastWrite: return {"inserted", "replaced", "skipped", "deleted"};
    default: return {};
  }
}

// SHOW COLUMNS FROM t is table_columns('t').
std::unique_ptr<Portal> function_rows(SessionState& session, std::string_view function,
                                      const ast::ObjectName& table) {
  auto found = session.target_table(table);
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kVirtualScan;
  plan->virtual_table = find_system_function(function);
  plan->columns = plan->virtual_table->columns();
  std::string name = found->schema->schema_name + "." + found->schema->name;
  plan->expressions.push_back(BoundExpression::constant(Value::of_string(TypeId::kText, std::move(name))));
  BoundQuery query;
  query.plan = std::move(plan);
  return session.make_query_portal(std::move(query), {});
}

}  // namespace

std::vector<PlanColumn> show_columns(const ShowStatement& s) {
  if (s.what == ShowStatement::What::kColumns) return find_system_function("table_columns")->columns();
  if (s.what == ShowStatement::What::kPartitions) return find_system_function("table_partitions")->columns();
  return TextRows(column_names(s)).columns();
}

std::unique_ptr<Portal> execute_show(SessionState& session, const ShowStatement& s) {
  switch (s.what) {
    case ShowStatement::What::kSetting: {
      std::string value = session.settings.get(s.setting);  // an unknown name is an error at once
      return rows({s.setting}, [value](TextRows& text) { text.add({value}); });
    }
    case ShowStatement::What::kAll:
    case ShowStatement::What::kParameters:
      return rows(column_names(s), [&session](TextRows& text) {
        for (const SettingRow& row : session.settings.all()) text.add({row.name, row.value, row.description});
      });
    case ShowStatement::What::kTables: {
      session.begin_statement();
      std::string schema = s.object.schema.text;
      return rows(column_names(s), [&session, schema](TextRows& text) {
        for (const auto& [name, id] : session.snapshot().catalog->tables) {
          if (schema.empty() || name.first == schema) text.add({name.second});
        }
      });
    }
    case ShowStatement::What::kColumns:
      session.begin_statement();
      return function_rows(session, "table_columns", s.object);
    case ShowStatement::What::kPartitions:
      session.begin_statement();
      return function_rows(session, "table_partitions", s.object);
    case ShowStatement::What::kCreateTable: {
      session.begin_statement();
      const auto table = session.target_table(s.object);
      const MaterializedView* view = session.snapshot().catalog->materialized_view(table->schema->id);
      std::string ddl =
          view ? create_materialized_view_text(*view, *table->schema) : create_table_text(*table->schema);
      return rows(column_names(s), [ddl](TextRows& text) { text.add({ddl}); });
    }
    case ShowStatement::What::kCreateView: {
      session.begin_statement();
      std::vector<std::string> parts;
      if (!s.object.schema.empty()) parts.push_back(s.object.schema.text);
      parts.push_back(s.object.name.text);
      auto view = session.find_view(parts);
      const auto table = view ? nullptr : session.find_table(parts);
      if (const MaterializedView* found =
              table ? session.snapshot().catalog->materialized_view(table->schema->id) : nullptr) {
        return rows(column_names(s), [ddl = create_materialized_view_text(*found, *table->schema)](
                                         TextRows& text) { text.add({ddl}); });
      }
      if (!view)
        throw sql_error(sqlstate::kUndefinedTable, "view \"{}\" does not exist", s.object.name.text)
            .with_position(s.object.position());
      std::string ddl = fmt::format("CREATE VIEW {} AS {}", view->name, view->query_text);
      return rows(column_names(s), [ddl](TextRows& text) { text.add({ddl}); });
    }
    case ShowStatement::What::kLastWrite:
      return rows(column_names(s), [&session](TextRows& text) {
        const WriteCounts& w = session.last_write.counts;
        text.add({std::to_string(w.inserted), std::to_string(w.replaced), std::to_string(w.skipped),
                  std::to_string(w.deleted)});
      });
  }
  throw SqlError(sqlstate::kFeatureNotSupported, "this SHOW is not supported");
}

std::string setting_text(const std::string& setting, const std::vector<std::string>& values) {
  return setting == "search_path" ? joined_names(values) : joined(values);
}

std::string execute_set(SessionState& session, const ast::SetStatement& s) {
  if (s.name == "run") {
    session.set_next_run(s.to_default ? std::string() : joined(s.values));
    return "SET";
  }
  if (s.name == "role") {
    const std::string role = s.to_default || s.values.empty() ? "none" : s.values[0];
    session.set_setting("role", role, s.local);
    return "SET";
  }
  if (s.local && session.status() == TransactionStatus::kIdle) {
    session.notice("WARNING", SqlError(sqlstate::kNoActiveSqlTransaction,
                                       "SET LOCAL can only be used in transaction blocks"));
  }
  if (s.to_default) session.settings.reset(s.name);
  else session.set_setting(s.name, setting_text(s.name, s.values), s.local);
  session.follow_settings();
  return "SET";
}

std::string execute_reset(SessionState& session, const ast::ResetStatement& s) {
  if (s.all || s.name == "run") session.set_next_run("");
  if (s.all) session.settings.reset_all();
  else if (s.name != "run") session.settings.reset(s.name);
  session.zone = find_time_zone(session.settings.get("TimeZone"));
  return "RESET";
}

std::string execute_discard(SessionState& session, const ast::DiscardStatement& s) {
  using What = ast::DiscardStatement::What;
  switch (s.what) {
    case What::kAll:
      if (session.status() != TransactionStatus::kIdle) {
        throw SqlError(sqlstate::kActiveSqlTransaction, "DISCARD ALL cannot run inside a transaction block");
      }
      session.set_next_run("");
      session.settings.reset_all();
      session.settings.reset("role");
      session.zone = find_time_zone(session.settings.get("TimeZone"));
      session.prepared.clear();
      for (auto& [name, portal] : session.portals) session.closed_portals.push_back(std::move(portal));
      session.portals.clear();
      session.drop_temporary_tables();
      session.transaction();
      session.notifications.unlisten_all();
      return "DISCARD ALL";
    case What::kPlans:
      for (auto& [name, entry] : session.prepared) entry->plan.reset();
      return "DISCARD PLANS";
    case What::kSequences: return "DISCARD SEQUENCES";
    case What::kTemporary:
      if (session.status() != TransactionStatus::kIdle) {
        throw SqlError(sqlstate::kFeatureNotSupported,
                       "DISCARD TEMP inside a transaction block is not supported");
      }
      session.drop_temporary_tables();
      return "DISCARD TEMP";
  }
  return "DISCARD ALL";
}

namespace {

// COMMIT and ROLLBACK. AND CHAIN begins a block with the modes of the one that ends.
std::string end_block(SessionState& session, const ast::TransactionStatement& s) {
  const bool commits = s.action == ast::TransactionStatement::Action::kCommit;
  if (s.chain && session.status() == TransactionStatus::kIdle) {
    throw sql_error(sqlstate::kNoActiveSqlTransaction, "{} AND CHAIN can only be used in transaction blocks",
                    commits ? "COMMIT" : "ROLLBACK");
  }
  ast::TransactionModes modes;
  modes.isolation = session.isolation_setting("transaction_isolation");
  modes.read_only = session.settings.get_bool("transaction_read_only");
  std::string tag = "ROLLBACK";
  if (commits) tag = session.commit_block(!s.chain);
  else session.rollback_block();
  if (s.chain) session.begin_block(modes);
  return tag;
}

}  // namespace

std::string execute_transaction(SessionState& session, const ast::TransactionStatement& s) {
  using Action = ast::TransactionStatement::Action;
  switch (s.action) {
    case Action::kBegin: session.begin_block(s.modes); return s.start ? "START TRANSACTION" : "BEGIN";
    case Action::kCommit:
    case Action::kRollback: return end_block(session, s);
    case Action::kBeginRun: {
      using OnReplay = ast::TransactionStatement::OnReplay;
      if (session.status() == TransactionStatus::kIdle) session.begin_block(s.modes);
      else session.set_modes(s.modes);
      session.begin_run(s.run_key, s.on_replay == OnReplay::kRestore, s.force);
      return "BEGIN";
    }
    case Action::kSavepoint: session.set_savepoint(s.savepoint.text); return "SAVEPOINT";
    case Action::kRollbackTo: session.rollback_to_savepoint(s.savepoint); return "ROLLBACK";
    case Action::kRelease: session.release_savepoint(s.savepoint); return "RELEASE";
  }
  return "";
}

std::string execute_set_transaction(SessionState& session, const ast::SetTransactionStatement& s) {
  if (s.snapshot) throw SqlError(sqlstate::kFeatureNotSupported, "SET TRANSACTION SNAPSHOT is not supported");
  if (!s.session) {
    if (session.status() == TransactionStatus::kIdle) {
      session.notice("WARNING", SqlError(sqlstate::kNoActiveSqlTransaction,
                                         "SET TRANSACTION can only be used in transaction blocks"));
    }
    session.transaction();  // outside a block it ends with this statement, and its modes with it
    session.set_modes(s.modes);
    return "SET";
  }
  if (s.modes.isolation) {
    session.settings.set("default_transaction_isolation", isolation_level_name(*s.modes.isolation), false);
  }
  if (s.modes.read_only)
    session.settings.set("default_transaction_read_only", *s.modes.read_only ? "on" : "off", false);
  return "SET";
}

std::string execute_listen(SessionState& session, const ast::ListenStatement& s) {
  using Action = ast::ListenStatement::Action;
  session.transaction();  // whose commit it takes effect with
  switch (s.action) {
    case Action::kListen: session.notifications.listen(s.channel.text); return "LISTEN";
    case Action::kUnlisten: session.notifications.unlisten(s.channel.text); return "UNLISTEN";
    case Action::kUnlistenAll: session.notifications.unlisten_all(); return "UNLISTEN";
    case Action::kNotify: session.notify(s.channel.text, s.payload); return "NOTIFY";
  }
  return "";
}

std::string execute_alter_system(SessionState& session, const ast::AlterSystemStatement& s) {
  if (session.status() != TransactionStatus::kIdle)
    throw SqlError(sqlstate::kActiveSqlTransaction, "ALTER SYSTEM cannot run inside a transaction block");
  session.begin_statement();
  session.access().require_superuser("ALTER SYSTEM");
  SystemConfiguration* configuration = session.server.system_configuration;
  if (!configuration)
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER SYSTEM is not supported by this server");
  if (s.reset && s.setting == "all") configuration->reset_all();
  else if (s.reset) configuration->set(s.setting, std::nullopt);
  else configuration->set(s.setting, setting_text(s.setting, s.values));
  return "ALTER SYSTEM";
}

}  // namespace idem
