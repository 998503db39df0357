#include "query/recursive_operator.h"

#include <array>

#include "query/group_table.h"
#include "query/row_source.h"

namespace idem {

void SharedRowsOperator::start(EvaluationState& state) {
  PlanRun::Shared& shared = run_.shared.at(plan_.shared_id);
  if (shared.computed_in != run_.number) {
    shared.query->start(state);
    shared.rows = keep_rows(*shared.query, state, column_types(plan_));
    shared.query->reset();
    shared.computed_in = run_.number;
  }
  publish(shared.rows);
}

void WorkingTableOperator::start(EvaluationState&) { publish(run_.shared.at(plan_.shared_id).rows); }

// The rows of all rounds so far.
class RecursiveOperator::Rounds {
 public:
  Rounds(const LogicalPlan& plan, const ExecutionContext& context)
      : context_(context),
        types_(column_types(plan)),
        keeps_duplicates_(plan.set_all),
        seen_(keeps_duplicates_ ? std::vector<SqlType>() : types_, context.memory),
        rows_(std::make_shared<KeptRows>(types_, context)) {}

  const std::vector<SqlType>& types() const { return types_; }
  uint64_t rows() const { return rows_->rows(); }

  // Adds a round's rows, without those that were met before, and returns them.
  std::shared_ptr<const KeptRows> add(std::shared_ptr<const KeptRows> round) {
    auto fresh = keeps_duplicates_ ? nullptr : std::make_shared<KeptRows>(types_, context_);
    const std::unique_ptr<MorselStream> stream = round->open();
    DataChunk chunk;
    for (size_t morsel = 0; morsel < round->morsel_count(); ++morsel) {
      stream->begin(morsel);
      while (stream->next(&chunk)) {
        if (context_.cancel) context_.cancel->check();
        if (fresh) {
          chunk.selection = select_fresh(chunk);
          if (chunk.count() > 0) fresh->append(chunk);
        }
        if (chunk.count() > 0) rows_->append(chunk);
      }
    }
    if (!fresh) return round;
    fresh->finish();
    return fresh;
  }

  std::shared_ptr<const KeptRows> finish() {
    rows_->finish();
    return std::move(rows_);
  }

 private:
  Selection select_fresh(const DataChunk& chunk) {
    uint32_t next = seen_.size(), count = 0;
    seen_.find_or_insert(chunk.columns.data(), chunk.selection, groups_.data());
    for (uint32_t i = 0; i < chunk.count(); ++i) {
      if (groups_[i] != next) continue;
      selected_[count++] = static_cast<uint16_t>(chunk.selection[i]);
      ++next;
    }
    return {selected_.data(), count};
  }

  const ExecutionContext& context_;
  const std::vector<SqlType> types_;
  const bool keeps_duplicates_;
  GroupTable seen_;
  std::shared_ptr<KeptRows> rows_;
  std::array<uint32_t, kVectorSize> groups_;
  std::array<uint16_t, kVectorSize> selected_;
};

void RecursiveOperator::start(EvaluationState& state) {
  Rounds rounds(plan_, *state.context);
  first_->start(state);
  std::shared_ptr<const KeptRows> round = rounds.add(keep_rows(*first_, state, rounds.types()));
  first_->reset();
  PlanRun::Shared& shared = run_.shared[plan_.shared_id];
  while (round->rows() > 0 && rounds.rows() < plan_.limit_hint.value_or(UINT64_MAX)) {
    if (state.context->cancel) state.context->cancel->check();
    shared.rows = std::move(round);
    step_->start(state);
    round = rounds.add(keep_rows(*step_, state, rounds.types()));
  }
  step_->reset();
  shared.rows.reset();
  publish(rounds.finish());
}

}  // namespace idem
