#include <algorithm>
#include <charconv>

#include "common/calendar.h"
#include "common/time_zone.h"
#include "query/plan_order.h"
#include "query/select_binder.h"

namespace idem::binding {

namespace {

// '02:00', '-00:30', '+05:45'
std::optional<int64_t> parse_offset(std::string_view text) {
  int64_t sign = 1;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  int64_t hours = 0, minutes = 0;
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  auto first = std::from_chars(text.data(), text.data() + 2, hours);
  auto second = std::from_chars(text.data() + 3, text.data() + 5, minutes);
  if (first.ec != std::errc() || first.ptr != text.data() + 2 || second.ec != std::errc() ||
      second.ptr != text.data() + 5 || minutes > 59) {
    return std::nullopt;
  }
  return sign * (hours * kMicrosPerHour + minutes * kMicrosPerMinute);
}

}  // namespace

void SelectBinder::sort_by_timestamp(uint32_t column) {
  if (is_ascending_by(*plan_, column)) return;
  const SqlType type = plan_->columns[column].type;
  PlanPtr sort = add_node(PlanKind::kSort);
  sort->sort_keys.push_back({BoundExpression::column(column, type), false, false});
}

void SelectBinder::stack_latest_on() {
  const ast::LatestOn& latest = *select_.latest_on;
  ExpressionContext place = context("LATEST ON");
  const auto bind_column = [&](const ast::Expression& e, std::string_view what) {
    BoundPtr bound = binder_.bind(e, place);
    if (!bound->is_column()) {
      throw sql_error(sqlstate::kInvalidColumnReference, "{} of LATEST ON must be a column", what)
          .with_position(e.position);
    }
    return bound->index;
  };
  const uint32_t timestamp = bind_column(*latest.timestamp, "the timestamp");
  if (!is_timestamp(plan_->columns[timestamp].type.id)) {
    throw sql_error(sqlstate::kDatatypeMismatch, "LATEST ON needs a timestamp, not type {}",
                    format_type(plan_->columns[timestamp].type))
        .with_position(latest.timestamp->position);
  }
  std::vector<uint32_t> partition;
  for (const auto& e : latest.partition_by) partition.push_back(bind_column(*e, "a PARTITION BY expression"));
  sort_by_timestamp(timestamp);
  PlanPtr node = add_node(PlanKind::kLatestOn);
  node->timestamp_column = timestamp;
  node->partition_columns = std::move(partition);
}

int64_t SelectBinder::sample_constant(const ast::Expression& expression, SqlType type,
                                      std::string_view what) {
  Scope nothing;
  ExpressionContext place = context("SAMPLE BY");
  place.scope = &nothing;
  BoundPtr bound = binder_.bind_typed(expression, place, type, CastContext::kAssignment, what);
  std::optional<Value> value = binder_.constant_value(*bound);
  if (!value || value->is_null()) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{} of SAMPLE BY must be a constant", what)
        .with_position(expression.position);
  }
  return value->as_int();
}

std::string SelectBinder::sample_text(const ast::Expression& expression, std::string_view what) {
  const auto* literal = ast::try_as<ast::Literal>(&expression);
  if (!literal || literal->literal != ast::LiteralKind::kString) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{} of SAMPLE BY must be a text constant", what)
        .with_position(expression.position);
  }
  return literal->text;
}

SampleSpec SelectBinder::sample_spec() {
  const ast::SampleBy& sample = *select_.sample_by;
  SampleSpec spec;
  spec.count = sample.span.count;
  spec.unit = sample.span.unit;
  if (spec.count <= 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "SAMPLE BY needs a positive interval")
        .with_position(sample.span.position);
  }
  spec.align_to_calendar = sample.align != ast::SampleBy::Align::kFirstObservation;
  if (sample.time_zone) {
    spec.time_zone = sample_text(*sample.time_zone, "TIME ZONE");
    at_position(sample.time_zone->position, [&] { return time_zone_from_name(spec.time_zone); });
  }
  if (sample.offset) {
    std::optional<int64_t> offset = parse_offset(sample_text(*sample.offset, "OFFSET"));
    if (!offset) {
      throw sql_error(sqlstate::kInvalidParameterValue, "invalid offset of SAMPLE BY")
          .with_hint("Write hours and minutes: '02:00' or '-00:30'.")
          .with_position(sample.offset->position);
    }
    spec.offset_micros = *offset;
  }
  if (sample.from) spec.from = sample_constant(*sample.from, TypeId::kTimestamp, "FROM");
  if (sample.to) spec.to = sample_constant(*sample.to, TypeId::kTimestamp, "TO");
  const std::vector<BoundAggregate>& aggregates = aggregates_.aggregates;
  if (sample.fill.size() > 1 && sample.fill.size() != aggregates.size()) {
    throw sql_error(sqlstate::kInvalidParameterValue, "FILL has {} values but there are {} aggregates",
                    sample.fill.size(), aggregates.size())
        .with_position(sample.position);
  }
  for (size_t i = 0; i < sample.fill.size(); i++) {
    const ast::SampleBy::Fill& fill = sample.fill[i];
    switch (fill.kind) {
      case ast::SampleBy::FillKind::kNone: spec.fill.push_back(SampleSpec::Fill::kNone); break;
      case ast::SampleBy::FillKind::kNull: spec.fill.push_back(SampleSpec::Fill::kNull); break;
      case ast::SampleBy::FillKind::kPrev: spec.fill.push_back(SampleSpec::Fill::kPrev); break;
      case ast::SampleBy::FillKind::kLinear: spec.fill.push_back(SampleSpec::Fill::kLinear); break;
      case ast::SampleBy::FillKind::kValue: spec.fill.push_back(SampleSpec::Fill::kValue); break;
    }
  }
  if (spec.fill.size() == 1 && spec.fill[0] == SampleSpec::Fill::kNone) spec.fill.clear();
  if (spec.fill.size() == 1) spec.fill.resize(aggregates.size(), spec.fill[0]);
  for (size_t i = 0; i < spec.fill.size(); i++) {
    const SqlType type = aggregates[i].types.result;
    spec.fill_values.push_back(Value::null(type));
    const ast::SampleBy::Fill& fill = sample.fill[sample.fill.size() == 1 ? 0 : i];
    if (spec.fill[i] == SampleSpec::Fill::kLinear && !is_numeric(type.id) && !is_timestamp(type.id)) {
      throw sql_error(sqlstate::kDatatypeMismatch, "FILL(LINEAR) needs numbers, not type {}",
                      format_type(type))
          .with_position(sample.position);
    }
    if (spec.fill[i] != SampleSpec::Fill::kValue) continue;
    Scope nothing;
    ExpressionContext place = context("FILL");
    place.scope = &nothing;
    BoundPtr bound = binder_.bind_typed(*fill.value, place, type, CastContext::kAssignment, "FILL");
    std::optional<Value> value = binder_.constant_value(*bound);
    if (!value) {
      throw sql_error(sqlstate::kFeatureNotSupported, "values of FILL must be constants")
          .with_position(fill.value->position);
    }
    spec.fill_values.back() = std::move(*value);
  }
  return spec;
}

// What is selected beside the timestamp and aggregates: keys of which each has its own series.
void SelectBinder::add_sample_groups() {
  if (has_grouping_sets_) {
    throw sql_error(sqlstate::kFeatureNotSupported, "grouping sets with SAMPLE BY are not supported")
        .with_position(select_.sample_by->position);
  }
  std::erase_if(groups_, [&](const BoundPtr& group) { return group->equals(*bucket_source_); });
  if (has_group_clause_) return;
  for (size_t i = 0; i < visible_; i++) {
    const BoundExpression& e = *items_[i].expression;
    bool reads_key = false, reads_timestamp = false, is_marked = false;
    for_each_column(e, [&](uint32_t column) {
      if (column & kMarkMask) {
        is_marked = true;
      } else if (column == bucket_source_->index) {
        reads_timestamp = true;
      } else {
        reads_key = true;
      }
    });
    if (reads_key && !reads_timestamp && !is_marked) add_group(e.clone());
  }
  // collect_ungrouped() must not take the timestamp for a key.
  groups_.push_back(bucket_source_->clone());
  for (size_t i = 0; i < visible_; i++) collect_ungrouped(*items_[i].expression);
  for_each_window_expression([&](BoundPtr& e) { collect_ungrouped(*e); });
  std::erase_if(groups_, [&](const BoundPtr& group) { return group->equals(*bucket_source_); });
}

void SelectBinder::stack_sample_by() {
  const uint32_t position = select_.sample_by->position;
  if (timestamp_column_ < 0) {
    throw sql_error(sqlstate::kInvalidColumnReference, "SAMPLE BY needs a designated timestamp")
        .with_hint("Sample a table with TIMESTAMP(column), or a subquery that selects that column.")
        .with_position(position);
  }
  if (aggregates_.aggregates.empty()) {
    throw sql_error(sqlstate::kGroupingError, "SAMPLE BY needs an aggregate function in the select list")
        .with_position(position);
  }
  const auto column = static_cast<uint32_t>(timestamp_column_);
  const SqlType type = plan_->columns[column].type;
  const BoundPtr timestamp = BoundExpression::column(column, type);
  bucket_source_ = timestamp.get();
  SampleSpec spec = sample_spec();
  add_sample_groups();
  sort_by_timestamp(column);
  std::vector<std::string> names;
  for (const PlanColumn& input : plan_->columns) names.push_back(input.name);
  std::vector<PlanColumn> columns{plan_->columns[column]};
  for (const BoundPtr& group : groups_) {
    columns.push_back(group->is_column() ? plan_->columns[group->index]
                                         : PlanColumn{expression_text(*group, names), group->type});
  }
  for (const BoundAggregate& aggregate : aggregates_.aggregates)
    columns.push_back({aggregate.name, aggregate.types.result});
  PlanPtr node = add_node(PlanKind::kSampleBy);
  node->columns = std::move(columns);
  node->aggregates = std::move(aggregates_.aggregates);
  node->sample = std::move(spec);
  node->sample_timestamp = timestamp->clone();
  group_offset_ = 1;
  aggregate_offset_ = 1 + static_cast<uint32_t>(groups_.size());
  rewrite_all_grouped();
  node->groups = std::move(groups_);
  bucket_source_ = nullptr;
  timestamp_column_ = 0;
}

}  // namespace idem::binding
