#include "server/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

namespace idem {

namespace asio = boost::asio;

namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr size_t kMaxInputBytes = 64 << 20;  // unhandled; then reading pauses
constexpr size_t kMaxCopyBytes =
    8 << 20;  // of it in CopyData: a client that sends them waits for nothing but us
constexpr size_t kMaxUnsentBytes = 1 << 20;  // then the handler waits
constexpr auto kIdleCheck = std::chrono::seconds(1);
constexpr auto kFarewellLimit = std::chrono::seconds(2);  // for what is unsent at the end

// A client whose last two requests took longer is not served by a network thread: others would wait for it. Commits that wait
// for the disk within a statement are above it; one request alone may have lost its processor to another thread.
constexpr int64_t kLongUs = 200;

// How often what has come from a client that sends ahead is read before its commits are awaited.
constexpr int kMostLingered = 2;

int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

int64_t steady_ms() { return steady_us() / 1000; }

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const ConnectionEnvironment& environment)
    : environment_(environment),
      options_(environment.options.get()),
      stream_(std::move(socket), options_->keep_alive),
      read_pause_(stream_.executor()),
      idle_timer_(stream_.executor()) {
  handler_ = std::make_unique<ProtocolHandler>(*environment_.server, options_->protocol, *this,
                                               stream_.client_address());
  idle_since_ms_ = steady_ms();
  idle_limit_ms_ = environment_.authentication_timeout_ms;
}

Connection::~Connection() = default;

void Connection::start() {
  auto self = shared_from_this();
  asio::co_spawn(
      stream_.executor(), [self]() { return self->run(); }, asio::detached);
  asio::co_spawn(
      stream_.executor(), [self]() { return self->watch_idleness(); }, asio::detached);
}

asio::awaitable<void> Connection::run() {
  read_buffer_.resize(kReadBytes);
  std::optional<SqlError> broken;
  try {
    if (co_await negotiate_encryption()) co_await read_loop();
  } catch (const SqlError& error) { broken = error; } catch (const std::exception&) {
    // The client went away.
  }
  end_input(std::move(broken));
}

// SSLRequest and GSSENCRequest, in any order, then the start-up packet or a cancel request. False when the connection is
// done already.
asio::awaitable<bool> Connection::negotiate_encryption() {
  while (true) {
    FrontendMessage message;
    while (!decoder_.next(&message)) co_await read_some();
    StartupPacket packet = decode_startup(message.body);
    if (packet.code == kCancelRequestCode) {
      environment_.server->sessions->cancel(packet.cancel_pid, packet.cancel_key);
      co_return false;
    }
    bool wants_tls = packet.code == kSslRequestCode;
    if (!wants_tls && packet.code != kGssEncRequestCode) {
      decoder_.expect_startup_packet(false);
      std::vector<FrontendMessage> first;
      first.push_back(std::move(message));
      enqueue(first);
      co_return true;
    }
    // Bytes sent before the answer would be read as if they had come encrypted (CVE-2021-23214).
    if (decoder_.buffered() > 0)
      throw SqlError(sqlstate::kProtocolViolation, "received unencrypted data after an encryption request");
    bool accept = wants_tls && options_->tls && !stream_.encrypted();
    co_await stream_.write_all(accept ? "S" : "N");
    if (accept) co_await stream_.handshake(*options_->tls);
  }
}

asio::awaitable<void> Connection::read_some() {
  const std::span<char> space = decoder_.space();
  const ClientStream::Buffers buffers{asio::buffer(space.data(), space.size()), asio::buffer(read_buffer_)};
  const size_t bytes = co_await stream_.read_some(buffers);
  if (bytes == 0) throw boost::system::system_error(asio::error::eof);
  const size_t in_place = std::min(bytes, space.size());
  if (!space.empty()) decoder_.filled(in_place);
  decoder_.feed(std::string_view(read_buffer_).substr(0, bytes - in_place));
}

asio::awaitable<void> Connection::read_loop() {
  bool authenticated = false;
  std::vector<FrontendMessage> messages;
  while (true) {
    FrontendMessage message;
    while (decoder_.next(&message)) messages.push_back(std::move(message));
    if (!messages.empty()) enqueue(messages);
    while (true) {
      {
        std::lock_guard lock(mutex_);
        if (closed_) co_return;
        read_paused_ = input_bytes_ > kMaxInputBytes || copy_bytes_ > kMaxCopyBytes;
        if (!read_paused_) break;
        read_pause_.expires_at(std::chrono::steady_clock::time_point::max());
      }
      boost::system::error_code woken;
      co_await read_pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_await read_some();
    if (!authenticated && session_pid_ != 0) {
      authenticated = true;
      decoder_.set_max_bytes(kMaxMessageBytes);
    }
  }
}

void Connection::enqueue(std::vector<FrontendMessage>& messages) {
  std::lock_guard lock(mutex_);
  for (FrontendMessage& message : messages) {
    input_bytes_ += message.body.size() + sizeof(message);
    if (message.type == 'd') copy_bytes_ += message.body.size();
    terminate_came_ = message.type == 'X';
    input_.push_back(std::move(message));
  }
  messages.clear();
  schedule_handler();
}

void Connection::schedule_handler() {
  if (handling_) return;
  handling_ = true;
  asks_alone_ = environment_.network->asks_alone(this);
  // A client that sends CopyData sends more: it is read while what came is parsed. To authenticate takes long.
  const bool elsewhere =
      copy_bytes_ > 0 || session_pid_ == 0 || (was_long_ && was_long_before_ && !asks_alone_);
  was_long_before_ = std::exchange(was_long_, false);
  auto task = [self = shared_from_this()] { self->handle_input(); };
  if (elsewhere) environment_.statements->submit(std::move(task));
  else environment_.network->run(std::move(task));
}

void Connection::notifications_came() {
  std::lock_guard lock(mutex_);
  notified_ = true;
  if (handling_ || input_ended_ || end_reason_) return;
  handling_ = true;
  environment_.statements->submit(
      [self = shared_from_this()] { self->handle_input(); });  // the caller is another client's thread
}

void Connection::end_input(std::optional<SqlError> broken) {
  std::lock_guard lock(mutex_);
  input_ended_ = true;
  if (broken && !end_reason_) end_reason_ = std::move(broken);
  ending_ = end_reason_.has_value();
  if (!terminate_came_) cancel_statement();  // nobody waits for its answer
  idle_timer_.cancel();
  schedule_handler();
}

void Connection::cancel_statement() {
  if (session_pid_ != 0) environment_.server->sessions->cancel_by_pid(session_pid_);
}

Connection::Next Connection::next_message(FrontendMessage* message) {
  if (next_taken_ < taken_.size() && !ending_) {
    *message = std::move(taken_[next_taken_++]);
    return Next::kMessage;
  }
  std::lock_guard lock(mutex_);
  if (end_reason_) return Next::kEnd;
  if (input_.empty()) {
    if (input_ended_) return Next::kEnd;
    if (std::exchange(notified_, false)) return Next::kNotifications;
    in_transaction_ = handler_->in_transaction();
    if (drain_reason_ && !in_transaction_) {
      end_reason_ = drain_reason_;
      return Next::kEnd;
    }
    note_duration();
    handling_ = false;
    idle_since_ms_ = steady_ms();
    idle_limit_ms_ = session_pid_ != 0 ? handler_->idle_limit_ms() : environment_.authentication_timeout_ms;
    if (session_pid_ != 0 && idle_limit_ms_ > 0) idle_error_ = handler_->idle_error();
    return Next::kWait;
  }
  // All that is there; when they are handled the next are taken.
  taken_.clear();
  taken_.swap(input_);
  *message = std::move(taken_[0]);
  next_taken_ = 1;
  input_bytes_ = copy_bytes_ = 0;
  if (read_paused_) {
    read_paused_ = false;
    asio::post(stream_.executor(), [self = shared_from_this()] { self->read_pause_.cancel(); });
  }
  return Next::kMessage;
}

void Connection::handle_input() {
  handled_since_us_ = steady_us();
  try {
    FrontendMessage message;
    Next next;
    while (true) {
      if (leaves_unanswered()) return;
      next = next_message(&message);
      if (next != Next::kMessage && next != Next::kNotifications) break;
      if (next == Next::kNotifications) handler_->deliver_notifications();
      else handler_->handle(message);
      if (handler_->closed()) break;
      if (handler_->shared_commit().transaction) return await_commit();
      if (handler_->awaited_commit() != CommitNumber{} && !commit_in_this_thread()) return await_commit();
    }
    if (next == Next::kWait) return;
    std::optional<SqlError> reason;
    {
      std::lock_guard lock(mutex_);
      reason = end_reason_;
    }
    if (reason && !handler_->closed()) handler_->terminate(*reason);
  } catch (const ConnectionClosed&) {
    // Nobody is left to answer.
  } catch (const std::exception& error) { spdlog::error("internal error in a connection: {}", error.what()); }
  end_session();
}

// With what was sent ahead handled, whether this thread leaves it to another time to go on.
bool Connection::leaves_unanswered() {
  if (!handler_->has_unanswered() || has_more_input()) {
    lingered_ = 0;
    return false;
  }
  if (lingered_++ < kMostLingered) {
    environment_.network->run([self = shared_from_this()] { self->handle_input(); });
    return true;
  }
  handler_->await_unanswered();
  if (commit_in_this_thread()) return false;
  await_commit();
  return true;
}

void Connection::note_duration() { was_long_ |= steady_us() - handled_since_us_ > kLongUs; }

// For a client that asks alone there is nobody to share the sync with, or to serve meanwhile.
bool Connection::commit_in_this_thread() {
  if (!asks_alone_) return false;
  std::optional<SqlError> failure;
  try {
    environment_.server->database->wait_visible(handler_->awaited_commit());
  } catch (const SqlError& error) { failure = error; }
  handler_->commit_is_visible(failure ? &*failure : nullptr);
  return true;
}

// The thread goes on with other connections; nobody handles this one meanwhile.
void Connection::await_commit() {
  note_duration();
  environment_.answers->await(shared_from_this());
}

void Connection::answer_commit(const SqlError* error) {
  try {
    handler_->commit_is_visible(error);
  } catch (const ConnectionClosed&) { return end_session(); }
  bool more = has_more_input();
  if (!more) {
    std::lock_guard lock(mutex_);
    more = input_ended_ || end_reason_;
  }
  // A statement may take long: others wait for their answers.
  if (more) environment_.network->run([self = shared_from_this()] { self->handle_input(); });
  else handle_input();
}

bool Connection::has_more_input() {
  if (next_taken_ < taken_.size()) return true;
  std::lock_guard lock(mutex_);
  return !input_.empty();
}

void Connection::end_session() {
  handler_.reset();  // ends the session: rolls back, drops temporary tables
  {
    std::lock_guard lock(mutex_);
    input_ended_ = true;
    input_.clear();
  }
  asio::co_spawn(
      stream_.executor(), [self = shared_from_this()] { return self->close(); }, asio::detached);
}

void CommitAnswers::await(std::shared_ptr<Connection> connection) {
  if (connection->handler_->shared_commit().transaction) {
    std::lock_guard lock(mutex_);
    sharing_.push_back(std::move(connection));
  } else {
    const CommitNumber commit = connection->handler_->awaited_commit();
    answer_when_visible(commit, {std::move(connection)});
  }
  if (sync_is_due_.exchange(true)) return;
  asio::defer(network_.io(), [this] { sync(false); });
}

void CommitAnswers::sync(bool postponed) {
  // What has come goes first, once, and shares it; to wait for more would leave nothing to do while the log is synced.
  if (!postponed && network_.has_queued()) {
    asio::defer(network_.io(), [this] { sync(true); });
    return;
  }
  sync_is_due_ = false;
  commit_together();
  if (log_is_awaited_.exchange(false)) server_.database->request_sync();
}

void CommitAnswers::commit_together() {
  Connections sharing;
  {
    std::lock_guard lock(mutex_);
    sharing.swap(sharing_);
  }
  if (sharing.empty()) return;
  std::vector<CommitRequest> requests;
  for (const std::shared_ptr<Connection>& connection : sharing)
    requests.push_back(connection->handler_->shared_commit());
  const std::vector<CommitOutcome> outcomes = server_.database->commit_together(requests);
  std::map<CommitNumber, Connections> awaiting;  // 0: nothing
  for (size_t i = 0; i < sharing.size(); ++i) {
    ProtocolHandler& handler = *sharing[i]->handler_;
    handler.shared_commit_ended(outcomes[i]);
    if (outcomes[i].error) add({std::move(sharing[i])}, &*outcomes[i].error);
    else awaiting[handler.awaited_commit()].push_back(std::move(sharing[i]));
  }
  for (auto& [commit, connections] : awaiting) {
    if (commit == CommitNumber{}) add(std::move(connections), nullptr);
    else answer_when_visible(commit, std::move(connections));
  }
}

void CommitAnswers::answer_when_visible(CommitNumber commit, Connections connections) {
  log_is_awaited_ = true;
  server_.database->when_visible(commit,
                                 [this, connections = std::move(connections)](const SqlError* error) mutable {
                                   add(std::move(connections), error);
                                 });
}

void CommitAnswers::add(Connections connections, const SqlError* error) {
  std::lock_guard lock(mutex_);
  for (std::shared_ptr<Connection>& connection : connections)
    due_.push_back({std::move(connection), error ? std::optional<SqlError>(*error) : std::nullopt});
  if (std::exchange(running_, true)) return;
  network_.run([this] { run(); });
}

void CommitAnswers::run() {
  while (true) {
    std::vector<Answer> due;
    {
      std::lock_guard lock(mutex_);
      due.swap(due_);
      if (due.empty()) {
        running_ = false;
        return;
      }
    }
    for (Answer& answer : due) answer.connection->answer_commit(answer.error ? &*answer.error : nullptr);
  }
}

// -- output ---------------------------------------------------------------------------------------------

void Connection::send(std::string& bytes) {
  if (bytes.empty()) return;
  std::unique_lock lock(mutex_);
  if (closed_) throw ConnectionClosed();
  size_t sent = 0;
  if (!stream_.encrypted() && !writing_ && unsent_.empty()) {
    // Straight to the socket: saves a thread switch on every short answer. Nobody else writes until this thread says so; the client may
    // answer before the call returns, and shall not wait for the lock.
    lock.unlock();
    ssize_t n =
        ::send(stream_.socket().native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) sent = static_cast<size_t>(n);
    lock.lock();
  }
  if (sent < bytes.size()) {
    unsent_.append(bytes, sent);
    if (!writing_) {
      writing_ = true;
      // Posted: on a network thread co_spawn would begin at once, and wait for the lock that is held here.
      asio::post(stream_.executor(), [self = shared_from_this()] {
        asio::co_spawn(
            self->stream_.executor(), [self] { return self->write_loop(); }, asio::detached);
      });
    }
  }
  bytes.clear();
  sent_.wait(lock, [this] { return unsent_.size() <= kMaxUnsentBytes || closed_; });
  if (closed_) throw ConnectionClosed();
}

asio::awaitable<void> Connection::write_loop() {
  while (true) {
    std::string batch;
    {
      std::lock_guard lock(mutex_);
      if (unsent_.empty() || closed_) {
        writing_ = false;
        sent_.notify_all();
        co_return;
      }
      batch.swap(unsent_);
    }
    sent_.notify_all();
    boost::system::error_code failure;
    try {
      co_await stream_.write_all(batch);
    } catch (const boost::system::system_error& error) { failure = error.code(); }
    if (failure) {
      {
        std::lock_guard lock(mutex_);
        closed_ = true;
        writing_ = false;
      }
      sent_.notify_all();
      boost::system::error_code ignored;
      stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);  // the read loop ends, too
      co_return;
    }
  }
}

// -- the end --------------------------------------------------------------------------------------------

asio::awaitable<void> Connection::close() {
  // What is unsent (a FATAL message, most likely) goes first, as long as the client takes it.
  auto deadline = std::chrono::steady_clock::now() + kFarewellLimit;
  asio::steady_timer timer(stream_.executor());
  while (std::chrono::steady_clock::now() < deadline) {
    {
      std::lock_guard lock(mutex_);
      if (!writing_ || closed_) break;
    }
    timer.expires_after(std::chrono::milliseconds(5));
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  sent_.notify_all();
  idle_timer_.cancel();
  read_pause_.cancel();
  stream_.close();
}

void Connection::shut_down(const SqlError& reason, bool at_once) {
  std::lock_guard lock(mutex_);
  if (input_ended_ || end_reason_) return;
  if (!at_once && (handling_ || in_transaction_)) {
    drain_reason_ = reason;
    return;
  }
  end_reason_ = reason;
  ending_ = true;
  if (handling_) cancel_statement();
  else schedule_handler();
}

// One slow tick per connection instead of a timer per message.
asio::awaitable<void> Connection::watch_idleness() {
  while (true) {
    idle_timer_.expires_after(kIdleCheck);
    boost::system::error_code cancelled;
    co_await idle_timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    std::optional<SqlError> reason;
    {
      std::lock_guard lock(mutex_);
      if (closed_ || input_ended_) co_return;
      if (handling_ || idle_limit_ms_ == 0 || steady_ms() - idle_since_ms_ <= idle_limit_ms_) continue;
      reason = session_pid_ != 0
                   ? idle_error_
                   : SqlError(sqlstate::kProtocolViolation, "canceling authentication due to timeout");
    }
    shut_down(*reason, true);
  }
}

}  // namespace idem
