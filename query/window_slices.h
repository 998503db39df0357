#pragma once

#include <memory>
#include <vector>

#include "query/sorted_runs.h"
#include "query/window_functions.h"

namespace idem {

// Windows of one order over rows that are too many for memory and come sorted by it. Partitions are worked up slice by
// slice, so that one partition may be of any size; a slice is what a thread may keep, beside the rows around it that a frame,
// lag() or lead() reaches.
//
//   rows in order   ░░░░░░░░░░░░ ▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▒▒▒▒
//                   have left    │at hand             │ not read yet
//                                     └ wanted now ──┘
//
// What a value needs of rows that have left is in the function's state. What it needs of all rows (their number, a frame that ends
// with the partition) is found before in a pass of its own over the partition's rows.
class WindowSlices {
 public:
  struct Window {
    const LogicalPlan::Window* window = nullptr;
    WindowReach reach;
    WindowFunction::Input input;  // its offsets outlive this object; rows and ids are set here
  };
  struct Spec {
    const SortedRuns* runs = nullptr;  // by partition_columns, then order_columns
    size_t columns = 0;                // of the runs' rows
    std::vector<SqlType> types;        // of these
    std::vector<uint32_t> partition_columns, order_columns;
    std::vector<Window> windows;
  };

  WindowSlices(Spec spec, const ExecutionContext& context);
  ~WindowSlices();

  // The next rows: the runs' columns, then the values of the windows. False at the end.
  bool next(DataChunk* chunk);

 private:
  class Reader;
  using Functions = std::vector<std::unique_ptr<WindowFunction>>;

  bool compute();
  void compute_whole_partitions(size_t end);
  void begin_large_partition();
  bool compute_part(bool is_last);
  void see_all_rows();
  void run(Functions& functions);
  void begin_results();
  void end_results(size_t begin, size_t end);
  Functions make_functions() const;
  void let_leave();
  void fill();
  void drop(size_t count);
  size_t partition_end(size_t begin) const;
  size_t last_needed(const Window& window, size_t place) const;
  size_t first_needed(const Window& window, size_t place) const;
  PartitionFrames frames_of(const Window& window) const;

  Spec spec_;
  const ExecutionContext& context_;
  const uint64_t slice_bytes_;
  size_t slice_rows_ = 0;  // 0: not known yet
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Reader> ahead_;  // of large partitions, made when one needs all rows

  std::shared_ptr<RowStore> rows_;  // at hand; the first one begins a partition or is of a large one
  std::vector<uint32_t> ids_;
  std::vector<RowChange> changes_;
  OperatorMemory memory_;   // of ids_, changes_ and the peers in partition_
  uint64_t rows_left_ = 0;  // before them

  Functions functions_;  // for partitions that are whole at hand
  Functions large_;      // for the large partition at hand; empty: there is none
  PartitionRows partition_;
  bool has_run_ = false;  // large_, on the rows at hand

  std::vector<std::shared_ptr<RowStore>> results_;  // by window, of places [out_, out_end_)
  std::vector<std::vector<uint32_t>> result_ids_;
  size_t out_begin_ = 0, out_ = 0, out_end_ = 0;
};

}  // namespace idem
