#include <algorithm>

#include "query/select_binder.h"

namespace idem::binding {

namespace {

constexpr size_t kMaxGroupingSets = 4096;

bool has_any_mark(const BoundExpression& e) {
  bool found = false;
  for_each_column(e, [&](uint32_t column) { found = found || (column & kMarkMask) != 0; });
  return found;
}

// Set-returning functions may be grouped by, what is computed of the groups may not.
bool reads_groups(const BoundExpression& e) {
  bool found = false;
  for_each_column(e, [&](uint32_t column) {
    const uint32_t mark = column & kMarkMask;
    found = found || (mark != 0 && mark != kSetMark);
  });
  return found;
}

using Sets = std::vector<std::vector<uint32_t>>;

Sets cross(const Sets& left, const Sets& right, uint32_t position) {
  if (left.size() * right.size() > kMaxGroupingSets) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "too many grouping sets present (maximum {})",
                    kMaxGroupingSets)
        .with_position(position);
  }
  Sets product;
  for (const auto& a : left) {
    for (const auto& b : right) {
      std::vector<uint32_t> both = a;
      for (uint32_t group : b) {
        if (std::find(both.begin(), both.end(), group) == both.end()) both.push_back(group);
      }
      product.push_back(std::move(both));
    }
  }
  return product;
}

}  // namespace

bool SelectBinder::is_aggregated() const {
  return has_group_clause_ || having_ || !aggregates_.aggregates.empty() || !aggregates_.groupings.empty();
}

void SelectBinder::bind_group_by() {
  has_group_clause_ = !select_.group_by.empty();
  if (!has_group_clause_) return;
  Sets sets{{}};
  for (const ast::GroupItem& item : select_.group_by) {
    has_grouping_sets_ = has_grouping_sets_ || item.kind != ast::GroupItem::Kind::kExpression;
    sets = cross(sets, group_item_sets(item), item.position);
  }
  if (!has_grouping_sets_) return;
  if (select_.group_by_distinct) {
    Sets unique;
    for (std::vector<uint32_t> set : sets) {
      std::sort(set.begin(), set.end());
      if (std::find(unique.begin(), unique.end(), set) == unique.end()) unique.push_back(std::move(set));
    }
    sets = std::move(unique);
  }
  grouping_sets_ = std::move(sets);
}

Sets SelectBinder::group_item_sets(const ast::GroupItem& item) {
  switch (item.kind) {
    case ast::GroupItem::Kind::kEmpty: return {{}};
    case ast::GroupItem::Kind::kExpression: {
      std::vector<uint32_t> set;
      const auto* row = ast::try_as<ast::Row>(item.expression.get());
      if (row && !row->explicit_row) {
        for (const auto& e : row->items) set.push_back(group_index(*e));
      } else {
        set.push_back(group_index(*item.expression));
      }
      return {set};
    }
    case ast::GroupItem::Kind::kRollup: {
      Sets sets{{}};
      for (const ast::GroupItem& member : item.members) {
        std::vector<uint32_t> longer = sets.front();
        const Sets member_sets = group_item_sets(member);
        longer.insert(longer.end(), member_sets[0].begin(), member_sets[0].end());
        sets.insert(sets.begin(), std::move(longer));
      }
      return sets;
    }
    case ast::GroupItem::Kind::kCube: {
      constexpr size_t kMaxCube = 12;
      if (item.members.size() > kMaxCube) {
        throw sql_error(sqlstate::kProgramLimitExceeded, "CUBE is limited to {} elements", kMaxCube)
            .with_position(item.position);
      }
      Sets members;
      for (const ast::GroupItem& member : item.members) members.push_back(group_item_sets(member)[0]);
      Sets sets;
      for (uint32_t skipped = 0; skipped < 1u << members.size(); skipped++) {
        std::vector<uint32_t> set;
        for (size_t i = 0; i < members.size(); i++) {
          if ((skipped >> (members.size() - 1 - i)) & 1) continue;
          set.insert(set.end(), members[i].begin(), members[i].end());
        }
        sets.push_back(std::move(set));
      }
      return sets;
    }
    case ast::GroupItem::Kind::kGroupingSets: {
      Sets sets;
      for (const ast::GroupItem& member : item.members) {
        for (auto& set : group_item_sets(member)) sets.push_back(std::move(set));
      }
      return sets;
    }
  }
  return {};
}

uint32_t SelectBinder::group_index(const ast::Expression& expression) {
  const bool takes_sets = !select_.sample_by && !window_join_;
  const auto item_expression = [&](size_t item) {
    const BoundExpression& e = *items_[item].expression;
    if (takes_sets ? reads_groups(e) : has_any_mark(e)) {
      throw sql_error(sqlstate::kGroupingError, "aggregate functions are not allowed in GROUP BY")
          .with_position(items_[item].position);
    }
    return add_group(binder_.resolve_unknown(e.clone()));
  };
  if (const auto* literal = ast::try_as<ast::Literal>(&expression)) {
    if (literal->literal != ast::LiteralKind::kInteger) {
      throw sql_error(sqlstate::kSyntaxError, "non-integer constant in GROUP BY")
          .with_position(literal->position);
    }
    if (literal->integer < 1 || literal->integer > static_cast<int64_t>(visible_)) {
      throw sql_error(sqlstate::kInvalidColumnReference, "GROUP BY position {} is not in select list",
                      literal->integer)
          .with_position(literal->position);
    }
    return item_expression(static_cast<size_t>(literal->integer - 1));
  }
  // A column of the input goes before an output name.
  if (const auto* ref = ast::try_as<ast::ColumnRef>(&expression);
      ref && ref->parts.size() == 1 && find_columns(scope_.visible, ref->parts[0]).empty()) {
    for (size_t i = 0; i < visible_; i++) {
      if (name_matches(items_[i].name, ref->parts[0])) return item_expression(i);
    }
  }
  ExpressionContext group = context("GROUP BY");
  if (takes_sets) group.sets = &sets_;
  return add_group(binder_.resolve_unknown(binder_.bind(expression, group)));
}

uint32_t SelectBinder::add_group(BoundPtr expression) {
  for (size_t i = 0; i < groups_.size(); i++) {
    if (groups_[i]->equals(*expression)) return static_cast<uint32_t>(i);
  }
  groups_.push_back(std::move(expression));
  return static_cast<uint32_t>(groups_.size() - 1);
}

// Columns beside aggregates, without GROUP BY: they are what is grouped by.
void SelectBinder::add_implicit_groups() {
  if (has_group_clause_) return;
  for (size_t i = 0; i < visible_; i++) {
    const BoundExpression& e = *items_[i].expression;
    if (!has_any_mark(e) && QueryBinder::contains_columns(e)) add_group(e.clone());
  }
  for (size_t i = 0; i < visible_; i++) collect_ungrouped(*items_[i].expression);
  for_each_window_expression([&](BoundPtr& e) { collect_ungrouped(*e); });
}

void SelectBinder::collect_ungrouped(const BoundExpression& e) {
  const auto is_this = [&](const BoundPtr& group) { return group->equals(e); };
  if (std::any_of(groups_.begin(), groups_.end(), is_this)) return;
  if (e.is_column()) {
    if ((e.index & kMarkMask) == 0) add_group(e.clone());
    return;
  }
  for (const BoundPtr& child : e.children) collect_ungrouped(*child);
  for (const auto& [slot, value] : e.correlated) collect_ungrouped(*value);
}

// Set-returning functions that are grouped by are computed before the groups are made; the others stay where they are.
void SelectBinder::stack_grouped_sets() {
  std::vector<bool> grouped(sets_.calls.size(), false);
  std::vector<uint32_t> call_of;  // by column
  for (size_t call = 0; call < sets_.calls.size(); call++)
    call_of.insert(call_of.end(), sets_.columns[call].size(), static_cast<uint32_t>(call));
  bool any = false;
  for (const BoundPtr& group : groups_) {
    for_each_column(*group, [&](uint32_t column) {
      if ((column & kMarkMask) == kSetMark) any = grouped[call_of[column & ~kMarkMask]] = true;
    });
  }
  if (!any) return;
  PlanPtr node = add_node(PlanKind::kProjectSet);
  SetSink rest;
  std::vector<uint32_t> new_index;  // by column
  for (size_t call = 0; call < sets_.calls.size(); call++) {
    const std::vector<ScopeColumn>& columns = sets_.columns[call];
    for (const ScopeColumn& column : columns) {
      if (grouped[call]) {
        new_index.push_back(static_cast<uint32_t>(node->columns.size()));
        node->columns.push_back({column.name, column.type});
      } else {
        new_index.push_back(kSetMark | rest.column_count++);
      }
    }
    if (grouped[call]) {
      node->set_calls.push_back(std::move(sets_.calls[call]));
    } else {
      rest.calls.push_back(std::move(sets_.calls[call]));
      rest.columns.push_back(columns);
    }
  }
  sets_ = std::move(rest);
  const auto renumber = [&](BoundPtr& e) {
    remap_columns(*e, [&](uint32_t column) {
      return (column & kMarkMask) == kSetMark ? new_index[column & ~kMarkMask] : column;
    });
  };
  for (BoundPtr& group : groups_) renumber(group);
  for_each_output(renumber);
  for_each_window_expression(renumber);
}

void SelectBinder::stack_aggregate() {
  stack_grouped_sets();
  std::vector<std::string> names;
  for (const PlanColumn& column : plan_->columns) names.push_back(column.name);
  std::vector<PlanColumn> columns;
  for (const BoundPtr& group : groups_) {
    if (group->is_column()) {
      columns.push_back(plan_->columns[group->index]);
    } else {
      columns.push_back({expression_text(*group, names), group->type});
    }
  }
  for (const BoundAggregate& aggregate : aggregates_.aggregates)
    columns.push_back({aggregate.name, aggregate.types.result});
  const bool with_set_index = has_grouping_sets_ && !aggregates_.groupings.empty();
  if (with_set_index) columns.push_back({"grouping", TypeId::kInteger});
  PlanPtr node = add_node(PlanKind::kAggregate);
  node->columns = std::move(columns);
  node->aggregates = std::move(aggregates_.aggregates);
  node->grouping_sets = grouping_sets_;
  node->with_set_index = with_set_index;
  group_offset_ = 0;
  aggregate_offset_ = static_cast<uint32_t>(groups_.size());
  rewrite_all_grouped();
  node->groups = std::move(groups_);
}

// The left columns are what is grouped by.
void SelectBinder::stack_window_join() {
  if (has_group_clause_ || select_.sample_by || select_.latest_on) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{} of a WINDOW JOIN is not supported",
                    has_group_clause_   ? "GROUP BY"
                    : select_.sample_by ? "SAMPLE BY"
                                        : "LATEST ON")
        .with_hint("Put the join into a subquery.")
        .with_position(select_.from[0]->position);
  }
  const auto left_width = static_cast<uint32_t>(window_join_->children[0]->columns.size());
  for (uint32_t c = 0; c < left_width; c++)
    groups_.push_back(BoundExpression::column(c, window_join_->columns[c].type));
  window_join_->columns.resize(left_width);
  for (const BoundAggregate& aggregate : aggregates_.aggregates)
    window_join_->columns.push_back({aggregate.name, aggregate.types.result});
  window_join_->aggregates = std::move(aggregates_.aggregates);
  group_offset_ = 0;
  aggregate_offset_ = left_width;
  rewrite_all_grouped();
  groups_.clear();
}

void SelectBinder::rewrite_all_grouped() {
  for_each_output([&](BoundPtr& e) { rewrite_grouped(e, false); });
  for_each_window_expression([&](BoundPtr& e) { rewrite_grouped(e, false); });
  if (having_) rewrite_grouped(having_, false);
}

void SelectBinder::rewrite_grouped(BoundPtr& e, bool in_subquery) {
  const auto replace = [&](uint32_t index) {
    BoundPtr column = BoundExpression::column(index, e->type);
    column->position = e->position;
    column->shape = e->shape;
    e = std::move(column);
  };
  for (size_t i = 0; i < groups_.size(); i++) {
    if (groups_[i]->equals(*e)) return replace(group_offset_ + static_cast<uint32_t>(i));
  }
  if (e->is_column()) {
    const uint32_t payload = e->index & ~kMarkMask;
    switch (e->index & kMarkMask) {
      case kAggregateMark: return replace(aggregate_offset_ + payload);
      case kGroupingMark: e = grouping_value(payload); return;
      case kWindowMark:
      case kSetMark: return;
      default: break;
    }
    if (bucket_source_ && bucket_source_->equals(*e)) return replace(0);
    throw_ungrouped(*e, in_subquery);
  }
  for (BoundPtr& child : e->children) rewrite_grouped(child, in_subquery);
  for (auto& [slot, value] : e->correlated) rewrite_grouped(value, true);
}

void SelectBinder::throw_ungrouped(const BoundExpression& column, bool in_subquery) const {
  std::string name = "?";
  for (const Relation& relation : scope_.relations) {
    for (const ScopeColumn& candidate : relation.columns) {
      if (!candidate.expression->equals(column)) continue;
      name = relation.alias.empty() ? candidate.name : relation.alias + "." + candidate.name;
    }
  }
  if (in_subquery) {
    throw sql_error(sqlstate::kGroupingError, "subquery uses ungrouped column \"{}\" from outer query", name)
        .with_position(column.position);
  }
  throw sql_error(sqlstate::kGroupingError,
                  "column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                  name)
      .with_position(column.position);
}

// The bits of grouping(a, b): 1 where the row's grouping set leaves the argument out.
BoundPtr SelectBinder::grouping_value(size_t call) {
  std::vector<uint32_t> arguments;
  for (const BoundPtr& argument : aggregates_.groupings[call]) {
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const BoundPtr& group) { return group->equals(*argument); });
    if (found == groups_.end()) {
      throw sql_error(sqlstate::kGroupingError,
                      "arguments to GROUPING must be grouping expressions of the associated query level")
          .with_position(aggregates_.grouping_positions[call]);
    }
    arguments.push_back(static_cast<uint32_t>(found - groups_.begin()));
  }
  const auto integer = [](int64_t value) {
    return BoundExpression::constant(Value::of_int(TypeId::kInteger, value));
  };
  if (!has_grouping_sets_) return integer(0);
  std::vector<BoundPtr> children;
  const uint32_t set_index = static_cast<uint32_t>(plan_->columns.size() - 1);
  for (size_t s = 0; s < grouping_sets_.size(); s++) {
    const std::vector<uint32_t>& set = grouping_sets_[s];
    int64_t bits = 0;
    for (uint32_t argument : arguments)
      bits = bits << 1 | (std::find(set.begin(), set.end(), argument) == set.end());
    if (s + 1 < grouping_sets_.size()) {
      std::vector<BoundPtr> sides;
      sides.push_back(BoundExpression::column(set_index, TypeId::kInteger));
      sides.push_back(integer(static_cast<int64_t>(s)));
      children.push_back(binder_.call_operator("=", std::move(sides), 0));
    }
    children.push_back(integer(bits));
  }
  if (children.size() == 1) return std::move(children[0]);
  return BoundExpression::make(BoundKind::kCase, TypeId::kInteger, std::move(children));
}

}  // namespace idem::binding
