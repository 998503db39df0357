#include "storage/compaction.h"

namespace idem {

namespace {

constexpr uint32_t kWellFilled = kRowGroupSize / 4 * 3;
constexpr uint32_t kWorthFolding = 128;  // an overlay with more items than one in so many rows

bool is_worth_folding(const Slice& slice) {
  return slice.overlay &&
         slice.overlay->item_count(slice.begin, slice.end) > (slice.end - slice.begin) / kWorthFolding;
}

bool is_fine(const Slice& slice) { return slice.rows() >= kWellFilled && !is_worth_folding(slice); }

}  // namespace

std::vector<SliceRun> plan_compaction(const Partition& partition, uint64_t* row_budget) {
  const std::vector<Slice>& slices = partition.slices;
  std::vector<SliceRun> runs;
  for (size_t first = 0; first < slices.size();) {
    if (is_fine(slices[first])) {
      ++first;
      continue;
    }
    uint64_t rows = 0;
    size_t end = first;
    bool folds = false;
    while (end < slices.size() && rows + slices[end].rows() <= *row_budget) {
      rows += slices[end].rows();
      folds = folds || is_worth_folding(slices[end]);
      ++end;
      const uint64_t in_last_group = rows % kRowGroupSize;
      const bool filled = in_last_group == 0 || in_last_group >= kWellFilled;
      if (filled && end < slices.size() && is_fine(slices[end])) break;
    }
    const uint64_t groups = (rows + kRowGroupSize - 1) / kRowGroupSize;
    if (end - first > groups || folds) {
      runs.push_back({first, end});
      *row_budget -= rows;
      first = end;
    } else {
      ++first;
    }
  }
  return runs;
}

bool ColdPartitions::is_cold(uint32_t table, const Partition& partition) const {
  const auto known = known_.find(table);
  if (known == known_.end()) return false;
  const auto content = known->second.find(partition.start);
  return content != known->second.end() && content->second == partition.content_id;
}

void ColdPartitions::note(uint32_t table, const Partition& partition) {
  noted_[table][partition.start] = partition.content_id;
}

void ColdPartitions::finish_checkpoint() {
  for (auto& [table, ids] : noted_) known_[table] = std::move(ids);
  noted_.clear();
}

}  // namespace idem
