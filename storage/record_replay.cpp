#include "storage/record_replay.h"

#include "common/error.h"

namespace idem {

namespace {

SqlError not_replayable(std::string_view why) {
  return sql_error(sqlstate::kDataCorrupted, "damaged log record: {}", why);
}

void check_ordinals(const PositionDelta& delta, uint64_t row_count) {
  const bool inside = (delta.deleted.empty() || delta.deleted.back() < row_count) &&
                      (delta.replaced.empty() || delta.replaced.back() < row_count) &&
                      (delta.inserted.empty() || delta.inserted.back().before <= row_count);
  if (!inside) throw not_replayable("a row that does not exist");
}

}  // namespace

std::shared_ptr<const TableSchema> schema_for_record(
    const TableSchema* logged, std::span<const std::shared_ptr<const TableSchema>> known) {
  if (!logged) {
    for (const auto& schema : known) {
      if (schema) return schema;
    }
    return nullptr;
  }
  auto schema = std::make_shared<TableSchema>(*logged);
  for (ColumnSchema& column : schema->columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    for (const auto& other : known) {
      const int index = other ? other->find_column(column.id) : -1;
      if (index >= 0) column.dictionary = other->columns[static_cast<size_t>(index)].dictionary;
      if (column.dictionary) break;
    }
    if (!column.dictionary) column.dictionary = std::make_shared<SymbolDictionary>();
  }
  return schema;
}

std::vector<std::shared_ptr<const TableSchema>> known_schemas(std::shared_ptr<const TableSchema> newest,
                                                              const TableHistory& history) {
  std::vector<std::shared_ptr<const TableSchema>> known{std::move(newest)};
  const std::vector<KeptVersion> kept = history.kept(VersionNumber{UINT64_MAX});
  for (size_t i = kept.size(); i-- > 0;) known.push_back(kept[i].version->schema);
  return known;
}

std::shared_ptr<TableVersion> apply_logged_table(const DatabaseState& db,
                                                 const std::shared_ptr<const TableVersion>& before,
                                                 const ReadTable& logged, CommitNumber commit, uint64_t owner,
                                                 const VersionSource& earlier) {
  if (logged.created != (before == nullptr)) throw not_replayable("a table that is not there");
  auto next = before ? std::make_shared<TableVersion>(*before) : std::make_shared<TableVersion>();
  next->schema = logged.schema;
  next->version = logged.version;
  next->commit = commit;
  if (logged.truncated) {
    next->partitions = {};
    next->row_count = 0;
  }
  if (logged.restored) {
    const std::shared_ptr<const TableVersion> source = earlier(*logged.restored);
    if (!source) throw not_replayable("a version that is not kept");
    next->partitions = source->partitions;
    next->row_count = source->row_count;
  }
  const WriteContext context = db.write_context(logged.schema, owner);
  for (const ReadTable::Partition& part : logged.partitions) {
    const int index = next->find_partition(part.start);
    std::shared_ptr<const Partition> partition;
    if (index >= 0 && !part.cleared) partition = next->partitions[static_cast<size_t>(index)];
    for (const PartitionChange& change : part.changes) {
      check_ordinals(change.positions, partition ? partition->row_count : 0);
      partition = apply_change(partition, change, context);
    }
    replace_partition(next.get(), part.start, std::move(partition));
  }
  return next;
}

HistoryLine history_line(const RecordHeader& header, const ReadTable& logged) {
  HistoryLine line;
  line.first = line.last = logged.version;
  line.first_time_micros = line.last_time_micros = header.time_micros;
  line.operation = logged.operation;
  line.user = header.user;
  line.run_key = header.run_key;
  line.counts = logged.counts;
  line.partitions = logged.partitions.size();
  return line;
}

}  // namespace idem
