#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "storage/position_delta.h"

namespace idem {

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

  PositionHistory() = default;
  ~PositionHistory();
  PositionHistory(const PositionHistory&) = delete;
  PositionHistory& operator=(const PositionHistory&) = delete;

  // Ends this node with a step to a new one.
  void link(Step step, std::shared_ptr<PositionHistory> next);

  // The ordinal of a row in the later version; nothing if it was deleted or replaced in between.
  static std::optional<uint64_t> forward(const PositionHistory* from, const PositionHistory* to,
                                         int64_t start, uint64_t ordinal);

 private:
  Step step_;
  std::shared_ptr<PositionHistory> next_;
};

}  // namespace idem
