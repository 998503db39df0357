#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/catalog.h"

namespace idem {

// The whole database at one commit, as a file: docs/format/manifest.md.

struct ManifestSlice {
  uint32_t segment = 0;  // index into ManifestTable::segments
  uint32_t row_group = 0, begin = 0, end = 0;
  int64_t min_timestamp = 0, max_timestamp = 0;
};

struct ManifestTable {
  struct Dictionary {
    ColumnId column{};
    uint32_t count = 0;
  };
  struct Partition {
    int64_t start = 0;
    std::vector<ManifestSlice> slices;
  };
  TableSchema schema;  // without dictionaries
  VersionNumber version{};
  CommitNumber commit{};
  std::vector<Dictionary> dictionaries;
  std::vector<uint64_t> segments;
  std::vector<Partition> partitions;
};

struct Manifest {
  uint64_t database_id = 0, number = 0;
  CommitNumber commit{};
  int64_t commit_time_micros = 0;
  uint64_t log_position = 0, next_segment = 1;
  Catalog catalog;  // tables' names follow from the schemas
  std::vector<ManifestTable> tables;
};

std::string encode_manifest(const Manifest& manifest);
// `path` names the source in errors. Throws SqlError XX001 where the bytes are damaged.
Manifest decode_manifest(std::string_view bytes, const std::string& path);

}  // namespace idem
