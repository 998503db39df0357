#include "query/background_task.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include "common/worker_pool.h"

namespace idem {

// Shared with workers, which may find that the task was done without them.
struct BackgroundTask::State {
  enum class Phase : uint8_t { kIdle, kUntaken, kRunning };

  // Runs the task if nobody has taken it.
  void run_untaken() {
    {
      std::lock_guard lock(mutex);
      if (phase != Phase::kUntaken) return;
      phase = Phase::kRunning;
    }
    std::exception_ptr thrown;
    try {
      task();
    } catch (...) { thrown = std::current_exception(); }
    std::lock_guard lock(mutex);
    task = nullptr;
    error = thrown;
    phase = Phase::kIdle;
    ended.notify_all();
  }

  std::mutex mutex;  // guards what follows; the task is of who runs it
  std::condition_variable ended;
  Phase phase = Phase::kIdle;
  std::exception_ptr error;
  std::function<void()> task;
};

BackgroundTask::BackgroundTask(WorkerPool* workers)
    : state_(std::make_shared<State>()),
      workers_(workers && workers->thread_count() > 0 ? workers : nullptr) {}

BackgroundTask::~BackgroundTask() {
  try {
    wait();
  } catch (...) {
    // Who wanted to know has not waited.
  }
}

void BackgroundTask::run(std::function<void()> task) {
  wait();
  {
    std::lock_guard lock(state_->mutex);
    state_->task = std::move(task);
    state_->phase = State::Phase::kUntaken;
  }
  if (!workers_) return wait();
  workers_->submit([state = state_] { state->run_untaken(); });
}

void BackgroundTask::wait() {
  state_->run_untaken();
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->phase == State::Phase::kIdle; });
  if (state_->error) std::rethrow_exception(std::exchange(state_->error, nullptr));
}

}  // namespace idem
