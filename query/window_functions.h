#pragma once

#include <memory>
#include <vector>

#include "query/aggregate_states.h"
#include "query/window_frame.h"

namespace idem {

// One thread's computation of one window function: appends a value for each place of the partitions that it
// is given, in order.
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
  // peer_begin[i], peer_end[i]: the peers of place begin + i.
  virtual void run(size_t begin, size_t end, const std::vector<size_t>& peer_begin,
                   const std::vector<size_t>& peer_end, RowStore& out) = 0;

 protected:
  explicit WindowFunction(Input input) : input_(std::move(input)) {}
  uint32_t id(size_t place) const { return (*input_.ids)[place]; }

  Input input_;
};

// Windows over aggregates: whole partitions, running frames, and any other frame by a tree of partial states.
std::unique_ptr<WindowFunction> make_window_aggregate(const WindowFunction::Input& input);

}  // namespace idem
