#include "query/view_dependencies.h"

#include <algorithm>
#include <functional>
#include <map>

#include "common/error.h"
#include "parser/deparse.h"
#include "parser/parser.h"
#include "query/materialized_views.h"
#include "query/stored_query.h"

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
  bool bind(const DependentView& dependent) {
    try {
      if (dependent.materialized) {
        bind_stored_query(dependent.view, *this);
      } else {
        // As a reader of the view does, so that names are looked for beside it first.
        ParameterTypes none;
        const auto query = parser::parse_query(
            fmt::format("SELECT * FROM {}.{}", parser::quote_identifier(dependent.view.schema_name),
                        parser::quote_identifier(dependent.view.name)));
        bind_query(*query, *this, none);
      }
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

void for_each_dependent_view(const Snapshot& snapshot, const std::function<void(const DependentView&)>& fn) {
  for (const auto& [name, view] : snapshot.catalog->views) fn({*view, false});
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    if (const auto table = snapshot.table(view->table)) fn({view_definition(*view, *table->schema), true});
  }
}

void add_views_reading(const SessionState& session, const RelationName& relation,
                       std::map<RelationName, DependentView>* found) {
  for_each_dependent_view(session.snapshot(), [&](const DependentView& dependent) {
    const RelationName name{dependent.view.schema_name, dependent.view.name};
    if (name == relation || found->contains(name)) return;
    ReadRecorder recorder(session);
    recorder.bind(dependent);
    if (!recorder.read().contains(relation)) return;
    found->emplace(name, dependent);
    if (dependent.materialized)
      add_views_reading(session, name, found);  // others read its rows, not its query
  });
}

}  // namespace

std::vector<DependentView> views_reading(const SessionState& session, const RelationName& relation) {
  std::map<RelationName, DependentView> found;
  add_views_reading(session, relation, &found);
  std::vector<DependentView> views;
  for (auto& [name, dependent] : found) views.push_back(std::move(dependent));
  return views;
}

namespace {

void drop_one(SessionState& session, const DependentView& dependent) {
  session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion, "drop cascades to {} {}",
                                     dependent.kind(), dependent.view.name));
  Transaction& transaction = session.write_transaction("DROP");
  if (dependent.materialized) {
    transaction.drop_table(static_cast<TableId>(dependent.view.id));
  } else {
    transaction.drop_view(dependent.view.schema_name, dependent.view.name);
  }
}

}  // namespace

void drop_views_reading(SessionState& session, const RelationName& relation) {
  for (const DependentView& dependent : views_reading(session, relation)) drop_one(session, dependent);
}

void drop_cascading(SessionState& session, const DependentView& dependent) {
  drop_views_reading(session, {dependent.view.schema_name, dependent.view.name});
  drop_one(session, dependent);
}

std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped) {
  std::vector<BrokenView> found;
  for_each_dependent_view(session.snapshot(), [&](const DependentView& dependent) {
    ReadRecorder recorder(session);
    if (recorder.bind(dependent)) return;
    for (const RelationName& missing : recorder.missing()) {
      if (!dropped.contains(missing)) continue;
      found.push_back({dependent, missing});
      return;
    }
  });
  return found;
}

std::vector<DependentView> broken_materialized_views(const SessionState& session,
                                                     const std::set<TableId>& altered) {
  std::vector<DependentView> found;
  const Snapshot& snapshot = session.snapshot();
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    const bool reads = std::any_of(view->sources.begin(), view->sources.end(),
                                   [&](const auto& source) { return altered.contains(source.table); });
    const auto table = snapshot.table(view->table);
    if (!reads || !table) continue;
    const DependentView dependent{view_definition(*view, *table->schema), true};
    try {
      const StoredQuery query = bind_stored_query(dependent.view, ReadRecorder(session));
      if (gives_columns(query, *table->schema)) continue;
    } catch (const SqlError&) {
      // It can not be computed any more.
    }
    found.push_back(dependent);
  }
  return found;
}

}  // namespace idem
