#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/memory_budget.h"
#include "storage/segment_id.h"

namespace idem {

class EncodedBlock;

// Which block of which column chunk.
struct BlockKey {
  SegmentId segment{};
  uint32_t row_group = 0;
  uint32_t column = 0;  // index into the segment's columns
  uint32_t block = 0;
  bool operator==(const BlockKey&) const = default;
};

// Encoded blocks of column chunks, kept up to a number of bytes. One per database.
//
// A block is read from the file once and then shared: evicting it takes it out of the cache, never away from
// who holds it. Eviction is by second chance (a hit only sets a bit), in shards with a latch each, so that
// hits of different threads do not meet. A block that finds no room, because of the capacity or of `budget`,
// is used without being kept. Any thread may call.
class ChunkCache {
 public:
  explicit ChunkCache(uint64_t capacity_bytes, MemoryBudget* budget = nullptr);
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  // Null when it is not there.
  std::shared_ptr<const EncodedBlock> find(const BlockKey& key);
  // Keeps `block`, or returns the one that another thread was first to insert.
  std::shared_ptr<const EncodedBlock> insert(const BlockKey& key, std::shared_ptr<const EncodedBlock> block);
  // Forgets the blocks of a segment.
  void erase(SegmentId segment);

  // Evicts, where needed, at the next insert.
  void set_capacity(uint64_t bytes) { capacity_.store(bytes, std::memory_order_relaxed); }
  uint64_t capacity() const { return capacity_.load(std::memory_order_relaxed); }
  uint64_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct Shard;
  static constexpr size_t kShards = 16;

  Shard& shard_of(const BlockKey& key) const;
  // Takes `bytes`, evicting as needed, from this shard on; false if that is impossible.
  bool make_room(uint64_t bytes, size_t first_shard);
  void release(uint64_t bytes);

  std::unique_ptr<Shard[]> shards_;
  MemoryBudget* const budget_;
  std::atomic<uint64_t> capacity_;
  std::atomic<uint64_t> used_{0}, hits_{0}, misses_{0};
};

}  // namespace idem
