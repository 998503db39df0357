#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/sql_type.h"

namespace idem {

// OIDs that PostgreSQL gives to things of its own, and that clients compare with. Objects of users have oid
// 16384 + id.

inline constexpr uint32_t kFirstUserOid = 16384;
inline constexpr uint32_t kPgCatalogOid = 11;
inline constexpr uint32_t kPgToastOid = 99;
inline constexpr uint32_t kPublicSchemaOid = 2200;
inline constexpr uint32_t kInformationSchemaOid = 13000;
inline constexpr uint32_t kDatabaseOid = 16383;  // of the only database
inline constexpr uint32_t kDefaultCollationOid = 100;
inline constexpr uint32_t kBootstrapRoleOid = 10;

struct CatalogRelation {
  std::string_view name;
  uint32_t oid;
};

// Relations of pg_catalog (tables and views), sorted by name.
std::span<const CatalogRelation> catalog_relations();
std::optional<uint32_t> catalog_relation_oid(std::string_view name);
std::optional<std::string_view> catalog_relation_name(uint32_t oid);

// Input and output functions of types (pg_type.typinput …) with PostgreSQL's oids, sorted by name.
std::span<const CatalogRelation> catalog_type_functions();

// The types that clients meet, with pg_type's names and oids; `array_oid` 0 where there is no array type.
struct CatalogType {
  std::string_view name;      // pg_type.typname: int8, timestamptz
  std::string_view sql_name;  // as format_type shows it: bigint, timestamp with time zone
  uint32_t oid;
  uint32_t array_oid;
  int16_t length;
  bool by_value;
  char category;  // typcategory
  bool preferred;
  char alignment;  // c, s, i, d
  char storage;    // p, x, m
};
std::span<const CatalogType> catalog_types();
const CatalogType* catalog_type_of_oid(uint32_t oid);  // not for array oids
const CatalogType* catalog_type_of_array_oid(uint32_t oid);
const CatalogType* catalog_type_of_name(std::string_view name);  // typname or sql_name, lower case

// format_type(oid, typmod) of the SQL function: "character varying(10)", "bigint[]", "???" for an unknown
// oid, "-" for 0.
std::string format_type_of_oid(uint32_t oid, std::optional<int32_t> modifier);

}  // namespace idem
