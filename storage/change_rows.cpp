#include "storage/change_rows.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "storage/stored_rows.h"

namespace idem {

namespace {

void append_encoded(const EncodedRows& rows, ColumnBatch* out) {
  const TableSchema& schema = out->schema();
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    for (uint32_t row = rows.first; row < rows.first + rows.count;) {
      const uint32_t count = std::min(rows.first + rows.count - row, kVectorSize - row % kVectorSize);
      Vector vector;
      rows.group->read(schema.columns[c], row, count, &vector);
      out->column(c).append_vector(vector, {nullptr, count});
      row += count;
    }
  }
}

// Reads runs by ascending ordinal; gives the place of each row.
std::vector<uint32_t> append_stored(const std::shared_ptr<const Partition>& from, std::vector<PlaceRun> runs,
                                    ColumnBatch* out) {
  std::vector<uint32_t> places;
  StoredRows stored(from, out->schema_ptr());
  std::array<uint16_t, kVectorSize> all;
  std::iota(all.begin(), all.end(), uint16_t{0});
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const PlaceRun& run : runs) {
    for (uint32_t i = 0; i < run.count; ++i) places.push_back(run.place + i);
    for (uint64_t ordinal = run.first; ordinal < run.first + run.count;) {
      stored.move_to(ordinal);
      const auto count = static_cast<uint32_t>(std::min(run.first + run.count, stored.block_end()) - ordinal);
      const Selection rows{all.data() + stored.row_in_block(ordinal), count};
      for (uint32_t c = 0; c < out->column_count(); ++c) out->column(c).append_vector(stored.vector(c), rows);
      ordinal += count;
    }
  }
  return places;
}

}  // namespace

std::shared_ptr<const ColumnBatch> reshape(std::shared_ptr<const ColumnBatch> rows,
                                           const std::shared_ptr<const TableSchema>& schema) {
  const TableSchema& from = rows->schema();
  if (&from == schema.get()) return rows;
  bool same = from.columns.size() == schema->columns.size();
  for (size_t i = 0; same && i < from.columns.size(); ++i) {
    same = from.columns[i].id == schema->columns[i].id && from.columns[i].type == schema->columns[i].type &&
           from.columns[i].dictionary == schema->columns[i].dictionary;
  }
  if (same) return rows;
  auto result = std::make_shared<ColumnBatch>(schema);
  for (size_t i = 0; i < schema->columns.size(); ++i) {
    const ColumnSchema& column = schema->columns[i];
    const int source = from.find_column(column.id);
    for (uint32_t first = 0; first < rows->rows(); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows->rows() - first);
      Vector vector;
      if (source >= 0 && from.columns[static_cast<size_t>(source)].type == column.type) {
        vector = rows->column(static_cast<size_t>(source)).slice(first, count);
      } else {
        read_initial(column, &vector);
      }
      result->column(i).append_vector(vector, {nullptr, count});
    }
  }
  return result;
}

bool says_all(const PartitionMatch& match, const OrderedBatch::Part& part) {
  uint64_t rows = 0;
  for (const PlaceRun& run : match.unchanged) rows += run.count;
  for (const PlaceRun& run : match.inserted) rows += run.count;
  return rows == part.end - part.begin && match.change.replaced_rows.empty();
}

GivenUpRows note_given_up(PartitionMatch* match, std::shared_ptr<const Partition> before) {
  GivenUpRows result;
  if (!match->unchanged.empty()) result.before = std::move(before);
  result.unchanged = std::move(match->unchanged);
  result.inserted = std::move(match->inserted);
  result.replaced_places = std::move(match->replaced_places);
  return result;
}

OrderedBatch rows_again(const std::shared_ptr<const TableSchema>& schema, const GivenUpRows& given_up,
                        const PartitionChange& change) {
  auto rows = std::make_shared<ColumnBatch>(schema);
  std::vector<uint32_t> places;
  if (!given_up.originals.empty()) {
    for (const EncodedRows& encoded : given_up.originals) append_encoded(encoded, rows.get());
    return {rows, {}, {{change.start, 0, rows->rows()}}};
  }
  if (!given_up.unchanged.empty()) places = append_stored(given_up.before, given_up.unchanged, rows.get());
  if (change.rows) {
    const std::shared_ptr<const ColumnBatch> shaped = reshape(change.rows, schema);
    rows->append_rows(*shaped, change.replaced_rows.data(), change.replaced_rows.size());
    if (change.encoded.empty()) {
      std::vector<uint32_t> inserted(change.positions.inserted_count());
      for (size_t i = 0; i < inserted.size(); ++i) inserted[i] = change.inserted_row(i);
      rows->append_rows(*shaped, inserted.data(), inserted.size());
    }
  }
  for (const EncodedRows& encoded : change.encoded) append_encoded(encoded, rows.get());
  places.insert(places.end(), given_up.replaced_places.begin(), given_up.replaced_places.end());
  for (const PlaceRun& run : given_up.inserted) {
    for (uint32_t i = 0; i < run.count; ++i) places.push_back(run.place + i);
  }
  OrderedBatch result;
  result.rows = rows;
  result.parts.push_back({change.start, 0, rows->rows()});
  if (std::is_sorted(places.begin(), places.end())) return result;
  result.order.resize(rows->rows());
  std::iota(result.order.begin(), result.order.end(), uint32_t{0});
  std::sort(result.order.begin(), result.order.end(),
            [&](uint32_t a, uint32_t b) { return places[a] < places[b]; });
  return result;
}

std::pair<std::shared_ptr<const ColumnBatch>, uint32_t> inserted_row_of(
    const PartitionChange& change, uint64_t index, const std::shared_ptr<const TableSchema>& schema) {
  if (change.encoded.empty()) return {change.rows, change.inserted_row(index)};
  auto row = std::make_shared<ColumnBatch>(schema);
  append_encoded(change.encoded_part(index, 1).at(0), row.get());
  return {std::move(row), 0};
}

}  // namespace idem
