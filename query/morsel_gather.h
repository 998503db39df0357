#pragma once

#include <memory>

#include "query/operator.h"

namespace idem {

// All rows of a started operator in order, read ahead by the worker pool.
//
//   morsel     0        1        2          3         4 …
//              reader   worker   worker     parked    not begun
//              ▼        [chunks] [chunks]   [chunks]
//
// The reader takes the chunks of the first unfinished morsel; workers fill the queues of later ones. A worker
// that is too far ahead, or ahead at all where memory is short, parks its stream and gives its thread back to
// the pool, so that a reader that is slow, or never comes back, holds a few chunks of memory and no thread.
// The first morsel is read by the reader alone: short results, and LIMITs that are met early, never touch the
// pool. next() is called by one thread at a time, any thread. Destruction stops the workers and waits for
// those that are running.
class MorselGather {
 public:
  // `input` and `state` outlive this object; `state` is copied for the workers when they start.
  MorselGather(Operator& input, EvaluationState& state);
  ~MorselGather();
  MorselGather(const MorselGather&) = delete;
  MorselGather& operator=(const MorselGather&) = delete;

  // False at the end. Throws the first error of any thread; after that only false.
  bool next(DataChunk* chunk);

 private:
  struct Shared;
  bool next_inline(DataChunk* chunk);
  bool next_gathered(DataChunk* chunk);
  void start_workers();

  Operator& input_;
  EvaluationState& state_;
  size_t morsel_count_, workers_;
  std::unique_ptr<MorselStream> stream_;
  size_t next_morsel_ = 0;
  bool in_morsel_ = false, ended_ = false;
  std::shared_ptr<Shared> shared_;
};

}  // namespace idem
