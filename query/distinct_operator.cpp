#include "query/distinct_operator.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/column_expressions.h"
#include "query/group_table.h"
#include "query/key_bits.h"
#include "query/morsel_gather.h"
#include "query/range_reader.h"
#include "query/row_source.h"

namespace idem {

namespace {

// The rows of a chunk that made a new group, which got its number in their order.
uint32_t first_rows(const uint32_t* groups, Selection selection, uint32_t known, uint16_t* out) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    if (groups[i] != known) continue;
    out[count++] = static_cast<uint16_t>(selection[i]);
    ++known;
  }
  return count;
}

// The first rows of one range, in the order of their keys' groups.
struct FirstRows {
  std::unique_ptr<GroupTable> table;
  std::shared_ptr<RowStore> rows;

  void add(std::span<const Vector> keys, const DataChunk& input) {
    std::array<uint32_t, kVectorSize> groups;
    const uint32_t known = table->size();
    table->find_or_insert(keys.data(), input.selection, groups.data());
    if (table->size() == known) return;
    std::array<uint16_t, kVectorSize> fresh;
    rows->append(input.columns,
                 {fresh.data(), first_rows(groups.data(), input.selection, known, fresh.data())});
  }
};

}  // namespace

void DistinctOnOperator::start(EvaluationState& state) {
  input_->start(state);
  std::vector<SqlType> key_types;
  for (const BoundPtr& key : plan_.distinct_on) key_types.push_back(key->type);
  MemoryBudget* budget = state.context->memory;
  const MorselRanges ranges = one_range_per_worker(*input_, *state.context);
  std::vector<FirstRows> parts(std::max<size_t>(ranges.count, 1));
  for (FirstRows& part : parts) {
    part.table = std::make_unique<GroupTable>(key_types, budget);
    part.rows = RowStore::make(column_types(plan_), budget);
  }
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions key_expressions(plan_.distinct_on, reader.state());
    std::vector<Vector> keys;
    DataChunk chunk;
    while (reader.next(&chunk)) {
      key_expressions.evaluate(chunk, &keys);
      parts[range].add(keys, chunk);
    }
  });
  input_->reset();
  FirstRows& all = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    parts[i].rows->seal();
    parts[i].table->seal_keys();
    DataChunk rows;
    parts[i].table->for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
      parts[i].rows->read(first >> RowStore::kSegmentBits, first & (RowStore::kSegmentRows - 1), keys.count(),
                          &rows);
      all.add(keys.columns, rows);
    });
    parts[i] = FirstRows();
  }
  all.rows->seal();
  publish(all.rows);
}

class SortedDistinctOnOperator::Stream final : public MorselStream {
 public:
  Stream(SortedDistinctOnOperator& distinct, EvaluationState& state)
      : distinct_(distinct), state_(state), keys_(distinct.plan_.distinct_on, state) {}

  void begin(size_t) override {
    input_.emplace(*distinct_.input_, state_);
    is_first_ = true;
  }

  bool next(DataChunk* chunk) override {
    while (input_->next(chunk)) {
      auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
      const uint32_t count = select_first(*chunk, rows->data());
      if (count == 0) continue;
      chunk->selection = {rows->data(), count};
      chunk->selection_storage = std::move(rows);
      return true;
    }
    input_.reset();
    return false;
  }

 private:
  // The rows whose keys are not those of the row before.
  uint32_t select_first(const DataChunk& chunk, uint16_t* out) {
    keys_.evaluate(chunk, &key_values_);
    uint32_t count = 0;
    for (uint32_t i = 0; i < chunk.count(); ++i) {
      key_.clear();
      for (const Vector& value : key_values_) append_key_bytes(key_, value, chunk.selection[i]);
      if (!is_first_ && key_ == last_key_) continue;
      is_first_ = false;
      key_.swap(last_key_);
      out[count++] = static_cast<uint16_t>(chunk.selection[i]);
    }
    keys_.release(key_values_.data());
    return count;
  }

  SortedDistinctOnOperator& distinct_;
  EvaluationState& state_;
  ColumnExpressions keys_;
  std::optional<MorselGather> input_;
  std::vector<Vector> key_values_;
  std::vector<char> key_, last_key_;
  bool is_first_ = true;
};

std::unique_ptr<MorselStream> SortedDistinctOnOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

class SetOperator::Stream final : public MorselStream {
 public:
  Stream(SetOperator& set, EvaluationState& state) : plan_(set.plan_), input_(set.counts_->open(state)) {}

  void begin(size_t morsel) override {
    input_->begin(morsel);
    at_ = rows_ = 0;
  }

  bool next(DataChunk* chunk) override {
    uint32_t count = 0;
    while (count == 0) {
      if (at_ == rows_ && !read_counts()) return false;
      count = repeat_rows();
    }
    chunk->columns.resize(plan_.columns.size());
    for (size_t c = 0; c < chunk->columns.size(); ++c)
      chunk->columns[c] = compact(counted_.columns[c], {repeated_.data(), count});
    chunk->set_size(count);
    return true;
  }

 private:
  bool read_counts() {
    if (!input_->next(&counted_)) return false;
    const size_t width = plan_.columns.size();
    left_ = flatten(counted_.columns[width], counted_.size, counted_.selection, false);
    both_ = flatten(counted_.columns[width + 1], counted_.size, counted_.selection, false);
    rows_ = counted_.count();
    at_ = 0;
    copies_ = copies_of(0);
    return true;
  }

  // Fills `repeated_` with the places of the next rows of the result.
  uint32_t repeat_rows() {
    uint32_t count = 0;
    while (at_ < rows_ && count < kVectorSize) {
      for (; copies_ > 0 && count < kVectorSize; --copies_)
        repeated_[count++] = static_cast<uint16_t>(counted_.selection[at_]);
      if (copies_ <= 0 && ++at_ < rows_) copies_ = copies_of(at_);
    }
    return count;
  }

  int64_t copies_of(uint32_t i) const {
    const uint32_t row = counted_.selection[i];
    const int64_t in_left = left_.values<int64_t>()[row], in_right = both_.values<int64_t>()[row] - in_left;
    if (plan_.set_all) return plan_.set_except ? in_left - in_right : std::min(in_left, in_right);
    return in_left > 0 && (in_right > 0) != plan_.set_except ? 1 : 0;
  }

  const LogicalPlan& plan_;
  std::unique_ptr<MorselStream> input_;
  DataChunk counted_;
  Vector left_, both_;                          // counts of the rows of `counted_`
  uint32_t at_ = 0, rows_ = 0;                  // the row at hand, of how many
  int64_t copies_ = 0;                          // that are left of it
  std::array<uint16_t, kVectorSize> repeated_;  // of `counted_`: what goes out next
};

std::unique_ptr<MorselStream> SetOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
