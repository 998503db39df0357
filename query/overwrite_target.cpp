#include "query/overwrite_target.h"

#include <array>

#include "common/error.h"

namespace idem {

OverwriteTarget::OverwriteTarget(Transaction& transaction, std::shared_ptr<const TableSchema> schema)
    : transaction_(transaction), schema_(std::move(schema)) {}

void OverwriteTarget::replace_all() {
  kind_ = ast::Overwrite::kAll;
  transaction_.truncate(schema_->id);
}

void OverwriteTarget::replace_partitions(const std::vector<std::string>& names) {
  kind_ = ast::Overwrite::kPartitions;
  if (schema_->partition_by == PartitionUnit::kNone) {
    throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" is not partitioned", schema_->name)
        .with_hint("INSERT OVERWRITE without PARTITION replaces the whole table.");
  }
  for (const std::string& name : names) {
    const std::optional<int64_t> start = parse_partition_name(schema_->partition_by, name);
    if (!start) {
      throw sql_error(sqlstate::kInvalidParameterValue, "\"{}\" is not a partition of table \"{}\"", name,
                      schema_->name)
          .with_hint(fmt::format("The table is partitioned by {}: a partition is named like \"{}\".",
                                 partition_unit_name(schema_->partition_by),
                                 partition_name(schema_->partition_by, 1'705'276'800'000'000)));
    }
    partitions_.insert(*start);
  }
  transaction_.drop_partitions(schema_->id, {partitions_.begin(), partitions_.end()});
}

void OverwriteTarget::replace_partitions_with_rows() {
  kind_ = ast::Overwrite::kDynamic;
  if (schema_->partition_by == PartitionUnit::kNone) {
    throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" is not partitioned", schema_->name)
        .with_hint("OVERWRITE ALL replaces the whole table.");
  }
  transaction_.drop_partitions(schema_->id, {});  // an overwrite is one even if it has no row
}

void OverwriteTarget::replace_where(std::shared_ptr<const BoundExpression> condition,
                                    const std::vector<RowPosition>& met) {
  kind_ = ast::Overwrite::kReplaceWhere;
  condition_ = std::move(condition);
  evaluator_ = std::make_unique<ExpressionEvaluator>(*condition_);
  transaction_.remove(schema_->id, met);
}

void OverwriteTarget::check_condition(const ColumnBatch& rows, EvaluationState& state) {
  std::array<uint16_t, kVectorSize> met;
  for (uint32_t first = 0; first < rows.rows(); first += kVectorSize) {
    const uint32_t count = std::min(kVectorSize, rows.rows() - first);
    DataChunk chunk;
    for (size_t c = 0; c < rows.column_count(); ++c) {
      chunk.columns.push_back(rows.column(c).slice(first, count));
    }
    chunk.set_size(count);
    if (evaluator_->select(state, chunk, chunk.selection, met.data()) == count) continue;
    throw sql_error(sqlstate::kCheckViolation,
                    "new row for relation \"{}\" does not meet the condition of REPLACE WHERE", schema_->name)
        .with_detail(
            "The rows that are put in must be among those that are taken out, so that a repetition gives the "
            "same.");
  }
}

std::set<int64_t> OverwriteTarget::partitions_of(const ColumnBatch& rows) const {
  std::set<int64_t> starts;
  const BatchColumn& column = rows.column(static_cast<size_t>(schema_->timestamp_column));
  const auto* timestamps = static_cast<const int64_t*>(column.data());
  int64_t begin = 1, end = 0;  // of the partition of the row before
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    const int64_t t = timestamps[row];
    if ((t >= begin && t < end) || column.is_null(row)) continue;
    begin = partition_start(schema_->partition_by, t);
    end = partition_end(schema_->partition_by, begin);
    starts.insert(begin);
  }
  return starts;
}

void OverwriteTarget::insert(ColumnBatch&& rows, EvaluationState& state) {
  if (kind_ == ast::Overwrite::kReplaceWhere) check_condition(rows, state);
  if (kind_ == ast::Overwrite::kPartitions || kind_ == ast::Overwrite::kDynamic) {
    std::vector<int64_t> fresh;
    for (const int64_t start : partitions_of(rows)) {
      if (!partitions_.insert(start).second) continue;
      if (kind_ == ast::Overwrite::kPartitions) {
        throw sql_error(sqlstate::kInvalidParameterValue,
                        "a row belongs to partition \"{}\", which is not among those to be replaced",
                        partition_name(schema_->partition_by, start));
      }
      fresh.push_back(start);
    }
    if (!fresh.empty()) transaction_.drop_partitions(schema_->id, fresh);
  }
  transaction_.insert(schema_->id, std::move(rows));
}

}  // namespace idem
