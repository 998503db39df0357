#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/cancellation.h"
#include "parser/ast_ddl.h"
#include "parser/ast_session.h"
#include "query/binder.h"
#include "query/execution.h"
#include "query/known_names.h"
#include "query/session.h"
#include "query/session_notifications.h"
#include "query/session_run.h"
#include "query/session_settings.h"
#include "storage/database.h"

namespace idem {

struct InsertPlan;
class KeptPlan;
class KeptViews;

// A statement as prepared, with what its executions share.
struct PreparedEntry {
  PreparedStatement info;
  // Of INSERT … VALUES: kept as long as the table's schema is the same.
  std::shared_ptr<const InsertPlan> insert_plan;
  // The table of an INSERT, which may be written as long as the catalog and the settings are these.
  struct KnownTarget {
    KnownNames names;
    TableId table{};
  };
  KnownTarget target;
  std::shared_ptr<const KeptPlan> plan;  // of a query: kept as long as it fits
  bool plans_for_any_values = false;     // BoundQuery::gains_nothing_by_values was found
};

// What one execution keeps alive: its snapshot, memory account and context. Held by the portal's stream.
struct StatementRun {
  explicit StatementRun(MemoryBudget* server_memory, uint64_t limit);
  Snapshot snapshot;
  MemoryBudget memory;
  ExecutionContext context;
  static std::shared_ptr<ExecutionContext> share_context(const std::shared_ptr<StatementRun>& run) {
    return {run, &run->context};
  }
};

// A statement on its way to a portal: tree, text and parameters. `entry` keeps the tree alive (extended protocol, EXECUTE); a simple
// query's caller does so itself.
struct StatementInput {
  const ast::Statement* statement = nullptr;
  std::string_view text;  // of this statement alone
  ParameterTypes parameter_types;
  std::vector<Value> parameters;
  std::shared_ptr<PreparedEntry> entry;
};

// Of two limits the one that is reached first; 0: none.
int64_t lesser_limit(int64_t a, int64_t b);

// The inside of Session: state, and the services that the executors of single statements (statement_*.h) use.
class SessionState final : public SessionInfo, public NameResolver, public NotificationSender {
 public:
  SessionState(ServerContext& server_context, std::string user_name, std::string database_name,
               std::string address, const Role* role,
               const std::vector<std::pair<std::string, std::string>>& startup);
  ~SessionState() override;

  // -- transactions
  // The running transaction, begun if there is none. Not for reading: see begin_read.
  Transaction& transaction();
  // Takes the statement's view: a fresh snapshot under READ COMMITTED, with this transaction's writes.
  const Snapshot& begin_statement();
  // As begin_statement for statements that only write; collected inserts stay collected.
  const Snapshot& begin_write_statement();
  // As that, for one that reads nothing at all: what commit_inserts() committed need not be visible yet.
  const Snapshot& begin_insert_statement();
  Transaction& insert_transaction();           // likewise; its operation is INSERT
  void check_writable(std::string_view what);  // 25006 in a read-only transaction
  // The transaction for a statement that writes: named in the log and the history by `operation`.
  Transaction& write_transaction(std::string operation);
  void begin_block(const ast::TransactionModes& modes);
  void set_modes(const ast::TransactionModes& modes);
  // What transaction_isolation or default_transaction_isolation says.
  ast::IsolationLevel isolation_setting(std::string_view name) const;
  // -- runs: session_run.cpp
  // Turns the transaction, in which nothing was executed yet, into the run of a key; waits while another session has it.
  void begin_run(const std::string& key, bool restores, bool force);
  void set_next_run(std::string key);       // SET run: the next transaction; "": none
  SessionRun* run() { return run_.get(); }  // null: the transaction is none

  // The tag: COMMIT, or ROLLBACK of a failed block. `may_wait`: as the session may be let (Session::let_commit_wait).
  std::string commit_block(bool may_wait);
  void rollback_block();
  void set_savepoint(const std::string& name);
  void rollback_to_savepoint(const ast::Identifier& name);  // 3B001; also brings a failed block back to life
  void release_savepoint(const ast::Identifier& name);
  // Gives the commit that is to be waited for; 0 if it is visible, as it always is when `wait`.
  CommitNumber finish_statements(bool wait = true, bool tag_is_told = false);
  bool commit_may_wait = false;
  CommitRequest begin_shared_commit();
  CommitNumber end_shared_commit(const CommitOutcome& outcome);
  CommitNumber commit_inserts();
  void wait_for_commit();
  void statement_failed();
  TransactionStatus status() const;
  // A relation that this transaction dropped: no view may need it any more when it commits (2BP01).
  void note_dropped(const std::string& schema, const std::string& name) { dropped_.emplace(schema, name); }
  // A table whose name or columns it changed: no materialized view may need what it had.
  void note_altered(TableId table) { altered_.insert(table); }

  // -- temporary tables: in a schema of the session's own, which only it can name
  std::string temporary_schema() const;
  void note_temporary(TableId table, ast::OnCommit on_commit) { temporary_[table] = on_commit; }
  void drop_temporary_tables();

  // -- execution
  // As a run asks for it: its writes are noted or skipped (session_run.h).
  std::unique_ptr<Portal> make_portal(StatementInput input);
  // For a statement of the client, as against one that another statement runs: outside a block it is run again where it lost to
  // another commit.
  std::unique_ptr<Portal> make_client_portal(StatementInput input);
  std::shared_ptr<StatementRun> start_run();
  // Rows of a bound query as a portal; tag "SELECT n".
  std::unique_ptr<Portal> make_query_portal(BoundQuery query, const std::vector<Value>& parameters);
  // Of a statement that may be executed again: its kept plan, or a new one, which is kept where it may be.
  std::unique_ptr<Portal> make_query_portal(const ast::Query& query, StatementInput input);
  std::shared_ptr<PreparedEntry> prepare(const parser::ParsedStatement& parsed,
                                         std::shared_ptr<const parser::ParsedStatement> shared,
                                         std::string name, std::string text, std::vector<SqlType> types);
  void describe(const ast::Statement& statement, ParameterTypes& types, PreparedEntry* entry);
  const std::shared_ptr<PreparedEntry>& find_prepared(const std::string& name) const;
  std::vector<Value> decode_parameters(const std::vector<SqlType>& types,
                                       const std::vector<RawParameter>& raw) const;

  void notice(std::string severity, SqlError content);
  // What each request asks of the settings, as it was when they had this generation.
  struct Followed {
    uint64_t generation = 0;
    uint64_t query_memory_limit = 0;  // bytes; 0: the server's
    // Milliseconds; 0: none.
    int64_t statement_timeout = 0, snapshot_timeout = 0, idle_session_timeout = 0,
            idle_in_transaction_timeout = 0;
    std::optional<int64_t> log_min_duration;  // milliseconds; nothing: never
    bool synchronous_commit = true, default_read_only = false;
    bool modes_are_default = false;  // transaction_isolation and transaction_read_only
  };
  const Followed& follow_settings();     // with `zone`, after settings may have changed
  int64_t snapshot_millis_left() const;  // of snapshot_timeout; 0: no limit

  // -- NameResolver
  const Snapshot& snapshot() const override { return view_; }
  std::shared_ptr<const TableVersion> find_table(const std::vector<std::string>& name) const override;
  std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const override;
  std::shared_ptr<const VirtualTable> find_virtual_table(const std::vector<std::string>& name) const override;
  std::shared_ptr<const VirtualTable> find_virtual_function(const std::string& name) const override;
  SessionInfo& session() const override { return const_cast<SessionState&>(*this); }
  std::shared_ptr<const TableVersion> find_past_version(const std::shared_ptr<const TableVersion>& table,
                                                        const ast::VersionClause& clause) const override;
  std::shared_ptr<const VirtualTable> bind_change_function(const ast::FunctionCall& call) const override;
  // The value of an expression that names no column; never NULL (22023).
  Value constant_value(const ast::Expression& expression, SqlType type);
  KeptVersion past_version(const std::shared_ptr<const TableVersion>& table,
                           const ast::VersionClause& clause);
  VersionTarget version_target(const ast::VersionClause& clause);
  std::shared_ptr<const UnionShape> find_kept_view(const ViewSchema& view) const override;
  void keep_view(const ViewSchema& view, std::shared_ptr<const UnionShape> shape) const override;
  // -- access: session_access.cpp
  class AccessControl access() const;  // of whoever acts
  void check_read(const TableSchema& table) const override;
  void check_read(const ViewSchema& view) const override;
  void check_schema(const std::string& schema, Privilege wanted) const override;
  std::string act_as(std::string role) const override;
  void check_role(const std::string& role) const;  // SET ROLE: 22023, 42501
  // The table of a statement that changes rows, with all these privileges; of one that changes the table itself, as its owner.
  // As target_table(), and 42501; the first thing looked at is whether the table is immutable.
  std::shared_ptr<const TableVersion> writable_table(const ast::ObjectName& name, PrivilegeSet wanted) const;
  std::shared_ptr<const TableVersion> owned_table(const ast::ObjectName& name) const;
  std::string object_owner(const std::string& schema) const;  // of what the session creates there
  // What a new table or view is granted from the start: default privileges, and the creator's where another one owns it.
  void grant_initial_access(const struct SecuredObject& object, const std::string& schema);

  // The table that a statement names: 42P01, 42809 for a view or a catalog relation, 42501 for a schema that may not be used.
  std::shared_ptr<const TableVersion> target_table(const ast::ObjectName& name) const;
  // Schema for a new object: as written, or the first of search_path that exists. 3F000.
  std::string creation_schema(const ast::ObjectName& name) const;

  // -- SessionInfo
  std::string setting(std::string_view name, bool missing_ok) const override;
  std::vector<SettingRow> all_settings() const override { return settings.all(); }
  void set_setting(std::string_view name, std::string_view value, bool local) override;
  std::string user() const override;  // the current role: SET ROLE
  std::string session_user() const override { return user_name; }
  std::string database() const override { return database_name; }
  std::vector<std::string> search_path(bool with_implicit) const override;
  int32_t backend_pid() const override { return pid; }
  // -- NotificationSender
  void notify(std::string_view channel, std::string_view payload) override;

  // -- log: session_log.cpp
  // The client's request is answered: it is counted, and logged where it took long.
  void end_request();
  void note_audited(const StatementInput& input);
  void log_audited(const SqlError* error);  // what was noted since

  ServerContext& server;
  const std::string user_name, database_name, client_address;
  int32_t pid = 0;
  uint32_t cancel_key = 0;
  SessionSettings settings;
  CancelToken cancel;
  std::shared_ptr<const TimeZone> zone;
  std::map<std::string, std::shared_ptr<PreparedEntry>> prepared;
  std::map<std::string, std::unique_ptr<Portal>> portals;  // protocol portals and SQL cursors
  // Portals that a COMMIT or ROLLBACK closed, itself among them where it came through the extended protocol: destroyed when
  // it has run.
  std::vector<std::unique_ptr<Portal>> closed_portals;
  std::vector<Notice> notices;
  SessionNotifications notifications;
  LastWrite last_write;
  int64_t request_start_nanos = 0;   // monotonic; 0: the client waits for nothing
  std::vector<std::string> audited;  // statements of this request that are to be logged
  int64_t transaction_time_micros = 0, statement_time_micros = 0;
  QueryProfile* profile = nullptr;  // set while EXPLAIN ANALYZE runs a statement: for its executions

  mutable std::mutex activity_mutex;  // guards `activity`
  SessionActivity activity;
  std::string last_text;  // the beginning of the statement that activity.query shows

 private:
  std::unique_ptr<Portal> make_statement_portal(StatementInput input);
  void describe_statement(const ast::Statement& statement, ParameterTypes& types, PreparedEntry* entry);
  std::shared_ptr<const BoundQuery> keep_plan(BoundQuery query, PreparedEntry* entry);
  std::unique_ptr<Portal> portal_of(std::shared_ptr<const BoundQuery> query,
                                    const std::vector<Value>& parameters);
  void begin_pending_run();
  void start_transaction(std::unique_ptr<Transaction> transaction = nullptr);
  Transaction&
  begun_transaction();  // as transaction(), which waits for the visibility of commit_inserts() first
  void end_transaction(bool committed);
  uint64_t query_memory_limit() const;
  void close_portals(bool keep_holdable);
  struct Savepoint;
  void close_portals_after(const Savepoint& savepoint);
  CommitNumber commit_statements(bool wait);
  void note_committed(const CommitResult& result);
  bool is_plain_commit() const;
  bool may_share_commit() const;
  bool see_inserts();
  CommitNumber committed_{};  // by COMMIT, and not known to be visible; 0: none
  CommitNumber unseen_{};     // likewise by commit_inserts()
  struct Retry {
    StatementInput input;
    std::shared_ptr<std::string> tag;  // of its portal
  };
  void run_again(const Retry& retry, bool alone, bool tag_is_told);
  void before_commit();
  void check_views();
  std::optional<std::string> schema_of_name(const std::string& schema) const;

  enum class Block : uint8_t { kNone, kOpen, kFailed };
  Block block_ = Block::kNone;
  bool read_only_ = false, repeatable_read_ = false, has_snapshot_ = false;
  std::unique_ptr<SessionRun> run_;
  std::string next_run_;
  std::unique_ptr<Transaction> transaction_;
  Snapshot view_;
  const std::unique_ptr<KeptViews> kept_views_;
  mutable std::string acting_role_;  // while a view is bound: its owner
  mutable std::string role_;         // user(), of these settings
  mutable uint64_t role_generation_ = 0;
  Followed followed_;
  // search_path(false) for these settings and this catalog; a statement asks for it several times.
  struct SearchPath {
    uint64_t generation = 0;
    std::shared_ptr<const Catalog> catalog;
    std::vector<std::string> schemas;
  };
  mutable SearchPath path_;
  // By (schema, name), of the running transaction.
  std::set<std::pair<std::string, std::string>> dropped_;
  std::set<TableId> altered_;                   // by the running transaction
  std::map<TableId, ast::OnCommit> temporary_;  // also of tables that are gone
  struct Savepoint {
    std::string name;
    std::shared_ptr<const Transaction::Savepoint> state;
    SessionSettings::Mark settings;
    std::set<std::pair<std::string, std::string>> dropped;
    std::set<TableId> altered;
    std::set<const Portal*> portals;
    SessionNotifications::Mark notifications;
  };
  std::optional<Retry> retry_;         // the statement that is alone in the running transaction
  uint32_t statements_ = 0;            // of the client in the running transaction
  std::vector<Savepoint> savepoints_;  // of the running transaction, the last one innermost
  std::vector<Savepoint>::iterator find_savepoint(const ast::Identifier& name);
};

}  // namespace idem
