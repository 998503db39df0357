#include "query/access_control.h"
#include "query/catalog_objects.h"
#include "query/system_catalog_names.h"
#include "query/virtual_rows.h"

namespace idem {

namespace {

std::string data_type(SqlType type) {
  if (type.id == TypeId::kArray) return "ARRAY";
  type.modifier = -1;
  return format_type(type);
}

Cell precision_of(SqlType type) {
  switch (type.id) {
    case TypeId::kSmallInt: return int64_t{16};
    case TypeId::kInteger: return int64_t{32};
    case TypeId::kBigInt: return int64_t{64};
    case TypeId::kReal: return int64_t{24};
    case TypeId::kDouble: return int64_t{53};
    case TypeId::kDecimal: return type.modifier < 0 ? Cell(nullptr) : Cell(int64_t{type.precision()});
    default: return nullptr;
  }
}

void column_row(RowEmitter& out, const std::string& database, const std::string& schema,
                const std::string& table, int64_t position, const std::string& name, SqlType type,
                bool nullable, const std::string& default_text) {
  bool limited = (type.id == TypeId::kVarchar || type.id == TypeId::kChar) && type.modifier >= 0;
  bool radix = is_numeric(type.id);
  Cell scale = nullptr;
  if (is_integer(type.id)) scale = int64_t{0};
  else if (type.id == TypeId::kDecimal && type.modifier >= 0) scale = int64_t{type.scale()};
  bool timed = is_timestamp(type.id) || type.id == TypeId::kTime;
  const CatalogType* named = catalog_type_of_oid(type_oid(type));
  if (!named) named = catalog_type_of_array_oid(type_oid(type));
  std::string udt = named ? (type.id == TypeId::kArray ? "_" : "") + std::string(named->name) : "";
  out.row({database,
           schema,
           table,
           name,
           position,
           default_text.empty() ? Cell(nullptr) : Cell(default_text),
           std::string(nullable ? "YES" : "NO"),
           data_type(type),
           limited ? Cell(int64_t{type.modifier}) : Cell(nullptr),
           nullptr,
           precision_of(type),
           radix ? Cell(int64_t{type.id == TypeId::kDecimal ? 10 : 2}) : Cell(nullptr),
           scale,
           timed ? Cell(int64_t{6}) : Cell(nullptr),
           database,
           std::string("pg_catalog"),
           udt,
           std::to_string(position),
           std::string("NO"),
           std::string("NEVER"),
           std::string("YES")});
}

void emit_columns(ExecutionContext& c, RowEmitter& out) {
  std::string database = c.session->database();
  for_each_base_table(*c.snapshot, [&](const TableVersion& t) {
    for (size_t i = 0; i < t.schema->columns.size(); i++) {
      const ColumnSchema& column = t.schema->columns[i];
      bool nullable = !column.not_null && static_cast<int>(i) != t.schema->timestamp_column;
      column_row(out, database, t.schema->schema_name, t.schema->name, static_cast<int64_t>(i + 1),
                 column.name, column.type, nullable, column.default_text);
    }
  });
  for_each_view(*c.snapshot, [&](const ViewSchema& v) {
    int64_t position = 0;
    for (const PlanColumn& column : view_columns(c, v))
      column_row(out, database, v.schema_name, v.name, ++position, column.name, column.type, true, "");
  });
}

// One row for each privilege that is granted, the owner's own among them.
void emit_table_privileges(ExecutionContext& c, RowEmitter& out) {
  const auto rows = [&](const std::string& schema, const std::string& name, const SecuredObject& object) {
    for (const AccessEntry& entry : effective_access(*c.snapshot->catalog, object)) {
      for (const Privilege privilege : kAllPrivileges) {
        if (!contains(entry.privileges, privilege)) continue;
        const bool grantable = contains(entry.grantable, privilege) || entry.grantee == object.owner;
        out.row({entry.grantor, entry.grantee.empty() ? std::string("PUBLIC") : entry.grantee,
                 c.session->database(), schema, name, std::string(privilege_name(privilege)),
                 std::string(grantable ? "YES" : "NO"),
                 std::string(privilege == Privilege::kSelect ? "YES" : "NO")});
      }
    }
  };
  for_each_base_table(*c.snapshot, [&](const TableVersion& t) {
    rows(t.schema->schema_name, t.schema->name, SecuredObject::of(*t.schema));
  });
  for_each_view(*c.snapshot, [&](const ViewSchema& v) { rows(v.schema_name, v.name, SecuredObject::of(v)); });
}

}  // namespace

void register_information_schema(RelationSet& information) {
  information.add(
      "tables",
      "table_catalog name, table_schema name, table_name name, table_type text, self_referencing_column_name "
      "name, "
      "reference_generation text, user_defined_type_catalog name, user_defined_type_schema name, "
      "user_defined_type_name name, "
      "is_insertable_into text, is_typed text, commit_action text",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
        auto row = [&](const std::string& schema, const std::string& name, bool table) {
          out.row({c.session->database(), schema, name, std::string(table ? "BASE TABLE" : "VIEW"), nullptr,
                   nullptr, nullptr, nullptr, nullptr, std::string(table ? "YES" : "NO"), std::string("NO"),
                   nullptr});
        };
        for_each_base_table(*c.snapshot,
                            [&](const TableVersion& t) { row(t.schema->schema_name, t.schema->name, true); });
        for_each_view(*c.snapshot, [&](const ViewSchema& v) { row(v.schema_name, v.name, false); });
      });
  information.add(
      "columns",
      "table_catalog name, table_schema name, table_name name, column_name name, ordinal_position int4, "
      "column_default text, "
      "is_nullable text, data_type text, character_maximum_length int4, character_octet_length int4, "
      "numeric_precision int4, "
      "numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, udt_catalog name, "
      "udt_schema name, udt_name name, "
      "dtd_identifier name, is_identity text, is_generated text, is_updatable text",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_columns(c, out); });
  information.add("schemata",
                  "catalog_name name, schema_name name, schema_owner name, default_character_set_catalog "
                  "name, default_character_set_schema name, "
                  "default_character_set_name name, sql_path text",
                  [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                    auto row = [&](const std::string& name, const std::string& owner) {
                      out.row({c.session->database(), name, owner, nullptr, nullptr, nullptr, nullptr});
                    };
                    row("pg_catalog", "admin");
                    row("information_schema", "admin");
                    for (const auto& [name, info] : c.snapshot->catalog->schemas) row(name, info.owner);
                  });
  information.add("views",
                  "table_catalog name, table_schema name, table_name name, view_definition text, "
                  "check_option text, is_updatable text, "
                  "is_insertable_into text",
                  [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                    for_each_view(*c.snapshot, [&](const ViewSchema& v) {
                      out.row({c.session->database(), v.schema_name, v.name, v.query_text,
                               std::string("NONE"), std::string("NO"), std::string("NO")});
                    });
                  });
  for (const std::string_view name : {"role_table_grants", "table_privileges"}) {
    information.add(name,
                    "grantor name, grantee name, table_catalog name, table_schema name, table_name name, "
                    "privilege_type text, "
                    "is_grantable text, with_hierarchy text",
                    [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                      emit_table_privileges(c, out);
                    });
  }
  constexpr std::pair<std::string_view, std::string_view> kEmpty[] = {
      {"table_constraints",
       "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, "
       "table_schema name, table_name name, "
       "constraint_type text, is_deferrable text, initially_deferred text, enforced text"},
      {"key_column_usage",
       "constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, "
       "table_schema name, table_name name, "
       "column_name name, ordinal_position int4, position_in_unique_constraint int4"},
      {"constraint_column_usage",
       "table_catalog name, table_schema name, table_name name, column_name name, constraint_catalog name, "
       "constraint_schema name, constraint_name name"},
      {"referential_constraints",
       "constraint_catalog name, constraint_schema name, constraint_name name, unique_constraint_catalog "
       "name, unique_constraint_schema name, "
       "unique_constraint_name name, match_option text, update_rule text, delete_rule text"},
      {"routines",
       "specific_name name, routine_catalog name, routine_schema name, routine_name name, routine_type text, "
       "data_type text"},
      {"sequences", "sequence_catalog name, sequence_schema name, sequence_name name, data_type text"},
  };
  for (auto [name, columns] : kEmpty) information.add_empty(name, columns);
}

}  // namespace idem
