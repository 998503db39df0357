#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/byte_io.h"
#include "storage/catalog.h"

namespace idem {

// One DDL operation on names, as a transaction collects them and the log keeps them. Tables' columns are not
// here: they belong to the table's version.
struct CreateTableName {
  TableId table{};
  std::string schema_name, name;
  bool temporary = false;
};
struct DropTableName {
  TableId table{};
  std::string schema_name, name;
  bool temporary = false;
  bool forgotten = false;  // nothing of it is kept: the same transaction created it
};
struct RenameTable {
  TableId table{};
  std::string old_schema_name, old_name, schema_name, name;
  bool temporary = false;
};
struct CreateSchema {
  SchemaInfo schema;
};
struct DropSchema {
  std::string name;
};
struct PutView {
  ViewSchema view;
};
struct DropView {
  std::string schema_name, name;
};
struct PutRole {
  Role role;
};
struct DropRole {
  std::string name;
};
// Brings a dropped table back, under this name.
struct UndropTable {
  TableId table{};
  std::string schema_name, name;
};
struct PutTag {
  TableTag tag;
};
struct DropTag {
  TableId table{};
  std::string name;
};
struct PutSlot {  // creates or advances
  ChangeSlot slot;
};
struct DropSlot {
  std::string name;
};
struct PutSchema {  // of the same name
  SchemaInfo schema;
};
struct PutRun {  // commit numbers and times that are 0 are those of the commit
  Run run;
};
struct ForgetRun {
  std::string key;
};
struct PutProtection {
  TableId table{};
  TableProtection protection;
};
// One entry of an access list in place of that with the same grantee and grantor; without privileges it is
// removed.
struct SetAccess {
  uint32_t object = 0;
  AccessEntry entry;
};
struct ForgetAccess {  // the object is gone
  uint32_t object = 0;
};
struct SetMembership {
  RoleMembership membership;
  bool member = true;  // false: no longer
};
struct SetDefaultAccess {
  DefaultAccessKey key;
  AccessEntry entry;
};
// The table is a materialized view, or the view has been refreshed. Times that are 0 are those of the commit.
struct PutMaterializedView {
  MaterializedView view;
};
using CatalogChange =
    std::variant<CreateTableName, DropTableName, RenameTable, CreateSchema, DropSchema, PutView, DropView,
                 PutRole, DropRole, UndropTable, PutTag, DropTag, PutSlot, DropSlot, PutRun, ForgetRun,
                 PutProtection, SetAccess, ForgetAccess, SetMembership, SetDefaultAccess, PutSchema,
                 PutMaterializedView>;

// Whether the change only concerns a temporary table: those are never logged.
bool is_temporary(const CatalogChange& change);

// Applies a change, checking it against the catalog as it is: 42P07 where a name is taken, 42P01 where a
// table, view or its own name is gone, 3F000 for a missing schema, 2BP01 for one that is not empty, 42704 for
// a missing role, tag or slot, 40001 where a materialized view was changed by others meanwhile.
void apply_catalog_change(Catalog* catalog, const CatalogChange& change);
// Fills in number and time of the commit that made these changes, where the catalog keeps them.
void set_commit_time(Catalog* catalog, const std::vector<CatalogChange>& changes, CommitNumber commit,
                     int64_t micros);

// A catalog as a new database has it.
Catalog initial_catalog(const std::string& superuser);

void write_catalog_change(ByteWriter& out, const CatalogChange& change);
CatalogChange read_catalog_change(ByteReader& in);

}  // namespace idem
