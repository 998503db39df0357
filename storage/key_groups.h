#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/batch_order.h"
#include "storage/row_compare.h"
#include "storage/stored_rows.h"

namespace idem {

// The upsert keys, but for the designated timestamp, of the rows of a batch, compared with each other and with those of stored
// rows. Refers to the batch and to `stored`, which may be null: then nothing may be asked about stored rows. One thread.
class UpsertKeys {
 public:
  UpsertKeys(const TableSchema& schema, const ColumnBatch& batch, StoredRows* stored);

  bool equal(uint32_t row_a, uint32_t row_b) const;
  uint64_t hash(uint32_t row) const;
  // `stored_row`: of the current block.
  bool equals_stored(uint32_t row, uint32_t stored_row) const;
  // The same of `count` rows of the batch's order from `place` on and as many stored ones, one by one.
  bool equal_stored(const OrderedBatch& batch, uint32_t place, uint32_t stored_row, uint32_t count) const;
  uint64_t stored_hash(uint32_t stored_row) const;
  // What a SYMBOL that is the only key has codes of; null for other keys.
  const SymbolDictionary* symbols() const { return keys_.size() == 1 ? keys_[0].view.symbols : nullptr; }
  // Of that key; 0: NULL.
  uint32_t code_of(uint32_t row) const { return code_of(keys_[0].view, row); }
  uint32_t stored_code(uint32_t stored_row) const {
    return code_of(stored_->column(keys_[0].column), stored_row);
  }
  // The stored rows with the keys of a row, where they are ordered by them; looked for from an ordinal on.
  struct Range {
    uint64_t begin = 0, end = 0;
  };
  Range stored_rows_of(uint32_t row, uint64_t from) const;

 private:
  struct Key {
    uint32_t column = 0;
    ColumnView view;
  };
  static uint32_t code_of(const ColumnView& view, uint32_t row) {
    return view.is_null(row) ? 0 : view.at<uint32_t>(row) + 1;
  }
  int compare_with_stored(uint32_t row, uint64_t ordinal) const;
  uint64_t lower_bound(uint32_t row, uint64_t from) const;

  std::vector<Key> keys_;
  StoredRows* const stored_;
};

// Rows of a batch that may have equal keys (a run: places of one time, or of equal keys), by their keys; and which of them have
// those of a stored row. Few rows are compared in pairs; of more, symbols are looked up by their codes and other keys hashed.
//
//   places   7 AAPL │ 8 MSFT │ 9 AAPL │ 10 TSLA      groups   0 AAPL: 7, 9 │ 1 MSFT: 8 │ 2 TSLA: 10
//
// Refers to keys and batch. One thread.
class KeyGroups {
 public:
  static constexpr uint32_t kNoPlace = UINT32_MAX;

  struct Group {
    uint32_t first_place = 0, last_place = 0;
    // Noted by whoever matches stored rows with the groups.
    bool matched = false;
    uint32_t matches = 0;      // stored rows with these keys, where they are counted first
    uint32_t first_match = 0;  // of them
  };

  KeyGroups(const UpsertKeys& keys, const OrderedBatch& batch) : keys_(keys), batch_(batch) {}

  // Makes the groups of places [begin, end), in order of first appearance.
  void collect(uint32_t begin, uint32_t end);
  // The same for places that are known to have no keys twice, without groups to be found.
  void expect_distinct(uint32_t begin, uint32_t end) { forget_groups(begin, end); }
  std::vector<Group>& groups() { return groups_; }
  // The next place of the same group; kNoPlace after its last.
  uint32_t next_place(uint32_t place) const { return next_place_[place - begin_]; }
  // The first place whose keys an earlier one has.
  std::optional<uint32_t> first_repeated() const { return first_repeated_; }
  // The group with the keys of a stored row, which is in the current block; null if there is none.
  Group* group_of_stored(uint32_t stored_row);

 private:
  enum class Lookup { kPairs, kCodes, kHashes };
  struct Slot {
    uint32_t group = 0;  // + 1; 0: free
    uint32_t tag = 0;    // of the hash, so that keys are compared only where they are likely the same
  };
  Lookup choose_lookup(uint32_t rows) const;
  void forget_groups(uint32_t begin, uint32_t end);
  Group* group_of(uint32_t row);
  template <class IsSame>
  Group* find_in_pairs(const IsSame& same);
  bool has_keys_of(const Group& group, uint32_t row) const {
    return keys_.equal(batch_.row(group.last_place), row);
  }
  bool has_keys_of_stored(const Group& group, uint32_t stored_row) const {
    return keys_.equals_stored(batch_.row(group.last_place), stored_row);
  }

  const UpsertKeys& keys_;
  const OrderedBatch& batch_;
  std::vector<Group> groups_;
  std::vector<uint32_t> next_place_;  // by place, from begin_ on
  std::vector<Slot> slots_;           // by hash of keys
  std::vector<uint32_t> by_code_;     // group + 1; 0: none
  uint32_t begin_ = 0;
  size_t next_group_ = 0;  // that the next stored row has the keys of, if both are in one order
  Lookup lookup_ = Lookup::kPairs;
  std::optional<uint32_t> first_repeated_;
};

}  // namespace idem
