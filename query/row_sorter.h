#pragma once

#include <vector>

#include "query/evaluation.h"
#include "query/row_store.h"

namespace idem {

struct SortColumn {
  uint32_t column = 0;  // of the row store
  bool descending = false, nulls_first = false;
};

// How a row differs from the one before it in a sorted sequence.
enum class RowChange : uint8_t {
  kNone,  // equal in all sort columns
  kTail,  // equal in the leading ones that were asked for
  kHead,
};

// Puts row ids into the order of some columns; equal rows keep their order (by id). The store is sealed.
//
// Each row gets a prefix of 64 bits beside its id, into which the leading columns are packed in the bits that
// their values need: the distance from the least value, the rank of a symbol among its dictionary, the first
// bytes of a string behind those that all strings begin with. Rows are sorted by prefix (radix sort). Where not all
// columns fit, rows with equal prefixes get a prefix of the next column or of the next bytes of their strings, and so
// on; a few are compared column by column.
class RowSorter {
 public:
  // What sorting takes beside the rows: ids, entries, and what entries are moved to.
  static constexpr uint64_t kBytesPerRow = 48;

  RowSorter(const RowStore& rows, std::vector<SortColumn> columns);

  // The order of the ids is the ascending order of the last column already, so that only the columns before it
  // are sorted by. Where the last column is descending, rows that are equal in all columns come in reverse too.
  void use_order_of_rows() { in_order_ = true; }

  // Sorts the ids, which are ascending when they come. With `changes`: (*changes)[i] tells how row i of the
  // result differs from row i - 1, where the first `head_columns` columns are the head; the first row is
  // kHead.
  void sort(std::vector<uint32_t>* ids, const ExecutionContext& context, size_t head_columns = 0,
            std::vector<RowChange>* changes = nullptr) const;

 private:
  struct Entry {
    uint64_t prefix;
    uint32_t id;
  };
  class Run;

  // Negative, zero or positive; zero only if columns [first, end) are equal.
  int compare_columns(uint32_t a, uint32_t b, size_t first, size_t end) const;

  const RowStore& rows_;
  std::vector<SortColumn> columns_;
  bool in_order_ = false;
};

}  // namespace idem
