#include "query/rows_or_runs.h"

#include <algorithm>
#include <mutex>

#include "query/column_expressions.h"
#include "query/range_reader.h"

namespace idem {

RowsOrRuns read_rows_or_runs(Operator& input, EvaluationState& state, const RunSpec& spec) {
  const ExecutionContext& context = *state.context;
  const MorselRanges ranges = one_range_per_worker(input, context);
  const SpillLimit limit(context);
  const size_t input_columns = spec.types.size() - spec.computed.size();
  RowsOrRuns read;
  std::vector<std::shared_ptr<RowStore>> parts(std::max<size_t>(ranges.count, 1));
  std::vector<OperatorMemory> besides;  // kept until all threads have read
  for (auto& part : parts) {
    part = RowStore::make(spec.types, context.memory);
    besides.emplace_back(context.memory);
  }
  std::mutex mutex;
  const auto put_out = [&](size_t range) {
    {
      const std::lock_guard lock(mutex);
      if (!read.runs) {
        const size_t head = spec.whole_heads ? spec.columns.size() : 0;
        read.runs = std::make_shared<SortedRuns>(spec.types, spec.columns, head, parts.size(), context);
      }
    }
    read.runs->add(range, *parts[range], context);
    parts[range] = RowStore::make(spec.types, context.memory);
  };
  read_ranges(input, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions expressions(spec.computed, reader.state());
    OperatorMemory& beside = besides[range];
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(spec.types.size());
      expressions.evaluate(chunk, chunk.columns.data() + input_columns);
      parts[range]->append(chunk);
      chunk.columns.resize(input_columns);
      beside.set(parts[range]->rows() * spec.bytes_per_row);
      const uint64_t held = parts[range]->memory_bytes() + beside.bytes();
      if (spec.in_memory || !limit.reached(held, parts[range]->next_growth())) continue;
      beside = OperatorMemory(context.memory);  // the sort takes it now
      put_out(range);
    }
  });
  if (read.runs) {
    for (size_t range = 0; range < parts.size(); ++range) put_out(range);
    read.runs->finish(context);
    return read;
  }
  for (size_t i = 1; i < parts.size(); ++i) parts[0]->take(std::move(*parts[i]));
  parts[0]->seal();
  read.rows = std::move(parts[0]);
  return read;
}

size_t RowsOrRunsOperator::morsel_count() const {
  return runs_ ? runs_->morsel_count() : StoredRowsOperator::morsel_count();
}

uint64_t RowsOrRunsOperator::row_estimate() const {
  return runs_ ? runs_->rows() : StoredRowsOperator::row_estimate();
}

std::unique_ptr<MorselStream> RowsOrRunsOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(starts_, [this, &state] {
    return runs_ ? open_runs(*state.context) : StoredRowsOperator::open(state);
  });
}

void RowsOrRunsOperator::reset() {
  runs_.reset();
  StoredRowsOperator::reset();
}

void RowsOrRunsOperator::describe(OperatorDetails& details) const {
  StoredRowsOperator::describe(details);
  if (runs_) details.spilled_bytes = runs_->spilled_bytes();
}

void RowsOrRunsOperator::restart() {
  ++starts_;
  reset();
}

}  // namespace idem
