#include <algorithm>

#include "common/error.h"
#include "query/optimizer.h"
#include "query/plan_statistics.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

// Gives both sides one type, so that they can be hashed alike. Strings of all kinds hash as text.
bool align_types(BoundPtr& left, BoundPtr& right) {
  if (left->type.id == right->type.id && left->type.element == right->type.element) return true;
  if (is_string_like(left->type.id) && is_string_like(right->type.id) && left->type.id != TypeId::kChar &&
      right->type.id != TypeId::kChar) {
    return true;
  }
  const SqlType types[] = {left->type, right->type};
  SqlType common;
  try {
    common = common_type(types, "JOIN");
  } catch (const SqlError&) { return false; }
  common.modifier = -1;
  const auto cast = [&](BoundPtr& e) {
    if (e->type.id == common.id) return true;
    const ScalarFunction* function = find_cast(e->type, common, CastContext::kImplicit);
    if (!function) return false;
    const SqlType from = e->type;
    std::vector<BoundPtr> children;
    children.push_back(std::move(e));
    e = BoundExpression::call({function, {{from}, common}}, std::move(children));
    e->type = common;
    return true;
  };
  BoundPtr l = left->clone(), r = right->clone();
  if (!cast(l) || !cast(r)) return false;
  left = std::move(l);
  right = std::move(r);
  return true;
}

// One side of the comparison reads left columns, the other right ones.
bool ties_both_sides(const BoundExpression& comparison, uint32_t left_width, uint32_t width) {
  const auto side_of = [&](const BoundExpression& e) {
    bool any = false;
    for_each_column(e, [&](uint32_t) { any = true; });
    if (!any) return 0;
    return reads_only(e, 0, left_width) ? 1 : reads_only(e, left_width, width) ? 2 : 0;
  };
  return side_of(*comparison.children[0]) + side_of(*comparison.children[1]) == 3;
}

void extract_keys(LogicalPlan& join) {
  if (!join.correlated.empty() || !join.join_condition) return;
  const auto left_width = static_cast<uint32_t>(join.children[0]->columns.size());
  const uint32_t width = left_width + static_cast<uint32_t>(join.children[1]->columns.size());
  std::vector<BoundPtr> rest;
  for (BoundPtr& part : split_conjuncts(std::move(join.join_condition))) {
    const bool is_equality = part->kind == BoundKind::kCall && part->function->name == "=" &&
                             part->children.size() == 2 && is_movable(*part) &&
                             ties_both_sides(*part, left_width, width);
    if (is_equality) {
      const bool straight = reads_only(*part->children[0], 0, left_width);
      BoundPtr left = part->children[straight ? 0 : 1]->clone(),
               right = part->children[straight ? 1 : 0]->clone();
      shift_columns(*right, -static_cast<int64_t>(left_width));
      if (align_types(left, right)) {
        join.join_keys.emplace_back(std::move(left), std::move(right));
        continue;
      }
    }
    rest.push_back(std::move(part));
  }
  join.join_condition = join_conjuncts(std::move(rest));
}

// A tree of inner joins as a list: inputs, with conditions over all their columns side by side.
struct JoinTree {
  std::vector<PlanPtr> inputs;
  std::vector<uint32_t> offsets;
  std::vector<BoundPtr> conditions;
  uint32_t width = 0;
};

bool is_reorderable(const LogicalPlan& plan) {
  return plan.kind == PlanKind::kJoin &&
         (plan.join_type == JoinType::kInner || plan.join_type == JoinType::kCross) &&
         plan.correlated.empty() && plan.join_keys.empty();
}

void flatten(PlanPtr plan, JoinTree* tree) {
  if (!is_reorderable(*plan)) {
    tree->offsets.push_back(tree->width);
    tree->width += static_cast<uint32_t>(plan->columns.size());
    tree->inputs.push_back(std::move(plan));
    return;
  }
  const uint32_t offset = tree->width;
  flatten(std::move(plan->children[0]), tree);
  flatten(std::move(plan->children[1]), tree);
  for (BoundPtr& part : split_conjuncts(std::move(plan->join_condition))) {
    shift_columns(*part, offset);
    tree->conditions.push_back(std::move(part));
  }
}

PlanPtr join_of(PlanPtr left, PlanPtr right, std::vector<BoundPtr> conditions) {
  auto join = std::make_shared<LogicalPlan>();
  join->kind = PlanKind::kJoin;
  join->join_type = conditions.empty() ? JoinType::kCross : JoinType::kInner;
  join->columns = left->columns;
  join->columns.insert(join->columns.end(), right->columns.begin(), right->columns.end());
  join->children = {std::move(left), std::move(right)};
  join->join_condition = join_conjuncts(std::move(conditions));
  extract_keys(*join);
  return join;
}

// Puts inputs together one by one. The largest comes first: it is streamed through tables of the others, in
// its own order.
class GreedyOrder {
 public:
  explicit GreedyOrder(JoinTree tree)
      : tree_(std::move(tree)), position_(tree_.width, UINT32_MAX), used_(tree_.inputs.size()) {
    for (const PlanPtr& input : tree_.inputs) rows_.push_back(estimate_rows(*input));
  }

  PlanPtr run() {
    const auto largest = static_cast<size_t>(std::max_element(rows_.begin(), rows_.end()) - rows_.begin());
    PlanPtr plan = std::move(tree_.inputs[largest]);
    place(largest, 0);
    for (size_t step = 1; step < used_.size(); step++) {
      const size_t next = choose(*plan);
      const auto width = static_cast<uint32_t>(plan->columns.size());
      PlanPtr input = std::move(tree_.inputs[next]);
      place(next, width);
      std::vector<BoundPtr> conditions;
      std::erase_if(tree_.conditions, [&](BoundPtr& c) {
        if (!is_ready(*c)) return false;
        remap_columns(*c, [&](uint32_t column) { return position_[column]; });
        conditions.push_back(std::move(c));
        return true;
      });
      plan = join_of(std::move(plan), std::move(input), std::move(conditions));
    }
    bool in_order = true;
    for (uint32_t i = 0; i < tree_.width; i++) in_order = in_order && position_[i] == i;
    return in_order ? plan : make_selection(std::move(plan), position_);
  }

 private:
  void place(size_t input, uint32_t at) {
    used_[input] = true;
    const uint32_t first = tree_.offsets[input];
    const uint32_t end = input + 1 < tree_.offsets.size() ? tree_.offsets[input + 1] : tree_.width;
    for (uint32_t i = first; i < end; i++) position_[i] = at + (i - first);
  }

  bool is_ready(const BoundExpression& c) const {
    bool ready = true;
    for_each_column(c, [&](uint32_t column) { ready = ready && position_[column] != UINT32_MAX; });
    return ready;
  }

  // The input that makes the fewest rows; one without a condition to the others only when there is no other.
  size_t choose(const LogicalPlan& plan) {
    const double here = estimate_rows(plan);
    size_t best = SIZE_MAX;
    double best_rows = 0;
    for (size_t i = 0; i < used_.size(); i++) {
      if (used_[i]) continue;
      const std::vector<uint32_t> before = position_;
      place(i, static_cast<uint32_t>(plan.columns.size()));
      used_[i] = false;
      double rows = here * rows_[i];
      bool connected = false;
      for (const BoundPtr& c : tree_.conditions) {
        if (!is_ready(*c)) continue;
        connected = true;
        const bool is_equality = c->kind == BoundKind::kCall && c->function->name == "=";
        rows /= is_equality ? std::max(1.0, std::max(here, rows_[i]) * 0.5) : 3.0;
      }
      position_ = before;
      if (!connected) rows = rows * 1e12 + 1e12;
      if (best == SIZE_MAX || rows < best_rows) {
        best = i;
        best_rows = rows;
      }
    }
    return best;
  }

  JoinTree tree_;
  std::vector<uint32_t> position_;  // of the tree's columns in the plan so far
  std::vector<bool> used_;
  std::vector<double> rows_;
};

}  // namespace

PlanPtr order_joins(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  if (!is_reorderable(*plan)) {
    for (PlanPtr& child : plan->children) child = order_joins(std::move(child));
    const bool is_time_join = plan->join_type == JoinType::kAsof || plan->join_type == JoinType::kLt;
    if (plan->kind == PlanKind::kJoin && !is_time_join) extract_keys(*plan);
    return plan;
  }
  JoinTree tree;
  flatten(std::move(plan), &tree);
  for (PlanPtr& input : tree.inputs) input = order_joins(std::move(input));
  return GreedyOrder(std::move(tree)).run();
}

}  // namespace idem::optimizer
