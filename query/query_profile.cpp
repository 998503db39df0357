#include "query/query_profile.h"

namespace idem {

NodeProfile& QueryProfile::of(const LogicalPlan& node) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<NodeProfile>& profile = nodes_[&node];
  if (!profile) profile = std::make_unique<NodeProfile>();
  return *profile;
}

const NodeProfile* QueryProfile::find(const LogicalPlan& node) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(&node);
  return found == nodes_.end() ? nullptr : found->second.get();
}

}  // namespace idem
