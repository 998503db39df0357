#include "storage/shared_change.h"

#include <algorithm>
#include <cassert>

namespace idem {

namespace {

// How many of the rows that were counted belong to owners below one: a binary indexed tree (Fenwick, "A New Data Structure for
// Cumulative Frequency Tables", 1994).
class CountsByOwner {
 public:
  explicit CountsByOwner(uint32_t owners) : sums_(size_t{owners} + 1, 0) {}
  void add(uint32_t owner) {
    for (size_t i = size_t{owner} + 1; i < sums_.size(); i += i & (~i + 1)) ++sums_[i];
  }
  uint64_t below(uint32_t owner) const {
    uint64_t sum = 0;
    for (size_t i = owner; i > 0; i -= i & (~i + 1)) sum += sums_[i];
    return sum;
  }

 private:
  std::vector<uint32_t> sums_;
};

void add_inserted(PartitionChange* change, uint64_t before, uint32_t row) {
  const uint64_t count = change->positions.inserted_count();
  if (count == 0) {
    change->first_inserted = row;
  } else {
    if (change->inserted_rows.empty()) change->inserted_rows.push_back(change->first_inserted);
    change->inserted_rows.push_back(row);
  }
  change->positions.insert(before, 1);
}

}  // namespace

std::vector<OwnChange> take_apart(const PartitionChange& whole, const std::vector<uint32_t>& owners) {
  assert(whole.positions.deleted.empty() && whole.encoded.empty());
  const uint32_t count = owners.empty() ? 0 : *std::max_element(owners.begin(), owners.end()) + 1;
  std::vector<OwnChange> parts(count);
  for (uint32_t owner = 0; owner < count; ++owner) {
    parts[owner].owner = owner;
    parts[owner].change.start = whole.start;
    parts[owner].change.rows = whole.rows;
  }
  CountsByOwner inserted(count);  // of the rows before the place that was reached
  size_t next_replaced = 0;
  const auto replace_below = [&](uint64_t end) {
    for (; next_replaced < whole.positions.replaced.size() && whole.positions.replaced[next_replaced] < end;
         ++next_replaced) {
      const uint32_t row = whole.replaced_rows[next_replaced];
      PartitionChange& change = parts[owners[row]].change;
      change.positions.replaced.push_back(whole.positions.replaced[next_replaced] +
                                          inserted.below(owners[row]));
      change.replaced_rows.push_back(row);
    }
  };
  for (const PositionDelta::InsertRun& run : whole.positions.inserted) {
    replace_below(run.before);
    for (uint64_t i = run.first; i < run.first + run.count; ++i) {
      const uint32_t row = whole.inserted_row(i), owner = owners[row];
      add_inserted(&parts[owner].change, run.before + inserted.below(owner), row);
      inserted.add(owner);
    }
  }
  replace_below(UINT64_MAX);
  std::erase_if(parts, [](const OwnChange& part) { return part.change.empty(); });
  return parts;
}

}  // namespace idem
