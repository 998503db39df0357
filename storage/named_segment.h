#pragma once

#include <memory>
#include <string>

#include "storage/segment_id.h"
#include "storage/table_version.h"

namespace idem {

class SegmentFile;
class SegmentPack;

// A segment that a manifest names.
struct NamedSegment {
  SegmentId id{};
  std::string path;                       // of its file, or of the pack that it is in
  std::weak_ptr<const SegmentFile> file;  // gone when no version needs it
  TableId table{};                        // whose rows it has
  uint64_t pack = 0, size = 0;            // 0: it has a file of its own
  uint32_t tables = 0;                    // that name it
};

// A file that segments share, one of which at least a manifest names.
struct NamedPack {
  std::string path;
  std::weak_ptr<const SegmentPack> file;
  uint64_t size = 0, named_bytes = 0;  // of the file, of the segments that are named
};

// A segment file that a record of the log names, and no manifest yet: it must live until one covers the record.
struct LoggedSegment {
  CommitNumber commit{};
  NamedSegment segment;
};

}  // namespace idem
