#pragma once

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "storage/position_delta.h"

namespace idem {

class PositionHistory;

// A counted reference to a node. Not a shared_ptr: the last reference to a long list frees it node by node, not by recursion.
class HistoryHandle {
 public:
  HistoryHandle() = default;
  static HistoryHandle make();
  HistoryHandle(const HistoryHandle& other) noexcept;
  HistoryHandle(HistoryHandle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  HistoryHandle& operator=(HistoryHandle other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~HistoryHandle() { release(node_); }

  PositionHistory* get() const { return node_; }
  PositionHistory* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  static void release(PositionHistory* node);
  PositionHistory* node_ = nullptr;
};

// How commits moved the rows of a table: a list that begins at each version and ends at the newest.
//
//   version 41 ──▶ node ──step──▶ node ──step──▶ node ◀── version 43 (newest)
//                  ▲ version 42 too, if it only appended rows: nothing moves then
//
// A transaction whose snapshot is version 41 moves its positions along the steps. Nodes are freed when no
// version that somebody holds comes before them. Linked under the table's latch; whoever reads the steps
// between two versions holds both, and the later one was made after the links were.
class PositionHistory {
 public:
  struct PartitionStep {
    int64_t start = 0;
    bool cleared = false;  // all rows of before were removed
    PositionDelta delta;
  };
  struct Step {
    bool all_cleared = false;
    std::vector<PartitionStep> partitions;
  };

  // Ends this node with a step to a new one.
  void link(Step step, HistoryHandle next);

  // The ordinal of a row in the later version; nothing if it was deleted or replaced in between.
  static std::optional<uint64_t> forward(const PositionHistory* from, const PositionHistory* to,
                                         int64_t start, uint64_t ordinal);

 private:
  friend class HistoryHandle;
  Step step_;
  HistoryHandle next_;
  std::atomic<uint32_t> references_{1};
};

}  // namespace idem
