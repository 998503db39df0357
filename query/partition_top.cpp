#include "query/partition_top.h"

#include <algorithm>
#include <array>

#include "query/sort_ordinal.h"
#include "query/sort_threshold.h"

namespace idem {

namespace {

constexpr uint64_t kUnset = UINT64_MAX;     // of a bound: any rank is within it
constexpr uint64_t kLast = UINT64_MAX - 1;  // the largest rank
constexpr size_t kLeastShrink = size_t{1} << 17;

// Calls fn(i, value) for the selected rows of a flat or constant vector.
template <class T, class F>
void for_values(const Vector& vector, Selection selection, F&& fn) {
  const T* values = vector.values<T>();
  const uint32_t mask = vector.is_constant() ? 0 : ~0U;
  for (uint32_t i = 0; i < selection.count; ++i) fn(i, values[selection[i] & mask]);
}

}  // namespace

PartitionTop::PartitionTop(const Spec& spec, MemoryBudget* budget)
    : spec_(spec),
      budget_(budget),
      limit_(spec.limit),
      rows_(RowStore::make(spec.types, budget)),
      shrink_at_(kLeastShrink),
      memory_(budget),
      partition_of_row_(kVectorSize),
      ranks_(kVectorSize),
      accepted_(kVectorSize) {
  std::vector<SqlType> types;
  for (const uint32_t column : spec.partition) {
    if (column == spec.rising) continue;
    key_columns_.push_back(column);
    types.push_back(spec.types[column]);
  }
  if (!types.empty()) keys_ = std::make_unique<GroupTable>(std::move(types), budget);
  key_values_.resize(key_columns_.size());
  exact_ = spec.ties == Ties::kRowNumber && (spec.by != Order::kByKey || spec.order.size() == 1);
}

inline uint32_t PartitionTop::partition_of(int64_t time, uint32_t key) {
  if (time_ != time) {
    time_ = time;
    first_of_time_ = static_cast<uint32_t>(timed_.size());
  }
  uint32_t& last = last_of_key_[key];
  if (last <= first_of_time_) {
    timed_.push_back({time, key});
    last = static_cast<uint32_t>(timed_.size());
  }
  return last - 1;
}

void PartitionTop::find_partitions(const DataChunk& chunk) {
  uint32_t* partitions = partition_of_row_.data();
  for (size_t k = 0; k < key_columns_.size(); ++k) key_values_[k] = chunk.columns[key_columns_[k]];
  if (keys_) {
    keys_->find_or_insert(key_values_.data(), chunk.selection, partitions);
  } else {
    std::fill_n(partitions, chunk.count(), 0u);
  }
  const uint32_t keys = keys_ ? keys_->size() : 1;
  if (spec_.rising == UINT32_MAX) {
    partitions_ = keys;
    return;
  }
  if (last_of_key_.size() < keys) last_of_key_.resize(keys, 0);
  const Vector time = flatten(chunk.columns[spec_.rising], chunk.size, chunk.selection, false);
  for_values<int64_t>(time, chunk.selection,
                      [&](uint32_t i, int64_t t) { partitions[i] = partition_of(t, partitions[i]); });
  partitions_ = static_cast<uint32_t>(timed_.size());
}

void PartitionTop::find_ranks(const DataChunk& chunk) {
  uint64_t* ranks = ranks_.data();
  if (spec_.by != Order::kByKey) {
    const uint64_t flip = spec_.by == Order::kLatestFirst ? kLast : 0;
    for (uint32_t i = 0; i < chunk.count(); ++i) {
      const uint64_t place = arrived_ + i;
      ranks[i] = flip ? flip - place : place;
    }
    arrived_ += chunk.count();
    return;
  }
  const SortColumn& key = spec_.order[0];
  const Vector& column = chunk.columns[key.column];
  const auto all_equal = [&] {
    std::fill_n(ranks, chunk.count(), uint64_t{0});
    exact_ = false;
  };
  if (column.type.id == TypeId::kSymbol || column.dictionary || is_oid_like(column.type.id))
    return all_equal();
  const Vector flat = flatten(column, chunk.size, chunk.selection, false);
  const uint64_t flip = key.descending ? ~uint64_t{0} : 0;
  const auto put_integers = [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    for_values<T>(flat, chunk.selection,
                  [&](uint32_t i, T v) { ranks[i] = ordered_bits(static_cast<int64_t>(v)) ^ flip; });
  };
  const auto put_reals = [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    for_values<T>(flat, chunk.selection,
                  [&](uint32_t i, T v) { ranks[i] = ordered_bits(static_cast<double>(v)) ^ flip; });
  };
  switch (physical_type(column.type)) {
    case PhysicalType::kInt16: put_integers(static_cast<int16_t*>(nullptr)); break;
    case PhysicalType::kInt32: put_integers(static_cast<int32_t*>(nullptr)); break;
    case PhysicalType::kInt64: put_integers(static_cast<int64_t*>(nullptr)); break;
    case PhysicalType::kFloat: put_reals(static_cast<float*>(nullptr)); break;
    case PhysicalType::kDouble: put_reals(static_cast<double*>(nullptr)); break;
    case PhysicalType::kString:
      if (column.type.id != TypeId::kVarchar && column.type.id != TypeId::kText) return all_equal();
      exact_ = false;
      for_values<std::string_view>(
          flat, chunk.selection, [&](uint32_t i, std::string_view v) { ranks[i] = string_prefix(v) ^ flip; });
      break;
    default: return all_equal();
  }
  uint64_t largest = 0;
  for (uint32_t i = 0; i < chunk.count(); ++i) largest = std::max(largest, ranks[i]);
  if (largest > kLast) {
    exact_ = false;
    for (uint32_t i = 0; i < chunk.count(); ++i) ranks[i] = std::min(ranks[i], kLast);
  }
  if (!flat.may_have_nulls()) return;
  exact_ = false;
  for (uint32_t i = 0; i < chunk.count(); ++i) {
    if (!flat.is_valid(chunk.selection[i])) ranks[i] = key.nulls_first ? 0 : kLast;
  }
}

void PartitionTop::make_bounds() { bounds_.resize(partitions_ * limit_, kUnset); }

// Whether a row of this rank may count.
inline bool PartitionTop::offer(uint32_t partition, uint64_t rank) {
  if (limit_ > 1) return offer_many(partition, rank);
  uint64_t& bound = bounds_[partition];
  if (exact_ ? rank >= bound : rank > bound) return false;
  bound = rank;
  return true;
}

bool PartitionTop::offer_many(uint32_t partition, uint64_t rank) {
  uint64_t* const first = bounds_.data() + partition * limit_;
  uint64_t* const last = first + limit_ - 1;
  if (exact_ ? rank >= *last : rank > *last) return false;
  uint64_t* at = std::upper_bound(first, last + 1, rank);
  if (spec_.ties == Ties::kDenseRank && at != first && at[-1] == rank) return true;
  if (at > last) return true;  // as good as the worst that counts
  std::copy_backward(at, last, last + 1);
  *at = rank;
  return true;
}

void PartitionTop::add(const DataChunk& chunk) {
  if (chunk.count() == 0) return;
  find_partitions(chunk);
  find_ranks(chunk);
  make_bounds();
  const uint32_t count = chunk.count();
  uint32_t accepted = 0;
  // Latest first: from the chunk's end, so that what comes before it is rejected at once.
  const bool backwards = spec_.by == Order::kLatestFirst;
  if (limit_ == 1 && exact_) {
    const uint32_t* partitions = partition_of_row_.data();
    const uint64_t* ranks = ranks_.data();
    uint64_t* bounds = bounds_.data();
    uint16_t* out = accepted_.data();
    for (uint32_t n = 0; n < count; ++n) {
      const uint32_t i = backwards ? count - 1 - n : n;
      uint64_t& bound = bounds[partitions[i]];
      if (ranks[i] >= bound) continue;
      bound = ranks[i];
      out[accepted++] = static_cast<uint16_t>(i);
    }
  } else {
    for (uint32_t n = 0; n < count; ++n) {
      const uint32_t i = backwards ? count - 1 - n : n;
      accepted_[accepted] = static_cast<uint16_t>(i);
      accepted += offer(partition_of_row_[i], ranks_[i]) ? 1 : 0;
    }
  }
  if (accepted == 0) return;
  if (backwards) std::reverse(accepted_.begin(), accepted_.begin() + accepted);
  std::array<uint16_t, kVectorSize> positions;
  const size_t before = candidates_.size();
  for (uint32_t n = 0; n < accepted; ++n) {
    const uint32_t i = accepted_[n];
    positions[n] = static_cast<uint16_t>(chunk.selection[i]);
    candidates_.push_back({0, partition_of_row_[i], ranks_[i]});
  }
  const uint32_t id = rows_->next_id();  // segments are full but for the last, so ids have no gaps
  rows_->append(chunk.columns, {positions.data(), accepted});
  for (uint32_t n = 0; n < accepted; ++n) candidates_[before + n].id = id + n;
  if (candidates_.size() >= shrink_at_) shrink();
  memory_.set(bounds_.capacity() * sizeof(uint64_t) + candidates_.capacity() * sizeof(Candidate) +
              timed_.capacity() * sizeof(TimedPartition) + last_of_key_.capacity() * sizeof(uint32_t));
}

// Throws out rows that better ones have put behind the bound since.
void PartitionTop::shrink() {
  const size_t before = candidates_.size();
  std::erase_if(candidates_, [&](const Candidate& c) { return c.rank > bound_of(c.partition); });
  shrink_at_ = std::max(kLeastShrink, 2 * candidates_.size());
  if (candidates_.size() > before / 4 * 3) return;
  rows_->seal();
  std::shared_ptr<RowStore> kept = RowStore::make(spec_.types, budget_);
  std::vector<uint32_t> ids(kVectorSize);
  DataChunk chunk;
  for (size_t first = 0; first < candidates_.size(); first += kVectorSize) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, candidates_.size() - first));
    for (uint32_t i = 0; i < count; ++i) ids[i] = candidates_[first + i].id;
    rows_->gather(ids.data(), count, &chunk);
    const uint32_t id = kept->next_id();
    kept->append(chunk);
    for (uint32_t i = 0; i < count; ++i) candidates_[first + i].id = id + i;
  }
  rows_ = std::move(kept);
}

void PartitionTop::merge(PartitionTop&& other) {
  exact_ = exact_ && other.exact_;
  std::vector<uint32_t> map;
  if (keys_) {
    map.resize(other.keys_->size());
    std::vector<uint32_t> chunk_keys(kVectorSize);
    other.keys_->for_each_key_chunk([&](const DataChunk& chunk, uint32_t first) {
      keys_->find_or_insert(chunk.columns.data(), chunk.selection, chunk_keys.data());
      std::copy(chunk_keys.begin(), chunk_keys.begin() + chunk.count(), map.begin() + first);
    });
    partitions_ = keys_->size();
  } else {
    map.assign(1, 0);
    partitions_ = 1;
  }
  if (spec_.rising != UINT32_MAX) {
    last_of_key_.resize(keys_ ? keys_->size() : 1, 0);
    std::vector<uint32_t> timed(other.timed_.size());
    for (size_t p = 0; p < timed.size(); ++p)
      timed[p] = partition_of(other.timed_[p].time, map[other.timed_[p].key]);
    map = std::move(timed);
    partitions_ = static_cast<uint32_t>(timed_.size());
  }
  make_bounds();
  const uint32_t shift = rows_->take(std::move(*other.rows_));
  for (const Candidate& c : other.candidates_) {
    if (c.rank > other.bound_of(c.partition)) continue;
    uint64_t rank = c.rank;
    if (spec_.by == Order::kArrival) rank += arrived_;
    if (spec_.by == Order::kLatestFirst) rank -= arrived_;
    if (offer(map[c.partition], rank)) candidates_.push_back({c.id + shift, map[c.partition], rank});
  }
  arrived_ += other.arrived_;
}

std::vector<uint32_t> PartitionTop::finish() {
  std::vector<uint32_t> ids;
  ids.reserve(candidates_.size());
  for (const Candidate& c : candidates_) {
    if (c.rank <= bound_of(c.partition)) ids.push_back(c.id);
  }
  candidates_.clear();
  rows_->seal();
  return ids;
}

}  // namespace idem
