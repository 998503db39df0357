#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/schema.h"

namespace idem {

// A statement of a run that wrote: what a replay is compared with, and how it is answered.
struct RunWrite {
  uint64_t text_hash = 0;  // of its normalized text and its parameters
  std::string tag;         // command tag
  bool operator==(const RunWrite&) const = default;
};

// What a run did to one table. Temporary tables are not listed.
struct RunTable {
  enum class Effect : uint8_t { kChanged, kCreated, kDropped };
  TableId table{};
  Effect effect = Effect::kChanged;
  VersionNumber before{};  // before the run's first commit; of a created table 0
  VersionNumber after{};   // that its last commit made; of a dropped table as `before`
  bool operator==(const RunTable&) const = default;
};

// A committed transaction that can be repeated under its key (BEGIN RUN). Immutable once committed.
struct Run {
  std::string key, user;
  CommitNumber first_commit{}, last_commit{};  // of its executions; those that were skipped made none
  int64_t first_time_micros = 0, last_time_micros = 0;
  std::vector<RunWrite> writes;  // of its last execution, in order
  std::vector<RunTable> tables;  // ascending by table
};

// The key up to its last '/', with it; the whole key if it has none. Runs of one prefix are steps of one
// pipeline.
inline std::string_view run_prefix(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(0, slash + 1);
}

}  // namespace idem
