#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog.h"

namespace idem {

// What the server knows of materialized views beside their rows.

// The view's query as a view, for binding it.
ViewSchema view_definition(const MaterializedView& view, const TableSchema& table);
// CREATE MATERIALIZED VIEW … that makes the same view.
std::string create_materialized_view_text(const MaterializedView& view, const TableSchema& table);
std::string refresh_mode_text(const MaterializedView& view);  // "EVERY 10m"

// Whether a table that it reads has changed since it was refreshed.
bool is_stale(const Snapshot& snapshot, const MaterializedView& view);

// Views that the server should refresh by itself now.
struct DueRefresh {
  TableId table{};
  std::string owner, schema_name, name;
};
struct RefreshSchedule {
  std::vector<DueRefresh> due;
  int64_t next_micros = INT64_MAX;  // by the clock, when others will be if nothing changes until then
};
RefreshSchedule refresh_schedule(const Snapshot& snapshot, int64_t now_micros);

// The last failure of the server's own refreshes of each view. Thread-safe.
class RefreshFailures {
 public:
  struct Failure {
    std::string text;
    int64_t time_micros = 0;
  };
  // Whether this failure is another one than the view's last.
  bool note(TableId view, Failure failure);
  void forget(TableId view);
  std::optional<Failure> find(TableId view) const;

 private:
  mutable std::mutex mutex_;
  std::map<TableId, Failure> failures_;
};

}  // namespace idem
