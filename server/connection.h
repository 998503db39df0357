#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/client_channel.h"
#include "server/client_stream.h"
#include "server/frontend_message.h"
#include "server/network_threads.h"
#include "server/protocol_handler.h"
#include "server/served_connection.h"
#include "server/statement_pool.h"

namespace idem {

class Connection;

// Connections that wait until their commits are visible, without a thread. When the network threads have done what was before
// them, those that share a commit (ProtocolHandler::shared_commit) are committed together, and the log is synced if any of them waits
// for it: what came at the same time shares both. One thread then answers all that the sync made visible: whoever has synced the log for many does not do
// it itself. Thread-safe.
class CommitAnswers {
 public:
  CommitAnswers(NetworkThreads& network, const ServerContext& server) : network_(network), server_(server) {}
  void await(std::shared_ptr<Connection> connection);

 private:
  using Connections = std::vector<std::shared_ptr<Connection>>;

  void sync(bool postponed);
  void commit_together();
  void answer_when_visible(CommitNumber commit, Connections connections);
  void add(Connections connections, const SqlError* error);  // null: the commit is visible
  void run();

  struct Answer {
    std::shared_ptr<Connection> connection;
    std::optional<SqlError> error;
  };
  NetworkThreads& network_;
  const ServerContext& server_;
  std::atomic<bool> sync_is_due_{false};     // it is asked for, or will be
  std::atomic<bool> log_is_awaited_{false};  // by somebody who came since it was synced
  std::mutex mutex_;                         // guards what follows
  Connections sharing_;                      // a commit
  std::vector<Answer> due_;
  bool running_ = false;  // a thread answers, or will
};

// What of the configuration connections look at: those that begin after a reload see the new one.
struct ConnectionOptions {
  ProtocolOptions protocol;
  std::shared_ptr<boost::asio::ssl::context> tls;  // null: TLS is refused
  KeepAlive keep_alive;
};

// What connections share. Owned by the server, outlives them.
struct ConnectionEnvironment {
  ServerContext* server = nullptr;
  SharedValue<ConnectionOptions> options;
  StatementPool* statements = nullptr;
  CommitAnswers* answers = nullptr;
  NetworkThreads* network = nullptr;
  int64_t authentication_timeout_ms = 60'000;
};

// A client's socket, and what lies between it and the protocol handler.
//
//   socket ──▶ read loop (network thread) ──▶ input queue ──▶ handler (the same thread, or a statement thread for what takes long)
//   socket ◀── send(): at once where the socket takes it, else the write loop (network thread) ◀── handler
//
// Both directions are bounded: the read loop pauses while much input is unhandled, the handler waits while much output is
// unsent. Reading goes on while the handler waits for the client to read, since drivers send many megabytes before they do.
// Lives until the read loop has ended and the handler has returned.
class Connection : public std::enable_shared_from_this<Connection>,
                   public ServedConnection,
                   public ClientChannel {
 public:
  Connection(boost::asio::ip::tcp::socket socket, const ConnectionEnvironment& environment);
  ~Connection() override;

  void start() override;
  void shut_down(const SqlError& reason, bool at_once) override;  // with a FATAL error

 private:
  friend class CommitAnswers;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> negotiate_encryption();
  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> read_some();  // and feeds it to the decoder
  boost::asio::awaitable<void> write_loop();
  boost::asio::awaitable<void> watch_idleness();

  enum class Next : uint8_t { kMessage, kNotifications, kWait, kEnd };

  void enqueue(std::vector<FrontendMessage>& messages);  // leaves it empty
  void schedule_handler();                               // with the lock
  void handle_input();
  bool leaves_unanswered();
  void note_duration();
  bool commit_in_this_thread();
  void await_commit();
  void answer_commit(const SqlError* error);
  void end_session();
  Next next_message(FrontendMessage* message);
  void end_input(std::optional<SqlError> broken);
  void cancel_statement();
  boost::asio::awaitable<void> close();

  void send(std::string& bytes) override;
  void session_started(int32_t pid) override { session_pid_ = pid; }
  void notifications_came() override;
  // Nobody is there to share with a client that asks alone.
  bool shares_commits() const override { return !asks_alone_; }
  bool has_more_input() override;
  bool is_encrypted() const override { return stream_.encrypted(); }
  std::string certificate_name() const override { return stream_.certificate_name(); }

  const ConnectionEnvironment& environment_;
  const std::shared_ptr<const ConnectionOptions> options_;
  ClientStream stream_;
  FrontendDecoder decoder_;
  std::string read_buffer_;
  boost::asio::steady_timer read_pause_, idle_timer_;
  std::unique_ptr<ProtocolHandler> handler_;  // of the thread that handles input; ends with the session
  // What the handler has taken of input_; of the thread that handles input.
  std::vector<FrontendMessage> taken_;
  size_t next_taken_ = 0;
  int64_t handled_since_us_ = 0;  // steady clock
  int lingered_ = 0;              // since the last message
  // Set before handling begins: whether no other client asks for anything. Known when it ends: whether it took long.
  bool asks_alone_ = false, was_long_ = false;
  bool was_long_before_ = false;         // the request before the last
  std::atomic<bool> ending_{false};      // end_reason_ is set
  std::atomic<int32_t> session_pid_{0};  // 0 before authentication

  std::mutex mutex_;  // guards what follows
  std::vector<FrontendMessage> input_;
  size_t input_bytes_ = 0, copy_bytes_ = 0;
  bool terminate_came_ = false;  // the last message was Terminate
  bool notified_ = false;        // notifications_came(), and they were not delivered
  bool handling_ = false, input_ended_ = false, read_paused_ = false;
  bool in_transaction_ = false;           // of interest while nothing is handled
  std::optional<SqlError> drain_reason_;  // to end with when nothing is handled and no transaction is open
  std::optional<SqlError> end_reason_;    // FATAL error to end with: broken input, shutdown, idleness
  std::string unsent_;
  bool writing_ = false, closed_ = false;
  std::condition_variable sent_;
  int64_t idle_since_ms_ = 0;  // steady clock; of interest while nothing is handled
  int64_t idle_limit_ms_ = 0;  // 0: none
  std::optional<SqlError> idle_error_;
};

}  // namespace idem
