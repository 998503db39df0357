#pragma once

#include <memory>
#include <vector>

#include "storage/row_compare.h"
#include "storage/slice_reader.h"

namespace idem {

// Rows of one partition by ordinal, a block (a piece of SliceReader: what a slice shows of a vector) at a time. Columns are
// decoded when they are asked for, blocks that bounds exclude never. Used by one thread; holds the partition.
class StoredRows {
 public:
  StoredRows(std::shared_ptr<const Partition> partition, std::shared_ptr<const TableSchema> schema);

  uint64_t row_count() const { return partition_->row_count; }
  // Makes the block that holds the row the current one.
  void move_to(uint64_t ordinal);
  uint64_t block_begin() const { return block_begin_; }
  uint64_t block_end() const { return block_end_; }
  uint32_t row_in_block(uint64_t ordinal) const { return static_cast<uint32_t>(ordinal - block_begin_); }
  // Column of the current block; valid until the next move to another block.
  const ColumnView& column(uint32_t index) {
    if (!loaded_[index]) load(index);
    return views_[index];
  }
  const Vector& vector(uint32_t index) {
    column(index);
    return vectors_[index];
  }
  int64_t timestamp(uint64_t ordinal) {
    move_to(ordinal);
    return column(static_cast<uint32_t>(schema_->timestamp_column)).at<int64_t>(row_in_block(ordinal));
  }

  // The first row at or after `from` with a timestamp of at least `t`; row_count() if there is none. Gallops.
  uint64_t lower_bound(int64_t t, uint64_t from);
  // The first row at or after `from` whose timestamp is above `t`.
  uint64_t upper_bound(int64_t t, uint64_t from) {
    return t == INT64_MAX ? row_count() : lower_bound(t + 1, from);
  }

 private:
  void load(uint32_t index);
  void enter_block(size_t slice, uint32_t row);
  uint64_t first_candidate(int64_t t, uint64_t from, size_t slice) const;

  std::shared_ptr<const Partition> partition_;
  std::shared_ptr<const TableSchema> schema_;
  size_t slice_ = 0;
  SliceReader reader_;  // of that slice
  uint64_t block_begin_ = 0, block_end_ = 0;
  std::vector<Vector> vectors_;
  std::vector<ColumnView> views_;
  std::vector<uint8_t> loaded_;
};

}  // namespace idem
