#include "storage/key_lookup.h"

#include <algorithm>

#include "storage/key_groups.h"
#include "storage/row_fold.h"

namespace idem {

namespace {

const int64_t* timestamps_of(const TableSchema& schema, const ColumnBatch& rows) {
  if (!schema.has_timestamp()) return nullptr;
  return static_cast<const int64_t*>(rows.column(static_cast<size_t>(schema.timestamp_column)).data());
}

// One partition in which rows are looked for.
class KeyLookup {
 public:
  KeyLookup(const std::shared_ptr<const TableSchema>& schema, std::shared_ptr<const Partition> stored,
            const OrderedBatch& batch)
      : schema_(*schema),
        batch_(batch),
        times_(timestamps_of(schema_, *batch.rows)),
        stored_(std::move(stored), schema),
        keys_(schema_, *batch.rows, &stored_) {}

  // The stored rows that may have the keys of a row, and with a designated timestamp have its time.
  UpsertKeys::Range candidates(uint32_t row, uint64_t from) {
    if (!times_) return keys_.stored_rows_of(row, from);
    const uint64_t begin = stored_.lower_bound(times_[row], from);
    return {begin, stored_.upper_bound(times_[row], begin)};
  }
  std::optional<uint64_t> find(uint32_t row) {
    const auto [begin, end] = candidates(row, 0);
    for (uint64_t ordinal = begin; ordinal < end; ++ordinal) {
      stored_.move_to(ordinal);
      if (keys_.equals_stored(row, stored_.row_in_block(ordinal)) && !is_tombstone(ordinal)) return ordinal;
    }
    return std::nullopt;
  }
  void match(const OrderedBatch::Part& part, uint32_t partition, std::vector<KeyMatch>* matches);

 private:
  // The places of one time or, without one, of equal keys.
  uint32_t run_end(uint32_t place, uint32_t end) const {
    const uint32_t row = batch_.row(place);
    const auto same = [&](uint32_t other) {
      return times_ ? times_[other] == times_[row] : keys_.equal(row, other);
    };
    do { ++place; } while (place < end && same(batch_.row(place)));
    return place;
  }
  bool is_tombstone(uint64_t ordinal) {
    if (schema_.deleted_column < 0) return false;
    return RowFold::is_true(stored_.column(static_cast<uint32_t>(schema_.deleted_column)),
                            stored_.row_in_block(ordinal));
  }

  const TableSchema& schema_;
  const OrderedBatch& batch_;
  const int64_t* const times_;  // of the batch; null: the table has no designated timestamp
  StoredRows stored_;
  UpsertKeys keys_;
};

void KeyLookup::match(const OrderedBatch::Part& part, uint32_t partition, std::vector<KeyMatch>* matches) {
  KeyGroups run(keys_, batch_);
  uint64_t stored_at = 0;
  for (uint32_t place = part.begin; place < part.end;) {
    const uint32_t end = run_end(place, part.end);
    const UpsertKeys::Range stored = candidates(batch_.row(place), stored_at);
    run.collect(place, end);
    for (uint64_t ordinal = stored.begin; ordinal < stored.end; ++ordinal) {
      stored_.move_to(ordinal);
      KeyGroups::Group* group = run.group_of_stored(stored_.row_in_block(ordinal));
      if (!group || group->matched || is_tombstone(ordinal)) continue;
      group->matched = true;
      (*matches)[batch_.row(group->first_place)].stored = RowPosition{partition, ordinal};
    }
    for (const KeyGroups::Group& group : run.groups()) {
      const uint32_t first_row = batch_.row(group.first_place);
      const KeyMatch match{(*matches)[first_row].stored, first_row};
      for (uint32_t p = group.first_place; p != KeyGroups::kNoPlace; p = run.next_place(p))
        (*matches)[batch_.row(p)] = match;
    }
    place = end;
    stored_at = stored.end;
  }
}

}  // namespace

std::vector<KeyMatch> match_keys(const TableVersion& version, std::shared_ptr<const ColumnBatch> rows) {
  static const auto kEmpty = std::make_shared<const Partition>();
  std::vector<KeyMatch> matches(rows->rows());
  const OrderedBatch batch = order_batch(*version.schema, std::move(rows));
  for (const OrderedBatch::Part& part : batch.parts) {
    const int index = version.find_partition(part.start);
    const auto partition = static_cast<uint32_t>(std::max(index, 0));
    KeyLookup(version.schema, index < 0 ? kEmpty : version.partitions[partition], batch)
        .match(part, partition, &matches);
  }
  return matches;
}

std::optional<uint64_t> find_by_keys(const std::shared_ptr<const TableSchema>& schema,
                                     std::shared_ptr<const Partition> stored,
                                     const std::shared_ptr<const ColumnBatch>& rows, uint32_t row) {
  if (!stored) return std::nullopt;
  OrderedBatch batch;
  batch.rows = rows;
  return KeyLookup(schema, std::move(stored), batch).find(row);
}

}  // namespace idem
