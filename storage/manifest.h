#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/byte_io.h"
#include "common/persistent_vector.h"
#include "storage/attachment.h"
#include "storage/catalog.h"
#include "storage/segment_file.h"
#include "storage/table_history.h"

namespace idem {

// The whole database at one commit, with the past of its tables, as a file of a base and what changed since:
// docs/format/manifest.md. manifest_writer.h writes it.
//
//   manifest-12:  header │ record 0: base │ record 1: changes │ record 2: changes │ … │ (a torn one)

// Rows [begin, end) of a row group of a segment file.
struct ManifestSlice {
  uint64_t segment = 0;
  uint64_t attachment = 0;  // how the table reads rows that another wrote; 0: they are its own
  uint32_t row_group = 0, begin = 0, end = 0;
  int64_t min_timestamp = 0, max_timestamp = 0;
  // Its overlay: patch `patch` of a segment; 0: it has none.
  uint64_t patch_segment = 0;
  uint32_t patch = 0;
  bool operator==(const ManifestSlice&) const = default;
};

struct ManifestPartition {
  int64_t start = 0;
  std::vector<ManifestSlice> slices;
};

struct ManifestVersion {
  VersionNumber version{};
  CommitNumber commit{};
  int64_t time_micros = 0;
  uint64_t log_position = 0;
  uint8_t reasons = 0;                                                    // bits of KeepReason
  std::shared_ptr<const TableSchema> schema;                              // without dictionaries
  PersistentVector<std::shared_ptr<const ManifestPartition>> partitions;  // ascending by start
};

// Small dictionaries are in the manifest, others in a file each.
struct ManifestDictionary {
  ColumnId column{};
  uint32_t count = 0;                         // strings that count
  uint64_t file_bytes = 0;                    // of its file, that hold them; 0: the manifest does
  std::shared_ptr<SymbolDictionary> strings;  // those that the manifest holds
};

struct ManifestTable {
  std::vector<ManifestDictionary> dictionaries;
  std::vector<HistoryLine> lines;
  std::vector<ManifestVersion>
      versions;  // kept ones, ascending; the last of a table that is not dropped is the newest
};

struct Manifest {
  uint64_t database_id = 0, number = 0;
  CommitNumber commit{};
  int64_t commit_time_micros = 0;
  uint64_t log_position = 0, next_segment = 1;
  Catalog catalog;
  std::map<uint32_t, ManifestTable> tables;  // by TableId, dropped ones too
  // By id: all that tables name, and maybe some that they did.
  std::unordered_map<uint64_t, SegmentDescription> segments;
  std::unordered_map<uint64_t, std::shared_ptr<const Attachment>> attachments;
  // About the file.
  uint64_t base_bytes = 0, end = 0;  // up to where its records are whole
  uint64_t records = 0;
  bool torn = false;  // what follows is a record that was not finished
};

// `path` names the source in errors. A record at the end that is not whole is left out; throws SqlError XX001
// where anything else is damaged.
Manifest read_manifest(std::string_view bytes, const std::string& path);

// Parts of the format that reading and writing share.
inline constexpr std::string_view kManifestMagic = "IDEMMANI";
inline constexpr uint32_t kManifestFormat = 7;
inline constexpr size_t kManifestHeaderBytes = 32;
inline constexpr uint32_t kManifestRecordMagic = 0x4352'4D49;  // "IMRC"
inline constexpr size_t kManifestRecordHeaderBytes = 32;
enum class ManifestVersionStep : uint8_t { kSame = 0, kOtherReasons = 1, kDescribed = 2 };

std::string encode_manifest_header(uint64_t database_id, uint64_t number);
// Header and payload of a record; `sequence` counts from 0, the base.
std::string encode_manifest_record(uint64_t number, uint64_t sequence, std::string_view payload);
void write_manifest_slice(ByteWriter& out, int64_t partition_start, const ManifestSlice& slice);
void write_segment_description(ByteWriter& out, const SegmentDescription& segment);
// `known`: strings that the record before has already.
void write_manifest_dictionary(ByteWriter& out, const ManifestDictionary& dictionary, uint32_t known);
void write_history_line(ByteWriter& out, const HistoryLine& line);
void write_catalog(ByteWriter& out, const Catalog& catalog);  // but for the names of tables

}  // namespace idem
