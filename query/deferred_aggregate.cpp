#include "query/deferred_aggregate.h"

#include <algorithm>
#include <array>

#include "query/parallel_pieces.h"
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
  for (size_t first = 0; first < ids.size(); first += kVectorSize) {
    if (context.cancel) context.cancel->check();
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, ids.size() - first));
    rows_->gather(ids.data() + first, count, &chunk);
    fold_rows(chunk, {}, states, stride, arena);
  }
}

void DeferredRows::fold_rows(const DataChunk& rows, const std::vector<uint32_t>& groups, char* states,
                             uint32_t stride, AggregateArena& arena) const {
  std::array<uint32_t, kVectorSize> numbers;
  const int32_t* own = rows.columns[0].values<int32_t>();
  for (uint32_t i = 0; i < rows.count(); ++i)
    numbers[i] = groups.empty() ? static_cast<uint32_t>(own[i]) : groups[static_cast<size_t>(own[i])];
  aggregate_.function->update(states, stride, numbers.data(), aggregate_.types,
                              {rows.columns.data() + 1, aggregate_.arguments.size()}, rows.count(),
                              rows.selection, arena);
}

void DeferredRows::find_fresh(const std::vector<Range>& ranges, const NumbersInRange& numbers, Piece& piece) {
  const Range& range = ranges[piece.range];
  const RowStore& rows = *range.rows->rows_;
  std::vector<GroupTable::Probe> earlier;
  for (size_t r = 0; r < piece.range; ++r) earlier.emplace_back(*ranges[r].rows->seen_);
  DataChunk chunk;
  Vector mapped;
  std::array<uint32_t, kVectorSize> found;
  std::array<uint16_t, kVectorSize> fresh;
  for (uint32_t first = 0; first < rows.segment_rows(piece.segment); first += kVectorSize) {
    rows.read(piece.segment, first, std::min(kVectorSize, rows.segment_rows(piece.segment) - first), &chunk);
    const Vector own = chunk.columns[0];
    Selection left = chunk.selection;
    for (size_t r = 0; r < piece.range && left.count > 0; ++r) {
      auto* ids = mapped.allocate_as<int32_t>(TypeId::kInteger);
      for (uint32_t i = 0; i < left.count; ++i) {
        const uint32_t group = range.groups[static_cast<size_t>(own.values<int32_t>()[left[i]])];
        ids[left[i]] = static_cast<int32_t>(r == 0 ? group : numbers[r][group]);
      }
      chunk.columns[0] = mapped;
      earlier[r].find(chunk.columns.data(), left, true, found.data());
      uint32_t count = 0;
      for (uint32_t i = 0; i < left.count; ++i) {
        fresh[count] = static_cast<uint16_t>(left[i]);
        count += found[i] == GroupTable::kNoGroup ? 1 : 0;
      }
      left = {fresh.data(), count};
    }
    for (uint32_t i = 0; i < left.count; ++i)
      piece.fresh.push_back(static_cast<uint32_t>(piece.segment << RowStore::kSegmentBits) + first + left[i]);
  }
}

void DeferredRows::fold_ranges(const std::vector<Range>& ranges, char* states, uint32_t stride,
                               AggregateArena& arena, const ExecutionContext& context) {
  DeferredRows& first = *ranges[0].rows;
  const bool apart = std::all_of(ranges.begin(), ranges.end(),
                                 [](const Range& range) { return range.rows->may_stay_apart(); });
  if (!apart) {
    for (size_t r = 1; r < ranges.size(); ++r) first.merge(*ranges[r].rows, ranges[r].groups);
    first.seal();
    return first.fold(states, stride, arena, context);
  }
  std::vector<Piece> pieces;
  NumbersInRange numbers(ranges.size());
  uint64_t rows = 0;
  for (size_t r = 0; r < ranges.size(); ++r) {
    const RowStore& store = *ranges[r].rows->rows_;
    rows += store.rows();
    for (size_t s = 0; s < store.segment_count(); ++s) pieces.push_back({r, s, {}});
    for (uint32_t g = 0; g < ranges[r].groups.size(); ++g) {
      const uint32_t group = ranges[r].groups[g];
      if (group >= numbers[r].size()) numbers[r].resize(group + size_t{1}, GroupTable::kNoGroup);
      numbers[r][group] = g;
    }
  }
  const size_t most = std::max_element(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) {
                        return a.size() < b.size();
                      })->size();
  for (auto& of_range : numbers) of_range.resize(most, GroupTable::kNoGroup);
  for_pieces(context, pieces.size(), rows, [&](size_t p) {
    if (pieces[p].range > 0) find_fresh(ranges, numbers, pieces[p]);
  });
  DataChunk chunk;
  for (const Piece& piece : pieces) {
    if (context.cancel) context.cancel->check();
    const Range& range = ranges[piece.range];
    const RowStore& store = *range.rows->rows_;
    const auto count =
        piece.range == 0 ? store.segment_rows(piece.segment) : static_cast<uint32_t>(piece.fresh.size());
    for (uint32_t at = 0; at < count; at += kVectorSize) {
      const uint32_t some = std::min(kVectorSize, count - at);
      if (piece.range == 0) {
        store.read(piece.segment, at, some, &chunk);
      } else {
        store.gather(piece.fresh.data() + at, some, &chunk);
      }
      first.fold_rows(chunk, range.groups, states, stride, arena);
    }
  }
}

}  // namespace idem
