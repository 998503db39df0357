#include "query/asof_join.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.h"
#include "query/column_expressions.h"
#include "query/execution.h"
#include "query/range_reader.h"
#include "query/row_sorter.h"
#include "query/row_source.h"

namespace idem {

namespace {

constexpr size_t kLeastSpacing = 131'072;

}  // namespace

AsofJoinOperator::AsofJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right)
    : plan_(plan),
      left_(std::move(left)),
      right_(std::move(right)),
      left_columns_(plan.children[0]->columns.size()),
      right_columns_(plan.children[1]->columns.size()),
      memory_(nullptr) {
  if (plan.join_condition) {
    throw sql_error(sqlstate::kFeatureNotSupported, "ASOF and LT JOIN take only equal keys as conditions");
  }
}

AsofJoinOperator::~AsofJoinOperator() = default;

void AsofJoinOperator::start(EvaluationState& state) {
  reset();
  left_->start(state);
  right_->start(state);
  std::vector<SqlType> types = column_types(*plan_.children[1]);
  std::vector<const BoundExpression*> computed;
  std::vector<size_t> key_columns;
  for (const auto& [left, right] : plan_.join_keys) {
    key_columns.push_back(right->is_column() ? right->index : types.size());
    if (right->is_column()) continue;
    types.push_back(right->type);
    computed.push_back(right.get());
  }
  const MorselRanges ranges = one_range_per_worker(*right_, *state.context);
  std::vector<std::shared_ptr<RowStore>> parts(std::max<size_t>(ranges.count, 1));
  for (auto& part : parts) part = RowStore::make(types, state.context->memory);
  read_ranges(*right_, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions keys(computed, reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(types.size());
      keys.evaluate(chunk, chunk.columns.data() + right_columns_);
      parts[range]->append(chunk);
      chunk.columns.resize(right_columns_);
    }
  });
  right_->reset();
  for (size_t i = 1; i < parts.size(); ++i) parts[0]->take(std::move(*parts[i]));
  rows_ = parts[0];
  rows_->seal();
  memory_ = OperatorMemory(state.context->memory);
  memory_.set(rows_->rows() * (sizeof(int64_t) + 2 * sizeof(uint32_t)));
  rows_->all_ids(&ids_);
  if (!is_in_time_order())
    RowSorter(*rows_, {{plan_.right_timestamp, false, true}}).sort(&ids_, *state.context);
  size_t without_time = 0;
  while (without_time < ids_.size() && !rows_->is_valid(plan_.right_timestamp, ids_[without_time]))
    ++without_time;
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<ptrdiff_t>(without_time));
  times_.resize(ids_.size());
  for (size_t i = 0; i < ids_.size(); ++i) times_[i] = rows_->value<int64_t>(plan_.right_timestamp, ids_[i]);
  if (!key_columns.empty()) {
    number_keys(key_columns, state);
    make_checkpoints(state);
  }
}

bool AsofJoinOperator::is_in_time_order() const {
  if (rows_->has_nulls(plan_.right_timestamp)) return false;
  int64_t last = INT64_MIN;
  for (size_t s = 0; s < rows_->segment_count(); ++s) {
    const auto* times = reinterpret_cast<const int64_t*>(rows_->base(plan_.right_timestamp, s));
    for (uint32_t i = 0; i < rows_->segment_rows(s); ++i) {
      if (times[i] < last) return false;
      last = times[i];
    }
  }
  return true;
}

void AsofJoinOperator::number_keys(const std::vector<size_t>& key_columns, EvaluationState& state) {
  std::vector<SqlType> types;
  for (const auto& [left, right] : plan_.join_keys) types.push_back(right->type);
  keys_ = std::make_unique<GroupTable>(std::move(types), state.context->memory);
  const size_t slots = rows_->segment_count() << RowStore::kSegmentBits;
  std::vector<uint32_t> key_of_id(slots);
  std::vector<Vector> values(key_columns.size());
  for (size_t s = 0; s < rows_->segment_count(); ++s) {
    for (uint32_t first = 0; first < rows_->segment_rows(s); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows_->segment_rows(s) - first);
      for (size_t k = 0; k < values.size(); ++k) values[k] = rows_->view(key_columns[k], s, first);
      keys_->find_or_insert(values.data(), {nullptr, count},
                            key_of_id.data() + (s << RowStore::kSegmentBits) + first);
    }
  }
  key_of_.resize(ids_.size());
  for (size_t i = 0; i < ids_.size(); ++i) key_of_[i] = key_of_id[ids_[i]];
}

void AsofJoinOperator::make_checkpoints(EvaluationState& state) {
  const size_t keys = keys_->size();
  spacing_ = std::max(kLeastSpacing, keys * 16);
  std::vector<uint32_t> last(keys, kNone);
  for (size_t i = 0; i < key_of_.size(); ++i) {
    if (i % spacing_ == 0) {
      if (state.context->cancel) state.context->cancel->check();
      checkpoints_.push_back(last);
      memory_.set(memory_.bytes() + keys * sizeof(uint32_t));
    }
    last[key_of_[i]] = static_cast<uint32_t>(i);
  }
  if (checkpoints_.empty()) checkpoints_.push_back(last);
}

void AsofJoinOperator::reset() {
  rows_.reset();
  keys_.reset();
  times_.clear();
  ids_.clear();
  key_of_.clear();
  checkpoints_.clear();
  memory_.set(0);
}

void AsofJoinOperator::describe(OperatorDetails& details) const {
  if (rows_) details.memory_bytes = rows_->memory_bytes() + memory_.bytes();
}

class AsofJoinOperator::Stream final : public MorselStream {
 public:
  Stream(AsofJoinOperator& join, EvaluationState& state)
      : join_(join),
        left_(join.left_->open(state)),
        keys_(left_keys(join.plan_), state),
        groups_(kVectorSize) {}

  void begin(size_t morsel) override {
    left_->begin(morsel);
    positioned_ = false;
    if (join_.keys_) probe_.emplace(*join_.keys_);
  }

  bool next(DataChunk* chunk) override {
    if (!left_->next(&input_)) return false;
    const uint32_t count = input_.count();
    const Vector time =
        flatten(input_.columns[join_.plan_.left_timestamp], input_.size, input_.selection, false);
    const int64_t* times = time.values<int64_t>();
    if (join_.keys_) {
      keys_.evaluate(input_, &key_values_);
      probe_->find(key_values_.data(), input_.selection, false, groups_.data());
    }
    auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
    const int64_t tolerance = join_.plan_.tolerance_micros.value_or(INT64_MAX);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = input_.selection[i];
      (*rows)[i] = static_cast<uint16_t>(row);
      ids_[i] = RowStore::kNoRow;
      if (!time.is_valid(row)) continue;
      const uint32_t match = last_before(times[row], join_.keys_ ? groups_[i] : 0);
      if (match == kNone) continue;
      // Times may be so far apart that their difference is no int64.
      if (static_cast<uint64_t>(times[row]) - static_cast<uint64_t>(join_.times_[match]) <=
          static_cast<uint64_t>(tolerance)) {
        ids_[i] = join_.ids_[match];
      }
    }
    chunk->columns.resize(join_.left_columns_ + join_.right_columns_);
    std::copy(input_.columns.begin(), input_.columns.end(), chunk->columns.begin());
    for (size_t c = 0; c < join_.right_columns_; ++c) {
      join_.rows_->scatter(c, ids_.data(), rows->data(), count, &chunk->columns[join_.left_columns_ + c]);
    }
    chunk->size = input_.size;
    chunk->selection = input_.selection;
    chunk->selection_storage = input_.selection_storage;
    return true;
  }

 private:
  static std::vector<const BoundExpression*> left_keys(const LogicalPlan& plan) {
    std::vector<const BoundExpression*> keys;
    for (const auto& [left, right] : plan.join_keys) keys.push_back(left.get());
    return keys;
  }

  // Right rows before the returned place may match a left row of this time.
  size_t end_for(int64_t time) const {
    const auto& times = join_.times_;
    const bool strictly = join_.plan_.join_type == JoinType::kLt;
    const auto end = strictly ? std::lower_bound(times.begin(), times.end(), time)
                              : std::upper_bound(times.begin(), times.end(), time);
    return static_cast<size_t>(end - times.begin());
  }

  void position(int64_t time) {
    positioned_ = true;
    at_ = end_for(time);
    if (!join_.keys_) return;
    const size_t checkpoint = std::min(at_ / join_.spacing_, join_.checkpoints_.size() - 1);
    last_ = join_.checkpoints_[checkpoint];
    for (size_t i = checkpoint * join_.spacing_; i < at_; ++i)
      last_[join_.key_of_[i]] = static_cast<uint32_t>(i);
  }

  uint32_t last_before(int64_t time, uint32_t key) {
    const auto& times = join_.times_;
    if (!positioned_ || time < time_) position(time);
    time_ = time;
    const bool strictly = join_.plan_.join_type == JoinType::kLt;
    while (at_ < times.size() && (strictly ? times[at_] < time : times[at_] <= time)) {
      if (join_.keys_) last_[join_.key_of_[at_]] = static_cast<uint32_t>(at_);
      ++at_;
    }
    if (!join_.keys_) return at_ == 0 ? kNone : static_cast<uint32_t>(at_ - 1);
    return key == GroupTable::kNoGroup ? kNone : last_[key];
  }

  AsofJoinOperator& join_;
  std::unique_ptr<MorselStream> left_;
  ColumnExpressions keys_;
  std::optional<GroupTable::Probe> probe_;
  DataChunk input_;
  std::vector<Vector> key_values_;
  std::vector<uint32_t> groups_;
  std::array<uint32_t, kVectorSize> ids_;
  bool positioned_ = false;
  int64_t time_ = 0;            // of the last left row
  size_t at_ = 0;               // right rows before this have been seen
  std::vector<uint32_t> last_;  // by key: place in times_
};

std::unique_ptr<MorselStream> AsofJoinOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
