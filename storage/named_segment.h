#pragma once

#include <memory>
#include <string>

#include "storage/table_version.h"

namespace idem {

class SegmentFile;

// A segment file that a manifest names.
struct NamedSegment {
  std::string path;
  std::weak_ptr<const SegmentFile> file;  // gone when no version needs it
  uint32_t tables = 0;                    // that name it
};

// A segment file that a record of the log names, and no manifest yet: it must live until one covers the record.
struct LoggedSegment {
  CommitNumber commit{};
  NamedSegment segment;
};

}  // namespace idem
