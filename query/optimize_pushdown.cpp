#include <algorithm>

#include "common/calendar.h"
#include "query/optimizer.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

using Conditions = std::vector<BoundPtr>;

bool is_always_true(const BoundExpression& e) {
  return e.is_constant() && !e.value.is_null() && e.value.as_bool();
}
bool is_never_true(const BoundExpression& e) {
  return e.is_constant() && (e.value.is_null() || !e.value.as_bool());
}

// Conditions for which `may_move` holds, out of `conditions`.
template <class Test>
Conditions take_if(Conditions& conditions, Test&& may_move) {
  Conditions moved, kept;
  for (BoundPtr& c : conditions) (may_move(*c) ? moved : kept).push_back(std::move(c));
  conditions = std::move(kept);
  return moved;
}

bool reads_columns_of(const BoundExpression& e, const std::vector<bool>& allowed) {
  bool all = true, any = false;
  for_each_column(e, [&](uint32_t column) {
    any = true;
    all = all && column < allowed.size() && allowed[column];
  });
  return all && any;
}

PlanPtr push_below_project(PlanPtr plan, Conditions conditions) {
  const std::vector<BoundPtr>& outputs = plan->expressions;
  Conditions moved = take_if(conditions, [&](const BoundExpression& c) {
    bool stable = true;
    for_each_column(c, [&](uint32_t column) {
      stable = stable && !is_volatile(*outputs[column]) && !has_subquery(*outputs[column]);
    });
    return stable;
  });
  for (BoundPtr& c : moved) substitute_columns(c, outputs);
  plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(moved));
  return make_filter(std::move(plan), std::move(conditions));
}

PlanPtr push_below_aggregate(PlanPtr plan, Conditions conditions, uint32_t first_group) {
  Conditions moved;
  if (!plan->groups.empty() && plan->grouping_sets.empty()) {
    const uint32_t end = first_group + static_cast<uint32_t>(plan->groups.size());
    moved = take_if(conditions, [&](const BoundExpression& c) {
      bool any = false, stable = true;
      for_each_column(c, [&](uint32_t column) {
        any = true;
        stable = stable && column >= first_group && column < end &&
                 !is_volatile(*plan->groups[column - first_group]);
      });
      return any && stable;
    });
    for (BoundPtr& c : moved) {
      shift_columns(*c, -static_cast<int64_t>(first_group));
      substitute_columns(c, plan->groups);
    }
  }
  plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(moved));
  return make_filter(std::move(plan), std::move(conditions));
}

// An upper bound of a bucket's length; 0 where there is none.
int64_t bucket_micros(const SampleSpec& spec) {
  int64_t unit = 0;
  switch (spec.unit) {
    case 'U': unit = 1; break;
    case 'T': unit = kMicrosPerMilli; break;
    case 's': unit = kMicrosPerSecond; break;
    case 'm': unit = kMicrosPerMinute; break;
    case 'h': unit = kMicrosPerHour; break;
    case 'd': unit = kMicrosPerDay; break;
    case 'w': unit = 7 * kMicrosPerDay; break;
    case 'M': unit = 31 * kMicrosPerDay; break;
    case 'y': unit = 366 * kMicrosPerDay; break;
    default: return 0;
  }
  constexpr int64_t kMaxCount = 100'000;
  return spec.count <= kMaxCount ? unit * spec.count : 0;
}

// What a condition on the bucket says of the rows in it: the same from below, a bucket's length more from
// above. The condition itself stays above.
void add_bucket_ranges(const LogicalPlan& plan, const Conditions& conditions, Conditions* below) {
  const SampleSpec& spec = plan.sample;
  // Buckets in local time, anchored at the first row, or filled from their neighbours depend on rows outside
  // of the range.
  if (!spec.align_to_calendar || !spec.fill.empty() || spec.from || spec.to || !spec.time_zone.empty())
    return;
  const int64_t length = bucket_micros(spec);
  for (const BoundPtr& c : conditions) {
    if (c->kind != BoundKind::kCall || c->children.size() != 2) continue;
    const std::string& op = c->function->name;
    const BoundExpression &left = *c->children[0], &right = *c->children[1];
    if (!left.is_column() || left.index != 0 || !right.is_constant() || right.value.is_null() ||
        right.type != left.type)
      continue;
    BoundPtr copy = c->clone();
    if (op == "<" || op == "<=") {
      if (length == 0 || right.value.as_int() > INT64_MAX - length) continue;
      copy->children[1] = BoundExpression::constant(Value::of_int(right.type, right.value.as_int() + length));
    } else if (op != ">" && op != ">=") {
      continue;
    }
    copy->children[0] = plan.sample_timestamp->clone();
    below->push_back(std::move(copy));
  }
}

PlanPtr push_below_sample(PlanPtr plan, Conditions conditions) {
  Conditions ranges;
  add_bucket_ranges(*plan, conditions, &ranges);
  if (!ranges.empty()) plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(ranges));
  // Filled rows repeat what stands beside them, key by key: conditions on keys may move all the same.
  return push_below_aggregate(std::move(plan), std::move(conditions), 1);
}

PlanPtr push_below_window(PlanPtr plan, Conditions conditions) {
  std::vector<bool> in_all(plan->children[0]->columns.size(), true);
  for (const LogicalPlan::Window& window : plan->windows) {
    std::vector<bool> here(in_all.size());
    for (const BoundPtr& e : window.partition_by) {
      if (e->is_column()) here[e->index] = true;
    }
    for (size_t i = 0; i < in_all.size(); i++) in_all[i] = in_all[i] && here[i];
  }
  Conditions moved =
      take_if(conditions, [&](const BoundExpression& c) { return reads_columns_of(c, in_all); });
  plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(moved));
  return make_filter(std::move(plan), std::move(conditions));
}

// `column = constant` on one side of an equality between the sides holds for the other side too.
void add_implied(const Conditions& conditions, Conditions* out, uint32_t left_width) {
  const auto is_equality_of_columns = [&](const BoundExpression& c) {
    return c.kind == BoundKind::kCall && c.function->name == "=" && c.children.size() == 2 &&
           c.children[0]->is_column() && c.children[1]->is_column() &&
           c.children[0]->type == c.children[1]->type &&
           (c.children[0]->index < left_width) != (c.children[1]->index < left_width);
  };
  for (const BoundPtr& equality : conditions) {
    if (!is_equality_of_columns(*equality)) continue;
    for (const BoundPtr& c : conditions) {
      if (c->kind != BoundKind::kCall || c->children.size() != 2 || !is_movable(*c)) continue;
      const std::string& op = c->function->name;
      if (op != "=" && op != "<" && op != "<=" && op != ">" && op != ">=") continue;
      for (int side = 0; side < 2; side++) {
        const BoundExpression &column = *c->children[0], &value = *c->children[1];
        const BoundExpression &from = *equality->children[static_cast<size_t>(side)],
                              &to = *equality->children[static_cast<size_t>(1 - side)];
        if (!column.is_column() || column.index != from.index) continue;
        if (!value.is_constant() && value.kind != BoundKind::kSlot) continue;
        BoundPtr copy = c->clone();
        copy->children[0] = to.clone();
        const bool is_known = std::any_of(conditions.begin(), conditions.end(),
                                          [&](const BoundPtr& k) { return k->equals(*copy); });
        if (!is_known) out->push_back(std::move(copy));
      }
    }
  }
}

PlanPtr push_into_join(PlanPtr plan, Conditions conditions) {
  const auto left_width = static_cast<uint32_t>(plan->children[0]->columns.size());
  const uint32_t width = left_width + static_cast<uint32_t>(plan->children[1]->columns.size());
  const auto is_left = [&](const BoundExpression& c) { return reads_only(c, 0, left_width); };
  const auto is_right = [&](const BoundExpression& c) { return reads_only(c, left_width, width); };
  JoinType& type = plan->join_type;
  // Outer joins whose added rows no condition lets through.
  for (const BoundPtr& c : conditions) {
    const bool needs_right = rejects_nulls(*c, left_width, width),
               needs_left = rejects_nulls(*c, 0, left_width);
    if (type == JoinType::kLeft && needs_right) type = JoinType::kInner;
    if (type == JoinType::kRight && needs_left) type = JoinType::kInner;
    if (type == JoinType::kFull && needs_right) type = needs_left ? JoinType::kInner : JoinType::kRight;
    if (type == JoinType::kFull && needs_left) type = JoinType::kLeft;
  }
  Conditions on = split_conjuncts(std::move(plan->join_condition));
  Conditions left, right;
  const auto append = [](Conditions& to, Conditions from) {
    for (BoundPtr& c : from) to.push_back(std::move(c));
  };
  switch (type) {
    case JoinType::kInner:
    case JoinType::kCross: {
      append(on, std::move(conditions));
      conditions.clear();
      Conditions implied;
      add_implied(on, &implied, left_width);
      append(on, std::move(implied));
      left = take_if(on, is_left);
      right = take_if(on, is_right);
      type = on.empty() ? JoinType::kCross : JoinType::kInner;
      break;
    }
    case JoinType::kLeft: {
      // Rows of the right side match only where ON holds, so what ON says of keys holds for them too.
      Conditions known, implied;
      for (const BoundPtr& c : on) known.push_back(c->clone());
      for (const BoundPtr& c : conditions) {
        if (is_left(*c)) known.push_back(c->clone());
      }
      add_implied(known, &implied, left_width);
      left = take_if(conditions, is_left);
      right = take_if(on, is_right);
      append(right, take_if(implied, is_right));
      break;
    }
    case JoinType::kRight:
      right = take_if(conditions, is_right);
      left = take_if(on, is_left);
      break;
    case JoinType::kFull: break;
    case JoinType::kSemi:
      append(left, std::move(conditions));
      conditions.clear();
      append(left, take_if(on, is_left));
      right = take_if(on, is_right);
      break;
    case JoinType::kAnti:
      append(left, std::move(conditions));
      conditions.clear();
      right = take_if(on, is_right);
      break;
    case JoinType::kAsof:
    case JoinType::kLt: left = take_if(conditions, is_left); break;
  }
  for (BoundPtr& c : right) shift_columns(*c, -static_cast<int64_t>(left_width));
  plan->join_condition = join_conjuncts(std::move(on));
  plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(left));
  plan->children[1] = push_conditions(std::move(plan->children[1]), std::move(right));
  return make_filter(std::move(plan), std::move(conditions));
}

PlanPtr push_into_union(PlanPtr plan, Conditions conditions) {
  std::vector<PlanPtr> children;
  for (PlanPtr& child : plan->children) {
    Conditions copies;
    for (const BoundPtr& c : conditions) copies.push_back(c->clone());
    children.push_back(push_conditions(std::move(child), std::move(copies)));
  }
  plan->children = std::move(children);
  return plan;
}

PlanPtr stay_above(PlanPtr plan, Conditions conditions) {
  if (plan->kind != PlanKind::kMaterialize) {
    for (PlanPtr& child : plan->children) child = push_down_conditions(std::move(child));
  }
  return make_filter(std::move(plan), std::move(conditions));
}

PlanPtr push_into_scan(PlanPtr plan, Conditions conditions) {
  // Subqueries are run outside of the scan.
  Conditions own = take_if(conditions, [](const BoundExpression& c) { return !has_subquery(c); });
  if (!own.empty()) {
    Conditions all = split_conjuncts(std::move(plan->scan_filter));
    for (BoundPtr& c : own) all.push_back(std::move(c));
    plan->scan_filter = join_conjuncts(std::move(all));
  }
  return make_filter(std::move(plan), std::move(conditions));
}

bool propagates_null(const BoundExpression& e, uint32_t from, uint32_t to) {
  switch (e.kind) {
    case BoundKind::kColumn: return e.index >= from && e.index < to;
    case BoundKind::kCall:
      return e.function->strict && std::any_of(e.children.begin(), e.children.end(), [&](const BoundPtr& c) {
               return propagates_null(*c, from, to);
             });
    case BoundKind::kNot:
    case BoundKind::kInList: return propagates_null(*e.children[0], from, to);
    default: return false;
  }
}

}  // namespace

bool rejects_nulls(const BoundExpression& e, uint32_t from, uint32_t to) {
  const auto rejects = [&](const BoundPtr& c) { return rejects_nulls(*c, from, to); };
  if (e.kind == BoundKind::kAnd) return std::any_of(e.children.begin(), e.children.end(), rejects);
  if (e.kind == BoundKind::kOr) return std::all_of(e.children.begin(), e.children.end(), rejects);
  if (e.kind == BoundKind::kNot && e.children[0]->kind == BoundKind::kIsNull) {
    return propagates_null(*e.children[0]->children[0], from, to);
  }
  return propagates_null(e, from, to);
}

PlanPtr push_down_conditions(PlanPtr plan) { return push_conditions(std::move(plan), {}); }

PlanPtr push_conditions(PlanPtr plan, Conditions conditions) {
  for (const BoundPtr& c : conditions) {
    if (is_never_true(*c)) return make_empty(plan->columns);
  }
  std::erase_if(conditions, [](const BoundPtr& c) { return is_always_true(*c); });
  if (plan->kind == PlanKind::kFilter) {
    Conditions own = split_conjuncts(std::move(plan->expressions[0]));
    for (BoundPtr& c : conditions) own.push_back(std::move(c));
    return push_conditions(std::move(plan->children[0]), std::move(own));
  }
  // A volatile condition sees the rows that it would have seen.
  if (std::any_of(conditions.begin(), conditions.end(), [](const BoundPtr& c) { return is_volatile(*c); })) {
    Conditions stay = take_if(conditions, [](const BoundExpression& c) { return is_volatile(c); });
    return make_filter(push_conditions(std::move(plan), std::move(conditions)), std::move(stay));
  }
  switch (plan->kind) {
    case PlanKind::kScan: return push_into_scan(std::move(plan), std::move(conditions));
    case PlanKind::kProject: return push_below_project(std::move(plan), std::move(conditions));
    case PlanKind::kAggregate: return push_below_aggregate(std::move(plan), std::move(conditions), 0);
    case PlanKind::kSampleBy: return push_below_sample(std::move(plan), std::move(conditions));
    case PlanKind::kWindow: return push_below_window(std::move(plan), std::move(conditions));
    case PlanKind::kJoin: return push_into_join(std::move(plan), std::move(conditions));
    case PlanKind::kUnionAll:
    case PlanKind::kSetOperation: return push_into_union(std::move(plan), std::move(conditions));
    case PlanKind::kSort:
      plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(conditions));
      return plan;
    case PlanKind::kDistinct:
    case PlanKind::kLatestOn:
    case PlanKind::kWindowJoin:
    case PlanKind::kProjectSet: {
      std::vector<bool> passes(plan->columns.size());
      if (plan->kind == PlanKind::kLatestOn) {
        for (uint32_t column : plan->partition_columns) passes[column] = true;
      } else if (plan->kind == PlanKind::kProjectSet || plan->kind == PlanKind::kWindowJoin) {
        for (size_t i = 0; i < plan->children[0]->columns.size(); i++) passes[i] = true;
      } else {
        for (size_t i = 0; i < passes.size(); i++) passes[i] = plan->distinct_on.empty();
        for (const BoundPtr& e : plan->distinct_on) {
          if (e->is_column()) passes[e->index] = true;
        }
      }
      Conditions moved =
          take_if(conditions, [&](const BoundExpression& c) { return reads_columns_of(c, passes); });
      plan->children[0] = push_conditions(std::move(plan->children[0]), std::move(moved));
      return make_filter(std::move(plan), std::move(conditions));
    }
    default: return stay_above(std::move(plan), std::move(conditions));
  }
}

}  // namespace idem::optimizer
