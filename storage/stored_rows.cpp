#include "storage/stored_rows.h"

#include <algorithm>

namespace idem {

StoredRows::StoredRows(std::shared_ptr<const Partition> partition, std::shared_ptr<const TableSchema> schema)
    : partition_(std::move(partition)), schema_(std::move(schema)) {
  vectors_.resize(schema_->columns.size());
  views_.resize(vectors_.size());
  loaded_.resize(vectors_.size(), 0);
}

// `row`: of the slice.
void StoredRows::enter_block(size_t slice_index, uint32_t row) {
  if (!reader_.is_open() || slice_index != slice_) reader_.open(partition_->slices[slice_index]);
  const SliceReader::Piece piece = reader_.piece_at(row);
  slice_ = slice_index;
  block_begin_ = partition_->first_ordinal[slice_index] + piece.begin;
  block_end_ = block_begin_ + piece.size();
  std::fill(loaded_.begin(), loaded_.end(), uint8_t{0});
}

void StoredRows::move_to(uint64_t ordinal) {
  if (ordinal >= block_begin_ && ordinal < block_end_) return;
  const auto& first = partition_->first_ordinal;
  const bool same_slice = block_end_ > 0 && ordinal >= first[slice_] &&
                          ordinal < (slice_ + 1 < first.size() ? first[slice_ + 1] : partition_->row_count);
  const size_t slice = same_slice ? slice_ : partition_->slice_of(ordinal);
  enter_block(slice, static_cast<uint32_t>(ordinal - first[slice]));
}

void StoredRows::load(uint32_t index) {
  Vector& vector = vectors_[index];
  const auto count = static_cast<uint32_t>(block_end_ - block_begin_);
  const auto first = static_cast<uint32_t>(block_begin_ - partition_->first_ordinal[slice_]);
  reader_.read(schema_->columns[index], first, count, &vector);
  if (vector.form == Vector::Form::kConstant || vector.form == Vector::Form::kSequence) {
    vector = flatten(vector, count, {nullptr, count}, false);
  }
  views_[index] = ColumnView(vector);
  loaded_[index] = 1;
}

// Of the slice's blocks from the one of `from` on the first whose maximum is not below t, or rather its first row. Bounds
// may be too wide, never too narrow. Those of a base block hold with a patch too: what is inserted before a row is not
// later than that row, even if it was deleted since.
uint64_t StoredRows::first_candidate(int64_t t, uint64_t from, size_t slice_index) const {
  const Slice& slice = partition_->slices[slice_index];
  const uint64_t first = partition_->first_ordinal[slice_index];
  const ColumnId time_id = schema_->columns[static_cast<size_t>(schema_->timestamp_column)].id;
  const uint32_t shown = static_cast<uint32_t>(from - first) +
                         (slice.overlay ? slice.overlay->shown_before(slice.begin) : slice.begin);
  uint32_t low = slice.overlay ? slice.overlay->block_showing(shown) : shown / kVectorSize;
  uint32_t high = (slice.end - 1) / kVectorSize;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const VectorStatistics bounds = slice.group->statistics(time_id, middle);
    if (bounds.has_bounds && bounds.max < t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const uint32_t row = std::max(low * kVectorSize, slice.begin);
  return std::max(from, first + slice.shown_before(row));
}

uint64_t StoredRows::lower_bound(int64_t t, uint64_t from) {
  const Partition& p = *partition_;
  const auto time_column = static_cast<uint32_t>(schema_->timestamp_column);
  while (from < p.row_count) {
    if (from < block_begin_ || from >= block_end_ || !loaded_[time_column]) {
      size_t s = p.slice_of(from);
      if (p.slice_max[s] < t) {
        const auto at =
            std::lower_bound(p.slice_max.begin() + static_cast<std::ptrdiff_t>(s), p.slice_max.end(), t);
        if (at == p.slice_max.end()) return p.row_count;
        s = static_cast<size_t>(at - p.slice_max.begin());
        from = p.first_ordinal[s];
      }
      from = first_candidate(t, from, s);
      if (from == p.row_count) break;
      move_to(from);
    }
    const int64_t* times = static_cast<const int64_t*>(column(time_column).data);
    const uint32_t end = static_cast<uint32_t>(block_end_ - block_begin_);
    uint32_t low = row_in_block(from);
    if (times[low] >= t) return from;
    if (times[end - 1] < t) {
      from = block_end_;
      continue;
    }
    uint32_t step = 1;  // times[low] < t <= times[end - 1]
    while (low + step < end && times[low + step] < t) {
      low += step;
      step *= 2;
    }
    const uint32_t high = std::min(low + step, end - 1);
    const int64_t* found = std::lower_bound(times + low + 1, times + high + 1, t);
    return block_begin_ + static_cast<uint64_t>(found - times);
  }
  return p.row_count;
}

}  // namespace idem
