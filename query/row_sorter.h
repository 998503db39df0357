#pragma once

#include <vector>

#include "query/evaluation.h"
#include "query/row_store.h"

namespace idem {

struct SortColumn {
  uint32_t column = 0;  // of the row store
  bool descending = false, nulls_first = false;
};

// Puts row ids into the order of some columns; equal rows keep their order (by id). The store is sealed.
//
// Each row's keys become an order-preserving string of bits of which the first eight bytes are kept beside its id: most
// comparisons, and the whole of sorts by one number, look at these alone (radix sort). `budget` may be null; `cancel` too.
class RowSorter {
 public:
  RowSorter(const RowStore& rows, std::vector<SortColumn> columns);

  // Sorts the ids, which are ascending when they come.
  void sort(std::vector<uint32_t>* ids, const ExecutionContext& context) const;
  // Negative, zero or positive; zero only if all sort columns are equal.
  int compare(uint32_t a, uint32_t b) const;
  int compare_columns(uint32_t a, uint32_t b, size_t first, size_t end) const;

 private:
  struct Entry {
    uint64_t prefix;
    uint32_t id;
  };
  void sort_part(Entry* entries, size_t count, std::vector<Entry>& spare) const;
  bool before(const Entry& a, const Entry& b) const;

  const RowStore& rows_;
  std::vector<SortColumn> columns_;
  size_t exact_columns_ = 0;  // these are compared wholly by the prefix
};

}  // namespace idem
