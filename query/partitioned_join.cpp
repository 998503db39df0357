#include "query/partitioned_join.h"

#include <array>

namespace idem {

namespace {

// Slices leave out what is known only when all of them have been met: left rows without a match.
JoinType type_of_slices(JoinType type) {
  switch (type) {
    case JoinType::kLeft: return JoinType::kInner;
    case JoinType::kFull: return JoinType::kRight;
    case JoinType::kAnti: return JoinType::kSemi;
    default: return type;
  }
}

}  // namespace

PartitionedJoin::PartitionedJoin(const LogicalPlan& plan, std::unique_ptr<SpillPartitions> left,
                                 std::unique_ptr<SpillPartitions> right, uint32_t level,
                                 const ExecutionContext& context)
    : plan_(plan), left_(std::move(left)), right_(std::move(right)), level_(level), limit_(context) {
  const bool wants_left = HashJoinOperator::wants_left_alone(plan.join_type);
  const bool wants_right = HashJoinOperator::keeps_right(plan.join_type);
  for (uint32_t p = 0; p < SpillPartitions::kCount; ++p) {
    const bool has_left = left_->rows(p) > 0, has_right = right_->rows(p) > 0;
    if ((has_left && (has_right || wants_left)) || (has_right && wants_right)) pairs_.push_back(p);
  }
}

PartitionedJoin::~PartitionedJoin() = default;

uint64_t PartitionedJoin::memory_for(uint64_t right_rows) const {
  return right_rows * (right_->row_bytes() + kJoinTableBytesPerRow);
}

// The results of one pair of partitions after the other, by one thread.
class PartitionedJoin::Stream final : public MorselStream {
 public:
  Stream(const PartitionedJoin& join, EvaluationState& state)
      : join_(join), context_(*state.context), state_(state) {
    context_.workers = nullptr;  // the pairs are divided among threads
    state_.context = &context_;
  }

  void begin(size_t morsel) override {
    partition_ = join_.pairs_[morsel];
    stream_.reset();
    pairs_.reset();
    tail_.reset();
    met_.clear();
    slices_.clear();
    const uint64_t rows = join_.right_->rows(partition_);
    const bool fits = join_.memory_for(rows) <= join_.limit_.part_bytes();
    const bool divisible =
        join_.level_ + 1 < SpillPartitions::kMostLevels && rows <= join_.right_->rows() / 4 * 3;
    in_slices_ = !fits && !divisible;
    if (in_slices_) {
      cut_slices();
    } else {
      slices_ = {join_.right_->blocks(partition_)};
      spill_ = !divisible ? JoinSpill::kNever : fits ? JoinSpill::kIfNeeded : JoinSpill::kAtOnce;
    }
    slice_ = 0;
  }

  bool next(DataChunk* chunk) override {
    for (;;) {
      if (context_.cancel) context_.cancel->check();
      if (stream_) {
        if (stream_->next(chunk)) {
          if (!in_slices_ || note_met(chunk)) return true;
          continue;
        }
        if (++morsel_ < pairs_->morsel_count()) {
          stream_->begin(morsel_);
          continue;
        }
        stream_.reset();
        find_unmatched();
      }
      if (unmatched_at_ < unmatched_.size()) {
        unmatched_at_ += pairs_->read_unmatched(unmatched_, unmatched_at_, chunk);
        return true;
      }
      unmatched_.clear();
      if (slice_ < slices_.size()) {
        start_slice();
      } else if (!in_slices_ || !next_unmet(chunk)) {
        pairs_.reset();
        return false;
      } else {
        return true;
      }
    }
  }

 private:
  // Right blocks that fit into memory together.
  void cut_slices() {
    uint64_t rows = 0;
    for (const SpillBlock& block : join_.right_->blocks(partition_)) {
      if (slices_.empty() || join_.memory_for(rows + block.rows) > join_.limit_.part_bytes()) {
        slices_.emplace_back();
        rows = 0;
      }
      slices_.back().push_back(block);
      rows += block.rows;
    }
    met_.assign(join_.left_->rows(partition_), false);
    spill_ = JoinSpill::kNever;
  }

  OperatorPtr left_rows() const {
    return std::make_unique<SpillScanOperator>(join_.left_->file(), join_.left_->blocks(partition_),
                                               in_slices_);
  }

  void start_slice() {
    auto right = std::make_unique<SpillScanOperator>(join_.right_->file(), std::move(slices_[slice_++]));
    pairs_.reset();  // gives its memory back first
    const JoinType type = join_.plan_.join_type;
    pairs_ = std::make_unique<HashJoinOperator>(
        join_.plan_, left_rows(), std::move(right),
        JoinSpill{spill_, join_.level_ + 1, in_slices_ ? type_of_slices(type) : type});
    pairs_->start(state_);
    morsel_ = 0;
    if (pairs_->morsel_count() == 0) return find_unmatched();
    stream_ = pairs_->open(state_);
    stream_->begin(0);
  }

  // Right rows of the slice at hand that no left row has met; one that was divided again gives them itself.
  void find_unmatched() {
    unmatched_at_ = 0;
    if (HashJoinOperator::keeps_right(join_.plan_.join_type) && !pairs_->is_partitioned())
      pairs_->unmatched_right(&unmatched_);
  }

  // Notes the left rows of a slice's results, whose numbers are the last column. False if none of them is a result of the
  // join.
  bool note_met(DataChunk* chunk) {
    const JoinType type = join_.plan_.join_type;
    const Vector numbers = std::move(chunk->columns.back());
    chunk->columns.pop_back();
    auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
    uint32_t count = 0;
    for (uint32_t i = 0; i < chunk->count(); ++i) {
      const uint32_t row = chunk->selection[i];
      const int64_t number = numbers.form == Vector::Form::kSequence
                                 ? numbers.sequence_start + row * numbers.sequence_step
                                 : numbers.values<int64_t>()[row];
      if (type == JoinType::kSemi && met_[static_cast<size_t>(number)]) continue;
      met_[static_cast<size_t>(number)] = true;
      (*rows)[count++] = static_cast<uint16_t>(row);
    }
    if (type == JoinType::kAnti || count == 0) return false;
    chunk->selection = {rows->data(), count};
    chunk->selection_storage = std::move(rows);
    return true;
  }

  // After all slices: left rows that have met none.
  bool next_unmet(DataChunk* chunk) {
    if (!HashJoinOperator::wants_left_alone(join_.plan_.join_type)) return false;
    if (!tail_) {
      tail_scan_ = left_rows();
      tail_ = tail_scan_->open(state_);
      tail_morsel_ = 0;
      if (tail_scan_->morsel_count() > 0) tail_->begin(0);
    }
    while (tail_morsel_ < tail_scan_->morsel_count()) {
      if (!tail_->next(chunk)) {
        if (++tail_morsel_ < tail_scan_->morsel_count()) tail_->begin(tail_morsel_);
        continue;
      }
      const int64_t first = chunk->columns.back().sequence_start;
      chunk->columns.pop_back();
      auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
      uint32_t count = 0;
      for (uint32_t row = 0; row < chunk->size; ++row) {
        (*rows)[count] = static_cast<uint16_t>(row);
        count += met_[static_cast<size_t>(first) + row] ? 0 : 1;
      }
      if (count == 0) continue;
      if (join_.plan_.join_type != JoinType::kAnti) {
        for (const PlanColumn& column : join_.plan_.children[1]->columns)
          chunk->columns.push_back(Vector::constant_null(column.type));
      }
      chunk->selection = {rows->data(), count};
      chunk->selection_storage = std::move(rows);
      return true;
    }
    return false;
  }

  const PartitionedJoin& join_;
  ExecutionContext context_;
  EvaluationState state_;
  uint32_t partition_ = 0;
  bool in_slices_ = false;
  JoinSpill::When spill_ = JoinSpill::kNever;
  std::vector<std::vector<SpillBlock>> slices_;  // of the right rows
  size_t slice_ = 0;
  std::unique_ptr<HashJoinOperator> pairs_;
  std::unique_ptr<MorselStream> stream_;
  size_t morsel_ = 0;
  std::vector<uint32_t> unmatched_;  // right rows of the slice
  size_t unmatched_at_ = 0;
  std::vector<bool> met_;  // left rows of the partition
  OperatorPtr tail_scan_;
  std::unique_ptr<MorselStream> tail_;
  size_t tail_morsel_ = 0;
};

std::unique_ptr<MorselStream> PartitionedJoin::open(EvaluationState& state) const {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
