#include <array>
#include <cmath>

#include "common/array_value.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/utf8.h"
#include "parser/lexer.h"
#include "query/access_control.h"
#include "query/catalog_names.h"
#include "query/catalog_objects.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/session.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr Volatility kStable = Volatility::kStable;

uint32_t oid_of(int32_t bits) { return static_cast<uint32_t>(bits); }

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
          if (!relation_of_oid(c.state.context, oid_of(id))) return std::nullopt;
          return is_relation_visible(c.state.context, oid_of(id));
        }>,
        kStable);
  r.add("pg_type_is_visible", {kOid}, kBool, row_kernel<[](int32_t id) -> std::optional<bool> {
          if (catalog_type_of_oid(oid_of(id)) == nullptr && catalog_type_of_array_oid(oid_of(id)) == nullptr)
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
          const auto name = role_name_of_oid(c.state.context, oid_of(id));
          return name ? *name : fmt::format("unknown (OID={})", oid_of(id));
        }>,
        kStable);
  r.add("format_type", {kOid, kInt4}, kText,
        row_kernel<[](std::string& out, std::optional<int32_t> id, std::optional<int32_t> modifier) {
          if (!id) return false;
          out = format_type_of_oid(oid_of(*id), modifier);
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

// The parts of a qualified name, unquoted or folded. What follows the last is an error where `strict`.
std::string parts_of_name(View text, bool strict) {
  constexpr View kSpace = " \t\n\r\f\v";
  const auto invalid = [&] {
    return sql_error(sqlstate::kInvalidParameterValue, "string is not a valid identifier: \"{}\"", text);
  };
  const auto continues = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80) != 0;
  };
  ArrayBuilder parts(TypeId::kText);
  size_t at = text.find_first_not_of(kSpace);
  while (true) {
    if (at >= text.size()) throw invalid();
    std::string part;
    if (text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) throw invalid();
        if (text[at] == '"' && (++at >= text.size() || text[at] != '"')) break;
        part += text[at];
      }
    } else if (continues(text[at]) && text[at] != '$' && (text[at] < '0' || text[at] > '9')) {
      const size_t begin = at;
      while (at < text.size() && continues(text[at])) ++at;
      part = parser::fold_identifier(text.substr(begin, at - begin));
    }
    if (part.empty()) throw invalid();
    parts.append_string(part);
    at = text.find_first_not_of(kSpace, at);
    if (at == View::npos) break;
    if (text[at] != '.') {
      if (strict) throw invalid();
      break;
    }
    at = text.find_first_not_of(kSpace, at + 1);
  }
  return parts.finish();
}

void register_types(FunctionRegistry& r) {
  ScalarFunction& type_of = r.add_polymorphic(
      "pg_typeof", bind_typeof,
      row_kernel<[](KernelCall& c) { return static_cast<int32_t>(type_oid(c.types.arguments[0])); }>);
  type_of.strict = false;
  type_of.takes_symbols = true;
  constexpr SqlType kTextArray = SqlType::array_of(TypeId::kText);
  r.add("parse_ident", {kText}, kTextArray, row_kernel<[](View t) { return parts_of_name(t, true); }>);
  r.add("parse_ident", {kText, kBool}, kTextArray,
        row_kernel<[](View t, bool strict) { return parts_of_name(t, strict); }>);
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
  if (!relation) return false;
  const Snapshot& snapshot = *call.state.context->snapshot;
  const MaterializedView* materialized =
      id < kFirstUserOid ? nullptr : snapshot.catalog->materialized_view(TableId{id - kFirstUserOid});
  const auto view = relation->is_view ? snapshot.find_view(relation->schema, relation->name) : nullptr;
  if (!view && !materialized) return false;
  out = view ? view->query_text : materialized->query_text;
  if (!out.ends_with(';')) out += ';';
  return true;
}

void register_definitions(FunctionRegistry& r) {
  // Expressions are kept as their text.
  r.add("pg_get_expr", {kText, kOid}, kText, row_kernel<[](View text, int32_t) { return text; }>, kStable);
  r.add("pg_get_expr", {kText, kOid, kBool}, kText, row_kernel<[](View text, int32_t, bool) { return text; }>,
        kStable);
  r.add("pg_get_viewdef", {kOid}, kText, row_kernel<[](KernelCall& c, std::string& out, int32_t id) {
          return append_view_definition(c, out, oid_of(id));
        }>,
        kStable);
  r.add("pg_get_viewdef", {kOid, kBool}, kText,
        row_kernel<[](KernelCall& c, std::string& out, int32_t id, bool) {
          return append_view_definition(c, out, oid_of(id));
        }>,
        kStable);
  r.add("pg_get_viewdef", {kOid, kInt4}, kText,
        row_kernel<[](KernelCall& c, std::string& out, int32_t id, int32_t) {
          return append_view_definition(c, out, oid_of(id));
        }>,
        kStable);
  const ScalarKernel by_name = row_kernel<[](KernelCall& c, std::string& out, View name) {
    return append_view_definition(c, out, oid_of_name(c.state.context, TypeId::kRegclass, name));
  }>;
  r.add("pg_get_viewdef", {kText}, kText, by_name, kStable);
  r.add("pg_relation_is_publishable", {kRegclass}, kBool,
        row_kernel<[](KernelCall& c, int32_t id) -> std::optional<bool> {
          const auto relation = relation_of_oid(c.state.context, oid_of(id));
          if (!relation) return std::nullopt;
          return !relation->is_view && kFirstUserOid <= oid_of(id);
        }>,
        kStable);
}

// ---- sizes

std::optional<int64_t> relation_size(KernelCall& call, int32_t id) {
  const ExecutionContext* context = call.state.context;
  if (!relation_of_oid(context, oid_of(id))) return std::nullopt;
  if (oid_of(id) < kFirstUserOid || context->server == nullptr || context->server->database == nullptr)
    return 0;
  const TableId table{oid_of(id) - kFirstUserOid};
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

// ---- privileges

// Whoever asks about nobody in particular asks about himself.
std::string role_named(KernelCall& call, View name) {
  if (name.empty()) return call.state.context->session->user();
  if (name == "public") return "";
  if (!call.state.context->snapshot->catalog->roles.contains(name)) {
    throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name);
  }
  return std::string(name);
}

struct AskedPrivilege {
  PrivilegeSet privileges = 0;
  bool with_option = false;
};

// 'SELECT, INSERT WITH GRANT OPTION': any of them is enough.
std::vector<AskedPrivilege> asked_privileges(View text) {
  std::vector<AskedPrivilege> asked;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string one(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    for (char& c : one) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const size_t first = one.find_first_not_of(' '), last = one.find_last_not_of(' ');
    one = first == std::string::npos ? std::string() : one.substr(first, last - first + 1);
    constexpr View kOption = " WITH GRANT OPTION";
    const bool with_option = one.ends_with(kOption);
    if (with_option) one.resize(one.size() - kOption.size());
    const PrivilegeSet set = privilege_of_name(one);
    const bool unsupported = one == "REFERENCES" || one == "TRIGGER";
    if (set == 0 && !unsupported)
      throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized privilege type: \"{}\"", one);
    asked.push_back({set, with_option});
  }
  return asked;
}

// What the server has none of (REFERENCES, TRIGGER) nobody but a superuser has.
bool has_privilege(KernelCall& call, View role, const SecuredObject& object, View text) {
  const AccessControl access(*call.state.context->snapshot->catalog, role_named(call, role));
  for (const AskedPrivilege& asked : asked_privileges(text)) {
    const PrivilegeSet held = asked.with_option ? access.grantable(object) : access.privileges(object);
    if (asked.privileges == 0 ? access.is_superuser() : (held & asked.privileges) != 0) return true;
  }
  return false;
}

std::optional<bool> has_relation(KernelCall& call, View role, uint32_t id, View text) {
  const ExecutionContext* context = call.state.context;
  for (const auto& [name, view] : context->snapshot->catalog->views) {
    if (view_oid(*view) == id) return has_privilege(call, role, SecuredObject::of(*view), text);
  }
  if (id >= table_oid(TableId{0})) {
    const auto table = context->snapshot->table(TableId{id - table_oid(TableId{0})});
    if (table) return has_privilege(call, role, SecuredObject::of(*table->schema), text);
  }
  if (!relation_of_oid(context, id)) return std::nullopt;
  // Catalog relations can be read by everyone and written by nobody.
  role_named(call, role);
  for (const AskedPrivilege& asked : asked_privileges(text)) {
    if (!asked.with_option && contains(asked.privileges, Privilege::kSelect)) return true;
  }
  return false;
}
std::optional<bool> has_relation(KernelCall& call, View role, View name, View text) {
  return has_relation(call, role, oid_of_name(call.state.context, TypeId::kRegclass, name), text);
}

std::optional<bool> has_schema(KernelCall& call, View role, uint32_t id, View text) {
  for (const auto& [name, schema] : call.state.context->snapshot->catalog->schemas) {
    if (schema_oid(*call.state.context->snapshot, name) == id)
      return has_privilege(call, role, SecuredObject::of(schema), text);
  }
  for (const AskedPrivilege& asked : asked_privileges(text)) {
    if (contains(asked.privileges, Privilege::kUsage)) return true;
  }
  return false;
}
std::optional<bool> has_schema(KernelCall& call, View role, View name, View text) {
  return has_schema(call, role, oid_of_name(call.state.context, TypeId::kRegnamespace, name), text);
}

std::optional<bool> has_role(KernelCall& call, View role, View other, View) {
  const Catalog& catalog = *call.state.context->snapshot->catalog;
  return AccessControl(catalog, role_named(call, role)).has_role(role_named(call, other));
}
std::optional<bool> has_role(KernelCall& call, View role, uint32_t other, View text) {
  const auto name = role_name_of_oid(call.state.context, other);
  return name ? has_role(call, role, View(*name), text) : std::nullopt;
}

// One question in its usual forms: about oneself or another role, by name or by oid.
template <auto by_name, auto by_oid>
void add_privilege_question(FunctionRegistry& r, View name) {
  r.add(name, {kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View o, View p) { return by_name(c, View(), o, p); }>, kStable);
  r.add(name, {kOid, kText}, kBool,
        row_kernel<[](KernelCall& c, int32_t o, View p) { return by_oid(c, View(), oid_of(o), p); }>,
        kStable);
  r.add(name, {kName, kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View role, View o, View p) { return by_name(c, role, o, p); }>, kStable);
  r.add(name, {kName, kOid, kText}, kBool,
        row_kernel<[](KernelCall& c, View role, int32_t o, View p) { return by_oid(c, role, oid_of(o), p); }>,
        kStable);
  r.add(name, {kOid, kOid, kText}, kBool, row_kernel<[](KernelCall& c, int32_t role, int32_t o, View p) {
          const auto known = role_name_of_oid(c.state.context, oid_of(role));
          return known ? by_oid(c, View(*known), oid_of(o), p) : std::optional<bool>(false);
        }>,
        kStable);
}

std::optional<bool> relation_by_name(KernelCall& c, View role, View o, View p) {
  return has_relation(c, role, o, p);
}
std::optional<bool> relation_by_oid(KernelCall& c, View role, uint32_t o, View p) {
  return has_relation(c, role, o, p);
}
std::optional<bool> schema_by_name(KernelCall& c, View role, View o, View p) {
  return has_schema(c, role, o, p);
}
std::optional<bool> schema_by_oid(KernelCall& c, View role, uint32_t o, View p) {
  return has_schema(c, role, o, p);
}
std::optional<bool> role_by_name(KernelCall& c, View role, View o, View p) { return has_role(c, role, o, p); }
std::optional<bool> role_by_oid(KernelCall& c, View role, uint32_t o, View p) {
  return has_role(c, role, o, p);
}

void register_privileges(FunctionRegistry& r) {
  add_privilege_question<relation_by_name, relation_by_oid>(r, "has_table_privilege");
  add_privilege_question<relation_by_name, relation_by_oid>(r, "has_any_column_privilege");
  add_privilege_question<schema_by_name, schema_by_oid>(r, "has_schema_privilege");
  add_privilege_question<role_by_name, role_by_oid>(r, "pg_has_role");
  // Privileges are for whole tables.
  r.add("has_column_privilege", {kText, kText, kText}, kBool,
        row_kernel<[](KernelCall& c, View t, View, View p) { return has_relation(c, View(), t, p); }>,
        kStable);
  r.add("has_column_privilege", {kOid, kInt2, kText}, kBool,
        row_kernel<[](KernelCall& c, int32_t t, int16_t, View p) {
          return has_relation(c, View(), oid_of(t), p);
        }>,
        kStable);
  r.add(
      "has_column_privilege", {kName, kText, kText, kText}, kBool,
      row_kernel<[](KernelCall& c, View role, View t, View, View p) { return has_relation(c, role, t, p); }>,
      kStable);
  // What the server has one of, or none: everyone may use it.
  for (const View name : {"has_database_privilege", "has_function_privilege", "has_tablespace_privilege",
                          "has_sequence_privilege", "has_type_privilege", "has_language_privilege"}) {
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
