#include <algorithm>

#include "common/calendar.h"
#include "query/plan_order.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

JoinType join_type(ast::JoinKind kind) {
  switch (kind) {
    case ast::JoinKind::kInner: return JoinType::kInner;
    case ast::JoinKind::kLeft: return JoinType::kLeft;
    case ast::JoinKind::kRight: return JoinType::kRight;
    case ast::JoinKind::kFull: return JoinType::kFull;
    case ast::JoinKind::kCross: return JoinType::kCross;
    case ast::JoinKind::kAsof: return JoinType::kAsof;
    case ast::JoinKind::kLt: return JoinType::kLt;
    case ast::JoinKind::kSplice: return JoinType::kAsof;  // the first of its two halves
    case ast::JoinKind::kWindow: break;
  }
  return JoinType::kInner;
}

// ON sym, ON (sym, venue) of time-series joins: the names; nothing if it is an ordinary condition.
std::vector<ast::Identifier> key_names(const ast::Expression* on) {
  std::vector<ast::Identifier> names;
  const auto add = [&](const ast::Expression* e) {
    const auto* ref = ast::try_as<ast::ColumnRef>(e);
    if (!ref || ref->parts.size() != 1) return false;
    names.push_back(ref->parts[0]);
    return true;
  };
  if (const auto* row = ast::try_as<ast::Row>(on)) {
    for (const auto& item : row->items) {
      if (!add(item.get())) return {};
    }
  } else if (!add(on)) {
    return {};
  }
  return names;
}

bool reads_only(const BoundExpression& e, uint32_t from, uint32_t to) {
  bool within = true;
  for_each_column(e, [&](uint32_t column) { within = within && column >= from && column < to; });
  return within;
}

// The side's rows in time order, and the column of its designated timestamp.
uint32_t time_ordered(Source& source, std::string_view join, std::string_view side, uint32_t position) {
  const std::optional<ScopeColumn>& timestamp = source.scope.timestamp;
  if (!timestamp || !timestamp->expression->is_column()) {
    throw sql_error(sqlstate::kInvalidColumnReference, "the {} side of {} JOIN has no designated timestamp",
                    side, join)
        .with_hint("Join tables with TIMESTAMP(column), or subqueries that select that column.")
        .with_position(position);
  }
  const uint32_t column = timestamp->expression->index;
  if (!is_ascending_by(*source.plan, column)) {
    auto sort = std::make_shared<LogicalPlan>();
    sort->kind = PlanKind::kSort;
    sort->columns = source.plan->columns;
    sort->sort_keys.push_back({BoundExpression::column(column, timestamp->type), false, false});
    sort->children.push_back(std::move(source.plan));
    source.plan = std::move(sort);
  }
  return column;
}

int64_t span_micros(const ast::TimeSpan& span) {
  switch (span.unit) {
    case 'U': return span.count;
    case 'T': return span.count * kMicrosPerMilli;
    case 's': return span.count * kMicrosPerSecond;
    case 'm': return span.count * kMicrosPerMinute;
    case 'h': return span.count * kMicrosPerHour;
    case 'd': return span.count * kMicrosPerDay;
    case 'w': return span.count * 7 * kMicrosPerDay;
    default:
      throw sql_error(sqlstate::kFeatureNotSupported, "a span of months or years is not supported here")
          .with_position(span.position);
  }
}

std::string_view time_join_word(ast::JoinKind kind) {
  switch (kind) {
    case ast::JoinKind::kLt: return "LT";
    case ast::JoinKind::kSplice: return "SPLICE";
    case ast::JoinKind::kWindow: return "WINDOW";
    default: return "ASOF";
  }
}

// The frame's bound, in microseconds from the left row's time.
int64_t window_offset(const ast::WindowJoinBound& bound) {
  switch (bound.kind) {
    case ast::FrameBound::Kind::kUnboundedPreceding: return INT64_MIN;
    case ast::FrameBound::Kind::kUnboundedFollowing: return INT64_MAX;
    case ast::FrameBound::Kind::kPreceding: return -span_micros(*bound.span);
    case ast::FrameBound::Kind::kFollowing: return span_micros(*bound.span);
    default: return 0;
  }
}

// The input for a second reader: tables are read again, anything else is kept.
PlanPtr read_twice(PlanPtr& input, uint32_t shared_id) {
  if (input->kind == PlanKind::kScan && !input->scan_filter && input->dynamic_bounds.empty()) {
    auto again = std::make_shared<LogicalPlan>();
    again->kind = PlanKind::kScan;
    again->columns = input->columns;
    again->table = input->table;
    again->scan_columns = input->scan_columns;
    again->scan_range = input->scan_range;
    again->scan_bounds = input->scan_bounds;
    return again;
  }
  PlanPtr readers[2];
  for (PlanPtr& reader : readers) {
    reader = std::make_shared<LogicalPlan>();
    reader->kind = PlanKind::kMaterialize;
    reader->columns = input->columns;
    reader->shared_id = shared_id;
    reader->children = {input};
  }
  input = std::move(readers[0]);
  return std::move(readers[1]);
}

// The columns of `input` that begin at `first_left` and `first_right`, and its column `time` behind them.
PlanPtr side_by_side(PlanPtr input, const LogicalPlan& join, uint32_t first_left, uint32_t first_right,
                     uint32_t time) {
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  project->columns = join.columns;
  project->columns.push_back({"", TypeId::kTimestamp, TableId{}, 0});
  const auto left_width = static_cast<uint32_t>(join.children[0]->columns.size());
  for (uint32_t i = 0; i < join.columns.size(); i++) {
    const uint32_t from = i < left_width ? first_left + i : first_right + (i - left_width);
    project->expressions.push_back(BoundExpression::column(from, join.columns[i].type));
  }
  project->expressions.push_back(BoundExpression::column(time, input->columns[time].type));
  project->children.push_back(std::move(input));
  return project;
}

// SPLICE JOIN out of an ASOF join: its rows, and those of the ASOF join the other way round, in order of time. A
// right row that meets a left row of its own time is in the first half already.
PlanPtr splice(PlanPtr join, uint32_t left_id, uint32_t right_id) {
  const auto left_width = static_cast<uint32_t>(join->children[0]->columns.size());
  const auto right_width = static_cast<uint32_t>(join->children[1]->columns.size());
  auto reverse = std::make_shared<LogicalPlan>();
  reverse->kind = PlanKind::kJoin;
  reverse->join_type = JoinType::kAsof;
  PlanPtr left_again = read_twice(join->children[0], left_id);
  PlanPtr right_again = read_twice(join->children[1], right_id);
  reverse->columns = right_again->columns;
  reverse->columns.insert(reverse->columns.end(), left_again->columns.begin(), left_again->columns.end());
  reverse->children = {std::move(right_again), std::move(left_again)};
  for (const auto& [left, right] : join->join_keys)
    reverse->join_keys.emplace_back(right->clone(), left->clone());
  reverse->left_timestamp = join->right_timestamp;
  reverse->right_timestamp = join->left_timestamp;
  reverse->tolerance_micros = join->tolerance_micros;

  auto filter = std::make_shared<LogicalPlan>();
  filter->kind = PlanKind::kFilter;
  filter->columns = reverse->columns;
  std::vector<BoundPtr> times;
  for (const uint32_t time : {right_width + join->left_timestamp, join->right_timestamp})
    times.push_back(BoundExpression::column(time, reverse->columns[time].type));
  filter->expressions.push_back(
      BoundExpression::make(BoundKind::kIsDistinct, TypeId::kBoolean, std::move(times)));
  const uint32_t right_time = join->right_timestamp, left_time = join->left_timestamp;
  filter->children.push_back(std::move(reverse));

  auto both = std::make_shared<LogicalPlan>();
  both->kind = PlanKind::kUnionAll;
  PlanPtr second = side_by_side(std::move(filter), *join, right_width, 0, right_time);
  const LogicalPlan& shape = *join;
  both->children = {side_by_side(join, shape, 0, left_width, left_time), std::move(second)};
  both->columns = both->children[0]->columns;

  const auto time = static_cast<uint32_t>(join->columns.size());
  auto sort = std::make_shared<LogicalPlan>();
  sort->kind = PlanKind::kSort;
  sort->columns = both->columns;
  sort->sort_keys.push_back({BoundExpression::column(time, TypeId::kTimestamp), false, false});
  sort->children.push_back(std::move(both));

  auto result = std::make_shared<LogicalPlan>();
  result->kind = PlanKind::kProject;
  result->columns = join->columns;
  for (uint32_t i = 0; i < time; i++)
    result->expressions.push_back(BoundExpression::column(i, join->columns[i].type));
  result->children.push_back(std::move(sort));
  return result;
}

}  // namespace

Source QueryBinder::bind_join(const ast::Join& join, const Environment& environment,
                              const Environment& lateral) {
  if (join.join == ast::JoinKind::kWindow) {
    throw sql_error(sqlstate::kFeatureNotSupported, "a WINDOW JOIN within a join is not supported")
        .with_hint("Put it into a subquery.")
        .with_position(join.position);
  }
  Source left = bind_table_ref(*join.left, environment, lateral);
  left.scope.outer = lateral.outer;
  OuterLink link;
  link.scope = &left.scope;
  Environment inner = lateral;
  inner.outer = &link;
  Source right = bind_table_ref(*join.right, environment, inner);
  if (join.join == ast::JoinKind::kAsof || join.join == ast::JoinKind::kLt ||
      join.join == ast::JoinKind::kSplice) {
    return bind_time_join(join, std::move(left), std::move(right), link, environment);
  }
  const JoinType type = join_type(join.join);
  const size_t left_visible = left.scope.visible.size();
  Source source = combine(std::move(left), std::move(right), type, link, join.position);
  source.scope.outer = environment.outer;
  std::vector<ast::Identifier> names = join.using_columns;
  if (join.natural) {
    for (size_t i = 0; i < left_visible; i++) {
      const ScopeColumn& column = source.scope.visible[i];
      for (size_t j = left_visible; j < source.scope.visible.size(); j++) {
        if (source.scope.visible[j].name != column.name) continue;
        names.push_back({column.name, join.position, true});
        break;
      }
    }
  }
  if (!names.empty()) {
    source.plan->join_condition = make_and(merge_columns(source.scope, left_visible, names, type, join));
  } else if (join.on) {
    ExpressionContext context;
    context.scope = &source.scope;
    context.clause = "JOIN conditions";
    context.ctes = environment.ctes;
    context.view = environment.view;
    source.plan->join_condition = bind_condition(*join.on, context, "JOIN/ON");
  }
  return source;
}

std::vector<BoundPtr> QueryBinder::merge_columns(Scope& scope, size_t left_visible,
                                                 const std::vector<ast::Identifier>& names, JoinType type,
                                                 const ast::Join& join) {
  const std::vector<ScopeColumn> left(scope.visible.begin(),
                                      scope.visible.begin() + static_cast<ptrdiff_t>(left_visible));
  const std::vector<ScopeColumn> right(scope.visible.begin() + static_cast<ptrdiff_t>(left_visible),
                                       scope.visible.end());
  std::vector<bool> left_used(left.size()), right_used(right.size());
  std::vector<ScopeColumn> merged;
  std::vector<BoundPtr> conditions;
  const auto pick = [](const std::vector<ScopeColumn>& columns, const ast::Identifier& name,
                       const char* side) {
    std::vector<size_t> found = find_columns(columns, name);
    if (found.empty()) {
      throw sql_error(sqlstate::kUndefinedColumn,
                      "column \"{}\" specified in USING clause does not exist in {} table", name.text, side)
          .with_position(name.position);
    }
    if (found.size() > 1) {
      throw sql_error(sqlstate::kAmbiguousColumn,
                      "common column name \"{}\" appears more than once in {} table", name.text, side)
          .with_position(name.position);
    }
    return found[0];
  };
  for (const ast::Identifier& name : names) {
    const size_t l = pick(left, name, "left"), r = pick(right, name, "right");
    if (left_used[l] || right_used[r]) {
      throw sql_error(sqlstate::kDuplicateColumn, "column name \"{}\" appears more than once in USING clause",
                      name.text)
          .with_position(name.position);
    }
    left_used[l] = right_used[r] = true;
    std::vector<BoundPtr> sides;
    sides.push_back(left[l].reference());
    sides.push_back(right[r].reference());
    conditions.push_back(call_operator("=", std::move(sides), name.position));
    ScopeColumn column = type == JoinType::kRight ? right[r] : left[l];
    column.name = left[l].name;
    if (type == JoinType::kFull || left[l].type != right[r].type) {
      std::vector<BoundPtr> both;
      both.push_back(left[l].reference());
      both.push_back(right[r].reference());
      const bool keeps_symbol =
          type != JoinType::kFull && is_string_like(left[l].type.id) && is_string_like(right[r].type.id);
      if (!keeps_symbol) {
        column.type = unify(both, "JOIN/USING", name.position);
        if (type == JoinType::kFull) {
          column.expression = BoundExpression::make(BoundKind::kCoalesce, column.type, std::move(both));
        } else {
          column.expression = std::move(both[type == JoinType::kRight ? 1 : 0]);
        }
        column.table = TableId{};
        column.attribute = 0;
      }
    }
    merged.push_back(std::move(column));
  }
  if (!join.using_alias.empty()) {
    Relation relation;
    relation.alias = join.using_alias.text;
    relation.columns = merged;
    scope.relations.push_back(std::move(relation));
  }
  for (size_t i = 0; i < left.size(); i++) {
    if (!left_used[i]) merged.push_back(left[i]);
  }
  for (size_t i = 0; i < right.size(); i++) {
    if (!right_used[i]) merged.push_back(right[i]);
  }
  scope.visible = std::move(merged);
  return conditions;
}

Source QueryBinder::bind_window_join(const ast::Join& join, const Environment& environment) {
  if (!join.has_window_range) {
    throw sql_error(sqlstate::kSyntaxError, "WINDOW JOIN without RANGE BETWEEN … AND …")
        .with_position(join.position);
  }
  Source left = bind_table_ref(*join.left, environment, environment);
  left.scope.outer = environment.outer;
  OuterLink link;
  link.scope = &left.scope;
  Environment inner = environment;
  inner.outer = &link;
  Source right = bind_table_ref(*join.right, environment, inner);
  Source source = bind_time_join(join, std::move(left), std::move(right), link, environment);
  LogicalPlan& plan = *source.plan;
  plan.kind = PlanKind::kWindowJoin;
  plan.time_window = {window_offset(join.window_start), window_offset(join.window_end),
                      join.include_prevailing};
  if (plan.time_window.start > plan.time_window.end) {
    throw sql_error(kWindowingError, "the window of a WINDOW JOIN ends before it starts")
        .with_position(join.position);
  }
  return source;
}

// ASOF and LT JOIN: every left row with the last right row of its keys that is not later (LT: earlier). SPLICE
// JOIN: also every right row with the last left row.
Source QueryBinder::bind_time_join(const ast::Join& join, Source left, Source right, OuterLink& link,
                                   const Environment& environment) {
  const bool is_lt = join.join == ast::JoinKind::kLt, is_splice = join.join == ast::JoinKind::kSplice;
  const std::string_view word = time_join_word(join.join);
  const uint32_t left_timestamp = time_ordered(left, word, "left", join.position);
  const uint32_t right_timestamp = time_ordered(right, word, "right", join.position);
  const auto left_width = static_cast<uint32_t>(left.plan->columns.size());
  const auto width = left_width + static_cast<uint32_t>(right.plan->columns.size());
  const size_t left_visible = left.scope.visible.size();
  std::optional<ScopeColumn> timestamp = left.scope.timestamp;
  if (!link.correlated.empty()) {
    throw sql_error(sqlstate::kFeatureNotSupported, "LATERAL references in {} JOIN are not supported", word)
        .with_position(join.position);
  }
  Source source = combine(std::move(left), std::move(right), is_lt ? JoinType::kLt : JoinType::kAsof, link,
                          join.position);
  source.scope.outer = environment.outer;
  source.scope.timestamp = is_splice ? std::nullopt : std::move(timestamp);
  LogicalPlan& plan = *source.plan;
  plan.left_timestamp = left_timestamp;
  plan.right_timestamp = right_timestamp;
  if (join.tolerance) plan.tolerance_micros = span_micros(*join.tolerance);
  std::vector<ast::Identifier> names = join.using_columns;
  if (names.empty() && join.on) names = key_names(join.on.get());
  std::vector<BoundPtr> conditions;
  if (!names.empty()) {
    const JoinType type = is_splice ? JoinType::kFull : plan.join_type;  // either side's keys may be missing
    conditions = merge_columns(source.scope, left_visible, names, type, join);
  } else if (join.on) {
    ExpressionContext context;
    context.scope = &source.scope;
    context.clause = "JOIN conditions";
    context.ctes = environment.ctes;
    context.view = environment.view;
    BoundPtr condition = bind_condition(*join.on, context, "JOIN/ON");
    if (condition->kind == BoundKind::kAnd) {
      conditions = std::move(condition->children);
    } else {
      conditions.push_back(std::move(condition));
    }
  }
  for (BoundPtr& condition : conditions) {
    const bool is_equality = condition->kind == BoundKind::kCall && condition->function->name == "=" &&
                             condition->children.size() == 2;
    const bool straight = is_equality && reads_only(*condition->children[0], 0, left_width) &&
                          reads_only(*condition->children[1], left_width, width);
    const bool crossed = is_equality && reads_only(*condition->children[1], 0, left_width) &&
                         reads_only(*condition->children[0], left_width, width);
    if (!straight && !crossed) {
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "{} JOIN takes equalities of a left and a right column only", word)
          .with_position(join.position);
    }
    std::vector<BoundPtr> sides;
    sides.push_back(std::move(condition->children[straight ? 0 : 1]));
    sides.push_back(std::move(condition->children[straight ? 1 : 0]));
    if (!is_string_like(sides[0]->type.id) || !is_string_like(sides[1]->type.id))
      unify(sides, "JOIN/ON", join.position);
    remap_columns(*sides[1], [left_width](uint32_t i) { return i - left_width; });
    plan.join_keys.emplace_back(std::move(sides[0]), std::move(sides[1]));
  }
  if (is_splice) {
    const uint32_t left_id = new_shared_id(), right_id = new_shared_id();
    source.plan = splice(std::move(source.plan), left_id, right_id);
  }
  return source;
}

}  // namespace idem::binding
