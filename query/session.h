#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/shared_value.h"
#include "parser/parser.h"
#include "query/configured_settings.h"
#include "query/evaluation.h"
#include "query/logical_plan.h"
#include "query/materialized_views.h"
#include "query/notification_hub.h"
#include "query/session_metrics.h"
#include "query/statement_log.h"
#include "query/system_configuration.h"
#include "storage/database.h"

namespace idem {

enum class TransactionStatus : char { kIdle = 'I', kActive = 'T', kFailed = 'E' };

struct Notice {
  std::string severity;  // NOTICE, WARNING, INFO
  SqlError content;
};

// One running (or idle) session as others see it: sessions(), pg_stat_activity, cancel requests.
struct SessionActivity {
  int32_t pid = 0;
  std::string user, database, application_name, client_address, state, query;
  int64_t connected_micros = 0, query_start_micros = 0, transaction_start_micros = 0;
};

// What the sessions of one server share. Owned by the server, outlives them.
class SessionRegistry;
class TemporaryFolder;
struct ServerContext {
  Database* database = nullptr;
  WorkerPool* workers = nullptr;
  int worker_count = 1;
  MemoryBudget* memory = nullptr;
  Clock* clock = nullptr;
  FileSystem* files = nullptr;
  SessionRegistry* sessions = nullptr;
  std::string import_folder;                 // COPY FROM/TO 'file' may touch only this; "" = nothing
  std::string backup_folder;                 // backup() writes only below this
  uint64_t query_memory_limit = 0;           // bytes; 0 = half of the budget
  TemporaryFolder* temporary = nullptr;      // where queries put what is too much for memory
  SharedValue<ConfiguredSettings> settings;  // for sessions to come
  int64_t start_time_micros = 0;
  SessionMetrics metrics;
  std::shared_ptr<NotificationHub> notifications = std::make_shared<NotificationHub>();
  std::shared_ptr<RefreshFailures> refresh_failures = std::make_shared<RefreshFailures>();
  StatementLog* statement_log = nullptr;                // null: nothing is logged
  SystemConfiguration* system_configuration = nullptr;  // null: ALTER SYSTEM is not supported
};

class Session;
class SessionState;

// How many sessions there may be when another one begins.
struct SessionLimits {
  std::string user;  // "": it is the server's own, which is not counted
  size_t most = SIZE_MAX, most_of_user = SIZE_MAX;
};

// Every session of the server by its backend pid. Thread-safe.
class SessionRegistry {
 public:
  // Gives out a pid and a random cancel key. 53300 where these are as many sessions of clients, or of this user, as there may be.
  void add(Session& session, const SessionLimits& limits, int32_t* pid, uint32_t* cancel_key);
  void remove(int32_t pid);
  bool cancel(int32_t pid,
              uint32_t cancel_key);  // false: no such pair; a cancel that finds nothing running is ignored
  bool cancel_by_pid(int32_t pid);   // pg_cancel_backend
  std::vector<SessionActivity> activities() const;

 private:
  mutable std::mutex mutex_;
  int32_t next_pid_ = 1;
  struct Entry {
    Session* session;
    uint32_t cancel_key;
    std::string user;  // of a client; "": the server's own
  };
  std::map<int32_t, Entry> entries_;
};

// What became of the data of COPY FROM.
struct CopyOutcome {
  uint64_t rows = 0, rejected = 0;
  std::vector<uint64_t> bad_values;  // by column of the data; empty: none
};

// A statement bound to its parameters, ready to run once: what the protocol calls a portal. Belongs to its session and is used by
// one thread at a time. Kinds are exclusive; calling what belongs to another kind is a bug.
class Portal {
 public:
  enum class Kind : uint8_t {
    kRows,     // next() until it returns false, then tag()
    kCommand,  // run(), then tag()
    kCopyIn,   // copy_data() …, then copy_done() or copy_fail(); then tag()
    kCopyOut,  // copy_next() until false; then tag()
    kEmpty,    // an empty query string
  };
  virtual ~Portal() = default;
  virtual Kind kind() const = 0;
  virtual const std::vector<PlanColumn>& columns() const = 0;  // kRows: of the result; COPY: of the data
  virtual std::string tag() const = 0;                         // "INSERT 0 3", valid at the end

  // At most max_rows rows (0 = no limit) across calls is the caller's business: it passes what is left. False at the end.
  virtual bool next(DataChunk* chunk, uint64_t max_rows);
  virtual void run();
  virtual void copy_data(std::string bytes);  // arbitrary boundaries
  virtual void copy_done();
  virtual void copy_fail(std::string_view message);  // throws 57014
  virtual bool copy_is_binary() const { return false; }
  virtual CopyOutcome copy_outcome() const;  // after copy_done()
  // Some rows of COPY output; row_ends[i] is the end of row i in *bytes (each row becomes one CopyData message).
  virtual bool copy_next(std::string* bytes, std::vector<uint32_t>* row_ends);
};

// A statement parsed and bound once: Parse, or SQL PREPARE.
struct PreparedStatement {
  std::string name, text;
  std::shared_ptr<const parser::ParsedStatement> statement;  // null: empty query
  std::vector<SqlType> parameter_types;
  std::vector<PlanColumn> columns;  // of the result; empty: none
  bool returns_rows = false;
};

// What became of the lines of one piece of line protocol.
struct LineWriteResult {
  struct Error {
    uint64_t line = 0;  // from 1
    std::string reason;
  };
  uint64_t accepted = 0, rejected = 0;
  std::vector<Error> errors;  // of the first rejected ones
};

// What the last transaction that wrote did, and the how many-th of the session it was.
struct LastWrite {
  uint64_t number = 0;
  WriteCounts counts;
};

// A parameter as Bind brings it: bytes in text (0) or binary (1) format; nullopt is NULL.
struct RawParameter {
  std::optional<std::string_view> bytes;
  int16_t format = 0;
};

// One client's state: transaction, settings, prepared statements, portals (protocol's and SQL cursors share a
// name space), temporary tables. One thread at a time, except cancel().
//
// Transactions as PostgreSQL does it: outside a block each statement runs in an implicit transaction that the caller
// ends with finish_statements(): simple queries before the last command tag is sent, extended ones at Sync. After an error the
// caller calls statement_failed() once.
class Session {
 public:
  // `startup`: settings from the start-up packet (validated as SET would; unknown ones are kept). `most_sessions`: of all clients at
  // one time (53300); a session of the server itself has no such limit, nor settings and limits of the role.
  Session(ServerContext& server, std::string user, std::string database, std::string client_address,
          const std::vector<std::pair<std::string, std::string>>& startup,
          std::optional<size_t> most_sessions = std::nullopt);
  ~Session();

  int32_t pid() const;
  uint32_t cancel_key() const;

  // Simple protocol. The portal is run by the caller at once. 25P02 in a failed transaction.
  std::vector<parser::ParsedStatement> parse(const std::string& sql);
  std::unique_ptr<Portal> execute(const parser::ParsedStatement& statement, const std::string& sql);

  // Extended protocol.
  const PreparedStatement& prepare(const std::string& name, const std::string& sql,
                                   const std::vector<uint32_t>& parameter_oids);
  const PreparedStatement& statement(const std::string& name) const;  // 26000
  void close_statement(const std::string& name);                      // no error if it does not exist
  Portal& bind(const std::string& portal, const std::string& statement,
               const std::vector<RawParameter>& parameters);
  // As above, but for the caller alone, who runs it at once.
  std::unique_ptr<Portal> bind(const std::string& statement, const std::vector<RawParameter>& parameters);
  Portal& portal(const std::string& name);  // 34000
  void close_portal(const std::string& name);

  // Ends the implicit transaction, if there is one: commits it (may throw, e.g. 40001, 53100), closes its portals.
  void finish_statements();
  // The same, but where the commit is not durable yet the caller sends nothing and calls nothing here until
  // Database::when_visible() has called back for the commit given. 0: it is. A statement that is run again for its commit may
  // answer another command tag, unless that of the last one is told already.
  CommitNumber finish_statements_without_waiting(bool tag_is_told);
  // What finish_statements_without_waiting() would commit, where the caller may do that together with the commits of other sessions
  // (Database::commit_together); then it calls nothing else here before it has told how that ended, which gives the commit to
  // wait for likewise. Without a transaction: it is to be called.
  CommitRequest begin_shared_commit();
  // Whether a COMMIT that is executed next may leave the transaction to begin_shared_commit(): the caller ends the statements right after
  // it, and has not told that it is done.
  void let_commit_wait(bool may_wait);
  CommitNumber end_shared_commit(const CommitOutcome& outcome);
  // Commits what the statements inserted, if they did nothing else, to go on before that is visible: statements that read wait for it.
  // 0: they did something else, or it is visible.
  CommitNumber commit_inserts();
  // Of COMMIT, which does not wait: until that is durable and visible. finish_statements() and the next transaction do it, too.
  void wait_for_commit();
  // After any error: rolls back the implicit transaction, or marks the block as failed.
  void statement_failed(const SqlError& error);
  TransactionStatus status() const;
  LastWrite last_write() const;

  // Stores the points of InfluxDB line protocol (whole lines) in one transaction and returns when it is durable; lines that do
  // not fit are left out. `unit`: nanoseconds of the senders' unit of time. On an error of the whole nothing is stored. Outside a block.
  LineWriteResult write_lines(std::string_view text, int64_t unit);

  void cancel();  // any thread
  // For activity and log, and from here on the timeout counts: the one given (milliseconds, at most the role's limit), or
  // statement_timeout; and what is left of snapshot_timeout.
  void begin_statement_text(std::string_view text, std::optional<int64_t> timeout_ms = std::nullopt);
  SessionActivity activity() const;  // any thread

  std::vector<Notice> take_notices();
  // Messages of other sessions (LISTEN), from the moment that somebody carries them to the client: `wake` is called when some have
  // come, from any thread. They are taken between transactions.
  void receive_notifications(std::function<void()> wake);
  std::vector<Notification> take_notifications();
  // Settings to report by ParameterStatus: all at start-up, then those changed since the last call.
  std::vector<std::pair<std::string, std::string>> take_reported_settings();
  // Milliseconds of silence after which the server ends the session, by its settings and state; 0: never. The error to end it with.
  int64_t idle_limit_ms() const;
  SqlError idle_error() const;
  std::shared_ptr<const TimeZone> time_zone() const;
  int extra_float_digits() const;

 private:
  std::unique_ptr<SessionState> state_;
};

}  // namespace idem
