#pragma once

#include <string>
#include <string_view>

#include "storage/catalog.h"

namespace idem {

// Something that privileges are granted on.
struct SecuredObject {
  enum class Kind : uint8_t { kTable, kView, kSchema };
  Kind kind = Kind::kTable;
  uint32_t id = 0;
  std::string_view name, owner;  // of the catalog's object, which outlives this

  static SecuredObject of(const TableSchema& table) {
    return {Kind::kTable, static_cast<uint32_t>(table.id), table.name, table.owner};
  }
  static SecuredObject of(const ViewSchema& view) { return {Kind::kView, view.id, view.name, view.owner}; }
  static SecuredObject of(const SchemaInfo& schema) {
    return {Kind::kSchema, schema.id, schema.name, schema.owner};
  }
};
std::string_view object_kind_name(SecuredObject::Kind kind);  // "table"
PrivilegeSet privileges_of(SecuredObject::Kind kind);         // that can be granted on it
// "SELECT"; and back, 0 where there is none of that name (in any case).
std::string_view privilege_name(Privilege privilege);
PrivilegeSet privilege_of_name(std::string_view name);
char privilege_letter(Privilege privilege);  // as PostgreSQL shows access lists: r, a, w, d, D, m, C, U
inline constexpr Privilege kAllPrivileges[] = {
    Privilege::kInsert,   Privilege::kSelect,  Privilege::kUpdate,  Privilege::kDelete, Privilege::kTruncate,
    Privilege::kMaintain, Privilege::kReplace, Privilege::kProtect, Privilege::kUsage,  Privilege::kCreate};

// What one role may do, by one catalog: its own privileges, those of the roles that it is a member of, and
// PUBLIC's. This is the only place that decides; session_access.cpp asks it for statements,
// functions_catalog.cpp for has_table_privilege().
//
// A superuser may do everything, an owner whatever is not taken from him. Cheap to make; the catalog must
// outlive it.
class AccessControl {
 public:
  AccessControl(const Catalog& catalog, std::string role) : catalog_(catalog), role_(std::move(role)) {}

  const std::string& role() const { return role_; }
  bool is_superuser() const;
  // Whether it is that role or a member of it, directly or through others. A superuser is a member of every
  // role.
  bool has_role(std::string_view other) const;
  bool is_admin_of(std::string_view other) const;  // may let others become members
  bool owns(const SecuredObject& object) const { return has_role(object.owner); }

  PrivilegeSet privileges(const SecuredObject& object) const;
  PrivilegeSet grantable(const SecuredObject& object) const;

  // 42501 "permission denied for table t" unless all of them are held.
  void require(const SecuredObject& object, PrivilegeSet wanted) const;
  void require(const SecuredObject& object, Privilege wanted) const {
    require(object, static_cast<PrivilegeSet>(wanted));
  }
  void require_owner(const SecuredObject& object) const;  // "must be owner of table t"
  void require_superuser(std::string_view what) const;    // "permission denied to create role"
  void require_role(const std::string& other) const;      // "must be member of role "r""

 private:
  bool is_member(std::string_view member, std::string_view role, int depth) const;
  PrivilegeSet collect(const SecuredObject& object, PrivilegeSet AccessEntry::*which) const;

  const Catalog& catalog_;
  std::string role_;
};

// "reader=r*/admin": an entry as PostgreSQL shows it, a star after what may be granted on.
std::string access_text(const AccessEntry& entry);

// The access list of an object as it is in force: the one that it has, or its owner's default.
AccessList effective_access(const Catalog& catalog, const SecuredObject& object);

// 42501 for an immutable table, whoever wants to change it.
void require_not_immutable(const Catalog& catalog, const TableSchema& table, int64_t now_micros);
// Checks a table against statements that change it: 42809 for a materialized view, and 42501 for an immutable table.
void require_changeable(const Catalog& catalog, const TableSchema& table, int64_t now_micros);
// For statements that remove it: 42501 for an immutable table and for one with a frozen partition.
void require_removable(const Catalog& catalog, const TableSchema& table, int64_t now_micros);

}  // namespace idem
