#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/row_group.h"
#include "storage/vector.h"

namespace idem {

// Encodes one column of a row group, a vector at a time; how, is chosen by trying on a sample of the vectors.
// One thread.
class ColumnEncoder {
 public:
  // All vectors of the column, 2,048 rows each but the last, which has what is left of `rows`; in any form.
  // Holds references to them.
  ColumnEncoder(SqlType type, uint32_t rows, std::vector<Vector> vectors);
  ~ColumnEncoder();

  // What each block of the column must begin with (docs/format/segment.md, "Block").
  const std::string& parameters() const;
  // Appends an encoded vector. `statistics` may be null.
  void encode(uint32_t vector_index, std::string* out, VectorStatistics* statistics);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bounds and NULL count of `count` rows of a flat vector (kDictionary for SYMBOL).
VectorStatistics compute_statistics(const Vector& flat, uint32_t count);

}  // namespace idem
