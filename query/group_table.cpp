#include "query/group_table.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/error.h"
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

uint32_t hash_packed(uint64_t low, uint64_t high) {
  return static_cast<uint32_t>(hash_u64(low ^ (high * 0x9e3779b97f4a7c15ULL)) >> 32);
}

constexpr size_t kFirstSlots = 256;
constexpr size_t kLargeSlots = 1 << 20;  // from here on memory counts more than moving the slots again
constexpr size_t kMostSlots = size_t{1} << 32;

size_t slots_after(size_t slots) { return std::min(slots * (slots < kLargeSlots ? 4 : 2), kMostSlots); }
constexpr size_t kSlotsPerCheck = 1 << 16;
constexpr uint32_t kBatch = 32;
constexpr size_t kPrefetchSlots = 1 << 15;  // tables beyond the second-level cache, with their keys
constexpr size_t kOrderedSlots = 1 << 12;   // as large as tables need to be that forget

}  // namespace

GroupTable::GroupTable(std::vector<SqlType> key_types, MemoryBudget* budget, const CancelToken* cancel)
    : types_(std::move(key_types)),
      own_(types_),
      keys_(RowStore::make(types_, budget)),
      memory_(budget),
      cancel_(cancel) {
  uint32_t bits = null_bits(types_);
  bool packs = true;
  for (const SqlType type : types_) {
    const uint32_t more = packed_bits(type);
    packs &= more > 0;
    bits += more;
  }
  if (types_.empty()) return;
  if (types_.size() == 1 && types_[0].id == TypeId::kSymbol) {
    form_ = Form::kSymbol;
    return;
  }
  form_ = packs && bits <= kPackedBits ? Form::kPacked : Form::kBytes;
  reset_slots(kFirstSlots);
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
  const auto added = static_cast<uint32_t>(new_rows_.size());
  keys_->append({keys, types_.size()}, {new_rows_.data(), added});
  new_rows_.clear();
  if (form_ == Form::kBytes && own_.encoder.is_one_text()) {
    for (uint32_t group = size() - added; group < size(); ++group) {
      ByteKey& key = encoded_[group];
      if (!key.is_in_place()) key = key.with_address(keys_->value<std::string_view>(0, group).data());
    }
  }
  memory_.set(by_symbol_.capacity() * sizeof(uint32_t) + slots_.capacity() * sizeof(Slot) +
              packed_.capacity() * sizeof(Packed) + encoded_.capacity() * sizeof(ByteKey) +
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
  if (slots_.empty()) return bytes;
  const bool forgets = ascends_ && slots_.size() >= kOrderedSlots;
  if ((used_slots_ + kVectorSize) * 2 > slots_.size() && !forgets)
    bytes += slots_after(slots_.size()) * sizeof(Slot);
  if (packed_.size() + kVectorSize > packed_.capacity()) bytes += 2 * packed_.capacity() * sizeof(Packed);
  if (is_packed()) return bytes;
  if (encoded_.size() + kVectorSize > encoded_.capacity()) bytes += 2 * encoded_.capacity() * sizeof(ByteKey);
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

// The slot of a key, or the empty one where it would go.
template <class IsKey>
const GroupTable::Slot& GroupTable::slot_of(uint32_t hash, IsKey&& is_key) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> shift_;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number == 0 || (slot.hash == hash && is_key(slot.number - 1))) return slot;
  }
}

// Of a batch of rows first the slots, then the keys that they point at, then those keys' characters: in loops without branches, so
// that many are on their way at once.
inline void GroupTable::prefetch(const uint32_t* hashes, uint32_t count) const {
  std::array<uint32_t, kBatch> groups;
  const uint32_t batch = std::min(count, kBatch);
  for (uint32_t i = 0; i < batch; ++i) __builtin_prefetch(&slots_[hashes[i] >> shift_]);
  if (size() + new_rows_.size() == first_known_) return;
  for (uint32_t i = 0; i < batch; ++i) {
    const uint32_t number = slots_[hashes[i] >> shift_].number;
    groups[i] = number == 0 ? first_known_ : number - 1;
    prefetch_key(groups[i]);
  }
  if (is_packed()) return;
  for (uint32_t i = 0; i < batch; ++i) __builtin_prefetch(encoded_[groups[i]].compared_bytes());
}

template <class IsKey, class Add>
void GroupTable::insert_hashed(uint32_t count, uint32_t* groups, IsKey&& is_key, Add&& add) {
  const uint32_t* hashes = own_.hashes(is_packed());
  const bool far = slots_.size() >= kPrefetchSlots;
  for (uint32_t i = 0; i < count; ++i) {
    if (far && i % kBatch == 0) prefetch(hashes + i, count - i);
    const Slot& slot = slot_of(hashes[i], [&](uint32_t group) { return is_key(i, group); });
    if (slot.number != 0) {
      groups[i] = slot.number - 1;
      continue;
    }
    groups[i] = new_group(i);
    slots_[static_cast<size_t>(&slot - slots_.data())] = {hashes[i], groups[i] + 1};
    ++used_slots_;
    add(i);
  }
}

void GroupTable::insert_packed(const Vector* keys, Selection selection, uint32_t* groups) {
  pack(keys, selection, true, own_);
  if (ascends_) check_time_order(selection.count);
  const auto is_key = [this](uint32_t i, uint32_t group) {
    return packed_[group - first_known_] == own_.packed[i];
  };
  insert_hashed(selection.count, groups, is_key, [this](uint32_t i) {
    packed_.push_back(own_.packed[i]);
    if (used_slots_ * 2 <= slots_.size()) return;
    if (ascends_ && slots_.size() >= kOrderedSlots) forget_before(time_in(own_.packed[i]));
    if (used_slots_ * 4 > slots_.size()) grow();
  });
}

void GroupTable::insert_bytes(const Vector* keys, Selection selection, uint32_t* groups) {
  own_.encoder.encode(keys, selection);
  const auto is_key = [this](uint32_t i, uint32_t group) { return encoded_[group] == own_.encoder.key(i); };
  insert_hashed(selection.count, groups, is_key, [this](uint32_t i) {
    const ByteKey& key = own_.encoder.key(i);
    const bool is_copied = !own_.encoder.is_one_text() && !key.is_in_place();
    encoded_.push_back(is_copied ? key.with_address(encoded_characters_.copy(key.bytes()).data()) : key);
    if (used_slots_ * 2 > slots_.size()) grow();
  });
}

template <class IsKey>
void GroupTable::find_hashed(const uint32_t* hashes, uint32_t count, uint32_t* groups, IsKey&& is_key) const {
  const bool far = slots_.size() >= kPrefetchSlots;
  for (uint32_t i = 0; i < count; ++i) {
    if (far && i % kBatch == 0) prefetch(hashes + i, count - i);
    // kNoGroup is the number 0 less 1.
    groups[i] = slot_of(hashes[i], [&](uint32_t group) { return is_key(i, group); }).number - 1;
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
    case Form::kPacked:
      pack(keys, selection, false, scratch);
      find_hashed(scratch.packed_hashes.data(), count, groups, [&](uint32_t i, uint32_t group) {
        return packed_[group - first_known_] == scratch.packed[i];
      });
      for (uint32_t i = 0; i < count; ++i) {
        if (scratch.missing[i]) groups[i] = kNoGroup;
      }
      return;
    case Form::kBytes:
      scratch.encoder.encode(keys, selection);
      find_hashed(scratch.encoder.hashes(), count, groups,
                  [&](uint32_t i, uint32_t group) { return encoded_[group] == scratch.encoder.key(i); });
      return;
  }
}

bool GroupTable::is_comparable(const GroupTable& other) const {
  if (form_ != other.form_ || slots_.empty() || !has_all_groups() || !other.has_all_groups()) return false;
  for (size_t k = 0; k < types_.size(); ++k) {
    if (is_packed() && types_[k].id == TypeId::kSymbol && !own_.spaces[k].agrees_with(other.own_.spaces[k]))
      return false;
  }
  return true;
}

bool GroupTable::equal(uint32_t group, const GroupTable& other, uint32_t other_group) const {
  if (is_packed()) return packed_[group] == other.packed_[other_group];
  return encoded_[group] == other.encoded_[other_group];
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
  scratch.packed_hashes.resize(kVectorSize);
  for (uint32_t i = 0; i < count; ++i) {
    scratch.packed_hashes[i] = hash_packed(scratch.packed[i].low, scratch.packed[i].high);
  }
}

void GroupTable::put(uint32_t hash, uint32_t group) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash >> shift_;
  while (slots_[at].number != 0) at = (at + 1) & mask;
  slots_[at] = {hash, group + 1};
}

// `count` empty ones, a power of two.
void GroupTable::reset_slots(size_t count) {
  slots_.clear();
  slots_.reserve(count);
  for (;;) {
    slots_.resize(std::min(count, slots_.size() + kSlotsPerCheck));
    if (slots_.size() == count) break;
    check_cancel();
  }
  shift_ = 32 - static_cast<uint32_t>(std::countr_zero(count));
}

void GroupTable::grow() {
  if (slots_.size() == kMostSlots) throw sql_error(sqlstate::kProgramLimitExceeded, "too many groups");
  const std::vector<Slot> old = std::move(slots_);
  reset_slots(slots_after(old.size()));
  for (size_t first = 0; first < old.size(); first += kSlotsPerCheck) {
    check_cancel();
    const size_t end = std::min(old.size(), first + kSlotsPerCheck);
    for (size_t i = first; i < end; ++i) {
      if (old[i].number != 0) put(old[i].hash, old[i].number - 1);
    }
  }
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
  if (!has_all_groups()) index_all();
}

// Groups of the last time are the last ones, as long as times ascend.
void GroupTable::forget_before(uint64_t time) {
  size_t first = packed_.size();
  while (first > 0 && time_in(packed_[first - 1]) == time) --first;
  packed_.erase(packed_.begin(), packed_.begin() + static_cast<ptrdiff_t>(first));
  first_known_ += static_cast<uint32_t>(first);
  std::fill(slots_.begin(), slots_.end(), Slot{0, 0});
  for (uint32_t i = 0; i < packed_.size(); ++i)
    put(hash_packed(packed_[i].low, packed_[i].high), first_known_ + i);
  used_slots_ = packed_.size();
}

void GroupTable::index_all() {
  reset_slots(std::max(std::bit_ceil(size_t{size()} * 4), kFirstSlots));
  packed_.clear();
  first_known_ = 0;
  Scratch scratch(types_);
  scratch.spaces = own_.spaces;
  for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
    pack(keys.columns.data(), keys.selection, false, scratch);
    packed_.insert(packed_.end(), scratch.packed.begin(), scratch.packed.begin() + keys.count());
    for (uint32_t i = 0; i < keys.count(); ++i) put(scratch.packed_hashes[i], first + i);
  });
  used_slots_ = size();
}

}  // namespace idem
