#include "storage/committing_table.h"

#include <algorithm>

#include "common/error.h"

namespace idem {

namespace {

// Above every code of a symbol column that the change brings along.
uint32_t symbols_end(const PartitionChange& change, ColumnId column) {
  int64_t highest = -1;
  for (const EncodedRows& rows : change.encoded) {
    for (uint32_t v = rows.first / kVectorSize; v <= (rows.first + rows.count - 1) / kVectorSize; ++v) {
      const VectorStatistics bounds = rows.group->statistics(column, v);
      if (bounds.has_bounds) highest = std::max(highest, bounds.max);
    }
  }
  const int index = change.rows ? change.rows->schema().find_column(column) : -1;
  if (index < 0) return static_cast<uint32_t>(highest + 1);
  const auto* data = static_cast<const int32_t*>(change.rows->column(static_cast<size_t>(index)).data());
  int32_t highest_row = -1;
  for (const uint32_t row : change.replaced_rows) highest_row = std::max(highest_row, data[row]);
  const uint64_t inserted = change.encoded.empty() ? change.positions.inserted_count() : 0;
  for (uint64_t i = 0; i < inserted; ++i) highest_row = std::max(highest_row, data[change.inserted_row(i)]);
  return static_cast<uint32_t>(std::max<int64_t>(highest, highest_row) + 1);
}

}  // namespace

std::vector<LoggedSymbols> new_symbols(const TableSchema& schema,
                                       const std::vector<LoggedPartition>& partitions) {
  std::vector<LoggedSymbols> result;
  for (const ColumnSchema& column : schema.columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    uint32_t end = 0;
    for (const LoggedPartition& partition : partitions) {
      for (const PartitionChange* change : partition.changes) {
        end = std::max(end, symbols_end(*change, column.id));
      }
    }
    if (!column.initial.is_null()) {
      end = std::max(end, static_cast<uint32_t>(column.dictionary->intern(column.initial.as_string())) + 1);
    }
    const uint32_t logged = column.dictionary->logged();
    if (end > logged) result.push_back({column.id, logged, end, column.dictionary.get()});
  }
  return result;
}

void CommittingTable::build_next() {
  changes->prepare_commit(state ? state->head : changes->base());
  if (!changes->has_effect()) return;
  next = std::make_shared<TableVersion>(*changes->current());
  if (changes->is_created()) {
    next->version = static_cast<VersionNumber>(changes->effects().empty() ? 0 : 1);
    return;
  }
  next->version = static_cast<VersionNumber>(static_cast<uint64_t>(changes->base()->version) + 1);
  if (!state) {  // undropped
    next->history = HistoryHandle::make();
    return;
  }
  step = changes->history_step();
  next->history = step ? HistoryHandle::make() : state->head->history;
}

void CommittingTable::check_protection(const std::map<uint32_t, TableProtection>& protected_from,
                                       int64_t now_micros) const {
  if (!state) return;
  const TableSchema& schema = *state->head->schema;
  const TableProtection& protection = state->protection;
  const auto own = protected_from.find(id);
  if (own != protected_from.end() && own->second != protection) {
    throw sql_error(sqlstate::kSerializationFailure,
                    "could not serialize access: the protection of table \"{}\" was changed meanwhile",
                    schema.name);
  }
  if (only_protected) return;
  if (own == protected_from.end() && protection.is_immutable(now_micros)) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "table \"{}\" is immutable", schema.name);
  }
  if (protection.partitions.empty()) return;
  if (!changes || changes->truncated()) throw frozen_partition(schema, *protection.partitions.begin());
  for (const TableChanges::PartitionEffect& effect : changes->effects()) {
    if (protection.partitions.contains(effect.start)) throw frozen_partition(schema, effect.start);
  }
}

LoggedTable CommittingTable::logged() const {
  LoggedTable logged;
  logged.table = static_cast<TableId>(id);
  logged.version = next->version;
  logged.created = changes->is_created();
  logged.truncated = changes->truncated();
  if (changes->restored()) logged.restored = changes->restored()->version;
  logged.operation = changes->operation();
  logged.counts = changes->counts();
  if (logged.created || changes->schema_changed()) logged.schema = next->schema;
  for (TableChanges::PartitionEffect& effect : changes->effects()) {
    logged.partitions.push_back({effect.start, effect.cleared, std::move(effect.changes)});
  }
  logged.symbols = new_symbols(*next->schema, logged.partitions);
  return logged;
}

void CommittingTable::record_history(const LoggedTable& logged, const std::string& user,
                                     const std::string& run_key, const RecordPlace& place,
                                     TableHistory* history) const {
  HistoryLine line;
  line.first = line.last = logged.version;
  line.first_time_micros = line.last_time_micros = place.time_micros;
  line.operation = logged.operation;
  line.user = user;
  line.run_key = run_key;
  line.counts = logged.counts;
  line.partitions = logged.partitions.size();
  history->record(state ? state->head : nullptr, next, std::move(line),
                  {place.log_begin, place.log_end, logged.names_segments()});
}

}  // namespace idem
