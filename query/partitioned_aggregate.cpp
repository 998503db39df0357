#include "query/partitioned_aggregate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/row_source.h"

namespace idem {

namespace {

// Divides rows into those of a group that has a number, whose numbers move to the front, and others.
struct DividedRows {
  std::array<uint16_t, kVectorSize> known_rows, other_rows;
  uint32_t known = 0, others = 0;

  DividedRows(Selection rows, uint32_t* numbers) {
    for (uint32_t i = 0; i < rows.count; ++i) {
      if (numbers[i] == GroupTable::kNoGroup) {
        other_rows[others++] = static_cast<uint16_t>(rows[i]);
      } else {
        numbers[known] = numbers[i];
        known_rows[known++] = static_cast<uint16_t>(rows[i]);
      }
    }
  }
  Selection known_selection() const { return {known_rows.data(), known}; }
  Selection other_selection() const { return {other_rows.data(), others}; }
};

// Writes the rows of groups that nobody knows, with the keys behind their columns.
void put_rows_out(const DataChunk& input, const std::vector<Vector>& keys,
                  const std::vector<Vector>& set_keys, Selection rows, KeyHasher& hasher,
                  SpillPartitions::Writer& writer) {
  if (rows.count == 0) return;
  std::array<uint64_t, kVectorSize> hashes;
  hasher.hash(set_keys.data(), set_keys.size(), rows, hashes.data());
  std::vector<Vector> columns = input.columns;
  columns.insert(columns.end(), keys.begin(), keys.end());
  writer.append(columns, rows, hashes.data());
}

}  // namespace

std::vector<SqlType> spilled_row_types(const AggregateSpec& spec) {
  std::vector<SqlType> types = column_types(*spec.plan.children[0]);
  for (const BoundPtr& group : spec.plan.groups) types.push_back(group->type);
  return types;
}

AggregateRange::AggregateRange(const AggregateSpec& spec, EvaluationState& state) : spec_(spec) {
  for (size_t set = 0; set < spec.sets.size(); ++set) {
    groups.push_back(std::make_unique<AggregateGroups>(spec, set, state));
    // Rows of groups that it forgets may be put out: they meet where the partition is worked up.
    if (groups.back()->table) groups.back()->table->expect_time_order();
  }
}

uint64_t AggregateRange::memory_bytes() const {
  uint64_t bytes = 0;
  for (const auto& set : groups) bytes += set->memory_bytes();
  return bytes;
}

uint64_t AggregateRange::next_growth() const {
  uint64_t bytes = 0;
  for (const auto& set : groups) bytes += set->next_growth();
  return bytes;
}

void AggregateRange::put_out_to(const SetPartitions& partitions, size_t number) {
  for (size_t set = 0; set < groups.size(); ++set) {
    writers_.push_back(partitions[set] ? std::make_unique<SpillPartitions::Writer>(*partitions[set], number)
                                       : nullptr);
    probes_.push_back(partitions[set] ? std::make_unique<GroupTable::Probe>(*groups[set]->table) : nullptr);
  }
}

void AggregateRange::add(const DataChunk& input, AggregateFolder& folder) {
  folder.take(input);
  if (!puts_out() && folder.fold_dense()) return folder.release();
  for (size_t set = 0; set < groups.size(); ++set) {
    if (!puts_out() || !writers_[set]) {
      folder.fold(set, *groups[set]);
      continue;
    }
    const std::vector<Vector>& keys = folder.keys_of_set(set);
    if (spec_.has_deferred) {
      put_rows_out(input, folder.keys(), keys, input.selection, hasher_, *writers_[set]);
      continue;
    }
    std::array<uint32_t, kVectorSize> numbers;
    probes_[set]->find(keys.data(), input.selection, true, numbers.data());
    const DividedRows rows(input.selection, numbers.data());
    put_rows_out(input, folder.keys(), keys, rows.other_selection(), hasher_, *writers_[set]);
    folder.fold_known(rows.known_selection(), numbers.data(), *groups[set]);
  }
  folder.release();
}

void AggregateRange::finish(AggregateFolder& folder) {
  folder.flush_dense(*groups[0]);
  for (const auto& writer : writers_) {
    if (writer) writer->finish();
  }
  writers_.clear();
  probes_.clear();
}

PartitionedAggregate::PartitionedAggregate(const AggregateSpec& spec,
                                           std::vector<std::unique_ptr<AggregateRange>> ranges,
                                           SetPartitions partitions, const ExecutionContext& context)
    : spec_(spec),
      ranges_(std::make_shared<std::vector<std::unique_ptr<AggregateRange>>>(std::move(ranges))),
      partitions_(std::make_move_iterator(partitions.begin()), std::make_move_iterator(partitions.end())),
      limit_(context),
      ids_(spec.sets.size()) {
  KeyHasher hasher;
  std::array<uint64_t, kVectorSize> hashes;
  for (size_t set = 0; set < spec.sets.size(); ++set) {
    const uint32_t count = partitions_[set] ? SpillPartitions::kCount : 1;
    for (uint32_t p = 0; p < count; ++p) morsels_.push_back({set, p});
    ids_[set].assign(count, GroupIds(ranges_->size()));
    for (const auto& range : *ranges_) range->groups[set]->seal();
    if (!partitions_[set]) continue;
    for (size_t r = 0; r < ranges_->size(); ++r) {
      if (context.cancel) context.cancel->check();
      GroupTable& table = *(*ranges_)[r]->groups[set]->table;
      table.for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
        hasher.hash(keys.columns.data(), keys.columns.size(), keys.selection, hashes.data());
        for (uint32_t i = 0; i < keys.count(); ++i)
          ids_[set][SpillPartitions::partition_of(hashes[i], 0)][r].push_back(first + i);
      });
    }
  }
}

PartitionedAggregate::~PartitionedAggregate() = default;

uint64_t PartitionedAggregate::row_estimate() const {
  uint64_t rows = 0;
  for (const auto& partitions : partitions_) rows += partitions ? partitions->rows() : 1;
  return rows;
}

uint64_t PartitionedAggregate::memory_bytes() const {
  uint64_t bytes = 0;
  for (const auto& range : *ranges_) bytes += range->memory_bytes();
  return bytes;
}

uint64_t PartitionedAggregate::spilled_bytes() const {
  uint64_t bytes = 0;
  for (const auto& partitions : partitions_) bytes += partitions ? partitions->file()->bytes() : 0;
  return bytes;
}

// Makes the groups of one partition after the other, by one thread.
class PartitionedAggregate::Stream final : public MorselStream {
 public:
  Stream(const PartitionedAggregate& aggregate, EvaluationState& state)
      : all_(aggregate),
        spec_(aggregate.spec_),
        context_(*state.context),
        state_(state),
        folder_(spec_, state_) {
    context_.workers = nullptr;  // the partitions are divided among threads
    state_.context = &context_;
  }

  void begin(size_t morsel) override {
    groups_.reset();
    tasks_.clear();
    const Morsel& m = all_.morsels_[morsel];
    set_ = m.set;
    tasks_.push_back({all_.partitions_[set_], m.partition, 1, all_.ids_[set_][m.partition]});
  }

  bool next(DataChunk* chunk) override {
    for (;;) {
      if (groups_ && at_ < groups_->size()) {
        const uint32_t count = std::min(kVectorSize, groups_->size() - at_);
        read_groups(spec_, set_, groups_, at_, count, true, chunk);
        at_ += count;
        return true;
      }
      groups_.reset();
      if (tasks_.empty()) return false;
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      run(task);
    }
  }

 private:
  // A partition: of each range groups in memory, then rows that were put out.
  struct Task {
    std::shared_ptr<SpillPartitions> rows;  // null for a set of one group
    uint32_t partition;
    uint32_t level;  // of those that it is divided into
    GroupIds ids;
  };

  void run(const Task& task) {
    auto groups = std::make_shared<AggregateGroups>(spec_, set_, state_);
    groups->sources = all_.ranges_;
    known_.reset();
    further_.reset();
    further_ids_.clear();
    at_ = 0;
    for (size_t r = 0; r < all_.ranges_->size(); ++r) {
      combine_range(task, r, *groups);
      if (task.rows) fold_range(task, r, *groups);
    }
    if (further_) {
      for (uint32_t p = SpillPartitions::kCount; p-- > 0;)
        tasks_.push_back({further_, p, task.level + 1, std::move(further_ids_[p])});
    }
    groups->finish(spec_, context_);
    groups_ = std::move(groups);
  }

  // The groups that a range has in memory.
  void combine_range(const Task& task, size_t range, AggregateGroups& groups) {
    const AggregateGroups& later = *(*all_.ranges_)[range]->groups[set_];
    std::vector<uint32_t> map;
    if (spec_.has_deferred) map.assign(later.size(), GroupTable::kNoGroup);
    std::array<uint32_t, kVectorSize> numbers;
    const auto combine = [&](std::span<const uint32_t> ids) {
      groups.combine(spec_, later, ids, numbers.data());
      for (size_t i = 0; i < ids.size() && spec_.has_deferred; ++i) map[ids[i]] = numbers[i];
    };
    if (!task.rows) {
      const uint32_t only = 0;
      numbers[0] = 0;
      combine({&only, 1});
    }
    const std::span<const uint32_t> ids = task.ids[range];
    DataChunk keys;
    for (size_t first = 0; first < ids.size(); first += kVectorSize) {
      if (context_.cancel) context_.cancel->check();
      const std::span<const uint32_t> some =
          ids.subspan(first, std::min<size_t>(kVectorSize, ids.size() - first));
      later.table->keys()->gather(some.data(), static_cast<uint32_t>(some.size()), &keys);
      if (known_) {
        combine_known(task, range, keys, some, groups);
        continue;
      }
      groups.table->find_or_insert(keys.columns.data(), keys.selection, numbers.data());
      combine(some);
      if (is_full(task, groups)) divide(task, groups);
    }
    groups.combine_deferred(later, map);
  }

  // Of groups that a range has in memory those that are among the ones at hand; the others are left for their partition.
  void combine_known(const Task& task, size_t range, const DataChunk& keys, std::span<const uint32_t> ids,
                     AggregateGroups& groups) {
    std::array<uint32_t, kVectorSize> numbers, known_ids;
    std::array<uint64_t, kVectorSize> hashes;
    known_->find(keys.columns.data(), keys.selection, true, numbers.data());
    hasher_.hash(keys.columns.data(), keys.columns.size(), keys.selection, hashes.data());
    uint32_t known = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (numbers[i] == GroupTable::kNoGroup) {
        further_ids_[SpillPartitions::partition_of(hashes[i], task.level)][range].push_back(ids[i]);
      } else {
        numbers[known] = numbers[i];
        known_ids[known++] = ids[i];
      }
    }
    groups.combine(spec_, *(*all_.ranges_)[range]->groups[set_], {known_ids.data(), known}, numbers.data());
  }

  // The rows that a range has put out.
  void fold_range(const Task& task, size_t range, AggregateGroups& groups) {
    std::optional<SpillPartitions::Writer> writer;
    const size_t key_columns = spec_.plan.groups.size();
    DataChunk chunk;
    for (const SpillBlock& block : task.rows->blocks(task.partition, range)) {
      if (context_.cancel) context_.cancel->check();
      task.rows->file()->read(block, scratch_, &chunk);
      folder_.take(chunk, chunk.columns.data() + chunk.columns.size() - key_columns);
      if (!known_) {
        folder_.fold(set_, groups);
        if (is_full(task, groups)) divide(task, groups);
      } else {
        if (!writer) writer.emplace(*further_, range);
        const std::vector<Vector>& keys = folder_.keys_of_set(set_);
        std::array<uint32_t, kVectorSize> numbers;
        known_->find(keys.data(), chunk.selection, true, numbers.data());
        const DividedRows rows(chunk.selection, numbers.data());
        DataChunk input = chunk;
        input.columns.resize(chunk.columns.size() - key_columns);
        put_rows_out(input, folder_.keys(), keys, rows.other_selection(), hasher_, *writer);
        folder_.fold_known(rows.known_selection(), numbers.data(), groups);
      }
      folder_.release();
    }
    if (writer) writer->finish();
  }

  bool is_full(const Task& task, const AggregateGroups& groups) const {
    if (known_ || spec_.has_deferred || task.level >= SpillPartitions::kMostLevels) return false;
    return all_.limit_.reached_again(groups.memory_bytes(), groups.next_growth());
  }

  // From now on no groups are added to those at hand.
  void divide(const Task& task, const AggregateGroups& groups) {
    known_.emplace(*groups.table);
    further_ = std::make_shared<SpillPartitions>(context_, spilled_row_types(spec_), all_.ranges_->size(),
                                                 task.level);
    further_ids_.assign(SpillPartitions::kCount, GroupIds(all_.ranges_->size()));
  }

  const PartitionedAggregate& all_;
  const AggregateSpec& spec_;
  ExecutionContext context_;
  EvaluationState state_;
  AggregateFolder folder_;
  KeyHasher hasher_;
  SpillFile::Scratch scratch_;
  size_t set_ = 0;
  std::vector<Task> tasks_;  // the last one is next
  std::shared_ptr<const AggregateGroups> groups_;
  uint32_t at_ = 0;
  std::optional<GroupTable::Probe> known_;    // set: the groups at hand are all that fit
  std::shared_ptr<SpillPartitions> further_;  // for the others
  std::vector<GroupIds> further_ids_;         // by partition of further_
};

std::unique_ptr<MorselStream> PartitionedAggregate::open(EvaluationState& state) const {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
