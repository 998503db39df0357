#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "query/aggregate_states.h"
#include "query/row_sorter.h"
#include "query/window_frame.h"

namespace idem {

// The rows at hand of one partition, in the window's order, and those among them whose values are wanted. Usually these are
// all of its rows; of one that is too large for memory (window_slices.h) others come before and behind.
//
//   rows_before │ begin … first … last … end │ …      `rows` in all
struct PartitionRows {
  size_t begin = 0, end = 0;                 // places at hand
  size_t first = 0, last = 0;                // places whose values are wanted
  uint64_t rows = 0;                         // of the whole partition; kUnknown where nobody needs it
  uint64_t rows_before = 0;                  // of the partition, before `begin`
  uint64_t peers_before = 0;                 // of these, peers of the row at `begin`
  std::vector<size_t> peer_begin, peer_end;  // the peers at hand of place begin + i

  static constexpr uint64_t kUnknown = UINT64_MAX;
  // The rows at hand are [begin, end), between which `changes` tells peers apart.
  void set_places(size_t begin, size_t end, const std::vector<RowChange>& changes);
  uint64_t number(size_t place) const {
    return rows_before + (place - begin);
  }  // within the partition, from 0
  bool reaches_end() const { return number(end) == rows; }
};

// One thread's computation of one window function: appends the wanted values of the partitions that it is given, in order.
class WindowFunction {
 public:
  struct Input {
    const LogicalPlan::Window* window = nullptr;
    const FrameOffsets* offsets = nullptr;
    const RowStore* rows = nullptr;              // sealed
    const std::vector<uint32_t>* ids = nullptr;  // in the window's order
    std::vector<uint32_t> arguments;             // columns of the rows
    uint32_t filter = UINT32_MAX;                // a boolean column; UINT32_MAX: none
    size_t order_column = SIZE_MAX;              // the only ORDER BY column
    EvaluationState* state = nullptr;
  };

  // Throws 0A000 for a function that is none.
  static std::unique_ptr<WindowFunction> make(const Input& input);
  virtual ~WindowFunction() = default;
  virtual void run(const PartitionRows& partition, RowStore& out) = 0;

  // For a partition of which a part is at hand at a time.
  //
  // Before the first run(), where its WindowReach needs_all_rows(): the partition's rows, slice by slice, of the same length but for
  // the last one. run() is then given parts that end where a slice does.
  virtual void see_slice(const RowStore& rows, const std::vector<uint32_t>& ids);
  virtual void seen_all() {}
  // After a run(): the rows [partition.begin, end) at hand leave, and frames that begin with the partition go on without them.
  virtual void leave(const PartitionRows& partition, size_t end);
  // Other rows are at hand.
  void move_to(const RowStore& rows, const std::vector<uint32_t>& ids) {
    input_.rows = &rows;
    input_.ids = &ids;
  }

 protected:
  explicit WindowFunction(Input input) : input_(std::move(input)) {}
  uint32_t id(size_t place) const { return (*input_.ids)[place]; }
  void check_cancel() const {
    if (input_.state->context->cancel) input_.state->context->cancel->check();
  }
  PartitionFrames frames_of(const PartitionRows& partition) const;
  // A vector's first value, `times` times.
  static void append_constant(Vector& value, size_t times, RowStore& out);

  Input input_;
};

// What of its partition the value of a row depends on, beside the row itself.
struct WindowReach {
  bool frame = false;                       // the rows of its frame,
  bool from_start = false;                  // which begins with the partition
  bool to_end = false;                      // which ends with the partition
  bool peers = false;                       // its peers
  bool row_count = false;                   // the number of rows
  size_t rows_before = 0, rows_behind = 0;  // another row at a fixed distance

  bool needs_all_rows() const { return row_count || to_end; }
};
// Nothing where a row may depend on any other.
std::optional<WindowReach> reach_of(const LogicalPlan::Window& window);

SqlType result_type(const LogicalPlan::Window& window);

// Windows over aggregates: whole partitions, running frames, and any other frame by a tree of partial states.
std::unique_ptr<WindowFunction> make_window_aggregate(const WindowFunction::Input& input);

}  // namespace idem
