#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog_change.h"
#include "storage/partition_change.h"
#include "storage/segment_file.h"
#include "storage/table_operation.h"

namespace idem {

// The payload of one transaction's record in the log: docs/format/log_record.md.

struct RecordHeader {
  int64_t time_micros = 0;
  std::string user, operation, run_key;
};

// Strings of a SYMBOL column that a record introduces: codes [first, end) of its dictionary.
struct LoggedSymbols {
  ColumnId column{};
  uint32_t first = 0, end = 0;
  SymbolDictionary* dictionary = nullptr;
};

struct LoggedPartition {
  int64_t start = 0;
  bool cleared = false;
  std::vector<const PartitionChange*> changes;
};

// Changes of one table, to be written.
struct LoggedTable {
  TableId table{};
  VersionNumber version{};
  bool created = false, truncated = false;
  std::optional<VersionNumber> restored;  // its rows come first, in place of those that were there
  TableOperation operation = TableOperation::kOther;
  WriteCounts counts;
  std::shared_ptr<const TableSchema> schema;  // null where it did not change
  std::vector<LoggedSymbols> symbols;
  std::vector<LoggedPartition> partitions;
  bool names_segments() const;  // as rows that were written before the record
};

class LogRecordWriter {
 public:
  LogRecordWriter(std::string_view user, std::string_view operation, std::string_view run_key);
  void catalog_changes(
      const std::vector<CatalogChange>& changes);       // first, once; temporary ones are left out
  void tables(const std::vector<LoggedTable>& tables);  // then this, once
  void set_time(int64_t micros);                        // known last, under the commit latch
  const std::string& payload() const { return bytes_; }
  // Whether most of its rows are encoded, so that compressing it would gain little.
  bool is_encoded() const { return is_encoded_; }

 private:
  std::string bytes_;
  bool is_encoded_ = false;
};

// Changes of one table, read back. Rows have the shape of `schema`, the table's as it is after the record.
struct ReadTable {
  struct Partition {
    int64_t start = 0;
    bool cleared = false;
    std::vector<PartitionChange> changes;
  };
  TableId table{};
  VersionNumber version{};
  bool created = false, truncated = false, schema_changed = false, names_segments = false;
  std::optional<VersionNumber> restored;
  TableOperation operation = TableOperation::kOther;
  WriteCounts counts;
  std::shared_ptr<const TableSchema> schema;
  std::vector<Partition> partitions;
};

// Gives the schema, with its dictionaries, for a table of a record. `logged` is the one in the record, or
// null.
using SchemaLookup = std::function<std::shared_ptr<const TableSchema>(TableId, const TableSchema* logged)>;
// Gives the segment file that a record names for rows of a table. Throws SqlError where it is missing or damaged.
using SegmentLookup = std::function<std::shared_ptr<const SegmentFile>(TableId, SegmentId)>;

struct ReadRecord {
  RecordHeader header;
  std::vector<CatalogChange> catalog_changes;
  std::vector<ReadTable> tables;
};
// Interns the record's symbols. Throws SqlError XX001 where the bytes are damaged or contradict what came
// before.
ReadRecord read_log_record(std::string_view payload, const SchemaLookup& schemas,
                           const SegmentLookup& segments);
// What a record says of one table, if anything; the others are passed over. For versions that are rebuilt
// while the server runs: its symbols are in their dictionaries, what is logged of those is not touched.
struct ReadTableRecord {
  RecordHeader header;
  std::optional<VersionNumber> version;  // that the record makes of the table
  std::optional<ReadTable> table;        // nothing where its rows are in segment files: those may be gone
};
// `wanted` says of which version the changes are to be read.
ReadTableRecord read_log_record_of(std::string_view payload, TableId table, const SchemaLookup& schemas,
                                   const std::function<bool(const RecordHeader&, VersionNumber)>& wanted);

// One line for `idem log dump`: operation, user, tables with their row counts.
std::string describe_log_record(std::string_view payload);

}  // namespace idem
