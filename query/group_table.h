#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "common/cancellation.h"
#include "query/key_encoder.h"
#include "query/row_store.h"
#include "query/symbol_space.h"

namespace idem {

// Numbers the distinct combinations of key columns: 0, 1, 2 … in order of first appearance. NULL equals NULL,
// numbers are compared by value (1.0 = 1.00, -0 = 0, NaN = NaN), symbols and strings by their characters.
//
// Three forms, chosen by the key types:
//
//   kSymbol   one SYMBOL: an array indexed by code
//   kPacked   fixed-size keys of at most 128 bits, bits for NULLs included
//   kBytes    everything else: keys as bytes (key_encoder.h)
//
// The latter two look for a key in slots, whose place is the upper bits of its hash; linear probing. Keys stand apart, by group:
//
//   slots   │ hash, group │ empty │ hash, group │ …        keys   │ of group 0 │ of group 1 │ …
//
// So slots are small, and those of equal leading bits stand together: growing them writes from the first to the last, and several
// tables meet part by part (group_union.h).
//
// Rows of a table come by its time. Then a packed table that expects it stays as small as the groups of one time: where it would grow, it
// forgets those of earlier ones, which no row can belong to any more. Should a row come that is earlier after all, every group gets its slot.
//
//   groups   0 … 59,999   times before 10:15 │ 60,000 … 60,211   10:15 so far │ next
//   slots                 none               │ one each
//
// The first row of each group is kept as its keys. One thread inserts; afterwards any thread may look up with
// a Probe of its own and, after seal_keys(), read keys().
class GroupTable {
 private:
  struct Packed {
    uint64_t low, high;
    bool operator==(const Packed&) const = default;
  };
  // What one thread needs for looking up a chunk of keys.
  struct Scratch {
    explicit Scratch(std::span<const SqlType> types) : spaces(types.size()), encoder(types) {}
    const uint32_t* hashes(bool is_packed) const {
      return is_packed ? packed_hashes.data() : encoder.hashes();
    }
    std::vector<SymbolSpace> spaces;  // of SYMBOL keys; one for each key
    std::vector<int32_t> numbers;
    std::vector<Packed> packed;
    std::vector<uint32_t> packed_hashes;
    std::vector<uint8_t> missing;  // a symbol that no row of the table has
    KeyEncoder encoder;
  };

 public:
  static constexpr uint32_t kNoGroup = UINT32_MAX;

  // `cancel` (may be null) is looked at while a large table grows, which takes as long as many vectors do.
  GroupTable(std::vector<SqlType> key_types, MemoryBudget* budget, const CancelToken* cancel = nullptr);
  ~GroupTable();

  // Keys that are a time are likely to ascend. For tables in which nobody but find_or_insert() must know all groups: a Probe may
  // miss those of earlier times.
  void expect_time_order();

  // groups[i] = the group of the i-th selected row, a new one where it has none.
  void find_or_insert(const Vector* keys, Selection selection, uint32_t* groups);

  // One thread's look-ups in a table that does not change any more.
  class Probe {
   public:
    explicit Probe(const GroupTable& table) : table_(table), scratch_(table.types_) {
      scratch_.spaces = table.own_.spaces;
    }
    // kNoGroup where there is none. With `null_matches` false (joins), also where a key is NULL.
    void find(const Vector* keys, Selection selection, bool null_matches, uint32_t* groups);

   private:
    const GroupTable& table_;
    Scratch scratch_;
  };

  uint32_t size() const { return static_cast<uint32_t>(keys_->rows()); }
  // Whether a Probe finds all groups; false may become true again.
  bool has_all_groups() const { return first_known_ == 0; }
  const std::shared_ptr<RowStore>& keys() const { return keys_; }  // row id g holds the keys of group g
  void seal_keys() { keys_->seal(); }
  uint64_t memory_bytes() const { return keys_->memory_bytes() + memory_.bytes(); }
  // What find_or_insert() of one vector, with short keys, may take at once.
  uint64_t next_growth() const;
  // Calls fn(chunk of keys, number of its first group) for all groups.
  template <class F>
  void for_each_key_chunk(F&& fn) const {
    DataChunk chunk;
    for (size_t s = 0; s < keys_->segment_count(); ++s) {
      for (uint32_t first = 0; first < keys_->segment_rows(s); first += kVectorSize) {
        const uint32_t count = std::min(kVectorSize, keys_->segment_rows(s) - first);
        keys_->read(s, first, count, &chunk);
        fn(chunk, static_cast<uint32_t>(s << RowStore::kSegmentBits) + first);
      }
    }
  }

  // For bringing groups of several tables of one key type together; nobody inserts meanwhile. Whether keys of both are the same bits
  // when they are equal, and every group has a slot.
  bool is_comparable(const GroupTable& other) const;
  bool equal(uint32_t group, const GroupTable& other, uint32_t other_group) const;
  // Inline, as g++ takes a function that only fetches ahead for one without effect.
  [[gnu::always_inline]] void prefetch_key(uint32_t group) const {
    if (is_packed()) {
      __builtin_prefetch(&packed_[group - first_known_]);
    } else {
      __builtin_prefetch(&encoded_[group]);
    }
  }
  // Calls fn(hash, group) for the groups whose hash has the upper `bits` bits `part`, by ascending hash in the main. 1 to 8 bits.
  template <class F>
  void for_each_in_part(uint32_t part, uint32_t bits, F&& fn) const {
    const size_t mask = slots_.size() - 1, length = slots_.size() >> bits;
    const size_t end = (part + size_t{1}) * length;
    for (size_t i = part * length; i < end || slots_[i & mask].number != 0; ++i) {
      const Slot slot = slots_[i & mask];
      if (slot.number != 0 && slot.hash >> (32 - bits) == part) fn(slot.hash, slot.number - 1);
    }
  }

 private:
  enum class Form : uint8_t { kNone, kSymbol, kPacked, kBytes };
  struct Slot {
    uint32_t hash;    // its upper half
    uint32_t number;  // group + 1; 0: empty
  };

  bool is_packed() const { return form_ == Form::kPacked; }
  void pack(const Vector* keys, Selection selection, bool add, Scratch& scratch) const;
  void insert_symbols(const Vector* keys, Selection selection, uint32_t* groups);
  void insert_packed(const Vector* keys, Selection selection, uint32_t* groups);
  void insert_bytes(const Vector* keys, Selection selection, uint32_t* groups);
  template <class IsKey, class Add>
  void insert_hashed(uint32_t count, uint32_t* groups, IsKey&& is_key, Add&& add);
  void find(const Vector* keys, Selection selection, Scratch& scratch, uint32_t* groups) const;
  template <class IsKey>
  void find_hashed(const uint32_t* hashes, uint32_t count, uint32_t* groups, IsKey&& is_key) const;
  template <class IsKey>
  const Slot& slot_of(uint32_t hash, IsKey&& is_key) const;
  [[gnu::always_inline]] void prefetch(const uint32_t* hashes, uint32_t count) const;
  void check_cancel() const {
    if (cancel_) cancel_->check();
  }
  void reset_slots(size_t count);
  void grow();
  void put(uint32_t hash, uint32_t group);
  uint64_t time_in(const Packed& key) const;
  void check_time_order(uint32_t count);
  void forget_before(uint64_t time);
  void index_all();
  void add_keys(const Vector* keys, Selection selection);
  uint32_t new_group(uint32_t row);

  std::vector<SqlType> types_;
  Form form_ = Form::kNone;
  Scratch own_;
  std::vector<uint32_t> by_symbol_;  // kSymbol: number + 1 → group
  std::vector<Slot> slots_;
  uint32_t shift_ = 0;  // of a hash, for its first slot
  size_t used_slots_ = 0;
  std::vector<Packed> packed_;  // kPacked: keys of groups first_known_ …
  uint32_t first_known_ = 0;    // those before have no slot
  bool ascends_ = false;        // so far, and it matters
  uint32_t time_bit_ = 0;       // where the time begins in a packed key
  int64_t last_time_ = INT64_MIN;
  std::vector<ByteKey> encoded_;    // kBytes: of each group
  StringArena encoded_characters_;  // unless the key is one text: that is in keys_
  std::shared_ptr<RowStore> keys_;
  OperatorMemory memory_;
  const CancelToken* cancel_;
  std::vector<uint16_t> new_rows_;  // of the chunk at hand, as places in the selection
};

}  // namespace idem
