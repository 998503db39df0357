#include "query/session_state.h"

#include <algorithm>
#include <utility>

#include "query/access_control.h"
#include "query/binder_scope.h"
#include "query/isolation_level.h"
#include "query/portal.h"
#include "query/statement_executors.h"
#include "query/system_relations.h"
#include "query/table_union.h"
#include "query/view_dependencies.h"

namespace idem {

SessionState::SessionState(ServerContext& server_context, std::string name, std::string database,
                           std::string address, const Role* role,
                           const std::vector<std::pair<std::string, std::string>>& startup)
    : server(server_context),
      user_name(std::move(name)),
      database_name(std::move(database)),
      client_address(std::move(address)),
      settings(server_context.settings.get(), role, startup),
      cancel(*server_context.clock),
      notifications(server_context.notifications),
      kept_views_(std::make_unique<KeptViews>()) {
  Snapshot now = server.database->snapshot();
  auto known = now.catalog->roles.find(user_name);
  settings.set_internal("session_authorization", user_name);
  settings.set_internal("is_superuser",
                        known != now.catalog->roles.end() && known->second.superuser ? "on" : "off");
  check_role(settings.get("role"));
  follow_settings();
  activity.user = user_name;
  activity.database = database_name;
  activity.client_address = client_address;
  activity.application_name = settings.get("application_name");
  activity.connected_micros = server.clock->now_micros();
  activity.state = "idle";
}

SessionState::~SessionState() {
  transaction_.reset();
  try {
    drop_temporary_tables();
  } catch (const SqlError&) {
    // They hold memory until the server ends; nobody can see them.
  }
}

// -- transactions ---------------------------------------------------------------------------------------

Transaction& SessionState::transaction() {
  see_inserts();
  return begun_transaction();
}

Transaction& SessionState::begun_transaction() {
  if (!transaction_) start_transaction();
  return *transaction_;
}

// False if they were visible.
bool SessionState::see_inserts() {
  if (unseen_ == CommitNumber{}) return false;
  try {
    server.database->wait_visible(std::exchange(unseen_, {}));
  } catch (const SqlError&) {
    // They will not be; the answer to them says so.
  }
  return true;
}

void SessionState::start_transaction(std::unique_ptr<Transaction> transaction) {
  wait_for_commit();  // to see what it wrote
  transaction_ = transaction ? std::move(transaction) : server.database->begin();
  transaction_time_micros = statement_time_micros;
  has_snapshot_ = false;
  settings.begin_transaction();
}

const Snapshot& SessionState::begin_statement() {
  const bool is_behind = see_inserts();
  Transaction& t = begun_transaction();
  if (has_snapshot_ && (!repeatable_read_ || is_behind)) t.refresh();
  has_snapshot_ = true;
  view_ = t.read_view();
  return view_;
}

const Snapshot& SessionState::begin_write_statement() {
  see_inserts();
  return begin_insert_statement();
}

const Snapshot& SessionState::begin_insert_statement() {
  Transaction& t = begun_transaction();
  has_snapshot_ = true;
  view_ = t.schema_view();
  return view_;
}

void SessionState::check_writable(std::string_view what) {
  if (read_only_ || (block_ == Block::kNone && follow_settings().default_read_only)) {
    throw sql_error(sqlstate::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction", what);
  }
}

Transaction& SessionState::write_transaction(std::string operation) {
  check_writable(operation);
  Transaction& t = transaction();
  t.describe(user_name, std::move(operation));
  return t;
}

Transaction& SessionState::insert_transaction() {
  check_writable("INSERT");
  Transaction& t = begun_transaction();
  t.describe(user_name, "INSERT");
  return t;
}

void SessionState::set_modes(const ast::TransactionModes& modes) {
  if (modes.isolation) {
    check_isolation_level(*modes.isolation);
    bool repeatable = modes.isolation == ast::IsolationLevel::kRepeatableRead;
    if (has_snapshot_ && repeatable != repeatable_read_) {
      throw SqlError(sqlstate::kActiveSqlTransaction,
                     "SET TRANSACTION ISOLATION LEVEL must be called before any query");
    }
    repeatable_read_ = repeatable;
    settings.set_internal("transaction_isolation", isolation_level_name(*modes.isolation));
  }
  if (modes.read_only) {
    if (!*modes.read_only && read_only_ && has_snapshot_) {
      throw SqlError(sqlstate::kActiveSqlTransaction,
                     "transaction read-write mode must be set before any query");
    }
    read_only_ = *modes.read_only;
    settings.set_internal("transaction_read_only", read_only_ ? "on" : "off");
  }
}

ast::IsolationLevel SessionState::isolation_setting(std::string_view name) const {
  return isolation_level_named(settings.get(name), name);
}

void SessionState::begin_block(const ast::TransactionModes& modes) {
  if (block_ == Block::kOpen) {
    notice("WARNING",
           SqlError(sqlstate::kActiveSqlTransaction, "there is already a transaction in progress"));
    set_modes(modes);
    return;
  }
  transaction();
  block_ = Block::kOpen;
  ast::TransactionModes all = modes;
  if (!all.isolation) all.isolation = isolation_setting("default_transaction_isolation");
  if (!all.read_only) all.read_only = settings.get_bool("default_transaction_read_only");
  bool in_use = has_snapshot_;
  has_snapshot_ = false;  // statements of the implicit transaction before BEGIN do not bind its modes
  set_modes(all);
  has_snapshot_ = in_use;
  begin_pending_run();
}

std::string SessionState::commit_block(bool may_wait) {
  if (block_ == Block::kFailed) {
    rollback_block();
    return "ROLLBACK";
  }
  if (block_ == Block::kNone)
    notice("WARNING", SqlError(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress"));
  block_ = Block::kNone;
  if (!may_wait || !commit_may_wait || !may_share_commit()) committed_ = finish_statements(false);
  return "COMMIT";
}

void SessionState::rollback_block() {
  if (block_ == Block::kNone)
    notice("WARNING", SqlError(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress"));
  block_ = Block::kNone;
  close_portals(false);
  if (transaction_) transaction_->rollback();
  end_transaction(false);
}

void SessionState::set_savepoint(const std::string& name) {
  if (block_ != Block::kOpen) {
    throw SqlError(sqlstate::kNoActiveSqlTransaction, "SAVEPOINT can only be used in transaction blocks");
  }
  Savepoint savepoint{name, transaction().savepoint(), settings.mark(), dropped_, altered_,
                      {},   notifications.mark()};
  for (const auto& [portal_name, portal] : portals) savepoint.portals.insert(portal.get());
  savepoints_.push_back(std::move(savepoint));
}

// The innermost one of the name.
std::vector<SessionState::Savepoint>::iterator SessionState::find_savepoint(const ast::Identifier& name) {
  const auto found = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                                  [&](const Savepoint& savepoint) { return savepoint.name == name.text; });
  if (found == savepoints_.rend()) {
    throw sql_error(sqlstate::kInvalidSavepoint, "savepoint \"{}\" does not exist", name.text);
  }
  return std::prev(found.base());
}

void SessionState::rollback_to_savepoint(const ast::Identifier& name) {
  if (block_ == Block::kNone) {
    throw SqlError(sqlstate::kNoActiveSqlTransaction,
                   "ROLLBACK TO SAVEPOINT can only be used in transaction blocks");
  }
  const auto savepoint = find_savepoint(name);
  savepoints_.erase(savepoint + 1, savepoints_.end());
  close_portals_after(*savepoint);
  transaction_->rollback_to(*savepoint->state);
  dropped_ = savepoint->dropped;
  altered_ = savepoint->altered;
  settings.return_to(savepoint->settings);
  notifications.return_to(savepoint->notifications);
  follow_settings();
  view_ = Snapshot();
  block_ = Block::kOpen;
}

void SessionState::release_savepoint(const ast::Identifier& name) {
  if (block_ == Block::kNone) {
    throw SqlError(sqlstate::kNoActiveSqlTransaction,
                   "RELEASE SAVEPOINT can only be used in transaction blocks");
  }
  savepoints_.erase(find_savepoint(name), savepoints_.end());
}

void SessionState::wait_for_commit() {
  const CommitNumber committed = std::exchange(committed_, {});
  if (committed != CommitNumber{}) server.database->wait_visible(committed);
}

CommitNumber SessionState::finish_statements(bool wait, bool tag_is_told) {
  if (block_ != Block::kNone) return {};
  statements_ = 0;
  const std::optional<Retry> retry = std::exchange(retry_, std::nullopt);
  if (!transaction_) {
    if (wait) wait_for_commit();
    return std::exchange(committed_, {});
  }
  constexpr int kRetries = 3;
  for (int attempt = 0;; attempt++) {
    try {
      return commit_statements(wait);
    } catch (const SqlError& error) {
      if (!retry || error.sqlstate() != sqlstate::kSerializationFailure || attempt > kRetries) throw;
    }
    cancel.check();
    server.database->catch_up();
    run_again(*retry, attempt == kRetries, tag_is_told);
  }
}

namespace {

// The table of a statement that may lose to others; null for any other. Plain inserts never do.
const ast::ObjectName* contested_table(const ast::Statement& statement) {
  if (const auto* insert = ast::try_as<ast::InsertStatement>(&statement)) {
    return insert->on_conflict || insert->overwrite != ast::Overwrite::kNone ? &insert->table : nullptr;
  }
  if (const auto* update = ast::try_as<ast::UpdateStatement>(&statement)) return &update->table;
  if (const auto* remove = ast::try_as<ast::DeleteStatement>(&statement)) return &remove->table;
  if (const auto* merge = ast::try_as<ast::MergeStatement>(&statement)) return &merge->table;
  if (const auto* refresh = ast::try_as<ast::RefreshMaterializedViewStatement>(&statement))
    return &refresh->name;
  return nullptr;
}

}  // namespace

std::unique_ptr<Portal> SessionState::make_client_portal(StatementInput input) {
  if (is_audited(input.statement->kind)) note_audited(input);
  const bool is_first = statements_++ == 0 && block_ == Block::kNone && contested_table(*input.statement);
  retry_.reset();
  if (!is_first) return make_portal(std::move(input));
  StatementInput again = input;
  std::unique_ptr<Portal> portal = make_portal(std::move(input));
  // Rows of RETURNING are sent before the commit: those statements are not run again.
  if (const auto* command = dynamic_cast<const CommandPortal*>(portal.get())) {
    retry_ = Retry{std::move(again), command->shared_tag()};
  }
  return portal;
}

void SessionState::run_again(const Retry& retry, bool alone, bool tag_is_told) {
  if (alone) {
    begin_statement();
    const TableId table = target_table(*contested_table(*retry.input.statement))->schema->id;
    transaction_->rollback();
    end_transaction(false);
    start_transaction(server.database->begin_alone(table));
  }
  const std::unique_ptr<Portal> portal = make_portal(retry.input);
  portal->run();
  if (tag_is_told && portal->tag() != *retry.tag) {
    throw SqlError(sqlstate::kSerializationFailure, "could not serialize access due to concurrent update");
  }
  *retry.tag = portal->tag();
}

CommitNumber SessionState::commit_statements(bool wait) {
  close_portals(true);
  const bool synchronous = follow_settings().synchronous_commit;
  // Whoever waits for the key of a run must see its commit.
  if (run_) wait = true;
  CommitNumber visible_after{};
  try {
    before_commit();
    if (run_ && !run_->skips()) transaction_->end_run(run_->take_writes());
    CommitResult result =
        synchronous && !wait ? transaction_->commit_without_waiting() : transaction_->commit(synchronous);
    visible_after = result.visible_after;
    note_committed(result);
  } catch (...) {
    end_transaction(false);
    throw;
  }
  const std::function<void()> publish = notifications.commit();
  if (publish && visible_after != CommitNumber{}) {
    server.database->when_visible(visible_after, [publish](const SqlError* error) {
      if (!error) publish();
    });
  } else if (publish) {
    publish();
  }
  end_transaction(true);
  return visible_after;
}

void SessionState::note_committed(const CommitResult& result) {
  if (!result.wrote && result.counts.skipped == 0) return;
  last_write = {last_write.number + 1, result.counts};
  server.metrics.count_commit(result.counts);
}

bool SessionState::is_plain_commit() const {
  return block_ == Block::kNone && transaction_ && !retry_ && !run_ && dropped_.empty() && altered_.empty() &&
         temporary_.empty() && notifications.is_empty();
}

bool SessionState::may_share_commit() const { return is_plain_commit() && transaction_->may_share_commit(); }

CommitRequest SessionState::begin_shared_commit() {
  if (!may_share_commit()) return {};
  statements_ = 0;
  close_portals(true);
  return {transaction_.get(), follow_settings().synchronous_commit};
}

CommitNumber SessionState::end_shared_commit(const CommitOutcome& outcome) {
  if (!outcome.error) note_committed(outcome.result);
  end_transaction(!outcome.error);
  return outcome.result.visible_after;
}

CommitNumber SessionState::commit_inserts() {
  if (!is_plain_commit() || !transaction_->only_inserts()) return {};
  unseen_ = finish_statements(false, true);
  return unseen_;
}

void SessionState::before_commit() {
  if (!dropped_.empty() || !altered_.empty()) check_views();
  if (temporary_.empty()) return;
  const std::shared_ptr<const Catalog> catalog = transaction_->schema_view().catalog;
  const std::string schema = temporary_schema();
  for (auto at = catalog->tables.lower_bound({schema, ""});
       at != catalog->tables.end() && at->first.first == schema; ++at) {
    const ast::OnCommit action = temporary_[at->second];
    if (action == ast::OnCommit::kDrop) transaction_->drop_table(at->second);
    if (action == ast::OnCommit::kDeleteRows && transaction_->read_view().table(at->second)->row_count > 0) {
      transaction_->truncate(at->second);
    }
  }
}

void SessionState::check_views() {
  if (!repeatable_read_) transaction_->refresh();
  view_ = transaction_->schema_view();
  if (!altered_.empty()) {
    for (const DependentView& broken : views_broken_by(*this, altered_)) {
      throw sql_error(sqlstate::kDependentObjectsStillExist,
                      "cannot change the columns or the name of what {} {} reads", broken.kind(),
                      broken.view.name)
          .with_detail(fmt::format("The query of {} {} would no longer give its columns.", broken.kind(),
                                   broken.view.name))
          .with_hint(fmt::format("Drop the {} first, or use DROP COLUMN ... CASCADE.", broken.kind()));
    }
  }
  if (dropped_.empty()) return;
  const Catalog& committed = *transaction_->committed_view().catalog;
  const auto committed_kind = [&](const std::pair<std::string, std::string>& name) -> std::string_view {
    if (committed.views.contains(name)) return "view";
    const auto table = committed.tables.find(name);
    return table != committed.tables.end() && committed.materialized_view(table->second) ? "materialized view"
                                                                                         : "table";
  };
  const auto is_renamed = [&](const std::pair<std::string, std::string>& name) {
    const auto table = committed.tables.find(name);
    if (table != committed.tables.end()) return view_.table(table->second) != nullptr;
    const auto view = committed.views.find(name);
    return view != committed.views.end() &&
           std::any_of(view_.catalog->views.begin(), view_.catalog->views.end(),
                       [&](const auto& now) { return now.second->id == view->second->id; });
  };
  const std::vector<BrokenView> broken = broken_views(*this, dropped_);
  if (broken.empty()) return;
  std::string detail;
  for (const BrokenView& b : broken) {
    if (!detail.empty()) detail += "\n";
    detail += fmt::format("{} {} depends on {} {}", b.view.kind(), b.view.view.name,
                          committed_kind(b.missing), b.missing.second);
  }
  throw sql_error(sqlstate::kDependentObjectsStillExist, "cannot {} {} {} because other objects depend on it",
                  is_renamed(broken[0].missing) ? "rename" : "drop", committed_kind(broken[0].missing),
                  broken[0].missing.second)
      .with_detail(detail)
      .with_hint(
          "Use DROP ... CASCADE to drop the dependent objects too, or create it anew in the same "
          "transaction.");
}

std::string SessionState::temporary_schema() const { return fmt::format("pg_temp_{}", pid); }

void SessionState::drop_temporary_tables() {
  if (temporary_.empty()) return;
  auto transaction = server.database->begin();
  const std::shared_ptr<const Catalog> catalog = transaction->schema_view().catalog;
  const std::string schema = temporary_schema();
  for (auto at = catalog->tables.lower_bound({schema, ""});
       at != catalog->tables.end() && at->first.first == schema; ++at) {
    transaction->drop_table(at->second);
  }
  transaction->commit(false);
  temporary_.clear();
}

// A schema as a statement wrote it; nothing if it is that of another session's temporary tables.
std::optional<std::string> SessionState::schema_of_name(const std::string& schema) const {
  if (schema == "pg_temp") return temporary_schema();
  if (schema.starts_with("pg_temp_") && schema != temporary_schema()) return std::nullopt;
  return schema;
}

void SessionState::end_transaction(bool committed) {
  transaction_.reset();
  run_.reset();
  retry_.reset();
  statements_ = 0;
  savepoints_.clear();
  dropped_.clear();
  altered_.clear();
  view_ = Snapshot();
  read_only_ = repeatable_read_ = has_snapshot_ = false;
  if (committed) settings.commit_transaction();
  else settings.rollback_transaction();
  notifications.rollback();
  if (follow_settings().modes_are_default) return;
  settings.set_internal("transaction_isolation", settings.get("default_transaction_isolation"));
  settings.set_internal("transaction_read_only", settings.get("default_transaction_read_only"));
  follow_settings();
}

int64_t SessionState::snapshot_millis_left() const {
  const int64_t timeout = followed_.snapshot_timeout;
  if (timeout == 0 || !transaction_) return timeout;
  const int64_t age = (server.clock->now_micros() - transaction_time_micros) / 1000;
  return std::max<int64_t>(timeout - age, 1);
}

int64_t lesser_limit(int64_t a, int64_t b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

const SessionState::Followed& SessionState::follow_settings() {
  if (followed_.generation == settings.generation()) return followed_;
  zone = find_time_zone(settings.get("TimeZone"));
  Followed now;
  now.query_memory_limit = static_cast<uint64_t>(settings.get_int("query_memory_limit"));
  now.statement_timeout = settings.get_int("statement_timeout");
  now.snapshot_timeout = settings.get_int("snapshot_timeout");
  now.idle_session_timeout = settings.get_int("idle_session_timeout");
  now.idle_in_transaction_timeout = lesser_limit(settings.get_int("idle_in_transaction_timeout"),
                                                 settings.get_int("idle_in_transaction_session_timeout"));
  if (settings.get("log_min_duration_statement") != "-1")
    now.log_min_duration = settings.get_int("log_min_duration_statement");
  now.synchronous_commit = settings.get("synchronous_commit") != "off";
  now.default_read_only = settings.get_bool("default_transaction_read_only");
  now.modes_are_default =
      settings.get("transaction_isolation") == settings.get("default_transaction_isolation") &&
      settings.get("transaction_read_only") == settings.get("default_transaction_read_only");
  now.generation = settings.generation();
  followed_ = now;
  return followed_;
}

void SessionState::statement_failed() {
  if (block_ == Block::kNone) {
    if (!transaction_) return;
    close_portals(false);
    transaction_->rollback();
    end_transaction(false);
    return;
  }
  if (block_ == Block::kOpen) {
    block_ = Block::kFailed;
    view_ = Snapshot();
    if (!savepoints_.empty()) return;  // ROLLBACK TO may bring it back to life
    close_portals(false);
    if (transaction_) transaction_->rollback();
    transaction_.reset();
    notifications.rollback();
  }
}

TransactionStatus SessionState::status() const {
  switch (block_) {
    case Block::kNone: return TransactionStatus::kIdle;
    case Block::kOpen: return TransactionStatus::kActive;
    case Block::kFailed: return TransactionStatus::kFailed;
  }
  return TransactionStatus::kIdle;
}

// Portals end with their transaction; a cursor WITH HOLD is turned into its remaining rows when the transaction commits.
void SessionState::close_portals(bool keep_holdable) {
  for (auto it = portals.begin(); it != portals.end();) {
    bool keep = keep_holdable ? keep_cursor_rows(*it->second) : is_held_cursor(*it->second);
    if (keep) {
      ++it;
      continue;
    }
    closed_portals.push_back(std::move(it->second));
    it = portals.erase(it);
  }
}

// Those that were opened since, the one that is running now among them where it came through the extended protocol.
void SessionState::close_portals_after(const Savepoint& savepoint) {
  for (auto it = portals.begin(); it != portals.end();) {
    if (savepoint.portals.contains(it->second.get())) {
      ++it;
      continue;
    }
    closed_portals.push_back(std::move(it->second));
    it = portals.erase(it);
  }
}

// -- messages -------------------------------------------------------------------------------------------

void SessionState::notice(std::string severity, SqlError content) {
  notices.push_back({std::move(severity), std::move(content)});
}

void SessionState::notify(std::string_view channel, std::string_view payload) {
  notifications.notify({pid, std::string(channel), std::string(payload)});
}

// -- settings -------------------------------------------------------------------------------------------

std::string SessionState::setting(std::string_view name, bool missing_ok) const {
  if (missing_ok && !settings.has(name)) return "";
  return settings.get(name);
}

void SessionState::set_setting(std::string_view name, std::string_view value, bool local) {
  using binding::equal_ignoring_case;
  if (equal_ignoring_case(name, "role")) check_role(std::string(value));
  settings.set(name, value, local);
  // These two are modes of the transaction, outside a block of one that ends with the statement, and only shown as settings.
  ast::TransactionModes modes;
  if (equal_ignoring_case(name, "transaction_isolation")) modes.isolation = isolation_setting(name);
  if (equal_ignoring_case(name, "transaction_read_only")) modes.read_only = settings.get_bool(name);
  if (modes.isolation || modes.read_only) {
    transaction();
    set_modes(modes);
  }
  follow_settings();
  std::lock_guard lock(activity_mutex);
  activity.application_name = settings.get("application_name");
}

}  // namespace idem
