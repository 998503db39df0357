#include "storage/memory_row_group.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <new>

namespace idem {

// Header, then the elements, in one allocation.
struct MemoryRowGroup::Chunk {
  std::atomic<int64_t> min{0}, max{0};
  std::atomic<uint32_t> null_count{0};
  std::atomic<bool> has_bounds{false};
  std::array<uint64_t, kVectorSize / 64> validity;
  std::byte* elements() { return reinterpret_cast<std::byte*>(this) + header_bytes(); }
  const std::byte* elements() const { return reinterpret_cast<const std::byte*>(this) + header_bytes(); }
  static constexpr size_t header_bytes() { return (sizeof(Chunk) + 63) / 64 * 64; }
};

void MemoryRowGroup::ChunkDelete::operator()(Chunk* chunk) const {
  chunk->~Chunk();
  ::operator delete (static_cast<void*>(chunk), std::align_val_t{64});
}

MemoryRowGroup::MemoryRowGroup(std::shared_ptr<const TableSchema> schema, uint32_t capacity,
                               MemoryAccount account_of, uint64_t owner)
    : schema_(std::move(schema)), capacity_(capacity), owner_(owner), account_(std::move(account_of)) {
  columns_.resize(schema_->columns.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const ColumnSchema& from = schema_->columns[i];
    Column& column = columns_[i];
    column.id = from.id;
    column.type = from.type;
    column.physical = physical_type(from.type);
    column.element_size = static_cast<uint32_t>(physical_size(column.physical));
    column.dictionary = from.dictionary;
    column.chunks.resize((capacity + kVectorSize - 1) / kVectorSize);
    const auto id = static_cast<uint32_t>(from.id);
    if (column_index_.size() <= id) column_index_.resize(id + 1, -1);
    column_index_[id] = static_cast<int16_t>(i);
  }
}

MemoryRowGroup::~MemoryRowGroup() {
  account_->fetch_sub(bytes_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void MemoryRowGroup::account(uint64_t bytes) {
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  account_->fetch_add(bytes, std::memory_order_relaxed);
}

bool MemoryRowGroup::has_shape_of(const TableSchema& schema) const {
  if (&schema == schema_.get()) return true;
  if (schema.columns.size() != columns_.size()) return false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (schema.columns[i].id != columns_[i].id || schema.columns[i].type != columns_[i].type) return false;
  }
  return true;
}

bool MemoryRowGroup::claim(uint32_t expected_used, uint32_t count) {
  if (expected_used > capacity_ || count > capacity_ - expected_used) return false;
  return used_.compare_exchange_strong(expected_used, expected_used + count, std::memory_order_acq_rel);
}

MemoryRowGroup::Chunk& MemoryRowGroup::chunk_for_writing(Column& column, uint32_t row) {
  auto& chunk = column.chunks[row / kVectorSize];
  if (!chunk) {
    const size_t rows = std::min(capacity_, kVectorSize);
    const size_t bytes = Chunk::header_bytes() + rows * column.element_size;
    chunk.reset(::new (::operator new (bytes, std::align_val_t{64})) Chunk());
    chunk->validity.fill(~uint64_t{0});
    account(bytes);
  }
  return *chunk;
}

namespace {

template <class T>
bool integer_bounds(const std::byte* elements, uint32_t count, int64_t* min, int64_t* max) {
  const T* values = reinterpret_cast<const T*>(elements);
  T low = values[0], high = values[0];
  for (uint32_t i = 1; i < count; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  *min = low;
  *max = high;
  return true;
}

// NaN counts as the largest.
bool float_less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

template <class T>
bool float_bounds(const std::byte* elements, uint32_t count, int64_t* min, int64_t* max) {
  const T* values = reinterpret_cast<const T*>(elements);
  T low = std::numeric_limits<T>::infinity(), high = -std::numeric_limits<T>::infinity();
  bool any_nan = false, any_number = false;
  for (uint32_t i = 0; i < count; ++i) {
    const bool nan = values[i] != values[i];
    any_nan |= nan;
    any_number |= !nan;
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  *min = std::bit_cast<int64_t>(any_number ? static_cast<double>(low) : nan);
  *max = std::bit_cast<int64_t>(any_nan ? nan : static_cast<double>(high));
  return true;
}

// Bounds in the form of VectorStatistics; false where the type has none. NULLs must not be among the
// elements.
bool bounds_of(PhysicalType type, const std::byte* elements, uint32_t count, int64_t* min, int64_t* max) {
  switch (type) {
    case PhysicalType::kBool: return integer_bounds<uint8_t>(elements, count, min, max);
    case PhysicalType::kInt16: return integer_bounds<int16_t>(elements, count, min, max);
    case PhysicalType::kInt32: return integer_bounds<int32_t>(elements, count, min, max);
    case PhysicalType::kInt64: return integer_bounds<int64_t>(elements, count, min, max);
    case PhysicalType::kFloat: return float_bounds<float>(elements, count, min, max);
    case PhysicalType::kDouble: return float_bounds<double>(elements, count, min, max);
    default: return false;
  }
}

bool bound_less(PhysicalType type, int64_t a, int64_t b) {
  if (type == PhysicalType::kFloat || type == PhysicalType::kDouble) {
    return float_less(std::bit_cast<double>(a), std::bit_cast<double>(b));
  }
  return a < b;
}

bool bit_at(const uint64_t* words, uint32_t i) { return (words[i >> 6] >> (i & 63)) & 1; }

}  // namespace

// Elements of rows within one chunk, none of them NULL.
void MemoryRowGroup::write_elements(Column& column, uint32_t first, const std::byte* elements,
                                    uint32_t count) {
  if (count == 0) return;
  Chunk& chunk = chunk_for_writing(column, first);
  const uint32_t offset = first % kVectorSize;
  std::byte* to = chunk.elements() + static_cast<size_t>(offset) * column.element_size;
  if (column.physical == PhysicalType::kString) {
    auto* texts = reinterpret_cast<std::string_view*>(to);
    const auto* source = reinterpret_cast<const std::string_view*>(elements);
    for (uint32_t i = 0; i < count; ++i) texts[i] = arena_.copy(source[i]);
    if (arena_.bytes() != arena_bytes_accounted_) {
      account(arena_.bytes() - arena_bytes_accounted_);
      arena_bytes_accounted_ = arena_.bytes();
    }
    return;
  }
  std::memcpy(to, elements, static_cast<size_t>(count) * column.element_size);
  int64_t min = 0, max = 0;
  if (!bounds_of(column.physical, elements, count, &min, &max)) return;
  const bool had = chunk.has_bounds.load(std::memory_order_relaxed);
  if (!had || bound_less(column.physical, min, chunk.min.load(std::memory_order_relaxed))) {
    chunk.min.store(min, std::memory_order_relaxed);
  }
  if (!had || bound_less(column.physical, chunk.max.load(std::memory_order_relaxed), max)) {
    chunk.max.store(max, std::memory_order_relaxed);
  }
  if (!had) chunk.has_bounds.store(true, std::memory_order_relaxed);
}

void MemoryRowGroup::set_null(Column& column, uint32_t row) {
  Chunk& chunk = chunk_for_writing(column, row);
  const uint32_t offset = row % kVectorSize;
  std::byte* to = chunk.elements() + static_cast<size_t>(offset) * column.element_size;
  if (column.type.id == TypeId::kSymbol) {
    *reinterpret_cast<int32_t*>(to) = -1;
  } else if (column.physical == PhysicalType::kString) {
    ::new (to) std::string_view();
  } else {
    std::memset(to, 0, column.element_size);
  }
  std::atomic_ref<uint64_t>(chunk.validity[offset >> 6])
      .fetch_and(~(uint64_t{1} << (offset & 63)), std::memory_order_relaxed);
  chunk.null_count.fetch_add(1, std::memory_order_release);
}

void MemoryRowGroup::write_vector(size_t column_index, uint32_t first, const Vector& source, uint32_t from,
                                  uint32_t count) {
  Column& column = columns_[column_index];
  if (source.form == Vector::Form::kConstant || source.form == Vector::Form::kSequence) {
    const Vector flat = flatten(source, from + count, {nullptr, from + count}, false);
    return write_vector(column_index, first, flat, from, count);
  }
  const auto* elements = static_cast<const std::byte*>(source.data);
  for (uint32_t done = 0; done < count;) {
    const uint32_t row = first + done, at = from + done;
    uint32_t length = std::min(count - done, kVectorSize - row % kVectorSize);
    if (source.validity) {
      if (!bit_at(source.validity, at)) {
        set_null(column, row);
        ++done;
        continue;
      }
      uint32_t valid = 1;
      while (valid < length && bit_at(source.validity, at + valid)) ++valid;
      length = valid;
    }
    write_elements(column, row, elements + static_cast<size_t>(at) * column.element_size, length);
    done += length;
  }
}

void MemoryRowGroup::write_batch(size_t column_index, uint32_t first, const BatchColumn& source,
                                 uint32_t from, uint32_t count) {
  Column& column = columns_[column_index];
  const auto* elements = static_cast<const std::byte*>(source.data());
  const uint64_t* validity = source.validity();
  for (uint32_t done = 0; done < count;) {
    const uint32_t row = first + done, at = from + done;
    uint32_t length = std::min(count - done, kVectorSize - row % kVectorSize);
    if (validity) {
      if (!bit_at(validity, at)) {
        set_null(column, row);
        ++done;
        continue;
      }
      uint32_t valid = 1;
      while (valid < length && bit_at(validity, at + valid)) ++valid;
      length = valid;
    }
    write_elements(column, row, elements + static_cast<size_t>(at) * column.element_size, length);
    done += length;
  }
}

namespace {

template <size_t kBytes>
void gather_to(const std::byte* from, const uint32_t* rows, uint32_t count, std::byte* to) {
  for (uint32_t i = 0; i < count; ++i) std::memcpy(to + i * kBytes, from + size_t{rows[i]} * kBytes, kBytes);
}

}  // namespace

void MemoryRowGroup::write_gathered(size_t column_index, uint32_t first, const BatchColumn& source,
                                    const uint32_t* rows, uint32_t count) {
  Column& column = columns_[column_index];
  const auto* elements = static_cast<const std::byte*>(source.data());
  alignas(64) std::array<std::byte, 256 * 32> gathered;
  for (uint32_t done = 0; done < count;) {
    const uint32_t row = first + done;
    if (source.is_null(rows[done])) {
      set_null(column, row);
      ++done;
      continue;
    }
    uint32_t length = std::min({count - done, kVectorSize - row % kVectorSize, uint32_t{256}});
    if (source.has_nulls()) {
      uint32_t valid = 1;
      while (valid < length && !source.is_null(rows[done + valid])) ++valid;
      length = valid;
    }
    switch (column.element_size) {
      case 1: gather_to<1>(elements, rows + done, length, gathered.data()); break;
      case 2: gather_to<2>(elements, rows + done, length, gathered.data()); break;
      case 4: gather_to<4>(elements, rows + done, length, gathered.data()); break;
      case 8: gather_to<8>(elements, rows + done, length, gathered.data()); break;
      case 16: gather_to<16>(elements, rows + done, length, gathered.data()); break;
      default: gather_to<32>(elements, rows + done, length, gathered.data()); break;
    }
    write_elements(column, row, gathered.data(), length);
    done += length;
  }
}

void MemoryRowGroup::read(const ColumnSchema& schema_column, uint32_t first, uint32_t count,
                          Vector* out) const {
  const int index = index_of(schema_column.id);
  if (index < 0) return read_initial(schema_column, out);
  const Column& column = columns_[static_cast<size_t>(index)];
  const Chunk& chunk = *column.chunks[first / kVectorSize];
  const uint32_t offset = first % kVectorSize;
  assert(count > 0 && offset + count <= kVectorSize);
  if (out->buffer && out->buffer.use_count() != 1) out->buffer.reset();
  out->type = schema_column.type;
  out->form = column.type.id == TypeId::kSymbol ? Vector::Form::kDictionary : Vector::Form::kFlat;
  out->data = chunk.elements() + static_cast<size_t>(offset) * column.element_size;
  out->validity = nullptr;
  out->dictionary = column.dictionary.get();
  out->owner = shared_from_this();
  out->string_owner.reset();
  if (chunk.null_count.load(std::memory_order_relaxed) == 0) return;
  // Words wholly below the end of a slice are never written again; others may be at this moment.
  if (offset % 64 == 0 && count % 64 == 0) {
    out->validity = chunk.validity.data() + offset / 64;
    return;
  }
  uint64_t* words = out->allocate_validity(count);
  const uint32_t shift = offset % 64;
  auto load = [&](size_t i) {
    return std::atomic_ref<uint64_t>(const_cast<uint64_t&>(chunk.validity[i]))
        .load(std::memory_order_relaxed);
  };
  for (uint32_t w = 0; w * 64 < count; ++w) {
    const size_t at = offset / 64 + w;
    uint64_t word = load(at) >> shift;
    if (shift != 0 && at + 1 < chunk.validity.size()) word |= load(at + 1) << (64 - shift);
    words[w] = word;
  }
}

VectorStatistics MemoryRowGroup::statistics(ColumnId column_id, uint32_t vector_index) const {
  VectorStatistics result;
  const int index = index_of(column_id);
  if (index < 0) return result;
  const Chunk* chunk = columns_[static_cast<size_t>(index)].chunks[vector_index].get();
  // Whoever then asks for row_count() gets at least the rows that these NULLs are among.
  result.null_count = chunk->null_count.load(std::memory_order_acquire);
  result.has_bounds = chunk->has_bounds.load(std::memory_order_relaxed);
  result.min = chunk->min.load(std::memory_order_relaxed);
  result.max = chunk->max.load(std::memory_order_relaxed);
  return result;
}

}  // namespace idem
