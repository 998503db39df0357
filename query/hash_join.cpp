#include "query/hash_join.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/column_expressions.h"
#include "query/execution.h"
#include "query/expression_evaluator.h"
#include "query/partitioned_join.h"
#include "query/range_reader.h"
#include "query/row_source.h"
#include "query/scan_condition.h"

namespace idem {

namespace {

// A value of a type with integer statistics.
int64_t integer_at(const Vector& column, uint32_t row) {
  switch (physical_size(physical_type(column.type))) {
    case 1: return column.values<int8_t>()[row];
    case 2: return column.values<int16_t>()[row];
    case 4: return column.values<int32_t>()[row];
    default: return column.values<int64_t>()[row];
  }
}

}  // namespace

HashJoinOperator::HashJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right,
                                   JoinSpill spill)
    : plan_(plan),
      left_(std::move(left)),
      right_(std::move(right)),
      spill_(spill),
      type_(spill.type.value_or(plan.join_type)),
      left_columns_(plan.children[0]->columns.size()),
      right_columns_(plan.children[1]->columns.size()),
      memory_(nullptr) {}

HashJoinOperator::~HashJoinOperator() = default;

void HashJoinOperator::build(EvaluationState& state) {
  MemoryBudget* budget = state.context->memory;
  std::vector<SqlType> key_types;
  for (const auto& [left, right] : plan_.join_keys) key_types.push_back(right->type);
  table_ = std::make_unique<GroupTable>(std::move(key_types), budget, state.context->cancel);
  const size_t slots = rows_->segment_count() << RowStore::kSegmentBits;
  OperatorMemory building(budget);
  building.set(slots * sizeof(uint32_t));
  std::vector<uint32_t> group_of(slots, GroupTable::kNoGroup);
  std::vector<Vector> keys(key_columns_.size());
  std::array<uint16_t, kVectorSize> with_keys;
  std::array<uint32_t, kVectorSize> groups;
  for (size_t s = 0; s < rows_->segment_count(); ++s) {
    if (state.context->cancel) state.context->cancel->check();
    for (uint32_t first = 0; first < rows_->segment_rows(s); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows_->segment_rows(s) - first);
      for (size_t k = 0; k < keys.size(); ++k) keys[k] = rows_->view(key_columns_[k], s, first);
      Selection selection{nullptr, count};
      if (std::any_of(keys.begin(), keys.end(), [](const Vector& key) { return key.may_have_nulls(); })) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; ++i) {
          with_keys[n] = static_cast<uint16_t>(i);
          n += std::all_of(keys.begin(), keys.end(), [&](const Vector& key) { return key.is_valid(i); }) ? 1
                                                                                                         : 0;
        }
        selection = {with_keys.data(), n};
      }
      table_->find_or_insert(keys.data(), selection, groups.data());
      uint32_t* const base = group_of.data() + (s << RowStore::kSegmentBits) + first;
      for (uint32_t i = 0; i < selection.count; ++i) base[selection[i]] = groups[i];
    }
  }
  group_begin_.assign(table_->size() + size_t{1}, 0);
  size_t keyed = 0;
  const auto for_each_keyed = [&](auto&& fn) {
    for (size_t first = 0; first < slots; first += RowStore::kSegmentRows) {
      if (state.context->cancel) state.context->cancel->check();
      for (size_t id = first; id < first + RowStore::kSegmentRows; ++id) {
        if (group_of[id] != GroupTable::kNoGroup) fn(group_of[id], static_cast<uint32_t>(id));
      }
    }
  };
  for_each_keyed([&](uint32_t group, uint32_t) {
    ++group_begin_[group + 1];
    ++keyed;
  });
  keys_unique_ = keyed == table_->size() && !plan_.join_keys.empty();
  for (size_t g = 1; g < group_begin_.size(); ++g) group_begin_[g] += group_begin_[g - 1];
  right_rows_.resize(keyed);
  std::vector<uint32_t> at(group_begin_.begin(), group_begin_.end());
  for_each_keyed([&](uint32_t group, uint32_t id) { right_rows_[at[group]++] = id; });
  if (keeps_right()) met_ = std::make_unique<std::atomic<uint8_t>[]>(slots);
  memory_ = OperatorMemory(budget);
  memory_.set((group_begin_.size() + right_rows_.size()) * sizeof(uint32_t) + (met_ ? slots : 0));
}

void HashJoinOperator::start(EvaluationState& state) {
  ++starts_;
  reset();
  right_->start(state);
  RightRows right = read_right_rows(plan_, *right_, spill_, state);
  right_->reset();
  if (right.partitions) {
    left_->start(state);
    auto left = partition_left_rows(plan_, *left_, *right.partitions, spill_.level, state);
    left_->reset();
    partitions_ = std::make_unique<PartitionedJoin>(plan_, std::move(left), std::move(right.partitions),
                                                    spill_.level, *state.context);
    return;
  }
  rows_ = std::move(right.rows);
  key_columns_ = std::move(right.key_columns);
  build(state);
  if (right_rows_.empty() && needs_match()) return;
  if (!filters_.empty()) set_filters();
  left_->start(state);
}

// The range of a key of the right rows.
std::optional<ScanBound> HashJoinOperator::key_bound(size_t key) const {
  const SqlType type = plan_.join_keys[key].second->type;
  if (!has_integer_statistics(type.id)) return std::nullopt;
  ScanBound bound;
  bound.not_null_only = true;
  int64_t min = INT64_MAX, max = INT64_MIN;
  for (size_t s = 0; s < rows_->segment_count(); ++s) {
    for (uint32_t first = 0; first < rows_->segment_rows(s); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows_->segment_rows(s) - first);
      const Vector column = rows_->view(key_columns_[key], s, first);
      for (uint32_t i = 0; i < count; ++i) {
        if (!column.is_valid(i)) continue;
        const int64_t value = integer_at(column, i);
        min = std::min(min, value);
        max = std::max(max, value);
      }
    }
  }
  bound.min = min;
  bound.max = max;
  return bound;
}

void HashJoinOperator::set_filters() {
  std::vector<std::optional<ScanBound>> bounds;
  for (size_t k = 0; k < plan_.join_keys.size(); ++k) bounds.push_back(key_bound(k));
  for (const auto& filter : filters_) {
    filter->groups = filter->has_all_keys ? table_.get() : nullptr;
    filter->bounds.clear();
    for (const JoinFilter::Key& key : filter->keys) {
      if (!bounds[key.number]) continue;
      filter->bounds.push_back(*bounds[key.number]);
      filter->bounds.back().column = key.table_column;
    }
  }
}

uint64_t HashJoinOperator::row_estimate() const {
  return partitions_ ? partitions_->row_estimate() : left_->row_estimate();
}

size_t HashJoinOperator::morsel_count() const {
  if (partitions_) return partitions_->morsel_count();
  if (!rows_ || (right_rows_.empty() && needs_match())) return 0;
  return left_->morsel_count();
}

void HashJoinOperator::reset() {
  left_->reset();
  for (const auto& filter : filters_) {
    filter->groups = nullptr;
    filter->bounds.clear();
  }
  rows_.reset();
  table_.reset();
  group_begin_.clear();
  right_rows_.clear();
  met_.reset();
  memory_.set(0);
  partitions_.reset();
}

void HashJoinOperator::describe(OperatorDetails& details) const {
  if (rows_) details.memory_bytes = rows_->memory_bytes() + table_->memory_bytes() + memory_.bytes();
  if (partitions_) details.spilled_bytes = partitions_->spilled_bytes();
}

void HashJoinOperator::unmatched_right(std::vector<uint32_t>* ids) const {
  std::vector<uint32_t> all;
  rows_->all_ids(&all);
  for (const uint32_t id : all) {
    if (!met_[id].load(std::memory_order_relaxed)) ids->push_back(id);
  }
}

uint32_t HashJoinOperator::read_unmatched(const std::vector<uint32_t>& ids, size_t first,
                                          DataChunk* chunk) const {
  const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, ids.size() - first));
  chunk->columns.resize(left_columns_ + right_columns_);
  for (size_t c = 0; c < left_columns_; ++c)
    chunk->columns[c] = Vector::constant_null(plan_.children[0]->columns[c].type);
  for (size_t c = 0; c < right_columns_; ++c)
    rows_->gather(c, ids.data() + first, count, false, &chunk->columns[left_columns_ + c]);
  chunk->set_size(count);
  return count;
}

// One thread's probing. For each left chunk: the group of each row, then pairs in the order of the left rows,
// at most kVectorSize at a time.
class HashJoinOperator::Stream final : public MorselStream {
 public:
  Stream(HashJoinOperator& join, EvaluationState& state)
      : join_(join), state_(state), left_(join.left_->open(state)), keys_(left_keys(join.plan_), state) {
    if (join.plan_.join_condition) condition_.emplace(*join.plan_.join_condition);
  }

  void begin(size_t morsel) override {
    left_->begin(morsel);
    probe_.emplace(*join_.table_);
    has_left_ = false;
  }

  bool next(DataChunk* chunk) override {
    const JoinType type = join_.type_;
    for (;;) {
      // A condition that nothing meets keeps the join here for long.
      if (state_.context->cancel) state_.context->cancel->check();
      if (!has_left_ && !read_left()) return false;
      bool some;
      if (type == JoinType::kSemi || type == JoinType::kAnti) {
        some = filter_left(chunk);
      } else if (join_.keys_unique_ && !condition_ && !join_.keeps_right()) {
        some = aligned(chunk);
      } else {
        some = pairs(chunk);
      }
      if (some) return true;
    }
  }

 private:
  static std::vector<const BoundExpression*> left_keys(const LogicalPlan& plan) {
    std::vector<const BoundExpression*> keys;
    for (const auto& [left, right] : plan.join_keys) keys.push_back(left.get());
    return keys;
  }

  bool read_left() {
    if (!left_->next(&input_)) return false;
    keys_.evaluate(input_, &key_values_);
    groups_.resize(kVectorSize);
    probe_->find(key_values_.data(), input_.selection, false, groups_.data());
    has_left_ = true;
    row_ = 0;
    match_ = 0;
    row_met_ = false;
    return true;
  }

  void right_range(uint32_t row, uint32_t* begin, uint32_t* end) const {
    const uint32_t group = groups_[row];
    *begin = group == GroupTable::kNoGroup ? 0 : join_.group_begin_[group];
    *end = group == GroupTable::kNoGroup ? 0 : join_.group_begin_[group + 1];
  }

  // Each left row has at most one match: left vectors are passed on as they are, and right ones aligned to
  // them.
  bool aligned(DataChunk* chunk) {
    has_left_ = false;
    ids_.clear();
    auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
    const bool keeps_left = join_.keeps_left();
    for (uint32_t i = 0; i < input_.count(); ++i) {
      const bool found = groups_[i] != GroupTable::kNoGroup;
      if (!found && !keeps_left) continue;
      (*rows)[ids_.size()] = static_cast<uint16_t>(input_.selection[i]);
      ids_.push_back(found ? join_.right_rows_[join_.group_begin_[groups_[i]]] : RowStore::kNoRow);
    }
    if (ids_.empty()) return false;
    const auto count = static_cast<uint32_t>(ids_.size());
    const size_t columns = join_.left_columns_ + join_.right_columns_;
    chunk->columns.resize(columns);
    std::copy_n(input_.columns.begin(), join_.left_columns_, chunk->columns.begin());
    chunk->columns.insert(chunk->columns.end(), further_columns(), input_.columns.end());
    for (size_t c = 0; c < join_.right_columns_; ++c) {
      join_.rows_->scatter(c, ids_.data(), rows->data(), count, &chunk->columns[join_.left_columns_ + c]);
    }
    chunk->set_size(input_.size);
    chunk->selection = {rows->data(), count};
    chunk->selection_storage = std::move(rows);
    return true;
  }

  // Takes pairs from where the last call stopped; left rows that are complete and had no match are noted in
  // order. Entries with kNoRow stand for a row without candidates, which only joins that keep left rows want.
  void collect() {
    left_rows_.clear();
    ids_.clear();
    const bool keeps_left = join_.keeps_left();
    while (row_ < input_.count() && ids_.size() < kVectorSize) {
      uint32_t begin, end;
      right_range(row_, &begin, &end);
      if (begin == end && keeps_left) {
        left_rows_.push_back(static_cast<uint16_t>(input_.selection[row_]));
        ids_.push_back(RowStore::kNoRow);
      }
      const auto room = static_cast<uint32_t>(kVectorSize - ids_.size());
      const uint32_t take = std::min(end - begin - match_, room);
      for (uint32_t i = 0; i < take; ++i) {
        left_rows_.push_back(static_cast<uint16_t>(input_.selection[row_]));
        ids_.push_back(join_.right_rows_[begin + match_ + i]);
      }
      match_ += take;
      if (match_ < end - begin) break;
      ++row_;
      match_ = 0;
    }
  }

  void combine(DataChunk* chunk, bool missing) {
    const auto count = static_cast<uint32_t>(ids_.size());
    chunk->columns.resize(join_.left_columns_ + join_.right_columns_);
    for (size_t c = 0; c < join_.left_columns_; ++c) {
      chunk->columns[c] = compact(input_.columns[c], {left_rows_.data(), count});
    }
    for (size_t c = 0; c < join_.right_columns_; ++c) {
      join_.rows_->gather(c, ids_.data(), count, missing, &chunk->columns[join_.left_columns_ + c]);
    }
    for (auto column = further_columns(); column != input_.columns.end(); ++column)
      chunk->columns.push_back(compact(*column, {left_rows_.data(), count}));
    chunk->set_size(count);
  }

  std::vector<Vector>::iterator further_columns() {
    return input_.columns.begin() + static_cast<ptrdiff_t>(join_.left_columns_);
  }

  void note_met(uint32_t id) {
    if (id != RowStore::kNoRow) join_.met_[id].store(1, std::memory_order_relaxed);
  }

  bool pairs(DataChunk* chunk) {
    collect();
    const bool chunk_done = row_ >= input_.count();
    has_left_ = !chunk_done;
    if (ids_.empty()) return false;
    combine(chunk, join_.keeps_left());
    if (condition_) {
      selected_.resize(kVectorSize);
      const uint32_t count = condition_->select(state_, *chunk, chunk->selection, selected_.data());
      if (!join_.keeps_left()) {
        if (count == 0) return false;
        if (join_.keeps_right()) {
          for (uint32_t i = 0; i < count; ++i) note_met(ids_[selected_[i]]);
        }
        if (count < ids_.size()) {
          auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
          std::copy(selected_.begin(), selected_.begin() + count, rows->begin());
          chunk->selection = {rows->data(), count};
          chunk->selection_storage = std::move(rows);
        }
        return true;
      }
      keep_left_rows(count);
      if (ids_.empty()) return false;
      combine(chunk, true);
    }
    if (join_.keeps_right()) {
      for (const uint32_t id : ids_) note_met(id);
    }
    return true;
  }

  // Leaves the selected pairs, and one without a right row for each left row that is complete and met none.
  void keep_left_rows(uint32_t selected) {
    std::vector<uint16_t> rows;
    std::vector<uint32_t> ids;
    uint32_t s = 0;
    for (size_t i = 0; i < ids_.size(); ++i) {
      if (s < selected && selected_[s] == i && ids_[i] != RowStore::kNoRow) {
        rows.push_back(left_rows_[i]);
        ids.push_back(ids_[i]);
        row_met_ = true;
      }
      if (s < selected && selected_[s] == i) ++s;
      const bool last_of_row = i + 1 < ids_.size() ? left_rows_[i + 1] != left_rows_[i] : match_ == 0;
      if (!last_of_row) continue;
      if (!row_met_) {
        rows.push_back(left_rows_[i]);
        ids.push_back(RowStore::kNoRow);
      }
      row_met_ = false;
    }
    left_rows_.swap(rows);
    ids_.swap(ids);
  }

  // Semi and anti joins: left rows that have (no) match.
  bool filter_left(DataChunk* chunk) {
    const bool wanted = join_.type_ == JoinType::kSemi;
    auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
    uint32_t count = 0;
    if (!condition_) {
      for (uint32_t i = 0; i < input_.count(); ++i) {
        (*rows)[count] = static_cast<uint16_t>(input_.selection[i]);
        count += (groups_[i] != GroupTable::kNoGroup) == wanted ? 1 : 0;
      }
    } else {
      std::array<bool, kVectorSize> met{};
      selected_.resize(kVectorSize);
      while (row_ < input_.count()) {
        collect();
        if (ids_.empty()) break;
        combine(&tried_, false);
        const uint32_t n = condition_->select(state_, tried_, tried_.selection, selected_.data());
        for (uint32_t i = 0; i < n; ++i) met[left_rows_[selected_[i]]] = true;
        if (state_.context->cancel) state_.context->cancel->check();
      }
      for (uint32_t i = 0; i < input_.count(); ++i) {
        (*rows)[count] = static_cast<uint16_t>(input_.selection[i]);
        count += met[input_.selection[i]] == wanted ? 1 : 0;
      }
    }
    has_left_ = false;
    if (count == 0) return false;
    chunk->columns = input_.columns;
    chunk->set_size(input_.size);
    chunk->selection = {rows->data(), count};
    chunk->selection_storage = std::move(rows);
    return true;
  }

  HashJoinOperator& join_;
  EvaluationState& state_;
  std::unique_ptr<MorselStream> left_;
  ColumnExpressions keys_;
  std::optional<ExpressionEvaluator> condition_;
  std::optional<GroupTable::Probe> probe_;
  DataChunk input_, tried_;
  std::vector<Vector> key_values_;
  std::vector<uint32_t> groups_;  // of the left chunk's selected rows
  bool has_left_ = false;
  uint32_t row_ = 0, match_ = 0;  // the next pair: place in the selection, place among its group's right rows
  bool row_met_ = false;          // the left row at hand has met a right one in an earlier batch
  std::vector<uint16_t> left_rows_, selected_;
  std::vector<uint32_t> ids_;
};

std::unique_ptr<MorselStream> HashJoinOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(starts_, [this, &state]() -> std::unique_ptr<MorselStream> {
    if (partitions_) return partitions_->open(state);
    return std::make_unique<Stream>(*this, state);
  });
}

void OuterJoinOperator::start(EvaluationState& state) {
  ++starts_;
  reset();
  pairs_->start(state);
  if (pairs_->is_partitioned()) return;
  RowsOrRuns read = read_rows_or_runs(*pairs_, state, {column_types(plan_), {}, {}, false, false, 0});
  pairs_->unmatched_right(&unmatched_);
  runs_ = std::move(read.runs);
  if (runs_) return;
  DataChunk chunk;
  for (size_t first = 0; first < unmatched_.size();) {
    first += pairs_->read_unmatched(unmatched_, first, &chunk);
    read.rows->append(chunk);
  }
  read.rows->seal();
  pairs_->reset();
  publish(std::move(read.rows));
}

size_t OuterJoinOperator::morsel_count() const {
  if (pairs_->is_partitioned()) return pairs_->morsel_count();
  return runs_ ? runs_->morsel_count() + 1 : StoredRowsOperator::morsel_count();
}

uint64_t OuterJoinOperator::row_estimate() const {
  if (pairs_->is_partitioned()) return pairs_->row_estimate();
  return runs_ ? runs_->rows() + unmatched_.size() : StoredRowsOperator::row_estimate();
}

// The pairs from temporary files, then the right rows that were in none.
class OuterJoinOperator::RunsStream final : public MorselStream {
 public:
  RunsStream(const OuterJoinOperator& join, EvaluationState& state)
      : join_(join), pairs_(join.runs_->open(*state.context, join.plan_.columns.size())) {}

  void begin(size_t morsel) override {
    in_pairs_ = morsel < join_.runs_->morsel_count();
    if (in_pairs_) pairs_->begin(morsel);
    at_ = 0;
  }
  bool next(DataChunk* chunk) override {
    if (in_pairs_) return pairs_->next(chunk);
    if (at_ >= join_.unmatched_.size()) return false;
    at_ += join_.pairs_->read_unmatched(join_.unmatched_, at_, chunk);
    return true;
  }

 private:
  const OuterJoinOperator& join_;
  const std::unique_ptr<MorselStream> pairs_;
  bool in_pairs_ = false;
  size_t at_ = 0;
};

std::unique_ptr<MorselStream> OuterJoinOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(starts_, [this, &state]() -> std::unique_ptr<MorselStream> {
    if (pairs_->is_partitioned()) return pairs_->open(state);
    if (runs_) return std::make_unique<RunsStream>(*this, state);
    return StoredRowsOperator::open(state);
  });
}

void OuterJoinOperator::reset() {
  pairs_->reset();
  runs_.reset();
  unmatched_.clear();
  StoredRowsOperator::reset();
}

void OuterJoinOperator::describe(OperatorDetails& details) const {
  if (pairs_->is_partitioned()) return pairs_->describe(details);
  StoredRowsOperator::describe(details);
  if (runs_) details.spilled_bytes = runs_->spilled_bytes();
}

}  // namespace idem
