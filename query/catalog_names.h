#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/evaluation.h"
#include "query/system_catalog_names.h"

namespace idem {

// Names ⇄ oids of what a statement's snapshot and pg_catalog hold. `context` may be null: then only
// PostgreSQL's own names are known. Tables, views, schemas and roles have oid kFirstUserOid + id, but for the
// schemas that every PostgreSQL has.

std::optional<std::string> schema_name_of_oid(const ExecutionContext* context, uint32_t oid);

struct RelationName {
  std::string schema, name;
  bool is_view = false;
};
// Tables and views of users and relations of pg_catalog.
std::optional<RelationName> relation_of_oid(const ExecutionContext* context, uint32_t oid);
// 0 if there is none. `parts`: name, schema.name or database.schema.name.
uint32_t relation_oid(const ExecutionContext* context, const std::vector<std::string>& parts);
// Whether the bare name finds this relation by the search path.
bool is_relation_visible(const ExecutionContext* context, uint32_t oid);
std::optional<std::string> role_name_of_oid(const ExecutionContext* context, uint32_t oid);

// `a."B".c` as SQL reads it: parts folded to lower case unless quoted. Throws 42602.
std::vector<std::string> split_qualified_name(std::string_view text);

// Texts of reg* values: schema-qualified only where the search path does not find the name; the number if
// nothing has it.
std::string regclass_text(const ExecutionContext* context, uint32_t oid);
std::string regtype_text(uint32_t oid);
std::string regproc_text(uint32_t oid);
std::string regnamespace_text(const ExecutionContext* context, uint32_t oid);
// Input of regclass, regtype, regproc, regnamespace: a number, "-" (0), or a name. Throws 42P01, 42704,
// 42883, 3F000.
uint32_t oid_of_name(const ExecutionContext* context, TypeId type, std::string_view text);

}  // namespace idem
