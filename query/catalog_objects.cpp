#include "query/catalog_objects.h"

#include "common/error.h"
#include "parser/parser.h"
#include "query/binder.h"
#include "query/system_catalog_names.h"
#include "query/system_relations.h"

namespace idem {

namespace {

// Names as the snapshot and the session's search_path have them.
class SnapshotNames final : public NameResolver {
 public:
  explicit SnapshotNames(ExecutionContext& context)
      : context_(context), path_(context.session->search_path(false)) {}

  const Snapshot& snapshot() const override { return *context_.snapshot; }
  std::shared_ptr<const TableVersion> find_table(const std::vector<std::string>& name) const override {
    return find<TableVersion>(
        name, [&](const std::string& schema) { return context_.snapshot->find_table(schema, name.back()); });
  }
  std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const override {
    return find<ViewSchema>(
        name, [&](const std::string& schema) { return context_.snapshot->find_view(schema, name.back()); });
  }
  std::shared_ptr<const VirtualTable> find_virtual_table(
      const std::vector<std::string>& name) const override {
    return find_system_relation(name.size() > 1 ? name[name.size() - 2] : "pg_catalog", name.back());
  }
  std::shared_ptr<const VirtualTable> find_virtual_function(const std::string& name) const override {
    return find_system_function(name);
  }
  SessionInfo& session() const override { return *context_.session; }

 private:
  template <class T>
  std::shared_ptr<const T> find(const std::vector<std::string>& name,
                                const std::function<std::shared_ptr<const T>(const std::string&)>& in) const {
    if (name.size() > 1) return in(name[name.size() - 2]);
    for (const std::string& schema : path_) {
      if (auto found = in(schema)) return found;
    }
    return nullptr;
  }

  ExecutionContext& context_;
  std::vector<std::string> path_;
};

}  // namespace

uint32_t schema_oid(const Snapshot& snapshot, std::string_view name) {
  if (name == "pg_catalog") return kPgCatalogOid;
  if (name == "information_schema") return kInformationSchemaOid;
  if (name == "public") return kPublicSchemaOid;
  auto it = snapshot.catalog->schemas.find(name);
  return it == snapshot.catalog->schemas.end() ? 0 : it->second.id + kFirstUserOid;
}

uint32_t role_oid(const Snapshot& snapshot, std::string_view name) {
  auto it = snapshot.catalog->roles.find(name);
  return it == snapshot.catalog->roles.end() ? kBootstrapRoleOid : it->second.id + kFirstUserOid;
}

void for_each_table(const Snapshot& snapshot, const std::function<void(const TableVersion&)>& fn) {
  for (const auto& [name, id] : snapshot.catalog->tables) {
    if (auto table = snapshot.table(id)) fn(*table);
  }
}

void for_each_base_table(const Snapshot& snapshot, const std::function<void(const TableVersion&)>& fn) {
  for_each_table(snapshot, [&](const TableVersion& table) {
    if (!snapshot.catalog->materialized_view(table.schema->id)) fn(table);
  });
}

void for_each_view(const Snapshot& snapshot, const std::function<void(const ViewSchema&)>& fn) {
  for (const auto& [name, view] : snapshot.catalog->views) fn(*view);
}

void for_each_materialized_view(const Snapshot& snapshot,
                                const std::function<void(const TableVersion&, const MaterializedView&)>& fn) {
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    if (auto table = snapshot.table(view->table)) fn(*table, *view);
  }
}

std::vector<PlanColumn> view_columns(ExecutionContext& context, const ViewSchema& view) {
  try {
    SnapshotNames names(context);
    ParameterTypes none;
    std::vector<PlanColumn> columns =
        bind_query(*parser::parse_query(view.query_text), names, none).plan->columns;
    for (size_t i = 0; i < view.column_names.size() && i < columns.size(); i++)
      columns[i].name = view.column_names[i];
    return columns;
  } catch (const SqlError&) { return {}; }
}

}  // namespace idem
