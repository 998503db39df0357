#include "storage/overlay.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace idem {

namespace {

int32_t shift_of(BlockPatch::Kind kind) {
  switch (kind) {
    case BlockPatch::Kind::kInsert: return 1;
    case BlockPatch::Kind::kReplace: return 0;
    case BlockPatch::Kind::kDelete: return -1;
  }
  return 0;
}

}  // namespace

int32_t BlockPatch::shift_before(uint32_t position) const {
  int32_t shift = 0;
  for (const Item& item : items_) {
    if (item.position >= position) break;
    shift += shift_of(item.kind);
  }
  return shift;
}

void BlockPatchBuilder::add(uint32_t position, BlockPatch::Kind kind,
                            const std::shared_ptr<const RowGroup>& group, uint32_t row) {
  assert(position < kVectorSize);
  assert(
      patch_.items_.empty() || patch_.items_.back().position < position ||
      (patch_.items_.back().position == position && patch_.items_.back().kind == BlockPatch::Kind::kInsert));
  BlockPatch::Item item;
  item.position = static_cast<uint16_t>(position);
  item.kind = kind;
  patch_.shift_ += shift_of(kind);
  if (kind == BlockPatch::Kind::kInsert) ++insertions_;
  if (kind != BlockPatch::Kind::kDelete) {
    const uint32_t vector = row / kVectorSize;
    const auto in_vector = static_cast<uint16_t>(row % kVectorSize);
    std::vector<BlockPatch::Source>& sources = patch_.sources_;
    // Mostly the one before.
    size_t s = sources.size();
    while (s > 0 && (sources[s - 1].group != group || sources[s - 1].vector != vector)) --s;
    if (s == 0) {
      sources.push_back({group, vector, in_vector, static_cast<uint16_t>(in_vector + 1)});
      s = sources.size();
    } else {
      sources[s - 1].begin = std::min(sources[s - 1].begin, in_vector);
      sources[s - 1].end = std::max(sources[s - 1].end, static_cast<uint16_t>(in_vector + 1));
    }
    item.source = static_cast<uint16_t>(s - 1);
    item.row = in_vector;
  }
  patch_.items_.push_back(item);
}

void BlockPatchBuilder::add(const BlockPatch& patch, const BlockPatch::Item& item) {
  if (item.kind == BlockPatch::Kind::kDelete) return add_deletion(item.position);
  add(item.position, item.kind, patch.sources()[item.source].group, patch.row_of(item));
}

std::shared_ptr<const BlockPatch> BlockPatchBuilder::finish() {
  insertions_ = 0;
  if (patch_.items_.empty()) return nullptr;
  return std::make_shared<const BlockPatch>(std::exchange(patch_, BlockPatch()));
}

std::shared_ptr<const Overlay> Overlay::make(Blocks blocks, std::shared_ptr<const SegmentFile> file,
                                             uint32_t patch) {
  while (!blocks.empty() && !blocks.back()) blocks.pop_back();
  if (blocks.empty()) return nullptr;
  auto overlay = std::make_shared<Overlay>();
  overlay->shift_before_.reserve(blocks.size() + 1);
  int32_t shift = 0;
  for (const auto& block : blocks) {
    overlay->shift_before_.push_back(shift);
    if (block) shift += block->shift();
  }
  overlay->shift_before_.push_back(shift);
  overlay->blocks_ = std::move(blocks);
  overlay->file_ = std::move(file);
  overlay->patch_ = patch;
  return overlay;
}

uint32_t Overlay::shown_before(uint32_t row) const {
  const uint32_t block = row / kVectorSize;
  if (block >= blocks_.size()) return row + static_cast<uint32_t>(shift_before_.back());
  int32_t shift = shift_before_[block];
  if (row % kVectorSize != 0 && blocks_[block]) shift += blocks_[block]->shift_before(row % kVectorSize);
  return row + static_cast<uint32_t>(shift);
}

uint32_t Overlay::block_showing(uint32_t shown_row) const {
  uint32_t low = 0, high = static_cast<uint32_t>(blocks_.size());
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const uint32_t end = (middle + 1) * kVectorSize + static_cast<uint32_t>(shift_before_[middle + 1]);
    if (end > shown_row) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low < blocks_.size()) return low;
  return (shown_row - static_cast<uint32_t>(shift_before_.back())) / kVectorSize;
}

uint32_t Overlay::item_count(uint32_t begin, uint32_t end) const {
  uint32_t count = 0;
  for (uint32_t b = begin / kVectorSize; b < blocks_.size() && b * kVectorSize < end; ++b) {
    if (!blocks_[b]) continue;
    const uint32_t first = b * kVectorSize;
    if (begin <= first && end >= first + kVectorSize) {
      count += static_cast<uint32_t>(blocks_[b]->items().size());
      continue;
    }
    for (const BlockPatch::Item& item : blocks_[b]->items()) {
      if (first + item.position >= begin && first + item.position < end) ++count;
    }
  }
  return count;
}

uint64_t Overlay::disk_bytes() const {
  std::vector<const RowGroup*> counted;
  uint64_t bytes = 0;
  for (const auto& block : blocks_) {
    if (!block) continue;
    for (const BlockPatch::Source& source : block->sources()) {
      if (std::find(counted.begin(), counted.end(), source.group.get()) != counted.end()) continue;
      counted.push_back(source.group.get());
      bytes += source.group->disk_bytes();
    }
  }
  return bytes;
}

bool Overlay::touches(uint32_t begin, uint32_t end) const {
  for (uint32_t b = begin / kVectorSize; b < blocks_.size() && b * kVectorSize < end; ++b) {
    if (blocks_[b]) return true;
  }
  return false;
}

}  // namespace idem
