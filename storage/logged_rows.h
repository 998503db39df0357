#pragma once

#include <memory>
#include <string_view>

#include "common/byte_io.h"
#include "storage/partition_change.h"

namespace idem {

// What a damaged one is called.
inline constexpr std::string_view kLogRecord = "log record";

// The new rows of a partition change in a log record: docs/format/log_record.md, "Partition change".

// From so many rows on columns are encoded as in segment files, which takes less time than compressing the record. Fewer would
// make a log whose rows take longer to replay than to read.
inline constexpr uint32_t kEncodedLogRows = 32'768;

// How many new rows the record holds; inserted ones that are in segment files are not among them.
uint64_t logged_row_count(const PartitionChange& change);
// Bytes of them, about; characters of strings are not counted.
size_t estimate_logged_bytes(const PartitionChange& change);
void write_logged_rows(ByteWriter& out, const PartitionChange& change);
// The change, whose positions and encoded rows are known, gets its other rows in the shape of `schema`. Throws SqlError XX001.
void read_logged_rows(ByteReader& in, const std::shared_ptr<const TableSchema>& schema,
                      PartitionChange* change);

}  // namespace idem
