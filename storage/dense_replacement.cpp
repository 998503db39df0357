#include "storage/dense_replacement.h"

#include <algorithm>

namespace idem {

namespace {

// Replaced rows [begin, end) with ordinals one after the other.
struct ReplacedRun {
  size_t begin = 0, end = 0;
};

std::vector<ReplacedRun> dense_runs(const std::vector<uint64_t>& replaced, uint32_t least) {
  std::vector<ReplacedRun> runs;
  for (size_t begin = 0; begin < replaced.size();) {
    size_t end = begin + 1;
    while (end < replaced.size() && replaced[end] == replaced[end - 1] + 1) ++end;
    if (end - begin >= least) runs.push_back({begin, end});
    begin = end;
  }
  return runs;
}

// Collects the inserted rows anew, in their order.
class InsertedRows {
 public:
  explicit InsertedRows(const PartitionMatch& old) : old_(old) {
    for (const PlaceRun& run : old.inserted) {
      places_.resize(run.first, kNoPlace);
      for (uint32_t i = 0; i < run.count; ++i) places_.push_back(run.place + i);
    }
    places_.resize(old.change.positions.inserted_count(), kNoPlace);
  }

  // Old ones that stand before `ordinal`, or before the row there: from now on before `before`, if that is less.
  void take_old(uint64_t ordinal, uint64_t before) {
    const auto& runs = old_.change.positions.inserted;
    for (; run_ < runs.size() && runs[run_].before <= ordinal; ++run_) {
      for (uint64_t i = 0; i < runs[run_].count; ++i) {
        const uint64_t index = runs[run_].first + i;
        add(std::min(runs[run_].before, before), old_.change.inserted_row(index), places_[index]);
      }
    }
  }
  void add_replacement(size_t index, uint64_t before) {
    const uint32_t place = index < old_.replaced_places.size() ? old_.replaced_places[index] : kNoPlace;
    add(before, old_.change.replaced_rows[index], place);
  }
  uint64_t count() const { return rows_.size(); }
  void give_to(PartitionMatch* match) {
    match->change.positions.inserted = std::move(positions_.inserted);
    match->change.inserted_rows = std::move(rows_);
    match->inserted = std::move(runs_);
  }

 private:
  static constexpr uint32_t kNoPlace = UINT32_MAX;

  void add(uint64_t before, uint32_t row, uint32_t place) {
    if (place != kNoPlace) add_place_run(&runs_, {rows_.size(), 1, place});
    positions_.insert(before, 1);
    rows_.push_back(row);
  }

  const PartitionMatch& old_;
  std::vector<uint32_t> places_;  // of the old ones
  size_t run_ = 0;                // the next of the old runs
  PositionDelta positions_;
  std::vector<uint32_t> rows_;
  std::vector<PlaceRun> runs_;
};

}  // namespace

void RewrittenRows::add(uint64_t ordinal, uint64_t number) {
  const bool joins = !runs_.empty() && runs_.back().ordinal + runs_.back().count == ordinal &&
                     runs_.back().number + runs_.back().count == number;
  if (!joins) runs_.push_back({ordinal, number, 0});
  ++runs_.back().count;
}

std::optional<uint64_t> RewrittenRows::forward(const PositionDelta& delta, uint64_t ordinal) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), ordinal,
                                      [](uint64_t value, const Run& run) { return value < run.ordinal; });
  if (after != runs_.begin()) {
    const Run& run = *std::prev(after);
    if (ordinal < run.ordinal + run.count)
      return delta.place_of_inserted(run.number + (ordinal - run.ordinal));
  }
  return delta.forward(ordinal);
}

PositionDelta::Origin RewrittenRows::backward(const PositionDelta& delta, uint64_t ordinal_after) const {
  const PositionDelta::Origin origin = delta.backward(ordinal_after);
  if (!origin.inserted) return origin;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), origin.index,
                                      [](uint64_t value, const Run& run) { return value < run.number; });
  if (after == runs_.begin()) return origin;
  const Run& run = *std::prev(after);
  if (origin.index >= run.number + run.count) return origin;
  return {false, run.ordinal + (origin.index - run.number)};
}

void insert_dense_replacements(PartitionMatch* match, const LoadLimits& limits, RewrittenRows* rewritten) {
  const std::vector<uint64_t>& replaced = match->change.positions.replaced;
  const std::vector<ReplacedRun> runs = dense_runs(replaced, limits.dense_rows);
  uint64_t rows = 0;
  for (const ReplacedRun& run : runs) rows += run.end - run.begin;
  if (rows == 0 || rows < limits.encoded_rows) return;

  InsertedRows inserted(*match);
  std::vector<uint64_t> moved, left;
  std::vector<uint32_t> left_rows, left_places;
  size_t at = 0;
  const auto leave_until = [&](size_t end) {
    for (; at < end; ++at) {
      left.push_back(replaced[at]);
      left_rows.push_back(match->change.replaced_rows[at]);
      if (at < match->replaced_places.size()) left_places.push_back(match->replaced_places[at]);
    }
  };
  for (const ReplacedRun& run : runs) {
    leave_until(run.begin);
    const uint64_t before = replaced[run.begin];
    for (; at < run.end; ++at) {
      inserted.take_old(replaced[at], before);
      rewritten->add(replaced[at], inserted.count());
      inserted.add_replacement(at, before);
      moved.push_back(replaced[at]);
    }
  }
  leave_until(replaced.size());
  inserted.take_old(UINT64_MAX, UINT64_MAX);
  inserted.give_to(match);

  std::vector<uint64_t>& deleted = match->change.positions.deleted;
  const auto middle = static_cast<ptrdiff_t>(deleted.size());
  deleted.insert(deleted.end(), moved.begin(), moved.end());
  std::inplace_merge(deleted.begin(), deleted.begin() + middle, deleted.end());
  match->change.positions.replaced = std::move(left);
  match->change.replaced_rows = std::move(left_rows);
  match->replaced_places = std::move(left_places);
}

}  // namespace idem
