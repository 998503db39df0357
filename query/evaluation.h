#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "common/memory_budget.h"
#include "common/time_zone.h"
#include "storage/catalog.h"
#include "storage/value.h"

namespace idem {

class QueryProfile;
struct ServerContext;
class WorkerPool;

struct SettingRow {
  std::string name, value, description;
  std::string context;  // as in pg_settings: who may change it, and when
};

// What functions may ask of the session that runs them: read-only during a statement.
class SessionInfo {
 public:
  virtual ~SessionInfo() = default;
  virtual std::string setting(std::string_view name,
                              bool missing_ok) const = 0;    // current_setting(); 42704 if unknown
  virtual std::vector<SettingRow> all_settings() const = 0;  // sorted by name
  virtual void set_setting(std::string_view name, std::string_view value, bool local) = 0;  // set_config()
  virtual std::string user() const = 0;
  virtual std::string session_user() const = 0;
  virtual std::string database() const = 0;
  virtual std::vector<std::string> search_path(bool with_implicit) const = 0;  // existing schemas only
  virtual int32_t backend_pid() const = 0;
};

// Everything one execution of a statement needs, shared by its workers. Outlives the execution.
struct ExecutionContext {
  const Snapshot* snapshot = nullptr;  // the statement's view
  SessionInfo* session = nullptr;
  ServerContext* server = nullptr;  // for what sessions(), wal_status(), memory() show; null in tests
  WorkerPool* workers = nullptr;
  int worker_count = 1;
  CancelToken* cancel = nullptr;        // checked at every vector
  MemoryBudget* memory = nullptr;       // of this query
  QueryProfile* profile = nullptr;      // EXPLAIN ANALYZE: where operators count their work; null: nowhere
  int64_t transaction_time_micros = 0;  // now()
  int64_t statement_time_micros = 0;
  std::shared_ptr<const TimeZone> time_zone;
};

// State of one thread's evaluation: a slot for each parameter of the plan ($1 … $n first, then init plans and correlated
// columns). Copied for each worker; correlated subqueries write their slots.
struct EvaluationState {
  ExecutionContext* context = nullptr;
  std::vector<Value> slots;
};

}  // namespace idem
