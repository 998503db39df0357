#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "query/evaluation.h"
#include "storage/vector.h"

namespace idem {

// The rows of one operator as one thread reads them, morsel by morsel. Not shared between threads.
//
// Vectors that next() hands out own what they point at (buffer, owner), so a chunk may be moved away and
// kept; the stream then takes new buffers. Streams outlive restarts of their operator: begin() looks at its
// state anew.
class MorselStream {
 public:
  virtual ~MorselStream() = default;
  // The next call of next() delivers the first rows of this morsel; may leave another morsel unfinished.
  virtual void begin(size_t morsel) = 0;
  // Fills *chunk with at least one selected row; false at the end of the morsel. What *chunk held before may
  // be reused.
  virtual bool next(DataChunk* chunk) = 0;
};

// What an operator knows of its own work. The counts of vectors grow over all of its runs.
struct OperatorDetails {
  uint64_t vectors_read = 0, vectors_skipped = 0;
  uint64_t memory_bytes = 0, spilled_bytes = 0;
};

// The physical form of a plan node. Its rows come in morsels: morsel 0's rows first, then morsel 1's, and so
// on, whoever reads them; different threads may read different morsels at the same time.
//
// Vectors are pulled within a morsel (docs/executor.md says why), and morsels are taken from a counter.
class Operator {
 public:
  virtual ~Operator() = default;
  // Computes what must be complete before rows can come (build sides, groups, sorted rows), on as many
  // threads as it takes, and makes the morsels known. Called again for every run of a prepared plan, with
  // other slot values.
  virtual void start(EvaluationState& state) = 0;
  virtual size_t morsel_count() const = 0;  // after start()
  virtual uint64_t row_estimate()
      const = 0;  // rows that reading all morsels must look at, roughly; after start()
  // `state` is the reading thread's and outlives the stream; the operator does too.
  virtual std::unique_ptr<MorselStream> open(EvaluationState& state) = 0;
  // Gives back rows and tables kept for readers; start() may follow.
  virtual void reset() {}
  // For EXPLAIN ANALYZE.
  virtual void describe(OperatorDetails&) const {}
};

using OperatorPtr = std::unique_ptr<Operator>;

// A stream of an operator whose rows have another form after each start() (in memory, in temporary files): `open` makes
// the stream of the form at hand when the first morsel is read after a start.
class RestartedStream final : public MorselStream {
 public:
  RestartedStream(const uint64_t& starts, std::function<std::unique_ptr<MorselStream>()> open)
      : starts_(starts), open_(std::move(open)) {}
  void begin(size_t morsel) override {
    if (!stream_ || opened_in_ != starts_) {
      stream_ = open_();
      opened_in_ = starts_;
    }
    stream_->begin(morsel);
  }
  bool next(DataChunk* chunk) override { return stream_->next(chunk); }

 private:
  const uint64_t& starts_;
  const std::function<std::unique_ptr<MorselStream>()> open_;
  std::unique_ptr<MorselStream> stream_;
  uint64_t opened_in_ = 0;
};

// Inputs below this are read by the calling thread alone: waking a worker costs more.
inline constexpr uint64_t kParallelRows = 20'000;
// How many threads should read `input`, which has been started.
size_t useful_workers(const Operator& input, const ExecutionContext& context);

}  // namespace idem
