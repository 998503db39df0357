#include "query/row_difference.h"

#include <algorithm>

namespace idem {

namespace {

std::vector<SqlType> types_of(const ColumnBatch& rows) {
  std::vector<SqlType> types;
  for (size_t c = 0; c < rows.column_count(); ++c) types.push_back(rows.column(c).type());
  return types;
}

}  // namespace

RowDifference::RowDifference(const ColumnBatch& wanted, MemoryBudget* budget)
    : groups_(types_of(wanted), budget), group_of_row_(wanted.rows()) {
  std::vector<Vector> keys(wanted.column_count());
  for (uint32_t first = 0; first < wanted.rows(); first += kVectorSize) {
    const uint32_t count = std::min(kVectorSize, wanted.rows() - first);
    for (size_t c = 0; c < keys.size(); ++c) keys[c] = wanted.column(c).slice(first, count);
    groups_.find_or_insert(keys.data(), {nullptr, count}, group_of_row_.data() + first);
  }
  missing_.resize(groups_.size());
  for (const uint32_t group : group_of_row_) ++missing_[group];
  stored_groups_.emplace(groups_);
}

void RowDifference::add_stored(const DataChunk& rows) {
  if (rows.count() == 0) return;
  std::vector<uint32_t> groups(rows.count());
  stored_groups_->find(rows.columns.data() + 1, rows.selection, true, groups.data());
  const Vector positions = flatten(rows.columns[0], rows.size, rows.selection, false);
  for (uint32_t i = 0; i < rows.count(); ++i) {
    if (groups[i] != GroupTable::kNoGroup && missing_[groups[i]] > 0) {
      --missing_[groups[i]];
    } else {
      superfluous_.push_back(positions.values<int64_t>()[rows.selection[i]]);
    }
  }
}

std::vector<RowPosition> RowDifference::take_superfluous() {
  std::sort(superfluous_.begin(), superfluous_.end());
  std::vector<RowPosition> positions;
  for (const int64_t packed : superfluous_) positions.push_back(RowPosition::unpack(packed));
  return positions;
}

std::vector<uint32_t> RowDifference::take_missing() {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < group_of_row_.size(); ++row) {
    uint32_t& missing = missing_[group_of_row_[row]];
    if (missing == 0) continue;
    --missing;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace idem
