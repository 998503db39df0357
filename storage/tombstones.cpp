#include "storage/tombstones.h"

namespace idem {

namespace {

// Calls `found` with the packed position of each hidden row.
template <class Found>
void for_each_hidden(const std::shared_ptr<const TableVersion>& version, Found found) {
  const std::vector<ScanBound> bounds = {tombstone_bound(*version->schema)};
  const uint32_t column = bounds[0].column;
  for (const Morsel& morsel : plan_scan(*version, {}, bounds).morsels) {
    MorselReader reader(version, morsel, &bounds);
    while (const uint32_t count = reader.next()) {
      Vector deleted, positions;
      reader.read(column, &deleted);
      reader.read_positions(&positions);
      for (uint32_t row = 0; row < count; ++row) {
        const bool hidden =
            deleted.is_valid(row) && deleted.values<uint8_t>()[deleted.is_constant() ? 0 : row] != 0;
        if (hidden) found(positions.sequence_start + row * positions.sequence_step);
      }
    }
  }
}

std::shared_ptr<const TableVersion> borrow(const TableVersion& version) {
  return {std::shared_ptr<const void>(), &version};
}

uint64_t count_visible(const std::shared_ptr<const TableVersion>& version) {
  uint64_t hidden = 0;
  for_each_hidden(version, [&](int64_t) { ++hidden; });
  return version->row_count - hidden;
}

}  // namespace

ScanBound tombstone_bound(const TableSchema& schema) {
  ScanBound bound;
  bound.column = static_cast<uint32_t>(schema.deleted_column);
  bound.min = bound.max = 1;
  return bound;
}

uint64_t visible_rows(const TableVersion& version) {
  return hides_rows(*version.schema) ? count_visible(borrow(version)) : version.row_count;
}

uint64_t visible_rows(const std::shared_ptr<const Partition>& partition,
                      const std::shared_ptr<const TableSchema>& schema) {
  if (!hides_rows(*schema)) return partition->row_count;
  auto alone = std::make_shared<TableVersion>();
  alone->schema = schema;
  alone->partitions = alone->partitions.push_back(partition);
  alone->row_count = partition->row_count;
  return count_visible(alone);
}

std::vector<RowPosition> hidden_rows(const TableVersion& version) {
  std::vector<RowPosition> rows;
  for_each_hidden(borrow(version), [&](int64_t packed) { rows.push_back(RowPosition::unpack(packed)); });
  return rows;
}

}  // namespace idem
