#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "query/operator.h"
#include "query/row_store.h"
#include "query/spill_file.h"
#include "query/spill_limit.h"

namespace idem {

// Rows divided among the partitions of a temporary file by the hash of their keys, so that all rows of a key are in one.
//
//   writer 0 (range 0 of the input) ─▶ buffer ─▶ blocks of partition 0, 1, … 63
//   writer 1 (range 1)              ─▶ buffer ─▶ blocks of partition 0, 1, … 63
//
// A partition that is still too large is divided again by the next bits of the hash (`level`). Within a partition rows
// come in the order of the input: writer by writer, each in the order of its calls.
class SpillPartitions {
 public:
  static constexpr uint32_t kBits = 6, kCount = 1u << kBits;
  static constexpr uint32_t kMostLevels = 4;

  SpillPartitions(const ExecutionContext& context, std::vector<SqlType> types, size_t writers,
                  uint32_t level);

  static uint32_t partition_of(uint64_t hash, uint32_t level) {
    return static_cast<uint32_t>(hash >> (64 - kBits * (level + 1))) & (kCount - 1);
  }

  // What one thread writes. Rows are in the file after finish().
  class Writer {
   public:
    // One writer of a number at a time.
    Writer(SpillPartitions& partitions, size_t number);
    // hashes[i] belongs to the i-th selected row.
    void append(std::span<const Vector> columns, Selection selection, const uint64_t* hashes);
    void finish() { flush(); }

   private:
    void flush();
    SpillPartitions& partitions_;
    const size_t number_;
    std::shared_ptr<RowStore> buffer_;
    std::vector<uint8_t> partition_of_row_;
    SpillFile::Scratch scratch_;
  };

  const std::shared_ptr<SpillFile>& file() const { return file_; }
  size_t writers() const { return writers_.size(); }
  // After the writers have finished.
  const std::vector<SpillBlock>& blocks(uint32_t partition, size_t writer) const {
    return writers_[writer].blocks[partition];
  }
  std::vector<SpillBlock> blocks(uint32_t partition) const;
  uint64_t rows(uint32_t partition) const;
  uint64_t rows() const;
  // In memory, on average.
  uint64_t row_bytes() const;

 private:
  struct Written {
    std::array<std::vector<SpillBlock>, kCount> blocks;
    std::array<uint64_t, kCount> rows{};
    uint64_t memory_bytes = 0;  // of all rows
  };
  const SpillLimit limit_;
  const uint32_t level_;
  std::shared_ptr<SpillFile> file_;
  std::vector<Written> writers_;
};

// Reads blocks of a temporary file. With `numbered` a last BIGINT column has the number of the row, from 0.
class SpillScanOperator final : public Operator {
 public:
  SpillScanOperator(std::shared_ptr<const SpillFile> file, std::vector<SpillBlock> blocks,
                    bool numbered = false);
  void start(EvaluationState&) override {}
  size_t morsel_count() const override { return (blocks_.size() + kMorselBlocks - 1) / kMorselBlocks; }
  uint64_t row_estimate() const override { return rows_; }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;

 private:
  static constexpr size_t kMorselBlocks = 16;
  class Stream;
  const std::shared_ptr<const SpillFile> file_;
  const std::vector<SpillBlock> blocks_;
  std::vector<uint64_t> first_row_;  // of each block; empty: rows are not numbered
  uint64_t rows_ = 0;
};

}  // namespace idem
