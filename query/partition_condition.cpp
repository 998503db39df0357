#include "query/partition_condition.h"

#include <algorithm>
#include <set>

#include "query/expression_evaluator.h"
#include "query/returning.h"

namespace idem {

namespace {

bool reads_nothing(const BoundExpression& e) {
  bool reads = e.kind == BoundKind::kSubquery;
  for_each_column(e, [&](uint32_t) { reads = true; });
  return !reads && std::all_of(e.children.begin(), e.children.end(),
                               [](const BoundPtr& c) { return reads_nothing(*c); });
}

class PartitionCondition {
 public:
  PartitionCondition(const TableSchema& schema, BoundPtr condition, EvaluationState& state)
      : schema_(schema), condition_(std::move(condition)), state_(state) {
    collect(*condition_);
  }

  bool holds_at(int64_t timestamp) const {
    BoundPtr at = condition_->clone();
    put_in(at, timestamp);
    const Value value = evaluate_constant(state_, *at);
    return !value.is_null() && value.as_bool();
  }

  // Where the condition begins or ceases to hold; a row of that moment is after the change.
  std::vector<int64_t> changes() const {
    std::vector<int64_t> result;
    for (const int64_t cut : cuts_) {
      if (holds_at(cut - 1) != holds_at(cut)) result.push_back(cut);
    }
    return result;
  }

 private:
  [[noreturn]] void refuse(const BoundExpression& e) const {
    SqlError error =
        sql_error(sqlstate::kInvalidParameterValue,
                  "DROP PARTITION WHERE takes comparisons of the designated timestamp \"{}\" with constants",
                  schema_.columns[static_cast<size_t>(schema_.timestamp_column)].name);
    if (e.position > 0) error.with_position(e.position);
    throw error;
  }

  bool is_timestamp_column(const BoundExpression& e) const {
    if (e.is_column()) return e.index == static_cast<uint32_t>(schema_.timestamp_column);
    const bool relabels = e.kind == BoundKind::kCall && e.children.size() == 1 && is_timestamp(e.type.id) &&
                          is_timestamp(e.children[0]->type.id) && !e.function->kernel;
    return relabels && is_timestamp_column(*e.children[0]);
  }

  void add_cuts(const BoundExpression& value) {
    if (!reads_nothing(value) || !is_timestamp(value.type.id)) refuse(value);
    const Value at = evaluate_constant(state_, value);
    if (at.is_null()) return;
    // Between two values that comparisons name, and at each of them, the condition is one thing or the other.
    if (at.as_int() != INT64_MIN) cuts_.insert(at.as_int());
    if (at.as_int() != INT64_MAX) cuts_.insert(at.as_int() + 1);
  }

  void collect(const BoundExpression& e) {
    switch (e.kind) {
      case BoundKind::kConstant: return;
      case BoundKind::kAnd:
      case BoundKind::kOr:
      case BoundKind::kNot:
        for (const BoundPtr& child : e.children) collect(*child);
        return;
      case BoundKind::kInList:
        if (!is_timestamp_column(*e.children[0])) refuse(e);
        for (size_t i = 1; i < e.children.size(); i++) add_cuts(*e.children[i]);
        return;
      case BoundKind::kCall: {
        static constexpr std::string_view kComparisons[] = {"=", "<>", "<", "<=", ">", ">="};
        const bool compares = e.children.size() == 2 &&
                              std::find(std::begin(kComparisons), std::end(kComparisons), e.function->name) !=
                                  std::end(kComparisons);
        if (!compares) break;
        if (is_timestamp_column(*e.children[0])) return add_cuts(*e.children[1]);
        if (is_timestamp_column(*e.children[1])) return add_cuts(*e.children[0]);
        break;
      }
      default: break;
    }
    refuse(e);
  }

  static void put_in(BoundPtr& e, int64_t timestamp) {
    if (e->is_column()) {
      e = BoundExpression::constant(Value::of_int(e->type, timestamp));
      return;
    }
    for (BoundPtr& child : e->children) put_in(child, timestamp);
  }

  const TableSchema& schema_;
  const BoundPtr condition_;
  EvaluationState& state_;
  std::set<int64_t> cuts_;
};

}  // namespace

std::vector<int64_t> partitions_where(SessionState& session, const TableVersion& table,
                                      const ast::Expression& condition) {
  const TableSchema& schema = *table.schema;
  if (!schema.has_timestamp() || schema.partition_by == PartitionUnit::kNone) {
    throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" is not partitioned", schema.name)
        .with_position(condition.position);
  }
  auto run = session.start_run();
  EvaluationState state{&run->context, {}};
  ParameterTypes none;
  uint32_t slots = 0;
  BoundPtr bound =
      bind_expression(condition, table_scope(schema, ""), session, none, TypeId::kBoolean, &slots);
  state.slots.resize(std::max<size_t>(state.slots.size(), slots));
  PartitionCondition where(schema, std::move(bound), state);
  for (const int64_t change : where.changes()) {
    const int64_t start = partition_start(schema.partition_by, change);
    if (start == change) continue;
    throw sql_error(sqlstate::kInvalidParameterValue,
                    "the condition does not fall on a boundary of partitions: it cuts \"{}\" in two",
                    partition_name(schema.partition_by, start))
        .with_position(condition.position)
        .with_hint("DROP PARTITION removes whole partitions; DELETE removes single rows.");
  }
  std::vector<int64_t> starts;
  for (size_t i = 0; i < table.partitions.size(); i++) {
    const int64_t start = table.partitions[i]->start;
    if (where.holds_at(start)) starts.push_back(start);
  }
  return starts;
}

}  // namespace idem
