#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/persistent_map.h"
#include "common/persistent_vector.h"
#include "storage/access_list.h"
#include "storage/materialized_view.h"
#include "storage/run.h"
#include "storage/table_protection.h"
#include "storage/table_version.h"

namespace idem {

struct ViewSchema {
  uint32_t id = 0;  // from the same numbers as TableId
  std::string schema_name, name, owner;
  std::vector<std::string> column_names;  // empty: those of the query
  std::string query_text;                 // bound by name when it is used
};

struct Role {
  uint32_t id = 0;
  std::string name;
  bool superuser = false, can_login = true;
  std::string scram_verifier;                   // "SCRAM-SHA-256$4096:salt$stored:server", "" = no password
  int32_t connection_limit = -1;                // sessions at one time; -1: any number
  std::map<std::string, std::string> settings;  // that its sessions begin with, by lower-case name
};

struct SchemaInfo {
  uint32_t id = 0;
  std::string name, owner;
  bool owns_objects = false;  // what is created in it belongs to its owner
};

// A role that is a member of another one has its privileges.
struct RoleMembership {
  std::string role, member;
  std::string grantor;
  bool admin = false;  // the member may let others in
};

// What the objects that a role creates are granted from the start.
struct DefaultAccessKey {
  std::string creator;
  std::string schema_name;  // "": of every schema
  enum class Kind : uint8_t { kTables, kSchemas };
  Kind kind = Kind::kTables;
  auto operator<=>(const DefaultAccessKey&) const = default;
};

// A table that was dropped and can be brought back: its history is still there.
struct DroppedTable {
  TableId table{};
  std::string schema_name, name;
  int64_t time_micros = 0;                       // of the commit that dropped it
  std::shared_ptr<const MaterializedView> view;  // null: it was none
};

// A name for one version of a table, which is kept for it.
struct TableTag {
  TableId table{};
  std::string name;
  VersionNumber version{};
  int64_t created_micros = 0;  // time of the commit
  int64_t expires_micros = 0;  // 0: never
};

// What a consumer of changes has not read yet: versions of the table after `version` are kept for it.
struct ChangeSlot {
  std::string name, owner;
  TableId table{};
  VersionNumber version{};  // everything up to this one was read
};

// Names of everything in the database. Immutable; DDL and runs make the next one, which shares all but the nodes on the way to
// what they change, so that a commit costs the same with ten tables and with ten thousand.
struct Catalog {
  using QualifiedName = std::pair<std::string, std::string>;  // (schema, name)

  PersistentMap<std::string, SchemaInfo> schemas;  // public and default exist from the start
  PersistentMap<QualifiedName, TableId> tables;
  PersistentMap<QualifiedName, std::shared_ptr<const ViewSchema>> views;
  PersistentMap<uint32_t, std::shared_ptr<const MaterializedView>> materialized_views;  // by TableId
  PersistentMap<std::string, Role> roles;                          // admin exists from the start
  PersistentMap<uint32_t, DroppedTable> dropped;                   // by TableId
  PersistentMap<std::pair<uint32_t, std::string>, TableTag> tags;  // (TableId, name)
  PersistentMap<std::string, ChangeSlot> slots;
  PersistentMap<std::string, std::shared_ptr<const Run>> runs;
  PersistentMap<uint32_t, TableProtection> protections;  // by TableId; only those that protect something
  PersistentMap<uint32_t, AccessList> access;            // by id of table, view or schema
  PersistentMap<std::pair<std::string, std::string>, RoleMembership> memberships;  // (member, role)
  PersistentMap<DefaultAccessKey, AccessList> default_access;
  uint32_t next_object_id = 1;  // tables, views, schemas and roles share it; object ids are oids minus 16384

  const MaterializedView* materialized_view(TableId table) const;  // null if it is a table of its own
};

// The database at one commit: what a reader holds. A value; copying it is cheap.
struct Snapshot {
  CommitNumber commit{};
  CommitNumber logged{};  // the last of them that is in the log: temporary tables are not
  int64_t commit_time_micros = 0;
  std::shared_ptr<const Catalog> catalog;
  PersistentVector<std::shared_ptr<const TableVersion>>
      tables;  // by TableId; null where dropped or never a table

  std::shared_ptr<const TableVersion> table(TableId id) const;  // null if there is none
  std::shared_ptr<const TableVersion> find_table(std::string_view schema, std::string_view name) const;
  std::shared_ptr<const ViewSchema> find_view(std::string_view schema, std::string_view name) const;
};

}  // namespace idem
