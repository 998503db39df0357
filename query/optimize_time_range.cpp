#include <algorithm>
#include <optional>

#include "common/calendar.h"
#include "common/error.h"
#include "common/time_zone.h"
#include "common/timestamp_arithmetic.h"
#include "query/optimizer.h"
#include "query/plan_walk.h"
#include "query/scan_condition.h"

namespace idem::optimizer {

namespace {

using Op = DynamicBound::Op;

std::optional<Op> op_of(std::string_view name) {
  if (name == "=") return Op::kEqual;
  if (name == "<") return Op::kLess;
  if (name == "<=") return Op::kLessEqual;
  if (name == ">") return Op::kGreater;
  if (name == ">=") return Op::kGreaterEqual;
  return std::nullopt;
}

Op mirrored(Op op) {
  switch (op) {
    case Op::kLess: return Op::kGreater;
    case Op::kLessEqual: return Op::kGreaterEqual;
    case Op::kGreater: return Op::kLess;
    case Op::kGreaterEqual: return Op::kLessEqual;
    case Op::kEqual: break;
  }
  return op;
}

// A comparison of an expression over the scan's columns with one that reads none.
struct Comparison {
  const BoundExpression* tested = nullptr;
  Op op = Op::kEqual;
  const BoundExpression* value = nullptr;
};

bool reads_columns(const BoundExpression& e) {
  bool any = false;
  for_each_column(e, [&](uint32_t) { any = true; });
  return any;
}

std::optional<Comparison> comparison_of(const BoundExpression& e) {
  if (e.kind != BoundKind::kCall || e.children.size() != 2) return std::nullopt;
  const std::optional<Op> op = op_of(e.function->name);
  if (!op) return std::nullopt;
  const BoundExpression &left = *e.children[0], &right = *e.children[1];
  if (reads_columns(left) && is_execution_constant(right)) return Comparison{&left, *op, &right};
  if (reads_columns(right) && is_execution_constant(left)) return Comparison{&right, mirrored(*op), &left};
  return std::nullopt;
}

bool is_cast(const BoundExpression& e, TypeId from, TypeId to) {
  return e.kind == BoundKind::kCall && e.children.size() == 1 && e.children[0]->type.id == from &&
         e.type.id == to && e.function == find_cast(e.children[0]->type, e.type, CastContext::kExplicit);
}

// Timestamps [min, max], both inclusive.
struct Range {
  int64_t min = INT64_MIN, max = INT64_MAX;
  void narrow(const Range& other) {
    min = std::max(min, other.min);
    max = std::min(max, other.max);
  }
};
constexpr Range kNothing{INT64_MAX, INT64_MIN};

Range range_of(Op op, int64_t value) {
  switch (op) {
    case Op::kEqual: return {value, value};
    case Op::kLess: return value == INT64_MIN ? kNothing : Range{INT64_MIN, value - 1};
    case Op::kLessEqual: return {INT64_MIN, value};
    case Op::kGreater: return value == INT64_MAX ? kNothing : Range{value + 1, INT64_MAX};
    case Op::kGreaterEqual: return {value, INT64_MAX};
  }
  return {};
}

// The timestamps whose start of a unit compares so with `value`. `floor` and `next` give the start of the
// unit and of the one after it.
template <class Floor, class Next>
Range truncated_range(Op op, int64_t value, Floor&& floor, Next&& next) {
  const int64_t start = floor(value);
  const bool aligned = start == value;
  switch (op) {
    case Op::kEqual: return aligned ? Range{start, next(start) - 1} : kNothing;
    case Op::kGreaterEqual: return {aligned ? start : next(start), INT64_MAX};
    case Op::kGreater: return {next(start), INT64_MAX};
    case Op::kLessEqual: return {INT64_MIN, next(start) - 1};
    case Op::kLess: return {INT64_MIN, (aligned ? start : next(start)) - 1};
  }
  return {};
}

int64_t next_unit(TimeUnit unit, int64_t start) {
  Interval step;
  switch (unit) {
    case TimeUnit::kMicrosecond: step.micros = 1; break;
    case TimeUnit::kMillisecond: step.micros = kMicrosPerMilli; break;
    case TimeUnit::kSecond: step.micros = kMicrosPerSecond; break;
    case TimeUnit::kMinute: step.micros = kMicrosPerMinute; break;
    case TimeUnit::kHour: step.micros = kMicrosPerHour; break;
    case TimeUnit::kDay: step.days = 1; break;
    case TimeUnit::kWeek: step.days = 7; break;
    case TimeUnit::kMonth: step.months = 1; break;
    case TimeUnit::kQuarter: step.months = 3; break;
    case TimeUnit::kYear: step.months = 12; break;
    case TimeUnit::kDecade: step.months = 120; break;
    case TimeUnit::kCentury: step.months = 1200; break;
    default: step.months = 12000; break;
  }
  return add_interval(start, step);
}

class ScanRanges {
 public:
  ScanRanges(LogicalPlan& scan, Planning& planning) : scan_(scan) {
    const TableSchema& schema = *scan.table->schema;
    timestamp_ = schema.timestamp_column;
    const auto& zone = planning.context ? planning.context->time_zone : nullptr;
    // Where local time is UTC a timestamp and the timestamptz of the same reading are one.
    is_utc_ = !zone || zone->is_utc();
  }

  void run() {
    std::vector<BoundPtr> kept;
    for (BoundPtr& condition : split_conjuncts(std::move(scan_.scan_filter))) {
      if (std::optional<Range> exact = exact_range(*condition)) {
        narrow(*exact);
        continue;
      }
      if (std::optional<Range> hull = hull_range(*condition)) narrow(*hull);
      add_bounds(*condition);
      kept.push_back(std::move(condition));
    }
    scan_.scan_filter = join_conjuncts(std::move(kept));
  }

 private:
  void narrow(const Range& range) {
    scan_.scan_range.min_timestamp = std::max(scan_.scan_range.min_timestamp, range.min);
    scan_.scan_range.max_timestamp = std::min(scan_.scan_range.max_timestamp, range.max);
  }

  uint32_t schema_column(const BoundExpression& e) const { return scan_.scan_columns[e.index]; }
  bool is_timestamp_column(const BoundExpression& e) const {
    return timestamp_ >= 0 && e.is_column() && schema_column(e) == static_cast<uint32_t>(timestamp_);
  }

  // A constant on the scale of the designated timestamp.
  std::optional<int64_t> timestamp_value(const BoundExpression& e) const {
    if (!e.is_constant() || e.value.is_null()) return std::nullopt;
    const TypeId column = scan_.table->schema->columns[static_cast<size_t>(timestamp_)].type.id;
    if (e.type.id == column || (is_utc_ && is_timestamp(e.type.id))) return e.value.as_int();
    if (e.type.id == TypeId::kDate && (column == TypeId::kTimestamp || is_utc_)) {
      const auto days = static_cast<int32_t>(e.value.as_int());
      if (is_finite_date(days)) return timestamp_from_date(days);
    }
    return std::nullopt;
  }

  // The timestamp itself, seen through a cast that changes nothing.
  bool is_timestamp_expression(const BoundExpression& e) const {
    if (is_timestamp_column(e)) return true;
    return is_utc_ &&
           (is_cast(e, TypeId::kTimestamp, TypeId::kTimestampTz) ||
            is_cast(e, TypeId::kTimestampTz, TypeId::kTimestamp)) &&
           is_timestamp_column(*e.children[0]);
  }

  // The range that says exactly what the condition says.
  std::optional<Range> exact_range(const BoundExpression& condition) const {
    if (timestamp_ < 0) return std::nullopt;
    if (condition.kind == BoundKind::kAnd) {
      Range range;
      for (const BoundPtr& child : condition.children) {
        const std::optional<Range> part = exact_range(*child);
        if (!part) return std::nullopt;
        range.narrow(*part);
      }
      return range;
    }
    const std::optional<Comparison> c = comparison_of(condition);
    if (!c || !c->value->is_constant()) return std::nullopt;
    if (is_timestamp_expression(*c->tested)) {
      const std::optional<int64_t> value = timestamp_value(*c->value);
      return value ? std::optional(range_of(c->op, *value)) : std::nullopt;
    }
    return truncation_range(*c);
  }

  // date_trunc('hour', ts) <op> constant, ts::date <op> constant
  std::optional<Range> truncation_range(const Comparison& c) const {
    const BoundExpression& e = *c.tested;
    if (e.kind != BoundKind::kCall || !c.value->is_constant() || c.value->value.is_null())
      return std::nullopt;
    TimeUnit unit = TimeUnit::kDay;
    std::optional<int64_t> value;
    if (e.children.size() == 1 && e.type.id == TypeId::kDate &&
        is_cast(e, TypeId::kTimestamp, TypeId::kDate) && is_timestamp_column(*e.children[0]) &&
        c.value->type.id == TypeId::kDate) {
      const auto days = static_cast<int32_t>(c.value->value.as_int());
      if (!is_finite_date(days)) return std::nullopt;
      value = timestamp_from_date(days);
    } else if (e.function->name == "date_trunc" && e.children.size() == 2 && e.children[0]->is_constant() &&
               !e.children[0]->value.is_null() && is_timestamp_expression(*e.children[1])) {
      if (!find_time_unit(e.children[0]->value.as_string(), &unit) || unit > TimeUnit::kMillennium)
        return std::nullopt;
      value = timestamp_value(*c.value);
    }
    if (!value || !is_finite_timestamp(*value)) return std::nullopt;
    try {
      return truncated_range(
          c.op, *value, [unit](int64_t t) { return truncate_timestamp(unit, t); },
          [unit](int64_t t) { return next_unit(unit, t); });
    } catch (const SqlError&) {
      return std::nullopt;  // at the end of time
    }
  }

  // A range outside of which the condition cannot hold: the hull of OR's branches, of IN's values.
  std::optional<Range> hull_range(const BoundExpression& condition) const {
    if (timestamp_ < 0) return std::nullopt;
    if (std::optional<Range> exact = exact_range(condition)) return exact;
    if (condition.kind == BoundKind::kAnd) {
      Range range;
      bool any = false;
      for (const BoundPtr& child : condition.children) {
        if (std::optional<Range> part = hull_range(*child)) {
          range.narrow(*part);
          any = true;
        }
      }
      return any ? std::optional(range) : std::nullopt;
    }
    const bool is_in =
        condition.kind == BoundKind::kInList && is_timestamp_expression(*condition.children[0]);
    if (condition.kind != BoundKind::kOr && !is_in) return std::nullopt;
    Range hull = kNothing;
    for (size_t i = is_in ? 1 : 0; i < condition.children.size(); i++) {
      const BoundExpression& child = *condition.children[i];
      std::optional<Range> part;
      if (!is_in) {
        part = hull_range(child);
      } else if (child.is_constant() && child.value.is_null()) {
        continue;
      } else if (const std::optional<int64_t> value = timestamp_value(child)) {
        part = Range{*value, *value};
      }
      if (!part) return std::nullopt;
      hull.min = std::min(hull.min, part->min);
      hull.max = std::max(hull.max, part->max);
    }
    return hull;
  }

  // The column itself; also under a cast that only widens it, where `value` can be taken to its type.
  const BoundExpression* bounded_column(const BoundExpression& tested, const Value& value,
                                        Value* converted) const {
    if (tested.is_column()) {
      *converted = value;
      return &tested;
    }
    if (tested.kind != BoundKind::kCall || tested.children.size() != 1 || !tested.children[0]->is_column())
      return nullptr;
    const BoundExpression& column = *tested.children[0];
    const TypeId from = column.type.id, to = tested.type.id;
    if (tested.function != find_cast(column.type, tested.type, CastContext::kExplicit)) return nullptr;
    if (is_integer(from) && is_integer(to) && from < to) {
      *converted = value;
      return &column;
    }
    if (from == TypeId::kReal && to == TypeId::kDouble) {
      *converted = Value::of_double(TypeId::kReal, value.as_double());
      return &column;
    }
    return nullptr;
  }

  void add_bound(const BoundExpression& tested, Op op, const Value& value) {
    if (value.is_null()) return;
    Value converted;
    const BoundExpression* column = bounded_column(tested, value, &converted);
    if (!column || schema_column(*column) == UINT32_MAX) return;
    DynamicBound bound;
    bound.column = schema_column(*column);
    bound.op = op;
    if (std::optional<ScanBound> scan_bound = bound_of(bound, column->type, converted))
      scan_.scan_bounds.push_back(*scan_bound);
  }

  void add_bounds(const BoundExpression& condition) {
    const auto add_null_bound = [&](const BoundExpression& tested, bool null) {
      if (!tested.is_column() || schema_column(tested) == UINT32_MAX) return;
      ScanBound bound;
      bound.column = schema_column(tested);
      (null ? bound.is_null_only : bound.not_null_only) = true;
      scan_.scan_bounds.push_back(bound);
    };
    if (condition.kind == BoundKind::kIsNull) return add_null_bound(*condition.children[0], true);
    if (condition.kind == BoundKind::kNot && condition.children[0]->kind == BoundKind::kIsNull) {
      return add_null_bound(*condition.children[0]->children[0], false);
    }
    if (condition.kind == BoundKind::kInList) return add_list_bounds(condition);
    const std::optional<Comparison> c = comparison_of(condition);
    if (!c) return;
    if (c->value->is_constant()) return add_bound(*c->tested, c->op, c->value->value);
    add_dynamic_bound(*c);
  }

  void add_list_bounds(const BoundExpression& in) {
    const TypeId type = in.children[0]->type.id;
    const bool has_order = is_integer(type) || is_timestamp(type) || type == TypeId::kDate;
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (size_t i = 1; i < in.children.size(); i++) {
      if (!has_order || !in.children[i]->is_constant()) return;
      if (in.children[i]->value.is_null()) continue;
      min = std::min(min, in.children[i]->value.as_int());
      max = std::max(max, in.children[i]->value.as_int());
    }
    if (min > max) return;
    add_bound(*in.children[0], Op::kGreaterEqual, Value::of_int(in.children[0]->type, min));
    add_bound(*in.children[0], Op::kLessEqual, Value::of_int(in.children[0]->type, max));
  }

  // The value is known when the scan begins: $1, an init plan, now() - interval '1 hour'.
  void add_dynamic_bound(const Comparison& c) {
    const BoundExpression* column = c.tested;
    BoundPtr value = c.value->clone();
    if (is_timestamp_expression(*column) && !column->is_column()) column = column->children[0].get();
    if (!column->is_column() || schema_column(*column) == UINT32_MAX) return;
    if (value->type.id != column->type.id) {
      const bool is_same_time = is_utc_ && is_timestamp(value->type.id) && is_timestamp(column->type.id);
      const bool is_date = value->type.id == TypeId::kDate && column->type.id == TypeId::kTimestamp;
      const ScalarFunction* cast = find_cast(value->type, column->type, CastContext::kExplicit);
      if ((!is_same_time && !is_date && !(is_integer(value->type.id) && is_integer(column->type.id))) ||
          !cast)
        return;
      // A bigint beyond the column's type cannot be cast; its bound needs none.
      if (!is_integer(value->type.id)) {
        const SqlType from = value->type;
        std::vector<BoundPtr> children;
        children.push_back(std::move(value));
        value = BoundExpression::call({cast, {{from}, column->type}}, std::move(children));
        value->type = column->type;
      }
    }
    scan_.dynamic_bounds.push_back({schema_column(*column), c.op, std::move(value)});
  }

  LogicalPlan& scan_;
  int timestamp_ = -1;
  bool is_utc_ = true;
};

}  // namespace

void find_scan_ranges(LogicalPlan& plan, Planning& planning) {
  if (plan.kind != PlanKind::kMaterialize) {
    for (const PlanPtr& child : plan.children) find_scan_ranges(*child, planning);
  }
  if (plan.kind == PlanKind::kScan && plan.scan_filter) ScanRanges(plan, planning).run();
}

}  // namespace idem::optimizer
