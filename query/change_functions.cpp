#include "query/change_functions.h"

#include "parser/parser.h"
#include "query/expression_evaluator.h"
#include "storage/change_feed.h"
#include "storage/database.h"

namespace idem {

namespace {

std::vector<PlanColumn> feed_columns(const TableSchema& schema) {
  std::vector<PlanColumn> columns = {
      {"change_type", TypeId::kVarchar}, {"version", TypeId::kBigInt}, {"committed_at", TypeId::kTimestamp}};
  for (const ColumnSchema& column : schema.columns) {
    const bool taken =
        column.name == "change_type" || column.name == "version" || column.name == "committed_at";
    columns.push_back({taken ? column.name + "_of_row" : column.name, column.type});
  }
  return columns;
}

// The changes of one table between two versions.
class ChangeFeed final : public VirtualTable {
 public:
  ChangeFeed(std::shared_ptr<const TableVersion> to, Snapshot committed, VersionNumber from,
             uint64_t least_rows)
      : to_(std::move(to)),
        committed_(std::move(committed)),
        from_(from),
        least_rows_(least_rows),
        columns_(feed_columns(*to_->schema)) {}

  const std::vector<PlanColumn>& columns() const override { return columns_; }

  void produce(ExecutionContext& context, const std::vector<Value>&,
               const std::function<void(DataChunk&)>& emit) const override {
    uint64_t given = 0;
    context.server->database->read_changes(committed_, to_->schema->id, from_, to_->version,
                                           [&](VersionChanges changes) {
                                             emit_version(changes, emit);
                                             given += changes.kinds.size();
                                             return given < least_rows_;
                                           });
  }

 private:
  void emit_version(const VersionChanges& changes, const std::function<void(DataChunk&)>& emit) const {
    const auto total = static_cast<uint32_t>(changes.kinds.size());
    for (uint32_t first = 0; first < total; first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, total - first);
      DataChunk chunk;
      Vector kinds;
      auto* texts = kinds.allocate_as<std::string_view>(TypeId::kVarchar, count);
      for (uint32_t i = 0; i < count; ++i) texts[i] = change_kind_name(changes.kinds[first + i]);
      chunk.columns.push_back(std::move(kinds));
      chunk.columns.push_back(Vector::constant(
          Value::of_int(TypeId::kBigInt, static_cast<int64_t>(static_cast<uint64_t>(changes.version)))));
      chunk.columns.push_back(Vector::constant(Value::of_int(TypeId::kTimestamp, changes.time_micros)));
      for (size_t c = 0; c < changes.rows->column_count(); ++c) {
        chunk.columns.push_back(changes.rows->column(c).slice(first, count));
        chunk.columns.back().owner = changes.rows;
      }
      chunk.set_size(count);
      emit(chunk);
    }
  }

  std::shared_ptr<const TableVersion> to_;
  Snapshot committed_;
  VersionNumber from_;
  uint64_t least_rows_;
  std::vector<PlanColumn> columns_;
};

SqlError bad_arguments(const ast::FunctionCall& call, std::string_view usage) {
  return sql_error(sqlstate::kInvalidParameterValue, "{}() takes {}", call.function(), usage)
      .with_position(call.position);
}

std::string text_argument(SessionState& session, const ast::FunctionCall& call, size_t i) {
  return session.constant_value(*call.arguments[i], TypeId::kText).as_string();
}

uint64_t number_argument(SessionState& session, const ast::FunctionCall& call, size_t i) {
  const int64_t number = session.constant_value(*call.arguments[i], TypeId::kBigInt).as_int();
  if (number < 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "{} is negative", number)
        .with_position(call.arguments[i]->position);
  }
  return static_cast<uint64_t>(number);
}

std::shared_ptr<const TableVersion> committed_table(SessionState& session, TableId id,
                                                    const ast::FunctionCall& call) {
  auto table = session.transaction().committed_view().table(id);
  if (table) return table;
  throw sql_error(sqlstate::kObjectNotInPrerequisiteState, "the table is not committed yet")
      .with_position(call.position);
}

std::shared_ptr<const VirtualTable> table_changes(SessionState& session, const ast::FunctionCall& call) {
  if (call.arguments.size() < 2 || call.arguments.size() > 3) {
    throw bad_arguments(
        call, "the name of a table, the version after which changes count, and the last version that counts");
  }
  const ast::ObjectName name = parser::parse_object_name(text_argument(session, call, 0));
  const auto named = session.target_table(name);
  session.check_read(*named->schema);
  const TableId id = named->schema->id;
  auto to = committed_table(session, id, call);
  const VersionNumber from{number_argument(session, call, 1)};
  if (from > to->version) {
    throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" has no version {}", to->schema->name,
                    static_cast<uint64_t>(from))
        .with_hint(fmt::format("Its newest version is {}.", static_cast<uint64_t>(to->version)))
        .with_position(call.arguments[1]->position);
  }
  const Snapshot& committed = session.transaction().committed_view();
  if (call.arguments.size() == 3) {
    const VersionNumber last{number_argument(session, call, 2)};
    if (last < from) {
      throw sql_error(sqlstate::kInvalidParameterValue, "version {} comes before version {}",
                      static_cast<uint64_t>(last), static_cast<uint64_t>(from))
          .with_position(call.arguments[2]->position);
    }
    to = session.server.database->find_version(committed, id, VersionNumberTarget{last}).version;
  }
  return std::make_shared<ChangeFeed>(std::move(to), committed, from, UINT64_MAX);
}

std::shared_ptr<const VirtualTable> changes_of(SessionState& session, const ast::FunctionCall& call) {
  if (call.arguments.empty() || call.arguments.size() > 2) {
    throw bad_arguments(call, "the name of a change slot and, if not all is wanted, a number of rows");
  }
  const std::string name = text_argument(session, call, 0);
  const Snapshot& committed = session.transaction().committed_view();
  const auto slot = committed.catalog->slots.find(name);
  if (slot == committed.catalog->slots.end()) {
    throw sql_error(sqlstate::kUndefinedObject, "change slot \"{}\" does not exist", name)
        .with_position(call.position);
  }
  const uint64_t rows = call.arguments.size() == 2 ? number_argument(session, call, 1) : UINT64_MAX;
  return std::make_shared<ChangeFeed>(committed_table(session, slot->second.table, call), committed,
                                      slot->second.version, rows);
}

}  // namespace

std::shared_ptr<const VirtualTable> bind_change_function(SessionState& session,
                                                         const ast::FunctionCall& call) {
  if (call.function() == "table_changes") return table_changes(session, call);
  if (call.function() == "changes_of") return changes_of(session, call);
  return nullptr;
}

std::shared_ptr<const VirtualTable> SessionState::bind_change_function(const ast::FunctionCall& call) const {
  return idem::bind_change_function(const_cast<SessionState&>(*this), call);
}

}  // namespace idem
