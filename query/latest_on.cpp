#include "query/latest_on.h"

#include <algorithm>
#include <array>

#include "query/group_table.h"
#include "query/row_sorter.h"
#include "query/row_source.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

std::vector<SqlType> key_types(const LogicalPlan& plan) {
  std::vector<SqlType> types;
  for (const uint32_t column : plan.partition_columns) types.push_back(plan.columns[column].type);
  return types;
}

}  // namespace

void LatestOnScanOperator::start(EvaluationState& state) {
  GroupTable keys(key_types(plan_), state.context->memory, state.context->cancel);
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  std::vector<Vector> key_values(plan_.partition_columns.size());
  std::array<uint16_t, kVectorSize> newest_first;
  std::array<uint32_t, kVectorSize> groups;
  bool null_met = false;
  scan_.set_row_filter(plan_.partition_columns, [&](const DataChunk& chunk, Selection in, uint16_t* out) {
    for (size_t k = 0; k < key_values.size(); ++k) key_values[k] = chunk.columns[plan_.partition_columns[k]];
    for (uint32_t i = 0; i < in.count; ++i) newest_first[i] = static_cast<uint16_t>(in[in.count - 1 - i]);
    uint32_t next = keys.size();
    keys.find_or_insert(key_values.data(), {newest_first.data(), in.count}, groups.data());
    if (keys.size() == next) return 0u;
    uint32_t count = 0;
    for (uint32_t i = 0; i < in.count; ++i) {
      if (groups[i] != next) continue;
      out[count++] = newest_first[i];
      null_met |= !key_values[0].is_valid(newest_first[i]);
      ++next;
    }
    std::reverse(out, out + count);
    return count;
  });
  input_->start(state);

  const LogicalPlan& scan = scan_.plan();
  const uint32_t key_column = scan.scan_columns[plan_.partition_columns[0]];
  const bool by_symbol = plan_.partition_columns.size() == 1 && key_column != UINT32_MAX &&
                         scan.table->schema->columns[key_column].dictionary != nullptr;
  const uint32_t symbols =
      by_symbol ? scan.table->schema->columns[key_column].dictionary->size() : UINT32_MAX;
  const std::unique_ptr<MorselStream> stream = input_->open(state);
  DataChunk chunk;
  const auto all_met = [&](size_t next_morsel) {
    if (keys.size() < symbols) return false;
    return keys.size() > symbols || (!null_met && !scan_.may_have_nulls(next_morsel, key_column));
  };
  for (size_t morsel = 0; morsel < input_->morsel_count(); ++morsel) {
    if (all_met(morsel)) break;
    stream->begin(morsel);
    while (stream->next(&chunk)) {
      if (state.context->cancel) state.context->cancel->check();
      std::array<uint16_t, kVectorSize> backwards;
      for (uint32_t i = 0; i < chunk.count(); ++i) {
        backwards[i] = static_cast<uint16_t>(chunk.selection[chunk.count() - 1 - i]);
      }
      rows->append(chunk.columns, {backwards.data(), chunk.count()});
      if (all_met(morsel)) break;
    }
  }
  rows->seal();
  auto ids = std::make_shared<std::vector<uint32_t>>();
  rows->all_ids(ids.get());
  std::reverse(ids->begin(), ids->end());
  publish(rows, std::move(ids));
}

void LatestOnOperator::start(EvaluationState& state) {
  input_->start(state);
  const std::shared_ptr<RowStore> rows = materialize(*input_, state, column_types(plan_));
  input_->reset();
  GroupTable keys(key_types(plan_), state.context->memory, state.context->cancel);
  std::vector<Vector> key_values(plan_.partition_columns.size());
  std::array<uint32_t, kVectorSize> groups;
  auto latest = std::make_shared<std::vector<uint32_t>>();
  for (size_t s = 0; s < rows->segment_count(); ++s) {
    for (uint32_t first = 0; first < rows->segment_rows(s); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows->segment_rows(s) - first);
      for (size_t k = 0; k < key_values.size(); ++k)
        key_values[k] = rows->view(plan_.partition_columns[k], s, first);
      keys.find_or_insert(key_values.data(), {nullptr, count}, groups.data());
      latest->resize(keys.size(), RowStore::kNoRow);
      for (uint32_t i = 0; i < count; ++i) {
        const uint32_t id = static_cast<uint32_t>(s << RowStore::kSegmentBits) + first + i;
        if (!rows->is_valid(plan_.timestamp_column, id)) continue;
        uint32_t& best = (*latest)[groups[i]];
        if (best == RowStore::kNoRow || rows->value<int64_t>(plan_.timestamp_column, best) <=
                                            rows->value<int64_t>(plan_.timestamp_column, id)) {
          best = id;
        }
      }
    }
  }
  latest->erase(std::remove(latest->begin(), latest->end(), RowStore::kNoRow), latest->end());
  std::sort(latest->begin(), latest->end());
  RowSorter(*rows, {{plan_.timestamp_column, false, false}}).sort(latest.get(), *state.context);
  publish(rows, std::move(latest));
}

}  // namespace idem
