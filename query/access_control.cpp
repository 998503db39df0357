#include "query/access_control.h"

#include "common/error.h"

namespace idem {

namespace {

struct PrivilegeText {
  Privilege privilege;
  std::string_view name;
  char letter;
};
constexpr PrivilegeText kTexts[] = {
    {Privilege::kSelect, "SELECT", 'r'},     {Privilege::kInsert, "INSERT", 'a'},
    {Privilege::kUpdate, "UPDATE", 'w'},     {Privilege::kDelete, "DELETE", 'd'},
    {Privilege::kTruncate, "TRUNCATE", 'D'}, {Privilege::kMaintain, "MAINTAIN", 'm'},
    {Privilege::kReplace, "REPLACE", 'R'},   {Privilege::kProtect, "PROTECT", 'i'},
    {Privilege::kCreate, "CREATE", 'C'},     {Privilege::kUsage, "USAGE", 'U'},
};

bool same_name(std::string_view upper, std::string_view name) {
  if (upper.size() != name.size()) return false;
  for (size_t i = 0; i < name.size(); i++) {
    const char c = name[i] >= 'a' && name[i] <= 'z' ? static_cast<char>(name[i] - 'a' + 'A') : name[i];
    if (c != upper[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view object_kind_name(SecuredObject::Kind kind) {
  switch (kind) {
    case SecuredObject::Kind::kTable: return "table";
    case SecuredObject::Kind::kView: return "view";
    case SecuredObject::Kind::kSchema: return "schema";
  }
  return "";
}

PrivilegeSet privileges_of(SecuredObject::Kind kind) {
  switch (kind) {
    case SecuredObject::Kind::kTable: return kTablePrivileges;
    case SecuredObject::Kind::kView: return kViewPrivileges;
    case SecuredObject::Kind::kSchema: return kSchemaPrivileges;
  }
  return 0;
}

std::string_view privilege_name(Privilege privilege) {
  for (const PrivilegeText& text : kTexts) {
    if (text.privilege == privilege) return text.name;
  }
  return "";
}

PrivilegeSet privilege_of_name(std::string_view name) {
  for (const PrivilegeText& text : kTexts) {
    if (same_name(text.name, name)) return static_cast<PrivilegeSet>(text.privilege);
  }
  return 0;
}

char privilege_letter(Privilege privilege) {
  for (const PrivilegeText& text : kTexts) {
    if (text.privilege == privilege) return text.letter;
  }
  return '?';
}

bool AccessControl::is_superuser() const {
  const auto role = catalog_.roles.find(role_);
  return role != catalog_.roles.end() && role->second.superuser;
}

bool AccessControl::is_member(std::string_view member, std::string_view role, int depth) const {
  constexpr int kMaxDepth = 100;  // circles are refused when they are made
  if (member == role) return true;
  if (depth > kMaxDepth) return false;
  const std::pair<std::string, std::string> from{std::string(member), std::string()};
  for (auto m = catalog_.memberships.lower_bound(from);
       m != catalog_.memberships.end() && m->first.first == member; ++m) {
    if (is_member(m->first.second, role, depth + 1)) return true;
  }
  return false;
}

bool AccessControl::has_role(std::string_view other) const {
  return role_ == other || is_superuser() || is_member(role_, other, 0);
}

bool AccessControl::is_admin_of(std::string_view other) const {
  if (is_superuser()) return true;
  for (const auto& [key, membership] : catalog_.memberships) {
    if (membership.admin && membership.role == other && is_member(role_, membership.member, 0)) return true;
  }
  return false;
}

PrivilegeSet AccessControl::collect(const SecuredObject& object, PrivilegeSet AccessEntry::*which) const {
  const auto list = catalog_.access.find(object.id);
  if (list == catalog_.access.end()) {
    const bool owner = role_ == object.owner || is_member(role_, object.owner, 0);
    return owner ? static_cast<PrivilegeSet>(privileges_of(object.kind) | Privilege::kProtect)
                 : PrivilegeSet{0};
  }
  PrivilegeSet held = 0;
  for (const AccessEntry& entry : list->second) {
    if (entry.grantee.empty() || entry.grantee == role_ || is_member(role_, entry.grantee, 0))
      held |= entry.*which;
  }
  return held;
}

PrivilegeSet AccessControl::privileges(const SecuredObject& object) const {
  constexpr PrivilegeSet kEverything = UINT16_MAX;
  if (is_superuser()) return kEverything;
  return collect(object, &AccessEntry::privileges);
}

PrivilegeSet AccessControl::grantable(const SecuredObject& object) const {
  if (owns(object)) return privileges_of(object.kind);
  return collect(object, &AccessEntry::grantable);
}

void AccessControl::require(const SecuredObject& object, PrivilegeSet wanted) const {
  if (role_ == object.owner && !catalog_.access.contains(object.id)) return;
  if ((privileges(object) & wanted) == wanted) return;
  throw sql_error(sqlstate::kInsufficientPrivilege, "permission denied for {} {}",
                  object_kind_name(object.kind), object.name);
}

void AccessControl::require_owner(const SecuredObject& object) const {
  if (owns(object)) return;
  throw sql_error(sqlstate::kInsufficientPrivilege, "must be owner of {} {}", object_kind_name(object.kind),
                  object.name);
}

void AccessControl::require_superuser(std::string_view what) const {
  if (is_superuser()) return;
  throw sql_error(sqlstate::kInsufficientPrivilege, "permission denied to {}", what)
      .with_hint("You must be a superuser.");
}

void AccessControl::require_role(const std::string& other) const {
  if (has_role(other)) return;
  throw sql_error(sqlstate::kInsufficientPrivilege, "must be member of role \"{}\"", other);
}

std::string access_text(const AccessEntry& entry) {
  std::string text = entry.grantee + "=";
  for (const Privilege privilege : kAllPrivileges) {
    if (!contains(entry.privileges, privilege)) continue;
    text += privilege_letter(privilege);
    if (contains(entry.grantable, privilege)) text += '*';
  }
  return text + "/" + entry.grantor;
}

AccessList effective_access(const Catalog& catalog, const SecuredObject& object) {
  const auto list = catalog.access.find(object.id);
  if (list != catalog.access.end()) return list->second;
  return {{std::string(object.owner), std::string(object.owner), privileges_of(object.kind), 0}};
}

void require_not_immutable(const Catalog& catalog, const TableSchema& table, int64_t now_micros) {
  const auto protection = catalog.protections.find(static_cast<uint32_t>(table.id));
  if (protection == catalog.protections.end() || !protection->second.is_immutable(now_micros)) return;
  throw sql_error(sqlstate::kInsufficientPrivilege, "table \"{}\" is immutable", table.name);
}

void require_changeable(const Catalog& catalog, const TableSchema& table, int64_t now_micros) {
  if (catalog.materialized_view(table.id)) {
    throw sql_error(sqlstate::kWrongObjectType, "cannot change materialized view \"{}\"", table.name)
        .with_hint("Its rows are those of its query: change the tables that it reads.");
  }
  require_not_immutable(catalog, table, now_micros);
}

void require_removable(const Catalog& catalog, const TableSchema& table, int64_t now_micros) {
  require_not_immutable(catalog, table, now_micros);
  const auto protection = catalog.protections.find(static_cast<uint32_t>(table.id));
  if (protection == catalog.protections.end() || protection->second.partitions.empty()) return;
  const std::string partition = partition_name(table.partition_by, *protection->second.partitions.begin());
  throw sql_error(sqlstate::kInsufficientPrivilege, "partition \"{}\" of table \"{}\" is frozen", partition,
                  table.name);
}

}  // namespace idem
