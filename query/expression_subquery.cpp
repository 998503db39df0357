#include <array>
#include <functional>
#include <optional>
#include <unordered_map>

#include "common/array_value.h"
#include "common/error.h"
#include "query/expression_evaluator.h"
#include "query/expression_node.h"
#include "query/prepared_plan.h"

namespace idem {

namespace {

constexpr size_t kMaxRemembered = 16'384;

void append_key(std::string& key, const Value& value) {
  const auto append = [&](const auto& bits) {
    key.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  };
  key += static_cast<char>(value.is_null() ? 0 : 1);
  if (value.is_null()) return;
  switch (physical_type(value.type())) {
    case PhysicalType::kFloat:
    case PhysicalType::kDouble: return append(value.as_double());
    case PhysicalType::kDecimal: append(value.as_decimal().value); return append(value.as_decimal().scale);
    case PhysicalType::kInterval:
      append(value.as_interval().micros);
      append(value.as_interval().days);
      return append(value.as_interval().months);
    case PhysicalType::kUuid: return append(value.as_uuid());
    case PhysicalType::kString:
      append(value.as_string().size());
      key += value.as_string();
      return;
    default:
      if (value.type().id == TypeId::kSymbol) {
        append(value.as_string().size());
        key += value.as_string();
      } else {
        append(value.as_int());
      }
  }
}

// A subquery in an expression: run once for each combination of what it depends on.
class SubqueryNode final : public ExpressionNode {
 public:
  explicit SubqueryNode(const BoundExpression& expression)
      : ExpressionNode(expression.type), expression_(expression) {
    for (const BoundPtr& child : expression.children) left_.push_back(compile_expression(*child));
    for (const auto& [slot, correlated] : expression.correlated) {
      parameters_.emplace_back(slot, compile_expression(*correlated));
    }
    if (expression.comparison) comparison_ = compile_expression(*expression.comparison);
  }
  bool can_fail() const override { return true; }
  void reset() override {
    results_.clear();
    rows_.reset();
    prepared_.reset();
    for (const NodePtr& node : left_) node->reset();
    for (const auto& [slot, node] : parameters_) node->reset();
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    if (input.state.context != context_) {
      reset();
      context_ = input.state.context;
    }
    std::vector<Vector> values(parameters_.size());
    for (size_t i = 0; i < parameters_.size(); ++i)
      parameters_[i].second->evaluate(input, selection, &values[i]);
    std::vector<Vector> left(left_.size());
    for (size_t i = 0; i < left_.size(); ++i) left_[i]->evaluate(input, selection, &left[i]);
    std::vector<Value> left_values(left_.size());
    if (parameters_.empty() && left_.empty()) {
      *result = Vector::constant(value_for(input.state, left_values));
      return;
    }
    VectorScatter scatter(type_, input.chunk.size, result);
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      for (size_t p = 0; p < parameters_.size(); ++p)
        input.state.slots.at(parameters_[p].first) = values[p].value_at(row);
      for (size_t c = 0; c < left_.size(); ++c) left_values[c] = left[c].value_at(row);
      scatter.set_value(row, value_for(input.state, left_values));
    }
  }

 private:
  // Until the next call.
  const Value& value_for(EvaluationState& state, const std::vector<Value>& left) {
    key_.clear();
    for (const Value& slot : state.slots) append_key(key_, slot);
    const size_t slots_end = key_.size();
    for (const Value& value : left) append_key(key_, value);
    auto known = results_.find(key_);
    if (known == results_.end()) {
      if (results_.size() >= kMaxRemembered) results_.clear();
      known = results_.emplace(key_, compute(state, left, key_.substr(0, slots_end))).first;
    }
    return known->second;
  }

  Value compute(EvaluationState& state, const std::vector<Value>& left, const std::string& slots_key) {
    switch (expression_.subquery_kind) {
      case SubqueryKind::kScalar: return scalar(state);
      case SubqueryKind::kExists: return exists(state);
      case SubqueryKind::kArray: return array(state);
      case SubqueryKind::kAny: return quantified(state, left, slots_key, true);
      case SubqueryKind::kAll: return quantified(state, left, slots_key, false);
    }
    return {};
  }

  // The operators are built once and see other slots each time.
  void run_subquery(EvaluationState& state, const std::function<bool(DataChunk&)>& consume) {
    if (!prepared_) prepared_.emplace(expression_.subquery, *state.context);
    prepared_->run(state, consume);
  }

  Value scalar(EvaluationState& state) {
    Value value = Value::null(type_);
    uint64_t rows = 0;
    run_subquery(state, [&](DataChunk& chunk) {
      if (chunk.count() == 0) return true;
      rows += chunk.count();
      if (rows > 1) {
        throw SqlError(sqlstate::kCardinalityViolation,
                       "more than one row returned by a subquery used as an expression");
      }
      value = chunk.columns.at(0).value_at(chunk.selection[0]);
      return true;
    });
    return value;
  }

  Value exists(EvaluationState& state) {
    bool found = false;
    run_subquery(state, [&](DataChunk& chunk) {
      found = found || chunk.count() > 0;
      return !found;
    });
    return Value::of_bool(found);
  }

  Value array(EvaluationState& state) {
    ArrayBuilder builder(type_.element);
    const SqlType element(type_.element);
    const size_t width = physical_size(physical_type(element));
    run_subquery(state, [&](DataChunk& chunk) {
      if (chunk.count() == 0) return true;
      Vector values = decoded(chunk.columns.at(0), chunk.size, chunk.selection);
      for (uint32_t i = 0; i < chunk.count(); ++i) {
        const uint32_t row = chunk.selection[i];
        if (!values.is_valid(row)) {
          builder.append_null();
        } else {
          builder.append(static_cast<const char*>(values.data) + width * (values.is_constant() ? 0 : row));
        }
      }
      return true;
    });
    return Value::of_string(type_, builder.finish());
  }

  // The subquery's columns for one setting of the slots, kept while the left side changes.
  const std::vector<DataChunk>& rows_of(EvaluationState& state, const std::string& slots_key) {
    if (rows_ && rows_key_ == slots_key) return *rows_;
    rows_.emplace();
    rows_key_ = slots_key;
    run_subquery(state, [&](DataChunk& chunk) {
      if (chunk.count() == 0) return true;
      DataChunk& kept = rows_->emplace_back();
      kept.columns.resize(2 * left_.size());  // the left side's first
      for (size_t i = 0; i < left_.size(); ++i)
        kept.columns[left_.size() + i] = compact(chunk.columns.at(i), chunk.selection);
      kept.set_size(chunk.count());
      return true;
    });
    return *rows_;
  }

  // ANY: true if some comparison is, else NULL if some is, else false; ALL the other way round.
  Value quantified(EvaluationState& state, const std::vector<Value>& left, const std::string& slots_key,
                   bool any) {
    bool met_null = false;
    std::array<uint16_t, kVectorSize> rows;
    for (const DataChunk& kept : rows_of(state, slots_key)) {
      DataChunk chunk = kept;
      for (size_t i = 0; i < left.size(); ++i) chunk.columns[i] = Vector::constant(left[i]);
      EvaluationInput input{state, chunk};
      const uint32_t decisive = comparison_->select(input, chunk.selection, any, rows.data());
      if (decisive > 0) return Value::of_bool(any);
      met_null |= comparison_->select(input, chunk.selection, !any, rows.data()) < chunk.size;
    }
    return met_null ? Value::null(TypeId::kBoolean) : Value::of_bool(!any);
  }

  const BoundExpression& expression_;
  std::optional<PreparedPlan> prepared_;
  std::vector<NodePtr> left_;
  std::vector<std::pair<uint32_t, NodePtr>> parameters_;
  NodePtr comparison_;
  const ExecutionContext* context_ = nullptr;
  std::string key_;  // of the slots and values at hand
  std::unordered_map<std::string, Value> results_;
  std::optional<std::vector<DataChunk>> rows_;
  std::string rows_key_;
};

}  // namespace

NodePtr compile_subquery(const BoundExpression& expression) {
  return std::make_unique<SubqueryNode>(expression);
}

}  // namespace idem
