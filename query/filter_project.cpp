#include "query/filter_project.h"

#include "query/column_expressions.h"
#include "query/expression_evaluator.h"

namespace idem {

class FilterOperator::Stream final : public MorselStream {
 public:
  Stream(FilterOperator& filter, EvaluationState& state)
      : input_(filter.input_->open(state)), state_(state), condition_(filter.condition_) {}

  void begin(size_t morsel) override { input_->begin(morsel); }
  bool next(DataChunk* chunk) override {
    while (input_->next(chunk)) {
      if (!spare_ || spare_.use_count() != 1) spare_ = std::make_shared<std::array<uint16_t, kVectorSize>>();
      const uint32_t count = condition_.select(state_, *chunk, chunk->selection, spare_->data());
      if (count == chunk->count()) return true;
      if (count == 0) {
        if (state_.context->cancel) state_.context->cancel->check();
        continue;
      }
      std::swap(chunk->selection_storage, spare_);
      chunk->selection = {chunk->selection_storage->data(), count};
      return true;
    }
    return false;
  }

 private:
  std::unique_ptr<MorselStream> input_;
  EvaluationState& state_;
  ExpressionEvaluator condition_;
  std::shared_ptr<std::array<uint16_t, kVectorSize>> spare_;
};

std::unique_ptr<MorselStream> FilterOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

class ProjectOperator::Stream final : public MorselStream {
 public:
  Stream(ProjectOperator& project, EvaluationState& state)
      : input_(project.input_->open(state)), expressions_(project.expressions_, state) {}

  void begin(size_t morsel) override { input_->begin(morsel); }
  bool next(DataChunk* chunk) override {
    if (chunk->columns.size() == expressions_.size()) expressions_.release(chunk->columns.data());
    if (!input_->next(&rows_)) return false;
    expressions_.evaluate(rows_, &chunk->columns);
    chunk->size = rows_.size;
    chunk->selection = rows_.selection;
    chunk->selection_storage = rows_.selection_storage;
    return true;
  }

 private:
  std::unique_ptr<MorselStream> input_;
  ColumnExpressions expressions_;
  DataChunk rows_;
};

std::unique_ptr<MorselStream> ProjectOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
