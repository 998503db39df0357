#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/string_arena.h"
#include "query/operator_memory.h"
#include "storage/vector.h"

namespace idem {

// Rows kept in memory, column by column: what sorts, joins, windows and materialized queries work on.
//
//   row id = segment << 14 | row in segment;  a segment is full (16,384 rows) unless one thread's part ends
//   with it
//
// Characters are copied; symbols stay codes as long as one dictionary is enough, and become strings when a
// second one shows up. One thread appends; after seal() any thread may read. Counts its memory in the budget
// (53200).
class RowStore : public std::enable_shared_from_this<RowStore> {
 public:
  static constexpr uint32_t kSegmentBits = 14;
  static constexpr uint32_t kSegmentRows = 1u << kSegmentBits;
  static constexpr uint32_t kNoRow = UINT32_MAX;

  static std::shared_ptr<RowStore> make(std::vector<SqlType> types, MemoryBudget* budget);
  RowStore(std::vector<SqlType> types, MemoryBudget* budget);

  size_t column_count() const { return columns_.size(); }
  // The type of the column's vectors: VARCHAR where a SYMBOL column has become strings.
  SqlType type(size_t column) const { return columns_[column].type; }
  uint64_t rows() const { return rows_; }
  uint64_t memory_bytes() const { return memory_.bytes(); }
  // What the next vector of rows, with short texts, may take at once.
  uint64_t next_growth() const;

  // Appends the selected rows of the first column_count() columns. Their ids are consecutive within a
  // segment.
  void append(const DataChunk& chunk) { append(chunk.columns, chunk.selection); }
  void append(std::span<const Vector> columns, Selection selection);
  // The id that the next row appended gets.
  uint32_t next_id() const;
  // Moves the rows of `other` (same columns) behind these; its ids grow by the returned number.
  uint32_t take(RowStore&& other);
  void clear();

  void seal();
  size_t segment_count() const { return segments_.size(); }
  uint32_t segment_rows(size_t segment) const { return segments_[segment].rows; }
  // A view on rows [first, first + count) of a segment; first is a multiple of 64, count <= kVectorSize.
  void read(size_t segment, uint32_t first, uint32_t count, DataChunk* out) const;
  Vector view(size_t column, size_t segment, uint32_t first) const;
  // The rows of these ids, in this order. With `missing`, kNoRow gives NULL.
  void gather(size_t column, const uint32_t* ids, uint32_t count, bool missing, Vector* out) const;
  void gather(const uint32_t* ids, uint32_t count, DataChunk* out) const;  // all columns
  // out[rows[i]] = row ids[i], NULL for kNoRow; other elements are undefined. For results aligned to another
  // chunk.
  void scatter(size_t column, const uint32_t* ids, const uint16_t* rows, uint32_t count, Vector* out) const;

  bool is_valid(size_t column, uint32_t id) const;
  // Element in the physical layout of type(column).
  const void* element(size_t column, uint32_t id) const {
    return segments_[id >> kSegmentBits].columns[column].data.get() +
           static_cast<size_t>(id & (kSegmentRows - 1)) * columns_[column].element_size;
  }
  template <class T>
  T value(size_t column, uint32_t id) const {
    return *static_cast<const T*>(element(column, id));
  }
  const SymbolDictionary* dictionary(size_t column) const { return columns_[column].dictionary; }
  // Elements of one segment, after seal().
  const std::byte* base(size_t column, size_t segment) const { return columns_[column].bases[segment]; }
  bool has_nulls(size_t column) const { return columns_[column].has_nulls; }
  void all_ids(std::vector<uint32_t>* ids) const;

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  struct ColumnSegment {
    std::unique_ptr<std::byte, Free> data;
    std::vector<uint64_t> validity;  // empty: no NULLs
  };
  struct Segment {
    uint32_t rows = 0, capacity = 0;
    std::vector<ColumnSegment> columns;
  };
  struct Column {
    SqlType type;
    PhysicalType physical = PhysicalType::kBool;
    uint32_t element_size = 1;
    const SymbolDictionary* dictionary = nullptr;  // of codes
    std::vector<const std::byte*> bases;           // of each segment, after seal()
    bool has_nulls = false;
  };

  Segment& segment_with_room();
  uint32_t capacity_for(const Segment& segment, uint32_t wanted) const;
  void grow(Segment& segment, uint32_t wanted);
  void append_column(size_t column, Segment& segment, const Vector& vector, Selection selection,
                     uint32_t first, uint32_t count);
  void become_strings(size_t column);
  void keep(const std::shared_ptr<const void>& owner);

  std::vector<Column> columns_;
  std::vector<Segment> segments_;
  std::vector<StringArena> arenas_;
  std::vector<std::shared_ptr<const void>> owners_;  // dictionaries
  uint64_t rows_ = 0, element_bytes_ = 0;
  OperatorMemory memory_;
};

}  // namespace idem
