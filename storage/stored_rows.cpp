#include "storage/stored_rows.h"

#include <algorithm>

namespace idem {

StoredRows::StoredRows(std::shared_ptr<const Partition> partition, std::shared_ptr<const TableSchema> schema)
    : partition_(std::move(partition)), schema_(std::move(schema)) {
  vectors_.resize(schema_->columns.size());
  views_.resize(vectors_.size());
  loaded_.resize(vectors_.size(), 0);
}

void StoredRows::enter_block(size_t slice_index, uint32_t row) {
  const Slice& slice = partition_->slices[slice_index];
  const uint32_t vector_first = row / kVectorSize * kVectorSize;
  const uint32_t first = std::max(vector_first, slice.begin);
  const uint32_t end = std::min(vector_first + kVectorSize, slice.end);
  slice_ = slice_index;
  first_row_ = first;
  block_begin_ = partition_->first_ordinal[slice_index] + (first - slice.begin);
  block_end_ = block_begin_ + (end - first);
  std::fill(loaded_.begin(), loaded_.end(), uint8_t{0});
}

void StoredRows::move_to(uint64_t ordinal) {
  if (ordinal >= block_begin_ && ordinal < block_end_) return;
  const bool same_slice = block_end_ > 0 && ordinal >= partition_->first_ordinal[slice_] &&
                          ordinal - partition_->first_ordinal[slice_] < partition_->slices[slice_].rows();
  const size_t slice = same_slice ? slice_ : partition_->slice_of(ordinal);
  enter_block(slice, partition_->slices[slice].begin +
                         static_cast<uint32_t>(ordinal - partition_->first_ordinal[slice]));
}

void StoredRows::load(uint32_t index) {
  Vector& vector = vectors_[index];
  const auto count = static_cast<uint32_t>(block_end_ - block_begin_);
  partition_->slices[slice_].group->read(schema_->columns[index], first_row_, count, &vector);
  if (vector.form == Vector::Form::kConstant || vector.form == Vector::Form::kSequence) {
    vector = flatten(vector, count, {nullptr, count}, false);
  }
  views_[index] = ColumnView(vector);
  loaded_[index] = 1;
}

uint64_t StoredRows::lower_bound(int64_t t, uint64_t from) {
  const Partition& p = *partition_;
  const auto time_column = static_cast<uint32_t>(schema_->timestamp_column);
  const ColumnId time_id = schema_->columns[time_column].id;
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
      const Slice& slice = p.slices[s];
      // Of the slice's vectors the first whose maximum is not below t; bounds may be too wide, never too
      // narrow.
      uint32_t low = (slice.begin + static_cast<uint32_t>(from - p.first_ordinal[s])) / kVectorSize;
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
      from = std::max(from, p.first_ordinal[s] + (row - slice.begin));
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
