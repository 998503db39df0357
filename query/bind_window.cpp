#include <algorithm>

#include "query/query_binder.h"

namespace idem::binding {

using Window = LogicalPlan::Window;

namespace {

[[noreturn]] void throw_windowing(uint32_t position, std::string message) {
  throw SqlError(kWindowingError, std::move(message)).with_position(position);
}

Window::Bound bound_kind(ast::FrameBound::Kind kind) {
  switch (kind) {
    case ast::FrameBound::Kind::kUnboundedPreceding: return Window::Bound::kUnboundedPreceding;
    case ast::FrameBound::Kind::kPreceding: return Window::Bound::kPreceding;
    case ast::FrameBound::Kind::kCurrentRow: return Window::Bound::kCurrentRow;
    case ast::FrameBound::Kind::kFollowing: return Window::Bound::kFollowing;
    case ast::FrameBound::Kind::kUnboundedFollowing: return Window::Bound::kUnboundedFollowing;
  }
  return Window::Bound::kCurrentRow;
}

const ast::NamedWindow* find_named(const WindowSink& sink, const ast::Identifier& name) {
  if (sink.named) {
    for (const ast::NamedWindow& window : *sink.named) {
      if (name_matches(window.name.text, name)) return &window;
    }
  }
  throw sql_error(sqlstate::kUndefinedObject, "window \"{}\" does not exist", name.text)
      .with_position(name.position);
}

}  // namespace

BoundPtr QueryBinder::bind_window(const ast::FunctionCall& call, const std::string& name,
                                  ExpressionContext& context) {
  if (context.in_window) throw_windowing(call.position, "window function calls cannot be nested");
  if (context.in_aggregate) {
    throw sql_error(sqlstate::kGroupingError, "aggregate function calls cannot contain window function calls")
        .with_position(call.position);
  }
  if (!context.windows)
    throw_windowing(call.position, fmt::format("window functions are not allowed in {}", context.clause));
  if (call.ignore_nulls) {
    throw sql_error(sqlstate::kFeatureNotSupported, "IGNORE NULLS is not supported")
        .with_position(call.position);
  }
  if (call.distinct) {
    throw sql_error(sqlstate::kFeatureNotSupported, "DISTINCT is not supported for window functions")
        .with_position(call.position);
  }
  if (!call.order_by.empty()) {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "aggregate ORDER BY is not supported for window functions")
        .with_position(call.position);
  }
  ExpressionContext inner = context;
  inner.in_window = true;
  inner.sets = nullptr;
  inner.clause = "window definitions";
  Window window;
  window.function_name = name;
  if (is_aggregate(name)) {
    window.aggregate = bind_aggregate_call(call, name, inner);
    window.type = window.aggregate.types.result;
  } else {
    if (call.filter) {
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "FILTER is not supported for non-aggregate window functions")
          .with_position(call.position);
    }
    bind_window_function(call, name, inner, window);
  }
  bind_window_spec(*call.over, inner, window, 0);
  SqlType type = window.type;
  context.windows->windows.push_back(std::move(window));
  return BoundExpression::column(kWindowMark | static_cast<uint32_t>(context.windows->windows.size() - 1),
                                 type);
}

void QueryBinder::bind_window_function(const ast::FunctionCall& call, const std::string& name,
                                       ExpressionContext& inner, Window& window) {
  const size_t count = call.arguments.size();
  for (const auto& argument : call.arguments) window.arguments.push_back(bind(*argument, inner));
  const auto check_count = [&](size_t least, size_t most) {
    if (count >= least && count <= most) return;
    std::string shown;
    for (const BoundPtr& a : window.arguments) shown += (shown.empty() ? "" : ", ") + format_type(a->type);
    throw sql_error(sqlstate::kUndefinedFunction, "function {}({}) does not exist", name, shown)
        .with_position(call.position);
  };
  const auto to_integer = [&](size_t i) {
    window.arguments[i] = coerce(std::move(window.arguments[i]), TypeId::kInteger, CastContext::kImplicit,
                                 call.arguments[i]->position);
  };
  if (name == "row_number" || name == "rank" || name == "dense_rank") {
    check_count(0, 0);
    window.type = TypeId::kBigInt;
  } else if (name == "percent_rank" || name == "cume_dist") {
    check_count(0, 0);
    window.type = TypeId::kDouble;
  } else if (name == "ntile") {
    check_count(1, 1);
    to_integer(0);
    window.type = TypeId::kInteger;
  } else if (name == "lag" || name == "lead") {
    check_count(1, 3);
    if (count > 1) to_integer(1);
    if (count > 2) {
      std::vector<BoundPtr> values;
      values.push_back(std::move(window.arguments[0]));
      values.push_back(std::move(window.arguments[2]));
      unify(values, name, call.position);
      window.arguments[0] = std::move(values[0]);
      window.arguments[2] = std::move(values[1]);
    }
  } else if (name == "nth_value") {
    check_count(2, 2);
    to_integer(1);
  } else {
    check_count(1, 1);
  }
  if (!window.arguments.empty() && name != "ntile") {
    window.arguments[0] = resolve_unknown(std::move(window.arguments[0]));
    window.type = window.arguments[0]->type;
  }
}

void QueryBinder::bind_window_spec(const ast::WindowSpec& spec, ExpressionContext& inner, Window& window,
                                   int depth) {
  constexpr int kMaxReferences = 100;
  if (depth > kMaxReferences) throw_windowing(spec.position, "window definitions refer to each other");
  if (!spec.reference.empty()) {
    const ast::NamedWindow* base = find_named(*inner.windows, spec.reference);
    bind_window_spec(base->spec, inner, window, depth + 1);
    if (spec.bare_reference) return;
    if (!spec.partition_by.empty()) {
      throw_windowing(spec.position, fmt::format("cannot override PARTITION BY clause of window \"{}\"",
                                                 spec.reference.text));
    }
    if (!spec.order_by.empty() && !base->spec.order_by.empty()) {
      throw_windowing(spec.position,
                      fmt::format("cannot override ORDER BY clause of window \"{}\"", spec.reference.text));
    }
    if (base->spec.frame) {
      throw_windowing(spec.position, fmt::format("cannot copy window \"{}\" because it has a frame clause",
                                                 spec.reference.text));
    }
  }
  for (const auto& e : spec.partition_by) window.partition_by.push_back(resolve_unknown(bind(*e, inner)));
  for (const ast::OrderItem& item : spec.order_by) {
    window.order_by.push_back(sort_key(item, resolve_unknown(bind(*item.expression, inner))));
  }
  if (spec.frame) bind_frame(*spec.frame, inner, window, spec.position);
}

void QueryBinder::bind_frame(const ast::WindowFrame& frame, ExpressionContext& inner, Window& window,
                             uint32_t position) {
  using Kind = ast::FrameBound::Kind;
  const Kind start = frame.start.kind, end = frame.end.kind;
  if (start == Kind::kUnboundedFollowing)
    throw_windowing(position, "frame start cannot be UNBOUNDED FOLLOWING");
  if (end == Kind::kUnboundedPreceding) throw_windowing(position, "frame end cannot be UNBOUNDED PRECEDING");
  if (start == Kind::kCurrentRow && end == Kind::kPreceding) {
    throw_windowing(position, "frame starting from current row cannot have preceding rows");
  }
  if (start == Kind::kFollowing && (end == Kind::kPreceding || end == Kind::kCurrentRow)) {
    throw_windowing(position, end == Kind::kPreceding
                                  ? "frame starting from following row cannot have preceding rows"
                                  : "frame starting from following row cannot end with current row");
  }
  switch (frame.unit) {
    case ast::WindowFrame::Unit::kRows: window.mode = Window::Mode::kRows; break;
    case ast::WindowFrame::Unit::kRange: window.mode = Window::Mode::kRange; break;
    case ast::WindowFrame::Unit::kGroups: window.mode = Window::Mode::kGroups; break;
  }
  const bool has_offset = frame.start.offset || frame.end.offset;
  if (window.mode == Window::Mode::kGroups && window.order_by.empty()) {
    throw_windowing(position, "GROUPS mode requires an ORDER BY clause");
  }
  if (window.mode == Window::Mode::kRange && has_offset && window.order_by.size() != 1) {
    throw_windowing(position, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column");
  }
  window.start = bound_kind(start);
  window.end = bound_kind(end);
  window.start_offset = bind_frame_offset(frame.start, inner, window);
  window.end_offset = bind_frame_offset(frame.end, inner, window);
  switch (frame.exclude) {
    case ast::WindowFrame::Exclude::kNoOthers: window.exclude = Window::Exclude::kNoOthers; break;
    case ast::WindowFrame::Exclude::kCurrentRow: window.exclude = Window::Exclude::kCurrentRow; break;
    case ast::WindowFrame::Exclude::kGroup: window.exclude = Window::Exclude::kGroup; break;
    case ast::WindowFrame::Exclude::kTies: window.exclude = Window::Exclude::kTies; break;
  }
}

BoundPtr QueryBinder::bind_frame_offset(const ast::FrameBound& bound, ExpressionContext& inner,
                                        const Window& window) {
  if (!bound.offset) return nullptr;
  const char* unit = window.mode == Window::Mode::kRows    ? "ROWS"
                     : window.mode == Window::Mode::kRange ? "RANGE"
                                                           : "GROUPS";
  BoundPtr offset = bind(*bound.offset, inner);
  if (contains_columns(*offset)) {
    throw sql_error(sqlstate::kInvalidColumnReference, "argument of {} must not contain variables", unit)
        .with_position(bound.offset->position);
  }
  SqlType type = TypeId::kBigInt;
  if (window.mode == Window::Mode::kRange) {
    type = window.order_by[0].expression->type;
    const bool is_time = is_timestamp(type.id) || type.id == TypeId::kDate || type.id == TypeId::kTime ||
                         type.id == TypeId::kInterval;
    if (is_time) {
      type = TypeId::kInterval;
    } else if (!is_numeric(type.id)) {
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                      format_type(type))
          .with_position(bound.offset->position);
    }
    if (offset->type.id != TypeId::kUnknown && offset->type.id != type.id &&
        !can_cast(offset->type, type, CastContext::kAssignment)) {
      throw sql_error(
          sqlstate::kFeatureNotSupported,
          "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and offset type {}",
          format_type(window.order_by[0].expression->type), format_type(offset->type))
          .with_hint("Cast the offset value to an appropriate type.")
          .with_position(bound.offset->position);
    }
  }
  return coerce(std::move(offset), type, CastContext::kAssignment, bound.offset->position);
}

}  // namespace idem::binding
