#include <algorithm>
#include <array>
#include <cstring>

#include "query/window_functions.h"

namespace idem {

namespace {

constexpr size_t kFanout = 16;
constexpr size_t kShortFrame = 32;  // folded row by row

constexpr std::array<uint16_t, kVectorSize> kAllRows = [] {
  std::array<uint16_t, kVectorSize> rows{};
  for (uint32_t i = 0; i < kVectorSize; ++i) rows[i] = static_cast<uint16_t>(i);
  return rows;
}();

// One aggregate over the rows of a partition in the window's order.
//
//   level 1   [ 0..15 ][16..31][32..47] …      partial states of 16 rows each
//   level 2   [ 0..255 ][256..511] …           of 16 states each
//
// A frame is put together from whole states of the highest level that fits and single rows at its ends.
class WindowAggregate final : public WindowFunction {
 public:
  explicit WindowAggregate(const Input& input)
      : WindowFunction(input),
        aggregate_(input.window->aggregate),
        stride_(std::max<uint32_t>((aggregate_.function->state_size + 7) / 8 * 8, 8)),
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

  // Arguments in the window's order, a chunk of kVectorSize places at a time, and the rows that the filter
  // lets through.
  void load_arguments() {
    chunks_.clear();
    passing_.clear();
    const size_t rows = end_ - begin_;
    uint64_t bytes = 0;
    for (size_t first = 0; first < rows; first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, rows - first));
      const uint32_t* ids = input_.ids->data() + begin_ + first;
      std::vector<Vector>& chunk = chunks_.emplace_back(input_.arguments.size());
      for (size_t a = 0; a < chunk.size(); ++a) {
        input_.rows->gather(input_.arguments[a], ids, count, false, &chunk[a]);
        bytes += count * physical_size(physical_type(chunk[a].type));
      }
      if (input_.filter == UINT32_MAX) continue;
      std::vector<uint16_t>& passing = passing_.emplace_back();
      for (uint32_t i = 0; i < count; ++i) {
        if (input_.rows->is_valid(input_.filter, ids[i]) &&
            input_.rows->value<uint8_t>(input_.filter, ids[i]) != 0) {
          passing.push_back(static_cast<uint16_t>(i));
        }
      }
    }
    memory_.set(bytes);
  }

  // Folds places [from, to) into a state.
  void fold(size_t from, size_t to, char* state) {
    from -= begin_;
    to -= begin_;
    while (from < to) {
      const size_t c = from / kVectorSize;
      const auto first = static_cast<uint32_t>(from % kVectorSize);
      const auto count = static_cast<uint32_t>(std::min<size_t>(to - from, kVectorSize - first));
      const auto size = static_cast<uint32_t>(std::min<size_t>(kVectorSize, end_ - begin_ - c * kVectorSize));
      Selection rows{count == size ? nullptr : kAllRows.data() + first, count};
      if (input_.filter != UINT32_MAX) {
        const auto& passing = passing_[c];
        const auto low = std::lower_bound(passing.begin(), passing.end(), first);
        const auto high = std::lower_bound(low, passing.end(), first + count);
        rows = {passing.data() + (low - passing.begin()), static_cast<uint32_t>(high - low)};
      }
      if (rows.count > 0) {
        aggregate_.function->update(state, stride_, nullptr, aggregate_.types, chunks_[c], size, rows,
                                    *arena_);
      }
      from += count;
    }
  }

  void slide(PartitionFrames& frames, ResultWriter& writer) {
    levels_.clear();
    std::vector<char> state(stride_);
    size_t calls = 0;
    for (size_t place = begin_; place < end_; ++place) {
      if ((place & 1023) == 0 && input_.state->context->cancel) input_.state->context->cancel->check();
      const Frame frame = frames.frame_of(place);
      aggregate_.function->init(state.data());
      for (size_t p = 0; p < frame.count; ++p)
        combine_range(frame.parts[p].from, frame.parts[p].to, state.data());
      writer.add(state.data(), 1);
      if (++calls % 4096 == 0) memory_.set(memory_.bytes() + arena_->bytes());
    }
  }

  // Folds a range in order: rows up to a multiple of 16, states of level 1 up to a multiple of 256, …, and
  // back down.
  void combine_range(size_t from, size_t to, char* state) {
    if (to - from <= kShortFrame) return fold(from, to, state);
    if (levels_.empty()) build_levels();
    climb(0, from - begin_, to - begin_, state);
  }

  void climb(size_t level, size_t from, size_t to, char* state) {
    const size_t inner_from = (from + kFanout - 1) / kFanout, inner_to = to / kFanout;
    if (level >= levels_.size() || inner_from >= inner_to) return take(level, from, to, state);
    take(level, from, inner_from * kFanout, state);
    climb(level + 1, inner_from, inner_to, state);
    take(level, inner_to * kFanout, to, state);
  }

  // Level 0 is the rows themselves.
  void take(size_t level, size_t from, size_t to, char* state) {
    if (from >= to) return;
    if (level == 0) return fold(begin_ + from, begin_ + to, state);
    for (size_t i = from; i < to; ++i) {
      aggregate_.function->combine(state, levels_[level - 1].data() + i * stride_, aggregate_.types, *arena_);
    }
  }

  void build_levels() {
    size_t count = (end_ - begin_ + kFanout - 1) / kFanout;
    std::vector<char>* below = nullptr;
    size_t below_count = end_ - begin_;
    uint64_t bytes = memory_.bytes();
    levels_.reserve(8);
    for (;;) {
      bytes += count * stride_;
      memory_.set(bytes);
      std::vector<char>& level = levels_.emplace_back(count * stride_);
      for (size_t i = 0; i < count; ++i) {
        char* state = level.data() + i * stride_;
        aggregate_.function->init(state);
        const size_t first = i * kFanout, last = std::min(first + kFanout, below_count);
        if (!below) {
          fold(begin_ + first, begin_ + last, state);
        } else {
          for (size_t j = first; j < last; ++j) {
            aggregate_.function->combine(state, below->data() + j * stride_, aggregate_.types, *arena_);
          }
        }
      }
      if (count <= kFanout) return;
      below = &level;
      below_count = count;
      count = (count + kFanout - 1) / kFanout;
    }
  }

  const BoundAggregate& aggregate_;
  const uint32_t stride_;
  OperatorMemory memory_;
  size_t begin_ = 0, end_ = 0;
  std::unique_ptr<AggregateArena> arena_;
  std::vector<std::vector<Vector>> chunks_;
  std::vector<std::vector<uint16_t>> passing_;  // with a filter
  std::vector<std::vector<char>> levels_;
};

}  // namespace

std::unique_ptr<WindowFunction> make_window_aggregate(const WindowFunction::Input& input) {
  return std::make_unique<WindowAggregate>(input);
}

}  // namespace idem
