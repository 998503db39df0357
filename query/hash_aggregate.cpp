#include "query/hash_aggregate.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <numeric>

#include "query/range_reader.h"
#include "query/scan_operator.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kFewGroups =
    4096;  // tables of at most so many groups are cheap enough to have one for each morsel
constexpr size_t kMostRanges = 256;
constexpr uint32_t kMorselGroups = RowStore::kSegmentRows;

size_t morsels_of(const UnitedGroups& part) {
  return part.live == 0 ? 0 : (part.groups->size() + kMorselGroups - 1) / kMorselGroups;
}

}  // namespace

HashAggregateOperator::HashAggregateOperator(const LogicalPlan& plan, OperatorPtr input,
                                             const ScanOperator* scan)
    : spec_(plan), input_(std::move(input)), scan_(scan), groups_(std::make_shared<AllGroups>()) {}

HashAggregateOperator::~HashAggregateOperator() = default;

bool HashAggregateOperator::counts_only() const {
  const LogicalPlan& plan = spec_.plan;
  return plan.groups.empty() && plan.grouping_sets.empty() && !plan.aggregates.empty() &&
         std::all_of(plan.aggregates.begin(), plan.aggregates.end(), [](const BoundAggregate& a) {
           return a.function->name == "count" && a.arguments.empty() && !a.filter && !a.distinct;
         });
}

// Whether there can be only few groups: none, or by symbols with small dictionaries.
bool HashAggregateOperator::groups_few() const {
  size_t groups = 1;
  for (const BoundPtr& group : spec_.plan.groups) {
    if (!scan_ || !group->is_column() || group->type.id != TypeId::kSymbol) return false;
    const LogicalPlan& scan = scan_->plan();
    groups *= scan.table->schema->columns[scan.scan_columns[group->index]].dictionary->size() + size_t{1};
    if (groups > kFewGroups) return false;
  }
  return true;
}

// Reads the input into ranges of groups, of which some may have put rows out into partitions.
void HashAggregateOperator::read_input(EvaluationState& state) {
  const MorselRanges ranges = groups_few() && !spec_.has_deferred
                                  ? fine_ranges(*input_, *state.context, kMostRanges)
                                  : one_range_per_worker(*input_, *state.context);
  const SpillLimit limit(*state.context);
  std::vector<std::unique_ptr<AggregateRange>> parts(std::max<size_t>(ranges.count, 1));
  SetPartitions partitions;
  std::mutex mutex;
  const auto put_out = [&](size_t range) {
    {
      const std::lock_guard lock(mutex);
      for (size_t set = partitions.size(); set < spec_.sets.size(); ++set) {
        partitions.push_back(spec_.sets[set].empty()
                                 ? nullptr
                                 : std::make_unique<SpillPartitions>(*state.context, spilled_row_types(spec_),
                                                                     parts.size(), 0));
      }
    }
    parts[range]->put_out_to(partitions, range);
  };
  const bool can_put_out =
      std::any_of(spec_.sets.begin(), spec_.sets.end(), [](const auto& set) { return !set.empty(); });
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    parts[range] = std::make_unique<AggregateRange>(spec_, reader.state());
    AggregateRange& part = *parts[range];
    AggregateFolder folder(spec_, reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) {
      part.add(chunk, folder);
      if (can_put_out && !part.puts_out() && limit.reached(part.memory_bytes(), part.next_growth()))
        put_out(range);
    }
    part.finish(folder);
  });
  input_->reset();
  if (!parts[0]) parts[0] = std::make_unique<AggregateRange>(spec_, state);
  if (partitions.empty()) return combine(std::move(parts), state);
  // Ranges that were not begun when another thread failed are not met here: its error was thrown.
  partitions_ =
      std::make_unique<PartitionedAggregate>(spec_, std::move(parts), std::move(partitions), *state.context);
}

void HashAggregateOperator::combine(std::vector<std::unique_ptr<AggregateRange>> ranges,
                                    EvaluationState& state) {
  for (size_t set = 0; set < spec_.sets.size(); ++set) {
    RangeGroups of_set;
    for (const auto& range : ranges) of_set.push_back(std::move(range->groups[set]));
    if (can_unite_groups(spec_, of_set)) {
      for (UnitedGroups& range : unite_groups(spec_, std::move(of_set), *state.context))
        groups_->push_back({set, std::move(range)});
    } else {
      auto all = combine_set(std::move(of_set), state);
      const uint32_t size = all->size();
      groups_->push_back({set, {std::move(all), {}, size}});
    }
  }
}

std::shared_ptr<AggregateGroups> HashAggregateOperator::combine_set(RangeGroups ranges,
                                                                    EvaluationState& state) const {
  std::array<uint32_t, kVectorSize> numbers, ids;
  AggregateGroups& all = *ranges[0];
  std::vector<std::vector<uint32_t>> maps(
      ranges.size());  // groups of a range to those of all; of the first they are the same
  for (size_t r = 1; r < ranges.size(); ++r) {
    AggregateGroups& later = *ranges[r];
    later.seal();
    const auto combine_some = [&](uint32_t first, uint32_t count) {
      if (state.context->cancel) state.context->cancel->check();
      std::iota(ids.begin(), ids.begin() + count, first);
      all.combine(spec_, later, {ids.data(), count}, numbers.data());
      if (spec_.has_deferred) maps[r].insert(maps[r].end(), numbers.begin(), numbers.begin() + count);
    };
    if (all.table) {
      later.table->for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
        all.table->find_or_insert(keys.columns.data(), keys.selection, numbers.data());
        combine_some(first, keys.count());
      });
    } else {
      numbers[0] = 0;
      combine_some(0, 1);
    }
    all.states.adopt_arena(later.states);
    if (!spec_.has_deferred) ranges[r].reset();
  }
  all.seal();
  all.fold_deferred(spec_, ranges, maps, *state.context);
  return std::move(ranges[0]);
}

void HashAggregateOperator::start(EvaluationState& state) {
  ++starts_;
  reset();
  input_->start(state);
  if (scan_ && counts_only() && scan_->is_whole_table()) {
    groups_->push_back({0, {std::make_shared<AggregateGroups>(spec_, 0, state), {}, 1}});
    return;
  }
  read_input(state);
}

size_t HashAggregateOperator::morsel_count() const {
  if (partitions_) return partitions_->morsel_count();
  size_t morsels = 0;
  for (const SetGroups& part : *groups_) morsels += morsels_of(part.united);
  return morsels;
}

uint64_t HashAggregateOperator::row_estimate() const {
  if (partitions_) return partitions_->row_estimate();
  uint64_t rows = 0;
  for (const SetGroups& part : *groups_) rows += part.united.live;
  return rows;
}

void HashAggregateOperator::reset() {
  groups_ = std::make_shared<AllGroups>();
  partitions_.reset();
}

void HashAggregateOperator::describe(OperatorDetails& details) const {
  for (const SetGroups& part : *groups_) details.memory_bytes += part.united.groups->memory_bytes();
  if (!partitions_) return;
  details.memory_bytes = partitions_->memory_bytes();
  details.spilled_bytes = partitions_->spilled_bytes();
}

class HashAggregateOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const HashAggregateOperator& aggregate) : aggregate_(aggregate), all_(aggregate.groups_) {}

  void begin(size_t morsel) override {
    for (part_ = 0; morsel >= morsels_of((*all_)[part_].united); ++part_)
      morsel -= morsels_of((*all_)[part_].united);
    at_ = static_cast<uint32_t>(morsel * kMorselGroups);
    end_ = std::min((*all_)[part_].united.groups->size(), at_ + kMorselGroups);
  }

  bool next(DataChunk* chunk) override {
    while (at_ < end_) {
      const uint32_t first = at_, count = std::min(kVectorSize, end_ - at_);
      at_ += count;
      if (aggregate_.scan_ && aggregate_.counts_only() && aggregate_.scan_->is_whole_table()) {
        const auto rows = static_cast<int64_t>(aggregate_.scan_->table().row_count);
        chunk->columns.assign(aggregate_.spec_.layout.size(),
                              Vector::constant(Value::of_int(TypeId::kBigInt, rows)));
        chunk->set_size(count);
        return true;
      }
      const auto& [set, united] = (*all_)[part_];
      if (united.folded.empty()) {
        read_groups(aggregate_.spec_, set, united.groups, first, count, false, chunk);
        return true;
      }
      auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
      const uint32_t live = united.select(first, count, rows->data());
      if (live == 0) continue;
      read_groups(aggregate_.spec_, set, united.groups, first, count, false, chunk);
      chunk->selection = {rows->data(), live};
      chunk->selection_storage = std::move(rows);
      return true;
    }
    return false;
  }

 private:
  const HashAggregateOperator& aggregate_;
  const std::shared_ptr<const AllGroups> all_;
  size_t part_ = 0;
  uint32_t at_ = 0, end_ = 0;
};

std::unique_ptr<MorselStream> HashAggregateOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(starts_, [this, &state]() -> std::unique_ptr<MorselStream> {
    if (partitions_) return partitions_->open(state);
    return std::make_unique<Stream>(*this);
  });
}

}  // namespace idem
