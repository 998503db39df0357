#include "storage/segment_row_group.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "storage/segment_file.h"

namespace idem {

// Taken only if it is free: whoever meets another reader here asks the cache instead of waiting.
struct SegmentRowGroup::BlockSlot {
  std::atomic_flag latch;
  uint32_t block = 0;
  std::weak_ptr<const EncodedBlock> held;
};

SegmentRowGroup::SegmentRowGroup(const SegmentFile& file, uint32_t index, RowGroupSize size)
    : file_(file), index_(index), size_(size) {}

SegmentRowGroup::~SegmentRowGroup() = default;

void SegmentRowGroup::prepare(size_t columns) { last_blocks_ = std::make_unique<BlockSlot[]>(columns); }

// Looked up each time: the list moves while the file is being written.
const RowGroupFooter& SegmentRowGroup::footer() const { return file_.footer().row_groups[index_]; }

bool SegmentRowGroup::has_column(ColumnId column) const { return file_.footer().find_column(column) >= 0; }

std::shared_ptr<const EncodedBlock> SegmentRowGroup::block_of(uint32_t column, uint32_t block) const {
  BlockSlot& slot = last_blocks_[column];
  if (!slot.latch.test_and_set(std::memory_order_acquire)) {
    std::shared_ptr<const EncodedBlock> found = slot.block == block ? slot.held.lock() : nullptr;
    slot.latch.clear(std::memory_order_release);
    if (found) {
      found->mark_used();
      return found;
    }
  }
  const BlockKey key{file_.id(), index_, column, block};
  std::shared_ptr<const EncodedBlock> found = file_.cache().find(key);
  if (!found) found = file_.cache().insert(key, file_.read_block(index_, column, block));
  if (!slot.latch.test_and_set(std::memory_order_acquire)) {
    slot.block = block;
    slot.held = found;
    slot.latch.clear(std::memory_order_release);
  }
  return found;
}

namespace {

// Narrows a decoded vector to its rows [first, first + count).
void narrow(uint32_t first, uint32_t count, Vector* vector) {
  if (first == 0 || vector->form == Vector::Form::kConstant) return;
  if (vector->form == Vector::Form::kSequence) {
    vector->sequence_start = static_cast<int64_t>(static_cast<uint64_t>(vector->sequence_start) +
                                                  first * static_cast<uint64_t>(vector->sequence_step));
    return;
  }
  vector->data = static_cast<const char*>(vector->data) + first * physical_size(physical_type(vector->type));
  if (!vector->validity) return;
  const uint64_t* from = vector->validity + first / 64;
  const uint32_t shift = first % 64;
  if (shift == 0) {
    vector->validity = from;
    return;
  }
  std::array<uint64_t, kVectorSize / 64> shifted;
  const uint32_t words = (count + 63) / 64, words_there = (shift + count + 63) / 64;
  for (uint32_t w = 0; w < words; ++w) {
    shifted[w] = from[w] >> shift;
    if (w + 1 < words_there) shifted[w] |= from[w + 1] << (64 - shift);
  }
  std::copy_n(shifted.begin(), words, vector->allocate_validity(count));
}

}  // namespace

void SegmentRowGroup::read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const {
  if (!SegmentRowGroup::has_column(column.id)) return read_initial(column, out);
  const bool symbol = column.type.id == TypeId::kSymbol;
  decode_column(column, column.id, symbol ? column.dictionary->size() : 0, first, count, out);
  if (!symbol) return;
  out->dictionary = column.dictionary.get();
  out->string_owner = column.dictionary;
}

const std::shared_ptr<const Attachment>& SegmentRowGroup::attachment() const {
  static const std::shared_ptr<const Attachment> kNone;
  return kNone;
}

void SegmentRowGroup::decode_column(const ColumnSchema& column, ColumnId stored_column, uint32_t codes,
                                    uint32_t first, uint32_t count, Vector* out) const {
  const int found = file_.footer().find_column(stored_column);
  assert(found >= 0);
  assert(count > 0 && first + count <= size_.rows &&
         first / kVectorSize == (first + count - 1) / kVectorSize);
  const auto index = static_cast<uint32_t>(found);
  const SegmentColumn& stored = file_.footer().columns[index];
  const bool symbol = column.type.id == TypeId::kSymbol;
  if (physical_type(stored.type) != physical_type(column.type) ||
      symbol != (stored.type.id == TypeId::kSymbol)) {
    throw SegmentDamage(file_.path(), 0,
                        fmt::format("column {} is {}, not {}", column.name, format_type(stored.type),
                                    format_type(column.type)));
  }
  const uint32_t vector_index = first / kVectorSize;
  const ColumnChunkFooter& chunk = footer().columns[index];
  const size_t block_index = chunk.block_of(vector_index);
  const std::shared_ptr<const EncodedBlock> block = block_of(index, static_cast<uint32_t>(block_index));
  VectorContext context{.type = column.type,
                        .rows = std::min(kVectorSize, size_.rows - vector_index * kVectorSize)};
  if (symbol) context.dictionary_size = std::min(stored.dictionary_size, codes);
  file_.decode(chunk.blocks[block_index], *block, vector_index, context, out);
  narrow(first % kVectorSize, count, out);
}

VectorStatistics SegmentRowGroup::statistics(ColumnId column, uint32_t vector_index) const {
  const int index = file_.footer().find_column(column);
  if (index < 0) return {};
  return footer().columns[static_cast<size_t>(index)].statistics[vector_index];
}

uint64_t SegmentRowGroup::memory_bytes() const {
  uint64_t bytes = sizeof *this + footer().columns.size() * (sizeof(ColumnChunkFooter) + sizeof(BlockSlot));
  for (const ColumnChunkFooter& chunk : footer().columns) {
    bytes += chunk.blocks.size() * sizeof(BlockLocation) + chunk.statistics.size() * sizeof(VectorStatistics);
  }
  return bytes;
}

}  // namespace idem
