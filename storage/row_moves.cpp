#include "storage/row_moves.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "storage/partition_builder.h"

namespace idem {

using Kind = BlockPatch::Kind;

void RowMoves::add_slice(const Slice& slice, std::vector<Target> targets) {
  slices_[slice.group.get()].push_back({slice, std::move(targets)});
}

void RowMoves::add_overlay(std::shared_ptr<const Overlay> from, std::shared_ptr<const Overlay> to) {
  for (uint32_t b = 0; b < to->blocks().size(); ++b) {
    const BlockPatch* now = to->patch(b);
    if (!now) continue;
    const BlockPatch& before = *from->patch(b);
    assert(before.items().size() == now->items().size());
    for (size_t i = 0; i < before.items().size(); ++i) {
      const BlockPatch::Item& item = before.items()[i];
      const BlockPatch::Item& moved = now->items()[i];
      if (item.kind == Kind::kDelete || &before.group_of(item) == &now->group_of(moved)) continue;
      patch_rows_[&before.group_of(item)][before.row_of(item)] = {now->sources()[moved.source].group,
                                                                  now->row_of(moved)};
    }
  }
  const Overlay* key = from.get();
  overlays_[key] = {std::move(from), std::move(to)};
}

bool RowMoves::concerns(const BlockPatch& patch) const {
  return std::any_of(patch.sources().begin(), patch.sources().end(), [&](const BlockPatch::Source& source) {
    return patch_rows_.contains(source.group.get());
  });
}

bool RowMoves::concerns(const Slice& slice) const {
  if (slices_.contains(slice.group.get())) return true;
  if (!slice.overlay || overlays_.empty()) return false;
  if (overlays_.contains(slice.overlay.get())) return true;
  const Overlay::Blocks& blocks = slice.overlay->blocks();
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const auto& patch) { return patch && concerns(*patch); });
}

RowMoves::PatchRow RowMoves::moved(const BlockPatch& patch, const BlockPatch::Item& item) const {
  const auto group = patch_rows_.find(&patch.group_of(item));
  if (group != patch_rows_.end()) {
    const auto row = group->second.find(patch.row_of(item));
    if (row != group->second.end()) return row->second;
  }
  return {patch.sources()[item.source].group, patch.row_of(item)};
}

std::shared_ptr<const Overlay> RowMoves::moved(const std::shared_ptr<const Overlay>& overlay) const {
  if (!overlay || overlays_.empty()) return overlay;
  const auto known = overlays_.find(overlay.get());
  if (known != overlays_.end()) return known->second.second;
  bool any = false;
  Overlay::Blocks blocks = overlay->blocks();
  for (auto& block : blocks) {
    if (!block || !concerns(*block)) continue;
    any = true;
    BlockPatchBuilder patch;
    for (const BlockPatch::Item& item : block->items()) {
      if (item.kind == Kind::kDelete) {
        patch.add_deletion(item.position);
      } else {
        const PatchRow row = moved(*block, item);
        patch.add(item.position, item.kind, row.group, row.row);
      }
    }
    block = patch.finish();
  }
  return any ? Overlay::make(std::move(blocks)) : overlay;
}

// Moves the slices of one partition.
class PartitionMover {
 public:
  PartitionMover(const RowMoves& moves, const Partition& partition, const TableSchema& schema)
      : moves_(moves), partition_(partition), schema_(schema) {}

  // Null where the partition cannot be expressed with the moved rows.
  std::shared_ptr<const Partition> run() {
    for (size_t i = 0; i < partition_.slices.size(); ++i) {
      if (!move_slice(i)) return nullptr;
    }
    return finish();
  }

 private:
  struct Placed {
    Slice slice;
    std::optional<int64_t> min, max;
  };
  struct NewOverlay {
    std::vector<BlockPatchBuilder> blocks;
    std::shared_ptr<const Overlay> overlay;
  };

  bool move_slice(size_t index);
  bool move_part(const RowMoves::MovedSlice& moved, const Slice& slice, uint32_t begin, uint32_t end);
  bool carry_over(const RowMoves::MovedSlice& moved, const Slice& slice, uint32_t block, uint32_t begin,
                  uint32_t end);
  bool add_item(const RowMoves::MovedSlice& moved, uint32_t row, Kind kind, const RowMoves::PatchRow& from);
  void place(Slice slice);
  std::shared_ptr<const Partition> finish();

  const RowMoves& moves_;
  const Partition& partition_;
  const TableSchema& schema_;
  std::vector<Placed> placed_;
  std::map<const RowGroup*, NewOverlay> overlays_;  // of row groups that rows were moved to
  uint32_t rows_end_ = 0;  // of the part being moved: insertions go before rows below this
};

void PartitionMover::place(Slice slice) {
  if (slice.begin == slice.end) return;
  if (!placed_.empty()) {
    Slice& last = placed_.back().slice;
    if (last.group == slice.group && last.end == slice.begin && last.overlay == slice.overlay) {
      last.end = slice.end;
      placed_.back().max.reset();
      return;
    }
  }
  placed_.push_back({std::move(slice), std::nullopt, std::nullopt});
}

bool PartitionMover::move_slice(size_t index) {
  const Slice& slice = partition_.slices[index];
  const auto known = moves_.slices_.find(slice.group.get());
  const size_t first_placed = placed_.size();
  const bool joins_last = !placed_.empty();
  const uint32_t last_end = joins_last ? placed_.back().slice.end : 0;
  uint32_t row = slice.begin;
  const std::shared_ptr<const Overlay> overlay = moves_.moved(slice.overlay);
  if (known != moves_.slices_.end()) {
    for (const RowMoves::MovedSlice& moved : known->second) {
      if (moved.slice.end <= row || moved.slice.begin >= slice.end) continue;
      if (moved.slice.begin > row) {
        place({slice.group, row, moved.slice.begin, overlay});
        row = moved.slice.begin;
      }
      const uint32_t end = std::min(slice.end, moved.slice.end);
      if (!move_part(moved, slice, row, end)) return false;
      row = end;
    }
  }
  if (row < slice.end) place({slice.group, row, slice.end, overlay});
  // The rows at the slice's ends are the same as before.
  const bool joined = joins_last && placed_[first_placed - 1].slice.end != last_end;
  if (!joined && placed_.size() > first_placed) placed_[first_placed].min = partition_.slice_min[index];
  if (!placed_.empty() && (joined || placed_.size() > first_placed)) {
    placed_.back().max = partition_.slice_max[index];
  }
  return true;
}

// Base rows [begin, end) of a slice that was moved, as far as the partition's slice still shows them.
bool PartitionMover::move_part(const RowMoves::MovedSlice& moved, const Slice& slice, uint32_t begin,
                               uint32_t end) {
  const uint32_t first = moved.slice.shown_before(begin);
  rows_end_ = moved.slice.shown_before(end);
  for (uint32_t row = begin; row < end;) {
    const uint32_t block = row / kVectorSize;
    const uint32_t block_end = std::min(end, (block + 1) * kVectorSize);
    const BlockPatch* encoded = moved.slice.overlay ? moved.slice.overlay->patch(block) : nullptr;
    const BlockPatch* now = slice.overlay ? slice.overlay->patch(block) : nullptr;
    if (encoded != now && !carry_over(moved, slice, block, row, block_end)) return false;
    row = block_end;
  }
  uint32_t at = 0;
  for (const RowMoves::Target& target : moved.targets) {
    const uint32_t from = std::max(first, at), to = std::min(rows_end_, at + target.count);
    if (from < to) place({target.group, target.first + (from - at), target.first + (to - at), nullptr});
    at += target.count;
  }
  return true;
}

// An item for the row that moved with number `row` of its slice.
bool PartitionMover::add_item(const RowMoves::MovedSlice& moved, uint32_t row, Kind kind,
                              const RowMoves::PatchRow& from) {
  if (row >= rows_end_) return false;
  for (const RowMoves::Target& target : moved.targets) {
    if (row >= target.count) {
      row -= target.count;
      continue;
    }
    const uint32_t to = target.first + row;
    std::vector<BlockPatchBuilder>& blocks = overlays_[target.group.get()].blocks;
    if (blocks.size() <= to / kVectorSize) blocks.resize(to / kVectorSize + 1);
    BlockPatchBuilder& patch = blocks[to / kVectorSize];
    if (patch.is_full()) return false;
    patch.add(to % kVectorSize, kind, from.group, from.row);
    return true;
  }
  return false;
}

// What the partition's patch of a block has that the encoded one had not, as changes of the rows that moved.
bool PartitionMover::carry_over(const RowMoves::MovedSlice& moved, const Slice& slice, uint32_t block,
                                uint32_t begin, uint32_t end) {
  static const std::vector<BlockPatch::Item> kNone;
  const BlockPatch* was = moved.slice.overlay ? moved.slice.overlay->patch(block) : nullptr;
  const BlockPatch* is = slice.overlay ? slice.overlay->patch(block) : nullptr;
  const std::vector<BlockPatch::Item>& old_items = was ? was->items() : kNone;
  const std::vector<BlockPatch::Item>& new_items = is ? is->items() : kNone;
  const uint32_t block_first = block * kVectorSize;
  const uint32_t limit = end - block_first;
  uint32_t position = begin - block_first;
  uint32_t row = moved.slice.shown_before(begin);
  const auto from = [&](const std::vector<BlockPatch::Item>& items) {
    return std::lower_bound(items.begin(), items.end(), position,
                            [](const BlockPatch::Item& item, uint32_t p) { return item.position < p; });
  };
  auto o = from(old_items), n = from(new_items);
  const auto old_is = [&](Kind kind) {
    return o != old_items.end() && o->position == position && o->kind == kind;
  };
  const auto new_is = [&](Kind kind) {
    return n != new_items.end() && n->position == position && n->kind == kind;
  };
  const auto same_row = [&](const BlockPatch::Item& a, const BlockPatch::Item& b) {
    return &was->group_of(a) == &is->group_of(b) && was->row_of(a) == is->row_of(b);
  };
  const auto remove = [&](uint32_t which) { return add_item(moved, which, Kind::kDelete, {}); };
  const RowMoves::PatchRow no_row;
  for (;;) {
    uint32_t next = limit;
    if (o != old_items.end()) next = std::min<uint32_t>(next, o->position);
    if (n != new_items.end()) next = std::min<uint32_t>(next, n->position);
    if (next >= limit) return true;
    row += next - position;
    position = next;
    // Inserted rows: both lists are in order, and what is in both is the same row.
    for (; new_is(Kind::kInsert); ++n) {
      auto match = o;
      while (match != old_items.end() && match->position == position && match->kind == Kind::kInsert &&
             !same_row(*match, *n)) {
        ++match;
      }
      const bool found =
          match != old_items.end() && match->position == position && match->kind == Kind::kInsert;
      if (!found) {
        if (!add_item(moved, row, Kind::kInsert, moves_.moved(*is, *n))) return false;
        continue;
      }
      for (; o != match; ++o, ++row) {
        if (!remove(row)) return false;
      }
      ++o;
      ++row;
    }
    for (; old_is(Kind::kInsert); ++o, ++row) {
      if (!remove(row)) return false;
    }
    // The base row.
    const bool was_deleted = old_is(Kind::kDelete), is_deleted = new_is(Kind::kDelete);
    const bool was_replaced = old_is(Kind::kReplace), is_replaced = new_is(Kind::kReplace);
    const RowMoves::PatchRow shown =
        is_replaced ? moves_.moved(*is, *n) : RowMoves::PatchRow{slice.group, block_first + position};
    if (was_deleted) {
      if (!is_deleted && !add_item(moved, row, Kind::kInsert, shown)) return false;
    } else {
      const bool same = is_replaced ? was_replaced && same_row(*o, *n) : !was_replaced;
      if (is_deleted) {
        if (!remove(row)) return false;
      } else if (!same && !add_item(moved, row, Kind::kReplace, shown)) {
        return false;
      }
      ++row;
    }
    if (was_deleted || was_replaced) ++o;
    if (is_deleted || is_replaced) ++n;
    ++position;
  }
}

std::shared_ptr<const Partition> PartitionMover::finish() {
  for (auto& [group, overlay] : overlays_) {
    Overlay::Blocks blocks;
    for (BlockPatchBuilder& patch : overlay.blocks) blocks.push_back(patch.finish());
    overlay.overlay = Overlay::make(std::move(blocks));
  }
  auto result = std::make_shared<Partition>();
  result->start = partition_.start;
  result->content_id = partition_.content_id;
  bool patch_rows_used = false;
  for (Placed& next : placed_) {
    const auto known = overlays_.find(next.slice.group.get());
    if (known != overlays_.end()) next.slice.overlay = known->second.overlay;
    const Overlay* overlay = next.slice.overlay.get();
    if (overlay && !overlay->touches(next.slice.begin, next.slice.end)) next.slice.overlay = nullptr;
    if (next.slice.rows() == 0) continue;
    if (next.slice.overlay) {
      for (const auto& block : overlay->blocks()) {
        patch_rows_used =
            patch_rows_used || (block && std::any_of(block->sources().begin(), block->sources().end(),
                                                     [&](const BlockPatch::Source& source) {
                                                       return source.group == partition_.patch_rows;
                                                     }));
      }
    }
    add_slice_to(result.get(), schema_, std::move(next.slice), next.min, next.max);
  }
  if (result->row_count != partition_.row_count) return nullptr;
  if (patch_rows_used) {
    result->patch_rows = partition_.patch_rows;
    result->patch_rows_used = partition_.patch_rows_used;
  }
  return result;
}

std::shared_ptr<const Partition> RowMoves::apply(const Partition& partition,
                                                 const TableSchema& schema) const {
  const bool any = std::any_of(partition.slices.begin(), partition.slices.end(),
                               [&](const Slice& slice) { return concerns(slice); });
  return any ? PartitionMover(*this, partition, schema).run() : nullptr;
}

std::shared_ptr<const TableVersion> RowMoves::apply(const TableVersion& version) const {
  auto result = std::make_shared<TableVersion>(version);
  if (empty()) return result;
  result->partitions = version.partitions.transformed([&](const std::shared_ptr<const Partition>& partition) {
    auto moved = apply(*partition, *version.schema);
    return moved ? std::move(moved) : partition;
  });
  return result;
}

}  // namespace idem
