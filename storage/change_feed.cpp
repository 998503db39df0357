#include "storage/change_feed.h"

#include <algorithm>

#include "storage/partition_difference.h"
#include "storage/stored_rows.h"
#include "storage/version_lookup.h"

namespace idem {

namespace {

using PartitionPtr = std::shared_ptr<const Partition>;
using Ordinals = std::vector<std::pair<uint64_t, uint64_t>>;  // [begin, end), ascending

// Rows of a partition that are not stored as those of the other one.
Ordinals unshared(const Partition& partition, const Partition* other) {
  std::unordered_map<const RowGroup*, std::vector<const Slice*>> of_other;
  if (other) {
    for (const Slice& slice : other->slices) of_other[slice.group.get()].push_back(&slice);
  }
  Ordinals result;
  for (size_t i = 0; i < partition.slices.size(); ++i) {
    const Slice& slice = partition.slices[i];
    const uint64_t first = partition.first_ordinal[i];
    uint64_t at = first;  // up to here it is known
    if (const auto found = of_other.find(slice.group.get()); found != of_other.end()) {
      for (const Slice* in_other : found->second) {
        const uint32_t begin = std::max(slice.begin, in_other->begin),
                       end = std::min(slice.end, in_other->end);
        if (begin >= end) continue;
        const auto patch_of = [](const Slice& of, uint32_t block) {
          return of.overlay ? of.overlay->patch(block) : nullptr;
        };
        // Blocks with another patch are compared as a whole.
        for (uint32_t row = begin; row < end;) {
          const uint32_t block = row / kVectorSize;
          const uint32_t block_end = std::min(end, (block + 1) * kVectorSize);
          if (patch_of(slice, block) == patch_of(*in_other, block)) {
            const uint64_t shared = first + slice.shown_before(row);
            if (shared > at) result.emplace_back(at, shared);
            at = std::max(at, first + slice.shown_before(block_end));
          }
          row = block_end;
        }
      }
    }
    if (at < first + slice.rows()) result.emplace_back(at, first + slice.rows());
  }
  return result;
}

// The bytes of a value: equal where values are equal, floats bit by bit.
void append_value_bytes(std::string* out, const Vector& vector, uint32_t row) {
  if (!vector.is_valid(row)) return out->push_back('\0');
  out->push_back('\1');
  if (vector.form == Vector::Form::kDictionary) {
    out->append(reinterpret_cast<const char*>(vector.values<int32_t>() + row), sizeof(int32_t));
    return;
  }
  const PhysicalType physical = physical_type(vector.type);
  if (physical == PhysicalType::kString) {
    const std::string_view text = vector.values<std::string_view>()[row];
    const auto size = static_cast<uint32_t>(text.size());
    out->append(reinterpret_cast<const char*>(&size), sizeof size);
    out->append(text);
  } else if (physical == PhysicalType::kDecimal) {
    const Decimal& value = vector.values<Decimal>()[row];
    out->append(reinterpret_cast<const char*>(&value.value), sizeof value.value);
    out->append(reinterpret_cast<const char*>(&value.scale), sizeof value.scale);
  } else if (physical == PhysicalType::kInterval) {
    const Interval& value = vector.values<Interval>()[row];
    out->append(reinterpret_cast<const char*>(&value.micros), sizeof value.micros);
    out->append(reinterpret_cast<const char*>(&value.days), sizeof value.days);
    out->append(reinterpret_cast<const char*>(&value.months), sizeof value.months);
  } else {
    const size_t size = physical_size(physical);
    out->append(static_cast<const char*>(vector.data) + row * size, size);
  }
}

struct Row {
  uint64_t ordinal = 0;
  bool hidden = false;  // a tombstone
  std::string key, whole;
};

std::vector<Row> read_rows(StoredRows* stored, const Ordinals& ordinals, const TableSchema& schema) {
  std::vector<Row> rows;
  std::vector<uint32_t> keys = schema.upsert_keys;
  for (const auto& [begin, end] : ordinals) {
    for (uint64_t at = begin; at < end;) {
      stored->move_to(at);
      const uint64_t block_end = std::min(end, stored->block_end());
      const uint32_t first = stored->row_in_block(at);
      const auto count = static_cast<uint32_t>(block_end - at);
      const size_t first_row = rows.size();
      rows.resize(first_row + count);
      for (uint32_t i = 0; i < count; ++i) rows[first_row + i].ordinal = at + i;
      const auto rows_in_block = static_cast<uint32_t>(stored->block_end() - stored->block_begin());
      for (uint32_t c = 0; c < schema.columns.size(); ++c) {
        const Vector flat = flatten(stored->vector(c), rows_in_block, {nullptr, rows_in_block}, false);
        const bool is_key = std::find(keys.begin(), keys.end(), c) != keys.end();
        for (uint32_t i = 0; i < count; ++i) {
          Row& row = rows[first_row + i];
          append_value_bytes(&row.whole, flat, first + i);
          if (is_key) append_value_bytes(&row.key, flat, first + i);
          if (static_cast<int>(c) == schema.deleted_column)
            row.hidden = flat.is_valid(first + i) && flat.values<uint8_t>()[first + i] != 0;
        }
      }
      at = block_end;
    }
  }
  std::erase_if(rows, [](const Row& row) { return row.hidden; });
  if (keys.empty()) {
    for (Row& row : rows) row.key = row.whole;
  }
  return rows;
}

class ChangeCollector {
 public:
  explicit ChangeCollector(std::shared_ptr<const TableSchema> schema)
      : schema_(std::move(schema)), rows_(std::make_shared<ColumnBatch>(schema_)) {}

  void compare(const PartitionPtr& before, const PartitionPtr& after) {
    std::optional<StoredRows> old_rows, new_rows;
    std::vector<Row> removed, added;
    if (before) {
      old_rows.emplace(before, schema_);
      removed = read_rows(&*old_rows, unshared(*before, after.get()), *schema_);
    }
    if (after) {
      new_rows.emplace(after, schema_);
      added = read_rows(&*new_rows, unshared(*after, before.get()), *schema_);
    }
    std::unordered_map<std::string_view, std::vector<size_t>> by_key;
    for (size_t i = removed.size(); i-- > 0;) by_key[removed[i].key].push_back(i);
    std::vector<std::pair<size_t, size_t>> updated;
    std::vector<size_t> inserted;
    std::vector<bool> matched(removed.size());
    for (size_t i = 0; i < added.size(); ++i) {
      const auto same = by_key.find(added[i].key);
      if (same == by_key.end() || same->second.empty()) {
        inserted.push_back(i);
        continue;
      }
      const size_t old = same->second.back();
      same->second.pop_back();
      matched[old] = true;
      if (removed[old].whole != added[i].whole) updated.emplace_back(old, i);
    }
    for (size_t i = 0; i < removed.size(); ++i) {
      if (!matched[i]) append(&*old_rows, removed[i].ordinal, ChangeKind::kDelete);
    }
    for (const auto& [old, now] : updated) {
      append(&*old_rows, removed[old].ordinal, ChangeKind::kUpdateBefore);
      append(&*new_rows, added[now].ordinal, ChangeKind::kUpdateAfter);
    }
    for (const size_t i : inserted) append(&*new_rows, added[i].ordinal, ChangeKind::kInsert);
  }

  VersionChanges take(VersionNumber version, int64_t time_micros) {
    VersionChanges changes{version, time_micros, std::move(rows_), std::move(kinds_)};
    rows_ = std::make_shared<ColumnBatch>(schema_);
    kinds_.clear();
    return changes;
  }
  bool empty() const { return kinds_.empty(); }

 private:
  void append(StoredRows* stored, uint64_t ordinal, ChangeKind kind) {
    stored->move_to(ordinal);
    const auto row = static_cast<uint16_t>(stored->row_in_block(ordinal));
    for (uint32_t c = 0; c < schema_->columns.size(); ++c)
      rows_->column(c).append_vector(stored->vector(c), {&row, 1});
    kinds_.push_back(kind);
  }

  std::shared_ptr<const TableSchema> schema_;
  std::shared_ptr<ColumnBatch> rows_;
  std::vector<ChangeKind> kinds_;
};

}  // namespace

std::string_view change_kind_name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kInsert: return "insert";
    case ChangeKind::kDelete: return "delete";
    case ChangeKind::kUpdateBefore: return "update_before";
    case ChangeKind::kUpdateAfter: return "update_after";
  }
  return {};
}

void read_changes(DatabaseState& db, const Snapshot& snapshot, TableId table, VersionNumber from,
                  VersionNumber to, const std::function<bool(VersionChanges)>& take) {
  const KeptVersion first = find_version(db, snapshot, table, VersionNumberTarget{from});
  const KeptVersion last = find_version(db, snapshot, table, VersionNumberTarget{to});
  ChangeCollector collector(last.version->schema);
  std::shared_ptr<const TableVersion> before = first.version;
  for_each_version_between(db, *db.history(table), first, last, [&](const KeptVersion& next) {
    for_each_changed_partition(
        before->partitions, next.version->partitions,
        [&](int64_t, const PartitionPtr& a, const PartitionPtr& b) { collector.compare(a, b); });
    before = next.version;
    return collector.empty() || take(collector.take(next.number(), next.time_micros));
  });
}

}  // namespace idem
