#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "storage/upsert_match.h"

namespace idem {

// Rows that a change stored, read back: for changes that have to be made again on top of another version.

// The rows of a batch in the shape of another schema of the same table: columns by identity, those that it
// lacks with ColumnSchema::initial. Returns the batch itself where it has that shape.
std::shared_ptr<const ColumnBatch> reshape(std::shared_ptr<const ColumnBatch> rows,
                                           const std::shared_ptr<const TableSchema>& schema);

// Where a batch was given up after it was matched: what its rows became.
struct GivenUpRows {
  std::shared_ptr<const Partition> before;    // that it was matched with; null where `unchanged` is empty
  std::vector<PlaceRun> unchanged, inserted;  // as in PartitionMatch
  std::vector<uint32_t> replaced_places;
  // Where that does not say all, because merge policies folded rows: all rows of the batch in their order, in a file that goes
  // with the transaction. Then the rest is empty.
  std::vector<EncodedRows> originals;
};
// Whether a batch of rows that policies may fold can be made again of what a match of them says.
bool says_all(const PartitionMatch& match, const OrderedBatch::Part& part);
GivenUpRows note_given_up(PartitionMatch* match, std::shared_ptr<const Partition> before);

// The rows of the batch in their order, but for those that a later one with the same keys followed, in the shape of
// `schema`.
OrderedBatch rows_again(const std::shared_ptr<const TableSchema>& schema, const GivenUpRows& given_up,
                        const PartitionChange& change);

// A batch with inserted row number `index`, and its row there. In the shape that the table had when the change was made, or
// in that of `schema` where the rows are encoded.
std::pair<std::shared_ptr<const ColumnBatch>, uint32_t> inserted_row_of(
    const PartitionChange& change, uint64_t index, const std::shared_ptr<const TableSchema>& schema);

}  // namespace idem
