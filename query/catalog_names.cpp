#include "query/catalog_names.h"

#include <algorithm>
#include <cctype>

#include "common/error.h"
#include "common/number_text.h"
#include "common/utf8.h"
#include "parser/deparse.h"
#include "query/function_registry.h"

namespace idem {

namespace {

constexpr std::string_view kPgCatalog = "pg_catalog";
// Functions beyond PostgreSQL's own input and output functions are numbered by their place in the sorted list
// of names.
constexpr uint32_t kFirstFunctionOid = 8000;

const Catalog* catalog_of(const ExecutionContext* context) {
  return context != nullptr && context->snapshot != nullptr ? context->snapshot->catalog.get() : nullptr;
}

std::vector<std::string> search_path(const ExecutionContext* context) {
  if (context == nullptr || context->session == nullptr) return {std::string(kPgCatalog), "public"};
  return context->session->search_path(true);
}

uint32_t find_in_schema(const ExecutionContext* context, std::string_view schema, std::string_view name) {
  if (schema == kPgCatalog) return catalog_relation_oid(name).value_or(0);
  const Catalog* catalog = catalog_of(context);
  if (catalog == nullptr) return 0;
  const auto key = std::make_pair(std::string(schema), std::string(name));
  if (const auto table = catalog->tables.find(key); table != catalog->tables.end()) {
    return kFirstUserOid + static_cast<uint32_t>(table->second);
  }
  if (const auto view = catalog->views.find(key); view != catalog->views.end())
    return kFirstUserOid + view->second->id;
  return 0;
}

// "integer", "int4", "int8[]", "character varying(10)", "pg_catalog.text".
uint32_t type_oid_of_name(std::string_view text) {
  std::string name = utf8_lower(text);
  while (!name.empty() && name.back() == ' ') name.pop_back();
  bool is_array = false;
  if (name.ends_with("[]")) {
    is_array = true;
    name.resize(name.size() - 2);
  }
  if (name.starts_with("pg_catalog.")) name.erase(0, kPgCatalog.size() + 1);
  if (const size_t paren = name.find('('); paren != std::string::npos) {
    const size_t end = name.find(')', paren);
    if (end != std::string::npos) name.erase(paren, end - paren + 1);
  }
  if (!is_array && name.size() > 1 && name[0] == '_' && catalog_type_of_name(name.substr(1)) != nullptr) {
    return catalog_type_of_name(name.substr(1))->array_oid;
  }
  if (name.size() > 2 && name.front() == '"' && name.back() == '"') {
    name = name.substr(1, name.size() - 2);
    for (const CatalogType& type : catalog_types()) {
      if (type.name == name) return is_array ? type.array_oid : type.oid;
    }
    return 0;
  }
  uint32_t oid = 0, array_oid = 0;
  if (const CatalogType* type = catalog_type_of_name(name)) {
    oid = type->oid;
    array_oid = type->array_oid;
  } else {
    try {
      oid = type_oid(resolve_type_name(name, nullptr, 0, false));
      array_oid = type_oid(resolve_type_name(name, nullptr, 0, true));
    } catch (const SqlError&) { return 0; }
  }
  return is_array ? array_oid : oid;
}

uint32_t function_oid(std::string_view name) {
  for (const CatalogRelation& function : catalog_type_functions()) {
    if (function.name == name) return function.oid;
  }
  const std::vector<std::string> names = FunctionRegistry::instance().names();
  const auto found = std::lower_bound(names.begin(), names.end(), name);
  if (found == names.end() || *found != name) return 0;
  return kFirstFunctionOid + static_cast<uint32_t>(found - names.begin());
}

uint32_t schema_oid(const Catalog* catalog, std::string_view name) {
  if (name == kPgCatalog) return kPgCatalogOid;
  if (name == "information_schema") return kInformationSchemaOid;
  if (name == "public") return kPublicSchemaOid;
  if (catalog == nullptr) return 0;
  const auto found = catalog->schemas.find(name);
  return found == catalog->schemas.end() ? 0 : kFirstUserOid + found->second.id;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

}  // namespace

std::optional<std::string> schema_name_of_oid(const ExecutionContext* context, uint32_t oid) {
  if (oid == kPgCatalogOid) return std::string(kPgCatalog);
  if (oid == kInformationSchemaOid) return "information_schema";
  if (oid == kPublicSchemaOid) return "public";
  if (oid == kPgToastOid) return "pg_toast";
  const Catalog* catalog = catalog_of(context);
  if (catalog == nullptr) return std::nullopt;
  for (const auto& [name, schema] : catalog->schemas) {
    if (kFirstUserOid + schema.id == oid) return name;
  }
  return std::nullopt;
}

std::optional<RelationName> relation_of_oid(const ExecutionContext* context, uint32_t oid) {
  if (oid < kFirstUserOid) {
    const auto name = catalog_relation_name(oid);
    if (!name) return std::nullopt;
    return RelationName{std::string(kPgCatalog), std::string(*name), false};
  }
  const Catalog* catalog = catalog_of(context);
  if (catalog == nullptr) return std::nullopt;
  const uint32_t id = oid - kFirstUserOid;
  if (const auto table = context->snapshot->table(TableId{id}))
    return RelationName{table->schema->schema_name, table->schema->name, false};
  for (const auto& [key, view] : catalog->views) {
    if (view->id == id) return RelationName{key.first, key.second, true};
  }
  return std::nullopt;
}

uint32_t relation_oid(const ExecutionContext* context, const std::vector<std::string>& parts) {
  if (parts.empty()) return 0;
  if (parts.size() >= 2) return find_in_schema(context, parts[parts.size() - 2], parts.back());
  for (const std::string& schema : search_path(context)) {
    if (const uint32_t oid = find_in_schema(context, schema, parts[0])) return oid;
  }
  return 0;
}

bool is_relation_visible(const ExecutionContext* context, uint32_t oid) {
  const auto relation = relation_of_oid(context, oid);
  return relation && relation_oid(context, {relation->name}) == oid;
}

std::optional<std::string> role_name_of_oid(const ExecutionContext* context, uint32_t oid) {
  const Catalog* catalog = catalog_of(context);
  if (catalog == nullptr) return std::nullopt;
  for (const auto& [name, role] : catalog->roles) {
    if (kFirstUserOid + role.id == oid) return name;
  }
  // What nobody in particular owns belongs to the first superuser.
  if (oid == kBootstrapRoleOid) {
    for (const auto& [name, role] : catalog->roles) {
      if (role.superuser) return name;
    }
  }
  return std::nullopt;
}

std::vector<std::string> split_qualified_name(std::string_view text) {
  std::vector<std::string> parts;
  size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  };
  while (true) {
    skip_spaces();
    std::string part;
    if (at < text.size() && text[at] == '"') {
      ++at;
      while (at < text.size() && (text[at] != '"' || (at + 1 < text.size() && text[at + 1] == '"'))) {
        if (text[at] == '"') ++at;
        part += text[at++];
      }
      if (at >= text.size()) throw SqlError(sqlstate::kInvalidName, "invalid name syntax");
      ++at;
    } else {
      const size_t begin = at;
      while (at < text.size() && text[at] != '.' && std::isspace(static_cast<unsigned char>(text[at])) == 0)
        ++at;
      part = utf8_lower(text.substr(begin, at - begin));
    }
    if (part.empty()) throw SqlError(sqlstate::kInvalidName, "invalid name syntax");
    parts.push_back(std::move(part));
    skip_spaces();
    if (at == text.size()) return parts;
    if (text[at] != '.') throw SqlError(sqlstate::kInvalidName, "invalid name syntax");
    ++at;
  }
}

std::string regclass_text(const ExecutionContext* context, uint32_t oid) {
  if (oid == 0) return "-";
  const auto relation = relation_of_oid(context, oid);
  if (!relation) return std::to_string(oid);
  if (relation_oid(context, {relation->name}) == oid) return parser::quote_identifier(relation->name);
  return parser::quote_identifier(relation->schema) + "." + parser::quote_identifier(relation->name);
}

std::string regtype_text(uint32_t oid) {
  const std::string text = format_type_of_oid(oid, std::nullopt);
  return text == "???" ? std::to_string(oid) : text;
}

std::string regproc_text(uint32_t oid) {
  if (oid == 0) return "-";
  for (const CatalogRelation& function : catalog_type_functions()) {
    if (function.oid == oid) return std::string(function.name);
  }
  if (oid >= kFirstFunctionOid) {
    const std::vector<std::string> names = FunctionRegistry::instance().names();
    if (oid - kFirstFunctionOid < names.size()) return names[oid - kFirstFunctionOid];
  }
  return std::to_string(oid);
}

std::string regnamespace_text(const ExecutionContext* context, uint32_t oid) {
  if (oid == 0) return "-";
  const auto name = schema_name_of_oid(context, oid);
  return name ? parser::quote_identifier(*name) : std::to_string(oid);
}

uint32_t oid_of_name(const ExecutionContext* context, TypeId type, std::string_view text) {
  if (is_number(text)) return oid_from_text(text);
  if (text == "-") return 0;
  switch (type) {
    case TypeId::kRegclass: {
      const std::vector<std::string> parts = split_qualified_name(text);
      const uint32_t oid = relation_oid(context, parts);
      if (oid == 0)
        throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", joined(parts));
      return oid;
    }
    case TypeId::kRegtype: {
      const uint32_t oid = type_oid_of_name(text);
      if (oid == 0) throw sql_error(sqlstate::kUndefinedObject, "type \"{}\" does not exist", text);
      return oid;
    }
    case TypeId::kRegproc: {
      std::string_view name = text.substr(0, text.find('('));
      const std::vector<std::string> parts = split_qualified_name(name);
      const uint32_t oid = function_oid(parts.back());
      if (oid == 0)
        throw sql_error(sqlstate::kUndefinedFunction, "function \"{}\" does not exist", joined(parts));
      return oid;
    }
    default: {
      const std::vector<std::string> parts = split_qualified_name(text);
      const uint32_t oid = schema_oid(catalog_of(context), parts[0]);
      if (parts.size() != 1 || oid == 0) {
        throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", joined(parts));
      }
      return oid;
    }
  }
}

}  // namespace idem
