#include "storage/partition_change.h"

#include <algorithm>
#include <cassert>

#include "storage/partition_builder.h"

namespace idem {

namespace {

// Gives the change's items in order of their ordinals.
class ChangeCursor {
 public:
  explicit ChangeCursor(const PositionDelta& delta) : delta_(delta) {}

  // The first ordinal at or after which something happens; UINT64_MAX if nothing does.
  uint64_t next() const {
    uint64_t at = UINT64_MAX;
    if (deleted_ < delta_.deleted.size()) at = std::min(at, delta_.deleted[deleted_]);
    if (replaced_ < delta_.replaced.size()) at = std::min(at, delta_.replaced[replaced_]);
    if (inserted_ < delta_.inserted.size()) at = std::min(at, delta_.inserted[inserted_].before);
    return at;
  }
  // Rows inserted before `ordinal`, then what happens to the row there. True if the row itself was consumed.
  bool apply_at(uint64_t ordinal, PartitionBuilder* builder) {
    if (inserted_ < delta_.inserted.size() && delta_.inserted[inserted_].before == ordinal) {
      const auto& run = delta_.inserted[inserted_++];
      builder->inserted_rows(run.first, run.count);
    }
    if (deleted_ < delta_.deleted.size() && delta_.deleted[deleted_] == ordinal) {
      ++deleted_;
      return true;
    }
    if (replaced_ < delta_.replaced.size() && delta_.replaced[replaced_] == ordinal) {
      builder->replaced_row(replaced_++);
      return true;
    }
    return false;
  }

 private:
  const PositionDelta& delta_;
  size_t deleted_ = 0, replaced_ = 0, inserted_ = 0;
};

// The row group at the end of a partition if rows may be added to it.
MemoryRowGroup* growing_tail(const Slice& slice, const WriteContext& context) {
  if (!slice.group->in_memory()) return nullptr;
  // The other form of RowGroup says false: this one is the only one in memory.
  auto* group = const_cast<MemoryRowGroup*>(static_cast<const MemoryRowGroup*>(slice.group.get()));
  if (context.owner != MemoryRowGroup::kCommitted && group->owner() != context.owner) return nullptr;
  if (slice.end >= group->capacity() || !group->has_shape_of(*context.schema)) return nullptr;
  return group;
}

void write_inserted(MemoryRowGroup* group, uint32_t first, const PartitionChange& change, uint64_t index,
                    uint32_t count, size_t columns) {
  for (size_t c = 0; c < columns; ++c) {
    if (change.inserted_rows.empty()) {
      group->write_batch(c, first, change.rows->column(c), change.inserted_row(index), count);
    } else {
      group->write_gathered(c, first, change.rows->column(c), change.inserted_rows.data() + index, count);
    }
  }
}

// Rows at the end and nothing else: a copy of the list of slices, and the rows.
std::shared_ptr<const Partition> append_rows(const std::shared_ptr<const Partition>& before,
                                             const PartitionChange& change, const WriteContext& context) {
  const TableSchema& schema = *context.schema;
  uint64_t left = change.positions.inserted_count();
  uint64_t done = 0;
  Slice last = before ? before->slices.back() : Slice();
  MemoryRowGroup* tail = before ? growing_tail(last, context) : nullptr;
  const bool fits = tail && tail->capacity() - last.end >= left;
  const bool small_tail = before && last.rows() < kVectorSize;
  if (tail && (fits || !small_tail)) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(left, tail->capacity() - last.end));
    if (tail->claim(last.end, count)) {
      write_inserted(tail, last.end, change, 0, count, schema.columns.size());
      last.end += count;
      left -= count;
      done = count;
    }
  }
  if (left > 0 && done == 0 && small_tail) {
    // A short tail without room moves into the new row group, so that slices do not stay short.
    PartitionBuilder builder(context, &change);
    for (size_t i = 0; i + 1 < before->slices.size(); ++i) {
      builder.keep(*before, i, before->slices[i].begin, before->slices[i].end);
    }
    for (uint32_t row = last.begin; row < last.end;) {
      const uint32_t end = std::min(last.end, (row / kVectorSize + 1) * kVectorSize);
      builder.copy(last, row, end);
      row = end;
    }
    builder.inserted_rows(0, left);
    return builder.finish(change.start);
  }

  auto partition = before ? std::make_shared<Partition>(*before) : std::make_shared<Partition>();
  partition->start = change.start;
  if (!before) partition->row_count = 0;
  if (done > 0) {
    partition->slices.back().end = last.end;
    partition->row_count += done;
    if (schema.has_timestamp()) {
      const auto* times = static_cast<const int64_t*>(
          change.rows->column(static_cast<size_t>(schema.timestamp_column)).data());
      partition->slice_max.back() = times[change.inserted_row(done - 1)];
    }
  }
  while (left > 0) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(left, kRowGroupSize));
    const uint64_t total = partition->row_count + left;
    auto group = std::make_shared<MemoryRowGroup>(context.schema, row_group_capacity(total), context.account,
                                                  context.owner);
    const bool claimed = group->claim(0, count);
    assert(claimed);
    static_cast<void>(claimed);
    write_inserted(group.get(), 0, change, done, count, schema.columns.size());
    partition->slices.push_back({group, 0, count});
    partition->first_ordinal.push_back(partition->row_count);
    int64_t first_time = 0, last_time = 0;
    if (schema.has_timestamp()) {
      const auto* times = static_cast<const int64_t*>(
          change.rows->column(static_cast<size_t>(schema.timestamp_column)).data());
      first_time = times[change.inserted_row(done)];
      last_time = times[change.inserted_row(done + count - 1)];
    }
    partition->slice_min.push_back(first_time);
    partition->slice_max.push_back(last_time);
    partition->row_count += count;
    done += count;
    left -= count;
  }
  partition->min_timestamp = partition->slice_min.front();
  partition->max_timestamp = partition->slice_max.back();
  partition->content_id = context.content_ids->fetch_add(1, std::memory_order_relaxed) + 1;
  return partition;
}

void rewrite_block(const Slice& slice, uint32_t begin, uint32_t end, uint64_t ordinal, ChangeCursor* cursor,
                   PartitionBuilder* builder) {
  uint32_t row = begin;
  while (row < end) {
    const uint64_t next = cursor->next();
    const uint64_t here = ordinal + (row - begin);
    const uint64_t block_end = ordinal + (end - begin);
    if (next > here) {
      const auto count = static_cast<uint32_t>(std::min(next, block_end) - here);
      builder->copy(slice, row, row + count);
      row += count;
      continue;
    }
    if (!cursor->apply_at(here, builder)) builder->copy(slice, row, row + 1);
    ++row;
  }
}

}  // namespace

std::shared_ptr<const Partition> apply_change(const std::shared_ptr<const Partition>& before,
                                              const PartitionChange& change, const WriteContext& context) {
  const uint64_t row_count = before ? before->row_count : 0;
  if (change.positions.empty()) return before;
  if (change.positions.is_append(row_count)) return append_rows(before, change, context);

  ChangeCursor cursor(change.positions);
  PartitionBuilder builder(context, &change);
  for (size_t i = 0; i < before->slices.size(); ++i) {
    const Slice& slice = before->slices[i];
    const uint64_t first = before->first_ordinal[i];
    if (cursor.next() >= first + slice.rows()) {
      builder.keep(*before, i, slice.begin, slice.end);
      continue;
    }
    for (uint32_t row = slice.begin; row < slice.end;) {
      const uint32_t end = std::min(slice.end, (row / kVectorSize + 1) * kVectorSize);
      const uint64_t ordinal = first + (row - slice.begin);
      if (cursor.next() >= ordinal + (end - row)) {
        builder.keep(*before, i, row, end);
      } else {
        rewrite_block(slice, row, end, ordinal, &cursor, &builder);
      }
      row = end;
    }
  }
  if (change.positions.inserted.empty() || change.positions.inserted.back().before != row_count) {
    return builder.finish(change.start);
  }
  // What comes at the end goes into the last row group if that was left as it is.
  const PositionDelta::InsertRun& run = change.positions.inserted.back();
  const uint64_t changed_before_end = builder.rows();
  if (changed_before_end == 0 || !builder.ends_with(before->slices.back())) {
    builder.inserted_rows(run.first, run.count);
    return builder.finish(change.start);
  }
  const auto middle = builder.finish(change.start);
  PartitionChange tail;
  tail.start = change.start;
  tail.rows = change.rows;
  tail.positions.insert(middle->row_count, run.count);
  tail.first_inserted = change.first_inserted + static_cast<uint32_t>(run.first);
  if (!change.inserted_rows.empty()) {
    tail.inserted_rows.assign(change.inserted_rows.begin() + static_cast<std::ptrdiff_t>(run.first),
                              change.inserted_rows.end());
  }
  return append_rows(middle, tail, context);
}

void replace_partition(TableVersion* version, int64_t start, std::shared_ptr<const Partition> partition) {
  const size_t i = version->lower_partition(start);
  const bool exists = i < version->partitions.size() && version->partitions[i]->start == start;
  if (exists) version->row_count -= version->partitions[i]->row_count;
  if (partition) version->row_count += partition->row_count;
  if (exists && partition) {
    version->partitions = version->partitions.set(i, std::move(partition));
    return;
  }
  if (partition && i == version->partitions.size()) {
    version->partitions = version->partitions.push_back(std::move(partition));
    return;
  }
  if (!exists && !partition) return;
  std::vector<std::shared_ptr<const Partition>> all;
  all.reserve(version->partitions.size() + 1);
  version->partitions.for_each([&](const auto& p) { all.push_back(p); });
  const auto place = all.begin() + static_cast<std::ptrdiff_t>(i);
  if (exists) {
    all.erase(place);
  } else {
    all.insert(place, std::move(partition));
  }
  version->partitions = PersistentVector<std::shared_ptr<const Partition>>::from(all);
}

}  // namespace idem
