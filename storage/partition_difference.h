#pragma once

#include <memory>
#include <vector>

#include "storage/table_version.h"

namespace idem {

// fn(start, before, after) for each partition that is not the same object in both, ascending; null where it
// is not there. Costs what differs, if no partition was put between others.
template <class F>
void for_each_changed_partition(const PersistentVector<std::shared_ptr<const Partition>>& before,
                                const PersistentVector<std::shared_ptr<const Partition>>& after, F&& fn) {
  const std::shared_ptr<const Partition> none;
  std::vector<size_t> different;
  bool aligned = before.size() <= after.size();
  if (aligned) {
    PersistentVector<std::shared_ptr<const Partition>>::for_each_difference(before, after, [&](size_t i) {
      aligned = aligned && (i >= before.size() || before[i]->start == after[i]->start);
      if (aligned) different.push_back(i);
    });
  }
  if (aligned) {
    for (const size_t i : different) fn(after[i]->start, i < before.size() ? before[i] : none, after[i]);
    return;
  }
  size_t a = 0, b = 0;
  while (a < before.size() || b < after.size()) {
    const bool only_before = b == after.size() || (a < before.size() && before[a]->start < after[b]->start);
    const bool only_after = a == before.size() || (b < after.size() && after[b]->start < before[a]->start);
    if (only_before) {
      fn(before[a]->start, before[a], none);
      ++a;
    } else if (only_after) {
      fn(after[b]->start, none, after[b]);
      ++b;
    } else {
      if (before[a] != after[b]) fn(after[b]->start, before[a], after[b]);
      ++a;
      ++b;
    }
  }
}

}  // namespace idem
