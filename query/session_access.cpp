#include "query/access_control.h"
#include "query/session_state.h"

namespace idem {

// What the session's statements may do: they ask here, access_control.h decides.

namespace {

const Catalog& catalog_of(const SessionState& session, const Snapshot& view) {
  return view.catalog ? *view.catalog : *session.server.database->snapshot().catalog;
}

}  // namespace

AccessControl SessionState::access() const {
  return AccessControl(catalog_of(*this, view_), acting_role_.empty() ? user() : acting_role_);
}

std::string SessionState::user() const {
  if (role_generation_ != settings.generation()) {
    role_generation_ = settings.generation();
    role_ = settings.get("role");
    if (role_ == "none") role_ = user_name;
  }
  return role_;
}

void SessionState::check_role(const std::string& role) const {
  if (role == "none") return;
  const Snapshot now = server.database->snapshot();
  if (!now.catalog->roles.contains(role)) {
    throw sql_error(sqlstate::kInvalidParameterValue, "role \"{}\" does not exist", role);
  }
  if (!AccessControl(*now.catalog, user_name).has_role(role)) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "permission denied to set role \"{}\"", role);
  }
}

std::string SessionState::act_as(std::string role) const {
  return std::exchange(acting_role_, std::move(role));
}

void SessionState::check_read(const TableSchema& table) const {
  access().require(SecuredObject::of(table), Privilege::kSelect);
}
void SessionState::check_read(const ViewSchema& view) const {
  access().require(SecuredObject::of(view), Privilege::kSelect);
}

void SessionState::check_schema(const std::string& schema, Privilege wanted) const {
  const auto& schemas = catalog_of(*this, view_).schemas;
  const auto found = schemas.find(schema);
  if (found != schemas.end()) access().require(SecuredObject::of(found->second), wanted);
}

std::shared_ptr<const TableVersion> SessionState::writable_table(const ast::ObjectName& name,
                                                                 PrivilegeSet wanted) const {
  auto table = target_table(name);
  require_changeable(*view_.catalog, *table->schema, server.clock->now_micros());
  access().require(SecuredObject::of(*table->schema), wanted);
  return table;
}

std::shared_ptr<const TableVersion> SessionState::owned_table(const ast::ObjectName& name) const {
  auto table = target_table(name);
  require_changeable(*view_.catalog, *table->schema, server.clock->now_micros());
  access().require_owner(SecuredObject::of(*table->schema));
  return table;
}

// In a schema that owns its objects its owner is the owner, and the creator may read and load what he made
// and set it immutable. Otherwise the creator is the owner, and his default privileges are granted.
std::string SessionState::object_owner(const std::string& schema) const {
  const auto& schemas = catalog_of(*this, view_).schemas;
  const auto found = schemas.find(schema);
  return found != schemas.end() && found->second.owns_objects ? found->second.owner : user();
}

void SessionState::grant_initial_access(const SecuredObject& object, const std::string& schema) {
  Transaction& t = transaction();
  const Catalog& catalog = *t.schema_view().catalog;
  const std::string owner(object.owner), creator = user();
  AccessList initial;
  const auto add = [&](const std::string& grantee, const std::string& grantor, PrivilegeSet privileges,
                       PrivilegeSet grantable) {
    privileges &= static_cast<PrivilegeSet>(privileges_of(object.kind) | Privilege::kProtect);
    grantable &= privileges;
    if (privileges == 0) return;
    for (AccessEntry& entry : initial) {
      if (entry.grantee != grantee || entry.grantor != grantor) continue;
      entry.privileges |= privileges;
      entry.grantable |= grantable;
      return;
    }
    initial.push_back({grantee, grantor, privileges, grantable});
  };
  if (owner != creator) {
    const PrivilegeSet of_table = Privilege::kSelect | Privilege::kInsert | Privilege::kProtect;
    const PrivilegeSet of_view = Privilege::kSelect | Privilege::kReplace;
    add(creator, owner, object.kind == SecuredObject::Kind::kView ? of_view : of_table, 0);
  }
  for (const std::string& where : {std::string(), schema}) {
    const auto list = catalog.default_access.find({creator, where, DefaultAccessKey::Kind::kTables});
    if (list == catalog.default_access.end()) continue;
    for (const AccessEntry& entry : list->second) {
      if (entry.grantee != owner) add(entry.grantee, owner, entry.privileges, entry.grantable);
    }
  }
  if (initial.empty()) return;
  t.set_access(object.id, {owner, owner, privileges_of(object.kind), 0});
  for (AccessEntry& entry : initial) t.set_access(object.id, std::move(entry));
}

}  // namespace idem
