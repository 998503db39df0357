#include "query/deferred_aggregate.h"

#include <algorithm>
#include <array>

#include "query/row_sorter.h"

namespace idem {

namespace {

std::vector<SqlType> row_types(const BoundAggregate& aggregate, bool with_order) {
  std::vector<SqlType> types = {TypeId::kInteger};
  for (const BoundPtr& argument : aggregate.arguments) types.push_back(argument->type);
  if (with_order) {
    for (const BoundAggregate::Order& order : aggregate.order_by) types.push_back(order.expression->type);
  }
  return types;
}

}  // namespace

DeferredRows::DeferredRows(const BoundAggregate& aggregate, EvaluationState& state) : aggregate_(aggregate) {
  MemoryBudget* budget = state.context->memory;
  if (aggregate.distinct) {
    seen_ = std::make_unique<GroupTable>(row_types(aggregate, false), budget, state.context->cancel);
    seen_->expect_time_order();
  }
  rows_ = has_own_rows() ? RowStore::make(row_types(aggregate, true), budget) : seen_->keys();
}

void DeferredRows::append(std::span<const Vector> columns, Selection rows) {
  if (!seen_) return rows_->append(columns, rows);
  const uint32_t before = seen_->size();
  numbers_.resize(kVectorSize);
  seen_->find_or_insert(columns.data(), rows, numbers_.data());
  if (seen_->size() == before || !has_own_rows()) return;
  std::array<uint16_t, kVectorSize> fresh;
  uint32_t count = 0, next = before;
  for (uint32_t i = 0; i < rows.count; ++i) {
    if (numbers_[i] != next) continue;  // a new group's first row: numbers are given in order
    fresh[count++] = static_cast<uint16_t>(rows[i]);
    ++next;
  }
  rows_->append(columns, {fresh.data(), count});
}

void DeferredRows::add(const DataChunk& input, Selection rows, const uint32_t* groups,
                       std::span<const Vector> arguments, ColumnExpressions* order) {
  if (rows.count == 0) return;
  columns_.resize(1 + arguments.size() + (order ? order->size() : 0));
  auto* ids = columns_[0].allocate_as<int32_t>(TypeId::kInteger);
  for (uint32_t i = 0; i < rows.count; ++i) ids[rows[i]] = groups ? static_cast<int32_t>(groups[i]) : 0;
  std::copy(arguments.begin(), arguments.end(), columns_.begin() + 1);
  if (order) order->evaluate(input, columns_.data() + 1 + arguments.size());
  append(columns_, rows);
}

void DeferredRows::merge(const DeferredRows& other, const std::vector<uint32_t>& groups) {
  DataChunk chunk;
  std::array<uint16_t, kVectorSize> wanted;
  for (size_t s = 0; s < other.rows_->segment_count(); ++s) {
    for (uint32_t first = 0; first < other.rows_->segment_rows(s); first += kVectorSize) {
      const uint32_t rows = std::min(kVectorSize, other.rows_->segment_rows(s) - first);
      other.rows_->read(s, first, rows, &chunk);
      const int32_t* local = chunk.columns[0].values<int32_t>();
      Vector mapped;
      auto* ids = mapped.allocate_as<int32_t>(TypeId::kInteger);
      uint32_t count = 0;
      for (uint32_t i = 0; i < rows; ++i) {
        const uint32_t group = groups[static_cast<size_t>(local[i])];
        ids[i] = static_cast<int32_t>(group);
        wanted[count] = static_cast<uint16_t>(i);
        count += group != GroupTable::kNoGroup ? 1 : 0;
      }
      chunk.columns[0] = std::move(mapped);
      append(chunk.columns, {wanted.data(), count});
    }
  }
}

void DeferredRows::fold(char* states, uint32_t stride, AggregateArena& arena,
                        const ExecutionContext& context) {
  std::vector<uint32_t> ids;
  rows_->all_ids(&ids);
  const auto arguments = static_cast<uint32_t>(aggregate_.arguments.size());
  std::vector<SortColumn> columns;
  if (aggregate_.distinct && aggregate_.function->order_sensitive) {
    for (uint32_t i = 0; i < arguments; ++i) columns.push_back({1 + i, false, false});
  }
  if (!aggregate_.order_by.empty()) {
    columns.clear();
    for (size_t i = 0; i < aggregate_.order_by.size(); ++i) {
      const BoundAggregate::Order& order = aggregate_.order_by[i];
      columns.push_back({1 + arguments + static_cast<uint32_t>(i), order.descending, order.nulls_first});
    }
  }
  if (!columns.empty()) RowSorter(*rows_, std::move(columns)).sort(&ids, context);
  DataChunk chunk;
  std::vector<uint32_t> groups(kVectorSize);
  for (size_t first = 0; first < ids.size(); first += kVectorSize) {
    if (context.cancel) context.cancel->check();
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, ids.size() - first));
    rows_->gather(ids.data() + first, count, &chunk);
    const int32_t* numbers = chunk.columns[0].values<int32_t>();
    for (uint32_t i = 0; i < count; ++i) groups[i] = static_cast<uint32_t>(numbers[i]);
    aggregate_.function->update(states, stride, groups.data(), aggregate_.types,
                                {chunk.columns.data() + 1, arguments}, count, chunk.selection, arena);
  }
}

}  // namespace idem
