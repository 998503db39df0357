#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/file.h"

namespace idem {

// One thing found wrong. `offset` is that in the file where it is known, else 0; the text says it too.
struct CheckFinding {
  std::string path;
  uint64_t offset = 0;
  std::string text;
};
using CheckReport = std::function<void(const CheckFinding&)>;

struct CheckCounts {
  uint64_t row_groups = 0, rows = 0, vectors = 0, bytes = 0, findings = 0;
};

// Verifies every checksum of a segment, decodes every vector and compares it with its statistics. Goes
// on after damage as far as it can be made out; never throws for damage or for a failed read, which
// are reported. Reads past any cache. The segment is the whole file, or `size` bytes of it.
CheckCounts check_segment(FileSystem& files, const std::string& path, const CheckReport& report,
                          uint64_t offset = 0, uint64_t size = 0);

// Verifies the first `count` strings of a dictionary file: checksums, order, and that none is there twice.
CheckCounts check_dictionary_file(FileSystem& files, const std::string& path, uint32_t count,
                                  const CheckReport& report);

}  // namespace idem
