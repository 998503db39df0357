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

  void run(const PartitionRows& partition, RowStore& out) override {
    begin_ = partition.begin;
    end_ = partition.end;
    if (partition.rows_before == 0 && partition.first == begin_) begin_partition();
    load_arguments();
    const PartitionFrames frames = frames_of(partition);
    ResultWriter writer(*this, out);
    if (frames.is_whole_partition()) {
      if (states_behind_.empty()) fold(begin_, end_, running_.data());
      writer.add(states_behind_.empty() ? running_.data() : behind(0), partition.last - partition.first);
    } else if (frames.is_running()) {
      run_on(partition, writer);
    } else {
      slides_ = true;
      slide(partition, frames, writer);
    }
  }

  void see_slice(const RowStore& rows, const std::vector<uint32_t>& ids) override {
    if (states_behind_.empty()) {
      slice_rows_ = ids.size();
      arena_ = std::make_unique<AggregateArena>();
    }
    move_to(rows, ids);
    begin_ = 0;
    end_ = ids.size();
    load_arguments();
    states_behind_.push_back(new_state());
    fold(begin_, end_, states_behind_.back().data());
    memory_.set(arena_->bytes() + states_behind_.size() * stride_);
  }

  // Of each slice's rows becomes: of all rows from its first one.
  void seen_all() override {
    for (size_t i = states_behind_.size() - 1; i-- > 0;)
      combine(states_behind_[i].data(), states_behind_[i + 1].data());
    states_behind_.push_back(new_state());
  }

  void leave(const PartitionRows& partition, size_t end) override {
    if (slides_ && begins_with_partition(*input_.window)) fold(partition.begin, end, before_.data());
  }

 private:
  // Puts out final values. A value is made at once, since the state goes on changing, also in what it points
  // at.
  class ResultWriter {
   public:
    ResultWriter(const WindowAggregate& owner, RowStore& out) : owner_(owner), out_(out) {}

    void add(const char* state, size_t times) {
      owner_.finalize(state, 1, &value_);
      append_constant(value_, times, out_);
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
      check_cancel();
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

  void begin_partition() {
    if (states_behind_.empty()) arena_ = std::make_unique<AggregateArena>();
    before_ = new_state();
    running_ = new_state();
    folded_ = 0;
  }

  // The state of all rows behind the first `rows`, which end where a slice does.
  const char* behind(uint64_t rows) const { return states_behind_.at(rows / slice_rows_).data(); }

  void combine(char* into, const char* from) {
    aggregate_.function->combine(into, from, aggregate_.types, *arena_);
  }

  // Folds places [from, to) into a state.
  void fold(size_t from, size_t to, char* state) {
    ranges_.fold_rows(from - begin_, to - begin_, state, *arena_);
  }

  // Frames that grow with the row: each row is folded once.
  void run_on(const PartitionRows& partition, ResultWriter& writer) {
    const bool by_row = input_.window->mode == LogicalPlan::Window::Mode::kRows;
    for (size_t place = partition.first; place < partition.last;) {
      if ((place & 1023) == 0) check_cancel();
      const size_t frame_end = by_row ? place + 1 : partition.peer_end[place - begin_];
      if (partition.number(frame_end) > folded_) {
        fold(begin_ + static_cast<size_t>(folded_ - partition.rows_before), frame_end, running_.data());
        folded_ = partition.number(frame_end);
      }
      const size_t next = std::min(frame_end, partition.last);
      writer.add(running_.data(), next - place);
      place = next;
    }
  }

  void slide(const PartitionRows& partition, const PartitionFrames& frames, ResultWriter& writer) {
    const bool with_rows_before = partition.rows_before > 0 && begins_with_partition(*input_.window);
    const bool with_rows_behind = !partition.reaches_end() && ends_with_partition(*input_.window);
    std::vector<char> state(stride_);
    for (size_t place = partition.first; place < partition.last; ++place) {
      if ((place & 1023) == 0) {
        check_cancel();
        memory_.set(arena_->bytes() + states_behind_.size() * stride_);
      }
      const Frame frame = frames.frame_of(place);
      aggregate_.function->init(state.data());
      if (with_rows_before) combine(state.data(), before_.data());
      for (size_t p = 0; p < frame.count; ++p) {
        const auto [from, to] = frame.parts[p];
        if (to - from > RangeAggregate::kShortRange && !ranges_.has_levels()) ranges_.build_levels();
        ranges_.fold(from - begin_, to - begin_, state.data(), *arena_);
      }
      if (with_rows_behind) combine(state.data(), behind(partition.number(end_)));
      writer.add(state.data(), 1);
    }
  }

  const BoundAggregate& aggregate_;
  const uint32_t stride_;
  RangeAggregate ranges_;  // over the rows at hand
  OperatorMemory memory_;  // of arena_ and states
  size_t begin_ = 0, end_ = 0;
  bool slides_ = false;
  std::unique_ptr<AggregateArena> arena_;
  std::vector<char> running_;  // of the first folded_ rows of the partition
  uint64_t folded_ = 0;
  std::vector<char> before_;  // of the rows that have left
  size_t slice_rows_ = 0;
  std::vector<std::vector<char>> states_behind_;  // of all rows behind so many slices; empty: all are at hand
};

}  // namespace

std::unique_ptr<WindowFunction> make_window_aggregate(const WindowFunction::Input& input) {
  return std::make_unique<WindowAggregate>(input);
}

}  // namespace idem
