#include "query/distinct_operator.h"

#include <algorithm>
#include <array>
#include <mutex>
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
  // The rows of a later range; these are left empty.
  void merge(FirstRows&& later) {
    later.rows->seal();
    later.table->seal_keys();
    DataChunk chunk;
    later.table->for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
      later.rows->read(first >> RowStore::kSegmentBits, first & (RowStore::kSegmentRows - 1), keys.count(),
                       &chunk);
      add(keys.columns, chunk);
    });
    later = FirstRows();
  }
};

// Of sorted rows the first of those with equal keys.
class FirstOfEqual {
 public:
  // The next row is the first one.
  void restart() { is_first_ = true; }
  uint32_t select(std::span<const Vector> keys, Selection selection, uint16_t* out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection.count; ++i) {
      key_.clear();
      for (const Vector& value : keys) append_key_bytes(key_, value, selection[i]);
      if (!is_first_ && key_ == last_key_) continue;
      is_first_ = false;
      key_.swap(last_key_);
      out[count++] = static_cast<uint16_t>(selection[i]);
    }
    return count;
  }

 private:
  std::vector<char> key_, last_key_;
  bool is_first_ = true;
};

// Narrows a chunk to those rows; false if it has none.
bool keep_first_of_equal(FirstOfEqual& first, std::span<const Vector> keys, DataChunk* chunk) {
  auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
  const uint32_t count = first.select(keys, chunk->selection, rows->data());
  chunk->selection = {rows->data(), count};
  chunk->selection_storage = std::move(rows);
  return count > 0;
}

std::vector<SortKey> keys_of(const std::vector<BoundPtr>& expressions) {
  std::vector<SortKey> keys;
  for (const BoundPtr& expression : expressions) keys.push_back({expression->clone(), false, false});
  return keys;
}

std::vector<Vector> key_vectors(const SortInput& sort, const DataChunk& rows) {
  std::vector<Vector> keys;
  for (const SortColumn& column : sort.columns()) keys.push_back(rows.columns[column.column]);
  return keys;
}

}  // namespace

DistinctOnOperator::DistinctOnOperator(const LogicalPlan& plan, OperatorPtr input)
    : keys_(keys_of(plan.distinct_on)), sort_(keys_, column_types(plan)), input_(std::move(input)) {}

void DistinctOnOperator::start(EvaluationState& state) {
  restart();
  input_->start(state);
  const ExecutionContext& context = *state.context;
  const SpillLimit limit(context);
  std::vector<SqlType> key_types;
  for (const SortColumn& column : sort_.columns()) key_types.push_back(sort_.row_types()[column.column]);
  const auto empty = [&] {
    FirstRows rows{std::make_unique<GroupTable>(key_types, context.memory, context.cancel),
                   RowStore::make(sort_.row_types(), context.memory)};
    rows.table->expect_time_order();
    return rows;
  };
  const MorselRanges ranges = one_range_per_worker(*input_, context);
  std::vector<FirstRows> parts;
  for (size_t i = 0; i < std::max<size_t>(ranges.count, 1); ++i) parts.push_back(empty());
  std::mutex mutex;
  const auto put_out = [&](size_t range) {
    {
      const std::lock_guard lock(mutex);
      if (!runs_) {
        runs_ = std::make_shared<SortedRuns>(sort_.row_types(), sort_.columns(), sort_.columns().size(),
                                             parts.size(), context);
      }
    }
    parts[range].table.reset();
    runs_->add(range, *parts[range].rows, context);
    parts[range] = empty();
  };
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions computed(sort_.computed(), reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(sort_.row_types().size());
      computed.evaluate(chunk, chunk.columns.data() + sort_.input_columns());
      FirstRows& part = parts[range];
      part.add(key_vectors(sort_, chunk), chunk);
      chunk.columns.resize(sort_.input_columns());
      const uint64_t held = part.rows->memory_bytes() + part.table->memory_bytes();
      if (limit.reached(held, part.table->next_growth() + part.rows->next_growth())) put_out(range);
    }
  });
  input_->reset();
  if (runs_) {
    for (size_t range = 0; range < parts.size(); ++range) put_out(range);
    runs_->finish(context);
    return;
  }
  for (size_t i = 1; i < parts.size(); ++i) parts[0].merge(std::move(parts[i]));
  parts[0].rows->seal();
  publish(std::move(parts[0].rows), nullptr, sort_.input_columns());
}

// The first rows of equal ones of the runs.
class DistinctOnOperator::RunsStream final : public MorselStream {
 public:
  RunsStream(const DistinctOnOperator& distinct, const ExecutionContext& context)
      : sort_(distinct.sort_), rows_(distinct.runs_->open(context, sort_.row_types().size())) {}

  void begin(size_t morsel) override {
    rows_->begin(morsel);
    first_.restart();
  }

  bool next(DataChunk* chunk) override {
    while (rows_->next(chunk)) {
      if (!keep_first_of_equal(first_, key_vectors(sort_, *chunk), chunk)) continue;
      chunk->columns.resize(sort_.input_columns());
      return true;
    }
    return false;
  }

 private:
  const SortInput& sort_;
  const std::unique_ptr<MorselStream> rows_;
  FirstOfEqual first_;
};

std::unique_ptr<MorselStream> DistinctOnOperator::open_runs(const ExecutionContext& context) const {
  return std::make_unique<RunsStream>(*this, context);
}

class SortedDistinctOnOperator::Stream final : public MorselStream {
 public:
  Stream(SortedDistinctOnOperator& distinct, EvaluationState& state)
      : distinct_(distinct), state_(state), keys_(distinct.plan_.distinct_on, state) {}

  void begin(size_t) override {
    input_.emplace(*distinct_.input_, state_);
    first_.restart();
  }

  bool next(DataChunk* chunk) override {
    while (input_->next(chunk)) {
      keys_.evaluate(*chunk, &key_values_);
      const bool any = keep_first_of_equal(first_, key_values_, chunk);
      keys_.release(key_values_.data());
      if (any) return true;
    }
    input_.reset();
    return false;
  }

 private:
  SortedDistinctOnOperator& distinct_;
  EvaluationState& state_;
  ColumnExpressions keys_;
  std::optional<MorselGather> input_;
  std::vector<Vector> key_values_;
  FirstOfEqual first_;
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
