#pragma once

#include <memory>
#include <vector>

#include "query/bound_expression.h"
#include "query/column_expressions.h"
#include "query/operator_memory.h"

namespace idem {

class ExpressionEvaluator;

// How the states of a list of aggregates lie side by side: one group's states take stride() bytes.
class AggregateLayout {
 public:
  // The aggregates outlive this object.
  explicit AggregateLayout(const std::vector<BoundAggregate>& aggregates);

  uint32_t stride() const { return stride_; }
  size_t size() const { return aggregates_.size(); }
  const BoundAggregate& aggregate(size_t i) const { return aggregates_[i]; }
  uint32_t offset(size_t i) const { return offsets_[i]; }
  void init(char* state) const;
  void combine(char* into, const char* from, AggregateArena& arena) const;
  // *out = the final values of aggregate i for `count` groups.
  void finalize(size_t i, const char* states, uint32_t count, Vector* out) const;

 private:
  const std::vector<BoundAggregate>& aggregates_;
  std::vector<uint32_t> offsets_;
  uint32_t stride_ = 0;
};

// States of groups 0 … size() - 1, in one piece. Grows by moving, which states allow.
class AggregateStates {
 public:
  AggregateStates(const AggregateLayout& layout, MemoryBudget* budget) : layout_(&layout), memory_(budget) {}
  // Initialises states up to `groups`.
  void resize(uint32_t groups);
  uint32_t size() const { return size_; }
  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  char* at(uint32_t group) { return data_.get() + static_cast<size_t>(group) * layout_->stride(); }
  const char* at(uint32_t group) const {
    return data_.get() + static_cast<size_t>(group) * layout_->stride();
  }
  AggregateArena& arena() { return *arena_; }
  const std::shared_ptr<AggregateArena>& shared_arena() const { return arena_; }
  void count_memory();
  uint64_t memory_bytes() const { return memory_.bytes(); }
  // What groups of one more vector may take at once.
  uint64_t next_growth() const {
    return size_ + kVectorSize > capacity_ ? uint64_t{2} * capacity_ * layout_->stride() : 0;
  }
  // Keeps another's arena alive, into which combined states may still point.
  void adopt_arena(AggregateStates& other) { adopted_.push_back(std::move(other.arena_)); }

 private:
  const AggregateLayout* layout_;
  std::unique_ptr<char[]> data_;
  uint32_t size_ = 0, capacity_ = 0;
  std::shared_ptr<AggregateArena> arena_ = std::make_shared<AggregateArena>();
  std::vector<std::shared_ptr<AggregateArena>> adopted_;
  OperatorMemory memory_;
};

// One thread's evaluation of arguments and filters, and their folding into states. Aggregates with DISTINCT
// or ORDER BY are left out: see deferred_aggregate.h.
class AggregateUpdater {
 public:
  AggregateUpdater(const AggregateLayout& layout, EvaluationState& state);
  ~AggregateUpdater();

  // Evaluates the arguments for the selected rows of `input`, which stays valid until the updates are done.
  void evaluate(const DataChunk& input);
  // groups[i]: group of the i-th selected row; null: group 0 of `states`. The states exist.
  void update(const DataChunk& input, char* states, const uint32_t* groups, AggregateArena& arena);
  // The same for rows [first, first + count) of an input whose rows are all selected.
  void update_run(const DataChunk& input, uint32_t first, uint32_t count, char* states,
                  AggregateArena& arena);
  // Lets go of the evaluated vectors, so that whoever made them may use their memory again.
  void release();
  // Arguments of aggregate i, and the rows that its filter lets through (all selected rows without one).
  std::span<const Vector> arguments(size_t i) const {
    return {values_.data() + first_argument_[i], argument_count_[i]};
  }
  Selection rows(size_t i) const { return items_[i].rows; }
  // groups of the rows of rows(i), out of those of the input's selected rows.
  const uint32_t* filtered_groups(size_t i, const DataChunk& input, const uint32_t* groups);

 private:
  struct Item {
    std::unique_ptr<ExpressionEvaluator> filter;
    std::vector<uint16_t> filtered;
    Selection rows;
  };
  const AggregateLayout& layout_;
  EvaluationState& state_;
  std::vector<Item> items_;
  std::unique_ptr<ColumnExpressions> arguments_;
  std::vector<size_t> first_argument_, argument_count_;
  std::vector<Vector> values_, sliced_;
  std::vector<uint32_t> group_of_row_, filtered_groups_;
};

// Whether an aggregate must see all rows of a group before it can fold them.
inline bool is_deferred(const BoundAggregate& aggregate) {
  return aggregate.distinct || !aggregate.order_by.empty();
}

}  // namespace idem
