#include "storage/position_delta.h"

#include <algorithm>
#include <cassert>

namespace idem {

namespace {

uint64_t count_below(const std::vector<uint64_t>& sorted, uint64_t value) {
  return static_cast<uint64_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
}

}  // namespace

void PositionDelta::insert(uint64_t before, uint64_t count) {
  if (count == 0) return;
  if (!inserted.empty() && inserted.back().before == before) {
    inserted.back().count += count;
    return;
  }
  assert(inserted.empty() || inserted.back().before < before);
  inserted.push_back({before, inserted_count(), count});
}

bool PositionDelta::deletes(uint64_t ordinal) const {
  return std::binary_search(deleted.begin(), deleted.end(), ordinal);
}
bool PositionDelta::replaces(uint64_t ordinal) const {
  return std::binary_search(replaced.begin(), replaced.end(), ordinal);
}

std::optional<uint64_t> PositionDelta::forward(uint64_t ordinal) const {
  const uint64_t removed = count_below(deleted, ordinal);
  if (removed < deleted.size() && deleted[removed] == ordinal) return std::nullopt;
  const auto after = std::upper_bound(inserted.begin(), inserted.end(), ordinal,
                                      [](uint64_t o, const InsertRun& run) { return o < run.before; });
  const uint64_t added = after == inserted.begin() ? 0 : (after - 1)->first + (after - 1)->count;
  return ordinal - removed + added;
}

PositionDelta::Origin PositionDelta::backward(uint64_t ordinal_after) const {
  // The last run that starts at or before the place.
  auto start_of = [&](const InsertRun& run) {
    return run.before - count_below(deleted, run.before) + run.first;
  };
  const auto after = std::partition_point(
      inserted.begin(), inserted.end(), [&](const InsertRun& run) { return start_of(run) <= ordinal_after; });
  uint64_t kept = ordinal_after;  // number of the row among those that were not deleted
  if (after != inserted.begin()) {
    const InsertRun& run = *(after - 1);
    const uint64_t start = start_of(run);
    if (ordinal_after < start + run.count) return {true, run.first + (ordinal_after - start)};
    kept -= run.first + run.count;
  }
  size_t low = 0, high = deleted.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (deleted[middle] - middle > kept) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return {false, kept + low};
}

uint64_t PositionDelta::place_of_inserted(uint64_t index) const {
  const auto after = std::upper_bound(inserted.begin(), inserted.end(), index,
                                      [](uint64_t i, const InsertRun& run) { return i < run.first; });
  const InsertRun& run = *(after - 1);
  return run.before - count_below(deleted, run.before) + index;
}

}  // namespace idem
