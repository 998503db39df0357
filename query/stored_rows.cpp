#include "query/stored_rows.h"

#include <algorithm>

#include "query/execution.h"
#include "query/range_reader.h"

namespace idem {

class StoredRowsOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const StoredRowsOperator& rows) : operator_(rows) {}

  void begin(size_t morsel) override {
    rows_ = operator_.rows_;
    ids_ = operator_.ids_;
    if (ids_) {
      at_ = morsel * kMorselRows;
      end_ = std::min<uint64_t>(ids_->size(), at_ + kMorselRows);
    } else {
      segment_ = morsel;
      at_ = 0;
      end_ = rows_->segment_rows(morsel);
    }
  }

  bool next(DataChunk* chunk) override {
    if (at_ >= end_) return false;
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(kVectorSize, end_ - at_));
    chunk->columns.resize(operator_.columns_);
    for (size_t c = 0; c < operator_.columns_; ++c) {
      if (ids_) {
        rows_->gather(c, ids_->data() + at_, count, false, &chunk->columns[c]);
      } else {
        chunk->columns[c] = rows_->view(c, segment_, static_cast<uint32_t>(at_));
      }
    }
    chunk->set_size(count);
    at_ += count;
    return true;
  }

 private:
  const StoredRowsOperator& operator_;
  std::shared_ptr<const RowStore> rows_;
  std::shared_ptr<const std::vector<uint32_t>> ids_;
  size_t segment_ = 0;
  uint64_t at_ = 0, end_ = 0;
};

size_t StoredRowsOperator::morsel_count() const {
  if (!rows_) return 0;
  return ids_ ? (ids_->size() + kMorselRows - 1) / kMorselRows : rows_->segment_count();
}

uint64_t StoredRowsOperator::row_estimate() const {
  if (!rows_) return 0;
  return ids_ ? ids_->size() : rows_->rows();
}

std::unique_ptr<MorselStream> StoredRowsOperator::open(EvaluationState&) {
  return std::make_unique<Stream>(*this);
}

void StoredRowsOperator::publish(std::shared_ptr<const RowStore> rows,
                                 std::shared_ptr<const std::vector<uint32_t>> ids, size_t columns) {
  columns_ = std::min(columns, rows->column_count());
  rows_ = std::move(rows);
  ids_ = std::move(ids);
}

void StoredRowsOperator::reset() {
  rows_.reset();
  ids_.reset();
}

void StoredRowsOperator::describe(OperatorDetails& details) const {
  if (rows_) details.memory_bytes = rows_->memory_bytes() + (ids_ ? ids_->size() * sizeof(uint32_t) : 0);
}

std::shared_ptr<RowStore> materialize(Operator& input, EvaluationState& state,
                                      const std::vector<SqlType>& types) {
  MemoryBudget* budget = state.context->memory;
  const MorselRanges ranges = one_range_per_worker(input, *state.context);
  std::vector<std::shared_ptr<RowStore>> parts(std::max<size_t>(ranges.count, 1));
  for (auto& part : parts) part = RowStore::make(types, budget);
  read_ranges(input, state, ranges, [&](size_t range, RangeReader& reader) {
    DataChunk chunk;
    while (reader.next(&chunk)) parts[range]->append(chunk);
  });
  for (size_t i = 1; i < parts.size(); ++i) parts[0]->take(std::move(*parts[i]));
  parts[0]->seal();
  return parts[0];
}

}  // namespace idem
