#include "query/session_run.h"

#include "common/hash.h"
#include "parser/deparse.h"
#include "query/access_control.h"
#include "query/portal.h"
#include "query/statement_executors.h"
#include "storage/run_restore.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

using ast::StatementKind;

// Where a skipped statement names a table that is gone, the types of its parameters are not known and come as
// texts: strings and integers are hashed alike, whatever their type.
void append_parameter(std::string& bytes, const Value& value) {
  ByteWriter out(bytes);
  out.boolean(value.is_null());
  if (value.is_null()) return;
  if (is_string_like(value.type().id)) {
    out.string(value.as_string());
  } else if (is_integer(value.type().id)) {
    out.string(std::to_string(value.as_int()));
  } else {
    write_value(out, value);
  }
}

// Parameters count like literals: a statement with other values is another one.
uint64_t text_hash(const StatementInput& input) {
  const uint64_t hash = hash_bytes(parser::deparse(*input.statement));
  if (input.parameters.empty()) return hash;
  std::string bytes;
  for (const Value& value : input.parameters) append_parameter(bytes, value);
  return hash_combine(hash, hash_bytes(bytes));
}

// A write of a run that executes: as it is, and noted when it is done.
class NotedWrite final : public Portal {
 public:
  NotedWrite(SessionState& session, std::unique_ptr<Portal> write, uint64_t hash)
      : session_(session), write_(std::move(write)), hash_(hash) {}
  Kind kind() const override { return write_->kind(); }
  const std::vector<PlanColumn>& columns() const override { return write_->columns(); }
  std::string tag() const override { return write_->tag(); }
  bool next(DataChunk* chunk, uint64_t max_rows) override {
    // With the first rows the whole statement was executed.
    const bool more = write_->next(chunk, max_rows);
    note();
    return more;
  }
  void run() override {
    write_->run();
    note();
  }
  void copy_data(std::string bytes) override { write_->copy_data(std::move(bytes)); }
  void copy_done() override {
    write_->copy_done();
    note();
  }
  void copy_fail(std::string_view message) override { write_->copy_fail(message); }
  bool copy_is_binary() const override { return write_->copy_is_binary(); }

 private:
  void note() {
    if (std::exchange(noted_, true) || !session_.run()) return;
    session_.run()->note_write(hash_, write_->tag());
  }

  SessionState& session_;
  std::unique_ptr<Portal> write_;
  uint64_t hash_;
  bool noted_ = false;
};

// A write of a run that was committed before: answered as then, its COPY data read and dropped, its RETURNING
// without rows.
class SkippedWrite final : public Portal {
 public:
  SkippedWrite(SessionState& session, Kind kind, std::vector<PlanColumn> columns, bool binary, uint64_t hash)
      : session_(session), kind_(kind), columns_(std::move(columns)), binary_(binary), hash_(hash) {}
  Kind kind() const override { return kind_; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return tag_; }
  bool next(DataChunk*, uint64_t) override {
    skip();
    return false;
  }
  void run() override { skip(); }
  void copy_data(std::string) override { skip(); }
  void copy_done() override { skip(); }
  void copy_fail(std::string_view message) override {
    throw sql_error(sqlstate::kQueryCanceled, "COPY from stdin failed: {}", message);
  }
  bool copy_is_binary() const override { return binary_; }

 private:
  void skip() {
    session_.cancel.check();
    if (std::exchange(skipped_, true)) return;
    if (SessionRun* run = session_.run()) tag_ = run->skip_write(hash_);
  }

  SessionState& session_;
  Kind kind_;
  std::vector<PlanColumn> columns_;
  bool binary_;
  uint64_t hash_;
  std::string tag_;
  bool skipped_ = false;
};

std::vector<PlanColumn> copy_columns(const SessionState& session, const ast::CopyStatement& copy) {
  std::vector<PlanColumn> columns;
  for (const ast::Identifier& name : copy.columns) columns.push_back({name.text, TypeId::kText});
  if (!columns.empty()) return columns;
  try {
    for (const ColumnSchema& c : session.target_table(copy.table)->schema->columns)
      columns.push_back({c.name, c.type});
  } catch (const SqlError&) {
    // The run's later statements have dropped it: clients send the data whatever its columns.
  }
  return columns;
}

std::unique_ptr<Portal> skipped_write(SessionState& session, const StatementInput& input, uint64_t hash) {
  if (const auto* copy = ast::try_as<ast::CopyStatement>(input.statement);
      copy && copy->endpoint != ast::CopyStatement::Endpoint::kFile) {
    session.begin_write_statement();
    bool binary = false;
    for (const ast::Option& option : copy->options)
      binary = binary || (option.name == "format" && option.value == "binary");
    return std::make_unique<SkippedWrite>(session, Portal::Kind::kCopyIn, copy_columns(session, *copy),
                                          binary, hash);
  }
  ParameterTypes types = input.parameter_types;
  PreparedEntry described;
  session.describe(*input.statement, types, &described);
  const auto kind = described.info.returns_rows ? Portal::Kind::kRows : Portal::Kind::kCommand;
  return std::make_unique<SkippedWrite>(session, kind, std::move(described.info.columns), false, hash);
}

// Those that leave a pending run (SET run) pending.
bool is_session_command(StatementKind kind) {
  switch (kind) {
    case StatementKind::kTransaction:
    case StatementKind::kSet:
    case StatementKind::kReset:
    case StatementKind::kShow:
    case StatementKind::kSetTransaction:
    case StatementKind::kDiscard:
    case StatementKind::kPrepare:
    case StatementKind::kDeallocate:
    case StatementKind::kListen: return true;
    default: return false;
  }
}

// Putting a run's tables back takes rows away, as DELETE does, and drops what the run made.
void check_may_restore(const SessionState& session, const Snapshot& view, const Run& run) {
  AccessControl(*view.catalog, session.session_user()).require_role(run.user);
  const AccessControl access(*view.catalog, session.user());
  for (const RunRestore::Table& restored : plan_run_restore(*view.catalog, run).tables) {
    const auto table = view.table(restored.table);
    if (!table) continue;
    require_not_immutable(*view.catalog, *table->schema, session.server.clock->now_micros());
    const SecuredObject object = SecuredObject::of(*table->schema);
    if (restored.discarded) {
      access.require_owner(object);
    } else {
      access.require(object, Privilege::kDelete);
    }
  }
}

}  // namespace

const std::string& SessionRun::skip_write(uint64_t hash) {
  if (skipped_ == first_->writes.size()) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                    "run \"{}\" was executed before with fewer writes", key_)
        .with_detail(fmt::format("It had {}.", first_->writes.size()))
        .with_hint("BEGIN RUN … ON REPLAY RESTORE executes it anew; FORGET RUN forgets it.");
  }
  const RunWrite& write = first_->writes[skipped_];
  if (write.text_hash != hash) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                    "run \"{}\" was executed before with another statement at this place", key_)
        .with_detail(fmt::format("Its write {} was answered with {}.", skipped_ + 1, write.tag))
        .with_hint("BEGIN RUN … ON REPLAY RESTORE executes it anew; FORGET RUN forgets it.");
  }
  ++skipped_;
  return write.tag;
}

bool is_run_write(const ast::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kCreateTable:
    case StatementKind::kCreateView:
    case StatementKind::kCreateMaterializedView:
    case StatementKind::kCreateSchema:
    case StatementKind::kCreateRole:
    case StatementKind::kCreateChangeSlot:
    case StatementKind::kAdvanceChangeSlot:
    case StatementKind::kAlterTable:
    case StatementKind::kAlterRole:
    case StatementKind::kAlterSchema:
    case StatementKind::kAlterDefaultPrivileges:
    case StatementKind::kDrop:
    case StatementKind::kTruncate:
    case StatementKind::kRestoreTable:
    case StatementKind::kUndrop:
    case StatementKind::kRefreshMaterializedView:
    case StatementKind::kForgetRun:
    case StatementKind::kGrant:
    case StatementKind::kComment: return true;
    case StatementKind::kCopy: return ast::as<ast::CopyStatement>(statement).from;
    case StatementKind::kExplain: {
      const auto& explain = ast::as<ast::ExplainStatement>(statement);
      const bool may_write =
          explain.statement->kind == StatementKind::kExecute || is_run_write(*explain.statement);
      return explain.analyze && may_write;
    }
    default: return false;
  }
}

void SessionState::begin_run(const std::string& key, bool restores, bool force) {
  check_writable("BEGIN RUN");
  if (key.empty()) throw SqlError(sqlstate::kInvalidParameterValue, "the key of a run must not be empty");
  if (run_) throw sql_error(sqlstate::kActiveSqlTransaction, "run \"{}\" has begun already", run_->key());
  Transaction& t = transaction();
  if (has_snapshot_ || t.has_writes()) {
    throw SqlError(sqlstate::kActiveSqlTransaction,
                   "BEGIN RUN must come before any other statement of a transaction");
  }
  RunLock lock = server.database->lock_run(key, [this] { cancel.check(); });
  t.refresh();  // what whoever held the key has committed
  const Catalog& catalog = *t.schema_view().catalog;
  const auto known = catalog.runs.find(key);
  const std::shared_ptr<const Run> first = known == catalog.runs.end() ? nullptr : known->second;
  if (first && !restores) {
    run_ = std::make_unique<SessionRun>(key, std::move(lock), first);
    return;
  }
  t.describe(user_name, "");
  t.begin_run(key);
  if (first) {
    check_may_restore(*this, t.schema_view(), *first);
    t.restore_run(*first, force);
  }
  run_ = std::make_unique<SessionRun>(key, std::move(lock), nullptr);
}

void SessionState::begin_pending_run() {
  if (next_run_.empty()) return;
  const std::string key = std::exchange(next_run_, "");
  settings.set_internal("run", "");
  begin_run(key, false, false);
}

void SessionState::set_next_run(std::string key) {
  settings.set_internal("run", key);
  next_run_ = std::move(key);
}

std::unique_ptr<Portal> SessionState::make_portal(StatementInput input) {
  const ast::Statement& statement = *input.statement;
  // Of EXECUTE the prepared statement comes here.
  const bool outside_block = block_ == Block::kNone && !run_ && !next_run_.empty();
  if (outside_block && statement.kind != StatementKind::kExecute && !is_session_command(statement.kind))
    begin_pending_run();
  if (!run_ || status() == TransactionStatus::kFailed || !is_run_write(statement))
    return make_statement_portal(std::move(input));
  const uint64_t hash = text_hash(input);
  if (run_->skips()) return skipped_write(*this, input, hash);
  return std::make_unique<NotedWrite>(*this, make_statement_portal(std::move(input)), hash);
}

void SessionState::describe(const ast::Statement& statement, ParameterTypes& types, PreparedEntry* entry) {
  if (!run_ || !run_->skips() || !is_run_write(statement)) return describe_statement(statement, types, entry);
  try {
    describe_statement(statement, types, entry);
  } catch (const SqlError&) {
    // Later statements of the run may have removed what this one names. It is skipped, so it need not be
    // there.
    entry->info.returns_rows = false;
    entry->info.columns.clear();
  }
}

std::string execute_forget_run(SessionState& session, const ast::ForgetRunStatement& s) {
  session.check_writable("FORGET RUN");
  session.begin_statement();
  const auto& runs = session.snapshot().catalog->runs;
  const auto found = runs.find(s.key);
  if (found == runs.end()) {
    throw sql_error(sqlstate::kUndefinedObject, "run \"{}\" does not exist", s.key).with_position(s.position);
  }
  session.access().require_role(found->second->user);
  session.write_transaction("FORGET RUN").forget_run(s.key);
  return "FORGET RUN";
}

}  // namespace idem
