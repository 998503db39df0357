#pragma once

#include <algorithm>
#include <cstdint>

#include "storage/partition_change.h"

namespace idem {

// What a change does to some neighbouring rows: parts of its lists. Ordinals are those of the version before.
struct ChangeRange {
  size_t deleted_begin = 0, deleted_end = 0;    // of positions.deleted
  size_t replaced_begin = 0, replaced_end = 0;  // of positions.replaced
  size_t inserted_begin = 0, inserted_end = 0;  // of positions.inserted

  bool empty() const {
    return deleted_begin == deleted_end && replaced_begin == replaced_end && inserted_begin == inserted_end;
  }
  uint64_t deleted() const { return deleted_end - deleted_begin; }
  uint64_t replaced() const { return replaced_end - replaced_begin; }
  uint64_t inserted(const PositionDelta& delta) const {
    if (inserted_begin == inserted_end) return 0;
    const PositionDelta::InsertRun& last = delta.inserted[inserted_end - 1];
    return last.first + last.count - delta.inserted[inserted_begin].first;
  }
};

// Walks the items of a change, or of a range of it, in order of their ordinals.
class ChangeCursor {
 public:
  explicit ChangeCursor(const PositionDelta& delta)
      : ChangeCursor(delta, {0, delta.deleted.size(), 0, delta.replaced.size(), 0, delta.inserted.size()}) {}
  ChangeCursor(const PositionDelta& delta, const ChangeRange& range) : delta_(delta), left_(range) {}

  // The first ordinal at or before which something happens; UINT64_MAX if nothing does.
  uint64_t next() const {
    uint64_t at = UINT64_MAX;
    if (left_.deleted_begin < left_.deleted_end) at = delta_.deleted[left_.deleted_begin];
    if (left_.replaced_begin < left_.replaced_end) at = std::min(at, delta_.replaced[left_.replaced_begin]);
    if (left_.inserted_begin < left_.inserted_end)
      at = std::min(at, delta_.inserted[left_.inserted_begin].before);
    return at;
  }
  uint64_t next_inserted() const {
    return left_.inserted_begin < left_.inserted_end ? delta_.inserted[left_.inserted_begin].before
                                                     : UINT64_MAX;
  }
  // What is inserted directly before `ordinal`; null: nothing.
  const PositionDelta::InsertRun* take_inserted(uint64_t ordinal) {
    const bool here =
        left_.inserted_begin < left_.inserted_end && delta_.inserted[left_.inserted_begin].before == ordinal;
    return here ? &delta_.inserted[left_.inserted_begin++] : nullptr;
  }
  bool take_deleted(uint64_t ordinal) {
    if (left_.deleted_begin == left_.deleted_end || delta_.deleted[left_.deleted_begin] != ordinal)
      return false;
    ++left_.deleted_begin;
    return true;
  }
  // The number of the replacement of a row in positions.replaced, or -1.
  int64_t take_replaced(uint64_t ordinal) {
    if (left_.replaced_begin == left_.replaced_end || delta_.replaced[left_.replaced_begin] != ordinal)
      return -1;
    return static_cast<int64_t>(left_.replaced_begin++);
  }
  // Everything that concerns rows before `end`; insertions before `end` itself are not among it.
  ChangeRange take_until(uint64_t end) {
    const ChangeRange all = left_;
    left_.deleted_begin = below(delta_.deleted, all.deleted_begin, all.deleted_end, end);
    left_.replaced_begin = below(delta_.replaced, all.replaced_begin, all.replaced_end, end);
    while (left_.inserted_begin < left_.inserted_end && delta_.inserted[left_.inserted_begin].before < end) {
      ++left_.inserted_begin;
    }
    return {all.deleted_begin,    left_.deleted_begin, all.replaced_begin,
            left_.replaced_begin, all.inserted_begin,  left_.inserted_begin};
  }

 private:
  static size_t below(const std::vector<uint64_t>& sorted, size_t begin, size_t end, uint64_t limit) {
    // Mostly a few items: doubling steps from the front.
    size_t step = 1;
    size_t low = begin;
    while (low + step <= end && sorted[low + step - 1] < limit) {
      low += step;
      step *= 2;
    }
    const size_t high = std::min(low + step, end);
    const auto first = sorted.begin();
    return static_cast<size_t>(std::lower_bound(first + static_cast<std::ptrdiff_t>(low),
                                                first + static_cast<std::ptrdiff_t>(high), limit) -
                               first);
  }

  const PositionDelta& delta_;
  ChangeRange left_;
};

}  // namespace idem
