#include "common/error.h"
#include "storage/load_writer.h"
#include "storage/partition_move.h"
#include "storage/table_changes.h"
#include "storage/tombstones.h"

namespace idem {

std::shared_ptr<const Partition> TableChanges::detach(int64_t start) {
  flush();
  prepare_load();  // the other table's record is to name these files
  const int index = current_->find_partition(start);
  if (index < 0) {
    throw sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no partition \"{}\"", schema()->name,
                    partition_name(schema()->partition_by, start));
  }
  std::shared_ptr<const Partition> rows = current_->partitions[static_cast<size_t>(index)];
  PartitionWork& work = work_on(start);
  if (!work.cleared && !truncated_) moved_away_.emplace(start, work.base);
  work = PartitionWork();
  work.cleared = true;
  set_partition(start, nullptr);
  takes_version_ = true;
  recount();
  return rows;
}

void TableChanges::attach(const std::shared_ptr<const Partition>& rows,
                          const std::shared_ptr<const TableSchema>& from, bool replace) {
  flush();
  takes_version_ = true;
  check_rows_may_move(*from, *schema());
  const int64_t start = partition_for(*rows, *from, *schema());
  if (replace) {
    if (from->partition_by != schema()->partition_by) {
      throw sql_error(sqlstate::kInvalidParameterValue,
                      "ATTACH PARTITION … REPLACE needs tables that are partitioned alike");
    }
    PartitionWork& work = work_on(start);
    if (work.current) truncated_rows_ += visible_rows(work.current, schema());
    work = PartitionWork();
    work.cleared = true;
    set_partition(start, nullptr);
  }
  PartitionWork& work = work_on(start);
  if (work.current && from->partition_by == schema()->partition_by) {
    throw sql_error(sqlstate::kDuplicateObject, "table \"{}\" has a partition \"{}\" already", schema()->name,
                    partition_name(schema()->partition_by, start))
        .with_hint("ATTACH PARTITION … REPLACE takes its place.");
  }
  const uint64_t before = place_between(work.current, *rows, schema());
  std::function<uint64_t()> next_id;  // temporary tables are not logged, so they keep no files
  if (load_ && !from->temporary) next_id = [this] { return load_->next_id(); };
  for (PartitionChange& change : insertions_of(rows, from, schema(), start, before, next_id)) {
    Operation operation{};
    operation.kind = Kind::kAttach;
    operation.change = std::move(change);
    add_operation(&work, start, std::move(operation), context_.owner);
  }
  recount();
}

}  // namespace idem
