#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/session.h"
#include "server/access_rules.h"
#include "server/backend_message.h"
#include "server/client_channel.h"
#include "server/frontend_message.h"
#include "server/row_encoder.h"
#include "server/scram_exchange.h"

namespace idem {

// What a handler must know of the server besides what its session gets.
struct ProtocolOptions {
  std::vector<AccessRule> access = {AccessRule(AuthenticationMethod::kTrust)};
  std::string database = "main";
  uint32_t max_connections = 1000;
};

// How this client must prove who it is. Throws 28000 where no access rule lets it in, and where a certificate is asked for that it has not shown.
AuthenticationMethod authentication_of(const ProtocolOptions& options, const ClientIdentity& client,
                                       const std::string& certificate_name);

// One connection's half of the wire protocol, message by message: start-up and authentication, simple and extended
// queries, COPY both ways. Encryption and cancel requests are settled before it (connection.h).
//
// States are exclusive. handle() is called by one thread at a time, not always the same; it returns when the message has been
// dealt with, so that an idle connection holds no thread.
//
//   kStartup ──▶ kAuthentication ──▶ kReady ◀──▶ kCopyIn
//        └───────────────┴──────────────┴───────────┴──▶ kClosed
class ProtocolHandler {
 public:
  ProtocolHandler(ServerContext& server, const ProtocolOptions& options, ClientChannel& channel,
                  std::string client_address);
  ~ProtocolHandler();

  // Deals with one message. Throws ConnectionClosed only; every other error is answered.
  void handle(FrontendMessage& message);  // may take its body
  // After a Sync or a simple query: what is to be committed together with others (Database::commit_together) before anything else
  // is handled or sent; null there: nothing. The caller then tells how it ended: it may be awaited, and is to be answered in any case.
  const CommitRequest& shared_commit() const { return shared_commit_; }
  void shared_commit_ended(const CommitOutcome& outcome);
  // Likewise the commit that must be visible; 0: none.
  CommitNumber awaited_commit() const { return awaited_commit_; }
  // Whether answers are held back for commits of a client that had sent more without waiting. When no more is there they are to be
  // awaited, too.
  bool has_unanswered() const { return !unanswered_.empty(); }
  void await_unanswered() { awaited_commit_ = unanswered_.back().commit; }
  // It is, or never will be; answers.
  void commit_is_visible(const SqlError* error);
  // Between messages: messages of other sessions have come (ClientChannel::notifications_came).
  void deliver_notifications();
  // Input that is no message (08P01): says so and closes.
  void handle_broken_input(const SqlError& error);
  // The server ends the connection: FATAL with this error.
  void terminate(const SqlError& error);

  bool closed() const { return state_ == State::kClosed; }
  bool authenticated() const { return session_ != nullptr; }
  Session* session() { return session_.get(); }
  // Milliseconds of silence after which the server ends the session, by its settings and state; 0: never.
  int64_t idle_limit_ms() const;
  SqlError idle_error() const;  // of a session
  bool in_transaction() const { return session_ && session_->status() != TransactionStatus::kIdle; }

 private:
  enum class State : uint8_t { kStartup, kAuthentication, kReady, kCopyIn, kClosed };
  struct OpenPortal;   // what the protocol keeps of a portal of the extended protocol
  struct SimpleQuery;  // a simple query that COPY FROM STDIN interrupted

  void start_up(std::string_view body);
  void authenticate(std::string_view body, char type);
  void begin_session();
  void refuse(const SqlError& error);

  void simple_query(std::string_view body);
  void continue_simple_query();
  void answer_error(const SqlError& error);
  void copy_in(FrontendMessage& message);

  void extended(const FrontendMessage& message);
  void parse(std::string_view body);
  void bind(std::string_view body);
  void describe(std::string_view body);
  void execute(std::string_view body);
  void close_target(std::string_view body);
  void sync();
  bool waits_for_commit(bool tag_is_told);
  void answer_later(CommitNumber commit);
  void send_visible();
  void settle_unanswered();

  // Runs a portal for up to max_rows rows (0: all). Returns false when it stopped at the limit. Leaves the command tag to the caller.
  bool run_rows(Portal& portal, RowEncoder& encoder, uint64_t max_rows, uint64_t* rows);
  void run_copy_out(Portal& portal);
  void begin_copy_in(Portal& portal);
  void send_session_messages();  // notices and changed settings
  void send_notifications();     // unless in a transaction
  void write_ready();
  void ready_for_query();
  void flush();
  void flush_if_large();
  std::unique_ptr<RowEncoder> make_encoder(const Portal& portal, const std::vector<int16_t>& formats) const;

  ServerContext& server_;
  const ProtocolOptions& options_;
  ClientChannel& channel_;
  std::string client_address_;
  State state_ = State::kStartup;
  std::string out_;
  MessageWriter writer_{out_};

  std::string user_, database_;
  std::vector<std::pair<std::string, std::string>> startup_settings_;
  std::unique_ptr<ScramExchange> scram_;
  bool scram_first_done_ = false;

  std::unique_ptr<Session> session_;
  std::string statement_text_;  // of the running statement, for error positions
  std::unique_ptr<SimpleQuery> simple_;
  std::unordered_map<std::string, OpenPortal> portals_;
  Portal* copying_ = nullptr;  // of state kCopyIn
  bool skip_until_sync_ = false;
  CommitRequest shared_commit_;
  CommitNumber awaited_commit_{};
  bool ready_is_due_ = false;  // when it is visible
  // What out_ holds already of the answers to a Sync, and may not be sent before the commit is visible.
  struct Unanswered {
    CommitNumber commit{};
    size_t ready_at = 0, end = 0;  // in out_, of ReadyForQuery
  };
  std::deque<Unanswered> unanswered_;  // in their order
};

}  // namespace idem
