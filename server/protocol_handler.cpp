#include "server/protocol_handler.h"

#include <spdlog/spdlog.h>

#include "common/utf8.h"
#include "server/server_log.h"

namespace idem {

namespace {

constexpr size_t kFlushBytes = 64 * 1024;
constexpr size_t kMostUnansweredBytes = 1 << 20;  // held back for commits that are not visible yet
// Tools that list databases connect to this one first, which PostgreSQL always has: another name for ours.
constexpr std::string_view kMaintenanceDatabase = "postgres";

}  // namespace

struct ProtocolHandler::OpenPortal {
  std::vector<int16_t> formats;
  std::string text;
  std::unique_ptr<RowEncoder> encoder;
  bool was_suspended = false, ended = false;
};

struct ProtocolHandler::SimpleQuery {
  std::string text;
  std::vector<parser::ParsedStatement> statements;
  size_t next = 0;
  std::unique_ptr<Portal> portal;  // of statement next - 1
};

AuthenticationMethod authentication_of(const ProtocolOptions& options, const ClientIdentity& client,
                                       const std::string& certificate_name) {
  const AuthenticationMethod method = method_for(options.access, client);
  if (method == AuthenticationMethod::kReject) {
    throw sql_error(sqlstate::kInvalidAuthorization,
                    "no access rule lets in host \"{}\", user \"{}\", database \"{}\", {}", client.address,
                    client.user, client.database, client.is_encrypted ? "TLS encryption" : "no encryption");
  }
  if (method == AuthenticationMethod::kCertificate &&
      (certificate_name.empty() || certificate_name != client.user))
    throw sql_error(sqlstate::kInvalidAuthorization, "certificate authentication failed for user \"{}\"",
                    client.user);
  return method;
}

ProtocolHandler::ProtocolHandler(ServerContext& server, const ProtocolOptions& options,
                                 ClientChannel& channel, std::string client_address)
    : server_(server), options_(options), channel_(channel), client_address_(std::move(client_address)) {}

ProtocolHandler::~ProtocolHandler() = default;

void ProtocolHandler::handle(FrontendMessage& message) {
  const auto failed = [this](const SqlError& error) {
    if (session_) answer_error(error);
    else refuse(error);
  };
  try {
    switch (state_) {
      case State::kStartup: start_up(message.body); break;
      case State::kAuthentication: authenticate(message.body, message.type); break;
      case State::kCopyIn: copy_in(message); break;
      case State::kReady:
        if (message.type == 'Q' && !skip_until_sync_) simple_query(message.body);
        else extended(message);
        break;
      case State::kClosed: break;
    }
  } catch (const SqlError& error) { failed(error); } catch (const std::bad_alloc&) {
    failed(SqlError(sqlstate::kOutOfMemory, "out of memory"));
  }
}

void ProtocolHandler::handle_broken_input(const SqlError& error) { refuse(error); }

void ProtocolHandler::terminate(const SqlError& error) { refuse(error); }

void ProtocolHandler::refuse(const SqlError& error) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  server_.metrics.count_error(error.sqlstate());
  log_refused_login(client_address_, error);
  writer_.error_response(error, "FATAL", {});
  flush();
}

// -- start-up and authentication ------------------------------------------------------------------------

void ProtocolHandler::start_up(std::string_view body) {
  StartupPacket packet = decode_startup(body);
  if (packet.code >> 16 != 3) {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "unsupported frontend protocol {}.{}: server supports 3.0", packet.code >> 16,
                    packet.code & 0xffff);
  }
  std::vector<std::string> unknown;
  for (const auto& [name, value] : packet.parameters) {
    if (name.starts_with("_pq_.")) unknown.push_back(name);
    else if (name == "options") {
      for (auto& setting : parse_startup_options(value)) startup_settings_.push_back(std::move(setting));
    } else if (name != "user" && name != "database") startup_settings_.emplace_back(name, value);
  }
  if (packet.code != kProtocolVersion3 || !unknown.empty()) writer_.negotiate_protocol_version(unknown);

  for (const auto& [name, value] : packet.parameters) check_utf8(value);
  user_ = packet.parameter("user");
  database_ = packet.parameter("database");
  if (user_.empty())
    throw SqlError(sqlstate::kInvalidAuthorization, "no PostgreSQL user name specified in startup packet");
  if (database_.empty()) database_ = user_;
  if (packet.parameter("replication") == "database" || packet.parameter("replication") == "true") {
    throw SqlError(sqlstate::kFeatureNotSupported, "replication connections are not supported");
  }

  const ClientIdentity client{without_port(client_address_), user_, database_, channel_.is_encrypted()};
  if (authentication_of(options_, client, channel_.certificate_name()) != AuthenticationMethod::kScram) {
    begin_session();
    return;
  }
  state_ = State::kAuthentication;
  writer_.authentication_sasl_mechanisms();
  flush();
}

void ProtocolHandler::authenticate(std::string_view body, char type) {
  if (type != 'p')
    throw sql_error(sqlstate::kProtocolViolation, "expected SASL response, got message type {}",
                    static_cast<int>(type));
  MessageReader in(body);
  if (!scram_first_done_) {
    std::string_view mechanism = in.text();
    if (mechanism != "SCRAM-SHA-256")
      throw SqlError(sqlstate::kProtocolViolation,
                     "client selected an invalid SASL authentication mechanism");
    int32_t length = in.int32();
    if (length < 0) throw SqlError(sqlstate::kProtocolViolation, "the initial SASL response is missing");
    Snapshot snapshot = server_.database->snapshot();
    auto role = snapshot.catalog->roles.find(user_);
    std::optional<ScramVerifier> verifier;
    if (role != snapshot.catalog->roles.end() && role->second.can_login) {
      verifier = ScramVerifier::from_text(role->second.scram_verifier);
    }
    scram_ = std::make_unique<ScramExchange>(std::move(verifier));
    writer_.authentication(11, scram_->server_first(in.bytes(static_cast<size_t>(length))));
    scram_first_done_ = true;
    flush();
    return;
  }
  auto answer = scram_->server_final(in.rest());
  if (!answer)
    throw sql_error(sqlstate::kInvalidPassword, "password authentication failed for user \"{}\"", user_);
  writer_.authentication(12, *answer);
  begin_session();
}

void ProtocolHandler::begin_session() {
  Snapshot snapshot = server_.database->snapshot();
  auto role = snapshot.catalog->roles.find(user_);
  if (role == snapshot.catalog->roles.end())
    throw sql_error(sqlstate::kInvalidAuthorization, "role \"{}\" does not exist", user_);
  if (!role->second.can_login)
    throw sql_error(sqlstate::kInvalidAuthorization, "role \"{}\" is not permitted to log in", user_);
  if (database_ != options_.database && database_ != kMaintenanceDatabase)
    throw sql_error(sqlstate::kInvalidCatalogName, "database \"{}\" does not exist", database_);

  session_ = std::make_unique<Session>(server_, user_, options_.database, client_address_, startup_settings_,
                                       options_.max_connections);
  session_->receive_notifications([this] { channel_.notifications_came(); });
  scram_.reset();
  channel_.session_started(session_->pid());
  writer_.authentication(0);
  send_session_messages();
  writer_.backend_key_data(session_->pid(), session_->cancel_key());
  state_ = State::kReady;
  ready_for_query();
}

namespace {

class CommitMayWait {
 public:
  CommitMayWait(Session& session, bool may_wait) : session_(session) { session_.let_commit_wait(may_wait); }
  ~CommitMayWait() { session_.let_commit_wait(false); }
  CommitMayWait(const CommitMayWait&) = delete;
  CommitMayWait& operator=(const CommitMayWait&) = delete;

 private:
  Session& session_;
};

}  // namespace

// -- simple queries -------------------------------------------------------------------------------------

void ProtocolHandler::simple_query(std::string_view body) {
  MessageReader in(body);
  simple_ = std::make_unique<SimpleQuery>();
  simple_->text = in.text();
  in.expect_end();
  portals_.erase("");
  session_->close_portal("");
  statement_text_ = simple_->text;
  check_utf8(statement_text_);
  session_->begin_statement_text(statement_text_);
  simple_->statements = session_->parse(simple_->text);
  if (simple_->statements.empty()) {
    writer_.empty('I');
    simple_.reset();
    session_->finish_statements();
    ready_for_query();
    return;
  }
  continue_simple_query();
}

// Runs statements until the last one, or until COPY FROM STDIN wants data. The command tag of the last one is sent only when the
// transaction is durable.
void ProtocolHandler::continue_simple_query() {
  SimpleQuery& query = *simple_;
  while (true) {
    if (query.portal) {
      if (query.next == query.statements.size()) {
        if (waits_for_commit(false)) return;  // goes on here when it is visible
      }
      send_session_messages();
      if (query.portal->kind() == Portal::Kind::kEmpty) writer_.empty('I');
      else writer_.command_complete(query.portal->tag());
      query.portal.reset();
      flush_if_large();
    }
    if (query.next == query.statements.size()) break;

    query.portal = session_->execute(query.statements[query.next++], query.text);
    Portal& portal = *query.portal;
    switch (portal.kind()) {
      case Portal::Kind::kRows: {
        send_session_messages();
        writer_.row_description(portal.columns(), {});
        uint64_t rows = 0;
        run_rows(portal, *make_encoder(portal, {}), 0, &rows);
        break;
      }
      case Portal::Kind::kCommand: {
        const CommitMayWait last(*session_,
                                 query.next == query.statements.size() && channel_.shares_commits());
        portal.run();
        break;
      }
      case Portal::Kind::kCopyOut: run_copy_out(portal); break;
      case Portal::Kind::kCopyIn: begin_copy_in(portal); return;
      case Portal::Kind::kEmpty: break;
    }
  }
  simple_.reset();
  ready_for_query();
}

void ProtocolHandler::answer_error(const SqlError& error) {
  bool in_simple = simple_ != nullptr;
  if (state_ == State::kCopyIn) state_ = State::kReady;
  copying_ = nullptr;
  simple_.reset();
  session_->statement_failed(error);
  for (auto it = portals_.begin(); it != portals_.end();)
    it = it->first.empty() ? portals_.erase(it) : std::next(it);
  send_session_messages();
  writer_.error_response(error, "ERROR", statement_text_);
  if (in_simple) {
    ready_for_query();
  } else {
    skip_until_sync_ = true;
    flush();
  }
}

bool ProtocolHandler::run_rows(Portal& portal, RowEncoder& encoder, uint64_t max_rows, uint64_t* rows) {
  DataChunk chunk;
  uint64_t left = max_rows;
  while (portal.next(&chunk, left)) {
    encoder.encode(chunk, 0, chunk.count(), out_);
    *rows += chunk.count();
    flush_if_large();
    if (max_rows != 0) {
      left -= chunk.count();
      if (left == 0) return false;
    }
  }
  return true;
}

// -- COPY -----------------------------------------------------------------------------------------------

void ProtocolHandler::begin_copy_in(Portal& portal) {
  send_session_messages();
  writer_.copy_response('G', portal.copy_is_binary(), portal.columns().size());
  copying_ = &portal;
  state_ = State::kCopyIn;
  flush();
}

void ProtocolHandler::copy_in(FrontendMessage& message) {
  switch (message.type) {
    case 'd': copying_->copy_data(std::move(message.body)); return;
    case 'c': copying_->copy_done(); break;
    case 'f': copying_->copy_fail(MessageReader(message.body).text()); return;
    case 'H':
    case 'S': return;  // ignored during COPY, as PostgreSQL does
    case 'X': state_ = State::kClosed; return;
    default:
      // Whatever the client takes the answers for now, they are not those of its messages.
      refuse(sql_error(sqlstate::kProtocolViolation,
                       "unexpected message type 0x{:02X} during COPY from stdin",
                       static_cast<unsigned char>(message.type)));
      return;
  }
  Portal& portal = *copying_;
  copying_ = nullptr;
  state_ = State::kReady;
  if (simple_) continue_simple_query();
  else writer_.command_complete(portal.tag());
}

void ProtocolHandler::run_copy_out(Portal& portal) {
  send_session_messages();
  writer_.copy_response('H', portal.copy_is_binary(), portal.columns().size());
  std::string rows;
  std::vector<uint32_t> ends;
  while (portal.copy_next(&rows, &ends)) {
    uint32_t start = 0;
    for (uint32_t end : ends) {
      writer_.begin('d');
      writer_.bytes(std::string_view(rows).substr(start, end - start));
      writer_.end();
      start = end;
    }
    flush_if_large();
  }
  writer_.empty('c');
}

// -- extended queries -----------------------------------------------------------------------------------

void ProtocolHandler::extended(const FrontendMessage& message) {
  if (message.type == 'S') {
    sync();
    return;
  }
  if (message.type == 'X') {
    state_ = State::kClosed;
    return;
  }
  if (skip_until_sync_) return;
  switch (message.type) {
    case 'P': parse(message.body); break;
    case 'B': bind(message.body); break;
    case 'D': describe(message.body); break;
    case 'E': execute(message.body); break;
    case 'C': close_target(message.body); break;
    case 'H': flush(); break;
    case 'd':
    case 'c':
    case 'f': break;  // the rest of a COPY that failed
    case 'F':
      answer_error(SqlError(sqlstate::kFeatureNotSupported, "function call messages are not supported"));
      skip_until_sync_ = false;  // it is answered at once, as a query is
      ready_for_query();
      break;
    default:
      refuse(sql_error(sqlstate::kProtocolViolation, "invalid frontend message type {}",
                       static_cast<unsigned char>(message.type)));
  }
  flush_if_large();
}

void ProtocolHandler::parse(std::string_view body) {
  ParseMessage m = decode_parse(body);
  statement_text_ = m.sql;
  check_utf8(statement_text_);
  session_->begin_statement_text(statement_text_);
  session_->prepare(m.statement, m.sql, m.parameter_oids);
  writer_.empty('1');
}

void ProtocolHandler::bind(std::string_view body) {
  BindMessage m = decode_bind(body);
  const PreparedStatement& statement = session_->statement(m.statement);
  statement_text_ = statement.text;
  size_t columns = statement.columns.size();
  if (m.result_formats.size() > 1 && m.result_formats.size() != columns) {
    throw sql_error(sqlstate::kProtocolViolation,
                    "bind message has {} result formats but query has {} columns", m.result_formats.size(),
                    columns);
  }
  session_->bind(m.portal, m.statement, m.parameters);
  OpenPortal& open = portals_[m.portal];
  open.formats = std::move(m.result_formats);
  open.text = statement_text_;
  open.encoder.reset();
  open.was_suspended = open.ended = false;
  writer_.empty('2');
}

void ProtocolHandler::describe(std::string_view body) {
  TargetMessage m = decode_target(body);
  if (m.kind == 'S') {
    const PreparedStatement& statement = session_->statement(m.name);
    writer_.parameter_description(statement.parameter_types);
    if (statement.returns_rows) writer_.row_description(statement.columns, {});
    else writer_.empty('n');
    return;
  }
  Portal& portal = session_->portal(m.name);
  auto open = portals_.find(m.name);  // absent for an SQL cursor: text
  if (portal.kind() != Portal::Kind::kRows) writer_.empty('n');
  else
    writer_.row_description(portal.columns(),
                            open == portals_.end() ? std::vector<int16_t>{} : open->second.formats);
}

void ProtocolHandler::execute(std::string_view body) {
  ExecuteMessage m = decode_execute(body);
  Portal& portal = session_->portal(m.portal);
  OpenPortal& open = portals_[m.portal];
  statement_text_ = open.text;
  session_->begin_statement_text(statement_text_);
  switch (portal.kind()) {
    case Portal::Kind::kRows: {
      if (!open.encoder) open.encoder = make_encoder(portal, open.formats);
      if (open.ended) {
        writer_.command_complete("SELECT 0");
        return;
      }
      uint64_t rows = 0;
      if (!run_rows(portal, *open.encoder, m.max_rows, &rows)) {
        open.was_suspended = true;
        writer_.empty('s');
        return;
      }
      open.ended = true;
      // The rows of this Execute, as PostgreSQL counts them.
      if (open.was_suspended && portal.tag().starts_with("SELECT ")) {
        send_session_messages();
        writer_.command_complete(fmt::format("SELECT {}", rows));
        return;
      }
      break;
    }
    case Portal::Kind::kCommand: portal.run(); break;
    case Portal::Kind::kCopyOut: run_copy_out(portal); break;
    case Portal::Kind::kCopyIn: begin_copy_in(portal); return;
    case Portal::Kind::kEmpty: writer_.empty('I'); return;
  }
  send_session_messages();
  writer_.command_complete(portal.tag());
}

void ProtocolHandler::close_target(std::string_view body) {
  TargetMessage m = decode_target(body);
  if (m.kind == 'S') {
    session_->close_statement(m.name);
  } else {
    session_->close_portal(m.name);
    portals_.erase(m.name);
  }
  writer_.empty('3');
}

void ProtocolHandler::sync() {
  skip_until_sync_ = false;
  CommitNumber passed{};
  try {
    if (channel_.has_more_input() || has_unanswered()) passed = session_->commit_inserts();
    if (passed == CommitNumber{}) ready_is_due_ = waits_for_commit(true);
  } catch (const SqlError& error) {
    session_->statement_failed(error);
    writer_.error_response(error, "ERROR", statement_text_);
  }
  if (session_->status() == TransactionStatus::kIdle) portals_.clear();
  if (ready_is_due_) return;
  send_session_messages();
  if (passed != CommitNumber{}) return answer_later(passed);
  ready_for_query();
}

void ProtocolHandler::answer_later(CommitNumber commit) {
  const size_t ready_at = out_.size();
  write_ready();
  unanswered_.push_back({commit, ready_at, out_.size()});
  try {
    server_.database->request_sync();
  } catch (const SqlError&) { return settle_unanswered(); }
  send_visible();
}

// The answers to those commits that are visible by now.
void ProtocolHandler::send_visible() {
  size_t end = 0;
  while (!unanswered_.empty() && server_.database->is_visible(unanswered_.front().commit)) {
    end = unanswered_.front().end;
    unanswered_.pop_front();
  }
  if (end == 0) return;
  std::string visible = out_.substr(0, end);
  out_.erase(0, end);
  for (Unanswered& later : unanswered_) {
    later.ready_at -= end;
    later.end -= end;
  }
  channel_.send(visible);
}

// Waits until all are visible, or says of each that it will not be.
void ProtocolHandler::settle_unanswered() {
  if (unanswered_.empty()) return;
  try {
    server_.database->wait_visible(unanswered_.back().commit);
  } catch (const SqlError& error) {
    std::string told;
    MessageWriter(told).error_response(error, "ERROR", {});
    for (auto sync = unanswered_.rbegin(); sync != unanswered_.rend(); ++sync) {
      if (server_.database->is_visible(sync->commit)) break;
      out_.insert(sync->ready_at, told);
      server_.metrics.count_error(error.sqlstate());
    }
  }
  unanswered_.clear();
}

// Ends the statements that were handled; false if nothing is to be waited for.
bool ProtocolHandler::waits_for_commit(bool tag_is_told) {
  shared_commit_ = channel_.shares_commits() ? session_->begin_shared_commit() : CommitRequest();
  if (!shared_commit_.transaction) awaited_commit_ = session_->finish_statements_without_waiting(tag_is_told);
  return shared_commit_.transaction || awaited_commit_ != CommitNumber{};
}

void ProtocolHandler::shared_commit_ended(const CommitOutcome& outcome) {
  shared_commit_ = {};
  awaited_commit_ = session_->end_shared_commit(outcome);
}

void ProtocolHandler::commit_is_visible(const SqlError* error) {
  awaited_commit_ = {};
  settle_unanswered();
  if (!simple_ && !std::exchange(ready_is_due_, false)) return flush();
  if (simple_) {
    if (error) answer_error(*error);
    else continue_simple_query();
    return;
  }
  if (error) {
    session_->statement_failed(*error);
    writer_.error_response(*error, "ERROR", statement_text_);
  }
  send_session_messages();
  ready_for_query();
}

// -- shared ---------------------------------------------------------------------------------------------

// What says that a COMMIT is done may be within.
void ProtocolHandler::flush() {
  settle_unanswered();
  if (session_) session_->wait_for_commit();
  channel_.send(out_);
}

void ProtocolHandler::send_session_messages() {
  for (const Notice& notice : session_->take_notices())
    writer_.notice_response(notice.content, notice.severity);
  for (const auto& [name, value] : session_->take_reported_settings()) writer_.parameter_status(name, value);
}

void ProtocolHandler::send_notifications() {
  if (session_->status() != TransactionStatus::kIdle) return;
  for (const Notification& message : session_->take_notifications())
    writer_.notification_response(message.pid, message.channel, message.payload);
}

void ProtocolHandler::deliver_notifications() {
  if (state_ != State::kReady) return;
  send_notifications();
  flush();
}

void ProtocolHandler::write_ready() {
  send_notifications();
  writer_.ready_for_query(static_cast<char>(session_->status()));
  session_->begin_statement_text({});
}

void ProtocolHandler::ready_for_query() {
  write_ready();
  flush();
}

void ProtocolHandler::flush_if_large() {
  if (out_.size() < kFlushBytes) return;
  if (!unanswered_.empty()) send_visible();
  if (unanswered_.empty() || out_.size() >= kMostUnansweredBytes) flush();
}

std::unique_ptr<RowEncoder> ProtocolHandler::make_encoder(const Portal& portal,
                                                          const std::vector<int16_t>& formats) const {
  return std::make_unique<RowEncoder>(portal.columns(), formats, session_->time_zone(),
                                      session_->extra_float_digits());
}

int64_t ProtocolHandler::idle_limit_ms() const { return session_ ? session_->idle_limit_ms() : 0; }

SqlError ProtocolHandler::idle_error() const { return session_->idle_error(); }

}  // namespace idem
