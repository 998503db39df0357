#include "query/kept_plan.h"

#include <algorithm>

#include "query/plan_walk.h"

namespace idem {

namespace {

// A table that grows has its joins put into another order.
bool is_about_as_large(uint64_t rows, uint64_t planned) {
  constexpr uint64_t kSmallTable = 10'000, kFactor = 4;
  return std::max(rows, planned) / kFactor <= std::max(std::min(rows, planned), kSmallTable);
}

void leave_rows_out(const PlanPtr& plan) {
  for_each_node(plan, [](const PlanPtr& node) {
    if (node->kind != PlanKind::kScan) return;
    auto shape = std::make_shared<TableVersion>();
    shape->schema = node->table->schema;
    node->table = std::move(shape);
    node->reads_snapshot = true;
  });
}

}  // namespace

KeptPlan::KeptPlan(BoundQuery query, const std::shared_ptr<const Catalog>& catalog, uint64_t settings)
    : names_{catalog, settings} {
  for (const auto& table : query.tables) tables_.push_back({table->schema, table->row_count});
  query.tables.clear();
  leave_rows_out(query.plan);
  for (const auto& [slot, plan] : query.init_plans) leave_rows_out(plan);
  query_ = std::make_shared<const BoundQuery>(std::move(query));
}

bool KeptPlan::fits(const Snapshot& snapshot, uint64_t settings) const {
  if (!names_.hold_for(snapshot.catalog, settings)) return false;
  return std::all_of(tables_.begin(), tables_.end(), [&](const Table& planned) {
    const std::shared_ptr<const TableVersion> now = snapshot.table(planned.schema->id);
    return now && now->schema == planned.schema && is_about_as_large(now->row_count, planned.row_count);
  });
}

}  // namespace idem
