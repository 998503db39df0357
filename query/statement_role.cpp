#include <algorithm>

#include "common/scram_verifier.h"
#include "query/access_control.h"
#include "query/session_settings.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

void apply_options(const ast::RoleOptions& options, Role& role) {
  if (options.superuser) role.superuser = *options.superuser;
  if (options.login) role.can_login = *options.login;
  if (options.has_password) {
    if (!options.password) {
      role.scram_verifier.clear();
    } else if (options.password->empty()) {
      throw SqlError(sqlstate::kInvalidParameterValue, "empty string is not a valid password");
    } else if (options.password->starts_with("SCRAM-SHA-256$")) {
      // A verifier made elsewhere (psql's \password, createuser): it is taken as it is.
      if (!ScramVerifier::from_text(*options.password))
        throw SqlError(sqlstate::kInvalidParameterValue, "malformed SCRAM verifier");
      role.scram_verifier = *options.password;
    } else {
      role.scram_verifier = ScramVerifier::from_password(*options.password).to_text();
    }
  }
  auto refuse = [](bool given, std::string_view what) {
    if (given) throw sql_error(sqlstate::kFeatureNotSupported, "role option {} is not supported", what);
  };
  refuse(options.replication.value_or(false), "REPLICATION");
  refuse(options.bypass_row_security.value_or(false), "BYPASSRLS");
  refuse(options.create_database.value_or(false), "CREATEDB");
  refuse(options.create_role.value_or(false), "CREATEROLE");
  refuse(!options.inherit.value_or(true), "NOINHERIT");
  refuse(options.valid_until.has_value(), "VALID UNTIL");
  if (!options.connection_limit) return;
  if (*options.connection_limit < -1 || *options.connection_limit > INT32_MAX)
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid connection limit: {}",
                    *options.connection_limit);
  role.connection_limit = static_cast<int32_t>(*options.connection_limit);
}

// IN ROLE, ROLE and ADMIN of CREATE ROLE.
void add_members(SessionState& session, const std::string& role, const ast::RoleOptions& options) {
  Transaction& t = session.write_transaction("ROLE");
  for (const ast::RoleName& parent : options.in_roles)
    t.set_membership({role_of(session, parent), role, session.user(), false}, true);
  for (const ast::RoleName& member : options.members)
    t.set_membership({role, role_of(session, member), session.user(), false}, true);
  for (const ast::RoleName& admin : options.admins)
    t.set_membership({role, role_of(session, admin), session.user(), true}, true);
}

// What a role may change of itself: its password, and settings that do not bound it.
bool is_own_affair(const ast::AlterRoleStatement& s, const Role& role) {
  const ast::RoleOptions& o = s.options;
  if (s.setting.empty()) return o.has_password && !o.superuser && !o.login && !o.connection_limit;
  if (s.setting != "all") return !SessionSettings::is_limit(s.setting);
  return std::none_of(role.settings.begin(), role.settings.end(),
                      [](const auto& setting) { return SessionSettings::is_limit(setting.first); });
}

void change_setting(const ast::AlterRoleStatement& s, Role& role) {
  if (!s.reset)
    role.settings[s.setting] = SessionSettings::checked_default(s.setting, setting_text(s.setting, s.values));
  else if (s.setting == "all") role.settings.clear();
  else role.settings.erase(s.setting);
}

}  // namespace

std::string execute_create_role(SessionState& session, const ast::CreateRoleStatement& s) {
  session.check_writable("CREATE ROLE");
  session.begin_statement();
  session.access().require_superuser("create role");
  if (session.snapshot().catalog->roles.contains(s.name.text)) {
    if (!s.if_not_exists)
      throw sql_error(sqlstate::kDuplicateObject, "role \"{}\" already exists", s.name.text)
          .with_position(s.name.position);
    session.notice(
        "NOTICE", sql_error(sqlstate::kDuplicateObject, "role \"{}\" already exists, skipping", s.name.text));
    return "CREATE ROLE";
  }
  Role role;
  role.name = s.name.text;
  role.can_login = s.is_user;
  apply_options(s.options, role);
  const std::string name = role.name;
  session.write_transaction("ROLE").put_role(std::move(role));
  add_members(session, name, s.options);
  return "CREATE ROLE";
}

std::string execute_alter_role(SessionState& session, const ast::AlterRoleStatement& s) {
  session.check_writable("ALTER ROLE");
  const ast::RoleOptions& o = s.options;
  if (s.all)
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER ROLE ALL is not supported")
        .with_hint("ALTER SYSTEM SET says what all sessions begin with.");
  if (!s.new_name.empty())
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER ROLE … RENAME is not supported");
  if (!o.in_roles.empty() || !o.members.empty() || !o.admins.empty())
    throw SqlError(sqlstate::kFeatureNotSupported, "ALTER ROLE with IN ROLE, ROLE or ADMIN is not supported")
        .with_hint("GRANT role TO role makes members.");
  session.begin_statement();
  std::string name = s.role.kind == ast::RoleName::Kind::kName ? s.role.name : session.user();
  const auto& roles = session.snapshot().catalog->roles;
  const auto found = roles.find(name);
  const bool is_own = found != roles.end() && name == session.user() && is_own_affair(s, found->second);
  if (!is_own) session.access().require_superuser("alter role");
  if (found == roles.end()) {
    throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name)
        .with_position(s.role.position);
  }
  Role role = found->second;
  if (s.setting.empty()) apply_options(o, role);
  else change_setting(s, role);
  session.write_transaction("ROLE").put_role(std::move(role));
  return "ALTER ROLE";
}

}  // namespace idem
