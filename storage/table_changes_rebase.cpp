#include <algorithm>

#include "common/error.h"
#include "storage/change_rows.h"
#include "storage/key_lookup.h"
#include "storage/table_changes.h"

namespace idem {

namespace {

constexpr uint64_t kMoveIntoTailRows =
    32'768;  // appended rows up to which commit copies them into the common row group

SqlError changed_concurrently(const TableSchema& schema, std::string_view why) {
  return sql_error(sqlstate::kSerializationFailure,
                   "could not serialize access to \"{}\" due to concurrent {}", schema.name, why);
}

bool same_rows(const std::shared_ptr<const Partition>& a, const std::shared_ptr<const Partition>& b) {
  if (a == b) return true;
  return a && b && a->content_id == b->content_id;
}

}  // namespace

void TableChanges::reapply(PartitionWork* work, std::shared_ptr<const Partition> head_partition,
                           uint64_t owner) {
  work->base = head_partition;
  work->current = std::move(head_partition);
  for (size_t k = 0; k < work->operations.size(); ++k) {
    std::shared_ptr<const Operation> operation = work->operations[k];
    // The columns may have changed since the operation.
    if (operation->change.rows) {
      auto rows = reshape(operation->change.rows, schema());
      if (rows != operation->change.rows) {
        auto shaped = std::make_shared<Operation>(*operation);
        shaped->change.rows = std::move(rows);
        operation = std::move(shaped);
        work->operations = work->operations.set(k, operation);
      }
    }
    work->current = apply_change(work->current, operation->change, context_for(owner));
  }
  work->in_own_groups = owner != MemoryRowGroup::kCommitted;
}

// The place in the new order of operations of a row that operation `operation` found at `ordinal` in the old
// one.
uint64_t TableChanges::move_position(uint64_t ordinal, size_t operation, const Operations& old_operations,
                                     const Operations& new_operations, int64_t start,
                                     const TableVersion& head,
                                     const std::shared_ptr<const Partition>& current) const {
  size_t first = 0;  // the operation after which `place` holds
  std::optional<uint64_t> place;
  uint64_t at = ordinal;
  for (size_t j = operation; j-- > 0;) {
    const PartitionChange& old = old_operations[j]->change;
    const PositionDelta::Origin origin = old_operations[j]->rewritten.backward(old.positions, at);
    if (!origin.inserted) {
      at = origin.index;
      continue;
    }
    // A row of our own. With keys it is found by them: it may have met a row that others inserted meanwhile.
    if (schema()->has_keys()) {
      const auto [rows, row] = inserted_row_of(old, origin.index, schema());
      place = find_by_keys(schema(), current, reshape(rows, schema()), row);
      if (!place) throw changed_concurrently(*schema(), "update");
      return *place;
    }
    place = new_operations[j]->change.positions.place_of_inserted(origin.index);
    first = j + 1;
    break;
  }
  if (!place) {
    place = PositionHistory::forward(base_->history.get(), head.history.get(), start, at);
    if (!place) throw changed_concurrently(*schema(), "update");
  }
  for (size_t j = first; j < operation; ++j) {
    place = new_operations[j]->rewritten.forward(new_operations[j]->change.positions, *place);
    if (!place) throw changed_concurrently(*schema(), "update");
  }
  return *place;
}

// Matches the rows of an operation with the partition as it is now. `old` is what they did before.
void TableChanges::match_again(Operation* operation, const PartitionChange& old,
                               const std::shared_ptr<const Partition>& current) {
  const MatchCounts& counts = operation->counts;
  const uint64_t rows_in_all = counts.inserted + counts.replaced + counts.skipped + counts.deleted;
  std::shared_ptr<const OrderedBatch> batch = operation->batch;
  OrderedBatch::Part part = operation->part;
  const bool given_up = batch == nullptr;
  if (given_up) {
    batch = std::make_shared<const OrderedBatch>(rows_again(schema(), operation->given_up, old));
    part = batch->parts.at(0);
  } else if (const auto shaped = reshape(batch->rows, schema()); shaped != batch->rows) {
    auto other = std::make_shared<OrderedBatch>(*batch);
    other->rows = shaped;
    operation->batch = batch = std::move(other);
  }
  PartitionMatch match = match_part(schema(), current, *batch, part, mode_of(operation->kind));
  if (operation->kind == Kind::kUnmatched && match.counts.inserted < operation->counts.inserted) {
    throw changed_concurrently(*schema(), "insert");
  }
  if (!given_up) {
    operation->change = std::move(match.change);
    operation->counts = match.counts;
    return;
  }
  const bool all_encoded = !old.encoded.empty() && old.replaced_rows.empty() &&
                           operation->given_up.unchanged.empty() && operation->given_up.originals.empty() &&
                           match.change.positions.inserted_count() == batch->rows->rows() &&
                           match.change.inserted_rows.empty();
  if (operation->given_up.originals.empty()) {
    operation->given_up =
        may_give_up(match, part) ? note_given_up(&match, current) : write_originals_aside(*batch, part);
  }
  operation->change = std::move(match.change);
  operation->counts = match.counts;
  operation->counts.skipped =
      rows_in_all - match.counts.inserted - match.counts.replaced - match.counts.deleted;
  if (all_encoded) {
    operation->change.encoded = old.encoded;
    operation->change.rows = nullptr;
    operation->change.first_inserted = 0;
  }
}

// Puts rows that are written already where those that they replace are now.
void TableChanges::insert_rewritten(const Operation& before, const std::function<uint64_t(uint64_t)>& moved,
                                    const TableSchema& schema, Operation* after) {
  uint64_t first = 0, end = 0;  // of the ordinals side by side that were met last
  before.rewritten.for_each([&](uint64_t ordinal, uint64_t number) {
    const uint64_t at = moved(ordinal);
    if (at < end) throw changed_concurrently(schema, "update");  // in another order than they are written in
    if (at > end || number == 0) first = at;
    end = at + 1;
    after->rewritten.add(at, number);
    after->change.positions.insert(first, 1);
  });
  after->change.encoded = before.change.encoded;
}

void TableChanges::replay(PartitionWork* work, int64_t start, std::shared_ptr<const Partition> head_partition,
                          const TableVersion& head) {
  const Operations old_operations = work->operations;
  Operations new_operations;
  std::shared_ptr<const Partition> current = head_partition;
  for (size_t k = 0; k < old_operations.size(); ++k) {
    const Operation& before = *old_operations[k];
    const PartitionChange& old = before.change;
    if (before.kind == Kind::kAttach) throw changed_concurrently(*schema(), "update");
    Operation operation{before.kind,   before.batch,    before.part, {}, current ? current->row_count : 0,
                        before.counts, before.given_up, {}};
    operation.change.start = start;
    const auto moved = [&](uint64_t ordinal) {
      return move_position(ordinal, k, old_operations, new_operations, start, head, current);
    };
    if (operation.kind == Kind::kPositions) {
      PositionDelta& positions = operation.change.positions;
      for (const uint64_t ordinal : old.positions.deleted) positions.deleted.push_back(moved(ordinal));
      if (!before.rewritten.empty()) insert_rewritten(before, moved, *schema(), &operation);
      std::vector<std::pair<uint64_t, uint32_t>> replaced;
      for (size_t i = 0; i < old.positions.replaced.size(); ++i) {
        replaced.emplace_back(moved(old.positions.replaced[i]), old.replaced_rows[i]);
      }
      std::sort(positions.deleted.begin(), positions.deleted.end());
      std::sort(replaced.begin(), replaced.end());
      for (const auto& [ordinal, row] : replaced) {
        positions.replaced.push_back(ordinal);
        operation.change.replaced_rows.push_back(row);
      }
      if (old.rows) operation.change.rows = reshape(old.rows, schema());
    } else {
      match_again(&operation, old, current);
    }
    current = apply_change(current, operation.change, context_for(context_.owner));
    new_operations = new_operations.push_back(std::make_shared<const Operation>(std::move(operation)));
  }
  work->operations = std::move(new_operations);
  work->base = std::move(head_partition);
  work->current = std::move(current);
  work->in_own_groups = true;
}

void TableChanges::rebase(std::shared_ptr<const TableVersion> head) {
  if (created_ || head == base_) return;
  if (!head) throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", schema()->name);
  const bool schema_moved = head->schema != base_->schema;
  if (schema_moved && schema_changed_) throw changed_concurrently(*schema(), "change of its columns");
  if (exclusive_ && head->version != base_->version) throw changed_concurrently(*schema(), "update");
  for (const auto& [start, rows] : moved_away_) {
    if (!same_rows(partition_of(*head, start), rows)) throw changed_concurrently(*schema(), "update");
  }
  if (schema_moved && !schema()->has_timestamp() && head->schema->upsert_keys != schema()->upsert_keys) {
    throw changed_concurrently(*schema(), "change of its keys");
  }
  auto next = std::make_shared<TableVersion>(*head);
  if (schema_changed_) next->schema = current_->schema;
  if (truncated_) {
    next->partitions =
        restored_ ? restored_->partitions : PersistentVector<std::shared_ptr<const Partition>>();
    next->row_count = restored_ ? restored_->row_count : 0;
  }
  current_ = next;  // the new schema counts from here on
  if (schema_moved) waiting_.reshape_to(schema());
  if (schema_moved && pending_) {
    std::shared_ptr<const ColumnBatch> rows = std::move(pending_);
    const auto shaped = reshape(rows, schema());
    pending_ = std::make_unique<ColumnBatch>(schema());
    std::vector<uint32_t> all(shaped->rows());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    pending_->append_rows(*shaped, all.data(), all.size());
  }
  for (auto& [start, work] : partitions_) {
    if (!work.cleared && !truncated_) {
      std::shared_ptr<const Partition> stored = partition_of(*head, start);
      // Rows that others removed and RESTORE brought back have been changed, too.
      constexpr uint64_t kBeyondAllRows = uint64_t{1} << 40;
      const bool was_cleared =
          !PositionHistory::forward(base_->history.get(), head->history.get(), start, kBeyondAllRows);
      if (!same_rows(stored, work.base) || schema_moved || was_cleared) {
        replay(&work, start, std::move(stored), *head);
      } else if (stored != work.base) {
        reapply(&work, std::move(stored), context_.owner);
      }
    }
    replace_partition(next.get(), start, work.current);
  }
  base_ = std::move(head);
  recount();
}

void TableChanges::prepare_commit(std::shared_ptr<const TableVersion> head) {
  rebase(std::move(head));
  flush(MemoryRowGroup::kCommitted);
  for (auto& [start, work] : partitions_) {
    if (!work.in_own_groups || work.cleared || truncated_ || created_) continue;
    uint64_t rows = 0;
    bool appends = true;
    work.operations.for_each([&](const std::shared_ptr<const Operation>& operation) {
      appends = appends && operation->change.positions.is_append(operation->rows_before);
      rows += operation->change.positions.inserted_count();
    });
    if (!appends || rows == 0 || rows > kMoveIntoTailRows) continue;
    reapply(&work, work.base, MemoryRowGroup::kCommitted);
    set_partition(start, work.current);
  }
}

}  // namespace idem
