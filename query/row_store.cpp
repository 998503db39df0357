#include "query/row_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include "common/decimal.h"
#include "common/error.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

struct Bytes16 {
  uint64_t words[2];
};
struct Bytes32 {
  uint64_t words[4];
};

// Calls fn with a null pointer to a plain type of that size.
template <class F>
void with_element_size(uint32_t size, F&& fn) {
  switch (size) {
    case 1: return fn(static_cast<uint8_t*>(nullptr));
    case 2: return fn(static_cast<uint16_t*>(nullptr));
    case 4: return fn(static_cast<uint32_t*>(nullptr));
    case 8: return fn(static_cast<uint64_t*>(nullptr));
    case 16: return fn(static_cast<Bytes16*>(nullptr));
    case 32: return fn(static_cast<Bytes32*>(nullptr));
    default: assert(false);
  }
}

constexpr uint32_t kFirstCapacity = 64;

bool has_codes(const Vector& vector) {
  return vector.dictionary != nullptr || (vector.type.id == TypeId::kSymbol && !vector.is_valid(0));
}

}  // namespace

void RowStore::Free::operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }

std::shared_ptr<RowStore> RowStore::make(std::vector<SqlType> types, MemoryBudget* budget) {
  return std::make_shared<RowStore>(std::move(types), budget);
}

RowStore::RowStore(std::vector<SqlType> types, MemoryBudget* budget) : memory_(budget) {
  columns_.resize(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    columns_[i].type = types[i];
    columns_[i].physical = physical_type(types[i]);
    columns_[i].element_size = static_cast<uint32_t>(physical_size(columns_[i].physical));
  }
  arenas_.resize(1);
  owners_.resize(types.size());  // of each column's dictionary; others follow
}

void RowStore::clear() {
  segments_.clear();
  arenas_.clear();
  arenas_.resize(1);
  rows_ = element_bytes_ = 0;
  for (Column& column : columns_) {
    column.bases.clear();
    column.has_nulls = false;
  }
  memory_.set(0);
}

uint32_t RowStore::next_id() const {
  if (segments_.empty()) return 0;
  const size_t last = segments_.size() - 1;
  if (segments_[last].rows == kSegmentRows) return static_cast<uint32_t>((last + 1) << kSegmentBits);
  return static_cast<uint32_t>(last << kSegmentBits) + segments_[last].rows;
}

RowStore::Segment& RowStore::segment_with_room() {
  if (segments_.empty() || segments_.back().rows == kSegmentRows) {
    if (segments_.size() >= (size_t{1} << (32 - kSegmentBits)) - 1) {
      throw sql_error(sqlstate::kProgramLimitExceeded, "too many rows to keep in memory");
    }
    segments_.emplace_back();
    segments_.back().columns.resize(columns_.size());
  }
  return segments_.back();
}

uint32_t RowStore::capacity_for(const Segment& segment, uint32_t wanted) const {
  if (segments_.size() > 1) return kSegmentRows;
  uint32_t capacity = std::max(segment.capacity, kFirstCapacity);
  while (capacity < wanted) capacity *= 4;
  return std::min(capacity, kSegmentRows);
}

uint64_t RowStore::next_growth() const {
  constexpr size_t kShortText = 16;
  const Segment none;
  const Segment& last = segments_.empty() ? none : segments_.back();
  uint64_t more_rows = 0;
  if (last.rows + kVectorSize > kSegmentRows) {
    more_rows = kSegmentRows - last.capacity + kSegmentRows;
  } else if (last.rows + kVectorSize > last.capacity) {
    more_rows = capacity_for(last, last.rows + kVectorSize) - last.capacity;
  }
  uint64_t row_bytes = 0, characters = 0;
  for (const Column& column : columns_) {
    row_bytes += column.element_size;
    if (column.physical == PhysicalType::kString) characters += kVectorSize * kShortText;
  }
  return more_rows * row_bytes + (characters ? arenas_.front().next_growth(characters) : 0);
}

void RowStore::grow(Segment& segment, uint32_t wanted) {
  const uint32_t capacity = capacity_for(segment, wanted);
  for (size_t c = 0; c < columns_.size(); ++c) {
    const size_t size = columns_[c].element_size;
    auto* fresh = static_cast<std::byte*>(::operator new (capacity* size, std::align_val_t{64}));
    if (segment.rows > 0) std::memcpy(fresh, segment.columns[c].data.get(), segment.rows * size);
    segment.columns[c].data.reset(fresh);
    element_bytes_ += (capacity - segment.capacity) * size;
  }
  segment.capacity = capacity;
}

void RowStore::append(std::span<const Vector> columns, Selection selection) {
  for (uint32_t done = 0; done < selection.count;) {
    Segment& segment = segment_with_room();
    const uint32_t count = std::min(selection.count - done, kSegmentRows - segment.rows);
    if (segment.rows + count > segment.capacity) grow(segment, segment.rows + count);
    for (size_t c = 0; c < columns_.size(); ++c)
      append_column(c, segment, columns[c], selection, done, count);
    segment.rows += count;
    rows_ += count;
    done += count;
  }
  size_t bytes = element_bytes_;
  for (const StringArena& arena : arenas_) bytes += arena.bytes();
  memory_.set(bytes);
}

void RowStore::keep(const std::shared_ptr<const void>& owner) {
  if (owner && std::find(owners_.begin(), owners_.end(), owner) == owners_.end()) owners_.push_back(owner);
}

void RowStore::become_strings(size_t c) {
  Column& column = columns_[c];
  for (Segment& segment : segments_) {
    ColumnSegment& part = segment.columns[c];
    if (!part.data) continue;
    auto* texts = static_cast<std::string_view*>(
        ::operator new (segment.capacity * sizeof(std::string_view), std::align_val_t{64}));
    const auto* codes = reinterpret_cast<const int32_t*>(part.data.get());
    for (uint32_t i = 0; i < segment.rows; ++i) {
      texts[i] = codes[i] < 0 || !column.dictionary ? std::string_view() : column.dictionary->at(codes[i]);
    }
    part.data.reset(reinterpret_cast<std::byte*>(texts));
    element_bytes_ += segment.capacity * (sizeof(std::string_view) - sizeof(int32_t));
  }
  column.type = TypeId::kVarchar;
  column.physical = PhysicalType::kString;
  column.element_size = sizeof(std::string_view);
  column.dictionary = nullptr;
}

void RowStore::append_column(size_t c, Segment& segment, const Vector& vector, Selection selection,
                             uint32_t first, uint32_t count) {
  Column& column = columns_[c];
  if (column.type.id == TypeId::kSymbol) {
    if (!has_codes(vector) && vector.type.id != TypeId::kSymbol) {
      become_strings(c);
    } else if (vector.dictionary && vector.dictionary != column.dictionary) {
      if (column.dictionary) {
        become_strings(c);
      } else {
        column.dictionary = vector.dictionary;
        owners_[c] = vector.owner;
      }
    }
    if (vector.dictionary) keep(vector.owner);
  }
  ColumnSegment& part = segment.columns[c];
  std::byte* to = part.data.get() + static_cast<size_t>(segment.rows) * column.element_size;
  const bool constant = vector.is_constant();
  if (vector.form == Vector::Form::kSequence) {
    auto* values = reinterpret_cast<int64_t*>(to);
    for (uint32_t i = 0; i < count; ++i) {
      values[i] = vector.sequence_start + selection[first + i] * vector.sequence_step;
    }
  } else if (column.physical == PhysicalType::kString) {
    auto* texts = reinterpret_cast<std::string_view*>(to);
    if (has_codes(vector)) {
      keep(vector.owner);
      const int32_t* codes = vector.values<int32_t>();
      for (uint32_t i = 0; i < count; ++i) {
        const int32_t code = codes[constant ? 0 : selection[first + i]];
        texts[i] = code < 0 ? std::string_view() : vector.dictionary->at(code);
      }
    } else {
      StringArena& arena = arenas_.front();
      const std::string_view* from = vector.values<std::string_view>();
      if (constant) {
        const std::string_view text = vector.is_valid(0) ? arena.copy(from[0]) : std::string_view();
        std::fill_n(texts, count, text);
      } else {
        for (uint32_t i = 0; i < count; ++i) {
          const uint32_t row = selection[first + i];
          texts[i] = vector.is_valid(row) ? arena.copy(from[row]) : std::string_view();
        }
      }
    }
  } else {
    with_element_size(column.element_size, [&](auto* tag) {
      using T = std::remove_pointer_t<decltype(tag)>;
      const T* from = vector.values<T>();
      T* values = reinterpret_cast<T*>(to);
      if (constant) {
        std::fill_n(values, count, from[0]);
      } else if (selection.is_all()) {
        std::memcpy(values, from + first, count * sizeof(T));
      } else {
        for (uint32_t i = 0; i < count; ++i) values[i] = from[selection.rows[first + i]];
      }
    });
  }
  if (!vector.validity && part.validity.empty()) return;
  if (part.validity.empty()) part.validity.assign(kSegmentRows / 64, ~uint64_t{0});
  if (!vector.validity) return;
  column.has_nulls = true;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t at = segment.rows + i;
    const uint64_t valid = vector.is_valid(selection[first + i]) ? 1 : 0;
    part.validity[at >> 6] &= ~((valid ^ 1) << (at & 63));
  }
}

uint32_t RowStore::take(RowStore&& other) {
  const auto shift = static_cast<uint32_t>(segments_.size() << kSegmentBits);
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& mine = columns_[c];
    Column& theirs = other.columns_[c];
    if (mine.type.id == TypeId::kSymbol && theirs.type.id == TypeId::kSymbol) {
      if (!mine.dictionary) {
        mine.dictionary = theirs.dictionary;
        owners_[c] = other.owners_[c];
      }
      if (!theirs.dictionary || theirs.dictionary == mine.dictionary) {
        mine.has_nulls |= theirs.has_nulls;
        continue;
      }
      become_strings(c);
      other.become_strings(c);
    } else if (mine.type.id == TypeId::kSymbol) {
      become_strings(c);
    } else if (theirs.type.id == TypeId::kSymbol) {
      other.become_strings(c);
    }
    mine.has_nulls |= theirs.has_nulls;
  }
  for (Segment& segment : other.segments_) segments_.push_back(std::move(segment));
  for (StringArena& arena : other.arenas_) arenas_.push_back(std::move(arena));
  for (const auto& owner : other.owners_) keep(owner);
  rows_ += other.rows_;
  element_bytes_ += other.element_bytes_;
  const uint64_t bytes = memory_.bytes() + other.memory_.bytes();
  other.segments_.clear();
  other.memory_.set(0);
  memory_.set(bytes);
  return shift;
}

void RowStore::seal() {
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].bases.resize(segments_.size());
    for (size_t s = 0; s < segments_.size(); ++s) columns_[c].bases[s] = segments_[s].columns[c].data.get();
  }
}

Vector RowStore::view(size_t c, size_t segment, uint32_t first) const {
  assert(first % 64 == 0);
  const Column& column = columns_[c];
  const ColumnSegment& part = segments_[segment].columns[c];
  Vector out;
  out.type = column.type;
  out.form = column.type.id == TypeId::kSymbol ? Vector::Form::kDictionary : Vector::Form::kFlat;
  out.data = part.data.get() + static_cast<size_t>(first) * column.element_size;
  if (!part.validity.empty()) out.validity = part.validity.data() + first / 64;
  out.dictionary = column.dictionary;
  out.owner = shared_from_this();
  return out;
}

void RowStore::read(size_t segment, uint32_t first, uint32_t count, DataChunk* out) const {
  out->columns.resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) out->columns[c] = view(c, segment, first);
  out->set_size(count);
}

bool RowStore::is_valid(size_t column, uint32_t id) const {
  const std::vector<uint64_t>& validity = segments_[id >> kSegmentBits].columns[column].validity;
  const uint32_t row = id & (kSegmentRows - 1);
  return validity.empty() || ((validity[row >> 6] >> (row & 63)) & 1) != 0;
}

void RowStore::gather(size_t c, const uint32_t* ids, uint32_t count, bool missing, Vector* out) const {
  const Column& column = columns_[c];
  out->allocate(column.type, count);
  out->dictionary = column.dictionary;
  // Numbers and codes are copied: they should not keep all rows.
  if (column.dictionary) {
    out->owner = owners_[c];
  } else if (column.physical == PhysicalType::kString) {
    out->owner = shared_from_this();
  }
  void* elements = const_cast<void*>(out->data);  // just allocated: this thread's own
  with_element_size(column.element_size, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = static_cast<T*>(elements);
    const std::byte* const* bases = column.bases.data();
    if (missing) {
      T empty{};
      if (column.type.id == TypeId::kSymbol) std::memset(&empty, 0xff, sizeof empty);
      for (uint32_t i = 0; i < count; ++i) {
        const uint32_t id = ids[i];
        to[i] = id == kNoRow ? empty
                             : reinterpret_cast<const T*>(bases[id >> kSegmentBits])[id & (kSegmentRows - 1)];
      }
    } else {
      for (uint32_t i = 0; i < count; ++i) {
        to[i] = reinterpret_cast<const T*>(bases[ids[i] >> kSegmentBits])[ids[i] & (kSegmentRows - 1)];
      }
    }
  });
  if (!missing && !column.has_nulls) return;
  uint64_t* words = out->allocate_validity(count);
  bool any = false;
  for (uint32_t i = 0; i < count; ++i) {
    if (ids[i] != kNoRow && is_valid(c, ids[i])) continue;
    words[i >> 6] &= ~(uint64_t{1} << (i & 63));
    any = true;
  }
  if (!any) out->validity = nullptr;
}

void RowStore::gather(const uint32_t* ids, uint32_t count, DataChunk* out) const {
  out->columns.resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) gather(c, ids, count, false, &out->columns[c]);
  out->set_size(count);
}

void RowStore::scatter(size_t c, const uint32_t* ids, const uint16_t* rows, uint32_t count,
                       Vector* out) const {
  const Column& column = columns_[c];
  out->allocate(column.type, kVectorSize);
  out->dictionary = column.dictionary;
  out->owner = shared_from_this();
  void* elements = const_cast<void*>(out->data);  // just allocated: this thread's own
  uint32_t missing = 0;
  with_element_size(column.element_size, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = static_cast<T*>(elements);
    T empty{};
    if (column.type.id == TypeId::kSymbol) std::memset(&empty, 0xff, sizeof empty);
    const std::byte* const* bases = column.bases.data();
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t id = ids[i];
      if (id == kNoRow) {
        to[rows[i]] = empty;
        ++missing;
      } else {
        to[rows[i]] = reinterpret_cast<const T*>(bases[id >> kSegmentBits])[id & (kSegmentRows - 1)];
      }
    }
  });
  if (missing == 0 && !column.has_nulls) return;
  uint64_t* words = out->allocate_validity(kVectorSize);
  for (uint32_t i = 0; i < count; ++i) {
    if (ids[i] == kNoRow || !is_valid(c, ids[i])) words[rows[i] >> 6] &= ~(uint64_t{1} << (rows[i] & 63));
  }
}

void RowStore::all_ids(std::vector<uint32_t>* ids) const {
  ids->reserve(ids->size() + rows_);
  for (size_t s = 0; s < segments_.size(); ++s) {
    const auto base = static_cast<uint32_t>(s << kSegmentBits);
    for (uint32_t i = 0; i < segments_[s].rows; ++i) ids->push_back(base + i);
  }
}

}  // namespace idem
