#include "storage/slice_plan.h"

#include <algorithm>
#include <cassert>

#include "storage/partition_builder.h"

namespace idem {

namespace {

// A patch holds at most this part of the block's rows; more is written anew.
constexpr uint32_t kSparsePart = 8;

}  // namespace

SlicePlan SlicePlanner::plan(const Slice& slice, uint64_t first) {
  SlicePlan plan;
  const uint32_t rows = slice.rows();
  const uint64_t end = first + rows;
  if (cursor_.next() >= end) return plan;
  plan.changes = true;
  const PositionDelta& delta = change_.positions;
  plan.first_row_changes = delta.deletes(first) || cursor_.next_inserted() == first;
  plan.last_row_changes = delta.deletes(end - 1);
  uint32_t shown = 0;
  for (uint32_t row = slice.begin; row < slice.end;) {
    BlockPlan block;
    block.begin = row;
    block.end = std::min(slice.end, (row / kVectorSize + 1) * kVectorSize);
    block.first_row = shown;
    block.end_row = slice.shown_before(block.end);
    if (cursor_.next() < first + block.end_row) plan_block(slice, first + shown, &block);
    shown = block.end_row;
    row = block.end;
    plan.blocks.push_back(std::move(block));
  }
  return plan;
}

void SlicePlanner::plan_block(const Slice& slice, uint64_t ordinal, BlockPlan* block) {
  const uint32_t rows = block->end_row - block->first_row;
  block->change = cursor_.take_until(ordinal + rows);
  const ChangeRange& change = block->change;
  const uint64_t inserted = change.inserted(change_.positions);
  if (inserted == 0 && change.deleted() == rows) {
    block->fate = BlockPlan::Fate::kDropped;
    return;
  }
  const uint32_t limit = (block->end - block->begin) / kSparsePart;
  block->fate = BlockPlan::Fate::kRewritten;
  if (change.deleted() + change.replaced() + inserted > limit) return;
  const BlockPatch* patch = slice.overlay ? slice.overlay->patch(block->begin / kVectorSize) : nullptr;
  const size_t new_rows = new_rows_.size();
  merge(patch, ordinal, limit, block);
  if (block->items.size() <= limit) {
    block->fate = BlockPlan::Fate::kPatched;
  } else {
    block->items.clear();
    new_rows_.resize(new_rows);
  }
}

void SlicePlanner::add_new(BlockPlan* block, uint32_t position, BlockPatch::Kind kind, uint32_t batch_row) {
  block->items.push_back(
      {static_cast<uint16_t>(position), kind, nullptr, static_cast<uint32_t>(new_rows_.size()), false});
  new_rows_.push_back(batch_row);
}

void SlicePlanner::add_inserted(BlockPlan* block, uint32_t position, uint64_t index) {
  if (change_.encoded.empty()) {
    return add_new(block, position, BlockPatch::Kind::kInsert, change_.inserted_row(index));
  }
  block->items.push_back({static_cast<uint16_t>(position), BlockPatch::Kind::kInsert, nullptr,
                          static_cast<uint32_t>(index), true});
}

// Walks the items of the old patch and of the change together; stops when there are more than `limit`.
void SlicePlanner::merge(const BlockPatch* patch, uint64_t ordinal, uint32_t limit, BlockPlan* block) {
  using Kind = BlockPatch::Kind;
  ChangeCursor cursor(change_.positions, block->change);
  const uint32_t block_first = block->begin / kVectorSize * kVectorSize;
  uint32_t position = block->begin - block_first;
  const uint32_t end = block->end - block_first;
  const auto insert_before = [&](uint64_t at) {
    const PositionDelta::InsertRun* run = cursor.take_inserted(at);
    if (!run) return;
    for (uint64_t i = 0; i < run->count; ++i) { add_inserted(block, position, run->first + i); }
  };
  // Base rows up to `until`, which no old item concerns.
  const auto pass_base_rows = [&](uint32_t until) {
    const uint64_t after = ordinal + (until - position);
    while (cursor.next() < after) {
      const uint64_t at = cursor.next();
      position += static_cast<uint32_t>(at - ordinal);
      ordinal = at;
      insert_before(ordinal);
      if (cursor.take_deleted(ordinal)) {
        block->items.push_back({static_cast<uint16_t>(position), Kind::kDelete, nullptr, 0, false});
      } else if (const int64_t i = cursor.take_replaced(ordinal); i >= 0) {
        add_new(block, position, Kind::kReplace, change_.replaced_rows[static_cast<size_t>(i)]);
      }
      ++position;
      ++ordinal;
    }
    ordinal = after;
    position = until;
  };
  if (patch) {
    for (const BlockPatch::Item& item : patch->items()) {
      if (item.position < position) continue;
      if (item.position >= end || block->items.size() > limit) break;
      pass_base_rows(item.position);
      if (item.kind == Kind::kDelete) {
        block->items.push_back({item.position, Kind::kDelete, nullptr, 0, false});
        ++position;
        continue;
      }
      insert_before(ordinal);
      if (cursor.take_deleted(ordinal)) {
        if (item.kind == Kind::kReplace)
          block->items.push_back({item.position, Kind::kDelete, nullptr, 0, false});
      } else if (const int64_t i = cursor.take_replaced(ordinal); i >= 0) {
        add_new(block, position, item.kind, change_.replaced_rows[static_cast<size_t>(i)]);
      } else {
        block->items.push_back({item.position, item.kind, &item, 0, false});
      }
      if (item.kind == Kind::kReplace) ++position;
      ++ordinal;
    }
  }
  if (block->items.size() <= limit) pass_base_rows(end);
}

std::shared_ptr<const Overlay> overlay_after(const Slice& slice, const SlicePlan& plan,
                                             const PatchRowPlaces& places, const PartitionChange& change) {
  Overlay::Blocks blocks;
  if (slice.overlay) blocks = slice.overlay->blocks();
  bool changes = false;
  for (const BlockPlan& block : plan.blocks) {
    const uint32_t index = block.begin / kVectorSize;
    const BlockPatch* old = slice.overlay ? slice.overlay->patch(index) : nullptr;
    if (block.fate == BlockPlan::Fate::kKept || (block.fate != BlockPlan::Fate::kPatched && !old)) continue;
    changes = true;
    if (blocks.size() <= index) blocks.resize(index + 1);
    BlockPatchBuilder patch;
    for (const BlockPlan::Item& item : block.items) {
      if (item.old) {
        patch.add(*old, *item.old);
      } else if (item.kind == BlockPatch::Kind::kDelete) {
        patch.add_deletion(item.position);
      } else if (item.encoded) {
        const EncodedRows at = change.encoded_part(item.new_row, 1).at(0);
        patch.add(item.position, item.kind, at.group, at.first);
      } else {
        const auto [group, row] = places.of(item.new_row);
        patch.add(item.position, item.kind, group, row);
      }
    }
    blocks[index] = patch.finish();
  }
  if (!changes) return slice.overlay;
  // What other slices show of the row group is in their overlays.
  const uint32_t first = slice.begin / kVectorSize, last = (slice.end - 1) / kVectorSize;
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    if (b < first || b > last) blocks[b] = nullptr;
  }
  return Overlay::make(std::move(blocks));
}

std::pair<std::shared_ptr<const RowGroup>, uint32_t> PatchRowPlaces::of(uint32_t new_row) const {
  size_t i = 0;
  while (new_row >= ranges[i].count) new_row -= ranges[i++].count;
  return {ranges[i].group, ranges[i].first + new_row};
}

MemoryRowGroup* growing_group(const RowGroup* group, const WriteContext& context) {
  if (!group || !group->in_memory()) return nullptr;
  // The other form of RowGroup says false: this one is the only one in memory.
  auto* growing = const_cast<MemoryRowGroup*>(static_cast<const MemoryRowGroup*>(group));
  if (context.owner != MemoryRowGroup::kCommitted && growing->owner() != context.owner) return nullptr;
  return growing->has_shape_of(*context.schema) ? growing : nullptr;
}

PatchRowPlaces write_patch_rows(const Partition& before, const PartitionChange& change,
                                const std::vector<uint32_t>& batch_rows, const WriteContext& context) {
  PatchRowPlaces places;
  const auto write = [&](MemoryRowGroup* group, uint32_t first, size_t from, uint32_t count) {
    for (size_t c = 0; c < context.schema->columns.size(); ++c) {
      group->write_gathered(c, first, change.rows->column(c), batch_rows.data() + from, count);
    }
  };
  const auto total = static_cast<uint32_t>(batch_rows.size());
  if (total == 0) return places;
  const uint32_t used = before.patch_rows_used;
  MemoryRowGroup* tail = growing_group(before.patch_rows.get(), context);
  if (tail && tail->capacity() >= used && tail->capacity() - used >= total && tail->claim(used, total)) {
    write(tail, used, 0, total);
    places.ranges.push_back({before.patch_rows, used, total});
    return places;
  }
  for (uint32_t done = 0; done < total;) {
    const uint32_t count = std::min(total - done, kRowGroupSize);
    // A row group that was too small is followed by one of the next size.
    const uint64_t expected = done == 0 && tail ? uint64_t{used} + count : count;
    auto group = std::make_shared<MemoryRowGroup>(context.schema, row_group_capacity(expected),
                                                  context.account, context.owner);
    const bool claimed = group->claim(0, count);
    assert(claimed);
    static_cast<void>(claimed);
    write(group.get(), 0, done, count);
    places.ranges.push_back({std::move(group), 0, count});
    done += count;
  }
  return places;
}

}  // namespace idem
