#include "query/window_operator.h"

#include <algorithm>
#include <atomic>

#include "common/error.h"
#include "common/worker_pool.h"
#include "query/column_expressions.h"
#include "query/execution.h"
#include "query/expression_evaluator.h"
#include "query/plan_order.h"
#include "query/range_reader.h"
#include "query/row_sorter.h"
#include "query/row_source.h"
#include "query/window_functions.h"

namespace idem {

WindowOperator::WindowOperator(const LogicalPlan& plan, OperatorPtr input, bool in_memory)
    : plan_(plan),
      input_(std::move(input)),
      in_memory_(in_memory),
      row_types_(column_types(*plan.children[0])) {
  for (const LogicalPlan::Window& window : plan.windows) {
    Columns columns;
    for (const BoundPtr& expression : window.partition_by)
      columns.partition.push_back(column_of(*expression));
    for (const SortKey& key : window.order_by) columns.order.push_back(column_of(*key.expression));
    const auto& arguments = window.aggregate.function ? window.aggregate.arguments : window.arguments;
    for (const BoundPtr& argument : arguments) columns.arguments.push_back(column_of(*argument));
    if (window.aggregate.filter) columns.filter = column_of(*window.aggregate.filter);

    const size_t index = columns_.size();
    const auto same = [&](const Order& order) {
      const LogicalPlan::Window& other = plan_.windows[order.windows[0]];
      if (order.partition_columns != columns.partition || order.order_columns != columns.order) return false;
      return std::equal(window.order_by.begin(), window.order_by.end(), other.order_by.begin(),
                        [](const SortKey& a, const SortKey& b) {
                          return a.descending == b.descending && a.nulls_first == b.nulls_first;
                        });
    };
    auto order = std::find_if(orders_.begin(), orders_.end(), same);
    if (order == orders_.end()) {
      order = orders_.insert(orders_.end(), Order());
      order->partition_columns = columns.partition;
      order->order_columns = columns.order;
      order->in_order = window.order_by.size() == 1 && window.order_by[0].expression->is_column() &&
                        is_table_time(*plan.children[0], window.order_by[0].expression->index);
    }
    order->windows.push_back(index);
    order_of_.push_back(static_cast<size_t>(order - orders_.begin()));
    columns_.push_back(std::move(columns));
  }
  limit_ = limit_spec();
}

std::optional<PartitionTop::Spec> WindowOperator::limit_spec() const {
  if (!plan_.limit_hint) return std::nullopt;
  const LogicalPlan::Window& window = plan_.windows[0];
  const Order& order = orders_[0];
  PartitionTop::Spec spec;
  spec.types = row_types_;
  spec.partition = order.partition_columns;
  spec.limit = *plan_.limit_hint;
  for (size_t i = 0; i < order.order_columns.size(); ++i) {
    spec.order.push_back(
        {order.order_columns[i], window.order_by[i].descending, window.order_by[i].nulls_first});
  }
  // Of several the one that lets the most rows through: dense_rank() <= rank() <= row_number().
  for (const LogicalPlan::Window& each : plan_.windows) {
    if (each.function_name == "dense_rank") spec.ties = PartitionTop::Ties::kDenseRank;
    if (each.function_name == "rank" && spec.ties == PartitionTop::Ties::kRowNumber)
      spec.ties = PartitionTop::Ties::kRank;
  }
  if (spec.ties == PartitionTop::Ties::kRowNumber) {
    if (order.order_columns.empty()) spec.by = PartitionTop::Order::kArrival;
    if (order.in_order) {
      spec.by =
          window.order_by[0].descending ? PartitionTop::Order::kLatestFirst : PartitionTop::Order::kArrival;
    }
  } else if (order.order_columns.empty()) {
    return std::nullopt;  // all rows are peers
  }
  for (size_t i = 0; i < window.partition_by.size(); ++i) {
    if (physical_type(window.partition_by[i]->type) == PhysicalType::kInt64 &&
        rises_with_time(*window.partition_by[i], *plan_.children[0])) {
      spec.rising = order.partition_columns[i];
    }
  }
  return spec;
}

WindowOperator::~WindowOperator() = default;

uint32_t WindowOperator::column_of(const BoundExpression& expression) {
  if (expression.is_column()) return expression.index;
  for (size_t i = 0; i < computed_.size(); ++i) {
    if (computed_[i]->equals(expression)) return static_cast<uint32_t>(plan_.children[0]->columns.size() + i);
  }
  computed_.push_back(&expression);
  row_types_.push_back(expression.type);
  return static_cast<uint32_t>(row_types_.size() - 1);
}

std::vector<SortColumn> WindowOperator::sort_columns(const Order& order) const {
  const LogicalPlan::Window& window = plan_.windows[order.windows[0]];
  std::vector<SortColumn> columns;
  for (const uint32_t column : order.partition_columns) columns.push_back({column, false, false});
  for (size_t i = 0; i < order.order_columns.size(); ++i) {
    columns.push_back(
        {order.order_columns[i], window.order_by[i].descending, window.order_by[i].nulls_first});
  }
  return columns;
}

void WindowOperator::sort(Order& order, EvaluationState& state) const {
  if (limit_) {
    order.ids = kept_;
  } else {
    rows_->all_ids(&order.ids);
  }
  RowSorter sorter(*rows_, sort_columns(order));
  if (order.in_order) sorter.use_order_of_rows();
  sorter.sort(&order.ids, *state.context, order.partition_columns.size(), &order.changes);
  order.partition_begin.clear();
  for (size_t i = 0; i < order.ids.size(); ++i) {
    if (order.changes[i] == RowChange::kHead) order.partition_begin.push_back(i);
  }
  order.partition_begin.push_back(order.ids.size());
}

FrameOffsets WindowOperator::frame_offsets(const LogicalPlan::Window& window, EvaluationState& state) const {
  const auto offset_value = [&](const BoundPtr& expression, std::string_view which) {
    if (!expression) return Value();
    Value value = evaluate_constant(state, *expression);
    if (value.is_null()) throw sql_error("22004", "frame {} offset must not be null", which);
    const bool negative = physical_type(value.type()) == PhysicalType::kInt64 || is_integer(value.type().id)
                              ? value.as_int() < 0
                          : physical_type(value.type()) == PhysicalType::kDouble ? value.as_double() < 0
                                                                                 : false;
    if (negative) throw sql_error("22013", "frame {} offset must not be negative", which);
    return value;
  };
  return {offset_value(window.start_offset, "starting"), offset_value(window.end_offset, "ending")};
}

// Without rows.
WindowFunction::Input WindowOperator::function_input(size_t w, const FrameOffsets& offsets,
                                                     EvaluationState& state) const {
  WindowFunction::Input input;
  input.window = &plan_.windows[w];
  input.offsets = &offsets;
  input.arguments = columns_[w].arguments;
  input.filter = columns_[w].filter;
  if (columns_[w].order.size() == 1) input.order_column = columns_[w].order[0];
  input.state = &state;
  return input;
}

void WindowOperator::compute(size_t w, const Order& order, EvaluationState& state) {
  const LogicalPlan::Window& window = plan_.windows[w];
  const FrameOffsets offsets = frame_offsets(window, state);
  const size_t partitions = order.partition_begin.size() - 1;
  const bool parallel = state.context->workers && rows_->rows() >= kParallelRows && partitions > 1;
  const size_t workers = parallel ? static_cast<size_t>(std::max(state.context->worker_count, 1)) : 1;
  // Consecutive partitions for each worker, about the same number of rows.
  std::vector<size_t> first_partition = {0};
  for (size_t i = 1; i < workers; ++i) {
    const auto at = std::lower_bound(order.partition_begin.begin(), order.partition_begin.end() - 1,
                                     order.ids.size() * i / workers);
    first_partition.push_back(
        std::max(first_partition.back(), static_cast<size_t>(at - order.partition_begin.begin())));
  }
  first_partition.push_back(partitions);

  std::vector<std::shared_ptr<RowStore>> parts(workers);
  const auto work = [&](size_t worker) {
    EvaluationState own = state;
    WindowFunction::Input input = function_input(w, offsets, own);
    input.rows = rows_.get();
    input.ids = &order.ids;
    const std::unique_ptr<WindowFunction> function = WindowFunction::make(input);
    parts[worker] = RowStore::make({result_type(window)}, state.context->memory);
    PartitionRows rows;
    for (size_t p = first_partition[worker]; p < first_partition[worker + 1]; ++p) {
      if (state.context->cancel) state.context->cancel->check();
      rows.set_places(order.partition_begin[p], order.partition_begin[p + 1], order.changes);
      rows.first = rows.begin;
      rows.last = rows.end;
      rows.rows = rows.end - rows.begin;
      function->run(rows, *parts[worker]);
    }
  };
  if (workers == 1) {
    work(0);
  } else {
    state.context->workers->parallel_run(workers, work);
  }
  for (size_t i = 1; i < workers; ++i) parts[0]->take(std::move(*parts[i]));
  parts[0]->seal();
  results_[w].values = parts[0];
  results_[w].ids.clear();
  parts[0]->all_ids(&results_[w].ids);
}

// Reads the input and calls consume(range, chunk) with its rows and the computed columns behind them.
template <class Consume>
static void read_with_computed(Operator& input, EvaluationState& state, const MorselRanges& ranges,
                               const std::vector<const BoundExpression*>& computed, size_t input_columns,
                               Consume&& consume) {
  read_ranges(input, state, ranges, [&](size_t range, RangeReader& reader) {
    ColumnExpressions expressions(computed, reader.state());
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(input_columns + computed.size());
      expressions.evaluate(chunk, chunk.columns.data() + input_columns);
      consume(range, chunk);
      chunk.columns.resize(input_columns);
    }
  });
}

// The columns that every window is partitioned by.
std::vector<SortColumn> WindowOperator::common_partition() const {
  std::vector<SortColumn> common;
  for (const uint32_t column : orders_[0].partition_columns) {
    const bool everywhere = std::all_of(orders_.begin(), orders_.end(), [&](const Order& order) {
      return std::find(order.partition_columns.begin(), order.partition_columns.end(), column) !=
             order.partition_columns.end();
    });
    if (everywhere) common.push_back({column, false, false});
  }
  return common;
}

void WindowOperator::keep_all(EvaluationState& state) {
  // For each window: a result, its id, and the place of a row.
  const uint64_t bytes_per_row = RowSorter::kBytesPerRow + plan_.windows.size() * 3 * sizeof(uint64_t);
  RunSpec spec{row_types_, computed_, common_partition(), true, in_memory_, bytes_per_row};
  const bool slices = spec.columns.empty();
  if (slices) {
    spec.columns = sort_columns(orders_[0]);
    spec.whole_heads = false;
    spec.in_memory = in_memory_ || !can_slice();
  }
  RowsOrRuns read = read_rows_or_runs(*input_, state, spec);
  rows_ = std::move(read.rows);
  runs_ = std::move(read.runs);
  in_slices_ = runs_ && slices;
}

bool WindowOperator::can_slice() const {
  return std::all_of(plan_.windows.begin(), plan_.windows.end(),
                     [](const LogicalPlan::Window& window) { return reach_of(window).has_value(); });
}

WindowSlices::Spec WindowOperator::slices_of(size_t number, EvaluationState& state) const {
  const Order& order = orders_[number];
  WindowSlices::Spec spec;
  spec.runs = runs_.get();
  spec.types = row_types_;
  for (size_t before = 0; before < number; ++before) {
    for (const size_t w : orders_[before].windows) spec.types.push_back(result_type(plan_.windows[w]));
  }
  spec.columns = spec.types.size();
  spec.partition_columns = order.partition_columns;
  spec.order_columns = order.order_columns;
  for (const size_t w : order.windows) {
    const LogicalPlan::Window& window = plan_.windows[w];
    spec.windows.push_back({&window, *reach_of(window), function_input(w, offsets_[w], state)});
  }
  return spec;
}

// Computes the windows of all orders but the last one; the runs of each have the values of those before.
void WindowOperator::compute_slices(EvaluationState& state) {
  const ExecutionContext& context = *state.context;
  const SpillLimit limit(context);
  offsets_.clear();
  for (const LogicalPlan::Window& window : plan_.windows) offsets_.push_back(frame_offsets(window, state));
  for (size_t order = 1; order < orders_.size(); ++order) {
    const std::vector<SqlType> types = slices_of(order, state).types;
    auto sorted = std::make_shared<SortedRuns>(types, sort_columns(orders_[order]), 0, 1, context);
    auto rows = RowStore::make(types, context.memory);
    WindowSlices slices(slices_of(order - 1, state), context);
    DataChunk chunk;
    while (slices.next(&chunk)) {
      rows->append(chunk);
      const uint64_t held = rows->memory_bytes() + rows->rows() * RowSorter::kBytesPerRow;
      if (!limit.reached(held, rows->next_growth())) continue;
      sorted->add(0, *rows, context);
      rows = RowStore::make(types, context.memory);
    }
    sorted->add(0, *rows, context);
    rows.reset();
    sorted->finish(context);
    spilled_bytes_ += runs_->spilled_bytes();
    runs_ = std::move(sorted);
  }
}

void WindowOperator::keep_first(EvaluationState& state) {
  const MorselRanges ranges = one_range_per_worker(*input_, *state.context);
  std::vector<std::unique_ptr<PartitionTop>> parts(std::max<size_t>(ranges.count, 1));
  for (auto& part : parts) part = std::make_unique<PartitionTop>(*limit_, state.context->memory);
  read_with_computed(*input_, state, ranges, computed_, plan_.children[0]->columns.size(),
                     [&](size_t range, const DataChunk& chunk) { parts[range]->add(chunk); });
  for (size_t i = 1; i < parts.size(); ++i) {
    parts[0]->merge(std::move(*parts[i]));
    parts[i].reset();
  }
  kept_ = parts[0]->finish();
  rows_ = parts[0]->rows();
  all_first_ = limit_->limit == 1 && parts[0]->is_exact();
}

void WindowOperator::start(EvaluationState& state) {
  ++starts_;
  reset();
  input_->start(state);
  if (limit_) {
    keep_first(state);
  } else {
    keep_all(state);
  }
  input_->reset();
  results_.resize(plan_.windows.size());
  if (in_slices_) return compute_slices(state);
  if (runs_ || rows_->rows() == 0) return;
  if (all_first_) {
    orders_.back().ids = kept_;
    return;
  }
  for (Order& order : orders_) {
    sort(order, state);
    for (const size_t w : order.windows) compute(w, order, state);
    if (&order == &orders_.back()) continue;
    order.place_of.resize(rows_->segment_count() << RowStore::kSegmentBits);
    for (size_t place = 0; place < order.ids.size(); ++place)
      order.place_of[order.ids[place]] = static_cast<uint32_t>(place);
  }
}

size_t WindowOperator::morsel_count() const {
  if (in_slices_) return 1;
  if (runs_) return runs_->morsel_count();
  if (!rows_ || rows_->rows() == 0) return 0;
  return (orders_.back().ids.size() + RowStore::kSegmentRows - 1) / RowStore::kSegmentRows;
}

uint64_t WindowOperator::row_estimate() const {
  if (runs_) return runs_->rows();
  return rows_ && rows_->rows() > 0 ? orders_.back().ids.size() : 0;
}

void WindowOperator::reset() {
  runs_.reset();
  in_slices_ = false;
  spilled_bytes_ = 0;
  rows_.reset();
  kept_.clear();
  all_first_ = false;
  results_.clear();
  for (Order& order : orders_) {
    order.ids.clear();
    order.changes.clear();
    order.place_of.clear();
  }
}

void WindowOperator::describe(OperatorDetails& details) const {
  if (runs_) details.spilled_bytes = spilled_bytes_ + runs_->spilled_bytes();
  if (!rows_) return;
  details.memory_bytes = rows_->memory_bytes();
  for (const Result& result : results_) {
    if (result.values)
      details.memory_bytes += result.values->memory_bytes() + result.ids.size() * sizeof(uint32_t);
  }
}

class WindowOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const WindowOperator& window) : window_(window) {}

  void begin(size_t morsel) override {
    at_ = morsel * RowStore::kSegmentRows;
    end_ = std::min<size_t>(window_.orders_.back().ids.size(), at_ + RowStore::kSegmentRows);
  }

  bool next(DataChunk* chunk) override {
    if (at_ >= end_) return false;
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, end_ - at_));
    const size_t input_columns = window_.plan_.children[0]->columns.size();
    const Order& last = window_.orders_.back();
    chunk->columns.resize(input_columns + window_.results_.size());
    for (size_t c = 0; c < input_columns; ++c) {
      window_.rows_->gather(c, last.ids.data() + at_, count, false, &chunk->columns[c]);
    }
    places_.resize(count);
    for (size_t w = 0; w < window_.results_.size(); ++w) {
      if (window_.all_first_) {
        chunk->columns[input_columns + w] = Vector::constant(Value::of_int(window_.plan_.windows[w].type, 1));
        continue;
      }
      const Order& order = window_.orders_[window_.order_of_[w]];
      const Result& result = window_.results_[w];
      for (uint32_t i = 0; i < count; ++i) {
        const size_t place = &order == &last ? at_ + i : order.place_of[last.ids[at_ + i]];
        places_[i] = result.ids[place];
      }
      result.values->gather(0, places_.data(), count, false, &chunk->columns[input_columns + w]);
    }
    chunk->set_size(count);
    at_ += count;
    return true;
  }

 private:
  const WindowOperator& window_;
  size_t at_ = 0, end_ = 0;
  std::vector<uint32_t> places_;
};

// Works up one part of the runs after the other, with whole partitions each.
class WindowOperator::RunsStream final : public MorselStream {
 public:
  RunsStream(const WindowOperator& window, EvaluationState& state)
      : window_(window), context_(*state.context), state_(state) {
    context_.workers = nullptr;  // the parts are divided among threads
    state_.context = &context_;
  }

  void begin(size_t morsel) override {
    stream_.reset();
    part_.reset();  // gives its memory back first
    auto rows = std::make_unique<Part>(*window_.runs_, morsel, window_.plan_.children[0]->columns.size());
    part_ = std::make_unique<WindowOperator>(window_.plan_, std::move(rows), true);
    part_->start(state_);
    stream_ = part_->open(state_);
    next_morsel_ = 0;
    in_morsel_ = false;
  }

  bool next(DataChunk* chunk) override {
    for (;;) {
      if (!in_morsel_) {
        if (next_morsel_ >= part_->morsel_count()) return false;
        stream_->begin(next_morsel_++);
        in_morsel_ = true;
      }
      if (stream_->next(chunk)) return true;
      in_morsel_ = false;
    }
  }

 private:
  // One morsel of the runs.
  class Part final : public Operator {
   public:
    Part(const SortedRuns& runs, size_t morsel, size_t columns)
        : runs_(runs), morsel_(morsel), columns_(columns) {}
    void start(EvaluationState&) override {}
    size_t morsel_count() const override { return 1; }
    uint64_t row_estimate() const override { return 0; }
    std::unique_ptr<MorselStream> open(EvaluationState& state) override {
      return std::make_unique<PartStream>(runs_.open(*state.context, columns_), morsel_);
    }

   private:
    const SortedRuns& runs_;
    const size_t morsel_, columns_;
  };
  class PartStream final : public MorselStream {
   public:
    PartStream(std::unique_ptr<MorselStream> runs, size_t morsel) : runs_(std::move(runs)), morsel_(morsel) {}
    void begin(size_t) override { runs_->begin(morsel_); }
    bool next(DataChunk* chunk) override { return runs_->next(chunk); }

   private:
    const std::unique_ptr<MorselStream> runs_;
    const size_t morsel_;
  };

  const WindowOperator& window_;
  ExecutionContext context_;
  EvaluationState state_;
  std::unique_ptr<WindowOperator> part_;
  std::unique_ptr<MorselStream> stream_;
  size_t next_morsel_ = 0;
  bool in_morsel_ = false;
};

// The rows in the last order, with the values of all windows.
class WindowOperator::SlicesStream final : public MorselStream {
 public:
  SlicesStream(const WindowOperator& window, EvaluationState& state) : window_(window), state_(state) {
    size_t column = window.row_types_.size();
    columns_.resize(window.plan_.windows.size());
    for (const Order& order : window.orders_) {
      for (const size_t w : order.windows) columns_[w] = column++;
    }
  }

  void begin(size_t) override {
    slices_.reset();
    slices_ = std::make_unique<WindowSlices>(window_.slices_of(window_.orders_.size() - 1, state_),
                                             *state_.context);
  }

  bool next(DataChunk* chunk) override {
    if (!slices_->next(&rows_)) return false;
    const size_t input_columns = window_.plan_.children[0]->columns.size();
    chunk->columns.assign(rows_.columns.begin(),
                          rows_.columns.begin() + static_cast<ptrdiff_t>(input_columns));
    for (const size_t column : columns_) chunk->columns.push_back(rows_.columns[column]);
    chunk->set_size(rows_.size);
    rows_.columns.clear();
    return true;
  }

 private:
  const WindowOperator& window_;
  EvaluationState& state_;
  std::vector<size_t> columns_;  // of each window
  std::unique_ptr<WindowSlices> slices_;
  DataChunk rows_;
};

std::unique_ptr<MorselStream> WindowOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(starts_, [this, &state]() -> std::unique_ptr<MorselStream> {
    if (in_slices_) return std::make_unique<SlicesStream>(*this, state);
    if (runs_) return std::make_unique<RunsStream>(*this, state);
    return std::make_unique<Stream>(*this);
  });
}

}  // namespace idem
