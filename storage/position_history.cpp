#include "storage/position_history.h"

#include <memory>

namespace idem {

HistoryHandle HistoryHandle::make() {
  HistoryHandle handle;
  handle.node_ = std::make_unique<PositionHistory>().release();
  return handle;
}

HistoryHandle::HistoryHandle(const HistoryHandle& other) noexcept : node_(other.node_) {
  if (node_) node_->references_.fetch_add(1, std::memory_order_relaxed);
}

void HistoryHandle::release(PositionHistory* node) {
  while (node && node->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    const std::unique_ptr<PositionHistory> freed(node);
    node = std::exchange(freed->next_.node_, nullptr);
  }
}

void PositionHistory::link(Step step, HistoryHandle next) {
  step_ = std::move(step);
  next_ = std::move(next);
}

// The list of a table that was dropped ends there; when it is undropped, another one begins.
std::optional<uint64_t> PositionHistory::forward(const PositionHistory* from, const PositionHistory* to,
                                                 int64_t start, uint64_t ordinal) {
  for (const PositionHistory* node = from; node != to; node = node->next_.get()) {
    if (!node || node->step_.all_cleared) return std::nullopt;
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
