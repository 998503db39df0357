#include "query/session_metrics.h"

namespace idem {

void SessionMetrics::count_commit(const WriteCounts& counts) {
  commits.add();
  if (counts.inserted > 0) rows_inserted.add(counts.inserted);
  if (counts.replaced > 0) rows_replaced.add(counts.replaced);
  if (counts.skipped > 0) rows_skipped.add(counts.skipped);
  if (counts.deleted > 0) rows_deleted.add(counts.deleted);
}

void SessionMetrics::count_error(std::string_view sqlstate) {
  std::lock_guard lock(mutex_);
  const auto known = errors_.find(sqlstate);
  if (known != errors_.end()) ++known->second;
  else errors_.emplace(sqlstate, 1);
}

std::map<std::string, uint64_t> SessionMetrics::errors() const {
  std::lock_guard lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

}  // namespace idem
