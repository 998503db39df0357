#include "query/sort_operator.h"

#include <algorithm>
#include <array>

#include "query/column_expressions.h"
#include "query/range_reader.h"
#include "query/row_source.h"
#include "query/top_bound.h"

namespace idem {

namespace {

constexpr uint64_t kMostTopRows = 100'000;  // beyond, sorting everything is as good
constexpr uint64_t kCandidateSlack = 256;   // little, so that the bound tightens early

}  // namespace

SortInput::SortInput(const std::vector<SortKey>& keys, std::vector<SqlType> input_types)
    : row_types_(std::move(input_types)), input_columns_(row_types_.size()) {
  for (const SortKey& key : keys) {
    uint32_t column = key.expression->index;
    if (!key.expression->is_column()) {
      column = static_cast<uint32_t>(row_types_.size());
      row_types_.push_back(key.expression->type);
      computed_.push_back(key.expression.get());
    }
    columns_.push_back({column, key.descending, key.nulls_first});
  }
}

SortOperator::SortOperator(const std::vector<SortKey>& keys, std::vector<SqlType> input_types,
                           OperatorPtr input)
    : input_(std::move(input)), sort_(keys, std::move(input_types)) {}

void SortOperator::start(EvaluationState& state) {
  restart();
  input_->start(state);
  RowsOrRuns read = read_rows_or_runs(
      *input_, state,
      {sort_.row_types(), sort_.computed(), sort_.columns(), false, false, RowSorter::kBytesPerRow});
  input_->reset();
  runs_ = std::move(read.runs);
  if (runs_) return;
  auto ids = std::make_shared<std::vector<uint32_t>>();
  read.rows->all_ids(ids.get());
  RowSorter(*read.rows, sort_.columns()).sort(ids.get(), *state.context);
  publish(std::move(read.rows), std::move(ids), sort_.input_columns());
}

std::unique_ptr<MorselStream> SortOperator::open_runs(const ExecutionContext& context) const {
  return runs_->open(context, sort_.input_columns());
}

TopRowsOperator::TopRowsOperator(const LogicalPlan& limit, const std::vector<SortKey>& keys,
                                 std::vector<SqlType> input_types, OperatorPtr input)
    : plan_(limit), sort_(keys, input_types) {
  auto sort = std::make_unique<SortOperator>(keys, std::move(input_types), std::move(input));
  input_ = &sort->input();
  all_ = std::make_unique<LimitOperator>(limit, std::move(sort));
  if (can_be_threshold(keys[0].expression->type)) {
    threshold_ = std::make_shared<SortThreshold>();
    threshold_->column = sort_.columns()[0].column;
    threshold_->descending = keys[0].descending;
    threshold_->nulls_first = keys[0].nulls_first;
  }
}

size_t TopRowsOperator::morsel_count() const {
  return sorts_all_ ? all_->morsel_count() : StoredRowsOperator::morsel_count();
}

uint64_t TopRowsOperator::row_estimate() const {
  return sorts_all_ ? all_->row_estimate() : StoredRowsOperator::row_estimate();
}

std::unique_ptr<MorselStream> TopRowsOperator::open(EvaluationState& state) {
  return std::make_unique<RestartedStream>(
      starts_, [this, &state] { return sorts_all_ ? all_->open(state) : StoredRowsOperator::open(state); });
}

void TopRowsOperator::reset() {
  all_->reset();
  StoredRowsOperator::reset();
}

void TopRowsOperator::describe(OperatorDetails& details) const {
  if (sorts_all_) return all_->describe(details);
  StoredRowsOperator::describe(details);
}

std::shared_ptr<SortThreshold> TopRowsOperator::make_threshold(uint32_t column) {
  if (!threshold_) return nullptr;
  threshold_->column = column;
  scan_knows_ = true;
  return threshold_;
}

// The best rows of one range, and some more that have not been thrown out yet.
class TopRowsOperator::Candidates {
 public:
  Candidates(const TopRowsOperator& top, uint64_t wanted, EvaluationState& state)
      : top_(top), wanted_(wanted), state_(state), bound_(top.sort_.columns()), rows_(make_store()) {}

  void add(const DataChunk& chunk, Selection selection) {
    const Selection wanted = {kept_.data(), bound_.select(chunk, selection, kept_.data())};
    if (wanted.count > 0) rows_->append(chunk.columns, wanted);
    if (rows_->rows() >= 2 * wanted_ + kCandidateSlack) shrink();
  }

  // Leaves the best rows, in their order of arrival.
  void shrink() {
    if (rows_->rows() <= wanted_) return;
    rows_->seal();
    std::vector<uint32_t> ids;
    rows_->all_ids(&ids);
    RowSorter(*rows_, top_.sort_.columns()).sort(&ids, *state_.context);
    ids.resize(wanted_);
    bound_.set(*rows_, ids.back());
    if (top_.threshold_) tighten(ids.back());
    std::sort(ids.begin(), ids.end());
    auto kept = make_store();
    DataChunk chunk;
    for (size_t first = 0; first < ids.size(); first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, ids.size() - first));
      rows_->gather(ids.data() + first, count, &chunk);
      kept->append(chunk);
    }
    rows_ = std::move(kept);
  }

  const std::shared_ptr<RowStore>& rows() const { return rows_; }

 private:
  std::shared_ptr<RowStore> make_store() const {
    return RowStore::make(top_.sort_.row_types(), state_.context->memory);
  }

  void tighten(uint32_t worst) {
    const SortColumn& key = top_.sort_.columns()[0];
    if (!rows_->is_valid(key.column, worst)) return;
    uint64_t bits = 0;
    switch (physical_type(rows_->type(key.column))) {
      case PhysicalType::kInt16:
        bits = ordered_bits(int64_t{rows_->value<int16_t>(key.column, worst)});
        break;
      case PhysicalType::kInt32:
        bits = ordered_bits(int64_t{rows_->value<int32_t>(key.column, worst)});
        break;
      case PhysicalType::kInt64: bits = ordered_bits(rows_->value<int64_t>(key.column, worst)); break;
      case PhysicalType::kFloat:
        bits = ordered_bits(static_cast<double>(rows_->value<float>(key.column, worst)));
        break;
      default: bits = ordered_bits(rows_->value<double>(key.column, worst)); break;
    }
    top_.threshold_->tighten(key.descending ? ~bits : bits);
  }

  const TopRowsOperator& top_;
  const uint64_t wanted_;
  EvaluationState& state_;
  TopBound bound_;
  std::array<uint16_t, kVectorSize> kept_;
  std::shared_ptr<RowStore> rows_;
};

void TopRowsOperator::sort_all_for_last(const RowLimit& limit, EvaluationState& state) {
  const std::shared_ptr<RowStore> rows =
      read_rows_or_runs(*input_, state, {sort_.row_types(), sort_.computed(), {}, false, true, 0}).rows;
  input_->reset();
  auto ids = std::make_shared<std::vector<uint32_t>>();
  rows->all_ids(ids.get());
  RowSorter(*rows, sort_.columns()).sort(ids.get(), *state.context);
  ids->resize(ids->size() - std::min<uint64_t>(limit.offset, ids->size()));
  if (ids->size() > limit.count) ids->erase(ids->begin(), ids->end() - static_cast<ptrdiff_t>(limit.count));
  publish(rows, std::move(ids), sort_.input_columns());
}

void TopRowsOperator::start(EvaluationState& state) {
  const RowLimit limit = evaluate_limit(plan_, state);
  if (threshold_) threshold_->bound.store(UINT64_MAX, std::memory_order_relaxed);
  const uint64_t wanted = limit.count > kMostTopRows ? UINT64_MAX : limit.count + limit.offset;
  ++starts_;
  sorts_all_ = !limit.last && wanted > kMostTopRows;
  if (sorts_all_) return all_->start(state);
  input_->start(state);
  if (limit.last) return sort_all_for_last(limit, state);
  if (wanted == 0 || limit.count == 0) {
    auto nothing = RowStore::make(sort_.row_types(), state.context->memory);
    nothing->seal();
    return publish(nothing, nullptr, sort_.input_columns());
  }
  const MorselRanges ranges = one_range_per_worker(*input_, *state.context);
  std::vector<std::shared_ptr<RowStore>> parts(std::max<size_t>(ranges.count, 1));
  read_ranges(*input_, state, ranges, [&](size_t range, RangeReader& reader) {
    Candidates candidates(*this, wanted, reader.state());
    ColumnExpressions keys(sort_.computed(), reader.state());
    std::array<uint16_t, kVectorSize> within;
    DataChunk chunk;
    while (reader.next(&chunk)) {
      chunk.columns.resize(sort_.row_types().size());
      keys.evaluate(chunk, chunk.columns.data() + sort_.input_columns());
      Selection rows = chunk.selection;
      if (threshold_ && !scan_knows_ && threshold_->bound.load(std::memory_order_relaxed) != UINT64_MAX) {
        const Vector& key = chunk.columns[threshold_->column];
        rows = {within.data(), select_within(*threshold_, key, chunk.size, rows, within.data())};
      }
      candidates.add(chunk, rows);
      chunk.columns.resize(sort_.input_columns());
    }
    candidates.shrink();
    parts[range] = candidates.rows();
  });
  input_->reset();
  for (size_t i = 1; i < parts.size(); ++i) parts[0]->take(std::move(*parts[i]));
  if (!parts[0]) parts[0] = RowStore::make(sort_.row_types(), state.context->memory);
  parts[0]->seal();
  auto ids = std::make_shared<std::vector<uint32_t>>();
  parts[0]->all_ids(ids.get());
  RowSorter(*parts[0], sort_.columns()).sort(ids.get(), *state.context);
  ids->erase(ids->begin(),
             ids->begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(limit.offset, ids->size())));
  if (ids->size() > limit.count) ids->resize(limit.count);
  publish(parts[0], std::move(ids), sort_.input_columns());
}

}  // namespace idem
