#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace idem {

// Which rows of one partition a commit removed, replaced and added, by their ordinals in the version before.
// Without the rows themselves: enough to move a position from that version to the next and back.
//
//   before   0 1 2 3 4 5          deleted {1}, replaced {3}, inserted {before 2: 2 rows, before 6: 1 row}
//   after    0 a b 2 3'4 5 c
//
// All lists ascend strictly; a row is deleted or replaced, not both. Immutable once built.
struct PositionDelta {
  struct InsertRun {
    uint64_t before = 0;  // the rows stand directly before this ordinal; the row count: at the end
    uint64_t first = 0;   // of the rows, numbered 0, 1, … over all runs
    uint64_t count = 0;
  };
  // Where a row of the version after comes from.
  struct Origin {
    bool inserted = false;
    uint64_t index = 0;  // number of the inserted row, or the ordinal before
  };

  std::vector<uint64_t> deleted, replaced;
  std::vector<InsertRun> inserted;

  bool empty() const { return deleted.empty() && replaced.empty() && inserted.empty(); }
  uint64_t inserted_count() const {
    return inserted.empty() ? 0 : inserted.back().first + inserted.back().count;
  }
  // Only rows at the end of a partition of so many rows.
  bool is_append(uint64_t row_count) const {
    return deleted.empty() && replaced.empty() && inserted.size() <= 1 &&
           (inserted.empty() || inserted[0].before == row_count);
  }
  void insert(uint64_t before, uint64_t count);  // `before` not below earlier ones; joins runs

  bool deletes(uint64_t ordinal) const;
  bool replaces(uint64_t ordinal) const;
  // The ordinal after; nothing if the row was deleted.
  std::optional<uint64_t> forward(uint64_t ordinal) const;
  Origin backward(uint64_t ordinal_after) const;
  uint64_t place_of_inserted(uint64_t index) const;  // the ordinal after
};

}  // namespace idem
