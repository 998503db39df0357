#include "query/view_dependencies.h"

#include "common/error.h"
#include "parser/deparse.h"
#include "parser/parser.h"

namespace idem {

namespace {

// Records what a query reads, also through other views, and what it looks for in vain, while it is bound.
class ReadRecorder final : public NameResolver {
 public:
  explicit ReadRecorder(const SessionState& session) : session_(session) {}

  const Snapshot& snapshot() const override { return session_.snapshot(); }
  std::shared_ptr<const TableVersion> find_table(const std::vector<std::string>& name) const override {
    auto table = session_.find_table(name);
    if (table) read_.emplace(table->schema->schema_name, table->schema->name);
    return table;
  }
  std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const override {
    auto view = session_.find_view(name);
    if (view) {
      read_.emplace(view->schema_name, view->name);
    } else if (name.size() > 1) {
      missing_.emplace(name[name.size() - 2], name.back());
    } else {
      for (const std::string& schema : session_.search_path(false)) missing_.emplace(schema, name[0]);
    }
    return view;
  }
  std::shared_ptr<const VirtualTable> find_virtual_table(
      const std::vector<std::string>& name) const override {
    return session_.find_virtual_table(name);
  }
  std::shared_ptr<const VirtualTable> find_virtual_function(const std::string& name) const override {
    return session_.find_virtual_function(name);
  }
  SessionInfo& session() const override { return session_.session(); }
  std::shared_ptr<const TableVersion> find_past_version(const std::shared_ptr<const TableVersion>& table,
                                                        const ast::VersionClause& clause) const override {
    return session_.find_past_version(table, clause);
  }
  std::shared_ptr<const VirtualTable> bind_change_function(const ast::FunctionCall& call) const override {
    return session_.bind_change_function(call);
  }

  // Binds the view's query. False if it reads a relation that does not exist.
  bool bind(const ViewSchema& view) {
    ParameterTypes none;
    try {
      // As a reader of the view does, so that names are looked for beside it first.
      const auto query =
          parser::parse_query(fmt::format("SELECT * FROM {}.{}", parser::quote_identifier(view.schema_name),
                                          parser::quote_identifier(view.name)));
      bind_query(*query, *this, none);
    } catch (const SqlError& e) {
      return e.sqlstate() !=
             sqlstate::kUndefinedTable;  // a view may be broken otherwise: what it read counts
    }
    return true;
  }

  const std::set<RelationName>& read() const { return read_; }
  const std::set<RelationName>& missing() const { return missing_; }

 private:
  const SessionState& session_;
  mutable std::set<RelationName> read_, missing_;
};

}  // namespace

std::vector<std::shared_ptr<const ViewSchema>> views_reading(const SessionState& session,
                                                             const RelationName& relation) {
  std::vector<std::shared_ptr<const ViewSchema>> found;
  for (const auto& [name, view] : session.snapshot().catalog->views) {
    if (name == relation) continue;
    ReadRecorder recorder(session);
    recorder.bind(*view);
    if (recorder.read().contains(relation)) found.push_back(view);
  }
  return found;
}

std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped) {
  std::vector<BrokenView> found;
  for (const auto& [name, view] : session.snapshot().catalog->views) {
    ReadRecorder recorder(session);
    if (recorder.bind(*view)) continue;
    for (const RelationName& missing : recorder.missing()) {
      if (!dropped.contains(missing)) continue;
      found.push_back({view, missing});
      break;
    }
  }
  return found;
}

}  // namespace idem
