#include "storage/table_version.h"

#include <algorithm>

#include "storage/catalog.h"

namespace idem {

size_t Partition::slice_of(uint64_t ordinal) const {
  const auto after = std::upper_bound(first_ordinal.begin(), first_ordinal.end(), ordinal);
  return static_cast<size_t>(after - first_ordinal.begin()) - 1;
}

size_t TableVersion::lower_partition(int64_t start) const {
  size_t low = 0, high = partitions.size();
  // Most writes go to the last partition.
  if (high > 0 && partitions[high - 1]->start < start) return high;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (partitions[middle]->start < start) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int TableVersion::find_partition(int64_t start) const {
  if (!partitions.empty() && partitions.back()->start == start)
    return static_cast<int>(partitions.size()) - 1;
  const size_t i = lower_partition(start);
  return i < partitions.size() && partitions[i]->start == start ? static_cast<int>(i) : -1;
}

const MaterializedView* Catalog::materialized_view(TableId table) const {
  const auto found = materialized_views.find(static_cast<uint32_t>(table));
  return found == materialized_views.end() ? nullptr : found->second.get();
}

std::shared_ptr<const TableVersion> Snapshot::table(TableId id) const {
  const auto i = static_cast<uint32_t>(id);
  return i < tables.size() ? tables[i] : nullptr;
}

std::shared_ptr<const TableVersion> Snapshot::find_table(std::string_view schema,
                                                         std::string_view name) const {
  const auto found = catalog->tables.find({std::string(schema), std::string(name)});
  return found == catalog->tables.end() ? nullptr : table(found->second);
}

std::shared_ptr<const ViewSchema> Snapshot::find_view(std::string_view schema, std::string_view name) const {
  const auto found = catalog->views.find({std::string(schema), std::string(name)});
  return found == catalog->views.end() ? nullptr : found->second;
}

}  // namespace idem
