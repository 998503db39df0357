#include "query/recursive_operator.h"

#include <array>

#include "query/group_table.h"
#include "query/row_source.h"

namespace idem {

void SharedRowsOperator::start(EvaluationState& state) {
  PlanRun::Shared& shared = run_.shared.at(plan_.shared_id);
  if (shared.computed_in != run_.number) {
    shared.query->start(state);
    shared.rows = materialize(*shared.query, state, column_types(plan_));
    shared.query->reset();
    shared.computed_in = run_.number;
  }
  publish(shared.rows);
}

void WorkingTableOperator::start(EvaluationState&) { publish(run_.shared.at(plan_.shared_id).rows); }

void RecursiveOperator::start(EvaluationState& state) {
  const std::vector<SqlType> types = column_types(plan_);
  MemoryBudget* budget = state.context->memory;
  const bool keep_duplicates = plan_.set_all;
  GroupTable seen(keep_duplicates ? std::vector<SqlType>() : types, budget);
  auto result = RowStore::make(types, budget);
  // Appends the round's rows, without those seen before, to the result and returns them.
  const auto take_round = [&](const RowStore& round) {
    auto fresh = RowStore::make(types, budget);
    DataChunk chunk;
    std::array<uint32_t, kVectorSize> groups;
    std::array<uint16_t, kVectorSize> rows;
    for (size_t s = 0; s < round.segment_count(); ++s) {
      for (uint32_t first = 0; first < round.segment_rows(s); first += kVectorSize) {
        round.read(s, first, std::min(kVectorSize, round.segment_rows(s) - first), &chunk);
        if (!keep_duplicates) {
          uint32_t next = seen.size();
          seen.find_or_insert(chunk.columns.data(), chunk.selection, groups.data());
          uint32_t count = 0;
          for (uint32_t i = 0; i < chunk.size; ++i) {
            if (groups[i] != next) continue;
            rows[count++] = static_cast<uint16_t>(i);
            ++next;
          }
          chunk.selection = {rows.data(), count};
        }
        if (chunk.count() == 0) continue;
        fresh->append(chunk);
        result->append(chunk);
      }
    }
    fresh->seal();
    return fresh;
  };

  first_->start(state);
  std::shared_ptr<RowStore> round = take_round(*materialize(*first_, state, types));
  first_->reset();
  PlanRun::Shared& shared = run_.shared[plan_.shared_id];
  while (round->rows() > 0 && result->rows() < plan_.limit_hint.value_or(UINT64_MAX)) {
    if (state.context->cancel) state.context->cancel->check();
    shared.rows = round;
    step_->start(state);
    round = take_round(*materialize(*step_, state, types));
  }
  step_->reset();
  shared.rows.reset();
  result->seal();
  publish(result);
}

}  // namespace idem
