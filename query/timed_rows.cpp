#include "query/timed_rows.h"

#include "query/join_input.h"
#include "query/row_sorter.h"

namespace idem {

namespace {

bool is_in_time_order(const RowStore& rows, uint32_t timestamp) {
  if (rows.has_nulls(timestamp)) return false;
  int64_t last = INT64_MIN;
  for (size_t s = 0; s < rows.segment_count(); ++s) {
    const auto* times = reinterpret_cast<const int64_t*>(rows.base(timestamp, s));
    for (uint32_t i = 0; i < rows.segment_rows(s); ++i) {
      if (times[i] < last) return false;
      last = times[i];
    }
  }
  return true;
}

// The number of each row's key, by row id.
std::vector<uint32_t> number_keys(const RowStore& rows, const std::vector<size_t>& key_columns,
                                  GroupTable& keys) {
  std::vector<uint32_t> key_of_id(rows.segment_count() << RowStore::kSegmentBits);
  std::vector<Vector> values(key_columns.size());
  for (size_t s = 0; s < rows.segment_count(); ++s) {
    for (uint32_t first = 0; first < rows.segment_rows(s); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows.segment_rows(s) - first);
      for (size_t k = 0; k < values.size(); ++k) values[k] = rows.view(key_columns[k], s, first);
      keys.find_or_insert(values.data(), {nullptr, count},
                          key_of_id.data() + (s << RowStore::kSegmentBits) + first);
    }
  }
  return key_of_id;
}

}  // namespace

uint64_t TimedRows::memory_bytes() const {
  return (rows ? rows->memory_bytes() : 0) + (keys ? keys->memory_bytes() : 0) + memory.bytes();
}

void TimedRows::forget_values() {
  rows.reset();
  ids = std::vector<uint32_t>();
  memory.set(times.size() * sizeof(int64_t));
}

std::vector<const BoundExpression*> left_keys(const LogicalPlan& plan) {
  std::vector<const BoundExpression*> keys;
  for (const auto& [left, right] : plan.join_keys) keys.push_back(left.get());
  return keys;
}

TimedRows read_timed_rows(const LogicalPlan& plan, Operator& right, EvaluationState& state) {
  RightRows read = read_right_rows(plan, right, {JoinSpill::kNever}, state);
  TimedRows timed;
  timed.rows = std::move(read.rows);
  const RowStore& rows = *timed.rows;
  timed.memory = OperatorMemory(state.context->memory);
  timed.memory.set(rows.rows() * (sizeof(int64_t) + 2 * sizeof(uint32_t)));
  rows.all_ids(&timed.ids);
  const uint32_t timestamp = plan.right_timestamp;
  if (!is_in_time_order(rows, timestamp))
    RowSorter(rows, {{timestamp, false, true}}).sort(&timed.ids, *state.context);
  size_t without_time = 0;
  while (without_time < timed.ids.size() && !rows.is_valid(timestamp, timed.ids[without_time]))
    ++without_time;
  timed.ids.erase(timed.ids.begin(), timed.ids.begin() + static_cast<ptrdiff_t>(without_time));
  timed.times.resize(timed.ids.size());
  for (size_t i = 0; i < timed.ids.size(); ++i) timed.times[i] = rows.value<int64_t>(timestamp, timed.ids[i]);
  if (read.key_columns.empty()) return timed;
  std::vector<SqlType> types;
  for (const auto& [left_key, right_key] : plan.join_keys) types.push_back(right_key->type);
  timed.keys = std::make_unique<GroupTable>(std::move(types), state.context->memory);
  const std::vector<uint32_t> key_of_id = number_keys(rows, read.key_columns, *timed.keys);
  timed.key_of.resize(timed.ids.size());
  for (size_t i = 0; i < timed.ids.size(); ++i) timed.key_of[i] = key_of_id[timed.ids[i]];
  return timed;
}

}  // namespace idem
