#pragma once

#include <memory>
#include <vector>

#include "query/operator.h"
#include "query/row_store.h"
#include "query/spill_file.h"
#include "query/spill_limit.h"

namespace idem {

// Rows in the order in which they came, for any number of readers: in memory, or, when they are too many, the earlier ones in a
// temporary file.
//
//   append() ─▶ [ rows in memory ] ─▶ blocks in the file
//
// One thread appends; after finish() any thread may read.
class KeptRows {
 public:
  KeptRows(std::vector<SqlType> types, const ExecutionContext& context);

  void append(const DataChunk& chunk);
  // The rows of `later`, of the same types, behind these; before finish() of either.
  void take(KeptRows&& later);
  void finish();

  uint64_t rows() const { return rows_; }
  uint64_t memory_bytes() const;
  uint64_t spilled_bytes() const;
  size_t morsel_count() const { return morsels_.size(); }
  // Of rows that outlive the stream.
  std::unique_ptr<MorselStream> open() const;

 private:
  class Stream;
  // Some of the rows: all of a store, or blocks of a file.
  struct Piece {
    std::shared_ptr<RowStore> rows;  // null: see blocks
    std::shared_ptr<SpillFile> file;
    std::vector<SpillBlock> blocks;
  };
  // A segment of a piece's rows, or some of its blocks.
  struct Morsel {
    size_t piece, first, end;
  };
  void put_out();

  std::vector<SqlType> types_;
  MemoryBudget* budget_;
  TemporaryFolder* folder_;
  SpillLimit limit_;
  std::shared_ptr<RowStore> last_;  // what was appended last, before it is a piece
  std::vector<Piece> pieces_;
  std::vector<Morsel> morsels_;
  uint64_t rows_ = 0;
};

// All rows of a started operator, in order.
std::shared_ptr<const KeptRows> keep_rows(Operator& input, EvaluationState& state,
                                          const std::vector<SqlType>& types);

// Hands out such rows.
class KeptRowsOperator : public Operator {
 public:
  size_t morsel_count() const override { return rows_ ? rows_->morsel_count() : 0; }
  uint64_t row_estimate() const override { return rows_ ? rows_->rows() : 0; }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { rows_.reset(); }
  void describe(OperatorDetails& details) const override;

 protected:
  void publish(std::shared_ptr<const KeptRows> rows) { rows_ = std::move(rows); }

 private:
  class Stream;
  std::shared_ptr<const KeptRows> rows_;
};

}  // namespace idem
