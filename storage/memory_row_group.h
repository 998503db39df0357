#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "common/string_arena.h"
#include "storage/column_batch.h"
#include "storage/row_group.h"

namespace idem {

// Bytes of all in-memory row groups of a database; shared with them, since they may outlive it.
using MemoryAccount = std::shared_ptr<std::atomic<uint64_t>>;

// A row group in memory that grows at its end.
//
//   column ─▶ chunk 0 │ rows 0..2047    │ validity │ min, max, NULLs     never moved once allocated
//             chunk 1 │ rows 2048..4095 │ …
//
//   rows   0 ─────────────── 900 ──── 1000 ────── capacity
//          shown by versions     │claimed│ free    claim(900, 100): true once, for the one version that ends
//          at 900
//
// Any thread may read rows that a version which it holds shows: they were written before that version was
// published. Rows are written by whoever claimed them and by nobody else; rows that were claimed for a
// version that was never published stay unused. Readers touch no word that a writer may touch at the same
// time, except atomically: elements of different rows are different bytes, validity words at a slice's end
// are copied bit by bit from atomic loads, statistics are relaxed atomics.
//
// statistics() covers all rows written when it is asked, so at least those that the caller's slice shows:
// right for skipping vectors, not for exact minima.
class MemoryRowGroup final : public RowGroup, public std::enable_shared_from_this<MemoryRowGroup> {
 public:
  static constexpr uint64_t kCommitted = 0;

  // `capacity` rows of the schema's columns. `owner`: the transaction that may append besides committers.
  MemoryRowGroup(std::shared_ptr<const TableSchema> schema, uint32_t capacity, MemoryAccount account,
                 uint64_t owner);
  ~MemoryRowGroup() override;

  uint32_t row_count() const override { return used_.load(std::memory_order_acquire) & ~kSealed; }
  bool in_memory() const override { return true; }
  bool has_column(ColumnId column) const override { return index_of(column) >= 0; }
  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const override;
  VectorStatistics statistics(ColumnId column, uint32_t vector_index) const override;
  uint64_t disk_bytes() const override { return 0; }
  uint64_t memory_bytes() const override { return bytes_.load(std::memory_order_relaxed); }

  uint32_t capacity() const { return capacity_; }
  uint64_t owner() const { return owner_; }
  // Whether it holds exactly the columns of a schema.
  bool has_shape_of(const TableSchema& schema) const;
  // Takes rows [expected_used, expected_used + count) if none beyond expected_used was taken and they fit.
  bool claim(uint32_t expected_used, uint32_t count);
  // No claim succeeds any more: what is being encoded stays whole.
  void seal() { used_.fetch_or(kSealed, std::memory_order_acq_rel); }

  // Writing claimed rows from `first` on, column by column in ascending order of rows. `column` is an index
  // into the schema. Rows [from, from + count) of a flat or constant vector of the column's type.
  void write_vector(size_t column, uint32_t first, const Vector& source, uint32_t from, uint32_t count);
  // Rows [from, from + count) of a batch, or those that `rows` lists.
  void write_batch(size_t column, uint32_t first, const BatchColumn& source, uint32_t from, uint32_t count);
  void write_gathered(size_t column, uint32_t first, const BatchColumn& source, const uint32_t* rows,
                      uint32_t count);

 private:
  static constexpr uint32_t kSealed = uint32_t{1} << 31;
  struct Chunk;
  struct ChunkDelete {
    void operator()(Chunk* chunk) const;
  };
  struct Column {
    ColumnId id{};
    SqlType type;
    PhysicalType physical{};
    uint32_t element_size = 0;
    std::shared_ptr<SymbolDictionary> dictionary;
    std::vector<std::unique_ptr<Chunk, ChunkDelete>>
        chunks;  // as many as the capacity needs, allocated one by one
  };

  int index_of(ColumnId column) const {
    const auto i = static_cast<uint32_t>(column);
    return i < column_index_.size() ? column_index_[i] : -1;
  }
  Chunk& chunk_for_writing(Column& column, uint32_t row);
  void write_elements(Column& column, uint32_t first, const std::byte* elements, uint32_t count);
  void set_null(Column& column, uint32_t row);
  void account(uint64_t bytes);

  std::shared_ptr<const TableSchema> schema_;
  const uint32_t capacity_;
  const uint64_t owner_;
  MemoryAccount account_;
  std::vector<Column> columns_;
  std::vector<int16_t> column_index_;  // by ColumnId
  StringArena arena_;
  size_t arena_bytes_accounted_ = 0;
  std::atomic<uint32_t> used_{0};
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace idem
