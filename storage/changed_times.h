#pragma once

#include <optional>
#include <vector>

#include "storage/table_version.h"

namespace idem {

// Times of the designated timestamp, both inclusive; microseconds.
struct TimeRange {
  int64_t min = 0, max = 0;
  bool operator==(const TimeRange&) const = default;
};

// In which times the rows of two versions of one table may differ: ascending, disjoint. Nothing: that can not be told, since the
// table has no designated timestamp, or its columns have changed. Reads no row: slices that both versions share hold the same
// rows, and of one that has only grown at its end what is new comes behind what was there.
//
//   before   │ A 0–100 │ B 0–50 │            │ C 0–80 │
//   after    │ A 0–100 │ B 0–70 │            │ C 0–80 + overlay │
//   changed              ├ last of B 0–50 … B 0–70 ┤  ├ all of C ┤
//
std::optional<std::vector<TimeRange>> changed_times(const TableVersion& before, const TableVersion& after);

// Ranges in any order, joined where they meet: ascending and disjoint.
std::vector<TimeRange> joined_ranges(std::vector<TimeRange> ranges);

}  // namespace idem
