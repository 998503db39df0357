#include "parser/deparser.h"
#include "parser/lexer.h"

namespace idem::parser {

using namespace ast;

std::string_view Deparser::object_kind(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable: return "TABLE";
    case ObjectKind::kView: return "VIEW";
    case ObjectKind::kMaterializedView: return "MATERIALIZED VIEW";
    case ObjectKind::kSchema: return "SCHEMA";
    case ObjectKind::kRole: return "ROLE";
    case ObjectKind::kChangeSlot: return "CHANGE SLOT";
    case ObjectKind::kColumn: return "COLUMN";
    case ObjectKind::kDatabase: return "DATABASE";
    case ObjectKind::kSequence: return "SEQUENCE";
    case ObjectKind::kFunction: return "FUNCTION";
    case ObjectKind::kIndex: return "INDEX";
  }
  return {};
}

bool Deparser::admin_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kCreateSchema: {
      const auto& create = as<CreateSchemaStatement>(s);
      put(create.if_not_exists ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA ");
      name(create.name);
      if (!create.owner.empty()) {
        put(" AUTHORIZATION ");
        word(create.owner);
      }
      if (!create.options.empty()) {
        put(" WITH ");
        options(create.options);
      }
      return true;
    }
    case StatementKind::kCreateRole: {
      const auto& create = as<CreateRoleStatement>(s);
      put(create.is_user ? "CREATE USER " : "CREATE ROLE ");
      if (create.if_not_exists) put("IF NOT EXISTS ");
      name(create.name);
      role_options(create.options);
      return true;
    }
    case StatementKind::kCreateChangeSlot: {
      const auto& create = as<CreateChangeSlotStatement>(s);
      put(create.if_not_exists ? "CREATE CHANGE SLOT IF NOT EXISTS " : "CREATE CHANGE SLOT ");
      name(create.name);
      put(" ON ");
      object(create.table);
      return true;
    }
    case StatementKind::kDrop: {
      const auto& drop = as<DropStatement>(s);
      put("DROP ");
      put(object_kind(drop.object));
      put(drop.if_exists ? " IF EXISTS " : " ");
      objects(drop.names);
      if (drop.cascade) put(" CASCADE");
      return true;
    }
    case StatementKind::kAlterRole: alter_role(as<AlterRoleStatement>(s)); return true;
    case StatementKind::kAlterSystem: {
      const auto& alter = as<AlterSystemStatement>(s);
      put("ALTER SYSTEM");
      setting_change(alter.setting, alter.reset, alter.values);
      return true;
    }
    case StatementKind::kAlterSchema: {
      const auto& alter = as<AlterSchemaStatement>(s);
      put("ALTER SCHEMA ");
      name(alter.name);
      if (!alter.new_name.empty()) {
        put(" RENAME TO ");
        name(alter.new_name);
      } else if (alter.owner) {
        put(" OWNER TO ");
        role(*alter.owner);
      } else {
        put(" SET ");
        options(alter.options);
      }
      return true;
    }
    case StatementKind::kAlterDefaultPrivileges: {
      const auto& alter = as<AlterDefaultPrivilegesStatement>(s);
      put("ALTER DEFAULT PRIVILEGES ");
      if (!alter.for_roles.empty()) {
        put("FOR ROLE ");
        roles(alter.for_roles);
        put(" ");
      }
      if (!alter.in_schemas.empty()) {
        put("IN SCHEMA ");
        names(alter.in_schemas);
        put(" ");
      }
      grant(alter.grant);
      return true;
    }
    case StatementKind::kTruncate:
      put("TRUNCATE TABLE ");
      objects(as<TruncateStatement>(s).tables);
      if (as<TruncateStatement>(s).cascade) put(" CASCADE");
      return true;
    case StatementKind::kRestoreTable: {
      const auto& restore = as<RestoreTableStatement>(s);
      put("RESTORE TABLE ");
      object(restore.table);
      put(restore.to.kind == VersionClause::Kind::kVersion     ? " TO VERSION AS OF "
          : restore.to.kind == VersionClause::Kind::kTimestamp ? " TO TIMESTAMP AS OF "
                                                               : " TO TAG ");
      expression(*restore.to.value);
      return true;
    }
    case StatementKind::kUndrop:
      put("UNDROP TABLE ");
      object(as<UndropStatement>(s).table);
      if (!as<UndropStatement>(s).new_name.empty()) {
        put(" AS ");
        name(as<UndropStatement>(s).new_name);
      }
      return true;
    case StatementKind::kRefreshMaterializedView: {
      const auto& refresh = as<RefreshMaterializedViewStatement>(s);
      put("REFRESH MATERIALIZED VIEW ");
      object(refresh.name);
      if (refresh.full) put(" FULL");
      if (refresh.with_no_data) put(" WITH NO DATA");
      return true;
    }
    case StatementKind::kAdvanceChangeSlot:
      put("ADVANCE CHANGE SLOT ");
      name(as<AdvanceChangeSlotStatement>(s).name);
      put(" TO ");
      expression(*as<AdvanceChangeSlotStatement>(s).version);
      return true;
    case StatementKind::kForgetRun:
      put("FORGET RUN ");
      literal(as<ForgetRunStatement>(s).key);
      return true;
    case StatementKind::kGrant: grant(as<GrantStatement>(s).grant); return true;
    case StatementKind::kComment: comment(as<CommentStatement>(s)); return true;
    case StatementKind::kVacuum: vacuum(as<VacuumStatement>(s)); return true;
    case StatementKind::kAnalyze: {
      const auto& analyze = as<AnalyzeStatement>(s);
      put("ANALYZE");
      if (!analyze.options.empty()) {
        put(" ");
        options(analyze.options, " ");
      }
      if (!analyze.tables.empty()) put(" ");
      objects(analyze.tables);
      return true;
    }
    case StatementKind::kCheckpoint: put("CHECKPOINT"); return true;
    case StatementKind::kLock: {
      const auto& lock = as<LockStatement>(s);
      put("LOCK TABLE ");
      objects(lock.tables);
      put(" IN " + upper_case(lock.mode) + " MODE");
      if (lock.nowait) put(" NOWAIT");
      return true;
    }
    default: return false;
  }
}

void Deparser::role(const RoleName& r) {
  switch (r.kind) {
    case RoleName::Kind::kName:
      if (r.name == "public") {
        put("\"public\"");  // in quotes a role of that name, not everybody
      } else {
        word(r.name);
      }
      return;
    case RoleName::Kind::kPublic: put("PUBLIC"); return;
    case RoleName::Kind::kCurrentUser: put("CURRENT_USER"); return;
    case RoleName::Kind::kSessionUser: put("SESSION_USER"); return;
  }
}

void Deparser::roles(const std::vector<RoleName>& list_of_roles) {
  list(list_of_roles, [this](const RoleName& r) { role(r); });
}

void Deparser::role_options(const RoleOptions& o) {
  const auto flag = [this](const std::optional<bool>& value, std::string_view option) {
    if (!value) return;
    put(*value ? " " : " NO");
    put(option);
  };
  flag(o.superuser, "SUPERUSER");
  flag(o.create_database, "CREATEDB");
  flag(o.create_role, "CREATEROLE");
  flag(o.inherit, "INHERIT");
  flag(o.login, "LOGIN");
  flag(o.replication, "REPLICATION");
  flag(o.bypass_row_security, "BYPASSRLS");
  if (o.connection_limit) put(" CONNECTION LIMIT " + std::to_string(*o.connection_limit));
  if (o.has_password) {
    put(" PASSWORD ");
    if (o.password) {
      literal(*o.password);
    } else {
      put("NULL");
    }
  }
  if (o.valid_until) {
    put(" VALID UNTIL ");
    literal(*o.valid_until);
  }
  const auto members = [this](const std::vector<RoleName>& list_of_roles, std::string_view option) {
    if (list_of_roles.empty()) return;
    put(option);
    roles(list_of_roles);
  };
  members(o.in_roles, " IN ROLE ");
  members(o.members, " ROLE ");
  members(o.admins, " ADMIN ");
}

void Deparser::alter_role(const AlterRoleStatement& s) {
  put("ALTER ROLE ");
  if (s.all) {
    put("ALL");
  } else {
    role(s.role);
  }
  if (!s.new_name.empty()) {
    put(" RENAME TO ");
    name(s.new_name);
  } else if (!s.setting.empty()) {
    setting_change(s.setting, s.reset, s.values);
  } else {
    role_options(s.options);
  }
}

void Deparser::setting_change(const std::string& setting, bool reset,
                              const std::vector<std::string>& setting_values) {
  if (reset) {
    put(" RESET ");
    if (setting == "all") {
      put("ALL");
    } else {
      setting_name(setting);
    }
    return;
  }
  put(" SET ");
  setting_name(setting);
  put(" = ");
  literals(setting_values);
}

void Deparser::grant(const Grant& g) {
  put(g.is_grant ? "GRANT " : "REVOKE ");
  if (!g.is_grant && g.with_option) {
    put(g.target == Grant::Target::kRoles ? "ADMIN OPTION FOR " : "GRANT OPTION FOR ");
  }
  list(g.privileges, [&](const Privilege& p) {
    if (g.target == Grant::Target::kRoles) {
      if (p.name == "all") {
        put("ALL");
      } else {
        word(p.name);
      }
    } else {
      const bool plain = p.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
      if (plain) {
        put(upper_case(p.name));
      } else {
        word(p.name);
      }
    }
    if (!p.columns.empty()) {
      put(" ");
      names_in_parens(p.columns);
    }
  });
  using Target = Grant::Target;
  const bool bare = g.objects.empty();
  switch (g.target) {
    case Target::kRoles: break;
    case Target::kTables: put(bare ? " ON TABLES" : " ON TABLE "); break;
    case Target::kAllTablesInSchema: put(bare ? " ON ALL TABLES" : " ON ALL TABLES IN SCHEMA "); break;
    case Target::kSchemas: put(bare ? " ON SCHEMAS" : " ON SCHEMA "); break;
    case Target::kDatabases: put(" ON DATABASE "); break;
    case Target::kSequences: put(bare ? " ON SEQUENCES" : " ON SEQUENCE "); break;
    case Target::kFunctions: put(" ON FUNCTIONS"); break;
  }
  objects(g.objects);
  put(g.is_grant ? " TO " : " FROM ");
  roles(g.grantees);
  if (g.is_grant && g.with_option) {
    put(g.target == Target::kRoles ? " WITH ADMIN OPTION" : " WITH GRANT OPTION");
  }
  if (g.cascade) put(" CASCADE");
}

void Deparser::vacuum(const VacuumStatement& s) {
  put("VACUUM");
  if (!s.options.empty() || s.analyze) {
    std::vector<Option> all = s.options;
    if (s.analyze) all.push_back({"analyze", Option::ValueKind::kNone, {}, {}, 0});
    put(" ");
    options(all, " ");
  }
  if (!s.tables.empty()) put(" ");
  objects(s.tables);
  if (s.retain) {
    put(" RETAIN ");
    ttl(*s.retain);
  }
  if (s.dry_run) put(" DRY RUN");
}

void Deparser::comment(const CommentStatement& s) {
  put("COMMENT ON ");
  put(object_kind(s.object));
  put(" ");
  object(s.name);
  if (s.object == ObjectKind::kColumn) {
    put(".");
    name(s.column);
  }
  put(" IS ");
  if (s.text) {
    literal(*s.text);
  } else {
    put("NULL");
  }
}

}  // namespace idem::parser
