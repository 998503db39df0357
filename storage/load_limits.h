#pragma once

#include <cstdint>

#include "storage/row_group.h"

namespace idem {

// From when on the rows of an insert are streamed into segment files instead of going through memory and the log.
struct LoadLimits {
  uint32_t batch_rows = 32'768;         // collected rows from which on they are kept by partition
  uint32_t group_rows = kRowGroupSize;  // of one partition that are matched and encoded together
  uint32_t left_behind_rows =
      16'384;                   // of a partition that got none of the last batch; they do not wait for more
  uint32_t load_rows = 65'536;  // of the table, in this transaction, before anything is encoded
  uint32_t encoded_rows = 16'384;  // inserted together; fewer stay in memory and go into the log
  uint32_t dense_rows = 256;       // replaced side by side; fewer are patched
};

}  // namespace idem
