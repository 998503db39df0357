#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "query/binder.h"
#include "query/session_state.h"

namespace idem {

// Views keep no list of what they read: they are bound by name when they are used. These functions bind them
// to find out.

// (schema, name) of a table or view.
using RelationName = std::pair<std::string, std::string>;

// A view, or the query of a materialized view.
struct DependentView {
  ViewSchema view;
  bool materialized = false;
  std::string_view kind() const { return materialized ? "materialized view" : "view"; }
};

// "view v", with the schema where the search path does not have it.
std::string described(const SessionState& session, std::string_view kind, const RelationName& name);
// CASCADE: all views go that read one of these relations, or those views and all that read them, directly or through others, as the
// session sees them now. What went is described.
std::vector<std::string> drop_views_reading(SessionState& session, const std::set<RelationName>& relations);
std::vector<std::string> drop_cascading(SessionState& session, const std::vector<DependentView>& views);
// The notice about it.
void note_cascade(SessionState& session, const std::vector<std::string>& dropped);

// A view that can not be bound any more because one of these relations is gone.
struct BrokenView {
  DependentView view;
  RelationName missing;
};
std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped);
// Views that can not be bound now that the columns of these tables are others, or whose rows would have other columns.
std::vector<DependentView> views_broken_by(const SessionState& session, const std::set<TableId>& altered);

// The query of a view that is to be made. 0A000 if it reads a temporary table.
BoundQuery bind_view_query(const SessionState& session, const ast::Query& query);

}  // namespace idem
