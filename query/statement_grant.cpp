#include <algorithm>
#include <map>

#include "query/access_control.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

using Target = ast::Grant::Target;

// What the statement names, which stays as long as the snapshot does.
struct GrantTarget {
  SecuredObject object;
  std::shared_ptr<const void> keep;
};

const SchemaInfo& schema_named(const SessionState& session, const ast::Identifier& name) {
  const auto& schemas = session.snapshot().catalog->schemas;
  const auto found = schemas.find(name.text);
  if (found != schemas.end()) return found->second;
  throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name.text)
      .with_position(name.position);
}

void add_tables_of(const SessionState& session, const std::string* schema,
                   std::vector<GrantTarget>& targets) {
  const Snapshot& view = session.snapshot();
  for (const auto& [name, id] : view.catalog->tables) {
    const auto table = view.table(id);
    if ((schema && name.first != *schema) || !table || table->schema->temporary) continue;
    targets.push_back({SecuredObject::of(*table->schema), table});
  }
  for (const auto& [name, found] : view.catalog->views) {
    if (!schema || name.first == *schema) targets.push_back({SecuredObject::of(*found), found});
  }
}

std::vector<GrantTarget> targets_of(const SessionState& session, const ast::Grant& grant) {
  std::vector<GrantTarget> targets;
  const auto catalog = session.snapshot().catalog;
  switch (grant.target) {
    case Target::kTables:
      for (const ast::ObjectName& name : grant.objects) {
        if (auto found = session.find_view(name.parts())) {
          targets.push_back({SecuredObject::of(*found), found});
        } else {
          auto table = session.target_table(name);
          targets.push_back({SecuredObject::of(*table->schema), table});
        }
      }
      return targets;
    case Target::kAllTablesInSchema:
      if (grant.objects.empty()) add_tables_of(session, nullptr, targets);
      for (const ast::ObjectName& name : grant.objects) {
        const std::string schema = schema_named(session, name.name).name;
        add_tables_of(session, &schema, targets);
      }
      return targets;
    case Target::kSchemas:
      for (const ast::ObjectName& name : grant.objects)
        targets.push_back({SecuredObject::of(schema_named(session, name.name)), catalog});
      return targets;
    default:
      throw SqlError(sqlstate::kFeatureNotSupported,
                     "privileges on databases, sequences and functions are not supported");
  }
}

// What the statement names of privileges that exist for such an object; 0LP01 for others.
PrivilegeSet privileges_named(const ast::Grant& grant, SecuredObject::Kind kind) {
  PrivilegeSet set = 0;
  const PrivilegeSet possible = privileges_of(kind);
  // GRANT INSERT ON v: PostgreSQL's views take every privilege of tables; here it would allow nothing.
  for (const ast::Privilege& privilege : grant.privileges) {
    if (!privilege.columns.empty())
      throw SqlError(sqlstate::kFeatureNotSupported, "privileges on columns are not supported");
    if (privilege.name == "all") {
      set |= possible;
      continue;
    }
    const PrivilegeSet one = privilege_of_name(privilege.name);
    if (one == 0 || contains(one, Privilege::kProtect)) {
      if (privilege.name == "references" || privilege.name == "trigger") {
        throw sql_error(sqlstate::kFeatureNotSupported, "privilege {} is not supported", privilege.name);
      }
      throw sql_error(sqlstate::kSyntaxError, "unrecognized privilege type \"{}\"", privilege.name);
    }
    if ((one & possible) == 0) {
      throw sql_error("0LP01", "invalid privilege type {} for {}",
                      privilege_name(static_cast<Privilege>(one)), object_kind_name(kind));
    }
    set |= one;
  }
  return set;
}

// As whom the privileges are granted: as the owner where the role may act as it, else as a role with the
// grant option.
std::string grantor_of(const AccessControl& access, const SecuredObject& object) {
  return access.owns(object) ? std::string(object.owner) : access.role();
}

AccessEntry entry_of(const AccessList& list, const std::string& grantee, const std::string& grantor) {
  for (const AccessEntry& entry : list) {
    if (entry.grantee == grantee && entry.grantor == grantor) return entry;
  }
  return {grantee, grantor, 0, 0};
}

void grant_on(SessionState& session, const ast::Grant& grant, const SecuredObject& object) {
  const AccessControl access = session.access();
  PrivilegeSet wanted = privileges_named(grant, object.kind);
  const PrivilegeSet may = access.grantable(object);
  if ((may & wanted) == 0 && wanted != 0) {
    if (access.privileges(object) == 0) access.require(object, wanted);
    session.notice("WARNING", sql_error(grant.is_grant ? "01007" : "01006", "no privileges {} for \"{}\"",
                                        grant.is_grant ? "were granted" : "could be revoked", object.name));
    return;
  }
  if ((may & wanted) != wanted) {
    session.notice("WARNING",
                   sql_error(grant.is_grant ? "01007" : "01006", "not all privileges {} for \"{}\"",
                             grant.is_grant ? "were granted" : "could be revoked", object.name));
    wanted &= may;
  }
  Transaction& t = session.write_transaction(grant.is_grant ? "GRANT" : "REVOKE");
  const std::string grantor = grantor_of(access, object), owner(object.owner);
  for (const ast::RoleName& name : grant.grantees) {
    const std::string grantee = role_of(session, name);
    const AccessList list = effective_access(*t.schema_view().catalog, object);
    if (!t.schema_view().catalog->access.contains(object.id)) t.set_access(object.id, list[0]);
    AccessEntry entry = entry_of(list, grantee, grantor);
    if (grant.is_grant) {
      if (grant.with_option && grantee.empty()) {
        throw SqlError("0LP01", "grant options can only be granted to roles");
      }
      entry.privileges |= wanted;
      if (grant.with_option) entry.grantable |= wanted;
      t.set_access(object.id, entry);
      continue;
    }
    const PrivilegeSet lost_option = entry.grantable & wanted;
    if (!grant.with_option) entry.privileges &= static_cast<PrivilegeSet>(~wanted);
    entry.grantable &= static_cast<PrivilegeSet>(~wanted);
    t.set_access(object.id, entry);
    // What was granted on by this role goes with its grant option.
    if (lost_option == 0 || grantee == owner) continue;
    for (AccessEntry dependent : list) {
      if (dependent.grantor != grantee || (dependent.privileges & lost_option) == 0) continue;
      if (!grant.cascade) {
        throw SqlError(sqlstate::kDependentObjectsStillExist, "dependent privileges exist")
            .with_hint("Use CASCADE to revoke them too.");
      }
      dependent.privileges &= static_cast<PrivilegeSet>(~lost_option);
      dependent.grantable &= static_cast<PrivilegeSet>(~lost_option);
      t.set_access(object.id, dependent);
    }
  }
}

void grant_roles(SessionState& session, const ast::Grant& grant) {
  const Catalog& catalog = *session.snapshot().catalog;
  const AccessControl access = session.access();
  for (const ast::Privilege& named : grant.privileges) {
    const std::string& role = named.name;
    const auto found = catalog.roles.find(role);
    if (found == catalog.roles.end())
      throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", role);
    if (!access.is_admin_of(role)) {
      throw sql_error(sqlstate::kInsufficientPrivilege, "must have admin option on role \"{}\"", role);
    }
    if (found->second.superuser && !access.is_superuser()) {
      throw SqlError(sqlstate::kInsufficientPrivilege, "must be superuser to alter superusers");
    }
    for (const ast::RoleName& name : grant.grantees) {
      const std::string member = role_of(session, name);
      if (member.empty())
        throw SqlError("0LP01", "PUBLIC cannot be a member of a role").with_position(name.position);
      Transaction& t = session.write_transaction(grant.is_grant ? "GRANT" : "REVOKE");
      const auto& memberships = t.schema_view().catalog->memberships;
      const auto known = memberships.find({member, role});
      RoleMembership membership{role, member, access.role(), grant.with_option};
      if (grant.is_grant) {
        Catalog without_superusers;  // a superuser is no member of every role here
        without_superusers.memberships = memberships;
        if (AccessControl(without_superusers, role).has_role(member)) {
          throw sql_error("0LP01", "role \"{}\" is a member of role \"{}\"", role, member);
        }
        if (known != memberships.end() && (!grant.with_option || known->second.admin)) {
          session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion,
                                             "role \"{}\" is already a member of role \"{}\"", member, role));
          continue;
        }
        t.set_membership(std::move(membership), true);
      } else if (known == memberships.end()) {
        session.notice("WARNING",
                       sql_error("01000", "role \"{}\" is not a member of role \"{}\"", member, role));
      } else if (grant.with_option) {
        membership = known->second;
        membership.admin = false;
        t.set_membership(std::move(membership), true);
      } else {
        t.set_membership(std::move(membership), false);
      }
    }
  }
}

// Checks that a role may give its object to another one.
void check_new_owner(const SessionState& session, const AccessControl& access, const SecuredObject& object,
                     const std::string& owner, const std::string& schema) {
  access.require_owner(object);
  access.require_role(owner);
  const auto& schemas = session.snapshot().catalog->schemas;
  const auto found = schemas.find(schema);
  if (found == schemas.end() || access.is_superuser()) return;
  AccessControl(*session.snapshot().catalog, owner)
      .require(SecuredObject::of(found->second), Privilege::kCreate);
}

// What the old owner had and had granted is the new one's.
void move_access(Transaction& t, uint32_t object, const std::string& from, const std::string& to) {
  const auto& lists = t.schema_view().catalog->access;
  const auto found = lists.find(object);
  if (found == lists.end()) return;
  const AccessList old = found->second;
  AccessList moved;
  for (AccessEntry entry : old) {
    if (entry.grantee == from) entry.grantee = to;
    if (entry.grantor == from) entry.grantor = to;
    const auto same = std::find_if(moved.begin(), moved.end(), [&](const AccessEntry& other) {
      return other.grantee == entry.grantee && other.grantor == entry.grantor;
    });
    if (same == moved.end()) {
      moved.push_back(entry);
    } else {
      same->privileges |= entry.privileges;
      same->grantable |= entry.grantable;
    }
  }
  for (AccessEntry entry : old) {
    entry.privileges = entry.grantable = 0;
    t.set_access(object, std::move(entry));
  }
  for (AccessEntry& entry : moved) t.set_access(object, std::move(entry));
}

}  // namespace

std::string role_of(const SessionState& session, const ast::RoleName& name) {
  switch (name.kind) {
    case ast::RoleName::Kind::kPublic: return "";
    case ast::RoleName::Kind::kCurrentUser: return session.user();
    case ast::RoleName::Kind::kSessionUser: return session.session_user();
    case ast::RoleName::Kind::kName: break;
  }
  if (!session.snapshot().catalog->roles.contains(name.name)) {
    throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name.name)
        .with_position(name.position);
  }
  return name.name;
}

std::string execute_grant(SessionState& session, const ast::GrantStatement& s) {
  session.check_writable(s.grant.is_grant ? "GRANT" : "REVOKE");
  session.begin_statement();
  if (s.grant.target == Target::kRoles) {
    grant_roles(session, s.grant);
    return s.grant.is_grant ? "GRANT ROLE" : "REVOKE ROLE";
  }
  const bool all = s.grant.target == Target::kAllTablesInSchema;
  for (const GrantTarget& target : targets_of(session, s.grant)) {
    ast::Grant grant;
    grant.is_grant = s.grant.is_grant;
    grant.with_option = s.grant.with_option;
    grant.cascade = s.grant.cascade;
    grant.grantees = s.grant.grantees;
    // ALL TABLES means views, too, which have fewer privileges.
    for (const ast::Privilege& privilege : s.grant.privileges) {
      const PrivilegeSet one = privilege_of_name(privilege.name);
      if (!all || one == 0 || (one & privileges_of(target.object.kind)) != 0)
        grant.privileges.push_back(privilege);
    }
    if (!grant.privileges.empty()) grant_on(session, grant, target.object);
  }
  return s.grant.is_grant ? "GRANT" : "REVOKE";
}

std::string execute_alter_default_privileges(SessionState& session,
                                             const ast::AlterDefaultPrivilegesStatement& s) {
  session.check_writable("ALTER DEFAULT PRIVILEGES");
  session.begin_statement();
  if (s.grant.target != Target::kTables && s.grant.target != Target::kAllTablesInSchema) {
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER DEFAULT PRIVILEGES is supported for tables only");
  }
  const AccessControl access = session.access();
  const PrivilegeSet wanted = privileges_named(s.grant, SecuredObject::Kind::kTable);
  std::vector<std::string> creators, schemas;
  for (const ast::RoleName& role : s.for_roles) creators.push_back(role_of(session, role));
  if (creators.empty()) creators.push_back(session.user());
  for (const ast::Identifier& schema : s.in_schemas) schemas.push_back(schema_named(session, schema).name);
  if (schemas.empty()) schemas.emplace_back();
  Transaction& t = session.write_transaction("ALTER DEFAULT PRIVILEGES");
  for (const std::string& creator : creators) {
    access.require_role(creator);
    for (const std::string& schema : schemas) {
      for (const ast::RoleName& name : s.grant.grantees) {
        const DefaultAccessKey key{creator, schema, DefaultAccessKey::Kind::kTables};
        const auto& known = t.schema_view().catalog->default_access;
        const auto list = known.find(key);
        const std::string grantee = role_of(session, name);
        AccessEntry entry = entry_of(list == known.end() ? AccessList() : list->second, grantee, creator);
        if (s.grant.is_grant) {
          entry.privileges |= wanted;
          if (s.grant.with_option) entry.grantable |= wanted;
        } else {
          if (!s.grant.with_option) entry.privileges &= static_cast<PrivilegeSet>(~wanted);
          entry.grantable &= static_cast<PrivilegeSet>(~wanted);
        }
        t.set_default_access(key, std::move(entry));
      }
    }
  }
  return "ALTER DEFAULT PRIVILEGES";
}

std::string execute_alter_schema(SessionState& session, const ast::AlterSchemaStatement& s) {
  session.check_writable("ALTER SCHEMA");
  session.begin_statement();
  SchemaInfo schema = schema_named(session, s.name);
  const AccessControl access = session.access();
  access.require_owner(SecuredObject::of(schema));
  if (!s.new_name.empty())
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER SCHEMA … RENAME is not supported");
  for (const ast::Option& option : s.options) {
    if (option.name != "owns_objects") {
      throw sql_error(sqlstate::kFeatureNotSupported, "ALTER SCHEMA … SET ({}) is not supported", option.name)
          .with_position(option.position);
    }
    schema.owns_objects = boolean_option(option);
  }
  Transaction& t = session.write_transaction("ALTER SCHEMA");
  if (s.owner) {
    const std::string owner = role_of(session, *s.owner);
    access.require_role(owner);
    if (!access.is_superuser()) access.require_superuser("give a schema away");
    move_access(t, schema.id, schema.owner, owner);
    schema.owner = owner;
  }
  t.put_schema(std::move(schema));
  return "ALTER SCHEMA";
}

void change_owner(SessionState& session, const ast::AlterAction& action, const TableVersion* table,
                  const ViewSchema* view) {
  const std::string owner = role_of(session, action.role);
  if (owner.empty())
    throw SqlError(sqlstate::kSyntaxError, "role \"public\" cannot own anything")
        .with_position(action.role.position);
  const SecuredObject object = table ? SecuredObject::of(*table->schema) : SecuredObject::of(*view);
  const std::string& schema_name = table ? table->schema->schema_name : view->schema_name;
  check_new_owner(session, session.access(), object, owner, schema_name);
  if (owner == object.owner) return;
  Transaction& t = session.write_transaction("ALTER TABLE");
  const std::string before(object.owner);
  if (table) {
    TableSchema schema = *table->schema;
    schema.owner = owner;
    t.alter_table(schema.id, std::move(schema));
  } else {
    ViewSchema changed = *view;
    changed.owner = owner;
    t.put_view(std::move(changed));
  }
  move_access(t, object.id, before, owner);
}

// What a role owns or was granted keeps it from being dropped.
void drop_role(SessionState& session, const std::string& name) {
  const Snapshot& view = session.snapshot();
  const Catalog& catalog = *view.catalog;
  std::vector<std::string> details;
  std::map<uint32_t, std::string> names;
  const auto look_at = [&](const SecuredObject& object) {
    names[object.id] = fmt::format("{} {}", object_kind_name(object.kind), object.name);
    if (object.owner == name) details.push_back("owner of " + names[object.id]);
  };
  for (const auto& [key, id] : catalog.tables) {
    if (const auto table = view.table(id)) look_at(SecuredObject::of(*table->schema));
  }
  for (const auto& [key, found] : catalog.views) look_at(SecuredObject::of(*found));
  for (const auto& [key, schema] : catalog.schemas) look_at(SecuredObject::of(schema));
  for (const auto& [id, list] : catalog.access) {
    const bool named = std::any_of(list.begin(), list.end(), [&](const AccessEntry& entry) {
      return entry.grantee == name || (entry.grantor == name && entry.grantee != name);
    });
    const bool owned = std::find(details.begin(), details.end(), "owner of " + names[id]) != details.end();
    if (named && !owned) details.push_back("privileges for " + names[id]);
  }
  for (const auto& [key, list] : catalog.default_access) {
    const bool named =
        key.creator == name || std::any_of(list.begin(), list.end(),
                                           [&](const AccessEntry& entry) { return entry.grantee == name; });
    if (named) details.push_back(fmt::format("default privileges of role {}", key.creator));
  }
  for (const auto& [slot_name, slot] : catalog.slots) {
    if (slot.owner == name) details.push_back("owner of change slot " + slot_name);
  }
  if (!details.empty()) {
    throw sql_error(sqlstate::kDependentObjectsStillExist,
                    "role \"{}\" cannot be dropped because some objects depend on it", name)
        .with_detail(fmt::format("{}", fmt::join(details, "\n")));
  }
  session.write_transaction("DROP").drop_role(name);
}

}  // namespace idem
