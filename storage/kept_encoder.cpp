#include "storage/kept_encoder.h"

#include <algorithm>

#include "storage/partition_builder.h"
#include "storage/segment_writer.h"

namespace idem {

namespace {

// Rows [first, first + count) of those that the slice shows.
void read_rows(const Slice& slice, const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) {
  std::shared_ptr<BatchColumn> joined;
  for (uint32_t done = 0; done < count;) {
    const uint32_t row = slice.begin + first + done;
    const uint32_t length = std::min(count - done, kVectorSize - row % kVectorSize);
    if (length == count) return slice.group->read(column, row, length, out);
    Vector piece;
    slice.group->read(column, row, length, &piece);
    if (!joined) joined = std::make_shared<BatchColumn>(column.type, column.dictionary);
    joined->append_vector(piece, {nullptr, length});
    done += length;
  }
  *out = joined->slice(0, count);
  out->owner = joined;
}

}  // namespace

bool is_persistent(const Slice& slice) {
  if (slice.group->in_memory()) return false;
  return !static_cast<const SegmentRowGroup&>(*slice.group).file().is_obsolete();
}

const KeptVersionEncoder::Piece* KeptVersionEncoder::find(const Slice& slice) const {
  const auto pieces = by_group_.find(slice.group.get());
  if (pieces == by_group_.end()) return nullptr;
  for (const size_t i : pieces->second) {
    const Slice& planned = pieces_[i].slice;
    if (planned.begin <= slice.begin && planned.end >= slice.end) return &pieces_[i];
  }
  return nullptr;
}

void KeptVersionEncoder::plan(const Partition& partition) {
  for (const Slice& slice : partition.slices) {
    if (is_persistent(slice) || find(slice)) continue;
    by_group_[slice.group.get()].push_back(pieces_.size());
    pieces_.push_back({slice, nullptr});
  }
}

std::shared_ptr<SegmentFile> KeptVersionEncoder::write() {
  const uint64_t id = db_.next_segment++;
  SegmentWriter writer(db_.files, segment_path(db_.folder, table_, id), db_.database_id,
                       static_cast<SegmentId>(id), schema_);
  for (const Piece& piece : pieces_) {
    writer.add_row_group(
        piece.slice.rows(), [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
          const uint32_t at = vector_index * kVectorSize;
          read_rows(piece.slice, column, at, std::min(kVectorSize, piece.slice.rows() - at), out);
        });
  }
  const std::shared_ptr<SegmentFile> file = writer.finish(db_.cache);
  for (uint32_t i = 0; i < pieces_.size(); ++i) pieces_[i].written = file->row_group(i);
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
    if (!is_persistent(slice)) {
      const Piece* piece = find(slice);
      const uint32_t begin = slice.begin - piece->slice.begin;
      slice = {piece->written, begin, begin + slice.rows()};
    }
    add_slice_to(result.get(), schema, std::move(slice), partition->slice_min[i], partition->slice_max[i]);
  }
  return seen->second = std::move(result);
}

std::shared_ptr<const TableVersion> KeptVersionEncoder::persistent(
    const std::shared_ptr<const TableVersion>& version) {
  std::shared_ptr<TableVersion> result;
  size_t i = 0;
  version->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    if (auto other = persistent(partition, *version->schema)) {
      if (!result) result = std::make_shared<TableVersion>(*version);
      result->partitions = result->partitions.set(i, std::move(other));
    }
    ++i;
  });
  return result;
}

}  // namespace idem
