#include "query/range_aggregate.h"

#include <algorithm>
#include <array>

namespace idem {

namespace {

constexpr size_t kFanout = 16;

constexpr std::array<uint16_t, kVectorSize> kAllRows = [] {
  std::array<uint16_t, kVectorSize> rows{};
  for (uint32_t i = 0; i < kVectorSize; ++i) rows[i] = static_cast<uint16_t>(i);
  return rows;
}();

}  // namespace

RangeAggregate::RangeAggregate(const BoundAggregate& aggregate, MemoryBudget* budget)
    : aggregate_(aggregate),
      stride_(std::max<uint32_t>((aggregate.function->state_size + 7) / 8 * 8, 8)),
      arena_(std::make_unique<AggregateArena>()),
      memory_(budget) {}

void RangeAggregate::clear() {
  rows_ = 0;
  chunks_.clear();
  levels_.clear();
  arena_ = std::make_unique<AggregateArena>();
  memory_.set(0);
}

void RangeAggregate::append(std::vector<Vector> arguments, uint32_t count,
                            std::optional<std::vector<uint16_t>> passing) {
  uint64_t bytes = passing ? passing->size() * sizeof(uint16_t) : 0;
  for (const Vector& argument : arguments) bytes += count * physical_size(physical_type(argument.type));
  memory_.set(memory_.bytes() + bytes);
  chunks_.push_back({std::move(arguments), count, std::move(passing)});
  rows_ += count;
}

void RangeAggregate::fold_rows(size_t from, size_t to, char* state, AggregateArena& arena) const {
  while (from < to) {
    const Chunk& chunk = chunks_[from / kVectorSize];
    const auto first = static_cast<uint32_t>(from % kVectorSize);
    const auto count = static_cast<uint32_t>(std::min<size_t>(to - from, chunk.count - first));
    Selection rows{count == chunk.count ? nullptr : kAllRows.data() + first, count};
    if (chunk.passing) {
      const auto low = std::lower_bound(chunk.passing->begin(), chunk.passing->end(), first);
      const auto high = std::lower_bound(low, chunk.passing->end(), first + count);
      rows = {chunk.passing->data() + (low - chunk.passing->begin()), static_cast<uint32_t>(high - low)};
    }
    if (rows.count > 0)
      aggregate_.function->update(state, stride_, nullptr, aggregate_.types, chunk.arguments, chunk.count,
                                  rows, arena);
    from += count;
  }
}

// Rows up to a multiple of 16, states of level 1 up to a multiple of 256, …, and back down.
void RangeAggregate::fold(size_t from, size_t to, char* state, AggregateArena& arena) const {
  if (to - from <= kShortRange || !has_levels()) return fold_rows(from, to, state, arena);
  climb(0, from, to, state, arena);
}

void RangeAggregate::climb(size_t level, size_t from, size_t to, char* state, AggregateArena& arena) const {
  const size_t inner_from = (from + kFanout - 1) / kFanout, inner_to = to / kFanout;
  if (level >= levels_.size() || inner_from >= inner_to) return take(level, from, to, state, arena);
  take(level, from, inner_from * kFanout, state, arena);
  climb(level + 1, inner_from, inner_to, state, arena);
  take(level, inner_to * kFanout, to, state, arena);
}

// Level 0 is the rows themselves.
void RangeAggregate::take(size_t level, size_t from, size_t to, char* state, AggregateArena& arena) const {
  if (from >= to) return;
  if (level == 0) return fold_rows(from, to, state, arena);
  const char* states = levels_[level - 1].data();
  for (size_t i = from; i < to; ++i)
    aggregate_.function->combine(state, states + i * stride_, aggregate_.types, arena);
}

void RangeAggregate::build_levels() {
  size_t below = rows_;
  do {
    const size_t count = (below + kFanout - 1) / kFanout;
    memory_.set(memory_.bytes() + count * stride_);
    std::vector<char> level(count * stride_);
    for (size_t i = 0; i < count; ++i) {
      char* state = level.data() + i * stride_;
      aggregate_.function->init(state);
      take(levels_.size(), i * kFanout, std::min((i + 1) * kFanout, below), state, *arena_);
    }
    levels_.push_back(std::move(level));
    below = count;
  } while (below > kFanout);
  memory_.set(memory_.bytes() + arena_->bytes());
}

}  // namespace idem
