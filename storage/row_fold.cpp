#include "storage/row_fold.h"

#include <algorithm>

#include "storage/keep_policy.h"

namespace idem {

RowFold::RowFold(const std::shared_ptr<const TableSchema>& schema, std::shared_ptr<const ColumnBatch> batch)
    : schema_(schema), batch_(std::move(batch)) {
  const size_t columns = schema_->columns.size();
  batch_views_.reserve(columns);
  for (size_t c = 0; c < columns; ++c) batch_views_.emplace_back(batch_->column(c));
  cells_.resize(columns);
}

const ColumnView& RowFold::view_at(const Cell& cell, size_t column) {
  switch (cell.origin) {
    case Origin::kStored: return stored_->column(static_cast<uint32_t>(column));
    case Origin::kGathered: return gathered_views_[column];
    case Origin::kBatch: break;
  }
  return batch_views_[column];
}

const ColumnView& RowFold::view_of(size_t column) { return view_at(cells_[column], column); }

void RowFold::begin_with_batch_row(uint32_t row) {
  first_ = {Origin::kBatch, row};
  std::fill(cells_.begin(), cells_.end(), first_);
  began_as_tombstone_ = false;
}

void RowFold::begin_with_stored_row(StoredRows* stored, uint64_t ordinal) {
  stored_ = stored;
  stored->move_to(ordinal);
  first_ = {Origin::kStored, stored->row_in_block(ordinal)};
  std::fill(cells_.begin(), cells_.end(), first_);
  began_as_tombstone_ = is_tombstone();
}

void RowFold::begin_with_stored_rows(StoredRows* stored, const std::vector<uint64_t>& ordinals) {
  // They may stand in several blocks, of which one can be looked at at a time.
  gathered_ = std::make_unique<ColumnBatch>(schema_);
  for (const uint64_t ordinal : ordinals) {
    stored->move_to(ordinal);
    const auto row = static_cast<uint16_t>(stored->row_in_block(ordinal));
    for (uint32_t c = 0; c < cells_.size(); ++c)
      gathered_->column(c).append_vector(stored->vector(c), {&row, 1});
  }
  gathered_views_.clear();
  for (size_t c = 0; c < cells_.size(); ++c) gathered_views_.emplace_back(gathered_->column(c));
  first_ = {Origin::kGathered, 0};
  std::fill(cells_.begin(), cells_.end(), first_);
  for (uint32_t row = 1; row < ordinals.size(); ++row) fold({Origin::kGathered, row});
  began_as_tombstone_ = is_tombstone();
}

void RowFold::add_batch_row(uint32_t row) { fold({Origin::kBatch, row}); }

void RowFold::fold(Cell newer) {
  bool older_greater = false;
  if (schema_->version_column >= 0) {
    const auto v = static_cast<size_t>(schema_->version_column);
    older_greater = older_has_greater_version(view_of(v), cells_[v].row, view_at(newer, v), newer.row);
  }
  for (size_t c = 0; c < cells_.size(); ++c) {
    if (takes_newer(schema_->columns[c], older_greater, view_of(c), cells_[c].row, view_at(newer, c),
                    newer.row)) {
      cells_[c] = newer;
    }
  }
}

bool RowFold::equals_stored() {
  for (size_t c = 0; c < cells_.size(); ++c) {
    if (cells_[c] == first_) continue;
    if (!identical(view_of(c), cells_[c].row, view_at(first_, c), first_.row)) return false;
  }
  return true;
}

bool RowFold::is_tombstone() {
  if (schema_->deleted_column < 0) return false;
  const auto d = static_cast<size_t>(schema_->deleted_column);
  return is_true(view_of(d), cells_[d].row);
}

uint32_t RowFold::take() {
  const bool one_row =
      cells_[0].origin == Origin::kBatch &&
      std::all_of(cells_.begin(), cells_.end(), [&](const Cell& c) { return c == cells_[0]; });
  if (one_row) return cells_[0].row;
  if (!folded_) folded_ = std::make_unique<ColumnBatch>(schema_);
  const uint32_t number = batch_->rows() + folded_->rows();
  for (size_t c = 0; c < cells_.size(); ++c) {
    const Cell& cell = cells_[c];
    BatchColumn& out = folded_->column(c);
    switch (cell.origin) {
      case Origin::kBatch: out.append_from(batch_->column(c), &cell.row, 1); break;
      case Origin::kGathered: out.append_from(gathered_->column(c), &cell.row, 1); break;
      case Origin::kStored: {
        const auto row = static_cast<uint16_t>(cell.row);
        out.append_vector(stored_->vector(static_cast<uint32_t>(c)), {&row, 1});
        break;
      }
    }
  }
  return number;
}

void RowFold::finish(PartitionChange* change) const {
  if (!folded_) {
    change->rows = batch_;
    return;
  }
  std::vector<uint32_t> sources = change->replaced_rows;
  const uint64_t inserted = change->positions.inserted_count();
  sources.reserve(sources.size() + inserted);
  for (uint64_t i = 0; i < inserted; ++i) sources.push_back(change->inserted_row(i));
  const uint32_t batch_rows = batch_->rows();
  auto rows = std::make_shared<ColumnBatch>(schema_);
  for (size_t begin = 0; begin < sources.size();) {
    const bool from_batch = sources[begin] < batch_rows;
    size_t end = begin;
    for (; end < sources.size() && (sources[end] < batch_rows) == from_batch; ++end) {
      if (!from_batch) sources[end] -= batch_rows;
    }
    rows->append_rows(from_batch ? *batch_ : *folded_, sources.data() + begin, end - begin);
    begin = end;
  }
  for (uint32_t i = 0; i < change->replaced_rows.size(); ++i) change->replaced_rows[i] = i;
  change->first_inserted = static_cast<uint32_t>(change->replaced_rows.size());
  change->inserted_rows.clear();
  change->rows = std::move(rows);
}

}  // namespace idem
