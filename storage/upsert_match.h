#pragma once

#include <memory>
#include <vector>

#include "storage/batch_order.h"
#include "storage/partition_change.h"
#include "storage/table_version.h"

namespace idem {

// What became of the rows of a batch, each in one way. A row that removes its key (DELETED WHEN) is deleted, also where
// nothing was stored; one that brings a removed key back is inserted.
struct MatchCounts {
  uint64_t inserted = 0, replaced = 0, skipped = 0, deleted = 0;
};

// Where rows of a batch, from `place` on in its order, went: to ordinals or numbers from `first` on.
struct PlaceRun {
  uint64_t first = 0;
  uint32_t count = 0, place = 0;
};
// Joins the run with the last one where they adjoin.
void add_place_run(std::vector<PlaceRun>* runs, PlaceRun run);

// What the rows of one batch do to one partition, matched against the partition before.
//
//   batch (ordered)     stored slices             outcome
//   10:00 AAPL 186  ──▶ 10:00 AAPL 186        ──▶ skipped   (equal in every column)
//   10:00 MSFT 401  ──▶ 10:00 MSFT 400        ──▶ replaced  (at its ordinal)
//   10:01 AAPL 187  ──▶ nothing at 10:01      ──▶ inserted  (before the first row after 10:01)
//
// Without upsert keys every row is inserted behind the rows of its time. Rows of the batch with equal keys
// are folded one by one in their order; what they become stands in the place of the first. Several stored
// rows with the keys of one row collapse into the first. The change refers to the batch's rows, except where
// merge policies make new ones (row_fold.h).
struct PartitionMatch {
  PartitionChange change;
  MatchCounts counts;
  // Where merge policies fold, without rows that several were put together to. Of several rows with the same keys the first
  // one's place counts.
  std::vector<PlaceRun> unchanged;        // stored rows that rows of the batch equal, by ordinal
  std::vector<PlaceRun> inserted;         // by number of the inserted row
  std::vector<uint32_t> replaced_places;  // for each replaced row
};

enum class MatchMode : uint8_t {
  kUpsert,
  kMustBeNew,  // a row whose keys are stored, or twice in the batch, is SqlError 23505: what an UPDATE moves
  kAsTheyAre,  // all rows are inserted, whatever their keys
};

// `stored` may be null: the partition does not exist. The batch has the shape of `schema`.
PartitionMatch match_part(const std::shared_ptr<const TableSchema>& schema,
                          std::shared_ptr<const Partition> stored, const OrderedBatch& batch,
                          const OrderedBatch::Part& part, MatchMode mode);

}  // namespace idem
