#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/value_text.h"
#include "query/explain.h"
#include "query/session_state.h"

namespace idem {

// Executors of single statements, by subject. Each takes the statement on its way (StatementInput) and gives a portal; what must be
// checked at once (names, types) is checked before it returns, the work is done when the portal is run.

// *explained (may be null) takes what EXPLAIN shows of the statement.
std::unique_ptr<Portal> execute_insert(SessionState& session, const ast::InsertStatement& statement,
                                       StatementInput input,
                                       ExplainedWrite* explained = nullptr);  // statement_insert.cpp
std::vector<PlanColumn> describe_insert(SessionState& session, const ast::InsertStatement& statement,
                                        ParameterTypes& types);
std::unique_ptr<Portal> execute_update(SessionState& session, const ast::UpdateStatement& statement,
                                       StatementInput input,
                                       ExplainedWrite* explained = nullptr);  // statement_update.cpp
std::unique_ptr<Portal> execute_delete(SessionState& session, const ast::DeleteStatement& statement,
                                       StatementInput input, ExplainedWrite* explained = nullptr);
std::unique_ptr<Portal> execute_merge(SessionState& session, const ast::MergeStatement& statement,
                                      StatementInput input,
                                      ExplainedWrite* explained = nullptr);  // statement_merge.cpp
std::vector<PlanColumn> describe_merge(SessionState& session, const ast::MergeStatement& statement,
                                       ParameterTypes& types);
std::unique_ptr<Portal> execute_copy(SessionState& session, const ast::CopyStatement& statement,
                                     StatementInput input);  // statement_copy.cpp

std::string execute_create_table(SessionState& session, const ast::CreateTableStatement& statement,
                                 const StatementInput& input);  // statement_create_table.cpp
std::string execute_alter_table(SessionState& session,
                                const ast::AlterTableStatement& statement);  // statement_alter_table.cpp
std::string execute_drop(SessionState& session, const ast::DropStatement& statement);  // statement_ddl.cpp
std::string execute_truncate(SessionState& session, const ast::TruncateStatement& statement);
std::string execute_create_schema(SessionState& session, const ast::CreateSchemaStatement& statement);
std::string execute_create_view(SessionState& session, const ast::CreateViewStatement& statement);
// Materialized views: statement_materialized_view.cpp
std::string execute_create_materialized_view(SessionState& session,
                                             const ast::CreateMaterializedViewStatement& statement);
std::string execute_refresh_materialized_view(SessionState& session,
                                              const ast::RefreshMaterializedViewStatement& statement);
// The view of ALTER MATERIALIZED VIEW, which may do what it wants to: 42809, 42501.
std::shared_ptr<const TableVersion> altered_materialized_view(SessionState& session,
                                                              const ast::AlterTableStatement& statement);
void change_refresh_mode(SessionState& session, const ast::AlterAction& action,
                         const TableVersion& table);  // 42809 where it is no materialized view
std::string execute_create_role(SessionState& session,
                                const ast::CreateRoleStatement& statement);  // statement_role.cpp
std::string execute_alter_role(SessionState& session, const ast::AlterRoleStatement& statement);
void drop_role(SessionState& session, const std::string& name);
// GRANT, REVOKE, owners: statement_grant.cpp
std::string execute_grant(SessionState& session, const ast::GrantStatement& statement);
std::string execute_alter_default_privileges(SessionState& session,
                                             const ast::AlterDefaultPrivilegesStatement& statement);
std::string execute_alter_schema(SessionState& session, const ast::AlterSchemaStatement& statement);
// PUBLIC is ""; of a word that stands for a role the role. 42704.
std::string role_of(const SessionState& session, const ast::RoleName& name);
// An action of ALTER TABLE and ALTER VIEW.
void change_owner(SessionState& session, const ast::AlterAction& action, const TableVersion* table,
                  const ViewSchema* view);
// SET (immutable …), FREEZE PARTITION: statement_protect.cpp
bool boolean_option(const ast::Option& option);  // 22023
bool is_protection(const ast::AlterAction& action);
void protect_table(SessionState& session, const ast::AlterAction& action, const TableVersion& table);

std::string execute_forget_run(SessionState& session,
                               const ast::ForgetRunStatement& statement);  // session_run.cpp

// Versions: statement_history.cpp
std::string execute_restore(SessionState& session, const ast::RestoreTableStatement& statement);
std::string execute_undrop(SessionState& session, const ast::UndropStatement& statement);
std::unique_ptr<Portal> execute_describe_history(SessionState& session,
                                                 const ast::DescribeHistoryStatement& statement);
std::unique_ptr<Portal> execute_vacuum(SessionState& session, const ast::VacuumStatement& statement);
std::string execute_create_change_slot(SessionState& session,
                                       const ast::CreateChangeSlotStatement& statement);
std::string execute_advance_change_slot(SessionState& session,
                                        const ast::AdvanceChangeSlotStatement& statement);
std::vector<PlanColumn> history_columns();
std::vector<PlanColumn> vacuum_columns(const ast::VacuumStatement& statement);  // empty: no rows
// Actions of ALTER TABLE.
void create_tag(SessionState& session, const ast::AlterAction& action,
                const std::shared_ptr<const TableVersion>& table);
void drop_tag(SessionState& session, const ast::AlterAction& action, const TableVersion& table);

// SHOW, SET, RESET, DISCARD, transactions: statement_session.cpp
std::unique_ptr<Portal> execute_show(SessionState& session, const ast::ShowStatement& statement);
std::string execute_set(SessionState& session, const ast::SetStatement& statement);
std::string execute_reset(SessionState& session, const ast::ResetStatement& statement);
// What SET, ALTER ROLE and ALTER SYSTEM make of the values written: the text of the setting.
std::string setting_text(const std::string& setting, const std::vector<std::string>& values);
std::string execute_listen(SessionState& session, const ast::ListenStatement& statement);
std::string execute_alter_system(SessionState& session, const ast::AlterSystemStatement& statement);
std::string execute_discard(SessionState& session, const ast::DiscardStatement& statement);
std::string execute_transaction(SessionState& session, const ast::TransactionStatement& statement);
std::string execute_set_transaction(SessionState& session, const ast::SetTransactionStatement& statement);

// Cursors, PREPARE and EXECUTE: statement_cursor.cpp
std::string execute_declare_cursor(SessionState& session, const ast::DeclareCursorStatement& statement,
                                   const StatementInput& input);
std::unique_ptr<Portal> execute_fetch(SessionState& session, const ast::FetchStatement& statement);
std::string execute_close_cursor(SessionState& session, const ast::CloseCursorStatement& statement);
std::vector<PlanColumn> fetch_columns(SessionState& session, const ast::FetchStatement& statement);
std::string execute_prepare(SessionState& session, const ast::PrepareStatement& statement);
// The prepared statement and the values of its parameters.
StatementInput prepared_input(SessionState& session, const ast::ExecuteStatement& statement);
std::unique_ptr<Portal> execute_execute(SessionState& session, const ast::ExecuteStatement& statement);
std::string execute_deallocate(SessionState& session, const ast::DeallocateStatement& statement);
// At COMMIT: reads what is left of a cursor WITH HOLD into memory, so that it outlives its transaction; false if it is no such cursor.
bool keep_cursor_rows(Portal& portal);
bool is_held_cursor(const Portal& portal);  // one that keep_cursor_rows has kept

std::unique_ptr<Portal> execute_explain(SessionState& session, const ast::ExplainStatement& statement,
                                        const StatementInput& input);  // statement_explain.cpp

// What Describe must know of statements before they run: the columns of RETURNING (empty: none), of SHOW and of EXPLAIN.
std::vector<PlanColumn> describe_write(SessionState& session, const ast::Statement& statement,
                                       ParameterTypes& types);
std::vector<PlanColumn> show_columns(const ast::ShowStatement& statement);
std::vector<PlanColumn> explain_columns(const ast::ExplainStatement& statement);

// One value in text or binary form: value_decoding.cpp
Value decode_value(SqlType type, std::string_view bytes, bool binary, const TextOptions& options,
                   StringArena& arena);

}  // namespace idem
