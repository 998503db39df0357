#include "storage/key_groups.h"

#include <algorithm>
#include <bit>

#include "common/hash.h"

namespace idem {

namespace {

constexpr uint32_t kFewRows = 16;     // up to so many rows of one run are compared in pairs
constexpr uint32_t kCodesForRow = 8;  // a table of all codes is made for runs of so many codes a row at most

}  // namespace

UpsertKeys::UpsertKeys(const TableSchema& schema, const ColumnBatch& batch, StoredRows* stored)
    : stored_(stored) {
  for (const uint32_t key : schema.upsert_keys) {
    if (static_cast<int>(key) != schema.timestamp_column)
      keys_.push_back({key, ColumnView(batch.column(key))});
  }
}

bool UpsertKeys::equal(uint32_t row_a, uint32_t row_b) const {
  for (const Key& key : keys_) {
    if (!key_equal(key.view, row_a, key.view, row_b)) return false;
  }
  return true;
}

uint64_t UpsertKeys::hash(uint32_t row) const {
  uint64_t hash = 0;
  for (const Key& key : keys_) hash = hash_combine(hash, key_hash(key.view, row));
  return hash;
}

bool UpsertKeys::equals_stored(uint32_t row, uint32_t stored_row) const {
  for (const Key& key : keys_) {
    if (!key_equal(key.view, row, stored_->column(key.column), stored_row)) return false;
  }
  return true;
}

bool UpsertKeys::equal_stored(const OrderedBatch& batch, uint32_t place, uint32_t stored_row,
                              uint32_t count) const {
  for (const Key& key : keys_) {
    const ColumnView& stored = stored_->column(key.column);
    uint32_t i = batch.order.empty() ? identical_prefix(key.view, place, stored, stored_row, count) : 0;
    while (i < count && key_equal(key.view, batch.row(place + i), stored, stored_row + i)) ++i;
    if (i < count) return false;
  }
  return true;
}

uint64_t UpsertKeys::stored_hash(uint32_t stored_row) const {
  uint64_t hash = 0;
  for (const Key& key : keys_) hash = hash_combine(hash, key_hash(stored_->column(key.column), stored_row));
  return hash;
}

int UpsertKeys::compare_with_stored(uint32_t row, uint64_t ordinal) const {
  stored_->move_to(ordinal);
  const uint32_t stored_row = stored_->row_in_block(ordinal);
  for (const Key& key : keys_) {
    const int c = key_compare(key.view, row, stored_->column(key.column), stored_row);
    if (c != 0) return c;
  }
  return 0;
}

// The first stored row at or after `from` whose keys are not below those of a row. Doubles its steps, so
// that few blocks are decoded where the batch is dense and log n where it is sparse.
uint64_t UpsertKeys::lower_bound(uint32_t row, uint64_t from) const {
  const uint64_t count = stored_->row_count();
  if (from >= count || compare_with_stored(row, from) <= 0) return from;
  uint64_t low = from, step = 1;  // stored[low] < keys
  while (low + step < count && compare_with_stored(row, low + step) > 0) {
    low += step;
    step *= 2;
  }
  uint64_t high = std::min(low + step, count);
  ++low;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (compare_with_stored(row, middle) > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

UpsertKeys::Range UpsertKeys::stored_rows_of(uint32_t row, uint64_t from) const {
  Range range;
  if (!stored_) return range;
  range.begin = range.end = lower_bound(row, from);
  while (range.end < stored_->row_count() && compare_with_stored(row, range.end) == 0) ++range.end;
  return range;
}

KeyGroups::Lookup KeyGroups::choose_lookup(uint32_t rows) const {
  if (rows <= kFewRows) return Lookup::kPairs;
  const SymbolDictionary* symbols = keys_.symbols();
  return symbols && symbols->size() / kCodesForRow <= rows ? Lookup::kCodes : Lookup::kHashes;
}

// And begins with places [begin, end).
void KeyGroups::forget_groups(uint32_t begin, uint32_t end) {
  if (lookup_ == Lookup::kCodes) {
    for (const Group& group : groups_) by_code_[keys_.code_of(batch_.row(group.first_place))] = 0;
  }
  groups_.clear();
  next_group_ = 0;
  begin_ = begin;
  first_repeated_.reset();
  next_place_.assign(end - begin, kNoPlace);
}

void KeyGroups::collect(uint32_t begin, uint32_t end) {
  forget_groups(begin, end);
  lookup_ = choose_lookup(end - begin);
  if (lookup_ == Lookup::kHashes) slots_.assign(std::bit_ceil(size_t{end - begin} * 2), Slot());
  if (lookup_ == Lookup::kCodes)
    by_code_.resize(std::max<size_t>(by_code_.size(), keys_.symbols()->size() + size_t{1}));
  for (uint32_t place = begin; place < end; ++place) {
    Group* known = group_of(batch_.row(place));
    if (!known) {
      groups_.push_back({place, place});
      continue;
    }
    if (!first_repeated_) first_repeated_ = place;
    next_place_[known->last_place - begin] = place;
    known->last_place = place;
  }
}

template <class IsSame>
KeyGroups::Group* KeyGroups::find_in_pairs(const IsSame& same) {
  const auto found = std::find_if(groups_.begin(), groups_.end(), same);
  return found == groups_.end() ? nullptr : &*found;
}

// The group of a row; null if it begins a new one, for which the slot is taken.
KeyGroups::Group* KeyGroups::group_of(uint32_t row) {
  if (lookup_ == Lookup::kPairs)
    return find_in_pairs([&](const Group& group) { return has_keys_of(group, row); });
  const uint32_t next = static_cast<uint32_t>(groups_.size()) + 1;
  if (lookup_ == Lookup::kCodes) {
    uint32_t& known = by_code_[keys_.code_of(row)];
    if (known != 0) return &groups_[known - 1];
    known = next;
    return nullptr;
  }
  const size_t mask = slots_.size() - 1;
  const uint64_t hash = keys_.hash(row);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t slot = hash & mask;
  for (; slots_[slot].group != 0; slot = (slot + 1) & mask) {
    Group& group = groups_[slots_[slot].group - 1];
    if (slots_[slot].tag == tag && has_keys_of(group, row)) return &group;
  }
  slots_[slot] = {next, tag};
  return nullptr;
}

KeyGroups::Group* KeyGroups::group_of_stored(uint32_t stored_row) {
  if (lookup_ == Lookup::kPairs)
    return find_in_pairs([&](const Group& group) { return has_keys_of_stored(group, stored_row); });
  if (lookup_ == Lookup::kCodes) {
    const uint32_t code = keys_.stored_code(stored_row);
    return code < by_code_.size() && by_code_[code] != 0 ? &groups_[by_code_[code] - 1] : nullptr;
  }
  // Devices mostly report in the same order each time: then nothing is looked up.
  if (next_group_ < groups_.size() && has_keys_of_stored(groups_[next_group_], stored_row))
    return &groups_[next_group_++];
  const size_t mask = slots_.size() - 1;
  const uint64_t hash = keys_.stored_hash(stored_row);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t slot = hash & mask; slots_[slot].group != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].tag != tag) continue;
    Group& group = groups_[slots_[slot].group - 1];
    if (!has_keys_of_stored(group, stored_row)) continue;
    next_group_ = slots_[slot].group;
    return &group;
  }
  return nullptr;
}

}  // namespace idem
