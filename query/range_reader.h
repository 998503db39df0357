#pragma once

#include <atomic>
#include <functional>

#include "query/operator.h"

namespace idem {

// Reads a range of consecutive morsels of one operator as one run of rows, checking for cancellation at every
// chunk.
class RangeReader {
 public:
  RangeReader(MorselStream& stream, EvaluationState& state, const std::atomic<bool>* stop = nullptr)
      : stream_(stream), state_(state), stop_(stop) {}

  void set_range(size_t first, size_t end) {
    morsel_ = first;
    end_ = end;
    in_morsel_ = false;
  }
  // False at the end of the range, and when another thread has failed. Throws what the stream throws, and
  // 57014.
  bool next(DataChunk* chunk);
  EvaluationState& state() const { return state_; }

 private:
  MorselStream& stream_;
  EvaluationState& state_;
  const std::atomic<bool>* stop_;
  size_t morsel_ = 0, end_ = 0;
  bool in_morsel_ = false;
};

// How the morsels of a started operator are divided among threads: into ranges of consecutive morsels, each
// read by one thread. What the ranges computed can then be combined in order, so that results do not depend
// on timing.
struct MorselRanges {
  size_t count = 0;
  size_t morsels = 0;
  size_t workers = 1;
  size_t first(size_t range) const { return morsels * range / count; }
  size_t end(size_t range) const { return morsels * (range + 1) / count; }
};

// One range for each worker: where what a range computes is large.
MorselRanges one_range_per_worker(const Operator& input, const ExecutionContext& context);
// As many ranges as morsels, up to `most`: where it is small, so that threads finish together.
MorselRanges fine_ranges(const Operator& input, const ExecutionContext& context, size_t most);

// Calls body(range, reader) for each range, on ranges.workers threads. `body` reads its reader to the end.
// The first exception of any thread ends the others and is thrown.
void read_ranges(Operator& input, EvaluationState& state, const MorselRanges& ranges,
                 const std::function<void(size_t range, RangeReader& reader)>& body);

}  // namespace idem
