#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace idem {

struct LogicalPlan;

// What one plan node did in an execution, summed over the threads and runs of its operators.
struct NodeProfile {
  std::atomic<uint64_t> runs{
      0};  // how often it was started: more than once in correlated subqueries and LATERAL
  std::atomic<uint64_t> rows{0};
  std::atomic<int64_t> nanos{0};  // includes the nodes below, waiting too
  std::atomic<uint64_t> vectors_read{0}, vectors_skipped{0};
  std::atomic<uint64_t> memory_bytes{0};   // the most at one time
  std::atomic<uint64_t> spilled_bytes{0};  // the most in temporary files in one run
};

// EXPLAIN ANALYZE: the work of an execution by plan node. Any thread may add to it.
class QueryProfile {
 public:
  // The node's figures; the reference stays valid.
  NodeProfile& of(const LogicalPlan& node);
  // Null if no operator was made for the node itself.
  const NodeProfile* find(const LogicalPlan& node) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const LogicalPlan*, std::unique_ptr<NodeProfile>> nodes_;
};

}  // namespace idem
