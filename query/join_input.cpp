#include "query/join_input.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "query/column_expressions.h"
#include "query/hash_join.h"
#include "query/key_bits.h"
#include "query/range_reader.h"
#include "query/row_source.h"

namespace idem {

namespace {

// Writes rows of which some columns are the keys.
class KeyedWriter {
 public:
  KeyedWriter(const std::vector<size_t>& key_columns, SpillPartitions& partitions, size_t number)
      : key_columns_(key_columns), writer_(partitions, number), keys_(key_columns.size()) {}
  void append(const DataChunk& chunk) {
    for (size_t k = 0; k < keys_.size(); ++k) keys_[k] = chunk.columns[key_columns_[k]];
    hasher_.hash(keys_.data(), keys_.size(), chunk.selection, hashes_.data());
    writer_.append(chunk.columns, chunk.selection, hashes_.data());
    for (Vector& key : keys_) key = Vector();  // the reader may use its memory again
  }
  void finish() { writer_.finish(); }

 private:
  const std::vector<size_t>& key_columns_;
  SpillPartitions::Writer writer_;
  KeyHasher hasher_;
  std::vector<Vector> keys_;
  std::array<uint64_t, kVectorSize> hashes_;
};

// Reads the right rows, by several threads: into memory, or from the moment on when there is too little of it, into
// partitions.
class RightReader {
 public:
  RightReader(const LogicalPlan& plan, Operator& right, JoinSpill spill, EvaluationState& state)
      : context_(*state.context), spill_(spill), limit_(context_), types_(column_types(*plan.children[1])) {
    right_columns_ = types_.size();
    for (const auto& [left_key, right_key] : plan.join_keys) {
      key_columns_.push_back(right_key->is_column() ? right_key->index : types_.size());
      if (right_key->is_column()) continue;
      types_.push_back(right_key->type);
      computed_.push_back(right_key.get());
    }
    const MorselRanges ranges = one_range_per_worker(right, context_);
    parts_.resize(std::max<size_t>(ranges.count, 1));
    for (auto& part : parts_) {
      part = RowStore::make(types_, context_.memory);
      tables_.emplace_back(context_.memory);
    }
    if (spill_.when == JoinSpill::kAtOnce) begin_partitions();
    read_ranges(right, state, ranges,
                [this](size_t range, RangeReader& reader) { read_range(range, reader); });
    if (!partitions_) return;
    for (size_t range = 0; range < parts_.size(); ++range) {
      if (parts_[range]->rows() == 0) continue;
      // Of a thread that had read all of its rows before another one met the limit.
      KeyedWriter writer(key_columns_, *partitions_, range);
      put_out(range, writer);
      writer.finish();
    }
  }

  RightRows take() {
    if (partitions_) return {nullptr, std::move(key_columns_), std::move(partitions_)};
    for (size_t i = 1; i < parts_.size(); ++i) parts_[0]->take(std::move(*parts_[i]));
    parts_[0]->seal();
    return {std::move(parts_[0]), std::move(key_columns_), nullptr};
  }

 private:
  void begin_partitions() {
    const std::lock_guard lock(mutex_);
    if (partitions_) return;
    std::vector<SqlType> types(types_.begin(), types_.begin() + static_cast<ptrdiff_t>(right_columns_));
    partitions_ = std::make_unique<SpillPartitions>(context_, std::move(types), parts_.size(), spill_.level);
    partitioned_.store(true, std::memory_order_release);
  }

  // Writes what a range has in memory.
  void put_out(size_t range, KeyedWriter& writer) {
    RowStore& part = *parts_[range];
    part.seal();
    DataChunk chunk;
    for (size_t s = 0; s < part.segment_count(); ++s) {
      for (uint32_t first = 0; first < part.segment_rows(s); first += kVectorSize) {
        part.read(s, first, std::min(kVectorSize, part.segment_rows(s) - first), &chunk);
        writer.append(chunk);
      }
    }
    chunk = DataChunk();
    parts_[range] = RowStore::make(types_, context_.memory);
  }

  void read_range(size_t range, RangeReader& reader) {
    ColumnExpressions keys(computed_, reader.state());
    OperatorMemory& table = tables_[range];
    std::optional<KeyedWriter> writer;
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(types_.size());
      keys.evaluate(chunk, chunk.columns.data() + right_columns_);
      if (!writer && !partitioned_.load(std::memory_order_acquire)) {
        RowStore& part = *parts_[range];
        part.append(chunk);
        table.set(part.rows() * kJoinTableBytesPerRow);
        if (is_full(part.memory_bytes() + table.bytes(), part.next_growth())) begin_partitions();
      } else {
        if (!writer) {
          table = OperatorMemory(context_.memory);
          writer.emplace(key_columns_, *partitions_, range);
          put_out(range, *writer);
        }
        writer->append(chunk);
      }
      chunk.columns.resize(right_columns_);
    }
    if (writer) writer->finish();
  }

  bool is_full(uint64_t bytes, uint64_t more) const {
    if (spill_.when == JoinSpill::kNever) return false;
    return spill_.level == 0 ? limit_.reached(bytes, more) : limit_.reached_again(bytes, more);
  }

  const ExecutionContext& context_;
  const JoinSpill spill_;
  const SpillLimit limit_;
  std::vector<SqlType> types_;  // right columns, then computed keys
  size_t right_columns_ = 0;
  std::vector<size_t> key_columns_;
  std::vector<const BoundExpression*> computed_;
  std::vector<std::shared_ptr<RowStore>> parts_;  // by range
  std::vector<OperatorMemory> tables_;            // what the table of right rows will need, by range
  std::mutex mutex_;
  std::atomic<bool> partitioned_{false};
  std::unique_ptr<SpillPartitions> partitions_;
};

}  // namespace

RightRows read_right_rows(const LogicalPlan& plan, Operator& right, JoinSpill spill, EvaluationState& state) {
  return RightReader(plan, right, spill, state).take();
}

std::unique_ptr<SpillPartitions> partition_left_rows(const LogicalPlan& plan, Operator& left,
                                                     const SpillPartitions& right, uint32_t level,
                                                     EvaluationState& state) {
  const MorselRanges ranges = one_range_per_worker(left, *state.context);
  auto partitions = std::make_unique<SpillPartitions>(*state.context, column_types(*plan.children[0]),
                                                      std::max<size_t>(ranges.count, 1), level);
  // Without right rows a partition has results only where left rows alone are some.
  std::array<bool, SpillPartitions::kCount> wanted;
  for (uint32_t p = 0; p < wanted.size(); ++p)
    wanted[p] = HashJoinOperator::wants_left_alone(plan.join_type) || right.rows(p) > 0;
  std::vector<const BoundExpression*> expressions;
  for (const auto& [left_key, right_key] : plan.join_keys) expressions.push_back(left_key.get());
  read_ranges(left, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions keys(expressions, reader.state());
    SpillPartitions::Writer writer(*partitions, range);
    KeyHasher hasher;
    std::vector<Vector> values;
    std::array<uint64_t, kVectorSize> hashes;
    std::array<uint16_t, kVectorSize> rows;
    DataChunk chunk;
    while (reader.next(&chunk)) {
      keys.evaluate(chunk, &values);
      hasher.hash(values.data(), values.size(), chunk.selection, hashes.data());
      keys.release(values.data());
      uint32_t count = 0;
      for (uint32_t i = 0; i < chunk.count(); ++i) {
        if (!wanted[SpillPartitions::partition_of(hashes[i], level)]) continue;
        hashes[count] = hashes[i];
        rows[count++] = static_cast<uint16_t>(chunk.selection[i]);
      }
      writer.append(chunk.columns, count == chunk.count() ? chunk.selection : Selection{rows.data(), count},
                    hashes.data());
    }
    writer.finish();
  });
  return partitions;
}

}  // namespace idem
