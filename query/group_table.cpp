#include "query/group_table.h"

#include <algorithm>
#include <bit>

#include "common/hash.h"
#include "query/key_bits.h"

namespace idem {

namespace {

constexpr uint32_t kPackedBits = 128;

// Bits of a key in packed form; 0: it cannot be packed.
uint32_t packed_bits(SqlType type) {
  if (type.id == TypeId::kSymbol) return 31;  // its number + 1
  switch (physical_type(type)) {
    case PhysicalType::kBool: return 1;
    case PhysicalType::kInt16: return 16;
    case PhysicalType::kInt32: return 32;
    case PhysicalType::kInt64: return 64;
    case PhysicalType::kFloat: return 32;
    case PhysicalType::kDouble: return 64;
    default: return 0;
  }
}

// How many bits at the end say which keys are NULL: symbols have the number -1 for it.
uint32_t null_bits(const std::vector<SqlType>& types) {
  return static_cast<uint32_t>(
      std::count_if(types.begin(), types.end(), [](SqlType type) { return type.id != TypeId::kSymbol; }));
}

uint64_t hash_packed(uint64_t low, uint64_t high) { return hash_u64(low ^ (high * 0x9e3779b97f4a7c15ULL)); }

constexpr size_t kFirstSlots = 256;
constexpr size_t kLargeSlots = 1 << 20;  // from here on memory counts more than moving the slots again

size_t slots_after(size_t slots) { return slots * (slots < kLargeSlots ? 4 : 2); }
constexpr size_t kSlotsPerCheck = 1 << 16;
constexpr size_t kPrefetchSlots = 1 << 15;  // tables beyond the second-level cache
constexpr size_t kOrderedSlots = 1 << 12;   // as large as tables need to be that forget

}  // namespace

GroupTable::GroupTable(std::vector<SqlType> key_types, MemoryBudget* budget, const CancelToken* cancel)
    : types_(std::move(key_types)), keys_(RowStore::make(types_, budget)), memory_(budget), cancel_(cancel) {
  own_.spaces.resize(types_.size());
  uint32_t bits = null_bits(types_);
  bool packs = true;
  for (const SqlType type : types_) {
    const uint32_t more = packed_bits(type);
    packs &= more > 0;
    bits += more;
  }
  if (types_.empty()) {
    form_ = Form::kNone;
  } else if (types_.size() == 1 && types_[0].id == TypeId::kSymbol) {
    form_ = Form::kSymbol;
  } else if (packs && bits <= kPackedBits) {
    form_ = Form::kPacked;
    packed_.assign(kFirstSlots, {{0, 0}, kNoGroup});
  } else {
    form_ = Form::kBytes;
    bytes_.assign(kFirstSlots, {0, kNoGroup});
  }
}

GroupTable::~GroupTable() = default;

uint32_t GroupTable::new_group(uint32_t row) {
  new_rows_.push_back(static_cast<uint16_t>(row));
  return size() + static_cast<uint32_t>(new_rows_.size()) - 1;
}

void GroupTable::add_keys(const Vector* keys, Selection selection) {
  if (new_rows_.empty()) return;
  if (selection.rows) {
    for (uint16_t& row : new_rows_) row = selection.rows[row];
  }
  keys_->append({keys, types_.size()}, {new_rows_.data(), static_cast<uint32_t>(new_rows_.size())});
  new_rows_.clear();
  memory_.set(by_symbol_.capacity() * sizeof(uint32_t) + packed_.capacity() * sizeof(PackedSlot) +
              bytes_.capacity() * sizeof(ByteSlot) + encoded_.capacity() * sizeof(std::string_view) +
              encoded_characters_.bytes());
}

void GroupTable::expect_time_order() {
  if (form_ != Form::kPacked) return;
  uint32_t bit = 0;
  for (const SqlType type : types_) {
    if (is_timestamp(type.id)) {
      ascends_ = true;
      time_bit_ = bit;
      return;
    }
    bit += packed_bits(type);
  }
}

uint64_t GroupTable::next_growth() const {
  uint64_t bytes = keys_->next_growth();
  if (form_ == Form::kPacked && (used_slots_ + kVectorSize) * 2 > packed_.size() &&
      (!ascends_ || packed_.size() < kOrderedSlots))
    bytes += slots_after(packed_.size()) * sizeof(PackedSlot);
  if (form_ != Form::kBytes) return bytes;
  if ((uint64_t{size()} + kVectorSize) * 2 > bytes_.size())
    bytes += slots_after(bytes_.size()) * sizeof(ByteSlot);
  if (encoded_.size() + kVectorSize > encoded_.capacity())
    bytes += encoded_.capacity() * sizeof(std::string_view);
  const size_t key_bytes = encoded_characters_.bytes() / std::max<size_t>(encoded_.size(), 1);
  return bytes + encoded_characters_.next_growth(kVectorSize * key_bytes);
}

void GroupTable::find_or_insert(const Vector* keys, Selection selection, uint32_t* groups) {
  switch (form_) {
    case Form::kNone:
      std::fill_n(groups, selection.count, 0u);
      if (size() == 0 && selection.count > 0) new_group(0);
      break;
    case Form::kSymbol: insert_symbols(keys, selection, groups); break;
    case Form::kPacked: insert_packed(keys, selection, groups); break;
    case Form::kBytes: insert_bytes(keys, selection, groups); break;
  }
  add_keys(keys, selection);
}

void GroupTable::Probe::find(const Vector* keys, Selection selection, bool null_matches, uint32_t* groups) {
  table_.find(keys, selection, scratch_, groups);
  if (null_matches) return;
  for (size_t k = 0; k < table_.types_.size(); ++k) {
    if (!keys[k].may_have_nulls()) continue;
    for (uint32_t i = 0; i < selection.count; ++i) {
      if (!keys[k].is_valid(selection[i])) groups[i] = kNoGroup;
    }
  }
}

void GroupTable::insert_symbols(const Vector* keys, Selection selection, uint32_t* groups) {
  own_.numbers.resize(kVectorSize);
  const int32_t* numbers = own_.numbers.data();
  own_.spaces[0].numbers(keys[0], selection, true, own_.numbers.data());
  const size_t wanted = own_.spaces[0].size() + size_t{1};
  if (by_symbol_.size() < wanted) by_symbol_.resize(wanted, kNoGroup);
  const uint32_t* table = by_symbol_.data();
  uint32_t absent = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    groups[i] = table[static_cast<uint32_t>(numbers[i] + 1)];
    absent |= groups[i] == kNoGroup ? 1 : 0;
  }
  if (!absent) return;
  for (uint32_t i = 0; i < selection.count; ++i) {
    uint32_t& group = by_symbol_[static_cast<uint32_t>(numbers[i] + 1)];
    if (group == kNoGroup) group = new_group(i);
    groups[i] = group;
  }
}

template <class T>
void GroupTable::prefetch(const std::vector<T>& slots, const Scratch& scratch, uint32_t i, uint32_t count) {
  constexpr uint32_t kAhead = 16;
  if (i + kAhead < count) __builtin_prefetch(&slots[scratch.hashes[i + kAhead] & (slots.size() - 1)]);
}

void GroupTable::insert_packed(const Vector* keys, Selection selection, uint32_t* groups) {
  pack(keys, selection, true, own_);
  if (ascends_) check_time_order(selection.count);
  const bool far = packed_.size() >= kPrefetchSlots;
  for (uint32_t i = 0; i < selection.count; ++i) {
    if (far) prefetch(packed_, own_, i, selection.count);
    const Packed key = own_.packed[i];
    const size_t mask = packed_.size() - 1;
    for (size_t at = own_.hashes[i] & mask;; at = (at + 1) & mask) {
      PackedSlot& slot = packed_[at];
      if (slot.group == kNoGroup) {
        groups[i] = new_group(i);
        slot = {key, groups[i]};
        if (++used_slots_ * 2 > packed_.size()) {
          if (ascends_ && packed_.size() >= kOrderedSlots) forget_before(time_in(key));
          if (used_slots_ * 4 > packed_.size()) grow_packed();
        }
        break;
      }
      if (slot.key == key) {
        groups[i] = slot.group;
        break;
      }
    }
  }
}

void GroupTable::insert_bytes(const Vector* keys, Selection selection, uint32_t* groups) {
  encode(keys, selection, own_);
  const bool far = bytes_.size() >= kPrefetchSlots;
  for (uint32_t i = 0; i < selection.count; ++i) {
    if (far) prefetch(bytes_, own_, i, selection.count);
    const std::string_view key(own_.bytes.data() + own_.offsets[i], own_.offsets[i + 1] - own_.offsets[i]);
    const size_t mask = bytes_.size() - 1;
    for (size_t at = own_.hashes[i] & mask;; at = (at + 1) & mask) {
      ByteSlot& slot = bytes_[at];
      if (slot.group == kNoGroup) {
        groups[i] = new_group(i);
        encoded_.push_back(encoded_characters_.copy(key));
        slot = {own_.hashes[i], groups[i]};
        if (encoded_.size() * 2 > bytes_.size()) grow_bytes();
        break;
      }
      if (slot.hash == own_.hashes[i] && encoded_[slot.group] == key) {
        groups[i] = slot.group;
        break;
      }
    }
  }
}

void GroupTable::find(const Vector* keys, Selection selection, Scratch& scratch, uint32_t* groups) const {
  const uint32_t count = selection.count;
  switch (form_) {
    case Form::kNone: std::fill_n(groups, count, size() > 0 ? 0 : kNoGroup); return;
    case Form::kSymbol:
      scratch.numbers.resize(kVectorSize);
      scratch.spaces[0].numbers(keys[0], selection, false, scratch.numbers.data());
      for (uint32_t i = 0; i < count; ++i) {
        const auto at = static_cast<uint32_t>(scratch.numbers[i] + 1);
        groups[i] = at < by_symbol_.size() ? by_symbol_[at] : kNoGroup;
      }
      return;
    case Form::kPacked: {
      pack(keys, selection, false, scratch);
      const size_t mask = packed_.size() - 1;
      const bool far = packed_.size() >= kPrefetchSlots;
      for (uint32_t i = 0; i < count; ++i) {
        if (far) prefetch(packed_, scratch, i, count);
        size_t at = scratch.hashes[i] & mask;
        while (packed_[at].group != kNoGroup && packed_[at].key != scratch.packed[i]) at = (at + 1) & mask;
        groups[i] = scratch.missing[i] ? kNoGroup : packed_[at].group;
      }
      return;
    }
    case Form::kBytes: {
      encode(keys, selection, scratch);
      const size_t mask = bytes_.size() - 1;
      const bool far = bytes_.size() >= kPrefetchSlots;
      for (uint32_t i = 0; i < count; ++i) {
        if (far) prefetch(bytes_, scratch, i, count);
        const std::string_view key(scratch.bytes.data() + scratch.offsets[i],
                                   scratch.offsets[i + 1] - scratch.offsets[i]);
        size_t at = scratch.hashes[i] & mask;
        while (bytes_[at].group != kNoGroup &&
               (bytes_[at].hash != scratch.hashes[i] || encoded_[bytes_[at].group] != key)) {
          at = (at + 1) & mask;
        }
        groups[i] = bytes_[at].group;
      }
      return;
    }
  }
}

void GroupTable::pack(const Vector* keys, Selection selection, bool add, Scratch& scratch) const {
  const uint32_t count = selection.count;
  scratch.packed.resize(kVectorSize);
  scratch.missing.assign(add ? 0 : kVectorSize, 0);
  std::fill_n(scratch.packed.begin(), count, Packed{0, 0});
  uint32_t bit = 0;
  uint32_t null_bit = kPackedBits - null_bits(types_);
  for (size_t k = 0; k < types_.size(); ++k) {
    const Vector& vector = keys[k];
    const uint32_t width = packed_bits(types_[k]);
    const auto put = [&](uint32_t i, uint64_t bits) {
      if (bit >= 64) {
        scratch.packed[i].high |= bits << (bit - 64);
      } else {
        scratch.packed[i].low |= bits << bit;
        if (bit + width > 64) scratch.packed[i].high |= bits >> (64 - bit);
      }
    };
    if (types_[k].id == TypeId::kSymbol) {
      scratch.numbers.resize(kVectorSize);
      scratch.spaces[k].numbers(vector, selection, add, scratch.numbers.data());
      for (uint32_t i = 0; i < count; ++i) {
        if (scratch.numbers[i] == SymbolSpace::kMissing) scratch.missing[i] = 1;
        else put(i, static_cast<uint32_t>(scratch.numbers[i] + 1));
      }
    } else if (!vector.may_have_nulls()) {
      if (bit == 0) {
        for_bits(vector, selection, [&](uint32_t i, uint64_t bits) { scratch.packed[i].low = bits; });
      } else {
        for_bits(vector, selection, put);
      }
    } else {
      for_bits(vector, selection, [&](uint32_t i, uint64_t bits) {
        if (vector.is_valid(selection[i])) {
          put(i, bits);
        } else {
          scratch.packed[i].high |= uint64_t{1} << (null_bit - 64);
        }
      });
    }
    bit += width;
    null_bit += types_[k].id == TypeId::kSymbol ? 0 : 1;
  }
  scratch.hashes.resize(kVectorSize);
  for (uint32_t i = 0; i < count; ++i) {
    scratch.hashes[i] = hash_packed(scratch.packed[i].low, scratch.packed[i].high);
  }
}

void GroupTable::put_packed(const Packed& key, uint32_t group) {
  const size_t mask = packed_.size() - 1;
  size_t at = hash_packed(key.low, key.high) & mask;
  while (packed_[at].group != kNoGroup) at = (at + 1) & mask;
  packed_[at] = {key, group};
}

template <class Slot>
std::vector<Slot> GroupTable::empty_slots(size_t count, Slot empty) const {
  std::vector<Slot> slots;
  slots.reserve(count);
  while (slots.size() < count) {
    check_cancel();
    slots.resize(std::min(count, slots.size() + kSlotsPerCheck), empty);
  }
  return slots;
}

template <class Slot, class Fn>
void GroupTable::for_each_used(const std::vector<Slot>& slots, Fn&& fn) const {
  for (size_t first = 0; first < slots.size(); first += kSlotsPerCheck) {
    check_cancel();
    const size_t end = std::min(slots.size(), first + kSlotsPerCheck);
    for (size_t i = first; i < end; ++i) {
      if (slots[i].group != kNoGroup) fn(slots[i]);
    }
  }
}

void GroupTable::grow_packed() {
  std::vector<PackedSlot> old = empty_slots<PackedSlot>(slots_after(packed_.size()), {{0, 0}, kNoGroup});
  old.swap(packed_);
  for_each_used(old, [this](const PackedSlot& slot) { put_packed(slot.key, slot.group); });
}

uint64_t GroupTable::time_in(const Packed& key) const {
  return time_bit_ == 0 ? key.low : key.low >> time_bit_ | key.high << (64 - time_bit_);
}

// Of the keys that are packed. NULL counts as the time 0: that makes no difference, as it is only where all groups have a slot that
// times do not ascend.
void GroupTable::check_time_order(uint32_t count) {
  int64_t last = last_time_;
  bool ascends = true;
  for (uint32_t i = 0; i < count; ++i) {
    const auto time = static_cast<int64_t>(time_in(own_.packed[i]));
    ascends &= time >= last;
    last = time;
  }
  last_time_ = last;
  if (ascends) return;
  ascends_ = false;
  if (used_slots_ < size()) index_all();
}

void GroupTable::forget_before(uint64_t time) {
  std::vector<PackedSlot> kept;
  for (const PackedSlot& slot : packed_) {
    if (slot.group != kNoGroup && time_in(slot.key) == time) kept.push_back(slot);
  }
  std::fill(packed_.begin(), packed_.end(), PackedSlot{{0, 0}, kNoGroup});
  for (const PackedSlot& slot : kept) put_packed(slot.key, slot.group);
  used_slots_ = kept.size();
}

void GroupTable::index_all() {
  packed_ = empty_slots<PackedSlot>(std::bit_ceil(size_t{size()} * 4), {{0, 0}, kNoGroup});
  Scratch scratch;
  scratch.spaces = own_.spaces;
  for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
    pack(keys.columns.data(), keys.selection, false, scratch);
    for (uint32_t i = 0; i < keys.count(); ++i) put_packed(scratch.packed[i], first + i);
  });
  used_slots_ = size();
}

void GroupTable::encode(const Vector* keys, Selection selection, Scratch& scratch) const {
  scratch.bytes.clear();
  scratch.offsets.resize(kVectorSize + 1);
  scratch.hashes.resize(kVectorSize);
  scratch.offsets[0] = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    for (size_t k = 0; k < types_.size(); ++k) append_key_bytes(scratch.bytes, keys[k], row);
    scratch.offsets[i + 1] = static_cast<uint32_t>(scratch.bytes.size());
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    scratch.hashes[i] =
        hash_bytes(scratch.bytes.data() + scratch.offsets[i], scratch.offsets[i + 1] - scratch.offsets[i]);
  }
}

void GroupTable::grow_bytes() {
  std::vector<ByteSlot> old = empty_slots<ByteSlot>(slots_after(bytes_.size()), {0, kNoGroup});
  old.swap(bytes_);
  const size_t mask = bytes_.size() - 1;
  for_each_used(old, [&](const ByteSlot& slot) {
    size_t at = slot.hash & mask;
    while (bytes_[at].group != kNoGroup) at = (at + 1) & mask;
    bytes_[at] = slot;
  });
}

}  // namespace idem
