#include "query/access_control.h"
#include "query/catalog_objects.h"
#include "query/session.h"
#include "query/session_settings.h"
#include "query/system_catalog_names.h"
#include "query/virtual_rows.h"

namespace idem {

namespace {

void emit_roles(ExecutionContext& c, const std::function<void(const Role&)>& emit) {
  for (const auto& [name, role] : c.snapshot->catalog->roles) emit(role);
}

// name=value, as in pg_roles.rolconfig.
Cell role_settings(const Role& role) {
  if (role.settings.empty()) return nullptr;
  std::vector<std::string> items;
  for (const auto& [name, value] : role.settings) items.push_back(name + "=" + value);
  return text_array(items);
}

}  // namespace

void register_server_relations(RelationSet& catalog) {
  catalog.add("pg_database",
              "oid oid, datname name, datdba oid, encoding int4, datlocprovider char, datistemplate bool, "
              "datallowconn bool, datconnlimit int4, "
              "datfrozenxid int8, datminmxid int8, dattablespace oid, datcollate text, datctype text, "
              "daticulocale text, datcollversion text, datacl _text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                out.row({oid(kDatabaseOid), c.session->database(), oid(kBootstrapRoleOid), int64_t{6},
                         std::string("c"), false, true, int64_t{-1}, int64_t{0}, int64_t{0}, int64_t{1663},
                         std::string("C"), std::string("C.UTF-8"), nullptr, nullptr, nullptr});
              });
  catalog.add("pg_roles",
              "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, "
              "rolcanlogin bool, rolreplication bool, "
              "rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz, rolbypassrls bool, rolconfig "
              "_text, oid oid",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                emit_roles(c, [&](const Role& r) {
                  out.row({r.name, r.superuser, true, r.superuser, r.superuser, r.can_login, false,
                           int64_t{r.connection_limit}, std::string("********"), nullptr, r.superuser,
                           role_settings(r), oid(role_oid(*c.snapshot, r.name))});
                });
              });
  catalog.add("pg_auth_members", "roleid oid, member oid, grantor oid, admin_option bool",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for (const auto& [key, m] : c.snapshot->catalog->memberships) {
                  out.row({oid(role_oid(*c.snapshot, m.role)), oid(role_oid(*c.snapshot, m.member)),
                           oid(role_oid(*c.snapshot, m.grantor)), m.admin});
                }
              });
  catalog.add(
      "pg_default_acl", "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl _text",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
        int64_t number = 0;
        for (const auto& [key, list] : c.snapshot->catalog->default_access) {
          std::vector<std::string> items;
          for (const AccessEntry& entry : list) items.push_back(access_text(entry));
          out.row({++number, oid(role_oid(*c.snapshot, key.creator)),
                   oid(schema_oid(*c.snapshot, key.schema_name)), std::string("r"), text_array(items)});
        }
      });
  catalog.add(
      "pg_authid",
      "oid oid, rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, "
      "rolcanlogin bool, rolreplication bool, "
      "rolbypassrls bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
        emit_roles(c, [&](const Role& r) {
          out.row({oid(role_oid(*c.snapshot, r.name)), r.name, r.superuser, true, r.superuser, r.superuser,
                   r.can_login, false, r.superuser, int64_t{r.connection_limit}, nullptr, nullptr});
        });
      });
  catalog.add("pg_user",
              "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, "
              "passwd text, valuntil timestamptz, "
              "useconfig _text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                emit_roles(c, [&](const Role& r) {
                  if (!r.can_login) return;
                  out.row({r.name, oid(role_oid(*c.snapshot, r.name)), r.superuser, r.superuser, false,
                           r.superuser, std::string("********"), nullptr, role_settings(r)});
                });
              });
  catalog.add("pg_db_role_setting", "setdatabase oid, setrole oid, setconfig _text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                emit_roles(c, [&](const Role& r) {
                  if (!r.settings.empty())
                    out.row({oid(0), oid(role_oid(*c.snapshot, r.name)), role_settings(r)});
                });
              });
  catalog.add("pg_settings",
              "name text, setting text, unit text, category text, short_desc text, extra_desc text, context "
              "text, vartype text, source text, "
              "min_val text, max_val text, enumvals _text, boot_val text, reset_val text, sourcefile text, "
              "sourceline int4, pending_restart bool",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for (const auto& row : c.session->all_settings()) {
                  out.row({row.name, row.value, nullptr, std::string("Settings"), row.description, nullptr,
                           row.context, std::string("string"), std::string("default"), nullptr, nullptr,
                           nullptr, row.value, row.value, nullptr, nullptr, false});
                }
              });
  catalog.add("pg_stat_activity",
              "datid oid, datname name, pid int4, usename name, application_name text, client_addr text, "
              "backend_start timestamptz, "
              "query_start timestamptz, state text, query text, backend_type text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                if (!c.server) return;
                for (const SessionActivity& a : c.server->sessions->activities()) {
                  out.row({oid(kDatabaseOid), a.database, int64_t{a.pid}, a.user, a.application_name,
                           a.client_address, a.connected_micros,
                           a.query_start_micros > 0 ? Cell(a.query_start_micros) : Cell(nullptr), a.state,
                           a.query, std::string("client backend")});
                }
              });
  catalog.add("pg_tablespace", "oid oid, spcname name, spcowner oid, spcacl _text, spcoptions _text",
              [](ExecutionContext&, const std::vector<Value>&, RowEmitter& out) {
                out.row({int64_t{1663}, std::string("pg_default"), oid(kBootstrapRoleOid), nullptr, nullptr});
              });
}

}  // namespace idem
