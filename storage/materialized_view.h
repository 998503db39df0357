#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/schema.h"

namespace idem {

// When a materialized view is brought up to date without being told to.
enum class RefreshMode : uint8_t {
  kImmediate,  // soon after each commit that changes a table that it reads
  kEvery,      // where one has changed, at most once in an interval
  kManual,     // never
};

// A table that a materialized view reads.
struct MaterializedViewSource {
  TableId table{};
  // All changes up to this version are in the view. Nothing: unknown, the view is computed anew.
  std::optional<VersionNumber> version;
  bool operator==(const MaterializedViewSource&) const = default;
};

// What makes a table a materialized view: its rows are those that a query had when they were refreshed. Name, owner and columns are
// those of the table. Immutable; a refresh makes the next one, in one commit with the rows.
struct MaterializedView {
  TableId table{};
  std::string query_text;  // bound by name when it is refreshed, as the table's owner
  // Of the session that created it, for all refreshes: what the query may depend on (TimeZone, search_path).
  std::vector<std::pair<std::string, std::string>> settings;
  RefreshMode mode = RefreshMode::kImmediate;
  int64_t every_count = 0;  // kEvery
  char every_unit = 'h';    // s, m, h, d or w
  bool populated = false;   // false: it has no rows that could be read
  bool reads_clock =
      false;  // its query gives other rows at another time (now(), random()), whatever it reads
  // One more with each change of this entry: one that was made from another than the present one is 40001.
  uint64_t generation = 0;
  int64_t refreshed_micros = 0;                 // time of the commit of the last refresh; 0: none
  std::vector<MaterializedViewSource> sources;  // ascending by table

  int64_t every_micros() const;  // INT64_MAX unless kEvery
};

// The same with nothing known of its sources: after its rows were put back to an earlier version.
MaterializedView with_unknown_sources(const MaterializedView& view);

}  // namespace idem
