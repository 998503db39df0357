#include "storage/overlay_writer.h"

#include <algorithm>
#include <set>

namespace idem {

namespace {

constexpr uint32_t kMaxOverlayPart = 10;  // of the rows: more items than one in so many
constexpr size_t kMaxSources = 8;         // row groups that the rows of one overlay are in

// Null for a row group in memory.
const SegmentRowGroup* encoded(const RowGroup& group) {
  return group.in_memory() ? nullptr : &static_cast<const SegmentRowGroup&>(group);
}

SegmentPatch::RowGroupName name_of(const SegmentRowGroup& group) {
  return {group.file().table_id(), group.file().id(), group.index()};
}

// A row of a patch that is in memory.
struct MemoryRow {
  const RowGroup* group = nullptr;
  uint32_t row = 0;
};

// Rows [first, first + count) of the list as a vector.
void gather(const ColumnSchema& column, const std::vector<MemoryRow>& rows, size_t first, size_t count,
            Vector* out) {
  auto gathered = std::make_shared<BatchColumn>(column.type, column.dictionary);
  gathered->reserve(static_cast<uint32_t>(count));
  Vector run;
  for (size_t i = first; i < first + count;) {
    const MemoryRow& row = rows[i];
    uint32_t length = 1;
    while (i + length < first + count && rows[i + length].group == row.group &&
           rows[i + length].row == row.row + length && (row.row + length) % kVectorSize != 0) {
      ++length;
    }
    row.group->read(column, row.row, length, &run);
    gathered->append_vector(run, {nullptr, length});
    i += length;
  }
  *out = gathered->slice(0, static_cast<uint32_t>(count));
  out->owner = gathered;
}

}  // namespace

bool is_persisted(const Overlay& overlay) {
  if (!overlay.file() || overlay.file()->is_obsolete()) return false;
  for (const auto& patch : overlay.blocks()) {
    if (!patch) continue;
    for (const BlockPatch::Source& source : patch->sources()) {
      const SegmentRowGroup* group = encoded(*source.group);
      if (!group || group->file().is_obsolete()) return false;
    }
  }
  return true;
}

bool outgrows_overlay(const Slice& slice) {
  const Overlay& overlay = *slice.overlay;
  if (overlay.item_count(slice.begin, slice.end) > (slice.end - slice.begin) / kMaxOverlayPart) return true;
  std::set<const RowGroup*> sources;
  for (const auto& patch : overlay.blocks()) {
    if (!patch) continue;
    for (const BlockPatch::Source& source : patch->sources()) {
      const SegmentRowGroup* group = encoded(*source.group);
      if (!group) continue;
      if (group->file().is_obsolete()) return true;
      sources.insert(group);
    }
  }
  const bool persisted = overlay.file() && !overlay.file()->is_obsolete();
  return sources.size() + (persisted ? 0 : 1) > kMaxSources;
}

void OverlayWriter::add(const Slice& slice) {
  if (!slice.overlay || (slice.overlay->file() && !slice.overlay->file()->is_obsolete())) return;
  const bool known = std::any_of(overlays_.begin(), overlays_.end(),
                                 [&](const Pending& other) { return other.overlay == slice.overlay; });
  if (!known) overlays_.push_back({slice.overlay, slice.group, {}, {}, 0, 0});
}

uint64_t OverlayWriter::item_count() const {
  uint64_t items = 0;
  for (const Pending& pending : overlays_) items += pending.overlay->item_count(0, kRowGroupSize);
  return items;
}

void OverlayWriter::write(SegmentWriter* writer) {
  for (Pending& pending : overlays_) {
    pending.patch.base = name_of(*encoded(*pending.base));
    write_rows(writer, &pending);
    pending.index = writer->add_patch(encode_segment_patch(pending.patch));
  }
}

void OverlayWriter::write_rows(SegmentWriter* writer, Pending* pending) const {
  SegmentPatch& patch = pending->patch;
  pending->row_group = writer->row_group_count();
  std::vector<MemoryRow> rows;
  const auto source_of = [&](const std::shared_ptr<const RowGroup>& group) {
    const std::shared_ptr<const RowGroup> key = encoded(*group) ? group : nullptr;
    auto& sources = pending->sources;
    const auto found = std::find(sources.begin(), sources.end(), key);
    if (found != sources.end()) return static_cast<uint32_t>(found - sources.begin());
    sources.push_back(key);
    patch.sources.push_back(
        key ? name_of(*encoded(*key))
            : SegmentPatch::RowGroupName{writer->table_id(), writer->segment_id(), pending->row_group});
    return static_cast<uint32_t>(sources.size() - 1);
  };
  for (uint32_t b = 0; b < pending->overlay->blocks().size(); ++b) {
    const BlockPatch* block = pending->overlay->patch(b);
    if (!block) continue;
    patch.blocks.push_back({b, {}});
    for (const BlockPatch::Item& item : block->items()) {
      SegmentPatch::Item named{item.position, item.kind, 0, 0};
      if (item.kind != BlockPatch::Kind::kDelete) {
        const std::shared_ptr<const RowGroup>& group = block->sources()[item.source].group;
        named.source = source_of(group);
        named.row = block->row_of(item);
        if (group->in_memory()) {
          rows.push_back({group.get(), named.row});
          named.row = static_cast<uint32_t>(rows.size() - 1);
        }
      }
      patch.blocks.back().items.push_back(named);
    }
  }
  if (rows.empty()) return;
  const auto count = static_cast<uint32_t>(rows.size());
  writer->add_row_group(count, [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
    const uint32_t first = vector_index * kVectorSize;
    gather(column, rows, first, std::min(kVectorSize, count - first), out);
  });
}

void OverlayWriter::note_moves(const std::shared_ptr<SegmentFile>& file, RowMoves* moves) const {
  for (const Pending& pending : overlays_) {
    std::vector<std::shared_ptr<const RowGroup>> sources = pending.sources;
    for (auto& source : sources) {
      if (!source) source = file->row_group(pending.row_group);
    }
    moves->add_overlay(pending.overlay,
                       overlay_of(pending.patch, *pending.base, sources, file, pending.index));
  }
}

}  // namespace idem
