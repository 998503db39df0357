#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace idem {

// What a role may do with a table, view or schema. Bits, so that sets of them are numbers.
enum class Privilege : uint16_t {
  kSelect = 1,
  kInsert = 2,
  kUpdate = 4,
  kDelete = 8,
  kTruncate = 16,
  kMaintain = 32,  // VACUUM, CHECKPOINT …, tags, freezing
  kReplace = 64,   // CREATE OR REPLACE of a view
  kCreate = 128,   // in a schema
  kUsage = 256,    // of a schema
  kProtect = 512,  // setting a table immutable; only its creator gets it, where the schema owns its objects
};
using PrivilegeSet = uint16_t;
constexpr PrivilegeSet operator|(Privilege a, Privilege b) {
  return static_cast<PrivilegeSet>(static_cast<PrivilegeSet>(a) | static_cast<PrivilegeSet>(b));
}
constexpr PrivilegeSet operator|(PrivilegeSet a, Privilege b) {
  return static_cast<PrivilegeSet>(a | static_cast<PrivilegeSet>(b));
}
constexpr PrivilegeSet operator&(PrivilegeSet a, Privilege b) {
  return static_cast<PrivilegeSet>(a & static_cast<PrivilegeSet>(b));
}
constexpr bool contains(PrivilegeSet set, Privilege one) { return set & static_cast<PrivilegeSet>(one); }

inline constexpr PrivilegeSet kTablePrivileges = Privilege::kSelect | Privilege::kInsert |
                                                 Privilege::kUpdate | Privilege::kDelete |
                                                 Privilege::kTruncate | Privilege::kMaintain;
inline constexpr PrivilegeSet kViewPrivileges = Privilege::kSelect | Privilege::kReplace;
inline constexpr PrivilegeSet kSchemaPrivileges = Privilege::kCreate | Privilege::kUsage;

// What one role granted another one.
struct AccessEntry {
  std::string grantee;  // "": PUBLIC
  std::string grantor;
  PrivilegeSet privileges = 0;
  PrivilegeSet grantable = 0;  // those of them that the grantee may grant on
  bool operator==(const AccessEntry&) const = default;
};

// All grants on one object, at most one for each grantee and grantor. An object without a list has the
// default: its owner may do everything. The owner's own privileges are an entry from the owner to itself.
using AccessList = std::vector<AccessEntry>;

}  // namespace idem
