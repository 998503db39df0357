#include "query/asof_join.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.h"
#include "query/column_expressions.h"
#include "query/parallel_pieces.h"

namespace idem {

namespace {

constexpr size_t kLeastSpacing = 131'072;

}  // namespace

AsofJoinOperator::AsofJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right)
    : plan_(plan),
      left_(std::move(left)),
      right_(std::move(right)),
      left_columns_(plan.children[0]->columns.size()),
      right_columns_(plan.children[1]->columns.size()) {
  if (plan.join_condition) {
    throw sql_error(sqlstate::kFeatureNotSupported, "ASOF and LT JOIN take only equal keys as conditions");
  }
}

AsofJoinOperator::~AsofJoinOperator() = default;

void AsofJoinOperator::start(EvaluationState& state) {
  reset();
  left_->start(state);
  right_->start(state);
  right_rows_ = read_timed_rows(plan_, *right_, state);
  right_->reset();
  if (right_rows_.keys) make_checkpoints(state);
}

void AsofJoinOperator::make_checkpoints(EvaluationState& state) {
  const std::vector<uint32_t>& key_of = right_rows_.key_of;
  const size_t keys = right_rows_.keys->size();
  spacing_ = std::max(kLeastSpacing, keys * 16);
  const size_t count = std::max<size_t>(1, (key_of.size() + spacing_ - 1) / spacing_);
  right_rows_.memory.set(right_rows_.memory.bytes() + count * keys * sizeof(uint32_t));
  checkpoints_.assign(count, std::vector<uint32_t>(keys, kNone));
  // First what the rows since the checkpoint before say, then what is known from earlier ones.
  for_pieces(*state.context, count - 1, key_of.size(), [&](size_t piece) {
    std::vector<uint32_t>& last = checkpoints_[piece + 1];
    for (size_t i = piece * spacing_; i < (piece + 1) * spacing_; ++i)
      last[key_of[i]] = static_cast<uint32_t>(i);
  });
  for (size_t c = 1; c < count; ++c) {
    for (size_t key = 0; key < keys; ++key) {
      if (checkpoints_[c][key] == kNone) checkpoints_[c][key] = checkpoints_[c - 1][key];
    }
  }
}

void AsofJoinOperator::reset() {
  right_rows_ = TimedRows();
  checkpoints_.clear();
}

void AsofJoinOperator::describe(OperatorDetails& details) const {
  details.memory_bytes = right_rows_.memory_bytes();
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
    if (join_.right_rows_.keys) probe_.emplace(*join_.right_rows_.keys);
  }

  bool next(DataChunk* chunk) override {
    if (!left_->next(&input_)) return false;
    const uint32_t count = input_.count();
    const Vector time =
        flatten(input_.columns[join_.plan_.left_timestamp], input_.size, input_.selection, false);
    const int64_t* times = time.values<int64_t>();
    if (join_.right_rows_.keys) {
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
      const uint32_t match = last_before(times[row], join_.right_rows_.keys ? groups_[i] : 0);
      if (match == kNone) continue;
      // Times may be so far apart that their difference is no int64.
      if (static_cast<uint64_t>(times[row]) - static_cast<uint64_t>(join_.right_rows_.times[match]) <=
          static_cast<uint64_t>(tolerance)) {
        ids_[i] = join_.right_rows_.ids[match];
      }
    }
    chunk->columns.resize(join_.left_columns_ + join_.right_columns_);
    std::copy(input_.columns.begin(), input_.columns.end(), chunk->columns.begin());
    for (size_t c = 0; c < join_.right_columns_; ++c) {
      join_.right_rows_.rows->scatter(c, ids_.data(), rows->data(), count,
                                      &chunk->columns[join_.left_columns_ + c]);
    }
    chunk->size = input_.size;
    chunk->selection = input_.selection;
    chunk->selection_storage = input_.selection_storage;
    return true;
  }

 private:
  // Right rows before the returned place may match a left row of this time.
  size_t end_for(int64_t time) const {
    const auto& times = join_.right_rows_.times;
    const bool strictly = join_.plan_.join_type == JoinType::kLt;
    const auto end = strictly ? std::lower_bound(times.begin(), times.end(), time)
                              : std::upper_bound(times.begin(), times.end(), time);
    return static_cast<size_t>(end - times.begin());
  }

  void position(int64_t time) {
    positioned_ = true;
    at_ = end_for(time);
    if (!join_.right_rows_.keys) return;
    const size_t checkpoint = std::min(at_ / join_.spacing_, join_.checkpoints_.size() - 1);
    last_ = join_.checkpoints_[checkpoint];
    for (size_t i = checkpoint * join_.spacing_; i < at_; ++i)
      last_[join_.right_rows_.key_of[i]] = static_cast<uint32_t>(i);
  }

  uint32_t last_before(int64_t time, uint32_t key) {
    const auto& times = join_.right_rows_.times;
    if (!positioned_ || time < time_) position(time);
    time_ = time;
    const bool strictly = join_.plan_.join_type == JoinType::kLt;
    while (at_ < times.size() && (strictly ? times[at_] < time : times[at_] <= time)) {
      if (join_.right_rows_.keys) last_[join_.right_rows_.key_of[at_]] = static_cast<uint32_t>(at_);
      ++at_;
    }
    if (!join_.right_rows_.keys) return at_ == 0 ? kNone : static_cast<uint32_t>(at_ - 1);
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
