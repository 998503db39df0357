#include "query/operator_timer.h"

#include <chrono>

namespace idem {

namespace {

int64_t nanos_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void raise(std::atomic<uint64_t>& most, uint64_t to) {
  uint64_t seen = most.load(std::memory_order_relaxed);
  while (to > seen && !most.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {}
}

}  // namespace

class TimedOperator::Stream final : public MorselStream {
 public:
  Stream(TimedOperator& timed, EvaluationState& state)
      : profile_(timed.profile_), inner_(timed.inner_->open(state)) {}
  ~Stream() override { add(); }

  void begin(size_t morsel) override {
    add();
    inner_->begin(morsel);
  }
  bool next(DataChunk* chunk) override {
    const int64_t before = nanos_now();
    const bool more = inner_->next(chunk);
    nanos_ += nanos_now() - before;
    if (more) rows_ += chunk->count();
    return more;
  }

 private:
  void add() {
    profile_.rows.fetch_add(rows_, std::memory_order_relaxed);
    profile_.nanos.fetch_add(nanos_, std::memory_order_relaxed);
    rows_ = 0;
    nanos_ = 0;
  }
  NodeProfile& profile_;
  std::unique_ptr<MorselStream> inner_;
  uint64_t rows_ = 0;
  int64_t nanos_ = 0;
};

void TimedOperator::start(EvaluationState& state) {
  const int64_t before = nanos_now();
  inner_->start(state);
  profile_.nanos.fetch_add(nanos_now() - before, std::memory_order_relaxed);
  profile_.runs.fetch_add(1, std::memory_order_relaxed);
  add_details();
}

std::unique_ptr<MorselStream> TimedOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

void TimedOperator::reset() {
  add_details();
  inner_->reset();
}

void TimedOperator::add_details() {
  OperatorDetails details;
  inner_->describe(details);
  profile_.vectors_read.fetch_add(details.vectors_read - vectors_read_, std::memory_order_relaxed);
  profile_.vectors_skipped.fetch_add(details.vectors_skipped - vectors_skipped_, std::memory_order_relaxed);
  vectors_read_ = details.vectors_read;
  vectors_skipped_ = details.vectors_skipped;
  raise(profile_.memory_bytes, details.memory_bytes);
  raise(profile_.spilled_bytes, details.spilled_bytes);
}

}  // namespace idem
