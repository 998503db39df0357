#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "query/join_filter.h"
#include "query/logical_plan.h"
#include "query/operator.h"
#include "query/sort_threshold.h"

namespace idem {

// Reads a table version in its order, or against it.
//
// A vector's columns are read as they are needed: those of the first condition, then of the next if rows are
// left, the rest at the end. Morsels and vectors that statistics exclude are not touched; comparisons with
// symbols become comparisons of codes, and a string that no row has makes the scan empty.
class ScanOperator final : public Operator {
 public:
  enum class Direction : uint8_t {
    kForwards,
    kBackwards,          // newest vector first, rows within it in table order
    kBackwardsReversed,  // newest row first
  };

  // `plan` (kScan) outlives the operator.
  explicit ScanOperator(const LogicalPlan& plan, Direction direction = Direction::kForwards);
  ~ScanOperator() override;

  // A last condition: writes the positions that pass out of `in`. It is asked for vectors in the order of the
  // scan, so the scan must be read by one thread. `columns` (of the output) are read before it is asked, the
  // others only if rows pass.
  using RowFilter = std::function<uint32_t(const DataChunk& chunk, Selection in, uint16_t* out)>;
  void set_row_filter(std::vector<uint32_t> columns, RowFilter filter) {
    row_filter_columns_ = std::move(columns);
    row_filter_ = std::move(filter);
  }
  // Whether morsels from this one on may hold a NULL in a column of the table.
  bool may_have_nulls(size_t first_morsel, uint32_t table_column) const;

  // Rows beyond the threshold may be left out. Before start().
  void set_threshold(std::shared_ptr<const SortThreshold> threshold) { threshold_ = std::move(threshold); }

  // A join above wants only rows with a partner. Before start().
  void add_join_filter(std::shared_ptr<const JoinFilter> filter) {
    join_filters_.push_back(std::move(filter));
  }

  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return scan_.morsels.size(); }
  uint64_t row_estimate() const override { return scan_.rows; }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void describe(OperatorDetails& details) const override;

  // True if reading gives exactly the rows of the version, so that counting needs no reading.
  bool is_whole_table() const {
    return conditions_.empty() && !threshold_ && join_filters_.empty() && !hides_rows_ &&
           scan_.rows == table_->row_count;
  }
  const LogicalPlan& plan() const { return plan_; }
  const TableVersion& table() const { return *table_; }  // that is read; after start()

 private:
  class Stream;
  struct Condition {
    const BoundExpression* expression = nullptr;
    std::vector<uint32_t> columns;                  // of the scan's output
    const BoundExpression* symbol_value = nullptr;  // of a comparison of columns[0], a symbol, with a string
  };
  struct CodeEquality {  // of one run
    uint32_t column = 0;
    int32_t code = -1;
  };

  bool add_bounds(EvaluationState& state);  // false: no row can qualify
  void find_tombstones();
  void add_bound(ScanBound bound);

  const LogicalPlan& plan_;
  std::shared_ptr<const TableVersion> table_;
  const Direction direction_;
  std::vector<Condition> conditions_;
  std::shared_ptr<const SortThreshold> threshold_;
  std::vector<std::shared_ptr<const JoinFilter>> join_filters_;
  std::vector<uint32_t> row_filter_columns_;
  RowFilter row_filter_;

  ScanRange range_;
  std::vector<ScanBound> bounds_;
  const bool hides_rows_;                      // DELETED WHEN
  std::vector<bool> morsels_with_tombstones_;  // those that may have some; empty: none has
  std::vector<CodeEquality> equalities_;
  std::vector<const Condition*> filters_;  // what is left to evaluate
  ScanPlan scan_;
  std::atomic<uint64_t> vectors_read_{0}, vectors_skipped_{0};
};

}  // namespace idem
