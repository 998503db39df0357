#include "storage/chunk_cache.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "storage/encoded_block.h"

namespace idem {
namespace {

std::shared_ptr<const EncodedBlock> make_block(size_t size) {
  BlockBuilder builder;
  builder.begin("");
  builder.add(std::string(size, 'x'));
  std::string bytes;
  const BlockLocation location = builder.finish(&bytes);
  auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return EncodedBlock::parse(std::move(copy), location);
}

BlockKey key(uint32_t row_group, uint64_t segment = 1) { return {SegmentId{segment}, row_group, 0, 0}; }

TEST(ChunkCache, KeepsBlocksUpToItsCapacity) {
  ChunkCache cache(100'000);
  for (uint32_t i = 0; i < 50; ++i) cache.insert(key(i), make_block(10'000));
  EXPECT_LE(cache.used_bytes(), 100'000u);
  EXPECT_GT(cache.used_bytes(), 80'000u);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < 50; ++i) kept += cache.find(key(i)) != nullptr;
  EXPECT_EQ(kept, 9u);
  EXPECT_EQ(cache.hits(), 9u);
  EXPECT_EQ(cache.misses(), 41u);
}

TEST(ChunkCache, TheFirstInsertWins) {
  ChunkCache cache(100'000);
  const auto first = make_block(10);
  EXPECT_EQ(cache.insert(key(1), first), first);
  const uint64_t used = cache.used_bytes();
  EXPECT_EQ(cache.insert(key(1), make_block(10)), first);
  EXPECT_EQ(cache.used_bytes(), used);
}

TEST(ChunkCache, ABlockTooLargeIsNotKept) {
  ChunkCache cache(100);
  const auto block = make_block(1000);
  EXPECT_EQ(cache.insert(key(1), block), block);
  EXPECT_EQ(cache.find(key(1)), nullptr);
  EXPECT_EQ(cache.used_bytes(), 0u);
}

TEST(ChunkCache, EvictionLeavesReadersTheirBlock) {
  ChunkCache cache(15'000);
  const auto held = cache.insert(key(1), make_block(10'000));
  cache.insert(key(2), make_block(10'000));
  EXPECT_EQ(held->vector_size(0), 10'000u);
}

TEST(ChunkCache, EraseForgetsASegment) {
  ChunkCache cache(1 << 20);
  for (uint32_t i = 0; i < 10; ++i) {
    cache.insert(key(i, 1), make_block(100));
    cache.insert(key(i, 2), make_block(100));
  }
  const uint64_t before = cache.used_bytes();
  cache.erase(SegmentId{1});
  EXPECT_EQ(cache.used_bytes(), before / 2);
  EXPECT_EQ(cache.find(key(3, 1)), nullptr);
  EXPECT_NE(cache.find(key(3, 2)), nullptr);
}

TEST(ChunkCache, StaysWithinItsBudget) {
  MemoryBudget budget("server", 50'000);
  {
    ChunkCache cache(1 << 20, &budget);
    for (uint32_t i = 0; i < 20; ++i) cache.insert(key(i), make_block(10'000));
    EXPECT_LE(budget.used(), 50'000u);
    EXPECT_GT(budget.used(), 30'000u);
    EXPECT_EQ(budget.used(), cache.used_bytes());
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ChunkCache, ManyThreads) {
  ChunkCache cache(60'000);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (uint32_t i = 0; i < 2000; ++i) {
        const BlockKey k = key((i * 7 + t) % 40);
        auto block = cache.find(k);
        if (!block) block = cache.insert(k, make_block(3000));
        ASSERT_EQ(block->vector_size(0), 3000u);
        if (i % 500 == 0) cache.erase(SegmentId{1});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.used_bytes(), 60'000u);
  cache.erase(SegmentId{1});
  EXPECT_EQ(cache.used_bytes(), 0u);
}

}  // namespace
}  // namespace idem
