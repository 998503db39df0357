#include "query/position_order.h"

#include <algorithm>
#include <numeric>

#include "query/cancel_check.h"

namespace idem {

void sort_positions(std::vector<RowPosition>* positions, const CancelToken* cancel) {
  CancelCheck check_cancel(cancel);
  const auto before = [&](const RowPosition& a, const RowPosition& b) {
    check_cancel();
    return a.packed() < b.packed();
  };
  if (!std::is_sorted(positions->begin(), positions->end(), before))
    std::sort(positions->begin(), positions->end(), before);
}

std::vector<uint32_t> order_of_positions(const std::vector<RowPosition>& positions,
                                         const CancelToken* cancel) {
  CancelCheck check_cancel(cancel);
  const auto before = [&](uint32_t a, uint32_t b) {
    check_cancel();
    return positions[a].packed() < positions[b].packed();
  };
  std::vector<uint32_t> order(positions.size());
  std::iota(order.begin(), order.end(), 0u);
  if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);
  return order;
}

}  // namespace idem
