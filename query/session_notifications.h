#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "query/notification_hub.h"

namespace idem {

// One session's LISTEN, UNLISTEN and NOTIFY, as transactions have it: they take effect when theirs commits. Used by the session's thread,
// but for notify(), which any thread of its statement may call.
class SessionNotifications {
 public:
  explicit SessionNotifications(std::shared_ptr<NotificationHub> hub) : hub_(std::move(hub)) {}
  ~SessionNotifications();
  SessionNotifications(const SessionNotifications&) = delete;
  SessionNotifications& operator=(const SessionNotifications&) = delete;

  // Whoever carries the session's messages to its client says so; without it LISTEN is 0A000.
  void set_receiver(std::function<void()> wake);
  std::vector<Notification> take();

  void listen(std::string channel);
  void unlisten(std::string channel);
  void unlisten_all();
  void notify(Notification message);  // 22023, 54000

  // For savepoints.
  struct Mark {
    size_t changes = 0, messages = 0;
  };
  Mark mark() const;
  void return_to(Mark mark);

  bool is_empty() const;  // the transaction has none
  void rollback() { return_to({}); }
  // LISTEN and UNLISTEN are in force; gives what is to be published once the commit is visible (null: nothing).
  std::function<void()> commit();

 private:
  struct Change {
    enum class Kind : uint8_t { kListen, kUnlisten, kUnlistenAll } kind;
    std::string channel;
  };
  const std::shared_ptr<NotificationHub> hub_;
  std::shared_ptr<NotificationMailbox> mailbox_;
  // Of the transaction:
  std::vector<Change> changes_;
  mutable std::mutex mutex_;                            // guards what follows
  std::vector<Notification> messages_;                  // no two of them equal
  std::set<std::pair<std::string, std::string>> sent_;  // channels and payloads of them
};

}  // namespace idem
