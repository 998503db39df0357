#pragma once

#include <functional>
#include <memory>

namespace idem {

class WorkerPool;

// One task at a time beside the thread that gives it: on a worker, or, where none has taken it until it is waited for, on that thread.
//
//   caller   parse ─ run(insert) ─ parse ─ run(insert) ─ parse ─ wait()
//   worker                └─ insert ──────┘      └─ insert ─────┘
//
// Used by one thread.
class BackgroundTask {
 public:
  explicit BackgroundTask(WorkerPool* workers);  // null: all is done at once; otherwise outlives this
  ~BackgroundTask();                             // waits; an error is lost

  // Waits for the task before.
  void run(std::function<void()> task);
  // Until nothing runs. Throws what the task threw.
  void wait();

 private:
  struct State;
  const std::shared_ptr<State> state_;
  WorkerPool* const workers_;
};

}  // namespace idem
