#include "query/distinct_operator.h"

#include <algorithm>
#include <array>

#include "query/column_expressions.h"
#include "query/group_table.h"
#include "query/range_reader.h"
#include "query/row_source.h"

namespace idem {

namespace {

// The rows of a chunk that made a new group, which got its number in their order.
uint32_t first_rows(const uint32_t* groups, Selection selection, uint32_t known, uint16_t* out) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    if (groups[i] != known) continue;
    out[count++] = static_cast<uint16_t>(selection[i]);
    ++known;
  }
  return count;
}

// The first rows of one range, in the order of their keys' groups.
struct FirstRows {
  std::unique_ptr<GroupTable> table;
  std::shared_ptr<RowStore> rows;

  void add(std::span<const Vector> keys, const DataChunk& input) {
    std::array<uint32_t, kVectorSize> groups;
    const uint32_t known = table->size();
    table->find_or_insert(keys.data(), input.selection, groups.data());
    if (table->size() == known) return;
    std::array<uint16_t, kVectorSize> fresh;
    rows->append(input.columns,
                 {fresh.data(), first_rows(groups.data(), input.selection, known, fresh.data())});
  }
};

}  // namespace

void DistinctOnOperator::start(EvaluationState& state) {
  input_->start(state);
  std::vector<SqlType> key_types;
  for (const BoundPtr& key : plan_.distinct_on) key_types.push_back(key->type);
  MemoryBudget* budget = state.context->memory;
  const MorselRanges ranges = one_range_per_worker(*input_, *state.context);
  std::vector<FirstRows> parts(std::max<size_t>(ranges.count, 1));
  for (FirstRows& part : parts) {
    part.table = std::make_unique<GroupTable>(key_types, budget);
    part.rows = RowStore::make(column_types(plan_), budget);
  }
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions key_expressions(plan_.distinct_on, reader.state());
    std::vector<Vector> keys;
    DataChunk chunk;
    while (reader.next(&chunk)) {
      key_expressions.evaluate(chunk, &keys);
      parts[range].add(keys, chunk);
    }
  });
  input_->reset();
  FirstRows& all = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    parts[i].rows->seal();
    parts[i].table->seal_keys();
    DataChunk rows;
    parts[i].table->for_each_key_chunk([&](const DataChunk& keys, uint32_t first) {
      parts[i].rows->read(first >> RowStore::kSegmentBits, first & (RowStore::kSegmentRows - 1), keys.count(),
                          &rows);
      all.add(keys.columns, rows);
    });
    parts[i] = FirstRows();
  }
  all.rows->seal();
  publish(all.rows);
}

void SetOperator::start(EvaluationState& state) {
  left_->start(state);
  right_->start(state);
  GroupTable table(column_types(plan_), state.context->memory);
  std::vector<int64_t> in_left, in_right;
  std::array<uint32_t, kVectorSize> groups;
  const auto count_rows = [&](Operator& input, std::vector<int64_t>& counts) {
    MorselRanges all;
    all.morsels = input.morsel_count();
    all.count = 1;
    read_ranges(input, state, all, [&](size_t, RangeReader& reader) {
      DataChunk chunk;
      while (reader.next(&chunk)) {
        table.find_or_insert(chunk.columns.data(), chunk.selection, groups.data());
        counts.resize(table.size());
        for (uint32_t i = 0; i < chunk.count(); ++i) ++counts[groups[i]];
      }
    });
    input.reset();
  };
  count_rows(*left_, in_left);
  count_rows(*right_, in_right);
  in_left.resize(table.size());
  in_right.resize(table.size());
  auto ids = std::make_shared<std::vector<uint32_t>>();
  for (uint32_t group = 0; group < table.size(); ++group) {
    int64_t copies;
    if (plan_.set_except) {
      copies = plan_.set_all ? in_left[group] - in_right[group] : in_left[group] > 0 && in_right[group] == 0;
    } else {
      copies = std::min(in_left[group], in_right[group]);
      if (!plan_.set_all) copies = std::min<int64_t>(copies, 1);
    }
    for (int64_t i = 0; i < copies; ++i) ids->push_back(group);
  }
  table.seal_keys();
  publish(table.keys(), std::move(ids));
}

}  // namespace idem
