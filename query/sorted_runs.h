#pragma once

#include <memory>
#include <vector>

#include "query/operator.h"
#include "query/row_sorter.h"
#include "query/spill_file.h"
#include "query/spill_limit.h"

namespace idem {

// Rows in sort order that are too many for memory: sorted runs in a temporary file, merged while they are read.
//
//   run 0   [a c f][h k p]        blocks of rows; the keys of each block's first row stay in memory
//   run 1   [b d e][g m z]
//            morsel 0 │ morsel 1  a morsel is a range of the order, between the first rows of two blocks
//
// So morsels can be read by different threads, in any order, any number of times. Rows that are equal come in the order
// of the runs, which is that of the input. More runs than can be read at once are merged to fewer first.
class SortedRuns {
 public:
  // Rows of these types. `head`: morsels begin only where the first `head` columns change; 0: anywhere.
  SortedRuns(std::vector<SqlType> types, std::vector<SortColumn> columns, size_t head, size_t ranges,
             const ExecutionContext& context);
  ~SortedRuns();

  // Sorts the rows, on the calling thread, and writes them behind the other runs of a range of the input. Threads work on
  // different ranges.
  void add(size_t range, RowStore& rows, const ExecutionContext& context);
  // After the last run.
  void finish(const ExecutionContext& context);

  uint64_t rows() const { return rows_; }
  uint64_t spilled_bytes() const;
  size_t morsel_count() const;
  // The first `columns` columns of the rows.
  std::unique_ptr<MorselStream> open(const ExecutionContext& context, size_t columns) const;

 private:
  struct Run;
  struct Bound;
  class Merger;
  class Stream;
  using RunPtr = std::shared_ptr<Run>;

  class RunWriter;
  void merge_to(size_t most, const ExecutionContext& context);
  RunPtr merge_runs(size_t first, size_t end, const std::shared_ptr<SpillFile>& into,
                    const ExecutionContext& context) const;
  void choose_bounds(const ExecutionContext& context);
  int compare(const DataChunk& a, uint32_t row_a, const DataChunk& b, uint32_t row_b, size_t columns) const;
  void number_rows(const DataChunk& chunk, std::vector<uint64_t>* numbers) const;
  DataChunk keys_of(const DataChunk& rows) const;

  const std::vector<SqlType> types_;
  const std::vector<SortColumn> columns_;
  const bool at_heads_;  // morsels begin where the first head_ columns change
  const size_t head_;
  const SpillLimit limit_;
  TemporaryFolder& folder_;
  std::shared_ptr<SpillFile> file_;
  std::vector<std::vector<RunPtr>> ranges_;  // before finish()
  std::vector<RunPtr> runs_;                 // after it
  std::vector<Bound> bounds_;                // where morsel 1, 2 … begin
  uint64_t rows_ = 0, merged_bytes_ = 0;
  bool first_has_nulls_ = false;    // the first sort column
  size_t common_bytes_ = 0;         // that all its texts begin with
  OperatorMemory memory_{nullptr};  // the first keys of all blocks
};

}  // namespace idem
