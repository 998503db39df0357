#include "storage/chunk_cache.h"

#include <list>
#include <map>
#include <mutex>
#include <tuple>

#include "common/hash.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

uint64_t hash_key(const BlockKey& key) {
  const uint64_t place = uint64_t{key.row_group} << 32 | key.block;
  return hash_combine(hash_u64(static_cast<uint64_t>(key.segment)),
                      hash_u64(place ^ uint64_t{key.column} << 20));
}

// Blocks of a segment follow each other, so that they are found without looking at all.
struct BySegment {
  bool operator()(const BlockKey& a, const BlockKey& b) const {
    return std::tie(a.segment, a.row_group, a.column, a.block) <
           std::tie(b.segment, b.row_group, b.column, b.block);
  }
};

}  // namespace

// Blocks in the order of insertion; the oldest is at the front and goes next, unless it was used since it was
// last looked at: then it goes to the back.
struct ChunkCache::Shard {
  struct Entry {
    BlockKey key;
    std::shared_ptr<const EncodedBlock> block;
    uint64_t bytes = 0;
  };
  std::mutex latch;
  std::list<Entry> entries;
  std::map<BlockKey, std::list<Entry>::iterator, BySegment> index;

  // Takes out the next entry to go; false if there is none.
  bool evict_one(Entry* evicted) {
    while (!entries.empty()) {
      if (entries.front().block->take_used()) {
        entries.splice(entries.end(), entries, entries.begin());
        continue;
      }
      *evicted = std::move(entries.front());
      index.erase(evicted->key);
      entries.pop_front();
      return true;
    }
    return false;
  }
};

ChunkCache::ChunkCache(uint64_t capacity_bytes, MemoryBudget* budget)
    : shards_(new Shard[kShards]), budget_(budget), capacity_(capacity_bytes) {}

ChunkCache::~ChunkCache() {
  if (budget_) budget_->release(used_bytes());
}

ChunkCache::Shard& ChunkCache::shard_of(const BlockKey& key) const { return shards_[hash_key(key) >> 60]; }

std::shared_ptr<const EncodedBlock> ChunkCache::find(const BlockKey& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.latch);
  const auto found = shard.index.find(key);
  if (found == shard.index.end()) {
    misses_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  hits_.fetch_add(1, std::memory_order_relaxed);
  found->second->block->mark_used();
  return found->second->block;
}

bool ChunkCache::make_room(uint64_t bytes, size_t first_shard) {
  if (bytes > capacity()) return false;
  for (size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[(first_shard + i) % kShards];
    for (;;) {
      // Counted before it is there, so that threads which insert at once stay within the capacity together.
      if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= capacity()) {
        if (!budget_ || budget_->try_reserve(bytes)) return true;
      }
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      Shard::Entry evicted;
      {
        const std::lock_guard lock(shard.latch);
        if (!shard.evict_one(&evicted)) break;
      }
      release(evicted.bytes);
    }
  }
  return false;
}

void ChunkCache::release(uint64_t bytes) {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  if (budget_) budget_->release(bytes);
}

std::shared_ptr<const EncodedBlock> ChunkCache::insert(const BlockKey& key,
                                                       std::shared_ptr<const EncodedBlock> block) {
  Shard& shard = shard_of(key);
  const uint64_t bytes = block->memory_bytes();
  if (!make_room(bytes, static_cast<size_t>(&shard - shards_.get()))) return block;
  std::shared_ptr<const EncodedBlock> first;
  {
    const std::lock_guard lock(shard.latch);
    const auto [place, is_new] = shard.index.try_emplace(key);
    if (is_new) {
      shard.entries.push_back({key, block, bytes});
      place->second = std::prev(shard.entries.end());
      return block;
    }
    first = place->second->block;
  }
  release(bytes);
  return first;
}

void ChunkCache::erase(SegmentId segment) {
  for (size_t i = 0; i < kShards; ++i) {
    std::list<Shard::Entry> erased;
    Shard& shard = shards_[i];
    {
      const std::lock_guard lock(shard.latch);
      auto known = shard.index.lower_bound(BlockKey{segment});
      while (known != shard.index.end() && known->first.segment == segment) {
        erased.splice(erased.end(), shard.entries, known->second);
        known = shard.index.erase(known);
      }
    }
    for (const Shard::Entry& entry : erased) release(entry.bytes);
  }
}

}  // namespace idem
