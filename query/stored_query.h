#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "query/binder.h"
#include "storage/changed_times.h"

namespace idem {

// Tables whose times a query turns into buckets: as long as nothing else that it reads changes, a row of one of them has its effect
// in its bucket alone. They may stand in UNION ALL, and may be joined with others that do not give the time. With neither `buckets`
// nor `bucket` each row of the result comes from rows of its own time.
struct SampledTables {
  std::set<TableId> tables;
  PartitionUnit partition_by = PartitionUnit::kNone;  // of one of them
  std::optional<SampleSpec> buckets;                  // of SAMPLE BY
  std::shared_ptr<const BoundExpression>
      bucket;  // of GROUP BY date_trunc('hour', ts): of a time, its column 0
};

// The query of a materialized view, bound to the present state.
struct StoredQuery {
  BoundQuery query;
  int timestamp = -1;  // the output column that is its designated timestamp, or comes from one; -1: none
  std::vector<TableId> sources;          // the tables that it reads, ascending
  bool reads_clock = false;              // gives other rows at another time, whatever the tables hold
  std::optional<SampledTables> sampled;  // where it is computed bucket by bucket
};

// Binds the text of a view as its owner. `within`: only of rows of the sampled tables within these times, which are whole
// buckets; the query must have such tables.
StoredQuery bind_stored_query(const ViewSchema& view, const NameResolver& names,
                              const TimeRange* within = nullptr);

// Whether the columns of a view's table are the first ones of what its query gives.
bool gives_columns(const StoredQuery& query, const TableSchema& table);

// All rows of a table, or those within these times: their positions (RowPosition::packed), then its columns.
BoundQuery bind_stored_rows(std::shared_ptr<const TableVersion> table, const NameResolver& names,
                            const TimeRange* within);

}  // namespace idem
