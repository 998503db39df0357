#include <array>
#include <cmath>

#include "common/decimal.h"
#include "common/error.h"
#include "common/utf8.h"
#include "query/catalog_names.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/session.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr SqlType kText = TypeId::kText, kName = TypeId::kName, kBool = TypeId::kBoolean,
                  kInt2 = TypeId::kSmallInt, kInt4 = TypeId::kInteger, kInt8 = TypeId::kBigInt,
                  kOid = TypeId::kOid, kRegclass = TypeId::kRegclass;
constexpr Volatility kStable = Volatility::kStable;

uint32_t oid(int32_t bits) { return static_cast<uint32_t>(bits); }

// ---- what catalogs would say of things that this server does not have

bool no_text(KernelCall&, std::string&) { return false; }

void add_absent(FunctionRegistry& r, View name, std::initializer_list<SqlType> parameters) {
  r.add(name, parameters, kText, row_kernel<[](KernelCall& c, std::string& out) { return no_text(c, out); }>,
        kStable);
}

void register_absent(FunctionRegistry& r) {
  add_absent(r, "obj_description", {kOid});
  add_absent(r, "obj_description", {kOid, kName});
  add_absent(r, "shobj_description", {kOid, kName});
  add_absent(r, "col_description", {kOid, kInt4});
  add_absent(r, "pg_get_constraintdef", {kOid});
  add_absent(r, "pg_get_constraintdef", {kOid, kBool});
  add_absent(r, "pg_get_indexdef", {kOid});
  add_absent(r, "pg_get_indexdef", {kOid, kInt4, kBool});
  add_absent(r, "pg_get_triggerdef", {kOid});
  add_absent(r, "pg_get_triggerdef", {kOid, kBool});
  add_absent(r, "pg_get_ruledef", {kOid});
  add_absent(r, "pg_get_ruledef", {kOid, kBool});
  add_absent(r, "pg_get_partkeydef", {kOid});
  add_absent(r, "pg_get_partition_constraintdef", {kOid});
  add_absent(r, "pg_get_statisticsobjdef_columns", {kOid});
  add_absent(r, "pg_get_serial_sequence", {kText, kText});
  add_absent(r, "pg_get_function_result", {kOid});
  add_absent(r, "pg_get_function_arguments", {kOid});
  add_absent(r, "pg_get_function_identity_arguments", {kOid});
  add_absent(r, "pg_get_functiondef", {kOid});
  add_absent(r, "pg_tablespace_location", {kOid});
  r.add("acldefault", {TypeId::kInternalChar, kOid}, SqlType::array_of(TypeId::kText),
        row_kernel<[](KernelCall& c, std::string& out) { return no_text(c, out); }>, kStable);
  r.add("pg_get_replica_identity_index", {kRegclass}, kRegclass,
        row_kernel<[](KernelCall&) { return std::optional<int32_t>(); }>, kStable);
  r.add("pg_my_temp_schema", {}, kOid, row_kernel<[](KernelCall&) { return 0; }>, kStable);
  r.add("pg_is_other_temp_schema", {kOid}, kBool, row_kernel<[](int32_t) { return false; }>, kStable);
  r.add("row_security_active", {kOid}, kBool, row_kernel<[](int32_t) { return false; }>, kStable);
}

// ---- names and visibility

void register_names(FunctionRegistry& r) {
  r.add("pg_table_is_visible", {kOid}, kBool,
        row_kernel<[](KernelCall& c, int32_t id) -> std::optional<bool> {
          if (!relation_of_oid(c.state.context, oid(id))) return std::nullopt;
          return is_relation_visible(c.state.context, oid(id));
        }>,
        kStable);
  r.add("pg_type_is_visible", {kOid}, kBool, row_kernel<[](int32_t id) -> std::optional<bool> {
          if (catalog_type_of_oid(oid(id)) == nullptr && catalog_type_of_array_oid(oid(id)) == nullptr)
            return std::nullopt;
          return true;
        }>,
        kStable);
  for (const View name : {"pg_function_is_visible", "pg_operator_is_visible", "pg_opclass_is_visible",
                          "pg_opfamily_is_visible", "pg_collation_is_visible", "pg_conversion_is_visible",
                          "pg_ts_config_is_visible", "pg_ts_dict_is_visible", "pg_ts_parser_is_visible",
                          "pg_ts_template_is_visible", "pg_statistics_obj_is_visible"}) {
    r.add(name, {kOid}, kBool, row_kernel<[](int32_t) { return true; }>, kStable);
  }
  r.add("pg_get_userbyid", {kOid}, kName, row_kernel<[](KernelCall& c, int32_t id) {
          const auto name = role_name_of_oid(c.state.context, oid(id));
          return name ? *name : fmt::format("unknown (OID={})", oid(id));
        }>,
        kStable);
  r.add("format_type", {kOid, kInt4}, kText,
        row_kernel<[](std::string& out, std::optional<int32_t> id, std::optional<int32_t> modifier) {
          if (!id) return false;
          out = format_type_of_oid(oid(*id), modifier);
          return true;
        }>)
      .strict = false;
  r.add("pg_encoding_to_char", {kInt4}, kName, row_kernel<[](int32_t encoding) {
          return std::string(encoding == 6   ? "UTF8"
                             : encoding == 0 ? "SQL_ASCII"
                             : encoding == 8 ? "LATIN1"
                                             : "");
        }>);
  r.add("pg_char_to_encoding", {kName}, kInt4, row_kernel<[](View name) {
          const std::string upper = utf8_upper(name);
          return upper == "UTF8" || upper == "UTF-8" ? 6
                 : upper == "SQL_ASCII"              ? 0
                 : upper == "LATIN1"                 ? 8
                                                     : -1;
        }>);
}

bool bind_typeof(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1) return false;
  types->arguments.assign(arguments.begin(), arguments.end());
  types->result = TypeId::kRegtype;
  return true;
}

// to_regclass('x') and its like: NULL where the cast would fail.
template <TypeId kType>
std::optional<int32_t> oid_or_null(KernelCall& call, View text) {
  try {
    return static_cast<int32_t>(oid_of_name(call.state.context, kType, text));
  } catch (const SqlError&) { return std::nullopt; }
}

void register_types(FunctionRegistry& r) {
  ScalarFunction& type_of = r.add_polymorphic(
      "pg_typeof", bind_typeof,
      row_kernel<[](KernelCall& c) { return static_cast<int32_t>(type_oid(c.types.arguments[0])); }>);
  type_of.strict = false;
  type_of.takes_symbols = true;
  r.add("to_regclass", {kText}, kRegclass,
        row_kernel<[](KernelCall& c, View t) { return oid_or_null<TypeId::kRegclass>(c, t); }>, kStable);
  r.add("to_regtype", {kText}, TypeId::kRegtype,
        row_kernel<[](KernelCall& c, View t) { return oid_or_null<TypeId::kRegtype>(c, t); }>, kStable);
  r.add("to_regproc", {kText}, TypeId::kRegproc,
        row_kernel<[](KernelCall& c, View t) { return oid_or_null<TypeId::kRegproc>(c, t); }>, kStable);
  r.add("to_regnamespace", {kText}, TypeId::kRegnamespace,
        row_kernel<[](KernelCall& c, View t) { return oid_or_null<TypeId::kRegnamespace>(c, t); }>, kStable);
}

// ---- definitions

bool append_view_definition(KernelCall& call, std::string& out, uint32_t id) {
  const auto relation = relation_of_oid(call.state.context, id);
  if (!relation || !relation->is_view) return false;
  const auto view = call.state.context->snapshot->find_view(relation->schema, relation->name);
  if (!view) return false;
  out = view->query_text;
  if (!out.ends_with(';')) out += ';';
  return true;
}

void register_definitions(FunctionRegistry& r) {
  // Expressions are kept as their text.
  r.add("pg_get_expr", {kText, kOid}, kText, row_kernel<[](View text, int32_t) { return text; }>, kStable);
  r.add("pg_get_expr", {kText, kOid, kBool}, kText, row_kernel<[](View text, int32_t, bool) { return text; }>,
        kStable);
  r.add("pg_get_viewdef", {kOid}, kText, row_kernel<[](KernelCall& c, std::string& out, int32_t id) {
          return append_view_definition(c, out, oid(id));
        }>,
        kStable);
  r.add("pg_get_viewdef", {kOid, kBool}, kText,
        row_kernel<[](KernelCall& c, std::string& out, int32_t id, bool) {
          return append_view_definition(c, out, oid(id));
        }>,
        kStable);
  r.add("pg_get_viewdef", {kOid, kInt4}, kText,
        row_kernel<[](KernelCall& c, std::string& out, int32_t id, int32_t) {
          return append_view_definition(c, out, oid(id));
        }>,
        kStable);
  const ScalarKernel by_name = row_kernel<[](KernelCall& c, std::string& out, View name) {
    return append_view_definition(c, out, oid_of_name(c.state.context, TypeId::kRegclass, name));
  }>;
  r.add("pg_get_viewdef", {kText}, kText, by_name, kStable);
  r.add("pg_relation_is_publishable", {kRegclass}, kBool,
        row_kernel<[](KernelCall& c, int32_t id) -> std::optional<bool> {
          const auto relation = relation_of_oid(c.state.context, oid(id));
          if (!relation) return std::nullopt;
          return !relation->is_view && kFirstUserOid <= oid(id);
        }>,
        kStable);
}

// ---- sizes

std::optional<int64_t> relation_size(KernelCall& call, int32_t id) {
  const ExecutionContext* context = call.state.context;
  if (!relation_of_oid(context, oid(id))) return std::nullopt;
  if (oid(id) < kFirstUserOid || context->server == nullptr || context->server->database == nullptr) return 0;
  const TableId table{oid(id) - kFirstUserOid};
  if (!context->snapshot->table(table)) return 0;
  return static_cast<int64_t>(context->server->database->table_disk_bytes(table));
}

int64_t database_size(KernelCall& call) {
  const ExecutionContext* context = call.state.context;
  if (context == nullptr || context->snapshot == nullptr || context->server == nullptr ||
      context->server->database == nullptr)
    return 0;
  int64_t bytes = 0;
  for (const auto& [name, id] : context->snapshot->catalog->tables) {
    bytes += static_cast<int64_t>(context->server->database->table_disk_bytes(id));
  }
  return bytes;
}

// The largest unit in which at least 10 of it are left, rounded half away from zero, as PostgreSQL does it.
std::string pretty_size(int64_t bytes) {
  static constexpr std::array<View, 6> kUnits = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  constexpr int64_t kLimit = 10 * 1024;
  if (std::llabs(bytes) < kLimit) return fmt::format("{} bytes", bytes);
  int64_t halves = bytes / 512;  // of the next unit
  for (size_t unit = 1; unit < kUnits.size(); ++unit) {
    const int64_t rounded = (halves + (halves < 0 ? -1 : 1)) / 2;
    if (std::llabs(halves) < 2 * kLimit - 1 || unit + 1 == kUnits.size())
      return fmt::format("{} {}", rounded, kUnits[unit]);
    halves /= 1024;
  }
  return {};
}

void register_sizes(FunctionRegistry& r) {
  for (const View name : {"pg_relation_size", "pg_table_size", "pg_total_relation_size"}) {
    r.add(name, {kRegclass}, kInt8,
          row_kernel<[](KernelCall& c, int32_t id) { return relation_size(c, id); }>, kStable);
  }
  r.add("pg_relation_size", {kRegclass, kText}, kInt8,
        row_kernel<[](KernelCall& c, int32_t id, View fork) -> std::optional<int64_t> {
          return fork == "main" ? relation_size(c, id) : std::optional<int64_t>(0);
        }>,
        kStable);
  r.add("pg_indexes_size", {kRegclass}, kInt8, row_kernel<[](int32_t) { return int64_t{0}; }>, kStable);
  r.add("pg_database_size", {kName}, kInt8, row_kernel<[](KernelCall& c, View) { return database_size(c); }>,
        kStable);
  r.add("pg_database_size", {kOid}, kInt8,
        row_kernel<[](KernelCall& c, int32_t) { return database_size(c); }>, kStable);
  r.add("pg_size_pretty", {kInt8}, kText, row_kernel<[](int64_t bytes) { return pretty_size(bytes); }>);
  r.add("pg_size_pretty", {TypeId::kDecimal}, kText,
        row_kernel<[](const Decimal& bytes) { return pretty_size(decimal_to_int64(bytes)); }>);
}

// ---- privileges: whoever is connected may look at every object that exists; what statements may do is
// checked where they run

std::optional<bool> has_relation(KernelCall& call, uint32_t id) {
  if (!relation_of_oid(call.state.context, id)) return std::nullopt;
  return true;
}
std::optional<bool> has_relation(KernelCall& call, View name) {
  return has_relation(call, oid_of_name(call.state.context, TypeId::kRegclass, name));
}
std::optional<bool> has_schema(KernelCall& call, View name) {
  oid_of_name(call.state.context, TypeId::kRegnamespace, name);
  return true;
}

void register_privileges(FunctionRegistry& r) {
  for (const View name : {"has_table_privilege", "has_any_column_privilege"}) {
    r.add(name, {kText, kText}, kBool,
          row_kernel<[](KernelCall& c, View t, View) { return has_relation(c, t); }>, kStable);
    r.add(name, {kOid, kText}, kBool,
          row_kernel<[](KernelCall& c, int32_t t, View) { return has_relation(c, oid(t)); }>, kStable);
    r.add(name, {kName, kText, kText}, kBool,
          row_kernel<[](KernelCall& c, View, View t, View) { return has_relation(c, t); }>, kStable);
    r.add(name, {kName, kOid, kText}, kBool,
          row_kernel<[](KernelCall& c, View, int32_t t, View) { return has_relation(c, oid(t)); }>, kStable);
    r.add(name, {kOid, kOid, kText}, kBool,
          row_kernel<[](KernelCall& c, int32_t, int32_t t, View) { return has_relation(c, oid(t)); }>,
          kStable);
  }
  r.add("has_column_privilege", {kText, kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View t, View, View) { return has_relation(c, t); }>, kStable);
  r.add("has_column_privilege", {kOid, kInt2, kText}, kBool,
        row_kernel<[](KernelCall& c, int32_t t, int16_t, View) { return has_relation(c, oid(t)); }>, kStable);
  r.add("has_column_privilege", {kName, kText, kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View, View t, View, View) { return has_relation(c, t); }>, kStable);
  r.add("has_schema_privilege", {kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View s, View) { return has_schema(c, s); }>, kStable);
  r.add("has_schema_privilege", {kOid, kText}, kBool, row_kernel<[](int32_t, View) { return true; }>,
        kStable);
  r.add("has_schema_privilege", {kName, kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View, View s, View) { return has_schema(c, s); }>, kStable);
  r.add("has_schema_privilege", {kName, kOid, kText}, kBool,
        row_kernel<[](View, int32_t, View) { return true; }>, kStable);
  for (const View name :
       {"has_database_privilege", "has_function_privilege", "has_tablespace_privilege",
        "has_sequence_privilege", "has_type_privilege", "has_language_privilege", "pg_has_role"}) {
    r.add(name, {kText, kText}, kBool, row_kernel<[](View, View) { return true; }>, kStable);
    r.add(name, {kOid, kText}, kBool, row_kernel<[](int32_t, View) { return true; }>, kStable);
    r.add(name, {kName, kText, kText}, kBool, row_kernel<[](View, View, View) { return true; }>, kStable);
    r.add(name, {kName, kOid, kText}, kBool, row_kernel<[](View, int32_t, View) { return true; }>, kStable);
  }
}

}  // namespace

void register_catalog_functions(FunctionRegistry& r) {
  register_absent(r);
  register_names(r);
  register_types(r);
  register_definitions(r);
  register_sizes(r);
  register_privileges(r);
}

}  // namespace idem
