#include <algorithm>

#include "parser/lexer.h"
#include "query/access_control.h"
#include "query/portal.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

using ast::StatementKind;

std::unique_ptr<Portal> command(std::function<std::string()> execute) {
  return std::make_unique<CommandPortal>(std::move(execute));
}

SqlError not_supported(std::string_view what) {
  return sql_error(sqlstate::kFeatureNotSupported, "{} is not supported", what);
}

// Statements of the dialect whose execution is not there yet, and PostgreSQL's that never will be.
std::string_view unsupported_name(StatementKind kind) {
  switch (kind) {
    case StatementKind::kComment: return "COMMENT";
    default: return "this statement";
  }
}

bool allowed_in_failed_block(const ast::Statement& statement) {
  const auto* t = ast::try_as<ast::TransactionStatement>(&statement);
  using Action = ast::TransactionStatement::Action;
  return t &&
         (t->action == Action::kCommit || t->action == Action::kRollback || t->action == Action::kRollbackTo);
}

void check_tables(SessionState& session, const std::vector<ast::ObjectName>& names, PrivilegeSet wanted) {
  session.begin_statement();
  for (const ast::ObjectName& name : names) {
    const auto table = session.target_table(name);
    session.access().require(SecuredObject::of(*table->schema), wanted);
  }
}

}  // namespace

std::unique_ptr<Portal> SessionState::make_statement_portal(StatementInput input) {
  const ast::Statement& statement = *input.statement;
  if (status() == TransactionStatus::kFailed && !allowed_in_failed_block(statement)) {
    throw SqlError(sqlstate::kInFailedSqlTransaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  const auto& keep = input.entry;  // for portals: it owns the tree of a prepared statement
  switch (statement.kind) {
    case StatementKind::kQuery:
      return make_query_portal(*ast::as<ast::QueryStatement>(statement).query, std::move(input));
    case StatementKind::kInsert:
      return execute_insert(*this, ast::as<ast::InsertStatement>(statement), std::move(input));
    case StatementKind::kUpdate:
      return execute_update(*this, ast::as<ast::UpdateStatement>(statement), std::move(input));
    case StatementKind::kDelete:
      return execute_delete(*this, ast::as<ast::DeleteStatement>(statement), std::move(input));
    case StatementKind::kMerge:
      return execute_merge(*this, ast::as<ast::MergeStatement>(statement), std::move(input));
    case StatementKind::kCopy:
      return execute_copy(*this, ast::as<ast::CopyStatement>(statement), std::move(input));
    case StatementKind::kCreateTable:
      return command([this, keep, &s = ast::as<ast::CreateTableStatement>(statement), input] {
        return execute_create_table(*this, s, input);
      });
    case StatementKind::kAlterTable:
      return command([this, keep, &s = ast::as<ast::AlterTableStatement>(statement)] {
        return execute_alter_table(*this, s);
      });
    case StatementKind::kDrop:
      return command(
          [this, keep, &s = ast::as<ast::DropStatement>(statement)] { return execute_drop(*this, s); });
    case StatementKind::kTruncate:
      return command([this, keep, &s = ast::as<ast::TruncateStatement>(statement)] {
        return execute_truncate(*this, s);
      });
    case StatementKind::kCreateSchema:
      return command([this, keep, &s = ast::as<ast::CreateSchemaStatement>(statement)] {
        return execute_create_schema(*this, s);
      });
    case StatementKind::kCreateView:
      return command([this, keep, &s = ast::as<ast::CreateViewStatement>(statement)] {
        return execute_create_view(*this, s);
      });
    case StatementKind::kCreateMaterializedView:
      return command([this, keep, &s = ast::as<ast::CreateMaterializedViewStatement>(statement)] {
        return execute_create_materialized_view(*this, s);
      });
    case StatementKind::kRefreshMaterializedView:
      return command([this, keep, &s = ast::as<ast::RefreshMaterializedViewStatement>(statement)] {
        return execute_refresh_materialized_view(*this, s);
      });
    case StatementKind::kCreateRole:
      return command([this, keep, &s = ast::as<ast::CreateRoleStatement>(statement)] {
        return execute_create_role(*this, s);
      });
    case StatementKind::kAlterRole:
      return command([this, keep, &s = ast::as<ast::AlterRoleStatement>(statement)] {
        return execute_alter_role(*this, s);
      });
    case StatementKind::kGrant:
      return command(
          [this, keep, &s = ast::as<ast::GrantStatement>(statement)] { return execute_grant(*this, s); });
    case StatementKind::kAlterDefaultPrivileges:
      return command([this, keep, &s = ast::as<ast::AlterDefaultPrivilegesStatement>(statement)] {
        return execute_alter_default_privileges(*this, s);
      });
    case StatementKind::kAlterSchema:
      return command([this, keep, &s = ast::as<ast::AlterSchemaStatement>(statement)] {
        return execute_alter_schema(*this, s);
      });
    case StatementKind::kRestoreTable:
      return command([this, keep, &s = ast::as<ast::RestoreTableStatement>(statement)] {
        return execute_restore(*this, s);
      });
    case StatementKind::kUndrop:
      return command(
          [this, keep, &s = ast::as<ast::UndropStatement>(statement)] { return execute_undrop(*this, s); });
    case StatementKind::kCreateChangeSlot:
      return command([this, keep, &s = ast::as<ast::CreateChangeSlotStatement>(statement)] {
        return execute_create_change_slot(*this, s);
      });
    case StatementKind::kAdvanceChangeSlot:
      return command([this, keep, &s = ast::as<ast::AdvanceChangeSlotStatement>(statement)] {
        return execute_advance_change_slot(*this, s);
      });
    case StatementKind::kDescribeHistory:
      return execute_describe_history(*this, ast::as<ast::DescribeHistoryStatement>(statement));
    case StatementKind::kVacuum: return execute_vacuum(*this, ast::as<ast::VacuumStatement>(statement));
    case StatementKind::kForgetRun:
      return command([this, keep, &s = ast::as<ast::ForgetRunStatement>(statement)] {
        return execute_forget_run(*this, s);
      });
    case StatementKind::kCheckpoint:
      return command([this] {
        begin_statement();
        access().require_superuser("CHECKPOINT");
        server.database->checkpoint();
        return std::string("CHECKPOINT");
      });
    case StatementKind::kAnalyze:  // statistics are exact at all times
      return command([this, keep, &s = ast::as<ast::AnalyzeStatement>(statement)] {
        check_tables(*this, s.tables, static_cast<PrivilegeSet>(Privilege::kMaintain));
        return std::string("ANALYZE");
      });
    case StatementKind::kLock:
      return command([this, keep, &s = ast::as<ast::LockStatement>(statement)] {
        const bool only_reads = s.mode == "access share" || s.mode == "row share";
        check_tables(*this, s.tables,
                     static_cast<PrivilegeSet>(only_reads ? Privilege::kSelect : Privilege::kUpdate));
        // Readers and writers never wait for each other, so a lock that keeps neither away has nothing to do.
        if (!only_reads && s.mode != "row exclusive") {
          throw not_supported(fmt::format("LOCK TABLE … IN {} MODE", parser::upper_case(s.mode)))
              .with_hint("The later of two transactions that change one row gets 40001.");
        }
        return std::string("LOCK TABLE");
      });
    case StatementKind::kShow: return execute_show(*this, ast::as<ast::ShowStatement>(statement));
    case StatementKind::kSet:
      return command(
          [this, keep, &s = ast::as<ast::SetStatement>(statement)] { return execute_set(*this, s); });
    case StatementKind::kReset:
      return command(
          [this, keep, &s = ast::as<ast::ResetStatement>(statement)] { return execute_reset(*this, s); });
    case StatementKind::kSetTransaction:
      return command([this, keep, &s = ast::as<ast::SetTransactionStatement>(statement)] {
        return execute_set_transaction(*this, s);
      });
    case StatementKind::kTransaction:
      return command([this, keep, &s = ast::as<ast::TransactionStatement>(statement)] {
        return execute_transaction(*this, s);
      });
    case StatementKind::kDeclareCursor:
      return command([this, keep, &s = ast::as<ast::DeclareCursorStatement>(statement), input] {
        return execute_declare_cursor(*this, s, input);
      });
    case StatementKind::kFetch: return execute_fetch(*this, ast::as<ast::FetchStatement>(statement));
    case StatementKind::kCloseCursor:
      return command([this, keep, &s = ast::as<ast::CloseCursorStatement>(statement)] {
        return execute_close_cursor(*this, s);
      });
    case StatementKind::kPrepare:
      return command(
          [this, keep, &s = ast::as<ast::PrepareStatement>(statement)] { return execute_prepare(*this, s); });
    case StatementKind::kExecute: return execute_execute(*this, ast::as<ast::ExecuteStatement>(statement));
    case StatementKind::kDeallocate:
      return command([this, keep, &s = ast::as<ast::DeallocateStatement>(statement)] {
        return execute_deallocate(*this, s);
      });
    case StatementKind::kExplain:
      return execute_explain(*this, ast::as<ast::ExplainStatement>(statement), input);
    case StatementKind::kDiscard:
      return command(
          [this, keep, &s = ast::as<ast::DiscardStatement>(statement)] { return execute_discard(*this, s); });
    case StatementKind::kListen:
      return command(
          [this, keep, &s = ast::as<ast::ListenStatement>(statement)] { return execute_listen(*this, s); });
    case StatementKind::kAlterSystem:
      return command([this, keep, &s = ast::as<ast::AlterSystemStatement>(statement)] {
        return execute_alter_system(*this, s);
      });
    case StatementKind::kUnsupported: throw not_supported(ast::as<ast::UnsupportedStatement>(statement).what);
    default: throw not_supported(unsupported_name(statement.kind));
  }
}

// Result columns and parameter types of a statement, without running it.
void SessionState::describe_statement(const ast::Statement& statement, ParameterTypes& types,
                                      PreparedEntry* entry) {
  if (status() == TransactionStatus::kFailed && !allowed_in_failed_block(statement)) {
    throw SqlError(sqlstate::kInFailedSqlTransaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  auto rows = [&](std::vector<PlanColumn> columns) {
    entry->info.returns_rows = true;
    entry->info.columns = std::move(columns);
    for (PlanColumn& c : entry->info.columns) {
      if (is_oid_like(c.type.id) && c.type.id != TypeId::kOid) c.type = TypeId::kText;
    }
  };
  switch (statement.kind) {
    case StatementKind::kQuery: {
      begin_statement();
      // Where types of parameters are found only here, parts of the plan were bound before they were known.
      const bool all_known = std::all_of(types.types.begin(), types.types.end(),
                                         [](SqlType type) { return type.id != TypeId::kUnknown; });
      types.only_described = true;
      BoundQuery query = bind_query(*ast::as<ast::QueryStatement>(statement).query, *this, types);
      rows(query.plan->columns);
      if (all_known) keep_plan(std::move(query), entry);
      break;
    }
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge: {
      std::vector<PlanColumn> columns = describe_write(*this, statement, types);
      if (!columns.empty()) rows(std::move(columns));
      break;
    }
    case StatementKind::kDescribeHistory: rows(history_columns()); break;
    case StatementKind::kVacuum: {
      std::vector<PlanColumn> columns = vacuum_columns(ast::as<ast::VacuumStatement>(statement));
      if (!columns.empty()) rows(std::move(columns));
      break;
    }
    case StatementKind::kShow: rows(show_columns(ast::as<ast::ShowStatement>(statement))); break;
    case StatementKind::kExplain: rows(explain_columns(ast::as<ast::ExplainStatement>(statement))); break;
    case StatementKind::kFetch:
      if (!ast::as<ast::FetchStatement>(statement).move)
        rows(fetch_columns(*this, ast::as<ast::FetchStatement>(statement)));
      break;
    case StatementKind::kExecute: {
      const PreparedStatement& other =
          find_prepared(ast::as<ast::ExecuteStatement>(statement).name.text)->info;
      if (other.returns_rows) rows(other.columns);
      break;
    }
    case StatementKind::kDeclareCursor:
      begin_statement();
      bind_query(*ast::as<ast::DeclareCursorStatement>(statement).query, *this, types);
      break;
    case StatementKind::kCopy:
      if (const auto& copy = ast::as<ast::CopyStatement>(statement); copy.query) {
        begin_statement();
        bind_query(*copy.query, *this, types);
      }
      break;
    case StatementKind::kUnsupported: throw not_supported(ast::as<ast::UnsupportedStatement>(statement).what);
    default: break;
  }
}

}  // namespace idem
