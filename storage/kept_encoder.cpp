#include "storage/kept_encoder.h"

#include <algorithm>

#include "storage/partition_builder.h"
#include "storage/segment_writer.h"
#include "storage/slice_reader.h"

namespace idem {

namespace {

// Rows [first, first + count) of those that the reader's slice shows.
void read_rows(SliceReader* reader, const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) {
  std::shared_ptr<BatchColumn> joined;
  for (uint32_t done = 0; done < count;) {
    const uint32_t row = first + done;
    const uint32_t length = std::min(count - done, reader->piece_at(row).end - row);
    if (length == count) return reader->read(column, row, length, out);
    Vector piece;
    reader->read(column, row, length, &piece);
    if (!joined) joined = std::make_shared<BatchColumn>(column.type, column.dictionary);
    joined->append_vector(piece, {nullptr, length});
    done += length;
  }
  *out = joined->slice(0, count);
  out->owner = joined;
}

bool has_persistent_rows(const Slice& slice) {
  return !slice.group->in_memory() && !static_cast<const SegmentRowGroup&>(*slice.group).file().is_obsolete();
}

}  // namespace

bool is_persistent(const Slice& slice) {
  return has_persistent_rows(slice) && (!slice.overlay || is_persisted(*slice.overlay));
}

const KeptVersionEncoder::Piece* KeptVersionEncoder::find(const Slice& slice) const {
  const auto pieces = by_group_.find(slice.group.get());
  if (pieces == by_group_.end()) return nullptr;
  for (const size_t i : pieces->second) {
    const Slice& planned = pieces_[i].slice;
    const bool same = planned.overlay == slice.overlay;
    if (same && planned.begin <= slice.begin && planned.end >= slice.end) return &pieces_[i];
  }
  return nullptr;
}

void KeptVersionEncoder::plan(const Partition& partition) {
  for (const Slice& slice : partition.slices) {
    if (is_persistent(slice) || find(slice)) continue;
    if (has_persistent_rows(slice) && !outgrows_overlay(slice)) {
      overlays_.add(slice);
      continue;
    }
    by_group_[slice.group.get()].push_back(pieces_.size());
    pieces_.push_back({slice, {}, 0});
  }
}

std::shared_ptr<SegmentFile> KeptVersionEncoder::write(CheckpointSegments* segments) {
  uint64_t all_rows = overlays_.item_count();
  for (const Piece& piece : pieces_) all_rows += piece.slice.rows();
  const std::unique_ptr<SegmentWriter> writer = segments->begin(schema_, all_rows);
  for (Piece& piece : pieces_) {
    SliceReader reader;
    reader.open(piece.slice);
    const uint32_t total = piece.slice.rows();
    piece.first_group = writer->row_group_count();
    for (uint32_t first = 0; first < total; first += kRowGroupSize) {
      const uint32_t rows = std::min(kRowGroupSize, total - first);
      writer->add_row_group(rows, [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
        const uint32_t at = vector_index * kVectorSize;
        read_rows(&reader, column, first + at, std::min(kVectorSize, rows - at), out);
      });
    }
  }
  overlays_.write(writer.get());
  const std::shared_ptr<SegmentFile> file = writer->finish();
  for (Piece& piece : pieces_) {
    const uint32_t groups = (piece.slice.rows() + kRowGroupSize - 1) / kRowGroupSize;
    for (uint32_t i = 0; i < groups; ++i) piece.written.push_back(file->row_group(piece.first_group + i));
  }
  overlays_.note_moves(file, &moves_);
  return file;
}

std::shared_ptr<const Partition> KeptVersionEncoder::persistent(
    const std::shared_ptr<const Partition>& partition, const TableSchema& schema) {
  const auto [seen, fresh] = seen_.try_emplace(partition.get());
  if (!fresh) return seen->second;
  if (std::all_of(partition->slices.begin(), partition->slices.end(), is_persistent)) return nullptr;
  auto result = std::make_shared<Partition>();
  result->start = partition->start;
  result->content_id = partition->content_id;
  for (size_t i = 0; i < partition->slices.size(); ++i) {
    Slice slice = partition->slices[i];
    const Piece* piece = is_persistent(slice) ? nullptr : find(slice);
    if (!piece) {
      slice.overlay = moves_.moved(slice.overlay);
      add_slice_to(result.get(), schema, std::move(slice), partition->slice_min[i], partition->slice_max[i]);
      continue;
    }
    // An overlay may make a slice longer than a row group.
    const uint32_t begin = piece->slice.shown_before(slice.begin), end = begin + slice.rows();
    for (uint32_t row = begin; row < end;) {
      const uint32_t in_group = row % kRowGroupSize;
      const uint32_t count = std::min(end - row, kRowGroupSize - in_group);
      std::optional<int64_t> min, max;
      if (row == begin) min = partition->slice_min[i];
      if (row + count == end) max = partition->slice_max[i];
      add_slice_to(result.get(), schema,
                   {piece->written[row / kRowGroupSize], in_group, in_group + count, nullptr}, min, max);
      row += count;
    }
  }
  return seen->second = std::move(result);
}

std::shared_ptr<const TableVersion> KeptVersionEncoder::persistent(
    const std::shared_ptr<const TableVersion>& version) {
  bool any = false;
  auto partitions = version->partitions.transformed([&](const std::shared_ptr<const Partition>& partition) {
    auto other = persistent(partition, *version->schema);
    any = any || other;
    return other ? std::move(other) : partition;
  });
  if (!any) return nullptr;
  auto result = std::make_shared<TableVersion>(*version);
  result->partitions = std::move(partitions);
  return result;
}

}  // namespace idem
