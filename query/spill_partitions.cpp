#include "query/spill_partitions.h"

#include <algorithm>
#include <numeric>

namespace idem {

constexpr size_t kWriteBytes = 256 << 10;  // blocks that are written together

SpillPartitions::SpillPartitions(const ExecutionContext& context, std::vector<SqlType> types, size_t writers,
                                 uint32_t level)
    : limit_(context),
      level_(level),
      file_(std::make_shared<SpillFile>(*temporary_folder(context), std::move(types))),
      writers_(writers) {}

std::vector<SpillBlock> SpillPartitions::blocks(uint32_t partition) const {
  std::vector<SpillBlock> all;
  for (const Written& written : writers_)
    all.insert(all.end(), written.blocks[partition].begin(), written.blocks[partition].end());
  return all;
}

uint64_t SpillPartitions::rows(uint32_t partition) const {
  uint64_t rows = 0;
  for (const Written& written : writers_) rows += written.rows[partition];
  return rows;
}

uint64_t SpillPartitions::rows() const {
  uint64_t rows = 0;
  for (const Written& written : writers_)
    rows += std::accumulate(written.rows.begin(), written.rows.end(), uint64_t{0});
  return rows;
}

uint64_t SpillPartitions::row_bytes() const {
  uint64_t bytes = 0;
  for (const Written& written : writers_) bytes += written.memory_bytes;
  return bytes / std::max<uint64_t>(rows(), 1);
}

SpillPartitions::Writer::Writer(SpillPartitions& partitions, size_t number)
    : partitions_(partitions),
      number_(number),
      buffer_(RowStore::make(partitions.file_->types(), partitions.limit_.budget())) {}

void SpillPartitions::Writer::append(std::span<const Vector> columns, Selection selection,
                                     const uint64_t* hashes) {
  if (selection.count == 0) return;
  buffer_->append(columns.first(buffer_->column_count()), selection);
  for (uint32_t i = 0; i < selection.count; ++i) {
    partition_of_row_.push_back(static_cast<uint8_t>(partition_of(hashes[i], partitions_.level_)));
  }
  if (buffer_->memory_bytes() >= partitions_.limit_.buffer_bytes()) flush();
}

void SpillPartitions::Writer::flush() {
  if (partition_of_row_.empty()) return;
  buffer_->seal();
  Written& written = partitions_.writers_[number_];
  written.memory_bytes += buffer_->memory_bytes();
  std::array<uint32_t, kCount + 1> begin{};
  for (const uint8_t partition : partition_of_row_) ++begin[partition + size_t{1}];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<uint32_t> ids(partition_of_row_.size());
  std::array<uint32_t, kCount> at;
  std::copy_n(begin.begin(), kCount, at.begin());
  for (uint32_t id = 0; id < ids.size(); ++id) ids[at[partition_of_row_[id]]++] = id;
  DataChunk chunk;
  std::array<size_t, kCount> placed;  // blocks of each partition that are in the file
  for (uint32_t partition = 0; partition < kCount; ++partition)
    placed[partition] = written.blocks[partition].size();
  const auto place = [&] {
    const uint64_t offset = partitions_.file_->place(scratch_);
    for (uint32_t partition = 0; partition < kCount; ++partition) {
      std::vector<SpillBlock>& blocks = written.blocks[partition];
      for (size_t& next = placed[partition]; next < blocks.size(); ++next) blocks[next].offset += offset;
    }
  };
  for (uint32_t partition = 0; partition < kCount; ++partition) {
    for (uint32_t first = begin[partition]; first < begin[partition + 1]; first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, begin[partition + 1] - first);
      buffer_->gather(ids.data() + first, count, &chunk);
      written.blocks[partition].push_back(
          partitions_.file_->encode(chunk.columns, chunk.selection, scratch_));
      written.rows[partition] += count;
      if (scratch_.stored.size() >= kWriteBytes) place();
    }
  }
  if (!scratch_.stored.empty()) place();
  chunk = DataChunk();  // lets go of the buffer
  partition_of_row_.clear();
  buffer_ = RowStore::make(partitions_.file_->types(), partitions_.limit_.budget());
}

SpillScanOperator::SpillScanOperator(std::shared_ptr<const SpillFile> file, std::vector<SpillBlock> blocks,
                                     bool numbered)
    : file_(std::move(file)), blocks_(std::move(blocks)) {
  for (const SpillBlock& block : blocks_) {
    if (numbered) first_row_.push_back(rows_);
    rows_ += block.rows;
  }
}

class SpillScanOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const SpillScanOperator& scan) : scan_(scan) {}

  void begin(size_t morsel) override {
    block_ = morsel * kMorselBlocks;
    end_ = std::min(block_ + kMorselBlocks, scan_.blocks_.size());
  }

  bool next(DataChunk* chunk) override {
    if (block_ >= end_) return false;
    scan_.file_->read(scan_.blocks_[block_], scratch_, chunk);
    if (!scan_.first_row_.empty()) {
      const auto first = static_cast<int64_t>(scan_.first_row_[block_]);
      chunk->columns.push_back(Vector::sequence(TypeId::kBigInt, first, 1));
    }
    ++block_;
    return true;
  }

 private:
  const SpillScanOperator& scan_;
  size_t block_ = 0, end_ = 0;
  SpillFile::Scratch scratch_;
};

std::unique_ptr<MorselStream> SpillScanOperator::open(EvaluationState&) {
  return std::make_unique<Stream>(*this);
}

}  // namespace idem
