#include "query/hash_aggregate.h"

#include <algorithm>
#include <numeric>

#include "query/deferred_aggregate.h"
#include "query/dense_aggregate.h"
#include "query/execution.h"
#include "query/group_table.h"
#include "query/range_reader.h"
#include "query/scan_operator.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kFewGroups =
    4096;  // tables of at most so many groups are cheap enough to have one for each morsel
constexpr size_t kMostRanges = 256;
constexpr uint32_t kMorselGroups = RowStore::kSegmentRows;

}  // namespace

// The groups of one grouping set in one range.
struct HashAggregateOperator::SetPart {
  std::unique_ptr<GroupTable> table;  // null: one group
  AggregateStates states;
  std::vector<std::unique_ptr<DeferredRows>> deferred;  // by aggregate; null where it is not deferred

  SetPart(const AggregateLayout& layout, MemoryBudget* budget) : states(layout, budget) {}
  uint32_t groups() const { return states.size(); }
};

struct HashAggregateOperator::Part {
  std::vector<std::unique_ptr<SetPart>> sets;
};

HashAggregateOperator::HashAggregateOperator(const LogicalPlan& plan, OperatorPtr input,
                                             const ScanOperator* scan)
    : plan_(plan), input_(std::move(input)), scan_(scan), layout_(plan.aggregates), sets_(grouping_sets()) {
  has_deferred_ = std::any_of(plan.aggregates.begin(), plan.aggregates.end(), is_deferred);
}

HashAggregateOperator::~HashAggregateOperator() = default;

std::vector<std::vector<uint32_t>> HashAggregateOperator::grouping_sets() const {
  if (!plan_.grouping_sets.empty()) return plan_.grouping_sets;
  std::vector<uint32_t> all(plan_.groups.size());
  std::iota(all.begin(), all.end(), 0u);
  return {all};
}

bool HashAggregateOperator::counts_only() const {
  return plan_.groups.empty() && plan_.grouping_sets.empty() && !plan_.aggregates.empty() &&
         std::all_of(plan_.aggregates.begin(), plan_.aggregates.end(), [](const BoundAggregate& a) {
           return a.function->name == "count" && a.arguments.empty() && !a.filter && !a.distinct;
         });
}

// Whether there can be only few groups: none, or by symbols with small dictionaries.
bool HashAggregateOperator::groups_few() const {
  size_t groups = 1;
  for (const BoundPtr& group : plan_.groups) {
    if (!scan_ || !group->is_column() || group->type.id != TypeId::kSymbol) return false;
    const LogicalPlan& scan = scan_->plan();
    groups *= scan.table->schema->columns[scan.scan_columns[group->index]].dictionary->size() + size_t{1};
    if (groups > kFewGroups) return false;
  }
  return true;
}

bool HashAggregateOperator::groups_by_symbol() const {
  return plan_.groups.size() == 1 && plan_.grouping_sets.empty() && plan_.groups[0]->type.id == TypeId::kSymbol;
}

std::unique_ptr<HashAggregateOperator::Part> HashAggregateOperator::make_part(EvaluationState& state) const {
  auto part = std::make_unique<Part>();
  MemoryBudget* budget = state.context->memory;
  for (const std::vector<uint32_t>& set : sets_) {
    auto set_part = std::make_unique<SetPart>(layout_, budget);
    if (set.empty()) {
      set_part->states.resize(1);
    } else {
      std::vector<SqlType> types;
      for (const uint32_t group : set) types.push_back(plan_.groups[group]->type);
      set_part->table = std::make_unique<GroupTable>(std::move(types), budget);
    }
    for (const BoundAggregate& aggregate : plan_.aggregates) {
      set_part->deferred.push_back(is_deferred(aggregate) ? std::make_unique<DeferredRows>(aggregate, state)
                                                          : nullptr);
    }
    part->sets.push_back(std::move(set_part));
  }
  return part;
}

// One thread's work on its ranges.
class HashAggregateOperator::Consumer {
 public:
  Consumer(const HashAggregateOperator& aggregate, EvaluationState& state)
      : aggregate_(aggregate),
        keys_(aggregate.plan_.groups, state),
        updater_(aggregate.layout_, state),
        groups_(kVectorSize) {
    for (const BoundAggregate& call : aggregate.plan_.aggregates) {
      std::vector<const BoundExpression*> order;
      for (const BoundAggregate::Order& by : call.order_by) order.push_back(by.expression.get());
      orders_.push_back(order.empty() ? nullptr : std::make_unique<ColumnExpressions>(order, state));
    }
    if (aggregate.groups_by_symbol()) dense_ = DenseAggregate::make(aggregate.layout_, state.context->memory);
  }

  void consume(const DataChunk& input, Part& part) {
    keys_.evaluate(input, &key_values_);
    updater_.evaluate(input);
    if (!dense_ || !dense_->add(key_values_[0], updater_, input.selection)) consume_sets(input, part);
    keys_.release(key_values_.data());
    updater_.release();
  }

  // After the last rows of a part.
  void finish(Part& part) {
    if (dense_) dense_->flush(part.sets[0]->states);
  }

 private:
  void consume_sets(const DataChunk& input, Part& part) {
    for (size_t s = 0; s < part.sets.size(); ++s) {
      SetPart& set = *part.sets[s];
      const uint32_t* groups = nullptr;
      if (set.table) {
        set_keys_.clear();
        for (const uint32_t group : aggregate_.sets_[s]) set_keys_.push_back(key_values_[group]);
        set.table->find_or_insert(set_keys_.data(), input.selection, groups_.data());
        set.states.resize(set.table->size());
        groups = groups_.data();
        if (dense_) dense_->learn(set_keys_[0], input.selection, groups);
      }
      updater_.update(input, set.states.data(), groups, set.states.arena());
      for (size_t a = 0; a < set.deferred.size(); ++a) {
        if (!set.deferred[a]) continue;
        set.deferred[a]->add(input, updater_.rows(a), updater_.filtered_groups(a, input, groups),
                             updater_.arguments(a), orders_[a].get());
      }
      set.states.count_memory();
    }
    set_keys_.clear();
  }

  const HashAggregateOperator& aggregate_;
  ColumnExpressions keys_;
  AggregateUpdater updater_;
  std::vector<std::unique_ptr<ColumnExpressions>> orders_;
  std::vector<Vector> key_values_, set_keys_;
  std::vector<uint32_t> groups_;
  std::unique_ptr<DenseAggregate> dense_;  // null: not by one symbol, or other aggregates
};

void HashAggregateOperator::merge_part(Part& into, Part& from, EvaluationState& state) {
  std::vector<uint32_t> map;
  std::vector<uint32_t> chunk_groups(kVectorSize);
  for (size_t s = 0; s < into.sets.size(); ++s) {
    if (state.context->cancel) state.context->cancel->check();
    SetPart& mine = *into.sets[s];
    SetPart& theirs = *from.sets[s];
    map.assign(theirs.groups(), 0);
    if (mine.table) {
      theirs.table->for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
        mine.table->find_or_insert(keys.columns.data(), keys.selection, chunk_groups.data());
        std::copy(chunk_groups.begin(), chunk_groups.begin() + keys.count(), map.begin() + first);
      });
      mine.states.resize(mine.table->size());
    }
    for (uint32_t g = 0; g < theirs.groups(); ++g) {
      layout_.combine(mine.states.at(map[g]), theirs.states.at(g), mine.states.arena());
    }
    for (size_t a = 0; a < mine.deferred.size(); ++a) {
      if (mine.deferred[a]) mine.deferred[a]->merge(*theirs.deferred[a], &map);
    }
    mine.states.adopt_arena(theirs.states);
    mine.states.count_memory();
  }
}

void HashAggregateOperator::start(EvaluationState& state) {
  result_.reset();
  input_->start(state);
  if (scan_ && counts_only() && scan_->is_whole_table()) {
    result_ = make_part(state);
    return;
  }
  const MorselRanges ranges = groups_few() && !has_deferred_
                                  ? fine_ranges(*input_, *state.context, kMostRanges)
                                  : one_range_per_worker(*input_, *state.context);
  std::vector<std::unique_ptr<Part>> parts(std::max<size_t>(ranges.count, 1));
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    parts[range] = make_part(reader.state());
    Consumer consumer(*this, reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) consumer.consume(chunk, *parts[range]);
    consumer.finish(*parts[range]);
  });
  input_->reset();
  if (!parts[0]) parts[0] = make_part(state);
  for (size_t i = 1; i < parts.size(); ++i) {
    merge_part(*parts[0], *parts[i], state);
    parts[i].reset();
  }
  for (const auto& set : parts[0]->sets) {
    for (size_t a = 0; a < set->deferred.size(); ++a) {
      if (!set->deferred[a]) continue;
      set->deferred[a]->fold(set->states.data() + layout_.offset(a), layout_.stride(), set->states.arena(),
                             *state.context);
      set->deferred[a].reset();
    }
    if (set->table) set->table->seal_keys();
  }
  result_ = std::move(parts[0]);
}

size_t HashAggregateOperator::morsel_count() const {
  if (!result_) return 0;
  size_t morsels = 0;
  for (const auto& set : result_->sets) morsels += (set->groups() + kMorselGroups - 1) / kMorselGroups;
  return morsels;
}

uint64_t HashAggregateOperator::row_estimate() const {
  uint64_t rows = 0;
  if (result_) {
    for (const auto& set : result_->sets) rows += set->groups();
  }
  return rows;
}

void HashAggregateOperator::reset() { result_.reset(); }

void HashAggregateOperator::describe(OperatorDetails& details) const {
  if (!result_) return;
  for (const auto& set : result_->sets) {
    details.memory_bytes += set->states.memory_bytes() + (set->table ? set->table->memory_bytes() : 0);
  }
}

class HashAggregateOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const HashAggregateOperator& aggregate) : aggregate_(aggregate) {}

  void begin(size_t morsel) override {
    result_ = aggregate_.result_;
    for (set_ = 0;; ++set_) {
      const size_t morsels = (result_->sets[set_]->groups() + kMorselGroups - 1) / kMorselGroups;
      if (morsel < morsels) break;
      morsel -= morsels;
    }
    at_ = static_cast<uint32_t>(morsel * kMorselGroups);
    end_ = std::min(result_->sets[set_]->groups(), at_ + kMorselGroups);
  }

  bool next(DataChunk* chunk) override {
    if (at_ >= end_) return false;
    const SetPart& set = *result_->sets[set_];
    const uint32_t count = std::min(kVectorSize, end_ - at_);
    const size_t groups = aggregate_.plan_.groups.size();
    const size_t aggregates = aggregate_.layout_.size();
    chunk->columns.resize(groups + aggregates + (aggregate_.plan_.with_set_index ? 1 : 0));
    for (size_t g = 0; g < groups; ++g)
      chunk->columns[g] = Vector::constant_null(aggregate_.plan_.groups[g]->type);
    const std::vector<uint32_t>& keys = aggregate_.sets_[set_];
    for (size_t k = 0; k < keys.size(); ++k) {
      chunk->columns[keys[k]] =
          set.table->keys()->view(k, at_ >> RowStore::kSegmentBits, at_ & (RowStore::kSegmentRows - 1));
    }
    if (aggregate_.scan_ && aggregate_.counts_only() && aggregate_.scan_->is_whole_table()) {
      const auto rows = static_cast<int64_t>(aggregate_.scan_->plan().table->row_count);
      for (size_t a = 0; a < aggregates; ++a)
        chunk->columns[a] = Vector::constant(Value::of_int(TypeId::kBigInt, rows));
    } else {
      for (size_t a = 0; a < aggregates; ++a) {
        Vector& out = chunk->columns[groups + a];
        aggregate_.layout_.finalize(a, set.states.at(at_), count, &out);
        if (!out.string_owner) out.string_owner = result_;  // results may point into the arena
      }
    }
    if (aggregate_.plan_.with_set_index) {
      chunk->columns.back() = Vector::constant(Value::of_int(TypeId::kInteger, static_cast<int64_t>(set_)));
    }
    chunk->set_size(count);
    at_ += count;
    return true;
  }

 private:
  const HashAggregateOperator& aggregate_;
  std::shared_ptr<Part> result_;
  size_t set_ = 0;
  uint32_t at_ = 0, end_ = 0;
};

std::unique_ptr<MorselStream> HashAggregateOperator::open(EvaluationState&) {
  return std::make_unique<Stream>(*this);
}

}  // namespace idem
