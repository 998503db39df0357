#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "common/metrics.h"
#include "storage/table_operation.h"

namespace idem {

// What the sessions of a server have done since it began. Any thread.
class SessionMetrics {
 public:
  Counter sessions, commits;
  Counter rows_inserted, rows_replaced, rows_skipped, rows_deleted;  // of commits
  LatencyHistogram requests;  // simple queries, and extended ones up to their Sync

  void count_commit(const WriteCounts& counts);
  void count_error(std::string_view sqlstate);
  std::map<std::string, uint64_t> errors() const;  // by SQLSTATE

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> errors_;  // guarded by mutex_
};

}  // namespace idem
