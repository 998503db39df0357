#include "storage/waiting_rows.h"

#include <algorithm>

#include "storage/change_rows.h"

namespace idem {

namespace {

constexpr uint64_t kMostGroups =
    8;  // so many row groups of rows wait at most; then the largest partition goes

// Where to cut rows in order, so that a row group is full but no run of one time is divided without need.
uint32_t cut_of(const TableSchema& schema, const OrderedBatch& batch, uint32_t group_rows) {
  const uint32_t count = batch.rows->rows();
  if (count <= group_rows || !schema.has_timestamp()) return std::min(count, group_rows);
  const auto* times =
      static_cast<const int64_t*>(batch.rows->column(static_cast<size_t>(schema.timestamp_column)).data());
  uint32_t cut = group_rows;
  while (cut > group_rows / 2 && times[batch.row(cut - 1)] == times[batch.row(cut)]) --cut;
  return cut > group_rows / 2 ? cut : group_rows;
}

}  // namespace

// So that a partition that fills up does not move its rows again and again.
uint32_t WaitingRows::reserved_rows(uint32_t rows) const {
  return std::max(limits_.group_rows + limits_.group_rows / 4, rows);
}

void WaitingRows::append(int64_t start, const ColumnBatch& batch, uint32_t first, uint32_t count) {
  Group& group = groups_[start];
  if (!group.rows) group.rows = std::make_shared<ColumnBatch>(batch.schema_ptr());
  if (group.rows->rows() + count > limits_.group_rows / 8)
    group.rows->reserve(reserved_rows(group.rows->rows() + count));
  group.rows->append_range(batch, first, count);
  group.last_add = adds_;
}

void WaitingRows::add(const TableSchema& schema, ColumnBatch&& batch) {
  const uint32_t count = batch.rows();
  if (count == 0) return;
  ++adds_;
  if (!schema.has_timestamp() || schema.partition_by == PartitionUnit::kNone) {
    append(INT64_MIN, batch, 0, count);
    rows_ += count;
    return;
  }
  const auto rows = std::make_shared<const ColumnBatch>(std::move(batch));
  const OrderedBatch ordered = order_batch(schema, rows);
  for (const OrderedBatch::Part& part : ordered.parts) {
    if (ordered.order.empty() || ordered.parts.size() == 1) {
      append(part.start, *rows, part.begin, part.end - part.begin);
      continue;
    }
    Group& group = groups_[part.start];
    if (!group.rows) group.rows = std::make_shared<ColumnBatch>(rows->schema_ptr());
    group.rows->append_rows(*rows, ordered.order.data() + part.begin, part.end - part.begin);
    group.last_add = adds_;
  }
  rows_ += count;
}

// The partition whose rows should go next; end() if none should.
std::map<int64_t, WaitingRows::Group>::iterator WaitingRows::ready() {
  if (rows_ < limits_.group_rows) return groups_.end();
  auto largest = groups_.end();
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    const uint32_t rows = group->second.rows->rows();
    if (rows >= limits_.group_rows) return group;
    if (rows >= limits_.left_behind_rows && group->second.last_add != adds_) return group;
    if (largest == groups_.end() || rows > largest->second.rows->rows()) largest = group;
  }
  return rows_ > kMostGroups * limits_.group_rows ? largest : groups_.end();
}

std::optional<WaitingRows::Arrived> WaitingRows::take(const TableSchema& schema, bool all) {
  const auto next = all ? groups_.begin() : ready();
  if (next == groups_.end()) return std::nullopt;
  return take_from(schema, next);
}

WaitingRows::Arrived WaitingRows::take_from(const TableSchema& schema,
                                            std::map<int64_t, Group>::iterator group) {
  std::shared_ptr<ColumnBatch> rows = std::move(group->second.rows);
  auto batch = std::make_shared<const OrderedBatch>(order_batch(schema, rows));
  OrderedBatch::Part part = batch->parts.at(0);
  const uint32_t cut = cut_of(schema, *batch, limits_.group_rows);
  rows_ -= cut - part.begin;
  if (cut == part.end) {
    groups_.erase(group);
    return {std::move(batch), part};
  }
  group->second.rows = std::make_shared<ColumnBatch>(rows->schema_ptr());
  group->second.rows->reserve(reserved_rows(part.end - cut));
  if (batch->order.empty()) {
    group->second.rows->append_range(*rows, cut, part.end - cut);
  } else {
    group->second.rows->append_rows(*rows, batch->order.data() + cut, part.end - cut);
  }
  part.end = cut;
  return {std::move(batch), part};
}

void WaitingRows::clear() {
  groups_.clear();
  rows_ = 0;
}

void WaitingRows::reshape_to(const std::shared_ptr<const TableSchema>& schema) {
  for (auto& [start, group] : groups_) {
    const std::shared_ptr<const ColumnBatch> shaped = reshape(group.rows, schema);
    auto rows = std::make_shared<ColumnBatch>(schema);
    rows->append_range(*shaped, 0, shaped->rows());
    group.rows = std::move(rows);
  }
}

}  // namespace idem
