#include "storage/partition_move.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "common/error.h"
#include "storage/attached_row_group.h"
#include "storage/stored_rows.h"

namespace idem {

namespace {

constexpr std::string_view kDiffer = sqlstate::kInvalidTableDefinition;

SqlError tables_differ(const TableSchema& from, const TableSchema& to, const std::string& why) {
  return sql_error(kDiffer, "a partition of \"{}\" cannot be moved into \"{}\": {}", from.name, to.name, why);
}

std::string name_of(const TableSchema& schema, int column) {
  return column < 0 ? std::string() : schema.columns[static_cast<size_t>(column)].name;
}

std::vector<std::string> key_names(const TableSchema& schema) {
  std::vector<std::string> names;
  for (const uint32_t key : schema.upsert_keys) names.push_back(schema.columns[key].name);
  // In which order they are named matters only where rows are in it.
  if (schema.has_timestamp()) std::sort(names.begin(), names.end());
  return names;
}

constexpr uint32_t kLeastAttachedRows = kVectorSize;  // fewer are copied: short slices are dear to read

// Puts the changes together that bring the rows of a partition into another table.
class MovedRows {
 public:
  MovedRows(std::shared_ptr<const Partition> rows, std::shared_ptr<const TableSchema> from,
            std::shared_ptr<const TableSchema> to, int64_t start, uint64_t before,
            const std::function<uint64_t()>& next_id)
      : rows_(std::move(rows)),
        from_(std::move(from)),
        to_(std::move(to)),
        start_(start),
        before_(before),
        next_id_(next_id),
        stored_(rows_, from_) {
    for (const ColumnSchema& column : to_->columns) {
      sources_.push_back(static_cast<uint32_t>(from_->find_column(column.name)));
    }
  }

  void add_slice(size_t index) {
    const Slice& slice = rows_->slices[index];
    const uint64_t first = rows_->first_ordinal[index], end = first + slice.rows();
    uint64_t copied_to = first;
    if (may_attach(slice)) {
      for (const auto& [begin_row, end_row] : unpatched_runs(slice)) {
        const uint64_t at = first + slice.shown_before(begin_row);
        copy(copied_to, at);
        attach(slice, begin_row, end_row);
        copied_to = at + (end_row - begin_row);
      }
    }
    copy(copied_to, end);
  }

  std::vector<PartitionChange> finish() {
    finish_change();
    return std::move(changes_);
  }

 private:
  // A file of its own that holds all columns: one that was added later reads what its table says of it.
  bool may_attach(const Slice& slice) const {
    if (!next_id_ || slice.group->in_memory()) return false;
    if (static_cast<const SegmentRowGroup&>(*slice.group).file().pack()) return false;
    return std::all_of(from_->columns.begin(), from_->columns.end(),
                       [&](const ColumnSchema& column) { return slice.group->has_column(column.id); });
  }

  // Base rows of the slice, in runs that are long enough.
  static std::vector<std::pair<uint32_t, uint32_t>> unpatched_runs(const Slice& slice) {
    std::vector<std::pair<uint32_t, uint32_t>> runs;
    for (uint32_t row = slice.begin; row < slice.end;) {
      const uint32_t block = row / kVectorSize, block_end = std::min(slice.end, (block + 1) * kVectorSize);
      const bool patched = slice.overlay && slice.overlay->patch(block);
      if (!patched && !runs.empty() && runs.back().second == row) {
        runs.back().second = block_end;
      } else if (!patched) {
        runs.emplace_back(row, block_end);
      }
      row = block_end;
    }
    std::erase_if(runs, [](const auto& run) { return run.second - run.first < kLeastAttachedRows; });
    return runs;
  }

  void attach(const Slice& slice, uint32_t begin, uint32_t end) {
    if (batch_) finish_change();
    const auto group = std::static_pointer_cast<const SegmentRowGroup>(slice.group);
    const Attachment* as_now = group->attachment().get();
    auto& attachment = attachments_[as_now];
    if (!attachment) attachment = make_attachment(next_id_(), *from_, as_now, *to_);
    auto& attached = groups_[group.get()];
    if (!attached) attached = attach_row_group(group, attachment);
    encoded_.push_back({attached, begin, end - begin});
  }

  void copy(uint64_t begin, uint64_t end) {
    if (begin == end) return;
    if (!encoded_.empty()) finish_change();
    for (uint64_t ordinal = begin; ordinal < end;) {
      stored_.move_to(ordinal);
      const uint64_t block_end = std::min(end, stored_.block_end());
      const auto count = static_cast<uint32_t>(block_end - ordinal);
      const uint32_t at = stored_.row_in_block(ordinal);
      const auto in_block = static_cast<uint32_t>(stored_.block_end() - stored_.block_begin());
      if (!batch_) batch_ = std::make_shared<ColumnBatch>(to_);
      positions_.resize(count);
      std::iota(positions_.begin(), positions_.end(), static_cast<uint16_t>(at));
      for (uint32_t c = 0; c < sources_.size(); ++c) {
        const Selection selection{count == in_block ? nullptr : positions_.data(), count};
        batch_->column(c).append_vector(stored_.vector(sources_[c]), selection);
      }
      if (batch_->rows() >= kRowGroupSize) finish_change();
      ordinal = block_end;
    }
  }

  void finish_change() {
    if (!batch_ && encoded_.empty()) return;
    PartitionChange& change = changes_.emplace_back();
    change.start = start_;
    uint64_t count = batch_ ? batch_->rows() : 0;
    for (const EncodedRows& run : encoded_) count += run.count;
    change.positions.insert(before_, count);
    before_ += count;
    change.rows = std::exchange(batch_, nullptr);
    change.encoded = std::exchange(encoded_, {});
  }

  const std::shared_ptr<const Partition> rows_;
  const std::shared_ptr<const TableSchema> from_, to_;
  const int64_t start_;
  uint64_t before_;  // row of the target that the next change goes before
  const std::function<uint64_t()>& next_id_;
  StoredRows stored_;
  std::vector<uint32_t> sources_;  // column of `from` for each of `to`
  std::map<const Attachment*, std::shared_ptr<const Attachment>>
      attachments_;  // by how `from` reads the rows
  std::map<const RowGroup*, std::shared_ptr<const SegmentRowGroup>> groups_;
  std::vector<PartitionChange> changes_;
  // Of the change that is being put together, one of these:
  std::shared_ptr<ColumnBatch> batch_;
  std::vector<EncodedRows> encoded_;
  std::vector<uint16_t> positions_;
};

}  // namespace

void check_rows_may_move(const TableSchema& from, const TableSchema& to) {
  if (from.id == to.id) throw tables_differ(from, to, "they are one table");
  for (const ColumnSchema& column : to.columns) {
    const int index = from.find_column(column.name);
    if (index < 0)
      throw tables_differ(from, to, fmt::format("\"{}\" has no column \"{}\"", from.name, column.name));
    const ColumnSchema& source = from.columns[static_cast<size_t>(index)];
    if (source.type != column.type) {
      throw tables_differ(from, to,
                          fmt::format("column \"{}\" is {} there and {} here", column.name,
                                      format_type(source.type), format_type(column.type)));
    }
    if (column.not_null && !source.not_null) {
      throw tables_differ(from, to,
                          fmt::format("column \"{}\" may be NULL in \"{}\"", column.name, from.name));
    }
  }
  if (from.columns.size() != to.columns.size()) {
    const auto extra =
        std::find_if(from.columns.begin(), from.columns.end(),
                     [&](const ColumnSchema& column) { return to.find_column(column.name) < 0; });
    throw tables_differ(from, to, fmt::format("\"{}\" has no column \"{}\"", to.name, extra->name));
  }
  if (name_of(from, from.timestamp_column) != name_of(to, to.timestamp_column)) {
    throw tables_differ(from, to, "their designated timestamps differ");
  }
  if (to.has_keys() && key_names(from) != key_names(to))
    throw tables_differ(from, to, "their upsert keys differ");
  if (name_of(from, from.deleted_column) != name_of(to, to.deleted_column)) {
    throw tables_differ(from, to, "DELETED WHEN hides other rows there");
  }
  if (to.keys_unique && !from.keys_unique) {
    throw sql_error(sqlstate::kUniqueViolation,
                    "the upsert keys of \"{}\" may hold duplicates, those of \"{}\" may not", from.name,
                    to.name)
        .with_hint("They were given to a table that had rows.");
  }
}

int64_t partition_for(const Partition& rows, const TableSchema& from, const TableSchema& to) {
  if (!to.has_timestamp()) return INT64_MIN;
  const int64_t start = partition_start(to.partition_by, rows.min_timestamp);
  if (partition_start(to.partition_by, rows.max_timestamp) != start) {
    throw sql_error(sqlstate::kInvalidParameterValue,
                    "partition \"{}\" of \"{}\" does not fit into one partition of \"{}\"",
                    partition_name(from.partition_by, rows.start), from.name, to.name);
  }
  return start;
}

uint64_t place_between(const std::shared_ptr<const Partition>& current, const Partition& rows,
                       const std::shared_ptr<const TableSchema>& schema) {
  if (!current) return 0;
  const auto in_the_way = [&] {
    return sql_error(sqlstate::kUniqueViolation,
                     "partition \"{}\" of \"{}\" has rows where others are to be attached",
                     partition_name(schema->partition_by, current->start), schema->name);
  };
  if (!schema->has_timestamp()) throw in_the_way();
  StoredRows stored(current, schema);
  const uint64_t before = stored.lower_bound(rows.min_timestamp, 0);
  if (stored.upper_bound(rows.max_timestamp, before) != before) throw in_the_way();
  return before;
}

std::vector<PartitionChange> insertions_of(const std::shared_ptr<const Partition>& rows,
                                           const std::shared_ptr<const TableSchema>& from,
                                           const std::shared_ptr<const TableSchema>& to, int64_t start,
                                           uint64_t before, const std::function<uint64_t()>& next_id) {
  MovedRows moved(rows, from, to, start, before, next_id);
  for (size_t i = 0; i < rows->slices.size(); ++i) moved.add_slice(i);
  return moved.finish();
}

}  // namespace idem
