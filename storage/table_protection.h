#pragma once

#include <cstdint>
#include <set>

namespace idem {

// What nobody may change of a table, whatever his privileges. Not part of its versions.
struct TableProtection {
  bool immutable = false;
  int64_t until_micros = 0;      // immutable until then; 0: no such time
  std::set<int64_t> partitions;  // starts of frozen partitions
  bool operator==(const TableProtection&) const = default;

  bool is_immutable(int64_t now_micros) const { return immutable || until_micros > now_micros; }
  bool empty() const { return !immutable && until_micros == 0 && partitions.empty(); }
};

}  // namespace idem
