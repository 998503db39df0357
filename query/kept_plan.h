#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "query/known_names.h"
#include "query/logical_plan.h"
#include "storage/catalog.h"

namespace idem {

// The plan of a prepared query, for its executions to come. Immutable.
//
// Plans do not depend on the values of parameters: these are in slots, and a scan takes its time range and bounds from them when it
// starts. A kept plan holds no rows either: its scans read the snapshot of whoever executes it, so that a forgotten
// statement keeps no version of a table alive.
class KeptPlan {
 public:
  // Of a query that is not for once (BoundQuery), as bound by this catalog and these settings (SessionSettings::generation()).
  KeptPlan(BoundQuery query, const std::shared_ptr<const Catalog>& catalog, uint64_t settings);

  // Whether binding the query again would give this plan: names and privileges (the catalog), the role, search_path and time zone (the
  // settings) and the definitions of its tables are the same, and the tables about as large as then.
  bool fits(const Snapshot& snapshot, uint64_t settings) const;
  const std::shared_ptr<const BoundQuery>& query() const { return query_; }

 private:
  struct Table {
    std::shared_ptr<const TableSchema> schema;
    uint64_t row_count = 0;
  };

  std::shared_ptr<const BoundQuery> query_;
  KnownNames names_;
  std::vector<Table> tables_;
};

}  // namespace idem
