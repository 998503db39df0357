#pragma once

#include <span>
#include <vector>

#include "query/aggregate_states.h"

namespace idem {

// Counts, sums, averages, minima and maxima of doubles by the code of one symbol: rows go from their code straight
// into an accumulator, without group numbers and without the states between.
//
//   code   count  sum(price)  sum(amount)      one line of doubles for each code; what several aggregates
//   0        212     39015.2       9981.3      need (a sum and an average of one column) is there once
//   1        198    …
//
// flush() adds the accumulators to the states. A code has a line once the group table knows its group: learn().
// One thread, one range of rows.
class DenseAggregate {
 public:
  // Null where an aggregate is of another kind, filtered, distinct or ordered.
  static std::unique_ptr<DenseAggregate> make(const AggregateLayout& layout, MemoryBudget* budget);

  // Folds the selected rows; false, and nothing is done, if some have NULLs or codes without a group yet.
  bool add(const Vector& key, const AggregateUpdater& values, Selection rows);
  // groups[i] is the group of the i-th selected row.
  void learn(const Vector& key, Selection rows, const uint32_t* groups);
  void flush(AggregateStates& states);

 private:
  static constexpr uint32_t kNoGroup = UINT32_MAX;
  static constexpr size_t kMostSums = 4;
  enum class Kind : uint8_t { kCount, kSum, kMin, kMax };
  struct Item {
    Kind kind;
    size_t slot;  // of the line for sums; of extremes_ for the others
  };
  struct Extreme {
    size_t argument;  // an aggregate whose argument it is
    bool max;
    std::vector<double> values;  // by code
  };

  DenseAggregate(const AggregateLayout& layout, MemoryBudget* budget) : layout_(layout), memory_(budget) {}
  bool knows(const int32_t* codes, Selection rows) const;
  void resize(size_t codes);

  const AggregateLayout& layout_;
  std::vector<Item> items_;            // by aggregate
  std::vector<size_t> sum_arguments_;  // by slot: an aggregate whose argument it is
  std::vector<Extreme> extremes_;
  const SymbolDictionary* dictionary_ = nullptr;
  std::shared_ptr<const void> dictionary_owner_;
  std::vector<uint32_t> groups_;  // by code
  size_t known_ = 0;              // codes that have one
  std::vector<double> lines_;     // of each code: rows, then sums
  OperatorMemory memory_;
};

// States of aggregates as DenseAggregate fills them; of `function` with one argument of DOUBLE (or none).
enum class DenseState : uint8_t { kNone, kCount, kSum, kMin, kMax };
DenseState dense_sum_state(const AggregateFunction& function);
DenseState dense_extreme_state(const AggregateFunction& function);
void make_count_state(int64_t rows, char* state);
void make_sum_state(double sum, int64_t rows, char* state);
void make_extreme_state(double value, char* state);

}  // namespace idem
