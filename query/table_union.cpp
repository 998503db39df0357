#include "query/table_union.h"

#include <algorithm>

#include "common/error.h"
#include "query/plan_walk.h"

namespace idem {

namespace {

// Columns, casts of them and the like: what gives the same for the same row, whenever it is bound.
bool is_of_columns(BoundExpression& expression) {
  bool only = true;
  for_each_part(expression, [&](BoundExpression& part) {
    const bool is_call = part.kind == BoundKind::kCall && part.function &&
                         part.function->volatility == Volatility::kImmutable && !part.children.empty();
    only = only && !part.subquery && (part.kind == BoundKind::kColumn || is_call);
  });
  return only;
}

// The branch of a plan of projections over a whole table; false if it is anything else.
bool make_branch(const LogicalPlan& plan, UnionShape::Branch* branch, PlanPtr* copy) {
  auto node = std::make_shared<LogicalPlan>();
  node->kind = plan.kind;
  node->columns = plan.columns;
  if (plan.kind == PlanKind::kScan) {
    if (plan.scan_filter || !plan.dynamic_bounds.empty()) return false;
    node->scan_columns = plan.scan_columns;
    branch->schema = plan.table->schema;
    branch->table = plan.table->schema->id;
  } else {
    if (plan.kind != PlanKind::kProject) return false;
    for (const BoundPtr& expression : plan.expressions) {
      if (!is_of_columns(*expression)) return false;
      node->expressions.push_back(expression->clone());
    }
    if (!make_branch(*plan.children[0], branch, &node->children.emplace_back())) return false;
  }
  *copy = std::move(node);
  return true;
}

// Whether an output column is the designated timestamp of the table below.
bool is_timestamp(const LogicalPlan& plan, uint32_t column, const TableSchema& schema) {
  if (plan.kind == PlanKind::kScan) {
    return schema.has_timestamp() &&
           plan.scan_columns[column] == static_cast<uint32_t>(schema.timestamp_column);
  }
  const BoundExpression& value = *plan.expressions[column];
  return value.is_column() && is_timestamp(*plan.children[0], value.index, schema);
}

TimeRange times_of(const TableVersion& table) {
  if (!table.schema->has_timestamp()) return {INT64_MIN, INT64_MAX};
  TimeRange times{INT64_MAX, INT64_MIN};
  table.partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    if (partition->row_count == 0) return;
    times.min = std::min(times.min, partition->min_timestamp);
    times.max = std::max(times.max, partition->max_timestamp);
  });
  return times;
}

PlanPtr copy_of(const LogicalPlan& plan, const std::shared_ptr<const TableVersion>& table) {
  auto node = std::make_shared<LogicalPlan>();
  node->kind = plan.kind;
  node->columns = plan.columns;
  if (plan.kind == PlanKind::kScan) {
    node->scan_columns = plan.scan_columns;
    node->table = table;
    return node;
  }
  for (const BoundPtr& expression : plan.expressions) node->expressions.push_back(expression->clone());
  node->children.push_back(copy_of(*plan.children[0], table));
  return node;
}

}  // namespace

std::shared_ptr<const UnionShape> union_shape_of(const LogicalPlan& plan, int timestamp) {
  if (plan.kind != PlanKind::kUnionAll) return nullptr;
  auto shape = std::make_shared<UnionShape>();
  shape->columns = plan.columns;
  shape->timestamp = timestamp;
  for (const PlanPtr& child : plan.children) {
    UnionShape::Branch branch;
    if (!make_branch(*child, &branch, &branch.plan)) return nullptr;
    for (uint32_t c = 0; c < plan.columns.size() && branch.timestamp < 0; ++c) {
      if (!is_timestamp(*branch.plan, c, *branch.schema)) continue;
      branch.timestamp = static_cast<int>(c);
      branch.timestamp_type = plan.columns[c].type;
    }
    shape->branches.push_back(std::move(branch));
  }
  return shape;
}

std::shared_ptr<const TableUnion> TableUnion::of(std::shared_ptr<const UnionShape> shape,
                                                 const Snapshot& snapshot) {
  std::shared_ptr<const TableUnion> made(new TableUnion(std::move(shape), snapshot.tables));
  const UnionShape& of = *made->shape_;
  of.known.resize(of.branches.size());
  for (size_t i = 0; i < of.branches.size(); ++i) {
    if (static_cast<size_t>(of.branches[i].table) >= made->tables_.size()) return nullptr;
    const std::shared_ptr<const TableVersion>& table = made->find(i);
    UnionShape::KnownVersion& known = of.known[i];
    if (table && !known.table.owner_before(table) && !table.owner_before(known.table)) continue;
    if (!table || table->schema != of.branches[i].schema) return nullptr;
    known = {table, times_of(*table)};
  }
  return made;
}

const TableUnion* TableUnion::in(const LogicalPlan& node) {
  return node.kind == PlanKind::kVirtualScan ? dynamic_cast<const TableUnion*>(node.virtual_table.get())
                                             : nullptr;
}

PlanPtr TableUnion::branch_plan(size_t branch) const {
  return copy_of(*shape_->branches[branch].plan, find(branch));
}

void TableUnion::add_tables(std::vector<std::shared_ptr<const TableVersion>>& tables) const {
  for (size_t i = 0; i < shape_->branches.size(); ++i) tables.push_back(find(i));
}

void TableUnion::produce(ExecutionContext&, const std::vector<Value>&,
                         const std::function<void(DataChunk&)>&) const {
  throw SqlError(sqlstate::kInternalError, "a union of tables was not planned");
}

std::shared_ptr<const UnionShape> KeptViews::find(uint32_t view,
                                                  const std::shared_ptr<const Catalog>& catalog,
                                                  uint64_t settings) {
  if (settings != settings_ || catalog_.owner_before(catalog) || catalog.owner_before(catalog_)) {
    shapes_.clear();
    settings_ = settings;
    catalog_ = catalog;
  }
  const auto found =
      std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& kept) { return kept.first == view; });
  return found == shapes_.end() ? nullptr : found->second;
}

void KeptViews::keep(uint32_t view, std::shared_ptr<const UnionShape> shape) {
  constexpr size_t kMostKept = 16;
  std::erase_if(shapes_, [&](const auto& kept) { return kept.first == view; });
  if (shapes_.size() == kMostKept) shapes_.erase(shapes_.begin());
  shapes_.emplace_back(view, std::move(shape));
}

}  // namespace idem
