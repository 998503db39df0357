#include "query/scan_operator.h"

#include <algorithm>
#include <bit>
#include <set>

#include "query/execution.h"
#include "query/expression_evaluator.h"
#include "query/group_table.h"
#include "query/scan_condition.h"
#include "storage/symbol_dictionary.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

constexpr uint32_t kPositionColumn = UINT32_MAX;

// Positions of the rows whose code is `code`, out of those selected. Without branches: the result advances by
// the comparison.
uint32_t select_code(const Vector& vector, int32_t code, Selection selection, uint16_t* out) {
  const int32_t* codes = vector.values<int32_t>();
  if (vector.is_constant()) {
    if (codes[0] != code) return 0;
    for (uint32_t i = 0; i < selection.count; ++i) out[i] = static_cast<uint16_t>(selection[i]);
    return selection.count;
  }
  uint32_t count = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[count] = static_cast<uint16_t>(row);
    count += codes[row] == code ? 1 : 0;
  }
  return count;
}

// Positions of the rows that a boolean column does not say TRUE of.
uint32_t select_not_true(const Vector& vector, Selection selection, uint16_t* out) {
  const uint8_t* flags = vector.values<uint8_t>();
  uint32_t count = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[count] = static_cast<uint16_t>(row);
    count += vector.is_valid(row) && flags[vector.is_constant() ? 0 : row] != 0 ? 0 : 1;
  }
  return count;
}

}  // namespace

ScanOperator::ScanOperator(const LogicalPlan& plan, Direction direction)
    : plan_(plan), table_(plan.table), direction_(direction), hides_rows_(hides_rows(*plan.table->schema)) {
  for (const BoundExpression* conjunct : conjuncts_of(plan.scan_filter.get())) {
    Condition condition;
    condition.expression = conjunct;
    for_each_column(*conjunct, [&](uint32_t column) {
      if (std::find(condition.columns.begin(), condition.columns.end(), column) == condition.columns.end()) {
        condition.columns.push_back(column);
      }
    });
    condition.symbol_value = symbol_equality_value(*conjunct);
    conditions_.push_back(std::move(condition));
  }
}

ScanOperator::~ScanOperator() = default;

void ScanOperator::add_bound(ScanBound bound) {
  const int timestamp = table_->schema->timestamp_column;
  if (timestamp >= 0 && bound.column == static_cast<uint32_t>(timestamp)) {
    if (bound.min) range_.min_timestamp = std::max(range_.min_timestamp, *bound.min);
    if (bound.max) range_.max_timestamp = std::min(range_.max_timestamp, *bound.max);
  }
  bounds_.push_back(bound);
}

bool ScanOperator::add_bounds(EvaluationState& state) {
  const TableSchema& schema = *table_->schema;
  for (const DynamicBound& dynamic : plan_.dynamic_bounds) {
    const Value value = evaluate_constant(state, *dynamic.value);
    if (value.is_null()) return false;
    if (const auto bound = bound_of(dynamic, schema.columns[dynamic.column].type, value)) add_bound(*bound);
  }
  for (const Condition& condition : conditions_) {
    if (!condition.symbol_value) continue;
    const Value value = evaluate_constant(state, *condition.symbol_value);
    if (value.is_null()) return false;
    const uint32_t table_column = plan_.scan_columns[condition.columns[0]];
    const auto code = schema.columns[table_column].dictionary->find(value.as_string());
    if (!code) return false;
    equalities_.push_back({condition.columns[0], *code});
    ScanBound bound;
    bound.column = table_column;
    bound.min = bound.max = *code;
    bounds_.push_back(bound);
  }
  for (const auto& filter : join_filters_) {
    for (const ScanBound& bound : filter->bounds) add_bound(bound);
  }
  return range_.min_timestamp <= range_.max_timestamp;
}

void ScanOperator::start(EvaluationState& state) {
  if (plan_.reads_snapshot) table_ = state.context->snapshot->table(plan_.table->schema->id);
  range_ = plan_.scan_range;
  bounds_ = plan_.scan_bounds;
  equalities_.clear();
  filters_.clear();
  scan_ = ScanPlan();
  if (!add_bounds(state)) return;
  for (const Condition& condition : conditions_) {
    if (!condition.symbol_value) filters_.push_back(&condition);
  }
  scan_ = plan_scan(*table_, range_, bounds_);
  if (direction_ != Direction::kForwards) std::reverse(scan_.morsels.begin(), scan_.morsels.end());
  if (hides_rows_) find_tombstones();
}

// Where statistics say that no row of a morsel is a tombstone, the scan does not look for them.
void ScanOperator::find_tombstones() {
  const ScanPlan hidden = plan_scan(*table_, range_, {tombstone_bound(*table_->schema)});
  std::set<std::pair<uint32_t, uint32_t>> slices;
  for (const Morsel& morsel : hidden.morsels) slices.emplace(morsel.partition, morsel.slice);
  morsels_with_tombstones_.clear();
  if (slices.empty()) return;
  for (const Morsel& morsel : scan_.morsels) {
    morsels_with_tombstones_.push_back(slices.contains({morsel.partition, morsel.slice}));
  }
}

bool ScanOperator::may_have_nulls(size_t first_morsel, uint32_t table_column) const {
  const TableVersion& table = *table_;
  const ColumnId column = table.schema->columns[table_column].id;
  for (size_t m = first_morsel; m < scan_.morsels.size(); ++m) {
    if (idem::may_have_nulls(table, scan_.morsels[m], column)) return true;
  }
  return false;
}

void ScanOperator::describe(OperatorDetails& details) const {
  details.vectors_read = vectors_read_;
  details.vectors_skipped = vectors_skipped_;
}

namespace {

// Looks the keys of rows up among those of a join, as long as that leaves enough of them out.
class PartnerSearch {
 public:
  explicit PartnerSearch(const JoinFilter& filter) : filter_(filter), groups_(kVectorSize) {}

  void begin() {
    probe_.reset();
    if (filter_.groups) probe_.emplace(*filter_.groups);
  }
  bool is_useful() const { return probe_ && (looked_up_ < kTrialRows || found_ * 2 < looked_up_); }
  const std::vector<JoinFilter::Key>& keys() const { return filter_.keys; }

  // Positions of the rows that have a partner go to `out`.
  uint32_t select(const DataChunk& chunk, uint16_t* out) {
    values_.clear();
    for (const JoinFilter::Key& key : filter_.keys) values_.push_back(chunk.columns[key.column]);
    const Selection selection = chunk.selection;
    probe_->find(values_.data(), selection, false, groups_.data());
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection.count; ++i) {
      out[count] = static_cast<uint16_t>(selection[i]);
      count += groups_[i] != GroupTable::kNoGroup ? 1 : 0;
    }
    looked_up_ += selection.count;
    found_ += count;
    return count;
  }

 private:
  static constexpr uint64_t kTrialRows = 16 * kVectorSize;

  const JoinFilter& filter_;
  std::optional<GroupTable::Probe> probe_;
  std::vector<Vector> values_;
  std::vector<uint32_t> groups_;
  uint64_t looked_up_ = 0, found_ = 0;
};

}  // namespace

class ScanOperator::Stream final : public MorselStream {
 public:
  Stream(ScanOperator& scan, EvaluationState& state) : scan_(scan), state_(state) {
    for (const Condition& condition : scan.conditions_) {
      if (condition.symbol_value) continue;
      filters_.push_back(std::make_unique<ExpressionEvaluator>(*condition.expression));
    }
    for (const auto& filter : scan.join_filters_) {
      if (filter->has_all_keys) partners_.emplace_back(*filter);
    }
  }
  ~Stream() override { count_vectors(); }

  void begin(size_t morsel) override {
    count_vectors();
    bounds_ = &scan_.bounds_;
    find_threshold_bound(scan_.scan_.morsels[morsel]);
    for (PartnerSearch& search : partners_) search.begin();
    hides_rows_ = !scan_.morsels_with_tombstones_.empty() && scan_.morsels_with_tombstones_[morsel];
    reader_.emplace(scan_.table_, scan_.scan_.morsels[morsel], bounds_,
                    scan_.direction_ != Direction::kForwards);
  }

  bool next(DataChunk* chunk) override {
    const size_t columns = scan_.plan_.scan_columns.size();
    chunk->columns.resize(columns);
    loaded_.resize(columns);
    for (;;) {
      if (bounds_ == &threshold_bounds_) move_threshold_bound();
      const uint32_t rows = reader_->next();
      if (rows == 0) return false;
      ++vectors_;
      chunk->set_size(rows);
      loaded_.assign(columns, false);
      if (!filter(chunk)) continue;
      for (uint32_t c = 0; c < columns; ++c) load(c, chunk);
      if (scan_.direction_ == Direction::kBackwardsReversed) reverse(chunk);
      return true;
    }
  }

 private:
  // Vectors whose statistics are beyond a top-N's bound are skipped, unless they may hold NULLs that come first.
  void find_threshold_bound(const Morsel& morsel) {
    const SortThreshold* threshold = scan_.threshold_.get();
    if (!threshold) return;
    const uint32_t column = scan_.plan_.scan_columns[threshold->column];
    const TableVersion& table = *scan_.table_;
    if (threshold->nulls_first && idem::may_have_nulls(table, morsel, table.schema->columns[column].id))
      return;
    threshold_bounds_ = scan_.bounds_;
    threshold_bounds_.emplace_back();
    threshold_bounds_.back().column = column;
    bounds_ = &threshold_bounds_;
  }
  void move_threshold_bound() {
    const SortThreshold& threshold = *scan_.threshold_;
    const uint64_t bits = threshold.bound.load(std::memory_order_relaxed);
    if (bits == UINT64_MAX) return;
    ScanBound& bound = threshold_bounds_.back();
    const uint64_t ordered = threshold.descending ? ~bits : bits;
    const PhysicalType type = physical_type(scan_.plan_.columns[threshold.column].type);
    const bool is_real = type == PhysicalType::kFloat || type == PhysicalType::kDouble;
    const int64_t limit = is_real ? std::bit_cast<int64_t>(double_of_ordered_bits(ordered))
                                  : static_cast<int64_t>(ordered ^ (uint64_t{1} << 63));
    (threshold.descending ? bound.min : bound.max) = limit;
  }

  void load(uint32_t column, DataChunk* chunk) {
    if (loaded_[column]) return;
    loaded_[column] = true;
    const uint32_t table_column = scan_.plan_.scan_columns[column];
    if (table_column == kPositionColumn) {
      reader_->read_positions(&chunk->columns[column]);
    } else {
      reader_->read(table_column, &chunk->columns[column]);
    }
  }

  // The array that the next selection goes to; never the one that chunk->selection reads.
  uint16_t* selection_target() {
    if (!spare_ || spare_.use_count() != 1) spare_ = std::make_shared<std::array<uint16_t, kVectorSize>>();
    return spare_->data();
  }
  bool narrow(DataChunk* chunk, uint32_t count) {
    if (count == chunk->selection.count) return true;
    std::swap(chunk->selection_storage, spare_);
    chunk->selection = {chunk->selection_storage->data(), count};
    return count > 0;
  }

  bool filter(DataChunk* chunk) {
    if (hides_rows_) {
      reader_->read(static_cast<uint32_t>(scan_.table_->schema->deleted_column), &deleted_);
      uint16_t* target = selection_target();
      if (!narrow(chunk, select_not_true(deleted_, chunk->selection, target))) return false;
    }
    for (const CodeEquality& equality : scan_.equalities_) {
      load(equality.column, chunk);
      uint16_t* target = selection_target();
      if (!narrow(chunk,
                  select_code(chunk->columns[equality.column], equality.code, chunk->selection, target)))
        return false;
    }
    for (size_t i = 0; i < filters_.size(); ++i) {
      for (const uint32_t column : scan_.filters_[i]->columns) load(column, chunk);
      uint16_t* target = selection_target();
      if (!narrow(chunk, filters_[i]->select(state_, *chunk, chunk->selection, target))) return false;
    }
    if (const SortThreshold* threshold = scan_.threshold_.get();
        threshold && threshold->bound.load(std::memory_order_relaxed) != UINT64_MAX) {
      load(threshold->column, chunk);
      uint16_t* target = selection_target();
      const uint32_t count =
          select_within(*threshold, chunk->columns[threshold->column], chunk->size, chunk->selection, target);
      if (!narrow(chunk, count)) return false;
    }
    for (PartnerSearch& search : partners_) {
      if (!search.is_useful()) continue;
      for (const JoinFilter::Key& key : search.keys()) load(key.column, chunk);
      uint16_t* target = selection_target();
      if (!narrow(chunk, search.select(*chunk, target))) return false;
    }
    if (scan_.row_filter_) {
      for (const uint32_t column : scan_.row_filter_columns_) load(column, chunk);
      uint16_t* target = selection_target();
      if (!narrow(chunk, scan_.row_filter_(*chunk, chunk->selection, target))) return false;
    }
    return true;
  }

  static void reverse(DataChunk* chunk) {
    std::array<uint16_t, kVectorSize> rows;
    const uint32_t count = chunk->count();
    for (uint32_t i = 0; i < count; ++i) rows[i] = static_cast<uint16_t>(chunk->selection[count - 1 - i]);
    for (Vector& column : chunk->columns) column = compact(column, {rows.data(), count});
    chunk->set_size(count);
  }

  void count_vectors() {
    if (!reader_) return;
    scan_.vectors_read_.fetch_add(vectors_, std::memory_order_relaxed);
    scan_.vectors_skipped_.fetch_add(reader_->vectors_skipped(), std::memory_order_relaxed);
    vectors_ = 0;
    reader_.reset();
  }

  ScanOperator& scan_;
  EvaluationState& state_;
  std::vector<std::unique_ptr<ExpressionEvaluator>> filters_;
  std::vector<PartnerSearch> partners_;
  const std::vector<ScanBound>* bounds_ = nullptr;
  std::vector<ScanBound> threshold_bounds_;  // the scan's, and the one of a top-N
  std::optional<MorselReader> reader_;
  std::vector<bool> loaded_;
  bool hides_rows_ = false;
  Vector deleted_;
  std::shared_ptr<std::array<uint16_t, kVectorSize>> spare_;
  uint64_t vectors_ = 0;
};

std::unique_ptr<MorselStream> ScanOperator::open(EvaluationState& state) {
  return std::make_unique<Stream>(*this, state);
}

}  // namespace idem
