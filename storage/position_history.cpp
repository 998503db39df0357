#include "storage/position_history.h"

namespace idem {

PositionHistory::~PositionHistory() {
  // A long list is freed node by node and not by recursion.
  std::shared_ptr<PositionHistory> next = std::move(next_);
  while (next && next.use_count() == 1) {
    std::shared_ptr<PositionHistory> after = std::move(next->next_);
    next = std::move(after);
  }
}

void PositionHistory::link(Step step, std::shared_ptr<PositionHistory> next) {
  step_ = std::move(step);
  next_ = std::move(next);
}

std::optional<uint64_t> PositionHistory::forward(const PositionHistory* from, const PositionHistory* to,
                                                 int64_t start, uint64_t ordinal) {
  for (const PositionHistory* node = from; node != to; node = node->next_.get()) {
    if (node->step_.all_cleared) return std::nullopt;
    for (const PartitionStep& step : node->step_.partitions) {
      if (step.start != start) continue;
      if (step.cleared || step.delta.replaces(ordinal)) return std::nullopt;
      const auto moved = step.delta.forward(ordinal);
      if (!moved) return std::nullopt;
      ordinal = *moved;
    }
  }
  return ordinal;
}

}  // namespace idem
