#include "query/row_source.h"

#include <algorithm>

#include "query/expression_evaluator.h"
#include "query/value_column.h"

namespace idem {

std::vector<SqlType> column_types(const LogicalPlan& plan) {
  std::vector<SqlType> types;
  types.reserve(plan.columns.size());
  for (const PlanColumn& column : plan.columns) types.push_back(column.type);
  return types;
}

void ValuesOperator::start(EvaluationState& state) {
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  std::vector<ValueColumn> columns;
  for (const PlanColumn& column : plan_.columns) columns.emplace_back(column.type);
  DataChunk chunk;
  uint32_t count = 0;
  const auto flush = [&] {
    chunk.columns.resize(columns.size());
    for (size_t c = 0; c < columns.size(); ++c) chunk.columns[c] = columns[c].take();
    chunk.set_size(count);
    rows->append(chunk);
    count = 0;
  };
  for (const std::vector<BoundPtr>& row : plan_.rows) {
    for (size_t c = 0; c < columns.size(); ++c) columns[c].append(evaluate_constant(state, *row[c]));
    if (++count == kVectorSize) flush();
  }
  if (count > 0) flush();
  rows->seal();
  publish(std::move(rows));
}

void TableFunctionOperator::start(EvaluationState& state) {
  std::vector<Value> arguments;
  for (const BoundPtr& expression : plan_.expressions)
    arguments.push_back(evaluate_constant(state, *expression));
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  int64_t ordinal = 1;
  plan_.table_function->run(state, plan_.function_types, arguments, [&](DataChunk& chunk) {
    if (chunk.count() == 0) return;
    if (state.context->cancel) state.context->cancel->check();
    if (plan_.with_ordinality) {
      Vector numbers;
      auto* values = numbers.allocate_as<int64_t>(TypeId::kBigInt, chunk.size);
      for (uint32_t i = 0; i < chunk.count(); ++i) values[chunk.selection[i]] = ordinal++;
      chunk.columns.resize(plan_.columns.size() - 1);
      chunk.columns.push_back(std::move(numbers));
    }
    rows->append(chunk.columns, chunk.selection);
  });
  rows->seal();
  publish(std::move(rows));
}

void VirtualScanOperator::start(EvaluationState& state) {
  std::vector<Value> arguments;
  for (const BoundPtr& expression : plan_.expressions)
    arguments.push_back(evaluate_constant(state, *expression));
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  plan_.virtual_table->produce(*state.context, arguments, [&](DataChunk& chunk) {
    if (chunk.count() > 0) rows->append(chunk.columns, chunk.selection);
  });
  rows->seal();
  publish(std::move(rows));
}

void UnionAllOperator::start(EvaluationState& state) {
  first_morsel_.assign(1, 0);
  for (const OperatorPtr& input : inputs_) {
    input->start(state);
    first_morsel_.push_back(first_morsel_.back() + input->morsel_count());
  }
}

uint64_t UnionAllOperator::row_estimate() const {
  uint64_t rows = 0;
  for (const OperatorPtr& input : inputs_) rows += input->row_estimate();
  return rows;
}

void UnionAllOperator::reset() {
  for (const OperatorPtr& input : inputs_) input->reset();
}

class UnionAllOperator::Stream final : public MorselStream {
 public:
  Stream(UnionAllOperator& all, EvaluationState& state)
      : union_(all), state_(state), streams_(all.inputs_.size()) {}

  void begin(size_t morsel) override {
    const auto& first = union_.first_morsel_;
    const auto after = std::upper_bound(first.begin(), first.end(), morsel);
    input_ = static_cast<size_t>(after - first.begin()) - 1;
    if (!streams_[input_]) streams_[input_] = union_.inputs_[input_]->open(state_);
    streams_[input_]->begin(morsel - first[input_]);
  }
  bool next(DataChunk* chunk) override { return streams_[input_]->next(chunk); }

 private:
  UnionAllOperator& union_;
  EvaluationState& state_;
  std::vector<std::unique_ptr<MorselStream>> streams_;
  size_t input_ = 0;
};

std::unique_ptr<MorselStream> UnionAllOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
