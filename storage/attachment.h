#pragma once

#include <memory>
#include <vector>

#include "common/byte_io.h"
#include "storage/schema.h"

namespace idem {

// How segment files of one table are read as rows of another, to which a partition was moved: columns have other
// identities there and symbols other codes. Made when rows move, immutable, kept in the log and in the manifest.
//
//   file of visits_w01     column 2 "page"  codes 0 "/a"  1 "/b"
//   table visits_2024      column 5 "page"  codes 0 "/b"  1 "/x"  2 "/a"
//   attachment             column 5 is column 2, codes {2, 0}
struct Attachment {
  struct Column {
    ColumnId column{};           // of the table
    ColumnId stored{};           // in the files
    std::vector<int32_t> codes;  // of a SYMBOL: the table's code for each one in the files
    int32_t highest_code = -1;
  };
  uint64_t id = 0;              // from the numbers of segments, never given out again
  TableId origin{};             // whose files they are, and in whose folder
  std::vector<Column> columns;  // a column of the table that is not here reads its initial value

  const Column* find(ColumnId column) const;
};

// For rows that `from` shows and that move to `to`: columns by name, which both tables have with the same types. `before` is how
// `from` itself reads them, null where they are its own. Interns the symbols of `from` in the dictionaries of `to`.
std::shared_ptr<const Attachment> make_attachment(uint64_t id, const TableSchema& from,
                                                  const Attachment* before, const TableSchema& to);

void write_attachment(ByteWriter& out, const Attachment& attachment);
Attachment read_attachment(ByteReader& in);

}  // namespace idem
