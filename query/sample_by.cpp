#include "query/sample_by.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/worker_pool.h"
#include "query/deferred_aggregate.h"
#include "query/group_table.h"
#include "query/range_reader.h"
#include "query/row_source.h"
#include "query/sample_fill.h"

namespace idem {

namespace {

// A chunk with at most so many buckets goes through the kernels bucket by bucket; otherwise rows carry group
// numbers.
constexpr size_t kMostRuns = 16;

}  // namespace

// Groups of one range: (bucket, key) in order of appearance, so in order of time.
struct SampleByOperator::Part {
  std::unique_ptr<GroupTable> keys;  // null: no keys
  std::vector<SampleGroup> groups;
  std::vector<uint32_t> group_of_key;  // the last group of each key
  uint32_t bucket_first = 0;           // the first group of the last bucket
  AggregateStates states;
  std::vector<std::unique_ptr<DeferredRows>> deferred;

  Part(const AggregateLayout& layout, MemoryBudget* budget) : states(layout, budget) {}

  // The group of a key in the last bucket or, if `bucket` is behind it, in a new one. States are not made
  // here.
  uint32_t group(int64_t bucket, uint32_t key) {
    if (groups.empty() || groups.back().bucket != bucket) bucket_first = static_cast<uint32_t>(groups.size());
    if (key >= group_of_key.size()) group_of_key.resize(key + size_t{1}, GroupTable::kNoGroup);
    uint32_t& last = group_of_key[key];
    if (last == GroupTable::kNoGroup || last < bucket_first) {
      last = static_cast<uint32_t>(groups.size());
      groups.push_back({bucket, key});
    }
    return last;
  }

  // The numbers here of another part's keys, by their numbers there.
  std::vector<uint32_t> numbers_of_keys(const Part& other) {
    std::vector<uint32_t> numbers(1, 0), chunk_numbers(kVectorSize);
    if (!keys) return numbers;
    numbers.resize(other.keys->size());
    other.keys->for_each_key_chunk([&](const DataChunk& chunk, uint32_t first) {
      keys->find_or_insert(chunk.columns.data(), chunk.selection, chunk_numbers.data());
      std::copy(chunk_numbers.begin(), chunk_numbers.begin() + chunk.count(), numbers.begin() + first);
    });
    return numbers;
  }
};

SampleByOperator::SampleByOperator(const LogicalPlan& plan, OperatorPtr input)
    : plan_(plan), input_(std::move(input)), layout_(plan.aggregates) {}

SampleByOperator::~SampleByOperator() = default;

std::unique_ptr<SampleByOperator::Part> SampleByOperator::make_part(EvaluationState& state) const {
  auto part = std::make_unique<Part>(layout_, state.context->memory);
  if (!plan_.groups.empty()) {
    std::vector<SqlType> types;
    for (const BoundPtr& group : plan_.groups) types.push_back(group->type);
    part->keys = std::make_unique<GroupTable>(std::move(types), state.context->memory, state.context->cancel);
  }
  for (const BoundAggregate& aggregate : plan_.aggregates) {
    part->deferred.push_back(is_deferred(aggregate) ? std::make_unique<DeferredRows>(aggregate, state)
                                                    : nullptr);
  }
  return part;
}

// One thread's work on its ranges.
class SampleByOperator::Consumer {
 public:
  Consumer(const SampleByOperator& sample, EvaluationState& state)
      : sample_(sample),
        timestamps_(std::vector<const BoundExpression*>{sample.plan_.sample_timestamp.get()}, state),
        keys_(sample.plan_.groups, state),
        updater_(sample.layout_, state),
        groups_(kVectorSize),
        key_numbers_(kVectorSize, 0) {
    for (const BoundAggregate& call : sample.plan_.aggregates) {
      std::vector<const BoundExpression*> order;
      for (const BoundAggregate::Order& by : call.order_by) order.push_back(by.expression.get());
      orders_.push_back(order.empty() ? nullptr : std::make_unique<ColumnExpressions>(order, state));
    }
  }

  void consume(DataChunk& input, Part& part) {
    Vector time;
    timestamps_.evaluate(input, &time);
    time = flatten(time, input.size, input.selection, false);
    cut_to_range(input, time);
    if (input.count() == 0) return;
    const int64_t* times = time.values<int64_t>();
    if (!buckets_) buckets_.emplace(sample_.plan_.sample, times[input.selection[0]]);
    if (part.keys) {
      keys_.evaluate(input, &key_values_);
      part.keys->find_or_insert(key_values_.data(), input.selection, key_numbers_.data());
    }
    updater_.evaluate(input);
    find_runs(input, times);
    for (const Run& run : runs_) {
      if (part.keys) {
        for (uint32_t i = run.first; i < run.end; ++i) groups_[i] = part.group(run.bucket, key_numbers_[i]);
      } else {
        std::fill(groups_.begin() + run.first, groups_.begin() + run.end, part.group(run.bucket, 0));
      }
    }
    part.states.resize(static_cast<uint32_t>(part.groups.size()));
    if (!part.keys && input.selection.is_all() && runs_.size() <= kMostRuns) {
      for (const Run& run : runs_) {
        updater_.update_run(input, run.first, run.end - run.first, part.states.at(groups_[run.first]),
                            part.states.arena());
      }
    } else {
      updater_.update(input, part.states.data(), groups_.data(), part.states.arena());
    }
    for (size_t a = 0; a < part.deferred.size(); ++a) {
      if (!part.deferred[a]) continue;
      part.deferred[a]->add(input, updater_.rows(a), updater_.filtered_groups(a, input, groups_.data()),
                            updater_.arguments(a), orders_[a].get());
    }
    part.states.count_memory();
    keys_.release(key_values_.data());
    updater_.release();
  }

 private:
  struct Run {
    int64_t bucket;
    uint32_t first, end;  // places in the selection
  };

  // Leaves the rows within FROM and TO. Rows without a time are left out.
  void cut_to_range(DataChunk& input, const Vector& time) {
    const SampleSpec& spec = sample_.plan_.sample;
    if (!spec.from && !spec.to && !time.may_have_nulls()) return;
    const int64_t* times = time.values<int64_t>();
    const int64_t from = spec.from.value_or(INT64_MIN);
    uint32_t count = 0;
    kept_.resize(kVectorSize);
    for (uint32_t i = 0; i < input.count(); ++i) {
      const uint32_t row = input.selection[i];
      kept_[count] = static_cast<uint16_t>(row);
      count += times[row] >= from && (!spec.to || times[row] < *spec.to) && time.is_valid(row) ? 1 : 0;
    }
    if (count < input.count()) input.selection = {kept_.data(), count};
  }

  // Where buckets end: steps that double while the rows are still before the end, then halving.
  void find_runs(const DataChunk& input, const int64_t* times) {
    runs_.clear();
    const Selection rows = input.selection;
    for (uint32_t i = 0; i < rows.count;) {
      const int64_t bucket = buckets_->start_of(times[rows[i]]);
      const int64_t end = buckets_->next(bucket);
      uint32_t inside = i, step = 1;
      while (inside + step < rows.count && times[rows[inside + step]] < end) {
        inside += step;
        step *= 2;
      }
      for (; step > 0; step /= 2) {
        if (inside + step < rows.count && times[rows[inside + step]] < end) inside += step;
      }
      runs_.push_back({bucket, i, inside + 1});
      i = inside + 1;
    }
  }

  const SampleByOperator& sample_;
  ColumnExpressions timestamps_, keys_;
  AggregateUpdater updater_;
  std::vector<std::unique_ptr<ColumnExpressions>> orders_;
  std::optional<SampleBuckets> buckets_;
  std::vector<Vector> key_values_;
  std::vector<uint32_t> groups_, key_numbers_;
  std::vector<uint16_t> kept_;
  std::vector<Run> runs_;
};

void SampleByOperator::merge_part(Part& into, Part& from, EvaluationState& state) const {
  const std::vector<uint32_t> keys = into.numbers_of_keys(from);
  std::vector<uint32_t> map(from.groups.size());
  for (uint32_t g = 0; g < from.groups.size(); ++g)
    map[g] = into.group(from.groups[g].bucket, keys[from.groups[g].key]);
  if (state.context->cancel) state.context->cancel->check();
  into.states.resize(static_cast<uint32_t>(into.groups.size()));
  for (uint32_t g = 0; g < from.groups.size(); ++g) {
    layout_.combine(into.states.at(map[g]), from.states.at(g), into.states.arena());
  }
  for (size_t a = 0; a < into.deferred.size(); ++a) {
    if (into.deferred[a]) into.deferred[a]->merge(*from.deferred[a], map);
  }
  into.states.adopt_arena(from.states);
}

// Merges the groups of the bucket that `from` begins with into `into`, which may end with it; the number of these
// groups. The others stay in `from`.
uint32_t SampleByOperator::merge_shared_bucket(Part& into, const Part& from) const {
  const int64_t bucket = into.groups.back().bucket;
  if (from.groups.front().bucket != bucket) return 0;
  const std::vector<uint32_t> keys = into.numbers_of_keys(from);
  uint32_t count = 0;
  while (count < from.groups.size() && from.groups[count].bucket == bucket) {
    const uint32_t group = into.group(bucket, keys[from.groups[count].key]);
    into.states.resize(static_cast<uint32_t>(into.groups.size()));
    layout_.combine(into.states.at(group), from.states.at(count), into.states.arena());
    ++count;
  }
  return count;
}

// The rows of parts that follow each other in time; only a bucket at the border of two is in both.
std::shared_ptr<RowStore> SampleByOperator::finalize_apart(std::vector<std::unique_ptr<Part>>& parts,
                                                           EvaluationState& state) const {
  std::vector<uint32_t> first_group(parts.size(), 0);
  size_t last = 0;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i]->groups.empty()) continue;
    if (!parts[last]->groups.empty()) first_group[i] = merge_shared_bucket(*parts[last], *parts[i]);
    if (first_group[i] < parts[i]->groups.size()) last = i;
  }
  std::vector<std::shared_ptr<RowStore>> rows(parts.size());
  state.context->workers->parallel_run(
      parts.size(), [&](size_t i) { rows[i] = finalize(*parts[i], first_group[i], state); });
  for (size_t i = 1; i < rows.size(); ++i) rows[0]->take(std::move(*rows[i]));
  return rows[0];
}

// Bucket, keys and aggregates of all groups from `first_group` on.
std::shared_ptr<RowStore> SampleByOperator::finalize(Part& part, uint32_t first_group,
                                                     EvaluationState& state) const {
  for (size_t a = 0; a < part.deferred.size(); ++a) {
    if (!part.deferred[a]) continue;
    part.deferred[a]->fold(part.states.data() + layout_.offset(a), layout_.stride(), part.states.arena(),
                           *state.context);
  }
  if (part.keys) part.keys->seal_keys();
  const size_t keys = plan_.groups.size();
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  std::vector<uint32_t> key_ids(kVectorSize);
  for (uint32_t first = first_group; first < part.groups.size(); first += kVectorSize) {
    if (state.context->cancel) state.context->cancel->check();
    const uint32_t count = std::min(kVectorSize, static_cast<uint32_t>(part.groups.size()) - first);
    DataChunk chunk;
    chunk.columns.resize(plan_.columns.size());
    auto* times = chunk.columns[0].allocate_as<int64_t>(plan_.columns[0].type);
    for (uint32_t i = 0; i < count; ++i) {
      times[i] = part.groups[first + i].bucket;
      key_ids[i] = part.groups[first + i].key;
    }
    for (size_t k = 0; k < keys; ++k)
      part.keys->keys()->gather(k, key_ids.data(), count, false, &chunk.columns[1 + k]);
    for (size_t a = 0; a < layout_.size(); ++a)
      layout_.finalize(a, part.states.at(first), count, &chunk.columns[1 + keys + a]);
    chunk.set_size(count);
    rows->append(chunk);
  }
  return rows;
}

void SampleByOperator::start(EvaluationState& state) {
  input_->start(state);
  MorselRanges ranges = one_range_per_worker(*input_, *state.context);
  if (!plan_.sample.align_to_calendar) {  // the first row decides where buckets begin
    ranges.count = 1;
    ranges.workers = 1;
  }
  std::vector<std::unique_ptr<Part>> parts(std::max<size_t>(ranges.count, 1));
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    parts[range] = make_part(reader.state());
    Consumer consumer(*this, reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) consumer.consume(chunk, *parts[range]);
  });
  input_->reset();
  if (!parts[0]) parts[0] = make_part(state);
  SampleFill fill(plan_);
  const bool deferred = std::any_of(plan_.aggregates.begin(), plan_.aggregates.end(), is_deferred);
  std::shared_ptr<RowStore> rows;
  if (parts.size() > 1 && ranges.workers > 1 && !deferred && !fill.fills()) {
    rows = finalize_apart(parts, state);
  } else {
    for (size_t i = 1; i < parts.size(); ++i) {
      merge_part(*parts[0], *parts[i], state);
      parts[i].reset();
    }
    rows = finalize(*parts[0], 0, state);
  }
  if (fill.fills()) {
    rows = fill.run(parts[0]->groups, parts[0]->keys ? parts[0]->keys->keys().get() : nullptr, *rows, state);
  }
  rows->seal();
  publish(rows);
}

}  // namespace idem
