#include "query/limit_operator.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "common/error.h"
#include "query/expression_evaluator.h"
#include "query/morsel_gather.h"
#include "query/row_source.h"

namespace idem {

RowLimit evaluate_limit(const LogicalPlan& plan, EvaluationState& state) {
  RowLimit limit;
  if (plan.offset) {
    const Value offset = evaluate_constant(state, *plan.offset);
    if (!offset.is_null()) {
      if (offset.as_int() < 0)
        throw sql_error(sqlstate::kInvalidRowCountInOffset, "OFFSET must not be negative");
      limit.offset = static_cast<uint64_t>(offset.as_int());
    }
  }
  if (plan.limit) {
    const Value count = evaluate_constant(state, *plan.limit);
    if (!count.is_null()) {
      limit.last = count.as_int() < 0;
      limit.count = limit.last ? uint64_t{0} - static_cast<uint64_t>(count.as_int())
                               : static_cast<uint64_t>(count.as_int());
    }
  }
  return limit;
}

namespace {

// The rows [first, first + count) of those selected.
void keep_selected(DataChunk* chunk, uint32_t first, uint32_t count) {
  if (first == 0 && count == chunk->count()) return;
  auto rows = std::make_shared<std::array<uint16_t, kVectorSize>>();
  for (uint32_t i = 0; i < count; ++i) (*rows)[i] = static_cast<uint16_t>(chunk->selection[first + i]);
  chunk->selection = {rows->data(), count};
  chunk->selection_storage = std::move(rows);
}

}  // namespace

void LimitOperator::start(EvaluationState& state) {
  limit_ = evaluate_limit(plan_, state);
  if (limit_.last) throw sql_error(sqlstate::kInvalidRowCountInLimit, "LIMIT must not be negative");
  if (limit_.count > 0) input_->start(state);
}

uint64_t LimitOperator::row_estimate() const {
  return limit_.count == 0 ? 0 : std::min(limit_.count, input_->row_estimate());
}

class LimitOperator::Stream final : public MorselStream {
 public:
  Stream(LimitOperator& limit, EvaluationState& state) : limit_(limit), state_(state) {}

  void begin(size_t) override {
    input_.emplace(*limit_.input_, state_);
    to_skip_ = limit_.limit_.offset;
    left_ = limit_.limit_.count;
  }

  bool next(DataChunk* chunk) override {
    while (left_ > 0 && input_->next(chunk)) {
      const uint32_t rows = chunk->count();
      if (to_skip_ >= rows) {
        to_skip_ -= rows;
        continue;
      }
      const auto first = static_cast<uint32_t>(to_skip_);
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(left_, rows - first));
      to_skip_ = 0;
      left_ -= count;
      keep_selected(chunk, first, count);
      return true;
    }
    input_.reset();
    left_ = 0;
    return false;
  }

 private:
  LimitOperator& limit_;
  EvaluationState& state_;
  std::optional<MorselGather> input_;
  uint64_t to_skip_ = 0, left_ = 0;
};

std::unique_ptr<MorselStream> LimitOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

void LastRowsOperator::start(EvaluationState& state) {
  const RowLimit limit = evaluate_limit(plan_, state);
  const uint64_t wanted = limit.count > UINT64_MAX - limit.offset ? UINT64_MAX : limit.count + limit.offset;
  input_->start(state);
  auto rows = RowStore::make(column_types(plan_), state.context->memory);
  auto ids = std::make_shared<std::vector<uint32_t>>();
  {
    MorselGather input(*input_, state);
    DataChunk chunk;
    if (input_is_reversed_) {
      while (rows->rows() < wanted && input.next(&chunk)) rows->append(chunk);
    } else {
      std::deque<DataChunk> kept;
      uint64_t count = 0;
      while (input.next(&chunk)) {
        count += chunk.count();
        kept.push_back(std::move(chunk));
        while (count - kept.front().count() >= wanted) {
          count -= kept.front().count();
          kept.pop_front();
        }
      }
      for (const DataChunk& part : kept) rows->append(part);
    }
  }
  input_->reset();
  rows->seal();
  rows->all_ids(ids.get());
  if (input_is_reversed_) std::reverse(ids->begin(), ids->end());
  // In order now, and at least the last `wanted` rows, of which the last `offset` are left out.
  ids->resize(ids->size() - std::min<uint64_t>(limit.offset, ids->size()));
  if (ids->size() > limit.count) ids->erase(ids->begin(), ids->end() - static_cast<ptrdiff_t>(limit.count));
  publish(std::move(rows), std::move(ids));
}

}  // namespace idem
