#pragma once

#include <atomic>
#include <memory>

#include "query/operator.h"
#include "query/row_store.h"

namespace idem {

// Hands out rows that an operator has computed in start(): its segments in order, or the rows of a list of
// ids in its order.
//
// Base of the operators that end a pipeline (sort, aggregate, window …). A morsel is kMorselRows rows.
class StoredRowsOperator : public Operator {
 public:
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 protected:
  static constexpr uint32_t kMorselRows = RowStore::kSegmentRows;

  // The rows to hand out, sealed; `ids` null: all of them. Only the first `columns` columns.
  void publish(std::shared_ptr<const RowStore> rows,
               std::shared_ptr<const std::vector<uint32_t>> ids = nullptr, size_t columns = SIZE_MAX);
  const std::shared_ptr<const RowStore>& published() const { return rows_; }

 private:
  class Stream;
  std::shared_ptr<const RowStore> rows_;
  std::shared_ptr<const std::vector<uint32_t>> ids_;
  size_t columns_ = 0;
};

// All rows of a started operator, in order, in memory.
std::shared_ptr<RowStore> materialize(Operator& input, EvaluationState& state,
                                      const std::vector<SqlType>& types);

}  // namespace idem
