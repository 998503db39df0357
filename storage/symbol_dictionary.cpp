#include "storage/symbol_dictionary.h"

#include <array>
#include <bit>
#include <cassert>
#include <mutex>
#include <vector>

#include "common/error.h"
#include "common/hash.h"
#include "common/string_arena.h"
#include "common/text_words.h"

namespace idem {

namespace {

// Chunk k holds 16 << k strings, so that chunks never move, small dictionaries stay small, and 28 chunks reach every code.
constexpr uint32_t kFirstChunk = 16;
constexpr size_t kChunks = 28;
constexpr size_t kFirstSlots = 16;

struct Place {
  uint32_t chunk, offset;
};
Place place_of(uint32_t code) {
  const uint32_t shifted = code + kFirstChunk;
  const auto chunk = static_cast<uint32_t>(std::bit_width(shifted / kFirstChunk)) - 1;
  return {chunk, shifted - (kFirstChunk << chunk)};
}

// What is compared first: the characters themselves where they are at most 16, else their hash.
struct SymbolKey {
  uint64_t low = 0, high = 0, hash = 0;
  uint32_t size = 0;

  explicit SymbolKey(std::string_view text) : size(static_cast<uint32_t>(text.size())) {
    if (size > 16) {
      low = hash = hash_bytes(text);
      return;
    }
    const TextWords words(text);
    low = words.low;
    high = words.high;
    hash = hash_combine(hash_u64(low ^ size), high);
  }
};

}  // namespace

// Open addressing; whoever finds a slot empty in a table that was replaced meanwhile looks again under the mutex.
struct SymbolDictionary::State {
  // Filled once: the code plus 1 comes last, and the rest counts only when it is there.
  struct Slot {
    std::atomic<uint32_t> code{0};
    uint32_t size = 0;
    uint64_t low = 0, high = 0;
  };
  struct Table {
    explicit Table(size_t size) : mask(size - 1), slots(std::make_unique<Slot[]>(size)) {}
    const size_t mask;
    const std::unique_ptr<Slot[]> slots;
  };

  std::array<std::atomic<std::string_view*>, kChunks> chunks{};
  std::atomic<const Table*> table;
  mutable std::mutex mutex;  // guards what follows, and adding to the table
  std::array<std::unique_ptr<std::string_view[]>, kChunks> chunk_owners;
  std::vector<std::unique_ptr<const Table>> tables;  // the last is in use; earlier ones may still be read
  StringArena arena;
  uint32_t count = 0;

  State() { use(std::make_unique<const Table>(kFirstSlots)); }
  void use(std::unique_ptr<const Table> next) {
    table.store(next.get(), std::memory_order_release);
    tables.push_back(std::move(next));
  }
  std::string_view at(int32_t code) const {
    const Place place = place_of(static_cast<uint32_t>(code));
    return chunks[place.chunk].load(std::memory_order_acquire)[place.offset];
  }
  // The slot that holds `text`, or the empty one where it belongs, with the code plus 1 that was seen there: without the mutex
  // an empty slot may be filled with another text right after.
  struct Found {
    Slot* slot;
    uint32_t code;
  };
  Found find(const Table& in, std::string_view text, const SymbolKey& key) const {
    for (size_t i = key.hash & in.mask;; i = (i + 1) & in.mask) {
      Slot& slot = in.slots[i];
      const uint32_t code = slot.code.load(std::memory_order_acquire);
      if (code == 0) return {&slot, 0};
      const bool same = slot.size == key.size && slot.low == key.low && slot.high == key.high;
      if (same && (key.size <= 16 || at(static_cast<int32_t>(code - 1)) == text)) return {&slot, code};
    }
  }
  static void fill(Slot* slot, const SymbolKey& key, uint32_t code) {
    slot->size = key.size;
    slot->low = key.low;
    slot->high = key.high;
    slot->code.store(code + 1, std::memory_order_release);
  }
  void grow() {
    auto next = std::make_unique<const Table>((tables.back()->mask + 1) * 2);
    for (uint32_t code = 0; code < count; ++code) {
      const std::string_view text = at(static_cast<int32_t>(code));
      const SymbolKey key(text);
      fill(find(*next, text, key).slot, key, code);
    }
    use(std::move(next));
  }
};

SymbolDictionary::SymbolDictionary() : state_(std::make_unique<State>()) {}
SymbolDictionary::~SymbolDictionary() = default;

std::string_view SymbolDictionary::at(int32_t code) const {
  assert(code >= 0 && static_cast<uint32_t>(code) < size());
  return state_->at(code);
}

std::optional<int32_t> SymbolDictionary::find(std::string_view text) const {
  const State& s = *state_;
  const uint32_t code = s.find(*s.table.load(std::memory_order_acquire), text, SymbolKey(text)).code;
  if (code == 0) return std::nullopt;
  return static_cast<int32_t>(code - 1);
}

int32_t SymbolDictionary::intern(std::string_view text) {
  if (const auto known = find(text)) return *known;
  State& s = *state_;
  const SymbolKey key(text);
  std::lock_guard lock(s.mutex);
  auto [slot, added] = s.find(*s.tables.back(), text, key);
  if (added != 0) return static_cast<int32_t>(added - 1);
  if (s.count == INT32_MAX) throw sql_error(sqlstate::kProgramLimitExceeded, "a SYMBOL column is full");
  if ((s.count + 1) * uint64_t{3} > (s.tables.back()->mask + 1) * 2) {
    s.grow();
    slot = s.find(*s.tables.back(), text, key).slot;
  }
  const Place place = place_of(s.count);
  if (!s.chunk_owners[place.chunk]) {
    s.chunk_owners[place.chunk] = std::make_unique<std::string_view[]>(size_t{kFirstChunk} << place.chunk);
    s.chunks[place.chunk].store(s.chunk_owners[place.chunk].get(), std::memory_order_release);
  }
  s.chunk_owners[place.chunk][place.offset] = s.arena.copy(text);
  const uint32_t code = s.count++;
  // Whoever gets a code is to find it below size().
  size_.store(s.count, std::memory_order_release);
  State::fill(slot, key, code);
  return static_cast<int32_t>(code);
}

size_t SymbolDictionary::memory_bytes() const {
  std::lock_guard lock(state_->mutex);
  size_t bytes = sizeof(State) + state_->arena.bytes();
  for (const auto& table : state_->tables) bytes += (table->mask + 1) * sizeof(State::Slot);
  for (size_t k = 0; k < kChunks; ++k) {
    if (state_->chunk_owners[k]) bytes += (size_t{kFirstChunk} << k) * sizeof(std::string_view);
  }
  return bytes;
}

}  // namespace idem
