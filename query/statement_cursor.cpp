#include <algorithm>
#include <utility>

#include "parser/deparse.h"
#include "query/expression_evaluator.h"
#include "query/portal.h"
#include "query/row_store.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

// A cursor of DECLARE: a portal whose rows FETCH and MOVE take. A scrollable one keeps the chunks that it has read, as does one
// WITH HOLD once its transaction has committed.
class CursorPortal final : public Portal {
 public:
  // `memory`: of rows that are kept beyond the transaction.
  CursorPortal(std::unique_ptr<Portal> rows, bool scroll, bool hold, MemoryBudget* memory)
      : columns_(rows->columns()), rows_(std::move(rows)), scroll_(scroll), hold_(hold), memory_(memory) {}

  Kind kind() const override { return Kind::kRows; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return "SELECT " + std::to_string(position_); }
  // Execute on a cursor by the protocol: forward.
  bool next(DataChunk* chunk, uint64_t max_rows) override { return fetch_piece(max_rows, chunk); }

  bool hold() const { return hold_; }
  bool kept() const { return kept_; }

  // Copies everything that is left, so that the transaction and its snapshot may end: nothing of the tables is held any more.
  void keep() {
    if (kept_) return;
    std::vector<SqlType> types;
    for (const PlanColumn& column : columns_) types.push_back(column.type);
    const auto store = RowStore::make(std::move(types), memory_);
    for (const DataChunk& known : kept_chunks_) store->append(known);
    DataChunk chunk;
    while (!at_end_ && rows_->next(&chunk, 0)) store->append(chunk);
    store->seal();
    kept_chunks_.clear();
    chunk_ends_.clear();
    known_rows_ = forgotten_rows_ = scroll_ ? 0 : position_;
    for (size_t segment = 0; segment < store->segment_count(); ++segment) {
      const uint32_t rows = store->segment_rows(segment);
      for (uint32_t first = 0; first < rows; first += kVectorSize) {
        store->read(segment, first, std::min(kVectorSize, rows - first), &chunk);
        remember(std::exchange(chunk, {}));
      }
    }
    rows_.reset();
    at_end_ = kept_ = true;
  }

  // Rows fetched (moved over), each in *out unless null.
  uint64_t fetch(const ast::FetchStatement& s, std::deque<DataChunk>* out) {
    using Direction = ast::FetchStatement::Direction;
    switch (s.direction) {
      case Direction::kForward:
        if (s.all) return fetch_forward(UINT64_MAX, out);
        if (s.count < 0) return fetch_backward(static_cast<uint64_t>(-s.count), out);
        return s.count == 0 ? fetch_current(out) : fetch_forward(static_cast<uint64_t>(s.count), out);
      case Direction::kBackward:
        if (s.all) return fetch_backward(UINT64_MAX, out);
        if (s.count < 0) return fetch_forward(static_cast<uint64_t>(-s.count), out);
        return s.count == 0 ? fetch_current(out) : fetch_backward(static_cast<uint64_t>(s.count), out);
      case Direction::kAbsolute: return fetch_absolute(s.count, out);
      case Direction::kRelative:
        return s.count == 0 ? fetch_current(out)
                            : fetch_absolute(static_cast<int64_t>(position_) + s.count, out);
    }
    return 0;
  }

 private:
  // position_: 1-based number of the row that the cursor stands on; 0 before the first, total + 1 behind the last.
  void remember(DataChunk chunk) {
    known_rows_ += chunk.count();
    kept_chunks_.push_back(std::move(chunk));
    chunk_ends_.push_back(known_rows_);
  }

  bool read_more() {
    DataChunk chunk;
    if (at_end_ || !rows_->next(&chunk, 0)) {
      at_end_ = true;
      return false;
    }
    remember(std::move(chunk));
    return true;
  }

  DataChunk row(uint64_t number, uint32_t count) const {
    size_t i = static_cast<size_t>(std::lower_bound(chunk_ends_.begin(), chunk_ends_.end(), number) -
                                   chunk_ends_.begin());
    uint64_t before = i == 0 ? forgotten_rows_ : chunk_ends_[i - 1];
    uint32_t first = static_cast<uint32_t>(number - 1 - before);
    return narrow(kept_chunks_[i], first, std::min<uint32_t>(count, kept_chunks_[i].count() - first));
  }

  // The next rows, at most max_rows (0: no limit), of one chunk.
  bool fetch_piece(uint64_t max_rows, DataChunk* chunk) {
    if (scroll_ || kept_) {
      if (position_ >= known_rows_ && !read_more()) {
        position_ = known_rows_ + 1;
        return false;
      }
      *chunk =
          row(position_ + 1,
              static_cast<uint32_t>(max_rows == 0 ? kVectorSize : std::min<uint64_t>(max_rows, kVectorSize)));
    } else if (!rows_->next(chunk, max_rows)) {
      return false;
    }
    position_ += chunk->count();
    return true;
  }

  uint64_t fetch_forward(uint64_t count, std::deque<DataChunk>* out) {
    uint64_t done = 0;
    DataChunk chunk;
    while (done < count && fetch_piece(count == UINT64_MAX ? 0 : count - done, &chunk)) {
      done += chunk.count();
      if (out) out->push_back(std::move(chunk));
    }
    return done;
  }

  void need_scroll() const {
    if (!scroll_) {
      throw SqlError(sqlstate::kObjectNotInPrerequisiteState, "cursor can only scan forward")
          .with_hint("Declare it with SCROLL option to enable backward scan.");
    }
  }

  uint64_t fetch_backward(uint64_t count, std::deque<DataChunk>* out) {
    need_scroll();
    uint64_t done = 0;
    while (done < count && position_ > 0) {
      if (--position_ == 0) break;
      if (out) out->push_back(row(position_, 1));
      done++;
    }
    return done;
  }

  uint64_t fetch_current(std::deque<DataChunk>* out) {
    if (position_ == 0) return 0;
    need_scroll();
    if (position_ > known_rows_) return 0;
    if (out) out->push_back(row(position_, 1));
    return 1;
  }

  uint64_t fetch_absolute(int64_t target, std::deque<DataChunk>* out) {
    if (!scroll_) {
      // Forward is possible without SCROLL.
      int64_t step = target - static_cast<int64_t>(position_);
      if (target <= 0 || step <= 0) need_scroll();
      if (step > 1 &&
          fetch_forward(static_cast<uint64_t>(step - 1), nullptr) < static_cast<uint64_t>(step - 1))
        return 0;
      return fetch_forward(1, out);
    }
    if (target < 0) {
      while (read_more()) {}
      target += static_cast<int64_t>(known_rows_) + 1;
    }
    while (static_cast<int64_t>(known_rows_) < target && read_more()) {}
    position_ = target <= 0 ? 0 : std::min<uint64_t>(static_cast<uint64_t>(target), known_rows_ + 1);
    return fetch_current(out);
  }

  std::vector<PlanColumn> columns_;
  std::unique_ptr<Portal> rows_;  // null once they are kept
  bool scroll_, hold_, kept_ = false, at_end_ = false;
  MemoryBudget* memory_;
  uint64_t position_ = 0, known_rows_ = 0;
  uint64_t forgotten_rows_ = 0;  // given out before the others were kept
  std::vector<DataChunk> kept_chunks_;
  std::vector<uint64_t> chunk_ends_;
};

Portal& find_portal(SessionState& session, const ast::Identifier& name) {
  auto it = session.portals.find(name.text);
  if (it == session.portals.end()) {
    throw sql_error(sqlstate::kInvalidCursorName, "cursor \"{}\" does not exist", name.text)
        .with_position(name.position);
  }
  return *it->second;
}

// FETCH and MOVE work on portals of the protocol, too: asyncpg moves them.
uint64_t fetch_from(Portal& portal, const ast::FetchStatement& s, std::deque<DataChunk>* out) {
  if (auto* cursor = dynamic_cast<CursorPortal*>(&portal)) return cursor->fetch(s, out);
  using Direction = ast::FetchStatement::Direction;
  bool forward = (s.direction == Direction::kForward || s.direction == Direction::kRelative) && s.count >= 0;
  if (!forward || portal.kind() != Portal::Kind::kRows) {
    throw SqlError(sqlstate::kObjectNotInPrerequisiteState, "cursor can only scan forward");
  }
  uint64_t wanted = s.all ? UINT64_MAX : static_cast<uint64_t>(s.count), done = 0;
  DataChunk chunk;
  while (done < wanted && portal.next(&chunk, s.all ? 0 : wanted - done)) {
    done += chunk.count();
    if (out) out->push_back(std::move(chunk));
  }
  return done;
}

}  // namespace

std::string execute_declare_cursor(SessionState& session, const ast::DeclareCursorStatement& s,
                                   const StatementInput& input) {
  if (!s.hold && session.status() == TransactionStatus::kIdle) {
    throw SqlError(sqlstate::kNoActiveSqlTransaction,
                   "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (s.binary) throw SqlError(sqlstate::kFeatureNotSupported, "binary cursors are not supported");
  if (session.portals.contains(s.name.text)) {
    throw sql_error(sqlstate::kDuplicateCursor, "cursor \"{}\" already exists", s.name.text)
        .with_position(s.name.position);
  }
  session.begin_statement();
  ParameterTypes types = input.parameter_types;
  types.values = input.parameters;
  BoundQuery query = bind_query(*s.query, session, types);
  session.portals[s.name.text] =
      std::make_unique<CursorPortal>(session.make_query_portal(std::move(query), input.parameters),
                                     s.scroll.value_or(false), s.hold, session.server.memory);
  return "DECLARE CURSOR";
}

std::vector<PlanColumn> fetch_columns(SessionState& session, const ast::FetchStatement& s) {
  return find_portal(session, s.cursor).columns();
}

std::unique_ptr<Portal> execute_fetch(SessionState& session, const ast::FetchStatement& s) {
  if (s.move) {
    return std::make_unique<CommandPortal>([&session, &s] {
      return "MOVE " + std::to_string(fetch_from(find_portal(session, s.cursor), s, nullptr));
    });
  }
  std::vector<PlanColumn> columns = fetch_columns(session, s);
  return std::make_unique<RowsPortal>(std::move(columns), [&session, &s] {
    RowsPortal::Result result;
    result.tag = "FETCH " + std::to_string(fetch_from(find_portal(session, s.cursor), s, &result.chunks));
    return result;
  });
}

std::string execute_close_cursor(SessionState& session, const ast::CloseCursorStatement& s) {
  if (s.all) {
    for (auto& [name, portal] : session.portals) session.closed_portals.push_back(std::move(portal));
    session.portals.clear();
    return "CLOSE CURSOR ALL";
  }
  find_portal(session, s.cursor);
  session.portals.erase(s.cursor.text);
  return "CLOSE CURSOR";
}

bool keep_cursor_rows(Portal& portal) {
  auto* cursor = dynamic_cast<CursorPortal*>(&portal);
  if (!cursor || !cursor->hold()) return false;
  cursor->keep();
  return true;
}

bool is_held_cursor(const Portal& portal) {
  const auto* cursor = dynamic_cast<const CursorPortal*>(&portal);
  return cursor && cursor->kept();
}

// -- PREPARE, EXECUTE, DEALLOCATE -----------------------------------------------------------------------

std::string execute_prepare(SessionState& session, const ast::PrepareStatement& s) {
  if (session.prepared.contains(s.name.text)) {
    throw sql_error(sqlstate::kDuplicatePreparedStatement, "prepared statement \"{}\" already exists",
                    s.name.text);
  }
  std::vector<SqlType> types;
  for (const ast::TypeName& t : s.parameter_types)
    types.push_back(resolve_type_name(t.name, t.modifiers.data(), t.modifiers.size(), t.is_array()));
  std::string text = parser::deparse(*s.statement);
  auto parsed = std::make_shared<parser::ParsedStatement>(parser::parse_one(text));
  session.prepared[s.name.text] = session.prepare(*parsed, parsed, s.name.text, text, std::move(types));
  return "PREPARE";
}

StatementInput prepared_input(SessionState& session, const ast::ExecuteStatement& s) {
  auto entry = session.find_prepared(s.name.text);
  const std::vector<SqlType>& types = entry->info.parameter_types;
  if (types.size() != s.arguments.size()) {
    throw sql_error(sqlstate::kSyntaxError, "wrong number of parameters for prepared statement \"{}\"",
                    s.name.text)
        .with_detail(fmt::format("Expected {} parameters but got {}.", types.size(), s.arguments.size()));
  }
  session.begin_statement();
  auto run = session.start_run();
  EvaluationState state{&run->context, {}};
  StatementInput input;
  for (size_t i = 0; i < types.size(); i++) {
    ParameterTypes none;
    BoundPtr bound = bind_expression(*s.arguments[i], {}, session, none, types[i]);
    input.parameters.push_back(evaluate_constant(state, *bound));
  }
  input.statement = entry->info.statement->statement.get();
  input.text = entry->info.text;
  input.parameter_types.types = types;
  input.entry = std::move(entry);
  return input;
}

std::unique_ptr<Portal> execute_execute(SessionState& session, const ast::ExecuteStatement& s) {
  return session.make_portal(prepared_input(session, s));
}

std::string execute_deallocate(SessionState& session, const ast::DeallocateStatement& s) {
  if (s.all) {
    session.prepared.clear();
    return "DEALLOCATE ALL";
  }
  session.find_prepared(s.name.text);
  session.prepared.erase(s.name.text);
  return "DEALLOCATE";
}

}  // namespace idem
