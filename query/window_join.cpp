#include "query/window_join.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/expression_evaluator.h"

namespace idem {

WindowJoinOperator::WindowJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right)
    : plan_(plan),
      spec_(plan),
      left_(std::move(left)),
      right_(std::move(right)),
      left_columns_(plan.children[0]->columns.size()),
      needed_(left_columns_ + plan.children[1]->columns.size()) {
  const auto need = [&](const BoundPtr& e) {
    if (e) for_each_column(*e, [&](uint32_t column) { needed_[column] = true; });
  };
  for (const BoundAggregate& aggregate : plan.aggregates) {
    for (const BoundPtr& argument : aggregate.arguments) need(argument);
    need(aggregate.filter);
    for (const BoundAggregate::Order& order : aggregate.order_by) need(order.expression);
  }
  reads_right_alone_ = !spec_.has_deferred &&
                       std::find(needed_.begin(), needed_.begin() + static_cast<ptrdiff_t>(left_columns_),
                                 true) == needed_.begin() + static_cast<ptrdiff_t>(left_columns_);
}

WindowJoinOperator::~WindowJoinOperator() = default;

void WindowJoinOperator::start(EvaluationState& state) {
  reset();
  left_->start(state);
  right_->start(state);
  right_rows_ = read_timed_rows(plan_, *right_, state);
  right_->reset();
  order_by_key();
  if (!reads_right_alone_) return;
  ranges_ = make_ranges(state);
  right_rows_.forget_values();
}

// Puts the rows of each key side by side, in their order.
void WindowJoinOperator::order_by_key() {
  const size_t rows = right_rows_.ids.size();
  const size_t keys = right_rows_.keys ? right_rows_.keys->size() : 1;
  key_begin_.assign(keys + 1, 0);
  if (!right_rows_.keys) {
    key_begin_[1] = static_cast<uint32_t>(rows);
    return;
  }
  right_rows_.memory.set(right_rows_.memory.bytes() + key_begin_.size() * sizeof(uint32_t) +
                         rows * (sizeof(int64_t) + sizeof(uint32_t)));
  for (const uint32_t key : right_rows_.key_of) ++key_begin_[key + size_t{1}];
  for (size_t key = 0; key < keys; ++key) key_begin_[key + 1] += key_begin_[key];
  std::vector<uint32_t> at(key_begin_.begin(), key_begin_.end() - 1);
  std::vector<int64_t> times(rows);
  std::vector<uint32_t> ids(rows);
  for (size_t i = 0; i < rows; ++i) {
    const uint32_t place = at[right_rows_.key_of[i]]++;
    times[place] = right_rows_.times[i];
    ids[place] = right_rows_.ids[i];
  }
  right_rows_.times = std::move(times);
  right_rows_.ids = std::move(ids);
  right_rows_.key_of = std::vector<uint32_t>();
}

std::shared_ptr<const WindowJoinOperator::Ranges> WindowJoinOperator::make_ranges(
    EvaluationState& state) const {
  auto ranges = std::make_shared<Ranges>();
  std::vector<ColumnExpressions> arguments;
  std::vector<std::optional<ExpressionEvaluator>> filters(plan_.aggregates.size());
  for (size_t a = 0; a < plan_.aggregates.size(); ++a) {
    const BoundAggregate& aggregate = plan_.aggregates[a];
    ranges->emplace_back(aggregate, state.context->memory);
    arguments.emplace_back(aggregate.arguments, state);
    if (aggregate.filter) filters[a].emplace(*aggregate.filter);
  }
  for (size_t first = 0; first < right_rows_.ids.size(); first += kVectorSize) {
    if (state.context->cancel) state.context->cancel->check();
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, right_rows_.ids.size() - first));
    DataChunk rows;
    rows.columns.resize(needed_.size());
    for (size_t c = left_columns_; c < needed_.size(); ++c) {
      if (needed_[c])
        right_rows_.rows->gather(c - left_columns_, right_rows_.ids.data() + first, count, false,
                                 &rows.columns[c]);
    }
    rows.set_size(count);
    for (size_t a = 0; a < ranges->size(); ++a) {
      std::optional<std::vector<uint16_t>> passing;
      if (filters[a]) {
        passing.emplace(count);
        passing->resize(filters[a]->select(state, rows, rows.selection, passing->data()));
      }
      std::vector<Vector> values(arguments[a].size());
      arguments[a].evaluate(rows, values.data());
      (*ranges)[a].append(std::move(values), count, std::move(passing));
    }
  }
  for (RangeAggregate& range : *ranges) range.build_levels();
  return ranges;
}

void WindowJoinOperator::reset() {
  right_rows_ = TimedRows();
  key_begin_.clear();
  ranges_.reset();
}

void WindowJoinOperator::describe(OperatorDetails& details) const {
  details.memory_bytes = right_rows_.memory_bytes();
  if (!ranges_) return;
  for (const RangeAggregate& range : *ranges_) details.memory_bytes += range.memory_bytes();
}

class WindowJoinOperator::Stream final : public MorselStream {
 public:
  Stream(const WindowJoinOperator& join, EvaluationState& state)
      : join_(join),
        state_(state),
        left_(join.left_->open(state)),
        keys_(left_keys(join.plan_), state),
        folder_(join.spec_, state) {}

  void begin(size_t morsel) override {
    left_->begin(morsel);
    if (join_.right_rows_.keys) probe_.emplace(*join_.right_rows_.keys);
    last_.assign(join_.key_begin_.begin(), join_.key_begin_.end() - 1);
  }

  bool next(DataChunk* chunk) override {
    if (!left_->next(&input_)) return false;
    const uint32_t count = input_.count();
    find_windows();
    auto groups = std::make_shared<AggregateGroups>(join_.spec_, 0, state_);
    groups->states.resize(count);
    if (join_.ranges_) {
      fold_ranges(*groups);
    } else {
      fold_pairs(*groups);
    }
    groups->finish(join_.spec_, *state_.context);
    read_groups(join_.spec_, 0, groups, 0, count, false, &results_);
    chunk->columns.clear();
    for (size_t c = 0; c < join_.left_columns_; ++c) {
      chunk->columns.push_back(input_.selection.is_all() ? input_.columns[c]
                                                         : compact(input_.columns[c], input_.selection));
    }
    for (Vector& result : results_.columns) chunk->columns.push_back(std::move(result));
    chunk->set_size(count);
    return true;
  }

 private:
  // Places [begin, end) among the right rows.
  struct Window {
    uint32_t begin = 0, end = 0;
  };

  // Those of the selected left rows.
  void find_windows() {
    const uint32_t count = input_.count();
    key_of_row_.assign(count, 0);
    if (probe_) {
      keys_.evaluate(input_, &key_values_);
      probe_->find(key_values_.data(), input_.selection, false, key_of_row_.data());
      keys_.release(key_values_.data());
    }
    const Vector time =
        flatten(input_.columns[join_.plan_.left_timestamp], input_.size, input_.selection, false);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = input_.selection[i];
      const bool is_met = time.is_valid(row) && key_of_row_[i] != GroupTable::kNoGroup;
      windows_[i] = is_met ? window_of(time.values<int64_t>()[row], key_of_row_[i]) : Window();
    }
  }

  Window window_of(int64_t time, uint32_t key) {
    const LogicalPlan::TimeWindow& window = join_.plan_.time_window;
    const uint32_t first = join_.key_begin_[key], last = join_.key_begin_[key + 1];
    const int64_t start = window.start_for(time), end = window.end_for(time);
    const auto is_before = [](int64_t right, int64_t bound) { return right < bound; };
    const auto is_not_after = [](int64_t right, int64_t bound) { return right <= bound; };
    uint32_t begin = move_to(start, first, last_[key], last, is_before);
    last_[key] = begin;
    const uint32_t behind = move_to(end, begin, begin, last, is_not_after);
    if (window.prevailing && begin != first) --begin;
    return {begin, behind};
  }

  // The first place in [first, last) whose time is not `below` the bound, looked for in growing steps from `hint` on, which
  // was the place for another bound.
  template <class Below>
  uint32_t move_to(int64_t bound, uint32_t first, uint32_t hint, uint32_t last, Below below) const {
    const int64_t* times = join_.right_rows_.times.data();
    if (hint > first && !below(times[hint - 1], bound)) return search(times, first, hint - 1, bound, below);
    uint32_t low = hint, step = 1;
    while (low + step <= last && below(times[low + step - 1], bound)) {
      low += step;
      step *= 2;
    }
    return search(times, low, std::min(low + step, last), bound, below);
  }

  template <class Below>
  static uint32_t search(const int64_t* times, uint32_t from, uint32_t to, int64_t bound, Below below) {
    return static_cast<uint32_t>(std::lower_bound(times + from, times + to, bound, below) - times);
  }

  void fold_ranges(AggregateGroups& groups) {
    AggregateArena& arena = groups.states.arena();
    for (size_t a = 0; a < join_.ranges_->size(); ++a) {
      const uint32_t offset = join_.spec_.layout.offset(a);
      for (uint32_t i = 0; i < input_.count(); ++i) {
        if (windows_[i].begin < windows_[i].end)
          (*join_.ranges_)[a].fold(windows_[i].begin, windows_[i].end, groups.states.at(i) + offset, arena);
      }
    }
    groups.sources = join_.ranges_;
    groups.states.count_memory();
    if (state_.context->cancel) state_.context->cancel->check();
  }

  void fold_pairs(AggregateGroups& groups) {
    for (uint32_t i = 0; i < input_.count(); ++i) {
      for (uint32_t place = windows_[i].begin; place < windows_[i].end; ++place) {
        numbers_[pairs_] = i;
        left_rows_[pairs_] = static_cast<uint16_t>(input_.selection[i]);
        right_ids_[pairs_] = join_.right_rows_.ids[place];
        if (++pairs_ == kVectorSize) fold_pair_chunk(groups);
      }
    }
    fold_pair_chunk(groups);
  }

  void fold_pair_chunk(AggregateGroups& groups) {
    if (pairs_ == 0) return;
    if (state_.context->cancel) state_.context->cancel->check();
    pair_.columns.resize(join_.needed_.size());
    for (size_t c = 0; c < join_.needed_.size(); ++c) {
      if (!join_.needed_[c]) continue;
      if (c < join_.left_columns_) {
        pair_.columns[c] = compact(input_.columns[c], {left_rows_.data(), pairs_});
      } else {
        join_.right_rows_.rows->gather(c - join_.left_columns_, right_ids_.data(), pairs_, false,
                                       &pair_.columns[c]);
      }
    }
    pair_.set_size(pairs_);
    folder_.take(pair_);
    folder_.fold_numbered(numbers_.data(), groups);
    folder_.release();
    pairs_ = 0;
  }

  const WindowJoinOperator& join_;
  EvaluationState& state_;
  std::unique_ptr<MorselStream> left_;
  ColumnExpressions keys_;
  AggregateFolder folder_;
  std::optional<GroupTable::Probe> probe_;
  std::vector<uint32_t> last_;  // by key: where the last window began
  DataChunk input_, pair_, results_;
  std::vector<Vector> key_values_;
  std::vector<uint32_t> key_of_row_;  // of the left chunk's selected rows
  std::array<Window, kVectorSize> windows_;
  std::array<uint32_t, kVectorSize> numbers_, right_ids_;
  std::array<uint16_t, kVectorSize> left_rows_;
  uint32_t pairs_ = 0;
};

std::unique_ptr<MorselStream> WindowJoinOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
