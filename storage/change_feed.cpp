#include "storage/change_feed.h"

#include <algorithm>
#include <span>

#include "common/hash.h"
#include "storage/partition_difference.h"
#include "storage/stored_rows.h"
#include "storage/tombstones.h"
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

// Rows of a partition, but for tombstones, that are not stored as those of the other one.
ColumnBatch read_unshared(const PartitionPtr& partition, const PartitionPtr& other,
                          const std::shared_ptr<const TableSchema>& schema) {
  ColumnBatch rows(schema);
  if (!partition) return rows;
  StoredRows stored(partition, schema);
  std::vector<uint16_t> shown;
  for (const auto& [begin, end] : unshared(*partition, other.get())) {
    for (uint64_t at = begin; at < end;) {
      stored.move_to(at);
      const uint64_t block_end = std::min(end, stored.block_end());
      const ColumnView deleted =
          hides_rows(*schema) ? stored.column(static_cast<uint32_t>(schema->deleted_column)) : ColumnView();
      shown.clear();
      for (; at < block_end; ++at) {
        const uint32_t row = stored.row_in_block(at);
        const bool hidden = deleted.data && !deleted.is_null(row) && deleted.at<uint8_t>(row) != 0;
        if (!hidden) shown.push_back(static_cast<uint16_t>(row));
      }
      for (uint32_t c = 0; c < rows.column_count(); ++c) {
        rows.column(c).append_vector(stored.vector(c), {shown.data(), static_cast<uint32_t>(shown.size())});
      }
    }
  }
  return rows;
}

// What two versions of one partition do not share, matched by upsert keys; in a table without, rows that are the same.
//
//   removed   1 A 10 │ 2 B 20        1 A: updated, 10 to 11
//   added     1 A 11 │ 3 C 30        2 B: deleted        3 C: inserted
//
// Refers to both batches.
class RowMatcher {
 public:
  RowMatcher(const ColumnBatch& removed, const ColumnBatch& added)
      : removed_(views_of(removed)), added_(views_of(added)), keys_(removed.schema().upsert_keys) {
    with_keys_ = !keys_.empty();
    for (uint32_t c = 0; !with_keys_ && c < removed.column_count(); ++c) keys_.push_back(c);
    next_.resize(removed.rows());
    for (uint32_t row = removed.rows(); row-- > 0;) {
      const auto [first, is_new] = first_.try_emplace({&removed_, row}, row);
      next_[row] = is_new ? kNone : std::exchange(first->second, row);
    }
  }

  RowMatcher(const RowMatcher&) = delete;

  static constexpr uint32_t kNone = UINT32_MAX;
  // The first removed row, of those not taken yet, that matches an added one; kNone: there is none.
  uint32_t take_match(uint32_t added) {
    const auto first = first_.find({&added_, added});
    if (first == first_.end() || first->second == kNone) return kNone;
    return std::exchange(first->second, next_[first->second]);
  }
  bool same_values(uint32_t removed, uint32_t added) const {
    for (size_t c = 0; c < removed_.size(); ++c) {
      if (!identical(removed_[c], removed, added_[c], added)) return false;
    }
    return true;
  }

 private:
  using Views = std::vector<ColumnView>;
  struct Row {
    const Views* columns = nullptr;
    uint32_t row = 0;
  };
  struct Hash {
    const RowMatcher& rows;
    size_t operator()(const Row& row) const {
      uint64_t hash = 0;
      for (const uint32_t c : rows.keys_) hash = hash_combine(hash, key_hash((*row.columns)[c], row.row));
      return hash;
    }
  };
  struct Equal {
    const RowMatcher& rows;
    bool operator()(const Row& a, const Row& b) const {
      const auto equal = rows.with_keys_ ? key_equal : identical;
      return std::all_of(rows.keys_.begin(), rows.keys_.end(),
                         [&](uint32_t c) { return equal((*a.columns)[c], a.row, (*b.columns)[c], b.row); });
    }
  };
  static Views views_of(const ColumnBatch& rows) {
    Views views;
    for (size_t c = 0; c < rows.column_count(); ++c) views.emplace_back(rows.column(c));
    return views;
  }

  const Views removed_, added_;
  std::vector<uint32_t> keys_;  // columns
  bool with_keys_ = false;
  std::vector<uint32_t> next_;  // of each removed row: the next one that equals it
  std::unordered_map<Row, uint32_t, Hash, Equal> first_{0, Hash{*this},
                                                        Equal{*this}};  // of equal removed rows
};

class ChangeCollector {
 public:
  explicit ChangeCollector(std::shared_ptr<const TableSchema> schema)
      : schema_(std::move(schema)), rows_(std::make_shared<ColumnBatch>(schema_)) {}

  void compare(const PartitionPtr& before, const PartitionPtr& after) {
    const ColumnBatch removed = read_unshared(before, after, schema_),
                      added = read_unshared(after, before, schema_);
    RowMatcher matcher(removed, added);
    std::vector<bool> is_matched(removed.rows());
    std::vector<std::pair<uint32_t, uint32_t>> updated;
    std::vector<uint32_t> deleted, inserted;
    for (uint32_t row = 0; row < added.rows(); ++row) {
      const uint32_t old = matcher.take_match(row);
      if (old == RowMatcher::kNone) {
        inserted.push_back(row);
        continue;
      }
      is_matched[old] = true;
      if (!matcher.same_values(old, row)) updated.emplace_back(old, row);
    }
    for (uint32_t row = 0; row < removed.rows(); ++row) {
      if (!is_matched[row]) deleted.push_back(row);
    }
    append(removed, deleted, ChangeKind::kDelete);
    for (const auto& [old, now] : updated) {
      append(removed, {&old, 1}, ChangeKind::kUpdateBefore);
      append(added, {&now, 1}, ChangeKind::kUpdateAfter);
    }
    append(added, inserted, ChangeKind::kInsert);
  }

  VersionChanges take(VersionNumber version, int64_t time_micros) {
    VersionChanges changes{version, time_micros, std::move(rows_), std::move(kinds_)};
    rows_ = std::make_shared<ColumnBatch>(schema_);
    kinds_.clear();
    return changes;
  }
  bool empty() const { return kinds_.empty(); }

 private:
  void append(const ColumnBatch& from, std::span<const uint32_t> rows, ChangeKind kind) {
    rows_->append_rows(from, rows.data(), rows.size());
    kinds_.insert(kinds_.end(), rows.size(), kind);
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
