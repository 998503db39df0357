#include "query/lateral_operators.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/column_expressions.h"
#include "query/expression_evaluator.h"
#include "query/prepared_plan.h"
#include "query/row_source.h"
#include "query/row_store.h"

namespace idem {

namespace {

// Rows that one input chunk has become, handed out vector by vector.
class ChunkResult {
 public:
  void set(std::shared_ptr<RowStore> rows) {
    rows_ = std::move(rows);
    rows_->seal();
    segment_ = 0;
    at_ = 0;
  }
  bool next(DataChunk* chunk) {
    while (rows_ && segment_ < rows_->segment_count()) {
      const uint32_t rows = rows_->segment_rows(segment_);
      if (at_ < rows) {
        const uint32_t count = std::min(kVectorSize, rows - at_);
        rows_->read(segment_, at_, count, chunk);
        at_ += count;
        return true;
      }
      ++segment_;
      at_ = 0;
    }
    rows_.reset();
    return false;
  }

 private:
  std::shared_ptr<RowStore> rows_;
  size_t segment_ = 0;
  uint32_t at_ = 0;
};

// One row's value as a vector for any number of rows. Symbols stay codes of their dictionary.
Vector constant_of(const Vector& vector, uint32_t row) {
  const auto at = static_cast<uint16_t>(row);
  Vector one = compact(vector, {&at, 1});
  one.form = Vector::Form::kConstant;
  return one;
}

}  // namespace

class LateralJoinOperator::Stream final : public MorselStream {
 public:
  Stream(LateralJoinOperator& join, EvaluationState& state)
      : join_(join),
        state_(state),
        left_(join.left_->open(state)),
        slots_(slot_expressions(join.plan_), state),
        right_(join.plan_.children[1], *state.context) {
    if (join.plan_.join_condition) condition_.emplace(*join.plan_.join_condition);
  }

  void begin(size_t morsel) override {
    left_->begin(morsel);
    result_ = ChunkResult();
  }

  bool next(DataChunk* chunk) override {
    while (!result_.next(chunk)) {
      if (!left_->next(&input_)) return false;
      join_chunk();
    }
    return true;
  }

 private:
  static std::vector<const BoundExpression*> slot_expressions(const LogicalPlan& plan) {
    std::vector<const BoundExpression*> expressions;
    for (const auto& [slot, expression] : plan.correlated) expressions.push_back(expression.get());
    return expressions;
  }

  void join_chunk() {
    const LogicalPlan& plan = join_.plan_;
    const size_t left_columns = input_.columns.size();
    const size_t right_columns = plan.children[1]->columns.size();
    auto out = RowStore::make(column_types(plan), state_.context->memory);
    slots_.evaluate(input_, &slot_values_);
    row_state_.context = state_.context;
    row_state_.slots = state_.slots;
    DataChunk pair;
    pair.columns.resize(left_columns + right_columns);
    std::array<uint16_t, kVectorSize> selected;
    for (uint32_t i = 0; i < input_.count(); ++i) {
      const uint32_t row = input_.selection[i];
      for (size_t s = 0; s < plan.correlated.size(); ++s) {
        row_state_.slots[plan.correlated[s].first] = slot_values_[s].value_at(row);
      }
      for (size_t c = 0; c < left_columns; ++c) pair.columns[c] = constant_of(input_.columns[c], row);
      bool met = false;
      right_.run(row_state_, [&](DataChunk& right) {
        std::copy(right.columns.begin(), right.columns.begin() + static_cast<ptrdiff_t>(right_columns),
                  pair.columns.begin() + static_cast<ptrdiff_t>(left_columns));
        pair.size = right.size;
        pair.selection = right.selection;
        if (condition_) {
          pair.selection = {selected.data(),
                            condition_->select(state_, pair, right.selection, selected.data())};
        }
        if (pair.count() > 0) {
          met = true;
          out->append(pair);
        }
        return true;
      });
      if (met || plan.join_type != JoinType::kLeft) continue;
      for (size_t c = 0; c < right_columns; ++c) {
        pair.columns[left_columns + c] = Vector::constant_null(plan.children[1]->columns[c].type);
      }
      pair.set_size(1);
      out->append(pair);
    }
    result_.set(std::move(out));
  }

  LateralJoinOperator& join_;
  EvaluationState& state_;
  EvaluationState row_state_;  // with the slots of the left row at hand
  std::unique_ptr<MorselStream> left_;
  ColumnExpressions slots_;
  PreparedPlan right_;
  std::optional<ExpressionEvaluator> condition_;
  DataChunk input_;
  std::vector<Vector> slot_values_;
  ChunkResult result_;
};

std::unique_ptr<MorselStream> LateralJoinOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

class ProjectSetOperator::Stream final : public MorselStream {
 public:
  Stream(ProjectSetOperator& project, EvaluationState& state)
      : project_(project),
        state_(state),
        input_stream_(project.input_->open(state)),
        arguments_(all_arguments(project.plan_), state) {
    size_t column = project.plan_.children[0]->columns.size();
    for (const SetCall& call : project.plan_.set_calls) {
      std::vector<SqlType> types;
      for (uint32_t c = 0; c < call.column_count; ++c) types.push_back(project.plan_.columns[column++].type);
      call_rows_.push_back(RowStore::make(std::move(types), state.context->memory));
    }
  }

  void begin(size_t morsel) override {
    input_stream_->begin(morsel);
    result_ = ChunkResult();
  }

  bool next(DataChunk* chunk) override {
    while (!result_.next(chunk)) {
      if (!input_stream_->next(&input_)) return false;
      project_chunk();
    }
    return true;
  }

 private:
  static std::vector<const BoundExpression*> all_arguments(const LogicalPlan& plan) {
    std::vector<const BoundExpression*> arguments;
    for (const SetCall& call : plan.set_calls) {
      for (const BoundPtr& argument : call.arguments) arguments.push_back(argument.get());
    }
    return arguments;
  }

  void project_chunk() {
    const LogicalPlan& plan = project_.plan_;
    auto out = RowStore::make(column_types(plan), state_.context->memory);
    arguments_.evaluate(input_, &argument_values_);
    for (uint32_t i = 0; i < input_.count(); ++i) {
      const uint32_t row = input_.selection[i];
      size_t argument = 0;
      uint64_t longest = 0;
      for (size_t c = 0; c < plan.set_calls.size(); ++c) {
        const SetCall& call = plan.set_calls[c];
        std::vector<Value> values;
        for (size_t a = 0; a < call.arguments.size(); ++a)
          values.push_back(argument_values_[argument++].value_at(row));
        RowStore& rows = *call_rows_[c];
        rows.clear();
        call.function->run(state_, call.types, values, [&](DataChunk& chunk) {
          if (chunk.count() > 0) rows.append(chunk.columns, chunk.selection);
        });
        rows.seal();
        longest = std::max(longest, rows.rows());
      }
      append_rows(*out, row, longest);
    }
    result_.set(std::move(out));
  }

  void append_rows(RowStore& out, uint32_t row, uint64_t longest) {
    DataChunk chunk;
    for (const Vector& column : input_.columns) chunk.columns.push_back(constant_of(column, row));
    const size_t input_columns = chunk.columns.size();
    std::vector<uint32_t> ids(kVectorSize);
    for (uint64_t first = 0; first < longest; first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(kVectorSize, longest - first));
      chunk.columns.resize(input_columns);
      for (const std::shared_ptr<RowStore>& rows : call_rows_) {
        for (uint32_t i = 0; i < count; ++i) {
          ids[i] = first + i < rows->rows() ? static_cast<uint32_t>(first + i) : RowStore::kNoRow;
        }
        for (size_t c = 0; c < rows->column_count(); ++c) {
          chunk.columns.emplace_back();
          rows->gather(c, ids.data(), count, true, &chunk.columns.back());
        }
      }
      chunk.set_size(count);
      out.append(chunk);
    }
  }

  ProjectSetOperator& project_;
  EvaluationState& state_;
  std::unique_ptr<MorselStream> input_stream_;
  ColumnExpressions arguments_;
  std::vector<std::shared_ptr<RowStore>> call_rows_;  // of the input row at hand
  DataChunk input_;
  std::vector<Vector> argument_values_;
  ChunkResult result_;
};

std::unique_ptr<MorselStream> ProjectSetOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
