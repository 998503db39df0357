#include <algorithm>

#include "query/range_aggregate.h"
#include "query/window_functions.h"

namespace idem {

namespace {

// One aggregate over the rows of a partition in the window's order.
class WindowAggregate final : public WindowFunction {
 public:
  explicit WindowAggregate(const Input& input)
      : WindowFunction(input),
        aggregate_(input.window->aggregate),
        stride_(std::max<uint32_t>((aggregate_.function->state_size + 7) / 8 * 8, 8)),
        ranges_(aggregate_, input.state->context->memory),
        memory_(input.state->context->memory) {}

  void run(size_t begin, size_t end, const std::vector<size_t>& peer_begin,
           const std::vector<size_t>& peer_end, RowStore& out) override {
    begin_ = begin;
    end_ = end;
    arena_ = std::make_unique<AggregateArena>();
    load_arguments();
    PartitionFrames frames(*input_.window, *input_.offsets, *input_.rows, *input_.ids, begin, end,
                           input_.order_column);
    frames.set_peers(&peer_begin, &peer_end);
    ResultWriter writer(*this, out);
    if (frames.is_whole_partition()) {
      std::vector<char> state = new_state();
      fold(begin, end, state.data());
      writer.add(state.data(), end - begin);
    } else if (frames.is_running()) {
      std::vector<char> state = new_state();
      const bool by_row = input_.window->mode == LogicalPlan::Window::Mode::kRows;
      for (size_t place = begin; place < end;) {
        const size_t next = by_row ? place + 1 : peer_end[place - begin];
        fold(place, next, state.data());
        writer.add(state.data(), next - place);
        place = next;
      }
    } else {
      slide(frames, writer);
    }
  }

 private:
  // Puts out final values. A value is made at once, since the state goes on changing, also in what it points
  // at.
  class ResultWriter {
   public:
    ResultWriter(const WindowAggregate& owner, RowStore& out) : owner_(owner), out_(out) {}

    void add(const char* state, size_t times) {
      owner_.finalize(state, 1, &value_);
      value_.form = Vector::Form::kConstant;
      for (size_t left = times; left > 0;) {
        const auto count = static_cast<uint32_t>(std::min<size_t>(left, kVectorSize));
        out_.append({&value_, 1}, {nullptr, count});
        left -= count;
      }
    }

   private:
    const WindowAggregate& owner_;
    RowStore& out_;
    Vector value_;
  };

  void finalize(const char* states, uint32_t count, Vector* out) const {
    out->allocate(aggregate_.types.result, count);
    aggregate_.function->finalize(states, stride_, count, aggregate_.types, out, 0);
  }

  std::vector<char> new_state() const {
    std::vector<char> state(stride_);
    aggregate_.function->init(state.data());
    return state;
  }

  // Arguments in the window's order, and the rows that the filter lets through.
  void load_arguments() {
    ranges_.clear();
    const size_t rows = end_ - begin_;
    for (size_t first = 0; first < rows; first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, rows - first));
      const uint32_t* ids = input_.ids->data() + begin_ + first;
      std::vector<Vector> arguments(input_.arguments.size());
      for (size_t a = 0; a < arguments.size(); ++a)
        input_.rows->gather(input_.arguments[a], ids, count, false, &arguments[a]);
      ranges_.append(std::move(arguments), count, passing(ids, count));
    }
  }

  std::optional<std::vector<uint16_t>> passing(const uint32_t* ids, uint32_t count) const {
    if (input_.filter == UINT32_MAX) return std::nullopt;
    std::vector<uint16_t> rows;
    for (uint32_t i = 0; i < count; ++i) {
      if (input_.rows->is_valid(input_.filter, ids[i]) &&
          input_.rows->value<uint8_t>(input_.filter, ids[i]) != 0)
        rows.push_back(static_cast<uint16_t>(i));
    }
    return rows;
  }

  // Folds places [from, to) into a state.
  void fold(size_t from, size_t to, char* state) {
    ranges_.fold_rows(from - begin_, to - begin_, state, *arena_);
  }

  void slide(PartitionFrames& frames, ResultWriter& writer) {
    std::vector<char> state(stride_);
    for (size_t place = begin_; place < end_; ++place) {
      if ((place & 1023) == 0) {
        if (input_.state->context->cancel) input_.state->context->cancel->check();
        memory_.set(arena_->bytes());
      }
      const Frame frame = frames.frame_of(place);
      aggregate_.function->init(state.data());
      for (size_t p = 0; p < frame.count; ++p) {
        const auto [from, to] = frame.parts[p];
        if (to - from > RangeAggregate::kShortRange && !ranges_.has_levels()) ranges_.build_levels();
        ranges_.fold(from - begin_, to - begin_, state.data(), *arena_);
      }
      writer.add(state.data(), 1);
    }
  }

  const BoundAggregate& aggregate_;
  const uint32_t stride_;
  RangeAggregate ranges_;  // over the partition's rows
  OperatorMemory memory_;  // of arena_
  size_t begin_ = 0, end_ = 0;
  std::unique_ptr<AggregateArena> arena_;
};

}  // namespace

std::unique_ptr<WindowFunction> make_window_aggregate(const WindowFunction::Input& input) {
  return std::make_unique<WindowAggregate>(input);
}

}  // namespace idem
