#include "storage/changed_times.h"

#include <algorithm>

#include "storage/partition_difference.h"

namespace idem {

namespace {

bool same_columns(const TableSchema& a, const TableSchema& b) {
  return &a == &b || (a.timestamp_column == b.timestamp_column &&
                      std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                                 [](const ColumnSchema& x, const ColumnSchema& y) {
                                   return x.id == y.id && x.name == y.name && x.type == y.type;
                                 }));
}

bool same_rows(const Slice& a, const Slice& b) {
  return a.group == b.group && a.begin == b.begin && a.end == b.end && a.overlay == b.overlay;
}

// Whether `after` shows the rows of `before` and others behind them.
bool has_grown(const Slice& before, const Slice& after) {
  return before.group == after.group && before.begin == after.begin && before.end < after.end &&
         !before.overlay && !after.overlay;
}

// The times of slices [begin, end) of a partition.
void add_slices(const Partition& partition, size_t begin, size_t end, std::vector<TimeRange>* ranges) {
  for (size_t i = begin; i < end; ++i) ranges->push_back({partition.slice_min[i], partition.slice_max[i]});
}

void add_changed(const Partition& before, const Partition& after, std::vector<TimeRange>* ranges) {
  if (before.content_id == after.content_id) return;
  size_t first = 0, end_before = before.slices.size(), end_after = after.slices.size();
  while (first < end_before && first < end_after && same_rows(before.slices[first], after.slices[first]))
    ++first;
  while (end_before > first && end_after > first &&
         same_rows(before.slices[end_before - 1], after.slices[end_after - 1])) {
    --end_before;
    --end_after;
  }
  if (first < end_before && first < end_after && has_grown(before.slices[first], after.slices[first])) {
    ranges->push_back({before.slice_max[first], after.slice_max[first]});
    ++first;
  }
  add_slices(before, first, end_before, ranges);
  add_slices(after, first, end_after, ranges);
}

}  // namespace

std::vector<TimeRange> joined_ranges(std::vector<TimeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const TimeRange& a, const TimeRange& b) { return a.min < b.min; });
  std::vector<TimeRange> joined;
  for (const TimeRange& range : ranges) {
    if (joined.empty() || (joined.back().max < range.min && joined.back().max + 1 < range.min)) {
      joined.push_back(range);
    } else {
      joined.back().max = std::max(joined.back().max, range.max);
    }
  }
  return joined;
}

std::optional<std::vector<TimeRange>> changed_times(const TableVersion& before, const TableVersion& after) {
  if (!after.schema->has_timestamp() || !same_columns(*before.schema, *after.schema)) return std::nullopt;
  std::vector<TimeRange> ranges;
  for_each_changed_partition(before.partitions, after.partitions,
                             [&](int64_t, const auto& old, const auto& now) {
                               if (old && now) {
                                 add_changed(*old, *now, &ranges);
                               } else {
                                 const Partition& only = old ? *old : *now;
                                 add_slices(only, 0, only.slices.size(), &ranges);
                               }
                             });
  return joined_ranges(std::move(ranges));
}

}  // namespace idem
