#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "query/logical_plan.h"
#include "storage/catalog.h"
#include "storage/changed_times.h"

namespace idem {

// What the text of a view was bound to that is whole tables under UNION ALL: without their rows, for queries to come.
//
//   UNION ALL ── project columns, casts ── weekly table 1     branches[0]
//            ├── project columns, casts ── weekly table 2     branches[1]
//            └── …
struct UnionShape {
  struct Branch {
    PlanPtr plan;  // projections over a scan, whose table is left out
    TableId table{};
    std::shared_ptr<const TableSchema> schema;  // of that table
    int timestamp = -1;      // the output column that is its designated timestamp; -1: none
    SqlType timestamp_type;  // of the table's column
  };
  std::vector<PlanColumn> columns;
  int timestamp = -1;  // the output column that is the designated timestamp of all branches; -1: none
  std::vector<Branch> branches;

  // The last version of each branch's table that a query met, and the times of its rows. So a query need not look at the tables
  // that nobody has changed since. For the thread that binds: a shape belongs to one session.
  struct KnownVersion {
    std::weak_ptr<const TableVersion> table;
    TimeRange times;
  };
  mutable std::vector<KnownVersion> known;
};

// The shape of a plan that the binder has just made; null if it is something else.
std::shared_ptr<const UnionShape> union_shape_of(const LogicalPlan& plan, int timestamp);

// In a plan the leaf (kVirtualScan) that stands for such a union until the optimizer knows which tables can have rows that
// the query asks for. With hundreds of tables the others cost more than the query.
class TableUnion final : public VirtualTable {
 public:
  // Null where a table has changed its definition since the shape was made.
  static std::shared_ptr<const TableUnion> of(std::shared_ptr<const UnionShape> shape,
                                              const Snapshot& snapshot);
  // What a node of a plan stands for; null for any other node.
  static const TableUnion* in(const LogicalPlan& node);

  const UnionShape& shape() const { return *shape_; }
  const TableVersion& table(size_t branch) const { return *find(branch); }
  // None of the table's rows is at another time; all times where it has no designated timestamp.
  const TimeRange& times(size_t branch) const { return shape_->known[branch].times; }
  PlanPtr branch_plan(size_t branch) const;
  void add_tables(std::vector<std::shared_ptr<const TableVersion>>& tables) const;

  const std::vector<PlanColumn>& columns() const override { return shape_->columns; }
  void produce(ExecutionContext& context, const std::vector<Value>& arguments,
               const std::function<void(DataChunk&)>& emit) const override;

 private:
  using Tables = PersistentVector<std::shared_ptr<const TableVersion>>;
  TableUnion(std::shared_ptr<const UnionShape> shape, Tables tables)
      : shape_(std::move(shape)), tables_(std::move(tables)) {}
  const std::shared_ptr<const TableVersion>& find(size_t branch) const {
    return tables_[static_cast<size_t>(shape_->branches[branch].table)];
  }

  std::shared_ptr<const UnionShape> shape_;
  Tables tables_;  // of the snapshot
};

// The shapes of views that a session has read, as long as names and privileges (the catalog), the role and the search_path (the
// settings) are what they were.
class KeptViews {
 public:
  std::shared_ptr<const UnionShape> find(uint32_t view, const std::shared_ptr<const Catalog>& catalog,
                                         uint64_t settings);
  void keep(uint32_t view, std::shared_ptr<const UnionShape> shape);  // for what find() was asked with

 private:
  std::vector<std::pair<uint32_t, std::shared_ptr<const UnionShape>>> shapes_;  // oldest first
  std::weak_ptr<const Catalog> catalog_;
  uint64_t settings_ = 0;
};

}  // namespace idem
