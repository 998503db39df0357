#pragma once

#include <memory>
#include <vector>

#include "query/sorted_runs.h"
#include "query/stored_rows.h"

namespace idem {

// How an input is read whose rows may be too many for memory.
struct RunSpec {
  std::vector<SqlType> types;                    // input columns, then computed ones
  std::vector<const BoundExpression*> computed;  // outlive the reading
  std::vector<SortColumn> columns;               // that runs are sorted by; none: the order of the input
  bool whole_heads = false;                      // morsels of runs end only where one of `columns` changes
  bool in_memory = false;                        // whatever it takes
  uint64_t bytes_per_row = 0;                    // that whoever reads them needs beside the rows in memory
};

// The rows in memory, in the order of the input, or sorted in temporary files.
struct RowsOrRuns {
  std::shared_ptr<RowStore> rows;    // sealed; null: see runs
  std::shared_ptr<SortedRuns> runs;  // finished
};

// `input` has been started.
RowsOrRuns read_rows_or_runs(Operator& input, EvaluationState& state, const RunSpec& spec);

// Hands out rows that start() has published, or those of runs where they were too many for memory.
class RowsOrRunsOperator : public StoredRowsOperator {
 public:
  size_t morsel_count() const final;
  uint64_t row_estimate() const final;
  std::unique_ptr<MorselStream> open(EvaluationState& state) final;
  void reset() final;
  void describe(OperatorDetails& details) const final;

 protected:
  // start() begins with it: forgets the rows of the start before.
  void restart();
  virtual std::unique_ptr<MorselStream> open_runs(const ExecutionContext& context) const = 0;

  std::shared_ptr<SortedRuns> runs_;  // null: the rows are in memory

 private:
  uint64_t starts_ = 0;
};

}  // namespace idem
