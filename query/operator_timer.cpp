#include "query/operator_timer.h"

#include <algorithm>
#include <chrono>

namespace idem {

namespace {

int64_t nanos_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class TimedOperator::Stream final : public MorselStream {
 public:
  Stream(TimedOperator& timed, EvaluationState& state) : timed_(timed), inner_(timed.inner_->open(state)) {}
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
    timed_.rows_.fetch_add(rows_, std::memory_order_relaxed);
    timed_.nanos_.fetch_add(nanos_, std::memory_order_relaxed);
    rows_ = 0;
    nanos_ = 0;
  }
  TimedOperator& timed_;
  std::unique_ptr<MorselStream> inner_;
  uint64_t rows_ = 0;
  int64_t nanos_ = 0;
};

TimedOperator::~TimedOperator() { write(); }

void TimedOperator::start(EvaluationState& state) {
  const int64_t before = nanos_now();
  inner_->start(state);
  nanos_.fetch_add(nanos_now() - before, std::memory_order_relaxed);
  write();
}

std::unique_ptr<MorselStream> TimedOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

void TimedOperator::reset() {
  write();
  inner_->reset();
}

void TimedOperator::write() {
  OperatorProfile& profile = (*profile_)[index_];
  profile.rows = rows_.load(std::memory_order_relaxed);
  profile.micros = nanos_.load(std::memory_order_relaxed) / 1000;
  OperatorProfile details;
  inner_->describe(details);
  profile.vectors_read = std::max(profile.vectors_read, details.vectors_read);
  profile.vectors_skipped = std::max(profile.vectors_skipped, details.vectors_skipped);
  profile.memory_bytes = std::max(profile.memory_bytes, details.memory_bytes);
}

}  // namespace idem
