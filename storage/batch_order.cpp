#include "storage/batch_order.h"

#include <algorithm>

#include "common/error.h"
#include "storage/row_compare.h"

namespace idem {

namespace {

struct TimedRow {
  int64_t time;
  uint32_t row;
};

// Rows that do not go back in time stay where they are; the others are sorted and merged in. For streams in
// which a few rows are late this is linear.
std::vector<uint32_t> order_by_time(const int64_t* times, uint32_t count, uint32_t sorted_prefix) {
  std::vector<TimedRow> ordered, late;
  ordered.reserve(count);
  int64_t newest = INT64_MIN;
  for (uint32_t i = 0; i < count; ++i) {
    if (i < sorted_prefix || times[i] >= newest) {
      newest = times[i];
      ordered.push_back({times[i], i});
    } else {
      late.push_back({times[i], i});
    }
  }
  std::sort(late.begin(), late.end(), [](const TimedRow& a, const TimedRow& b) {
    return a.time != b.time ? a.time < b.time : a.row < b.row;
  });
  // A late row was sent after every row of the same time that was in order before it, but not after those
  // that follow.
  std::vector<uint32_t> order(count);
  size_t o = 0, l = 0;
  for (uint32_t place = 0; place < count; ++place) {
    bool take_late = o == ordered.size();
    if (!take_late && l < late.size()) {
      take_late =
          late[l].time < ordered[o].time || (late[l].time == ordered[o].time && late[l].row < ordered[o].row);
    }
    order[place] = take_late ? late[l++].row : ordered[o++].row;
  }
  return order;
}

void split_by_partition(const TableSchema& schema, const int64_t* times, uint32_t count, OrderedBatch* out) {
  if (schema.partition_by == PartitionUnit::kNone) {
    out->parts.push_back({INT64_MIN, 0, count});
    return;
  }
  uint32_t place = 0;
  while (place < count) {
    const int64_t start = partition_start(schema.partition_by, times[out->row(place)]);
    const int64_t end = partition_end(schema.partition_by, start);
    // `end` saturates at the last moment there is, which belongs to the partition then.
    auto inside = [&](uint32_t p) { return times[out->row(p)] < end || end == INT64_MAX; };
    uint32_t low = place + 1, high = count;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      if (inside(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    out->parts.push_back({start, place, low});
    place = low;
  }
}

void order_by_keys(const TableSchema& schema, OrderedBatch* out) {
  std::vector<ColumnView> keys;
  for (const uint32_t key : schema.upsert_keys) keys.emplace_back(out->rows->column(key));
  const auto compare_rows = [&](uint32_t a, uint32_t b) {
    for (const ColumnView& key : keys) {
      const int c = key_compare(key, a, key, b);
      if (c != 0) return c;
    }
    return 0;
  };
  const uint32_t count = out->rows->rows();
  bool sorted = true;
  for (uint32_t i = 1; i < count && sorted; ++i) sorted = compare_rows(i - 1, i) <= 0;
  if (sorted) return;
  out->order.resize(count);
  for (uint32_t i = 0; i < count; ++i) out->order[i] = i;
  std::stable_sort(out->order.begin(), out->order.end(),
                   [&](uint32_t a, uint32_t b) { return compare_rows(a, b) < 0; });
}

}  // namespace

OrderedBatch order_batch(const TableSchema& schema, std::shared_ptr<const ColumnBatch> rows) {
  OrderedBatch out;
  out.rows = std::move(rows);
  const uint32_t count = out.rows->rows();
  if (count == 0) return out;
  if (!schema.has_timestamp()) {
    if (schema.has_keys()) order_by_keys(schema, &out);
    out.parts.push_back({INT64_MIN, 0, count});
    return out;
  }
  const BatchColumn& column = out.rows->column(static_cast<size_t>(schema.timestamp_column));
  if (column.has_nulls()) {
    throw sql_error(sqlstate::kNotNullViolation,
                    "designated timestamp \"{}\" of relation \"{}\" must not be null",
                    schema.columns[static_cast<size_t>(schema.timestamp_column)].name, schema.name);
  }
  const auto* times = static_cast<const int64_t*>(column.data());
  uint32_t sorted = 1;
  while (sorted < count && times[sorted - 1] <= times[sorted]) ++sorted;
  if (sorted < count) out.order = order_by_time(times, count, sorted);
  split_by_partition(schema, times, count, &out);
  return out;
}

}  // namespace idem
