#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "query/logical_plan.h"
#include "storage/catalog.h"

namespace idem {

// What the catalog relations share: objects of a snapshot with the oids and columns that clients see.

uint32_t schema_oid(const Snapshot& snapshot, std::string_view name);  // 0 if there is none
uint32_t role_oid(const Snapshot& snapshot, std::string_view name);
inline uint32_t table_oid(TableId id) { return static_cast<uint32_t>(id) + 16384; }
inline uint32_t view_oid(const ViewSchema& view) { return view.id + 16384; }

void for_each_table(const Snapshot& snapshot, const std::function<void(const TableVersion&)>& fn);
void for_each_base_table(const Snapshot& snapshot,
                         const std::function<void(const TableVersion&)>& fn);  // no materialized views
void for_each_view(const Snapshot& snapshot, const std::function<void(const ViewSchema&)>& fn);
// Those of the tables that are materialized views.
void for_each_materialized_view(const Snapshot& snapshot,
                                const std::function<void(const TableVersion&, const MaterializedView&)>& fn);
// Columns of a view, by binding its text now; none if it cannot be bound any more.
std::vector<PlanColumn> view_columns(ExecutionContext& context, const ViewSchema& view);

}  // namespace idem
