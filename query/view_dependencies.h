#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

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

// Views that read the relation, directly or through other views, as the session sees them now.
std::vector<DependentView> views_reading(const SessionState& session, const RelationName& relation);
// CASCADE: these go, or that view and those that read it, with a notice for each.
void drop_views_reading(SessionState& session, const RelationName& relation);
void drop_cascading(SessionState& session, const DependentView& dependent);

// A view that can not be bound any more because one of these relations is gone.
struct BrokenView {
  DependentView view;
  RelationName missing;
};
std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped);
// Materialized views whose query no longer does now that the columns or names of these tables are others.
std::vector<DependentView> broken_materialized_views(const SessionState& session,
                                                     const std::set<TableId>& altered);

}  // namespace idem
