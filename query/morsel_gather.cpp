#include "query/morsel_gather.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "common/worker_pool.h"
#include "query/spill_limit.h"

namespace idem {

namespace {

constexpr size_t kChunksPerWorker = 16;  // may wait for the reader

}  // namespace

// What the reader and its workers share; everything below `mutex` is guarded by it. Tasks hold it too: one
// that starts after the reader has gone finds `stopped` and touches nothing else.
struct MorselGather::Shared : std::enable_shared_from_this<MorselGather::Shared> {
  // A thread's way of reading, kept while no thread runs it.
  struct Worker {
    EvaluationState state;
    std::unique_ptr<MorselStream> stream;
    size_t morsel = 0;
    bool in_morsel = false;
  };
  struct Slot {
    std::deque<DataChunk> chunks;
    bool done = false;
    bool running = false;  // a worker's thread fills it, or the reader reads it
  };

  Shared(Operator& operator_, size_t count, const ExecutionContext& context)
      : input(operator_), morsel_count(count), memory(context) {}

  Operator& input;
  const size_t morsel_count;
  const SpillLimit memory;
  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<size_t, Slot> slots;     // of begun morsels that the reader has not finished
  std::vector<std::unique_ptr<Worker>> idle;  // parked or not begun
  size_t head = 0;                            // the morsel that the reader is at
  size_t next_morsel = 0;                     // not begun by anyone
  size_t waiting = 0, most_waiting = 0;       // chunks in the slots
  size_t running = 0;                         // tasks beyond their first look
  bool stopped = false;
  std::exception_ptr error;
  WorkerPool* pool = nullptr;

  bool has_room() const { return waiting < most_waiting && (waiting == 0 || !memory.is_short()); }

  // Submits a task for each idle worker that could go on.
  void wake(std::unique_lock<std::mutex>& lock) {
    size_t tasks = 0;
    for (const auto& worker : idle) tasks += worker->in_morsel || next_morsel < morsel_count ? 1 : 0;
    lock.unlock();
    for (size_t i = 0; i < tasks; ++i) {
      pool->submit([self = shared_from_this()] { self->work(); });
    }
    lock.lock();
  }

  void wake_if_idle(std::unique_lock<std::mutex>& lock) {
    if (!idle.empty() && waiting <= most_waiting / 2) wake(lock);
  }

  std::unique_ptr<Worker> take_idle() {
    for (size_t i = 0; i < idle.size(); ++i) {
      if (!idle[i]->in_morsel && next_morsel >= morsel_count) continue;
      std::unique_ptr<Worker> worker = std::move(idle[i]);
      idle.erase(idle.begin() + static_cast<ptrdiff_t>(i));
      return worker;
    }
    return nullptr;
  }

  void work() {
    std::unique_lock lock(mutex);
    if (stopped || error || !has_room()) return;
    std::unique_ptr<Worker> worker = take_idle();
    if (!worker) return;
    ++running;
    try {
      fill(*worker, lock);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      if (!error) error = std::current_exception();
      worker->in_morsel = false;
    }
    idle.push_back(std::move(worker));
    --running;
    changed.notify_all();
  }

  // Reads morsels into their slots until there is nothing left or the reader is too far behind. Called with
  // the lock held.
  void fill(Worker& worker, std::unique_lock<std::mutex>& lock) {
    while (!stopped && !error) {
      if (!worker.in_morsel) {
        if (next_morsel >= morsel_count) return;
        worker.morsel = next_morsel++;
        worker.in_morsel = true;
        slots[worker.morsel].running = true;
        lock.unlock();
        if (!worker.stream) worker.stream = input.open(worker.state);
        worker.stream->begin(worker.morsel);
      } else {
        slots[worker.morsel].running = true;
        lock.unlock();
      }
      if (worker.state.context->cancel) worker.state.context->cancel->check();
      DataChunk chunk;
      const bool more = worker.stream->next(&chunk);
      lock.lock();
      Slot& slot = slots[worker.morsel];
      if (more) {
        slot.chunks.push_back(std::move(chunk));
        ++waiting;
      } else {
        slot.done = true;
        worker.in_morsel = false;
      }
      slot.running = false;
      if (worker.morsel == head) changed.notify_all();
      if (!has_room()) return;
    }
  }
};

MorselGather::MorselGather(Operator& input, EvaluationState& state)
    : input_(input),
      state_(state),
      morsel_count_(input.morsel_count()),
      workers_(useful_workers(input, *state.context)),
      stream_(input.open(state)) {}

MorselGather::~MorselGather() {
  if (!shared_) return;
  std::unique_lock lock(shared_->mutex);
  shared_->stopped = true;
  shared_->changed.wait(lock, [this] { return shared_->running == 0; });
  shared_->idle.clear();
  shared_->slots.clear();
}

bool MorselGather::next(DataChunk* chunk) {
  if (ended_) return false;
  try {
    if (state_.context->cancel) state_.context->cancel->check();
    const bool more = shared_ ? next_gathered(chunk) : next_inline(chunk);
    if (!more) ended_ = true;
    return more;
  } catch (...) {
    ended_ = true;
    throw;
  }
}

bool MorselGather::next_inline(DataChunk* chunk) {
  for (;;) {
    if (!in_morsel_) {
      if (next_morsel_ >= morsel_count_) return false;
      if (next_morsel_ == 1 && workers_ > 1) {
        start_workers();
        return next_gathered(chunk);
      }
      stream_->begin(next_morsel_++);
      in_morsel_ = true;
    }
    if (stream_->next(chunk)) return true;
    in_morsel_ = false;
    if (state_.context->cancel) state_.context->cancel->check();
  }
}

void MorselGather::start_workers() {
  shared_ = std::make_shared<Shared>(input_, morsel_count_, *state_.context);
  shared_->head = shared_->next_morsel = next_morsel_;
  shared_->most_waiting = kChunksPerWorker * workers_;
  shared_->pool = state_.context->workers;
  for (size_t i = 1; i < workers_; ++i) {
    shared_->idle.push_back(std::make_unique<Shared::Worker>());
    shared_->idle.back()->state = state_;
  }
  std::unique_lock lock(shared_->mutex);
  shared_->wake(lock);
}

bool MorselGather::next_gathered(DataChunk* chunk) {
  Shared& s = *shared_;
  std::unique_lock lock(s.mutex);
  for (;;) {
    if (s.error) std::rethrow_exception(s.error);
    if (s.head >= morsel_count_) return false;
    if (in_morsel_) {  // the reader's own
      lock.unlock();
      if (stream_->next(chunk)) return true;
      if (state_.context->cancel) state_.context->cancel->check();
      lock.lock();
      in_morsel_ = false;
      ++s.head;
      s.wake_if_idle(lock);
      continue;
    }
    auto it = s.slots.find(s.head);
    if (it == s.slots.end()) {  // begun by nobody
      s.next_morsel = s.head + 1;
      lock.unlock();
      stream_->begin(s.head);
      in_morsel_ = true;
      lock.lock();
      continue;
    }
    Shared::Slot& slot = it->second;
    if (!slot.chunks.empty()) {
      *chunk = std::move(slot.chunks.front());
      slot.chunks.pop_front();
      --s.waiting;
      if (s.waiting == s.most_waiting / 2 && !s.idle.empty()) s.wake(lock);
      return true;
    }
    if (slot.done) {
      s.slots.erase(it);
      ++s.head;
      s.wake_if_idle(lock);
      continue;
    }
    // A parked worker has it: take its stream over for the rest of this morsel.
    auto parked = std::find_if(s.idle.begin(), s.idle.end(),
                               [&](const auto& w) { return w->in_morsel && w->morsel == s.head; });
    if (parked != s.idle.end()) {
      std::unique_ptr<Shared::Worker> worker = std::move(*parked);
      s.idle.erase(parked);
      lock.unlock();
      std::exception_ptr failure;
      bool more = false;
      try {
        more = worker->stream->next(chunk);
      } catch (...) { failure = std::current_exception(); }
      lock.lock();
      if (!more) {
        s.slots[s.head].done = true;
        worker->in_morsel = false;
      }
      s.idle.push_back(std::move(worker));
      if (failure) std::rethrow_exception(failure);
      if (more) return true;
      continue;
    }
    s.changed.wait(lock, [&] {
      const Shared::Slot& waited = s.slots[s.head];
      return s.error || !waited.chunks.empty() || waited.done || !waited.running;
    });
  }
}

}  // namespace idem
