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

  // Binds the view's query. A view may be broken: what it has read until then counts.
  void bind(const DependentView& dependent) {
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
    } catch (const SqlError& error) { failure_ = error.sqlstate(); }
  }

  const std::string& failure() const { return failure_; }  // SQLSTATE; "" if the query could be bound
  const std::set<RelationName>& read() const { return read_; }
  const std::set<RelationName>& missing() const { return missing_; }

 private:
  const SessionState& session_;
  std::string failure_;
  mutable std::set<RelationName> read_, missing_;
};

void for_each_dependent_view(const Snapshot& snapshot, const std::function<void(const DependentView&)>& fn) {
  for (const auto& [name, view] : snapshot.catalog->views) fn({*view, false});
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    if (const auto table = snapshot.table(view->table)) fn({view_definition(*view, *table->schema), true});
  }
}

RelationName name_of(const DependentView& dependent) {
  return {dependent.view.schema_name, dependent.view.name};
}

bool have_common(const std::set<RelationName>& a, const std::set<RelationName>& b) {
  return std::any_of(a.begin(), a.end(), [&](const RelationName& name) { return b.contains(name); });
}

using ViewsByName = std::map<RelationName, DependentView>;

// Views that read one of the relations, directly or through others, but for those relations themselves.
void add_views_reading(const SessionState& session, const std::set<RelationName>& relations,
                       ViewsByName* found) {
  std::set<RelationName> materialized;  // others read their rows, not their queries
  for_each_dependent_view(session.snapshot(), [&](const DependentView& dependent) {
    const RelationName name = name_of(dependent);
    if (relations.contains(name) || found->contains(name)) return;
    ReadRecorder recorder(session);
    recorder.bind(dependent);
    if (!have_common(recorder.read(), relations)) return;
    found->emplace(name, dependent);
    if (dependent.materialized) materialized.insert(name);
  });
  if (!materialized.empty()) add_views_reading(session, materialized, found);
}

std::vector<std::string> drop_all(SessionState& session, const ViewsByName& views) {
  std::vector<std::string> dropped;
  for (const auto& [name, dependent] : views) {
    dropped.push_back(described(session, dependent.kind(), name));
    Transaction& transaction = session.write_transaction("DROP");
    if (dependent.materialized) {
      transaction.drop_table(static_cast<TableId>(dependent.view.id));
    } else {
      transaction.drop_view(name.first, name.second);
    }
  }
  return dropped;
}

}  // namespace

std::string described(const SessionState& session, std::string_view kind, const RelationName& name) {
  const std::vector<std::string> path = session.search_path(false);
  const bool is_visible = std::find(path.begin(), path.end(), name.first) != path.end();
  return fmt::format("{} {}{}", kind, is_visible ? std::string() : parser::quote_identifier(name.first) + ".",
                     parser::quote_identifier(name.second));
}

void note_cascade(SessionState& session, const std::vector<std::string>& dropped) {
  if (dropped.empty()) return;
  if (dropped.size() == 1) {
    session.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion, "drop cascades to {}", dropped[0]));
    return;
  }
  SqlError notice =
      sql_error(sqlstate::kSuccessfulCompletion, "drop cascades to {} other objects", dropped.size());
  notice.with_detail(fmt::format("drop cascades to {}", fmt::join(dropped, "\ndrop cascades to ")));
  session.notice("NOTICE", std::move(notice));
}

std::vector<std::string> drop_views_reading(SessionState& session, const std::set<RelationName>& relations) {
  ViewsByName found;
  add_views_reading(session, relations, &found);
  return drop_all(session, found);
}

std::vector<std::string> drop_cascading(SessionState& session, const std::vector<DependentView>& views) {
  ViewsByName found;
  std::set<RelationName> names;
  for (const DependentView& view : views) {
    names.insert(name_of(view));
    found.emplace(name_of(view), view);
  }
  add_views_reading(session, names, &found);
  return drop_all(session, found);
}

std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped) {
  std::vector<BrokenView> found;
  for_each_dependent_view(session.snapshot(), [&](const DependentView& dependent) {
    ReadRecorder recorder(session);
    recorder.bind(dependent);
    if (recorder.failure() != sqlstate::kUndefinedTable) return;
    for (const RelationName& missing : recorder.missing()) {
      if (!dropped.contains(missing)) continue;
      found.push_back({dependent, missing});
      return;
    }
  });
  return found;
}

namespace {

bool gives_its_columns(const SessionState& session, const DependentView& dependent,
                       const TableSchema& table) {
  try {
    return gives_columns(bind_stored_query(dependent.view, ReadRecorder(session)), table);
  } catch (const SqlError&) {
    return false;  // it can not be computed any more
  }
}

}  // namespace

std::vector<DependentView> views_broken_by(const SessionState& session, const std::set<TableId>& altered) {
  std::vector<DependentView> found;
  const Snapshot& snapshot = session.snapshot();
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    const bool reads = std::any_of(view->sources.begin(), view->sources.end(),
                                   [&](const auto& source) { return altered.contains(source.table); });
    const auto table = snapshot.table(view->table);
    if (!reads || !table) continue;
    const DependentView dependent{view_definition(*view, *table->schema), true};
    if (!gives_its_columns(session, dependent, *table->schema)) found.push_back(dependent);
  }
  std::set<RelationName> names;
  for (const TableId id : altered) {
    if (const auto table = snapshot.table(id)) names.emplace(table->schema->schema_name, table->schema->name);
  }
  for (const auto& [name, view] : snapshot.catalog->views) {
    const DependentView dependent{*view, false};
    ReadRecorder recorder(session);
    recorder.bind(dependent);
    if (!recorder.failure().empty() && have_common(recorder.read(), names)) found.push_back(dependent);
  }
  return found;
}

BoundQuery bind_view_query(const SessionState& session, const ast::Query& query) {
  ParameterTypes none;
  BoundQuery bound = bind_query(query, session, none);
  for (const auto& table : bound.tables) {
    if (!table->schema->temporary) continue;
    throw SqlError(sqlstate::kFeatureNotSupported, "temporary views are not supported")
        .with_detail(fmt::format("The view would read the temporary table \"{}\".", table->schema->name));
  }
  return bound;
}

}  // namespace idem
