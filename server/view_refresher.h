#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "query/session.h"

namespace idem {

// Refreshes the materialized views whose turn it is (refresh_schedule), each as its owner, on a thread of its own: soon after a
// commit, or by the clock. Commits that come while it works are answered by one refresh. A view that fails is tried again, ever
// less often; the failure is in RefreshFailures and, if it is another one than before, in the server's log.
class ViewRefresher {
 public:
  // `context` and its database outlive it.
  ViewRefresher(ServerContext& context, std::string database);
  ~ViewRefresher() { stop(); }
  ViewRefresher(const ViewRefresher&) = delete;
  ViewRefresher& operator=(const ViewRefresher&) = delete;

  void start();
  void stop();  // cancels the refresh that is running, and waits for its end

 private:
  // What wakes the thread. Outlives the refresher where the database still holds a callback.
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool stops = false;
    bool awaits_commit = false;  // the database will say when there is another one
    bool write_failed = false;   // there will be none
  };
  struct Retry {
    int64_t at_micros = 0, delay_micros = 0;
  };

  void run();
  // Refreshes what is due; when the next is by the clock.
  int64_t refresh_due(const Snapshot& snapshot);
  void refresh(const DueRefresh& view);
  void execute(const DueRefresh& view);
  void note_failure(const DueRefresh& view, const SqlError& error);
  void await_commit(CommitNumber logged);
  // False: the refresher stops. Wakes when a commit comes that await_commit() waits for.
  bool sleep(int64_t micros, bool until_commit);

  ServerContext& context_;
  const std::string database_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  Session* session_ = nullptr;        // that refreshes now; guarded by signal_->mutex
  std::map<TableId, Retry> retries_;  // of views that failed
  std::thread thread_;
};

}  // namespace idem
