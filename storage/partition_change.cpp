#include "storage/partition_change.h"

#include <algorithm>
#include <cassert>

#include "storage/partition_builder.h"
#include "storage/slice_plan.h"

namespace idem {

namespace {

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

bool has_overlay(const Partition& partition) {
  return std::any_of(partition.slices.begin(), partition.slices.end(),
                     [](const Slice& slice) { return slice.overlay != nullptr; });
}

// Rows for the patches of later changes go behind those of this one.
void keep_patch_rows(const Partition& before, Partition* after) {
  if (!before.patch_rows || !has_overlay(*after)) return;
  after->patch_rows = before.patch_rows;
  after->patch_rows_used = before.patch_rows_used;
}

std::shared_ptr<const Partition> append_encoded(const std::shared_ptr<const Partition>& before,
                                                const PartitionChange& change, const WriteContext& context) {
  auto partition = before ? std::make_shared<Partition>(*before) : std::make_shared<Partition>();
  partition->start = change.start;
  for (const EncodedRows& rows : change.encoded) {
    const auto [min, max] = known_bounds(rows, *context.schema);
    add_slice_to(partition.get(), *context.schema, {rows.group, rows.first, rows.first + rows.count, nullptr},
                 min, max);
  }
  partition->content_id = context.content_ids->fetch_add(1, std::memory_order_relaxed) + 1;
  return partition;
}

// Rows at the end and nothing else: a copy of the list of slices, and the rows.
std::shared_ptr<const Partition> append_rows(const std::shared_ptr<const Partition>& before,
                                             const PartitionChange& change, const WriteContext& context) {
  if (!change.encoded.empty()) return append_encoded(before, change, context);
  const TableSchema& schema = *context.schema;
  uint64_t left = change.positions.inserted_count();
  uint64_t done = 0;
  Slice last = before ? before->slices.back() : Slice();
  MemoryRowGroup* tail = before ? growing_group(last.group.get(), context) : nullptr;
  if (tail && last.end >= tail->capacity()) tail = nullptr;
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
      builder.keep(before->slices[i], before->slice_min[i], before->slice_max[i]);
    }
    builder.copy(last, 0, last.rows());
    builder.inserted_rows(0, left);
    const auto partition = builder.finish(change.start);
    keep_patch_rows(*before, partition.get());
    return partition;
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
    partition->slices.push_back({group, 0, count, nullptr});
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

// The rows of a block as they are after the change, to be written anew.
void rewrite_block(const Slice& slice, const BlockPlan& block, uint64_t ordinal, const PositionDelta& delta,
                   PartitionBuilder* builder) {
  ChangeCursor cursor(delta, block.change);
  for (uint32_t row = block.first_row; row < block.end_row;) {
    const uint64_t next = std::min(cursor.next(), ordinal + (block.end_row - row));
    if (next > ordinal) {
      const auto count = static_cast<uint32_t>(next - ordinal);
      builder->copy(slice, row, count);
      row += count;
      ordinal = next;
      continue;
    }
    if (const auto* run = cursor.take_inserted(ordinal)) builder->inserted_rows(run->first, run->count);
    if (!cursor.take_deleted(ordinal)) {
      if (const int64_t i = cursor.take_replaced(ordinal); i >= 0) {
        builder->replaced_row(static_cast<size_t>(i));
      } else {
        builder->copy(slice, row, 1);
      }
    }
    ++row;
    ++ordinal;
  }
}

// Carries out the plan for one slice.
void change_slice(const Partition& before, size_t index, const SlicePlan& plan, const PatchRowPlaces& places,
                  const PartitionChange& change, PartitionBuilder* builder) {
  const Slice& slice = before.slices[index];
  if (!plan.changes) return builder->keep(slice, before.slice_min[index], before.slice_max[index]);
  const std::shared_ptr<const Overlay> overlay = overlay_after(slice, plan, places, change);
  std::optional<int64_t> min, max;
  if (!plan.first_row_changes) min = before.slice_min[index];
  if (!plan.last_row_changes) max = before.slice_max[index];
  const auto keep = [&](uint32_t begin, uint32_t end) {
    if (begin == end) return;
    Slice part{slice.group, begin, end, overlay && overlay->touches(begin, end) ? overlay : nullptr};
    builder->keep(std::move(part), begin == slice.begin ? min : std::nullopt,
                  end == slice.end ? max : std::nullopt);
  };
  uint32_t kept_from = slice.begin;
  for (const BlockPlan& block : plan.blocks) {
    if (block.fate == BlockPlan::Fate::kKept || block.fate == BlockPlan::Fate::kPatched) continue;
    keep(kept_from, block.begin);
    kept_from = block.end;
    if (block.fate == BlockPlan::Fate::kRewritten) {
      rewrite_block(slice, block, before.first_ordinal[index] + block.first_row, change.positions, builder);
    }
  }
  keep(kept_from, slice.end);
}

}  // namespace

std::vector<EncodedRows> PartitionChange::encoded_part(uint64_t first, uint64_t count) const {
  std::vector<EncodedRows> part;
  uint64_t at = 0;  // number of the run's first row
  for (const EncodedRows& run : encoded) {
    const uint64_t begin = std::max(first, at), end = std::min(first + count, at + run.count);
    if (begin < end) {
      part.push_back(
          {run.group, run.first + static_cast<uint32_t>(begin - at), static_cast<uint32_t>(end - begin)});
    }
    at += run.count;
  }
  return part;
}

std::shared_ptr<const Partition> apply_change(const std::shared_ptr<const Partition>& before,
                                              const PartitionChange& change, const WriteContext& context) {
  const uint64_t row_count = before ? before->row_count : 0;
  if (change.positions.empty()) return before;
  if (change.positions.is_append(row_count)) return append_rows(before, change, context);

  SlicePlanner planner(change);
  std::vector<SlicePlan> plans;
  plans.reserve(before->slices.size());
  for (size_t i = 0; i < before->slices.size(); ++i) {
    plans.push_back(planner.plan(before->slices[i], before->first_ordinal[i]));
  }
  const PatchRowPlaces places = write_patch_rows(*before, change, planner.new_rows(), context);
  PartitionBuilder builder(context, &change);
  for (size_t i = 0; i < before->slices.size(); ++i) {
    change_slice(*before, i, plans[i], places, change, &builder);
  }
  const auto finish = [&] {
    std::shared_ptr<Partition> partition = builder.finish(change.start);
    if (!partition) return partition;
    if (places.ranges.empty()) {
      keep_patch_rows(*before, partition.get());
    } else {
      partition->patch_rows = places.ranges.back().group;
      partition->patch_rows_used = places.used();
    }
    return partition;
  };
  if (!planner.inserts_at_end()) return finish();
  // What comes at the end goes into the last row group if that was left as it is.
  const PositionDelta::InsertRun& run = change.positions.inserted.back();
  if (!builder.ends_with(before->slices.back())) {
    builder.inserted_rows(run.first, run.count);
    return finish();
  }
  const auto middle = finish();
  PartitionChange tail;
  tail.start = change.start;
  tail.rows = change.rows;
  tail.positions.insert(middle->row_count, run.count);
  if (!change.encoded.empty()) {
    tail.encoded = change.encoded_part(run.first, run.count);
    return append_rows(middle, tail, context);
  }
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
