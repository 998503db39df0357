#include "query/aggregate_states.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "query/expression_evaluator.h"

namespace idem {

namespace {

constexpr std::array<uint16_t, kVectorSize> kAllRows = [] {
  std::array<uint16_t, kVectorSize> rows{};
  for (uint32_t i = 0; i < kVectorSize; ++i) rows[i] = static_cast<uint16_t>(i);
  return rows;
}();

}  // namespace

AggregateLayout::AggregateLayout(const std::vector<BoundAggregate>& aggregates) : aggregates_(aggregates) {
  for (const BoundAggregate& aggregate : aggregates) {
    offsets_.push_back(stride_);
    stride_ += (aggregate.function->state_size + 7) / 8 * 8;
  }
  stride_ = std::max<uint32_t>(stride_, 8);
}

void AggregateLayout::init(char* state) const {
  std::memset(state, 0, stride_);
  for (size_t i = 0; i < aggregates_.size(); ++i) aggregates_[i].function->init(state + offsets_[i]);
}

void AggregateLayout::combine(char* into, const char* from, AggregateArena& arena) const {
  for (size_t i = 0; i < aggregates_.size(); ++i) {
    if (is_deferred(aggregates_[i])) continue;
    aggregates_[i].function->combine(into + offsets_[i], from + offsets_[i], aggregates_[i].types, arena);
  }
}

void AggregateLayout::finalize(size_t i, const char* states, uint32_t count, Vector* out) const {
  const BoundAggregate& aggregate = aggregates_[i];
  out->allocate(aggregate.types.result, std::max(count, 1u));
  aggregate.function->finalize(states + offsets_[i], stride_, count, aggregate.types, out, 0);
}

void AggregateStates::resize(uint32_t groups) {
  if (groups <= size_) return;
  const uint32_t stride = layout_->stride();
  if (groups > capacity_) {
    const uint32_t capacity = std::max({groups, capacity_ * 2, 4u});
    memory_.set(static_cast<uint64_t>(capacity) * stride + arena_->bytes());
    auto fresh = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(capacity) * stride);
    if (size_ > 0) std::memcpy(fresh.get(), data_.get(), static_cast<size_t>(size_) * stride);
    data_ = std::move(fresh);
    capacity_ = capacity;
  }
  for (uint32_t group = size_; group < groups; ++group) layout_->init(at(group));
  size_ = groups;
}

void AggregateStates::count_memory() {
  memory_.set(static_cast<uint64_t>(capacity_) * layout_->stride() + arena_->bytes());
}

AggregateUpdater::AggregateUpdater(const AggregateLayout& layout, EvaluationState& state)
    : layout_(layout), state_(state), items_(layout.size()) {
  std::vector<const BoundExpression*> arguments;
  for (size_t i = 0; i < layout.size(); ++i) {
    const BoundAggregate& aggregate = layout.aggregate(i);
    first_argument_.push_back(arguments.size());
    argument_count_.push_back(aggregate.arguments.size());
    for (const BoundPtr& argument : aggregate.arguments) arguments.push_back(argument.get());
    if (aggregate.filter) items_[i].filter = std::make_unique<ExpressionEvaluator>(*aggregate.filter);
  }
  arguments_ = std::make_unique<ColumnExpressions>(arguments, state);
  values_.resize(arguments.size());
}

AggregateUpdater::~AggregateUpdater() = default;

void AggregateUpdater::evaluate(const DataChunk& input) {
  for (Item& item : items_) {
    item.rows = input.selection;
    if (!item.filter) continue;
    item.filtered.resize(kVectorSize);
    item.rows = {item.filtered.data(),
                 item.filter->select(state_, input, input.selection, item.filtered.data())};
  }
  arguments_->evaluate(input, &values_);
}

void AggregateUpdater::release() { arguments_->release(values_.data()); }

const uint32_t* AggregateUpdater::filtered_groups(size_t i, const DataChunk& input, const uint32_t* groups) {
  const Selection rows = items_[i].rows;
  if (!groups || !items_[i].filter || rows.count == input.count()) return groups;
  group_of_row_.resize(kVectorSize);
  filtered_groups_.resize(kVectorSize);
  for (uint32_t r = 0; r < input.count(); ++r) group_of_row_[input.selection[r]] = groups[r];
  for (uint32_t r = 0; r < rows.count; ++r) filtered_groups_[r] = group_of_row_[rows[r]];
  return filtered_groups_.data();
}

void AggregateUpdater::update(const DataChunk& input, char* states, const uint32_t* groups,
                              AggregateArena& arena) {
  for (size_t i = 0; i < items_.size(); ++i) {
    const BoundAggregate& aggregate = layout_.aggregate(i);
    if (is_deferred(aggregate) || items_[i].rows.count == 0) continue;
    const uint32_t* row_groups = filtered_groups(i, input, groups);
    aggregate.function->update(states + layout_.offset(i), layout_.stride(), row_groups, aggregate.types,
                               arguments(i), input.size, items_[i].rows, arena);
  }
}

void AggregateUpdater::update_run(const DataChunk& input, uint32_t first, uint32_t count, char* states,
                                  AggregateArena& arena) {
  for (size_t i = 0; i < items_.size(); ++i) {
    const BoundAggregate& aggregate = layout_.aggregate(i);
    if (is_deferred(aggregate)) continue;
    if (items_[i].filter) {
      const uint16_t* begin = std::lower_bound(items_[i].filtered.data(),
                                               items_[i].filtered.data() + items_[i].rows.count, first);
      const uint16_t* end = std::lower_bound(
          begin, static_cast<const uint16_t*>(items_[i].filtered.data()) + items_[i].rows.count,
          first + count);
      if (begin == end) continue;
      aggregate.function->update(states + layout_.offset(i), layout_.stride(), nullptr, aggregate.types,
                                 arguments(i), input.size, {begin, static_cast<uint32_t>(end - begin)},
                                 arena);
      continue;
    }
    // Plain vectors are cut to the run, so that kernels see consecutive rows.
    bool plain = true;
    sliced_.assign(arguments(i).begin(), arguments(i).end());
    for (Vector& vector : sliced_) {
      if (vector.form == Vector::Form::kConstant) continue;
      if (vector.form == Vector::Form::kSequence) {
        vector.sequence_start += first * vector.sequence_step;
        continue;
      }
      plain &= !vector.may_have_nulls();
      vector.data = static_cast<const char*>(vector.data) + first * physical_size(physical_type(vector.type));
    }
    if (plain) {
      aggregate.function->update(states + layout_.offset(i), layout_.stride(), nullptr, aggregate.types,
                                 sliced_, count, {nullptr, count}, arena);
    } else {
      aggregate.function->update(states + layout_.offset(i), layout_.stride(), nullptr, aggregate.types,
                                 arguments(i), input.size, {kAllRows.data() + first, count}, arena);
    }
  }
}

}  // namespace idem
