#include "storage/symbol_dictionary.h"

#include <array>
#include <bit>
#include <cassert>
#include <mutex>
#include <vector>

#include "common/error.h"
#include "common/hash.h"
#include "common/string_arena.h"

namespace idem {

namespace {

// Chunk k holds 1,024 << k strings, so that chunks never move and 22 of them reach every code.
constexpr uint32_t kFirstChunk = 1024;
constexpr size_t kChunks = 22;
constexpr int32_t kEmptySlot = -1;

struct Place {
  uint32_t chunk, offset;
};
Place place_of(uint32_t code) {
  const uint32_t shifted = code + kFirstChunk;
  const auto chunk = static_cast<uint32_t>(std::bit_width(shifted / kFirstChunk)) - 1;
  return {chunk, shifted - (kFirstChunk << chunk)};
}

}  // namespace

struct SymbolDictionary::State {
  struct Slot {
    uint32_t hash_high = 0;
    int32_t code = kEmptySlot;
  };

  std::array<std::atomic<std::string_view*>, kChunks> chunks{};
  std::array<std::unique_ptr<std::string_view[]>, kChunks> chunk_owners;
  mutable std::shared_mutex mutex;  // guards what follows
  StringArena arena;
  std::vector<Slot> slots = std::vector<Slot>(64);
  uint32_t count = 0;

  std::string_view at(int32_t code) const {
    const Place place = place_of(static_cast<uint32_t>(code));
    return chunks[place.chunk].load(std::memory_order_acquire)[place.offset];
  }
  // The slot that holds `text`, or the empty one where it belongs.
  size_t slot_of(std::string_view text, uint64_t hash) const {
    const size_t mask = slots.size() - 1;
    const auto high = static_cast<uint32_t>(hash >> 32);
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots[i];
      if (slot.code == kEmptySlot || (slot.hash_high == high && at(slot.code) == text)) return i;
    }
  }
  void grow() {
    std::vector<Slot> old(slots.size() * 2);
    old.swap(slots);
    const size_t mask = slots.size() - 1;
    for (const Slot& slot : old) {
      if (slot.code == kEmptySlot) continue;
      size_t i = hash_bytes(at(slot.code)) & mask;
      while (slots[i].code != kEmptySlot) i = (i + 1) & mask;
      slots[i] = slot;
    }
  }
};

SymbolDictionary::SymbolDictionary() : state_(std::make_unique<State>()) {}
SymbolDictionary::~SymbolDictionary() = default;

std::string_view SymbolDictionary::at(int32_t code) const {
  assert(code >= 0 && static_cast<uint32_t>(code) < size());
  return state_->at(code);
}

std::optional<int32_t> SymbolDictionary::find(std::string_view text) const {
  const uint64_t hash = hash_bytes(text);
  std::shared_lock lock(state_->mutex);
  const int32_t code = state_->slots[state_->slot_of(text, hash)].code;
  if (code == kEmptySlot) return std::nullopt;
  return code;
}

int32_t SymbolDictionary::intern(std::string_view text) {
  if (const auto known = find(text)) return *known;
  const uint64_t hash = hash_bytes(text);
  std::unique_lock lock(state_->mutex);
  State& s = *state_;
  size_t slot = s.slot_of(text, hash);
  if (s.slots[slot].code != kEmptySlot) return s.slots[slot].code;
  if (s.count == INT32_MAX) throw sql_error(sqlstate::kProgramLimitExceeded, "a SYMBOL column is full");
  if ((s.count + 1) * uint64_t{2} > s.slots.size()) {
    s.grow();
    slot = s.slot_of(text, hash);
  }
  const Place place = place_of(s.count);
  if (!s.chunk_owners[place.chunk]) {
    s.chunk_owners[place.chunk] = std::make_unique<std::string_view[]>(size_t{kFirstChunk} << place.chunk);
    s.chunks[place.chunk].store(s.chunk_owners[place.chunk].get(), std::memory_order_release);
  }
  s.chunk_owners[place.chunk][place.offset] = s.arena.copy(text);
  const auto code = static_cast<int32_t>(s.count++);
  s.slots[slot] = {static_cast<uint32_t>(hash >> 32), code};
  size_.store(s.count, std::memory_order_release);
  return code;
}

size_t SymbolDictionary::memory_bytes() const {
  std::shared_lock lock(state_->mutex);
  size_t bytes = sizeof(State) + state_->arena.bytes() + state_->slots.size() * sizeof(State::Slot);
  for (size_t k = 0; k < kChunks; ++k) {
    if (state_->chunk_owners[k]) bytes += (size_t{kFirstChunk} << k) * sizeof(std::string_view);
  }
  return bytes;
}

}  // namespace idem
