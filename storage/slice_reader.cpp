#include "storage/slice_reader.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace idem {

namespace {

constexpr size_t kMaxPatchVectors = 256;

template <size_t kBytes>
void copy_row(std::byte* to, const std::byte* from) {
  std::memcpy(to, from, kBytes);
}

void copy_elements(std::byte* to, const std::byte* from, uint32_t count, size_t element_size) {
  if (count > 1) {
    std::memcpy(to, from, count * element_size);
    return;
  }
  switch (element_size) {
    case 1: return copy_row<1>(to, from);
    case 2: return copy_row<2>(to, from);
    case 4: return copy_row<4>(to, from);
    case 8: return copy_row<8>(to, from);
    case 16: return copy_row<16>(to, from);
    default: std::memcpy(to, from, element_size);
  }
}

// Clears bits [at, at + count) of `to` where those of `from` from `first` on are clear.
void copy_nulls(uint64_t* to, uint32_t at, const uint64_t* from, uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count;) {
    const uint32_t bit = (first + i) & 63;
    const uint32_t length = std::min(64 - bit, count - i);
    const uint64_t mask = length == 64 ? ~uint64_t{0} : (uint64_t{1} << length) - 1;
    uint64_t nulls = ~(from[(first + i) >> 6] >> bit) & mask;
    while (nulls != 0) {
      const uint32_t row = at + i + static_cast<uint32_t>(std::countr_zero(nulls));
      to[row >> 6] &= ~(uint64_t{1} << (row & 63));
      nulls &= nulls - 1;
    }
    i += length;
  }
}

bool is_flat(const Vector& vector) {
  return vector.form == Vector::Form::kFlat || vector.form == Vector::Form::kDictionary;
}

}  // namespace

void SliceReader::open(const Slice& slice) {
  slice_ = slice;
  origin_ = slice_.overlay ? slice_.overlay->shown_before(slice_.begin) : slice_.begin;
  block_begin_ = block_end_ = 0;
  patch_ = nullptr;
}

void SliceReader::enter(uint32_t row) {
  if (row >= block_begin_ && row < block_end_) return;
  const Overlay* overlay = slice_.overlay.get();
  block_ = overlay ? overlay->block_showing(row + origin_) : (row + origin_) / kVectorSize;
  base_begin_ = std::max(slice_.begin, block_ * kVectorSize);
  base_end_ = std::min(slice_.end, (block_ + 1) * kVectorSize);
  patch_ = overlay ? overlay->patch(block_) : nullptr;
  block_begin_ = (overlay ? overlay->shown_before(base_begin_) : base_begin_) - origin_;
  block_end_ = (overlay ? overlay->shown_before(base_end_) : base_end_) - origin_;
  runs_.clear();
  assert(row >= block_begin_ && row < block_end_);
}

SliceReader::Piece SliceReader::piece_at(uint32_t row) {
  enter(row);
  const uint32_t begin = block_begin_ + (row - block_begin_) / kVectorSize * kVectorSize;
  return {begin, std::min(block_end_, begin + kVectorSize)};
}

void SliceReader::find_runs() {
  const uint32_t block_first = block_ * kVectorSize;
  uint32_t position = base_begin_ - block_first;
  const uint32_t end = base_end_ - block_first;
  uint16_t at = 0;
  const auto add = [&](uint16_t source, uint32_t first, uint32_t count) {
    if (count == 0) return;
    if (!runs_.empty() && runs_.back().source == source && runs_.back().first + runs_.back().count == first) {
      runs_.back().count = static_cast<uint16_t>(runs_.back().count + count);
    } else {
      runs_.push_back({source, static_cast<uint16_t>(first), static_cast<uint16_t>(count), at});
    }
    at = static_cast<uint16_t>(at + count);
  };
  const uint32_t origin = position;
  for (const BlockPatch::Item& item : patch_->items()) {
    if (item.position < origin) continue;
    if (item.position >= end) break;
    add(kBase, position - origin, item.position - position);
    position = item.position;
    if (item.kind != BlockPatch::Kind::kDelete) add(item.source, item.row, 1);
    if (item.kind != BlockPatch::Kind::kInsert) ++position;
  }
  add(kBase, position - origin, end - position);
  assert(at == block_end_ - block_begin_);
}

SliceReader::PatchVector& SliceReader::patch_vector(const BlockPatch::Source& source,
                                                    const ColumnSchema& column) {
  const bool whole = !source.group->in_memory();
  for (PatchVector& known : patch_vectors_) {
    if (known.group == source.group && known.vector == source.vector && known.column == column.id)
      return known;
  }
  // Of a row group in memory only the rows that are used: others may be being written.
  PatchVector read{source.group, source.vector, column.id, whole ? 0 : uint32_t{source.begin}, {}};
  const uint32_t vector_first = source.vector * kVectorSize;
  const uint32_t count =
      whole ? std::min(kVectorSize, source.group->row_count() - vector_first) : source.end - source.begin;
  source.group->read(column, vector_first + read.first, count, &read.rows);
  if (!is_flat(read.rows)) read.rows = flatten(read.rows, count, {nullptr, count}, false);
  if (patch_vectors_.size() >= kMaxPatchVectors) patch_vectors_.clear();
  patch_vectors_.push_back(std::move(read));
  return patch_vectors_.back();
}

void SliceReader::materialize(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) {
  if (runs_.empty()) find_runs();
  const auto element_size = physical_size(physical_type(column.type));
  const bool strings = physical_type(column.type) == PhysicalType::kString;
  auto* to = static_cast<std::byte*>(out->allocate(column.type, count));
  uint64_t* validity = nullptr;
  bool base_read = false;
  std::shared_ptr<std::vector<Vector>> owners;  // of characters
  if (strings) owners = std::make_shared<std::vector<Vector>>();
  uint16_t last_source = kBase;
  const PatchVector* last = nullptr;
  auto run = std::upper_bound(runs_.begin(), runs_.end(), first,
                              [](uint32_t row, const Run& r) { return row < uint32_t{r.at} + r.count; });
  for (; run != runs_.end() && run->at < first + count; ++run) {
    const uint32_t begin = std::max<uint32_t>(run->at, first);
    const uint32_t length = std::min<uint32_t>(run->at + run->count, first + count) - begin;
    const Vector* from = &base_;
    uint32_t from_row = run->first + (begin - run->at);
    if (run->source == kBase) {
      if (!base_read) {
        const uint32_t base_rows = base_end_ - base_begin_;
        slice_.group->read(column, base_begin_, base_rows, &base_);
        if (!is_flat(base_)) base_ = flatten(base_, base_rows, {nullptr, base_rows}, false);
        base_read = true;
        if (strings) owners->push_back(base_);
      }
    } else {
      if (run->source != last_source || !last) {
        last = &patch_vector(patch_->sources()[run->source], column);
        last_source = run->source;
        if (strings) owners->push_back(last->rows);
      }
      from = &last->rows;
      from_row -= last->first;
    }
    copy_elements(to + (begin - first) * element_size,
                  static_cast<const std::byte*>(from->data) + from_row * element_size, length, element_size);
    if (from->validity) {
      if (!validity) validity = out->allocate_validity(count);
      copy_nulls(validity, begin - first, from->validity, from_row, length);
    }
  }
  // What else read rows of patches in memory is not kept for other blocks.
  std::erase_if(patch_vectors_, [](const PatchVector& v) { return v.group->in_memory(); });
  if (column.type.id == TypeId::kSymbol) {
    out->dictionary = column.dictionary.get();
    out->string_owner = column.dictionary;
  } else if (strings) {
    out->string_owner = std::move(owners);
  }
}

void SliceReader::read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) {
  enter(first);
  if (!patch_) return slice_.group->read(column, base_begin_ + (first - block_begin_), count, out);
  materialize(column, first - block_begin_, count, out);
}

int64_t timestamp_at(const Slice& slice, const TableSchema& schema, uint32_t row) {
  SliceReader reader;
  reader.open(slice);
  Vector vector;
  reader.read(schema.columns[static_cast<size_t>(schema.timestamp_column)], row, 1, &vector);
  return vector.form == Vector::Form::kSequence ? vector.sequence_start : vector.values<int64_t>()[0];
}

}  // namespace idem
