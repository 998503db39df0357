#include "query/aggregate_groups.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace idem {

namespace {

std::vector<std::vector<uint32_t>> sets_of(const LogicalPlan& plan) {
  if (!plan.grouping_sets.empty()) return plan.grouping_sets;
  std::vector<uint32_t> all(plan.groups.size());
  std::iota(all.begin(), all.end(), 0u);
  return {all};
}

bool groups_by_symbol(const LogicalPlan& plan) {
  return plan.groups.size() == 1 && plan.grouping_sets.empty() && plan.groups[0]->type.id == TypeId::kSymbol;
}

}  // namespace

AggregateSpec::AggregateSpec(const LogicalPlan& aggregation)
    : plan(aggregation),
      layout(aggregation.aggregates),
      sets(sets_of(aggregation)),
      has_deferred(std::any_of(aggregation.aggregates.begin(), aggregation.aggregates.end(), is_deferred)) {}

AggregateGroups::AggregateGroups(const AggregateSpec& spec, size_t set, EvaluationState& state)
    : states(spec.layout, state.context->memory) {
  if (spec.sets[set].empty()) {
    states.resize(1);
  } else {
    std::vector<SqlType> types;
    for (const uint32_t group : spec.sets[set]) types.push_back(spec.plan.groups[group]->type);
    table = std::make_unique<GroupTable>(std::move(types), state.context->memory, state.context->cancel);
  }
  for (const BoundAggregate& aggregate : spec.plan.aggregates)
    deferred.push_back(is_deferred(aggregate) ? std::make_unique<DeferredRows>(aggregate, state) : nullptr);
}

uint64_t AggregateGroups::memory_bytes() const {
  uint64_t bytes = states.memory_bytes() + (table ? table->memory_bytes() : 0);
  for (const auto& rows : deferred) bytes += rows ? rows->memory_bytes() : 0;
  return bytes;
}

uint64_t AggregateGroups::next_growth() const {
  uint64_t bytes = table ? table->next_growth() + states.next_growth() : 0;
  for (const auto& rows : deferred) bytes += rows ? rows->next_growth() : 0;
  return bytes;
}

void AggregateGroups::combine(const AggregateSpec& spec, const AggregateGroups& later,
                              std::span<const uint32_t> ids, const uint32_t* numbers) {
  if (table) states.resize(table->size());
  for (size_t i = 0; i < ids.size(); ++i)
    spec.layout.combine(states.at(numbers[i]), later.states.at(ids[i]), states.arena());
  states.count_memory();
}

void AggregateGroups::seal() {
  if (table) table->seal_keys();
  for (const auto& rows : deferred) {
    if (rows) rows->seal();
  }
}

void AggregateGroups::combine_deferred(const AggregateGroups& later, const std::vector<uint32_t>& map) {
  for (size_t a = 0; a < deferred.size(); ++a) {
    if (deferred[a]) deferred[a]->merge(*later.deferred[a], map);
  }
}

void AggregateGroups::fold_deferred(const AggregateSpec& spec,
                                    std::span<const std::unique_ptr<AggregateGroups>> ranges,
                                    const std::vector<std::vector<uint32_t>>& maps,
                                    const ExecutionContext& context) {
  for (size_t a = 0; a < deferred.size() && size() > 0; ++a) {
    if (!deferred[a]) continue;
    std::vector<DeferredRows::Range> rows;
    for (size_t r = 0; r < ranges.size(); ++r) rows.push_back({ranges[r]->deferred[a].get(), maps[r]});
    DeferredRows::fold_ranges(rows, states.data() + spec.layout.offset(a), spec.layout.stride(),
                              states.arena(), context);
    for (const auto& range : ranges) range->deferred[a].reset();
  }
}

void AggregateGroups::finish(const AggregateSpec& spec, const ExecutionContext& context) {
  seal();
  for (size_t a = 0; a < deferred.size(); ++a) {
    if (!deferred[a]) continue;
    // Without groups there are no states to point at.
    if (size() > 0)
      deferred[a]->fold(states.data() + spec.layout.offset(a), spec.layout.stride(), states.arena(), context);
    deferred[a].reset();
  }
}

void read_groups(const AggregateSpec& spec, size_t set, const std::shared_ptr<const AggregateGroups>& groups,
                 uint32_t first, uint32_t count, bool copy, DataChunk* out) {
  const LogicalPlan& plan = spec.plan;
  const size_t keys = plan.groups.size(), aggregates = spec.layout.size();
  out->columns.resize(keys + aggregates + (plan.with_set_index ? 1 : 0));
  for (size_t g = 0; g < keys; ++g) out->columns[g] = Vector::constant_null(plan.groups[g]->type);
  std::array<uint32_t, kVectorSize> ids;
  if (copy) std::iota(ids.begin(), ids.begin() + count, first);
  for (size_t k = 0; k < spec.sets[set].size(); ++k) {
    const RowStore& values = *groups->table->keys();
    Vector& key = out->columns[spec.sets[set][k]];
    if (copy) {
      values.gather(k, ids.data(), count, false, &key);
    } else {
      key = values.view(k, first >> RowStore::kSegmentBits, first & (RowStore::kSegmentRows - 1));
    }
  }
  for (size_t a = 0; a < aggregates; ++a) {
    Vector& result = out->columns[keys + a];
    spec.layout.finalize(a, groups->states.at(first), count, &result);
    const bool has_characters = physical_type(result.type) == PhysicalType::kString;
    if (has_characters && !result.string_owner) result.string_owner = groups;  // they may be in the arena
  }
  if (plan.with_set_index)
    out->columns.back() = Vector::constant(Value::of_int(TypeId::kInteger, static_cast<int64_t>(set)));
  out->set_size(count);
}

AggregateFolder::AggregateFolder(const AggregateSpec& spec, EvaluationState& state)
    : spec_(spec),
      key_expressions_(spec.plan.groups, state),
      updater_(spec.layout, state),
      numbers_(kVectorSize) {
  for (const BoundAggregate& call : spec.plan.aggregates) {
    std::vector<const BoundExpression*> order;
    for (const BoundAggregate::Order& by : call.order_by) order.push_back(by.expression.get());
    orders_.push_back(order.empty() ? nullptr : std::make_unique<ColumnExpressions>(order, state));
  }
  if (groups_by_symbol(spec.plan)) dense_ = DenseAggregate::make(spec.layout, state.context->memory);
}

void AggregateFolder::take(const DataChunk& input) {
  input_ = &input;
  key_expressions_.evaluate(input, &keys_);
  own_keys_ = true;
  evaluated_ = false;
}

void AggregateFolder::take(const DataChunk& input, const Vector* keys) {
  input_ = &input;
  keys_.assign(keys, keys + spec_.plan.groups.size());
  own_keys_ = false;
  evaluated_ = false;
}

void AggregateFolder::release() {
  if (own_keys_) {
    key_expressions_.release(keys_.data());
  } else {
    keys_.clear();
  }
  updater_.release();
  set_keys_.clear();
  input_ = nullptr;
}

const std::vector<Vector>& AggregateFolder::keys_of_set(size_t set) {
  set_keys_.clear();
  for (const uint32_t group : spec_.sets[set]) set_keys_.push_back(keys_[group]);
  return set_keys_;
}

void AggregateFolder::fold(size_t set, AggregateGroups& groups) {
  if (!groups.table) return fold_numbered(nullptr, groups);
  const std::vector<Vector>& keys = keys_of_set(set);
  groups.table->find_or_insert(keys.data(), input_->selection, numbers_.data());
  groups.states.resize(groups.table->size());
  if (dense_) dense_->learn(keys[0], input_->selection, numbers_.data());
  fold_numbered(numbers_.data(), groups);
}

void AggregateFolder::fold_numbered(const uint32_t* numbers, AggregateGroups& groups) {
  if (!evaluated_) updater_.evaluate(*input_);
  evaluated_ = true;
  updater_.update(*input_, groups.states.data(), numbers, groups.states.arena());
  for (size_t a = 0; a < groups.deferred.size(); ++a) {
    if (!groups.deferred[a]) continue;
    groups.deferred[a]->add(*input_, updater_.rows(a), updater_.filtered_groups(a, *input_, numbers),
                            updater_.arguments(a), orders_[a].get());
  }
  groups.states.count_memory();
}

void AggregateFolder::fold_known(Selection rows, const uint32_t* numbers, AggregateGroups& groups) {
  if (rows.count == 0) return;
  DataChunk some = *input_;
  some.selection = rows;
  updater_.evaluate(some);
  evaluated_ = false;
  updater_.update(some, groups.states.data(), numbers, groups.states.arena());
  groups.states.count_memory();
}

bool AggregateFolder::fold_dense() {
  if (!dense_) return false;
  if (!evaluated_) updater_.evaluate(*input_);
  evaluated_ = true;
  return dense_->add(keys_[0], updater_, input_->selection);
}

void AggregateFolder::flush_dense(AggregateGroups& groups) {
  if (dense_) dense_->flush(groups.states);
}

}  // namespace idem
