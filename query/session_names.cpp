// What names mean to a session: search_path, temporary tables, system relations.

#include <algorithm>

#include "query/access_control.h"
#include "query/cross_database.h"
#include "query/session_state.h"
#include "query/system_relations.h"

namespace idem {

namespace {

std::vector<std::string> split_search_path(std::string_view text, const std::string& user) {
  std::vector<std::string> names;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (item.size() >= 2 && item.front() == '"' && item.back() == '"') item = item.substr(1, item.size() - 2);
    if (item.empty()) continue;
    names.push_back(item == "$user" ? user : std::string(item));
  }
  return names;
}

struct NameParts {
  std::string schema, name;  // schema "" when not written
};

NameParts split_name(const std::vector<std::string>& parts, const std::string& database) {
  if (parts.size() == 1) return {"", parts[0]};
  if (parts.size() == 3 && parts[0] != database) { throw cross_database_error(parts[0], parts[1], parts[2]); }
  return {parts[parts.size() - 2], parts.back()};
}

}  // namespace

std::vector<std::string> SessionState::search_path(bool with_implicit) const {
  const bool cacheable = !with_implicit && view_.catalog && acting_role_.empty();
  if (cacheable && path_.generation == settings.generation() && path_.catalog == view_.catalog)
    return path_.schemas;
  std::vector<std::string> path;
  if (with_implicit) path.push_back("pg_catalog");
  const Catalog& catalog = view_.catalog ? *view_.catalog : *server.database->snapshot().catalog;
  for (std::string& name : split_search_path(settings.get("search_path"), user())) {
    const auto schema = catalog.schemas.find(name);
    const bool usable = schema != catalog.schemas.end() &&
                        contains(access().privileges(SecuredObject::of(schema->second)), Privilege::kUsage);
    if (name == "pg_catalog" ? !with_implicit : usable) path.push_back(std::move(name));
  }
  if (cacheable) path_ = {settings.generation(), view_.catalog, path};
  return path;
}

std::shared_ptr<const TableVersion> SessionState::find_table(const std::vector<std::string>& name) const {
  NameParts parts = split_name(name, database_name);
  if (!parts.schema.empty()) {
    const std::optional<std::string> schema = schema_of_name(parts.schema);
    return schema ? view_.find_table(*schema, parts.name) : nullptr;
  }
  if (!temporary_.empty()) {
    if (auto table = view_.find_table(temporary_schema(), parts.name)) return table;
  }
  for (const std::string& schema : search_path(false)) {
    if (auto table = view_.find_table(schema, parts.name)) return table;
  }
  return nullptr;
}

std::shared_ptr<const ViewSchema> SessionState::find_view(const std::vector<std::string>& name) const {
  NameParts parts = split_name(name, database_name);
  if (!parts.schema.empty()) return view_.find_view(parts.schema, parts.name);
  for (const std::string& schema : search_path(false)) {
    if (auto view = view_.find_view(schema, parts.name)) return view;
  }
  return nullptr;
}

std::shared_ptr<const VirtualTable> SessionState::find_virtual_table(
    const std::vector<std::string>& name) const {
  NameParts parts = split_name(name, database_name);
  return find_system_relation(parts.schema.empty() ? "pg_catalog" : parts.schema, parts.name);
}

std::shared_ptr<const VirtualTable> SessionState::find_virtual_function(const std::string& name) const {
  return find_system_function(name);
}

std::shared_ptr<const TableVersion> SessionState::target_table(const ast::ObjectName& name) const {
  const std::vector<std::string> parts = name.parts();
  if (!name.schema.empty()) check_schema(name.schema.text, Privilege::kUsage);
  if (auto table = find_table(parts)) return table;
  if (find_view(parts))
    throw sql_error(sqlstate::kWrongObjectType, "\"{}\" is a view", name.name.text)
        .with_position(name.position());
  if (find_virtual_table(parts)) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                    name.name.text)
        .with_position(name.position());
  }
  throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", fmt::join(parts, "."))
      .with_position(name.position());
}

std::string SessionState::creation_schema(const ast::ObjectName& name) const {
  if (!name.database.empty() && name.database.text != database_name) {
    throw cross_database_error(name.database.text, name.schema.text, name.name.text)
        .with_position(name.position());
  }
  if (!name.schema.empty()) {
    if (!view_.catalog->schemas.contains(name.schema.text)) {
      throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name.schema.text)
          .with_position(name.position());
    }
    check_schema(name.schema.text, Privilege::kCreate);
    return name.schema.text;
  }
  for (std::string& schema : search_path(false)) {
    check_schema(schema, Privilege::kCreate);
    return std::move(schema);
  }
  throw SqlError(sqlstate::kInvalidSchemaName, "no schema has been selected to create in")
      .with_position(name.position());
}

}  // namespace idem
