#include "query/access_control.h"
#include "query/catalog_objects.h"
#include "query/system_catalog_names.h"
#include "query/virtual_rows.h"
#include "storage/database.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

// attnotnull, attlen and the like of one column, whatever relation it belongs to.
void attribute_row(RowEmitter& out, uint32_t relation, int64_t number, const std::string& name, SqlType type,
                   bool not_null, bool has_default) {
  bool text = is_string_like(type.id);
  std::string storage = type_length(type) > 0 ? "p" : "x";
  out.row({oid(relation),
           name,
           oid(type_oid(type)),
           int64_t{-1},
           int64_t{type_length(type)},
           number,
           int64_t{type.id == TypeId::kArray ? 1 : 0},
           int64_t{-1},
           int64_t{type_modifier_on_wire(type)},
           type_length(type) > 0,
           std::string("i"),
           storage,
           std::string(),
           not_null,
           has_default,
           false,
           std::string(),
           std::string(),
           false,
           true,
           int64_t{0},
           oid(text ? kDefaultCollationOid : 0),
           nullptr,
           nullptr,
           nullptr,
           nullptr});
}

void class_row(RowEmitter& out, uint32_t id, const std::string& name, uint32_t schema, uint32_t owner,
               char kind, int64_t columns, double rows, bool rules, Cell access, bool populated = true) {
  int64_t pages = static_cast<int64_t>(rows / 100) + (rows > 0 ? 1 : 0);
  out.row({oid(id),
           name,
           oid(schema),
           oid(0),
           oid(0),
           oid(owner),
           oid(kind == 'r' ? 2 : 0),
           oid(0),
           oid(0),
           pages,
           rows,
           int64_t{0},
           oid(0),
           false,
           false,
           std::string("p"),
           std::string(1, kind),
           columns,
           int64_t{0},
           rules,
           false,
           false,
           false,
           false,
           populated,
           std::string(kind == 'r' ? "d" : "n"),
           false,
           oid(0),
           int64_t{0},
           int64_t{0},
           std::move(access),
           nullptr,
           nullptr});
}

// NULL where nothing was granted yet, as in PostgreSQL.
Cell access_cell(const Snapshot& snapshot, const SecuredObject& object) {
  const auto found = snapshot.catalog->access.find(object.id);
  if (found == snapshot.catalog->access.end()) return nullptr;
  std::vector<std::string> items;
  for (const AccessEntry& entry : found->second) items.push_back(access_text(entry));
  return text_array(items);
}

void emit_classes(ExecutionContext& context, RowEmitter& out) {
  const Snapshot& s = *context.snapshot;
  for (const CatalogRelation& r : catalog_relations()) {
    class_row(out, r.oid, std::string(r.name), kPgCatalogOid, kBootstrapRoleOid, 'r', 0, 0, false, nullptr);
  }
  for_each_table(s, [&](const TableVersion& t) {
    const MaterializedView* view = s.catalog->materialized_view(t.schema->id);
    class_row(out, table_oid(t.schema->id), t.schema->name, schema_oid(s, t.schema->schema_name),
              role_oid(s, t.schema->owner), view ? 'm' : 'r', static_cast<int64_t>(t.schema->columns.size()),
              static_cast<double>(visible_rows(t)), view != nullptr,
              access_cell(s, SecuredObject::of(*t.schema)), !view || view->populated);
  });
  for_each_view(s, [&](const ViewSchema& v) {
    class_row(out, view_oid(v), v.name, schema_oid(s, v.schema_name), role_oid(s, v.owner), 'v',
              static_cast<int64_t>(view_columns(context, v).size()), 0, true,
              access_cell(s, SecuredObject::of(v)));
  });
}

void emit_attributes(ExecutionContext& context, RowEmitter& out) {
  const Snapshot& s = *context.snapshot;
  for_each_table(s, [&](const TableVersion& t) {
    for (size_t i = 0; i < t.schema->columns.size(); i++) {
      const ColumnSchema& c = t.schema->columns[i];
      bool not_null = c.not_null || static_cast<int>(i) == t.schema->timestamp_column;
      attribute_row(out, table_oid(t.schema->id), static_cast<int64_t>(i + 1), c.name, c.type, not_null,
                    !c.default_text.empty());
    }
  });
  for_each_view(s, [&](const ViewSchema& v) {
    int64_t number = 0;
    for (const PlanColumn& c : view_columns(context, v))
      attribute_row(out, view_oid(v), ++number, c.name, c.type, false, false);
  });
}

void emit_namespaces(ExecutionContext& context, RowEmitter& out) {
  const Snapshot& s = *context.snapshot;
  out.row({oid(kPgCatalogOid), std::string("pg_catalog"), oid(kBootstrapRoleOid), nullptr});
  out.row({oid(kInformationSchemaOid), std::string("information_schema"), oid(kBootstrapRoleOid), nullptr});
  for (const auto& [name, info] : s.catalog->schemas)
    out.row({oid(schema_oid(s, name)), name, oid(role_oid(s, info.owner)),
             access_cell(s, SecuredObject::of(info))});
}

}  // namespace

void register_class_relations(RelationSet& catalog) {
  catalog.add("pg_class",
              "oid oid, relname name, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, "
              "relfilenode oid, reltablespace oid, "
              "relpages int4, reltuples float4, relallvisible int4, reltoastrelid oid, relhasindex bool, "
              "relisshared bool, relpersistence char, "
              "relkind char, relnatts int2, relchecks int2, relhasrules bool, relhastriggers bool, "
              "relhassubclass bool, relrowsecurity bool, "
              "relforcerowsecurity bool, relispopulated bool, relreplident char, relispartition bool, "
              "relrewrite oid, relfrozenxid int8, "
              "relminmxid int8, relacl _text, reloptions _text, relpartbound text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_classes(c, out); });
  catalog.add(
      "pg_attribute",
      "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, attndims "
      "int4, attcacheoff int4, "
      "atttypmod int4, attbyval bool, attalign char, attstorage char, attcompression char, attnotnull bool, "
      "atthasdef bool, "
      "atthasmissing bool, attidentity char, attgenerated char, attisdropped bool, attislocal bool, "
      "attinhcount int4, attcollation oid, "
      "attacl _text, attoptions _text, attfdwoptions _text, attmissingval text",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_attributes(c, out); });
  catalog.add(
      "pg_namespace", "oid oid, nspname name, nspowner oid, nspacl _text",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_namespaces(c, out); });
  catalog.add("pg_attrdef", "oid oid, adrelid oid, adnum int2, adbin text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for_each_table(*c.snapshot, [&](const TableVersion& t) {
                  for (size_t i = 0; i < t.schema->columns.size(); i++) {
                    const std::string& text = t.schema->columns[i].default_text;
                    if (!text.empty())
                      out.row({oid(table_oid(t.schema->id)), oid(table_oid(t.schema->id)),
                               static_cast<int64_t>(i + 1), text});
                  }
                });
              });
  catalog.add("pg_tables",
              "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules "
              "bool, hastriggers bool, rowsecurity bool",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for_each_base_table(*c.snapshot, [&](const TableVersion& t) {
                  out.row({t.schema->schema_name, t.schema->name, t.schema->owner, nullptr, false, false,
                           false, false});
                });
              });
  catalog.add("pg_matviews",
              "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, "
              "ispopulated bool, definition text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for_each_materialized_view(
                    *c.snapshot, [&](const TableVersion& t, const MaterializedView& view) {
                      out.row({t.schema->schema_name, t.schema->name, t.schema->owner, nullptr, false,
                               view.populated, " " + view.query_text + ";"});
                    });
              });
  catalog.add("pg_views", "schemaname name, viewname name, viewowner name, definition text",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for_each_view(*c.snapshot, [&](const ViewSchema& v) {
                  out.row({v.schema_name, v.name, v.owner, " " + v.query_text + ";"});
                });
              });
  catalog.add("pg_stat_user_tables",
              "relid oid, schemaname name, relname name, seq_scan int8, n_tup_ins int8, n_live_tup int8, "
              "n_dead_tup int8",
              [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                for_each_table(*c.snapshot, [&](const TableVersion& t) {
                  out.row({oid(table_oid(t.schema->id)), t.schema->schema_name, t.schema->name, nullptr,
                           nullptr, static_cast<int64_t>(visible_rows(t)), int64_t{0}});
                });
              });
}

}  // namespace idem
