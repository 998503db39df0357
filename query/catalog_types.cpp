#include "query/system_catalog_names.h"
#include "query/virtual_rows.h"

namespace idem {

namespace {

// One row of pg_type. Arrays are told by typinput = array_in (750).
void type_row(RowEmitter& out, const CatalogType& t, bool array) {
  std::string name = (array ? "_" : "") + std::string(t.name);
  bool collatable = t.category == 'S';
  constexpr uint32_t input = 0;  // no function of the server is known by an oid
  out.row({oid(array ? t.array_oid : t.oid),
           name,
           oid(kPgCatalogOid),
           oid(kBootstrapRoleOid),
           int64_t{array ? -1 : t.length},
           array ? false : t.by_value,
           std::string(t.category == 'P' && !array ? "p" : "b"),
           std::string(1, array ? 'A' : t.category),
           !array && t.preferred,
           true,
           std::string(","),
           oid(0),
           oid(0),
           oid(array ? t.oid : 0),
           oid(array ? 0 : t.array_oid),
           oid(array ? 750 : input),
           oid(array ? 751 : input),
           oid(array ? 2400 : input),
           oid(array ? 2401 : input),
           oid(0),
           oid(0),
           oid(0),
           std::string(1, array ? (t.alignment == 'd' ? 'd' : 'i') : t.alignment),
           std::string(1, array ? 'x' : t.storage),
           false,
           oid(0),
           int64_t{-1},
           int64_t{0},
           oid(collatable ? kDefaultCollationOid : 0),
           nullptr,
           nullptr,
           nullptr});
}

}  // namespace

void register_type_relations(RelationSet& catalog) {
  catalog.add("pg_type",
              "oid oid, typname name, typnamespace oid, typowner oid, typlen int2, typbyval bool, typtype "
              "char, typcategory char, "
              "typispreferred bool, typisdefined bool, typdelim char, typrelid oid, typsubscript regproc, "
              "typelem oid, typarray oid, "
              "typinput regproc, typoutput regproc, typreceive regproc, typsend regproc, typmodin regproc, "
              "typmodout regproc, typanalyze regproc, "
              "typalign char, typstorage char, typnotnull bool, typbasetype oid, typtypmod int4, typndims "
              "int4, typcollation oid, "
              "typdefaultbin text, typdefault text, typacl _text",
              [](ExecutionContext&, const std::vector<Value>&, RowEmitter& out) {
                for (const CatalogType& t : catalog_types()) {
                  type_row(out, t, false);
                  if (t.array_oid != 0) type_row(out, t, true);
                }
              });
  catalog.add(
      "pg_collation",
      "oid oid, collname name, collnamespace oid, collowner oid, collprovider char, collisdeterministic "
      "bool, collencoding int4, "
      "collcollate text, collctype text, colliculocale text, collversion text",
      [](ExecutionContext&, const std::vector<Value>&, RowEmitter& out) {
        out.row({oid(kDefaultCollationOid), std::string("default"), oid(kPgCatalogOid),
                 oid(kBootstrapRoleOid), std::string("d"), true, int64_t{-1}, nullptr, nullptr, nullptr,
                 nullptr});
        out.row({int64_t{950}, std::string("C"), oid(kPgCatalogOid), oid(kBootstrapRoleOid), std::string("c"),
                 true, int64_t{-1}, std::string("C"), std::string("C"), nullptr, nullptr});
      });
  catalog.add("pg_am", "oid oid, amname name, amhandler regproc, amtype char",
              [](ExecutionContext&, const std::vector<Value>&, RowEmitter& out) {
                out.row({int64_t{2}, std::string("heap"), int64_t{3}, std::string("t")});
              });
}

}  // namespace idem
