#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

struct Notification {
  int32_t pid = 0;  // of the session that sent it
  std::string channel, payload;
  bool operator==(const Notification&) const = default;
};

// Sends a message when the transaction that runs commits: a session, to functions. Any thread of its statement.
class NotificationSender {
 public:
  virtual ~NotificationSender() = default;
  virtual void notify(std::string_view channel, std::string_view payload) = 0;
};

// Where the messages for one session wait until it takes them. Thread-safe.
class NotificationMailbox {
 public:
  // `wake` is called after messages came: from any thread, and must be short.
  explicit NotificationMailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  std::vector<Notification> take();
  size_t size() const;

 private:
  friend class NotificationHub;
  void add(const std::vector<Notification>& messages);

  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Notification> messages_;  // guarded by mutex_
};

// Who listens to which channel. Every listener gets the messages of all senders in one order. Thread-safe.
class NotificationHub {
 public:
  void listen(const std::string& channel, const std::shared_ptr<NotificationMailbox>& mailbox);
  void unlisten(const std::string& channel, const NotificationMailbox& mailbox);
  void unlisten_all(const NotificationMailbox& mailbox);
  void publish(const std::vector<Notification>& messages);
  // Whether somebody has left so many messages untaken that no more should be sent to this channel.
  bool is_full(const std::string& channel) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<const NotificationMailbox*, std::shared_ptr<NotificationMailbox>>>
      listeners_;  // by channel
};

}  // namespace idem
