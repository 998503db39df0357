#include "query/notification_hub.h"

#include <algorithm>
#include <utility>

namespace idem {

namespace {

constexpr size_t kMaxWaiting = 100'000;  // messages of at most 8,000 bytes

}  // namespace

std::vector<Notification> NotificationMailbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(messages_, {});
}

size_t NotificationMailbox::size() const {
  std::lock_guard lock(mutex_);
  return messages_.size();
}

void NotificationMailbox::add(const std::vector<Notification>& messages) {
  {
    std::lock_guard lock(mutex_);
    messages_.insert(messages_.end(), messages.begin(), messages.end());
  }
  wake_();
}

void NotificationHub::listen(const std::string& channel,
                             const std::shared_ptr<NotificationMailbox>& mailbox) {
  std::lock_guard lock(mutex_);
  listeners_[channel][mailbox.get()] = mailbox;
}

void NotificationHub::unlisten(const std::string& channel, const NotificationMailbox& mailbox) {
  std::lock_guard lock(mutex_);
  const auto found = listeners_.find(channel);
  if (found == listeners_.end()) return;
  found->second.erase(&mailbox);
  if (found->second.empty()) listeners_.erase(found);
}

void NotificationHub::unlisten_all(const NotificationMailbox& mailbox) {
  std::lock_guard lock(mutex_);
  for (auto& [channel, mailboxes] : listeners_) mailboxes.erase(&mailbox);
  std::erase_if(listeners_, [](const auto& entry) { return entry.second.empty(); });
}

void NotificationHub::publish(const std::vector<Notification>& messages) {
  std::lock_guard lock(mutex_);
  std::map<NotificationMailbox*, std::vector<Notification>> by_listener;
  for (const Notification& message : messages) {
    const auto found = listeners_.find(message.channel);
    if (found == listeners_.end()) continue;
    for (const auto& [key, mailbox] : found->second) by_listener[mailbox.get()].push_back(message);
  }
  for (const auto& [mailbox, own] : by_listener) mailbox->add(own);
}

bool NotificationHub::is_full(const std::string& channel) const {
  std::lock_guard lock(mutex_);
  const auto found = listeners_.find(channel);
  return found != listeners_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [](const auto& entry) { return entry.second->size() >= kMaxWaiting; });
}

}  // namespace idem
