#include "query/range_reader.h"

#include <algorithm>

#include "common/worker_pool.h"

namespace idem {

size_t useful_workers(const Operator& input, const ExecutionContext& context) {
  const size_t morsels = input.morsel_count();
  if (!context.workers || context.worker_count <= 1 || morsels < 2 || input.row_estimate() < kParallelRows)
    return 1;
  return std::min(morsels, static_cast<size_t>(context.worker_count));
}

bool RangeReader::next(DataChunk* chunk) {
  for (;;) {
    if (state_.context->cancel) state_.context->cancel->check();
    if (stop_ && stop_->load(std::memory_order_relaxed)) return false;
    if (!in_morsel_) {
      if (morsel_ >= end_) return false;
      stream_.begin(morsel_++);
      in_morsel_ = true;
    }
    if (stream_.next(chunk)) return true;
    in_morsel_ = false;
  }
}

MorselRanges one_range_per_worker(const Operator& input, const ExecutionContext& context) {
  return fine_ranges(input, context, static_cast<size_t>(std::max(context.worker_count, 1)));
}

MorselRanges fine_ranges(const Operator& input, const ExecutionContext& context, size_t most) {
  MorselRanges ranges;
  ranges.morsels = input.morsel_count();
  ranges.workers = useful_workers(input, context);
  ranges.count =
      ranges.workers == 1 ? 1 : std::clamp<size_t>(ranges.morsels, 1, std::max(most, ranges.workers));
  return ranges;
}

void read_ranges(Operator& input, EvaluationState& state, const MorselRanges& ranges,
                 const std::function<void(size_t range, RangeReader& reader)>& body) {
  if (ranges.workers <= 1) {
    const std::unique_ptr<MorselStream> stream = input.open(state);
    RangeReader reader(*stream, state);
    for (size_t r = 0; r < ranges.count; ++r) {
      reader.set_range(ranges.first(r), ranges.end(r));
      body(r, reader);
    }
    return;
  }
  std::atomic<size_t> next_range{0};
  std::atomic<bool> stop{false};
  state.context->workers->parallel_run(ranges.workers, [&](size_t) {
    try {
      EvaluationState own = state;
      const std::unique_ptr<MorselStream> stream = input.open(own);
      RangeReader reader(*stream, own, &stop);
      for (size_t r; (r = next_range.fetch_add(1)) < ranges.count && !stop.load(std::memory_order_relaxed);) {
        reader.set_range(ranges.first(r), ranges.end(r));
        body(r, reader);
      }
    } catch (...) {
      stop.store(true, std::memory_order_relaxed);
      throw;
    }
  });
}

}  // namespace idem
