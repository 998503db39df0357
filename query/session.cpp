#include "query/session.h"

#include <algorithm>

#include "common/scram_verifier.h"
#include "common/utf8_repair.h"
#include "query/line_target.h"
#include "query/line_writer.h"
#include "query/portal.h"
#include "query/session_state.h"

namespace idem {

namespace {

constexpr size_t kShownBytes = 1024;  // of a request, in pg_stat_activity and the log

}  // namespace

// -- registry -------------------------------------------------------------------------------------------

void SessionRegistry::add(Session& session, const SessionLimits& limits, int32_t* pid, uint32_t* cancel_key) {
  std::string key = random_bytes(4);
  uint32_t number = 0;
  for (char c : key) number = number << 8 | static_cast<uint8_t>(c);
  std::lock_guard lock(mutex_);
  if (!limits.user.empty()) {
    size_t clients = 0, of_user = 0;
    for (const auto& [other, entry] : entries_) {
      clients += !entry.user.empty();
      of_user += entry.user == limits.user;
    }
    if (clients >= limits.most)
      throw SqlError(sqlstate::kTooManyConnections, "sorry, too many clients already");
    if (of_user >= limits.most_of_user)
      throw sql_error(sqlstate::kTooManyConnections, "too many connections for role \"{}\"", limits.user);
  }
  *pid = next_pid_++;
  *cancel_key = number;
  entries_[*pid] = {&session, number, limits.user};
}

void SessionRegistry::remove(int32_t pid) {
  std::lock_guard lock(mutex_);
  entries_.erase(pid);
}

bool SessionRegistry::cancel(int32_t pid, uint32_t cancel_key) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(pid);
  if (it == entries_.end() || it->second.cancel_key != cancel_key) return false;
  it->second.session->cancel();
  return true;
}

bool SessionRegistry::cancel_by_pid(int32_t pid) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(pid);
  if (it == entries_.end()) return false;
  it->second.session->cancel();
  return true;
}

std::vector<SessionActivity> SessionRegistry::activities() const {
  std::lock_guard lock(mutex_);
  std::vector<SessionActivity> all;
  for (const auto& [pid, entry] : entries_) all.push_back(entry.session->activity());
  return all;
}

// -- session --------------------------------------------------------------------------------------------

Session::Session(ServerContext& server, std::string user, std::string database, std::string client_address,
                 const std::vector<std::pair<std::string, std::string>>& startup,
                 std::optional<size_t> most_sessions) {
  SessionLimits limits;
  const Snapshot snapshot = server.database->snapshot();
  const auto found = snapshot.catalog->roles.find(user);
  const Role* const role = most_sessions && found != snapshot.catalog->roles.end() ? &found->second : nullptr;
  if (most_sessions) limits = {user, *most_sessions, SIZE_MAX};
  if (role && role->connection_limit >= 0 && !role->superuser)
    limits.most_of_user = static_cast<size_t>(role->connection_limit);
  state_ = std::make_unique<SessionState>(server, std::move(user), std::move(database),
                                          std::move(client_address), role, startup);
  server.sessions->add(*this, limits, &state_->pid, &state_->cancel_key);
  server.metrics.sessions.add();
  state_->activity.pid = state_->pid;
}

Session::~Session() { state_->server.sessions->remove(state_->pid); }

int32_t Session::pid() const { return state_->pid; }
uint32_t Session::cancel_key() const { return state_->cancel_key; }

std::vector<parser::ParsedStatement> Session::parse(const std::string& sql) {
  return parser::parse_statements(sql);
}

std::unique_ptr<Portal> Session::execute(const parser::ParsedStatement& parsed, const std::string& sql) {
  if (parsed.parameter_count > 0) {
    throw sql_error(sqlstate::kUndefinedParameter, "there is no parameter ${}", parsed.parameter_count)
        .with_position(parsed.offset + 1);
  }
  StatementInput input;
  input.statement = parsed.statement.get();
  input.text = std::string_view(sql).substr(parsed.offset, parsed.length);
  return state_->make_client_portal(std::move(input));
}

const PreparedStatement& Session::prepare(const std::string& name, const std::string& sql,
                                          const std::vector<uint32_t>& parameter_oids) {
  if (!name.empty() && state_->prepared.contains(name)) {
    throw sql_error(sqlstate::kDuplicatePreparedStatement, "prepared statement \"{}\" already exists", name);
  }
  state_->prepared.erase(name);
  std::vector<SqlType> types;
  for (uint32_t oid : parameter_oids) {
    SqlType type;
    if (oid != 0 && !type_of_oid(oid, &type))
      throw sql_error(sqlstate::kUndefinedObject, "type with OID {} does not exist", oid);
    types.push_back(oid == 0 ? SqlType(TypeId::kUnknown) : type);
  }
  auto parsed = std::make_shared<parser::ParsedStatement>(parser::parse_one(sql));
  auto entry = state_->prepare(*parsed, parsed, name, sql, std::move(types));
  state_->prepared[name] = entry;
  return entry->info;
}

const PreparedStatement& Session::statement(const std::string& name) const {
  return state_->find_prepared(name)->info;
}

void Session::close_statement(const std::string& name) { state_->prepared.erase(name); }

Portal& Session::bind(const std::string& portal, const std::string& statement,
                      const std::vector<RawParameter>& parameters) {
  auto& portals = state_->portals;
  auto before = portals.extract(portal);
  if (before && !portal.empty()) {
    portals.insert(std::move(before));
    throw sql_error(sqlstate::kDuplicateCursor, "cursor \"{}\" already exists", portal);
  }
  if (!before) return *portals.emplace(portal, bind(statement, parameters)).first->second;
  before.mapped().reset();
  before.mapped() = bind(statement, parameters);
  return *portals.insert(std::move(before)).position->second;
}

std::unique_ptr<Portal> Session::bind(const std::string& statement,
                                      const std::vector<RawParameter>& parameters) {
  StatementInput input;
  input.entry = state_->find_prepared(statement);
  const PreparedStatement& info = input.entry->info;  // it stays among `prepared`
  input.statement = info.statement ? info.statement->statement.get() : nullptr;
  input.text = info.text;
  input.parameter_types.types = info.parameter_types;
  input.parameters = state_->decode_parameters(info.parameter_types, parameters);
  std::unique_ptr<Portal> made =
      input.statement ? state_->make_client_portal(std::move(input)) : std::make_unique<EmptyPortal>();
  if (made->kind() == Portal::Kind::kRows) {
    bool same = made->columns().size() == info.columns.size();
    for (size_t i = 0; same && i < made->columns().size(); i++)
      same = made->columns()[i].type.id == info.columns[i].type.id;
    if (!same) throw SqlError(sqlstate::kFeatureNotSupported, "cached plan must not change result type");
  }
  return made;
}

Portal& Session::portal(const std::string& name) {
  auto it = state_->portals.find(name);
  if (it == state_->portals.end())
    throw sql_error(sqlstate::kInvalidCursorName, "portal \"{}\" does not exist", name);
  return *it->second;
}

void Session::close_portal(const std::string& name) { state_->portals.erase(name); }

void Session::finish_statements() {
  state_->finish_statements();
  state_->closed_portals.clear();
}

CommitNumber Session::finish_statements_without_waiting(bool tag_is_told) {
  const CommitNumber visible_after = state_->finish_statements(false, tag_is_told);
  state_->closed_portals.clear();
  return visible_after;
}

CommitRequest Session::begin_shared_commit() {
  const CommitRequest request = state_->begin_shared_commit();
  if (request.transaction) state_->closed_portals.clear();
  return request;
}

void Session::let_commit_wait(bool may_wait) { state_->commit_may_wait = may_wait; }

CommitNumber Session::end_shared_commit(const CommitOutcome& outcome) {
  return state_->end_shared_commit(outcome);
}

CommitNumber Session::commit_inserts() {
  const CommitNumber commit = state_->commit_inserts();
  state_->closed_portals.clear();
  return commit;
}

void Session::wait_for_commit() { state_->wait_for_commit(); }

void Session::statement_failed(const SqlError& error) {
  state_->server.metrics.count_error(error.sqlstate());
  state_->log_audited(&error);
  state_->statement_failed();
  state_->closed_portals.clear();
}

LineWriteResult Session::write_lines(std::string_view text, int64_t unit) {
  constexpr int kTries = 30;  // of many that add columns at the same time one succeeds each time
  for (int tries = 1;; ++tries) {
    try {
      LineWriteResult result = LineWriter(*state_).write(text, unit);
      finish_statements();
      return result;
    } catch (const SqlError& error) {
      statement_failed(error);
      if (tries == kTries || !is_lost_race(error)) throw;
      state_->cancel.check();
      state_->server.database->catch_up();
    }
  }
}

TransactionStatus Session::status() const { return state_->status(); }
void Session::cancel() { state_->cancel.cancel(); }

LastWrite Session::last_write() const { return state_->last_write; }

void Session::begin_statement_text(std::string_view text, std::optional<int64_t> timeout_ms) {
  SessionState& s = *state_;
  if (text.empty()) return s.end_request();
  const int64_t now = s.server.clock->now_micros();
  s.statement_time_micros = now;
  const int64_t usual_timeout = s.follow_settings().statement_timeout;
  const int64_t timeout =
      timeout_ms ? s.settings.limited_millis("statement_timeout", *timeout_ms) : usual_timeout;
  const int64_t limit = lesser_limit(timeout, s.snapshot_millis_left());
  s.cancel.start_statement(limit * 1000, limit == timeout ? "statement timeout" : "snapshot timeout");
  if (s.request_start_nanos == 0) s.request_start_nanos = s.server.clock->monotonic_nanos();
  const std::string_view beginning = utf8_cut(text, kShownBytes);
  const bool is_other = beginning != s.last_text;  // prepared statements run many times
  std::string shown;
  if (is_other) {
    s.last_text = beginning;
    shown = without_passwords(beginning);
  }
  std::lock_guard lock(s.activity_mutex);
  if (is_other) s.activity.query = std::move(shown);
  s.activity.query_start_micros = now;
  s.activity.state = "active";
}

SessionActivity Session::activity() const {
  std::lock_guard lock(state_->activity_mutex);
  return state_->activity;
}

void Session::receive_notifications(std::function<void()> wake) {
  state_->notifications.set_receiver(std::move(wake));
}
std::vector<Notification> Session::take_notifications() { return state_->notifications.take(); }
std::vector<Notice> Session::take_notices() { return std::exchange(state_->notices, {}); }
std::vector<std::pair<std::string, std::string>> Session::take_reported_settings() {
  return state_->settings.take_reported();
}
int64_t Session::idle_limit_ms() const {
  const auto& followed = state_->follow_settings();
  if (status() == TransactionStatus::kIdle) return followed.idle_session_timeout;
  return lesser_limit(followed.idle_in_transaction_timeout, state_->snapshot_millis_left());
}
SqlError Session::idle_error() const {
  if (status() == TransactionStatus::kIdle)
    return SqlError("57P05", "terminating connection due to idle-session timeout");
  const int64_t idle = state_->follow_settings().idle_in_transaction_timeout;
  if (lesser_limit(idle, state_->snapshot_millis_left()) != idle)
    return SqlError("25P04", "terminating connection due to snapshot timeout");
  return SqlError("25P03", "terminating connection due to idle-in-transaction timeout");
}
std::shared_ptr<const TimeZone> Session::time_zone() const { return state_->zone; }
int Session::extra_float_digits() const {
  return static_cast<int>(state_->settings.get_int("extra_float_digits"));
}

}  // namespace idem
