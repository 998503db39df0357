#include "storage/table_changes.h"

#include <algorithm>
#include <cassert>

#include "common/error.h"
#include "storage/change_rows.h"
#include "storage/keep_policy.h"
#include "storage/load_writer.h"
#include "storage/stored_rows.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

constexpr uint32_t kFlushRows = 32'768;  // collected rows from which on they are matched at once
constexpr uint32_t kJoinRows = 4'096;    // smaller batches are joined with what is collected
constexpr uint32_t kFewRows = 64;

std::vector<ColumnId> key_columns(const TableSchema& schema) {
  std::vector<ColumnId> ids;
  for (const uint32_t key : schema.upsert_keys) ids.push_back(schema.columns[key].id);
  return ids;
}
std::optional<ColumnId> deletion_column(const TableSchema& schema) {
  if (schema.deleted_column < 0) return std::nullopt;
  return schema.columns[static_cast<size_t>(schema.deleted_column)].id;
}

}  // namespace

TableChanges::TableChanges(WriteContext context, std::shared_ptr<const TableVersion> base)
    : context_(std::move(context)), base_(base), current_(std::move(base)) {}

TableChanges::~TableChanges() = default;

void TableChanges::stream_into(std::shared_ptr<LoadWriter> load) {
  load_ = std::move(load);
  waiting_.set_limits(load_->limits());
}
bool TableChanges::has_load() const { return waiting_.rows() > 0 || (load_ && load_->has_unprepared()); }
void TableChanges::finish_load_file() {
  if (load_) load_->finish_file();
}
void TableChanges::prepare_load() {
  if (load_) load_->prepare();
}

std::unique_ptr<TableChanges> TableChanges::created(WriteContext context,
                                                    std::shared_ptr<const TableSchema> schema) {
  auto empty = std::make_shared<TableVersion>();
  empty->schema = std::move(schema);
  empty->history = HistoryHandle::make();
  auto changes = std::make_unique<TableChanges>(std::move(context), std::move(empty));
  changes->created_ = true;
  return changes;
}

TableChanges::TableChanges(const TableChanges& other)
    : context_(other.context_),
      base_(other.base_),
      current_(other.current_),
      streamed_rows_(other.streamed_rows_),
      load_(other.load_),
      partitions_(other.partitions_),
      moved_away_(other.moved_away_),
      frozen_(other.frozen_),
      counts_(other.counts_),
      removed_(other.removed_),
      truncated_rows_(other.truncated_rows_),
      updated_(other.updated_),
      created_(other.created_),
      truncated_(other.truncated_),
      schema_changed_(other.schema_changed_),
      takes_version_(other.takes_version_),
      exclusive_(other.exclusive_),
      restored_(other.restored_),
      operation_(other.operation_) {
  assert(other.pending_rows() == 0);
  if (load_) waiting_.set_limits(load_->limits());
}

std::unique_ptr<TableChanges> TableChanges::copy() const {
  return std::unique_ptr<TableChanges>(new TableChanges(*this));
}

WriteContext TableChanges::context_for(uint64_t owner) const {
  WriteContext context = context_;
  context.schema = current_->schema;
  context.owner = owner;
  return context;
}

ColumnBatch& TableChanges::pending() {
  if (!pending_) {
    pending_ = std::make_unique<ColumnBatch>(schema());
    pending_checked_ = 0;
  }
  return *pending_;
}

void TableChanges::check_not_null(const ColumnBatch& rows, uint32_t from) const {
  const TableSchema& table = rows.schema();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].not_null && static_cast<int>(i) != table.timestamp_column) continue;
    const BatchColumn& column = rows.column(i);
    if (!column.has_nulls()) continue;
    for (uint32_t row = from; row < rows.rows(); ++row) {
      if (!column.is_null(row)) continue;
      throw sql_error(sqlstate::kNotNullViolation,
                      "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                      table.columns[i].name, table.name);
    }
  }
}

void TableChanges::note_pending(uint32_t) {
  check_not_null(*pending_, pending_checked_);
  pending_checked_ = pending_->rows();
  if (pending_checked_ >= kFlushRows) flush();
}

void TableChanges::insert(ColumnBatch&& rows) {
  if (rows.rows() == 0) return;
  if (&rows.schema() != schema().get()) {
    auto given = std::make_shared<ColumnBatch>(std::move(rows));
    check_not_null(*given, 0);
    const auto shaped = reshape(given, schema());
    if (pending_rows() > 0) flush();
    if (shaped == given) {
      pending_ = std::make_unique<ColumnBatch>(std::move(*given));
    } else {
      upsert(shaped, Kind::kUpsert, context_.owner);
      return;
    }
  } else {
    check_not_null(rows, 0);
    const bool any_pending = pending_ && pending_->rows() > 0;
    if (load_ && (pending_rows() + rows.rows() >= load_->limits().batch_rows ||
                  (any_pending && rows.rows() >= kJoinRows))) {
      if (any_pending) {
        streamed_rows_ += pending_->rows();
        waiting_.add(*schema(), std::move(*pending_));
        pending_.reset();
      }
      streamed_rows_ += rows.rows();
      waiting_.add(*schema(), std::move(rows));
      return match_waiting(false, context_.owner);
    }
    if (!pending_ || pending_->rows() == 0) {
      pending_ = std::make_unique<ColumnBatch>(std::move(rows));
    } else if (rows.rows() < kJoinRows) {
      std::vector<uint32_t> all(rows.rows());
      for (uint32_t i = 0; i < rows.rows(); ++i) all[i] = i;
      pending_->append_rows(rows, all.data(), all.size());
    } else {
      flush();
      pending_ = std::make_unique<ColumnBatch>(std::move(rows));
    }
  }
  pending_checked_ = pending_->rows();
  if (pending_checked_ >= kFlushRows) flush();
}

void TableChanges::insert_unmatched(ColumnBatch&& rows) {
  flush();
  auto given = std::make_shared<ColumnBatch>(std::move(rows));
  check_not_null(*given, 0);
  if (given->rows() > 0) upsert(reshape(std::move(given), schema()), Kind::kUnmatched, context_.owner);
}

const ColumnBatch* TableChanges::few_rows() const {
  const bool only_collects = partitions_.empty() && waiting_.rows() == 0 && moved_away_.empty() &&
                             frozen_.empty() && !created_ && !truncated_ && !takes_version_ && !exclusive_;
  return only_collects && pending_ && pending_->rows() > 0 && pending_->rows() <= kFewRows ? pending_.get()
                                                                                           : nullptr;
}

void TableChanges::flush(uint64_t owner) {
  if (waiting_.rows() > 0) {
    if (pending_ && pending_->rows() > 0) waiting_.add(*schema(), std::move(*pending_));
    pending_.reset();
    return match_waiting(true, owner);
  }
  if (!pending_ || pending_->rows() == 0) return;
  std::shared_ptr<const ColumnBatch> rows = std::move(pending_);
  pending_checked_ = 0;
  upsert(std::move(rows), Kind::kUpsert, owner);
}

SqlError frozen_partition(const TableSchema& schema, int64_t start) {
  return sql_error(sqlstate::kInsufficientPrivilege, "partition \"{}\" of table \"{}\" is frozen",
                   partition_name(schema.partition_by, start), schema.name);
}

void TableChanges::match_waiting(bool all, uint64_t owner) {
  bool any = false;
  while (const std::optional<WaitingRows::Arrived> arrived = waiting_.take(*schema(), all)) {
    match_arrived(*arrived, owner);
    any = true;
  }
  if (any) recount();
}

void TableChanges::match_arrived(const WaitingRows::Arrived& arrived, uint64_t owner) {
  const OrderedBatch::Part& part = arrived.part;
  PartitionWork& work = work_on(part.start);
  PartitionMatch match = match_part(schema(), work.current, *arrived.batch, part, MatchMode::kUpsert);
  const bool streams = load_ && streamed_rows_ >= load_->limits().load_rows;
  const bool reads_back = may_give_up(match, part);
  RewrittenRows rewritten;
  if (streams) insert_dense_replacements(&match, load_->limits(), &rewritten);
  const uint64_t inserted = match.change.positions.inserted_count();
  const bool large = streams && inserted >= load_->limits().encoded_rows;
  const uint64_t effective = match.change.replaced_rows.size() + inserted;
  const bool gives_up = reads_back ? large || effective <= (part.end - part.begin) / 2 : streams;
  GivenUpRows given_up;
  if (gives_up)
    given_up = reads_back ? note_given_up(&match, work.current) : write_originals_aside(*arrived.batch, part);
  Operation operation{
      Kind::kUpsert,       arrived.batch,       part, std::move(match.change), 0, match.counts,
      std::move(given_up), std::move(rewritten)};
  if (large) {
    encode_inserted(&operation);
  } else if (gives_up) {
    keep_effective_rows(&operation.change);
  }
  if (gives_up) operation.batch = nullptr;
  add_operation(&work, part.start, std::move(operation), owner);
}

// Whether what was matched, and what is stored, says what the rows of the batch were.
bool TableChanges::may_give_up(const PartitionMatch& match, const OrderedBatch::Part& part) const {
  return (replaces_whole_rows(*schema()) && schema()->deleted_column < 0) || says_all(match, part);
}

// Rows that merge policies folded are stored nowhere else.
GivenUpRows TableChanges::write_originals_aside(const OrderedBatch& batch, const OrderedBatch::Part& part) {
  GivenUpRows given_up;
  given_up.originals = load_->write_aside(schema(), batch, part);
  return given_up;
}

// Writes the inserted rows into a segment file; only the replaced ones stay in memory.
void TableChanges::encode_inserted(Operation* operation) {
  PartitionChange& change = operation->change;
  const uint32_t* rows = change.inserted_rows.empty() ? nullptr : change.inserted_rows.data();
  const auto count = static_cast<uint32_t>(change.positions.inserted_count());
  change.encoded = load_->write(schema(), *change.rows, rows, change.first_inserted, count);
  std::shared_ptr<ColumnBatch> replaced;
  if (!change.replaced_rows.empty()) {
    replaced = std::make_shared<ColumnBatch>(schema());
    replaced->append_rows(*change.rows, change.replaced_rows.data(), change.replaced_rows.size());
    for (uint32_t i = 0; i < change.replaced_rows.size(); ++i) change.replaced_rows[i] = i;
  }
  change.rows = std::move(replaced);
  change.first_inserted = 0;
  change.inserted_rows.clear();
}

// Replaces the rows of the whole batch by those that the change needs.
void TableChanges::keep_effective_rows(PartitionChange* change) const {
  std::vector<uint32_t> rows = change->replaced_rows;
  for (uint64_t i = 0; i < change->positions.inserted_count(); ++i) rows.push_back(change->inserted_row(i));
  if (rows.empty()) return;
  auto kept = std::make_shared<ColumnBatch>(schema());
  kept->append_rows(*change->rows, rows.data(), rows.size());
  change->first_inserted = static_cast<uint32_t>(change->replaced_rows.size());
  for (uint32_t i = 0; i < change->first_inserted; ++i) change->replaced_rows[i] = i;
  change->inserted_rows.clear();
  change->rows = std::move(kept);
}

std::shared_ptr<const Partition> TableChanges::partition_of(const TableVersion& version, int64_t start) {
  const int i = version.find_partition(start);
  return i < 0 ? nullptr : version.partitions[static_cast<size_t>(i)];
}

TableChanges::PartitionWork& TableChanges::work_on(int64_t start) {
  if (frozen_.contains(start)) throw frozen_partition(*schema(), start);
  const auto [found, fresh] = partitions_.try_emplace(start);
  if (fresh) found->second.base = found->second.current = partition_of(*current_, start);
  return found->second;
}

void TableChanges::set_partition(int64_t start, std::shared_ptr<const Partition> partition) {
  auto next = std::make_shared<TableVersion>(*current_);
  replace_partition(next.get(), start, std::move(partition));
  current_ = std::move(next);
}

void TableChanges::add_operation(PartitionWork* work, int64_t start, Operation operation, uint64_t owner) {
  operation.rows_before = work->current ? work->current->row_count : 0;
  if (!operation.change.empty()) {
    work->current = apply_change(work->current, operation.change, context_for(owner));
    work->in_own_groups |= owner != MemoryRowGroup::kCommitted;
    set_partition(start, work->current);
  }
  work->operations = work->operations.push_back(std::make_shared<const Operation>(std::move(operation)));
}

void TableChanges::upsert(std::shared_ptr<const ColumnBatch> rows, Kind kind, uint64_t owner) {
  const auto batch = std::make_shared<const OrderedBatch>(order_batch(*schema(), std::move(rows)));
  for (size_t i = 0; i < batch->parts.size(); ++i) {
    const OrderedBatch::Part& part = batch->parts[i];
    PartitionWork& work = work_on(part.start);
    PartitionMatch match = match_part(schema(), work.current, *batch, part, mode_of(kind));
    Operation operation{kind, batch, part, std::move(match.change), 0, match.counts, {}, {}};
    add_operation(&work, part.start, std::move(operation), owner);
  }
  recount();
}

void TableChanges::remove(const std::vector<RowPosition>& rows) { modify({}, ColumnBatch(schema()), rows); }

void TableChanges::update(const std::vector<RowPosition>& rows, ColumnBatch&& new_rows) {
  modify(rows, std::move(new_rows), {});
}

void TableChanges::modify(const std::vector<RowPosition>& updated, ColumnBatch&& new_rows,
                          const std::vector<RowPosition>& removed) {
  flush();
  takes_version_ = true;
  std::shared_ptr<const ColumnBatch> given = std::make_shared<ColumnBatch>(std::move(new_rows));
  check_not_null(*given, 0);
  given = reshape(std::move(given), schema());
  const std::shared_ptr<const TableVersion> version = current_;
  const TableSchema& table = *version->schema;
  std::vector<uint32_t> place_columns = table.upsert_keys;
  if (table.has_timestamp() && !table.has_keys()) {
    place_columns.push_back(static_cast<uint32_t>(table.timestamp_column));
  }
  std::vector<ColumnView> views;
  for (size_t c = 0; c < table.columns.size(); ++c) views.emplace_back(given->column(c));
  std::vector<uint32_t> moved;
  streamed_rows_ += updated.size();
  const bool streams = load_ && streamed_rows_ >= load_->limits().load_rows;
  size_t u = 0, r = 0;
  while (u < updated.size() || r < removed.size()) {
    const uint32_t partition = std::min(u < updated.size() ? updated[u].partition : UINT32_MAX,
                                        r < removed.size() ? removed[r].partition : UINT32_MAX);
    const std::shared_ptr<const Partition>& stored_partition = version->partitions[partition];
    Operation operation{Kind::kPositions, nullptr, {}, {}, 0, {}, {}, {}};
    operation.change.start = stored_partition->start;
    std::vector<uint64_t>& deleted = operation.change.positions.deleted;
    for (; r < removed.size() && removed[r].partition == partition; ++r)
      deleted.push_back(removed[r].ordinal);
    const size_t only_removed = deleted.size();
    if (u < updated.size() && updated[u].partition == partition) {
      operation.change.rows = given;
      StoredRows stored(stored_partition, version->schema);
      for (; u < updated.size() && updated[u].partition == partition; ++u) {
        const auto row = static_cast<uint32_t>(u);
        const uint64_t ordinal = updated[u].ordinal;
        stored.move_to(ordinal);
        bool stays = true;
        for (const uint32_t c : place_columns) {
          stays = stays && key_equal(views[c], row, stored.column(c), stored.row_in_block(ordinal));
        }
        if (stays) {
          operation.change.positions.replaced.push_back(ordinal);
          operation.change.replaced_rows.push_back(row);
        } else {
          deleted.push_back(ordinal);
          moved.push_back(row);
        }
      }
    }
    std::inplace_merge(deleted.begin(), deleted.begin() + static_cast<ptrdiff_t>(only_removed),
                       deleted.end());
    if (streams) {
      PartitionMatch match;
      match.change = std::move(operation.change);
      insert_dense_replacements(&match, load_->limits(), &operation.rewritten);
      operation.change = std::move(match.change);
      if (!operation.rewritten.empty()) encode_inserted(&operation);
    }
    const int64_t start = stored_partition->start;
    add_operation(&work_on(start), start, std::move(operation), context_.owner);
  }
  updated_ += updated.size();
  removed_ += removed.size();
  if (!moved.empty()) {
    auto elsewhere = std::make_shared<ColumnBatch>(schema());
    elsewhere->append_rows(*given, moved.data(), moved.size());
    upsert(std::move(elsewhere), Kind::kMustBeNew, context_.owner);
  }
  recount();
}

void TableChanges::truncate() {
  truncated_rows_ += visible_rows(*current_) + pending_rows();
  pending_.reset();
  waiting_.clear();
  partitions_.clear();
  restored_.reset();
  truncated_ = takes_version_ = true;
  auto empty = std::make_shared<TableVersion>(*current_);
  empty->partitions = {};
  empty->row_count = 0;
  current_ = std::move(empty);
  recount();
}

void TableChanges::restore(std::shared_ptr<const TableVersion> version,
                           std::shared_ptr<const TableSchema> schema) {
  const uint64_t removed = truncated_rows_;
  truncate();
  truncated_rows_ = removed;  // which rows go and which come is not known without reading them
  if (schema != current_->schema) set_schema(std::move(schema));
  auto next = std::make_shared<TableVersion>(*current_);
  next->partitions = version->partitions;
  next->row_count = version->row_count;
  current_ = std::move(next);
  restored_ = std::move(version);
  recount();
}

void TableChanges::drop_partitions(const std::vector<int64_t>& starts) {
  flush();
  takes_version_ = true;
  for (const int64_t start : starts) {
    PartitionWork& work = work_on(start);
    if (work.current) truncated_rows_ += visible_rows(work.current, schema());
    work = PartitionWork();
    work.cleared = true;
    set_partition(start, nullptr);
  }
  recount();
}

void TableChanges::set_schema(std::shared_ptr<const TableSchema> schema) {
  auto next = std::make_shared<TableVersion>(*current_);
  next->schema = std::move(schema);
  current_ = std::move(next);
  schema_changed_ = takes_version_ = true;
}

void TableChanges::alter(std::shared_ptr<const TableSchema> schema) {
  flush();
  const TableSchema& before = *current_->schema;
  const bool same_keys = key_columns(*schema) == key_columns(before);
  const bool sort_anew =
      !schema->has_timestamp() && schema->has_keys() && current_->row_count > 0 && !same_keys;
  // What was checked must still hold when it is committed.
  if (schema->keys_unique && !(before.keys_unique && same_keys)) exclusive_ = true;
  if (before.deleted_column >= 0 && deletion_column(*schema) != deletion_column(before)) remove_tombstones();
  set_schema(std::move(schema));
  if (sort_anew) sort_by_new_keys();
}

// Without the clause that hides them they would be rows again.
void TableChanges::remove_tombstones() {
  exclusive_ = true;
  const std::vector<RowPosition> hidden = hidden_rows(*current_);
  const uint64_t removed = removed_;
  if (!hidden.empty()) remove(hidden);
  removed_ = removed;
  recount();
}

// A table without a designated timestamp that gets keys is ordered by them from then on.
void TableChanges::sort_by_new_keys() {
  exclusive_ = true;
  const int64_t start = INT64_MIN;
  StoredRows stored(partition_of(*current_, start), schema());
  auto rows = std::make_shared<ColumnBatch>(schema());
  for (uint64_t ordinal = 0; ordinal < stored.row_count(); ordinal = stored.block_end()) {
    stored.move_to(ordinal);
    const auto count = static_cast<uint32_t>(stored.block_end() - ordinal);
    for (uint32_t c = 0; c < schema()->columns.size(); ++c) {
      rows->column(c).append_vector(stored.vector(c), {nullptr, count});
    }
  }
  auto batch = std::make_shared<const OrderedBatch>(order_batch(*schema(), rows));
  PartitionWork& work = work_on(start);
  work = PartitionWork();
  work.cleared = true;
  Operation operation{Kind::kPositions, nullptr, {}, {}, 0, {}, {}, {}};
  operation.change.start = start;
  operation.change.rows = rows;
  operation.change.positions.insert(0, rows->rows());
  operation.change.inserted_rows = batch->order;
  add_operation(&work, start, std::move(operation), context_.owner);
}

void TableChanges::rewrite(std::shared_ptr<const TableSchema> schema, ColumnBatch&& rows) {
  flush();
  const uint64_t before = truncated_rows_;
  truncate();
  truncated_rows_ = before;
  exclusive_ = true;
  set_schema(std::move(schema));
  auto given = std::make_shared<ColumnBatch>(std::move(rows));
  check_not_null(*given, 0);
  // Keys whose type changed may have become equal; where they need not be unique they stay as they are.
  upsert(reshape(std::move(given), current_->schema),
         current_->schema->keys_unique ? Kind::kMustBeNew : Kind::kAsTheyAre, context_.owner);
}

bool TableChanges::has_effect() const {
  if (takes_version_ || created_) return true;
  for (const auto& [start, work] : partitions_) {
    bool any = false;
    work.operations.for_each([&](const auto& operation) { any = any || !operation->change.empty(); });
    if (any) return true;
  }
  return false;
}

std::vector<TableChanges::PartitionEffect> TableChanges::effects() const {
  std::vector<PartitionEffect> result;
  for (const auto& [start, work] : partitions_) {
    PartitionEffect effect{start, work.cleared, {}};
    work.operations.for_each([&](const auto& operation) {
      if (!operation->change.empty()) effect.changes.push_back(&operation->change);
    });
    if (effect.cleared || !effect.changes.empty()) result.push_back(std::move(effect));
  }
  return result;
}

std::optional<PositionHistory::Step> TableChanges::history_step() const {
  PositionHistory::Step step;
  step.all_cleared = truncated_;
  for (const auto& [start, work] : partitions_) {
    bool moves = work.cleared;
    work.operations.for_each([&](const auto& operation) {
      moves = moves || !operation->change.positions.is_append(operation->rows_before);
    });
    if (!moves) continue;
    if (work.cleared) step.partitions.push_back({start, true, {}});
    work.operations.for_each([&step, start = start](const auto& operation) {
      if (!operation->change.empty()) step.partitions.push_back({start, false, operation->change.positions});
    });
  }
  if (!step.all_cleared && step.partitions.empty()) return std::nullopt;
  return step;
}

void TableChanges::recount() {
  counts_ = WriteCounts();
  for (const auto& [start, work] : partitions_) {
    work.operations.for_each([&](const auto& operation) {
      if (operation->kind != Kind::kUpsert && operation->kind != Kind::kUnmatched) return;
      counts_.inserted += operation->counts.inserted;
      counts_.replaced += operation->counts.replaced;
      counts_.skipped += operation->counts.skipped;
      counts_.deleted += operation->counts.deleted;
    });
  }
  counts_.replaced += updated_;
  counts_.deleted += removed_ + truncated_rows_;
}

}  // namespace idem
