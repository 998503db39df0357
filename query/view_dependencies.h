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

// Views that read the relation, directly or through other views, as the session sees them now.
std::vector<std::shared_ptr<const ViewSchema>> views_reading(const SessionState& session,
                                                             const RelationName& relation);

// A view that can not be bound any more because one of these relations is gone.
struct BrokenView {
  std::shared_ptr<const ViewSchema> view;
  RelationName missing;
};
std::vector<BrokenView> broken_views(const SessionState& session, const std::set<RelationName>& dropped);

}  // namespace idem
