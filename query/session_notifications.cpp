#include "query/session_notifications.h"

#include <algorithm>
#include <utility>

#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kMaxChannelBytes = 63, kMaxPayloadBytes = 7999;  // PostgreSQL's

}  // namespace

SessionNotifications::~SessionNotifications() {
  if (mailbox_) hub_->unlisten_all(*mailbox_);
}

void SessionNotifications::set_receiver(std::function<void()> wake) {
  mailbox_ = std::make_shared<NotificationMailbox>(std::move(wake));
}

std::vector<Notification> SessionNotifications::take() {
  return mailbox_ ? mailbox_->take() : std::vector<Notification>();
}

void SessionNotifications::listen(std::string channel) {
  if (!mailbox_)
    throw SqlError(sqlstate::kFeatureNotSupported, "LISTEN is supported over the wire protocol only");
  changes_.push_back({Change::Kind::kListen, std::move(channel)});
}

void SessionNotifications::unlisten(std::string channel) {
  if (mailbox_) changes_.push_back({Change::Kind::kUnlisten, std::move(channel)});
}

void SessionNotifications::unlisten_all() {
  if (mailbox_) changes_.push_back({Change::Kind::kUnlistenAll, ""});
}

void SessionNotifications::notify(Notification message) {
  if (message.channel.empty())
    throw SqlError(sqlstate::kInvalidParameterValue, "channel name cannot be empty");
  if (message.channel.size() > kMaxChannelBytes)
    throw SqlError(sqlstate::kInvalidParameterValue, "channel name too long");
  if (message.payload.size() > kMaxPayloadBytes)
    throw SqlError(sqlstate::kInvalidParameterValue, "payload string too long");
  if (hub_->is_full(message.channel))
    throw SqlError(sqlstate::kProgramLimitExceeded, "too many notifications in the NOTIFY queue");
  std::lock_guard lock(mutex_);
  if (sent_.emplace(message.channel, message.payload).second) messages_.push_back(std::move(message));
}

bool SessionNotifications::is_empty() const {
  std::lock_guard lock(mutex_);
  return changes_.empty() && messages_.empty();
}

SessionNotifications::Mark SessionNotifications::mark() const {
  std::lock_guard lock(mutex_);
  return {changes_.size(), messages_.size()};
}

void SessionNotifications::return_to(Mark mark) {
  std::lock_guard lock(mutex_);
  changes_.resize(std::min(changes_.size(), mark.changes));
  while (messages_.size() > mark.messages) {
    sent_.erase({messages_.back().channel, messages_.back().payload});
    messages_.pop_back();
  }
}

std::function<void()> SessionNotifications::commit() {
  for (const Change& change : changes_) {
    switch (change.kind) {
      case Change::Kind::kListen: hub_->listen(change.channel, mailbox_); break;
      case Change::Kind::kUnlisten: hub_->unlisten(change.channel, *mailbox_); break;
      case Change::Kind::kUnlistenAll: hub_->unlisten_all(*mailbox_); break;
    }
  }
  changes_.clear();
  std::lock_guard lock(mutex_);
  sent_.clear();
  if (messages_.empty()) return nullptr;
  return [hub = hub_, messages = std::exchange(messages_, {})] { hub->publish(messages); };
}

}  // namespace idem
