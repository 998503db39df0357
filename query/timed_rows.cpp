#include "query/timed_rows.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "query/join_input.h"
#include "query/parallel_pieces.h"
#include "query/row_sorter.h"

namespace idem {

namespace {

// Where the rows of each segment begin among all rows, and at the end their number.
std::vector<size_t> segment_places(const RowStore& rows) {
  std::vector<size_t> places{0};
  for (size_t s = 0; s < rows.segment_count(); ++s) places.push_back(places.back() + rows.segment_rows(s));
  return places;
}

bool is_in_time_order(const RowStore& rows, uint32_t timestamp, const ExecutionContext& context) {
  if (rows.has_nulls(timestamp)) return false;
  const auto times_of = [&](size_t segment) {
    return reinterpret_cast<const int64_t*>(rows.base(timestamp, segment));
  };
  std::atomic<bool> in_order{true};
  for_pieces(context, rows.segment_count(), rows.rows(), [&](size_t segment) {
    const int64_t* times = times_of(segment);
    const uint32_t count = rows.segment_rows(segment);
    const bool follows = segment == 0 || count == 0 || rows.segment_rows(segment - 1) == 0 ||
                         times_of(segment - 1)[rows.segment_rows(segment - 1) - 1] <= times[0];
    if (!follows || !std::is_sorted(times, times + count)) in_order.store(false, std::memory_order_relaxed);
  });
  return in_order.load();
}

// Numbers the keys of the rows of an operator.
//
// Where the first rows show that there are few, threads number those of their own segments, and their numbers are replaced by those of
// one table then: of many keys, to put them into one table is the work.
class KeyNumbers {
 public:
  KeyNumbers(const RowStore& rows, const std::vector<size_t>& columns, const std::vector<SqlType>& types,
             const ExecutionContext& context)
      : rows_(rows), columns_(columns), types_(types), context_(context), places_(segment_places(rows)) {}

  // (*numbers)[i]: of the i-th row.
  void find(GroupTable& keys, std::vector<uint32_t>* numbers) const {
    numbers->resize(places_.back());
    const size_t segments = rows_.segment_count(), first = std::min(segments, kSampleSegments);
    number(0, first, keys, numbers->data());
    const bool are_few = keys.size() * kRowsOfKey < places_[first];
    if (!are_few || context_.worker_count <= 1) return number(first, segments, keys, numbers->data());

    const size_t pieces =
        std::min(segments - first, static_cast<size_t>(context_.worker_count) * kPiecesOfWorker);
    const auto begin_of = [&](size_t piece) { return first + (segments - first) * piece / pieces; };
    std::vector<std::unique_ptr<GroupTable>> tables(pieces);
    for_pieces(context_, pieces, rows_.rows(), [&](size_t piece) {
      tables[piece] = std::make_unique<GroupTable>(types_, context_.memory, context_.cancel);
      number(begin_of(piece), begin_of(piece + 1), *tables[piece], numbers->data());
      tables[piece]->seal_keys();
    });
    std::vector<std::vector<uint32_t>> final_numbers(pieces);
    for (size_t piece = 0; piece < pieces; ++piece) {
      final_numbers[piece].resize(tables[piece]->size());
      tables[piece]->for_each_key_chunk([&](const DataChunk& chunk, uint32_t at) {
        keys.find_or_insert(chunk.columns.data(), chunk.selection, final_numbers[piece].data() + at);
      });
      tables[piece].reset();
    }
    for_pieces(context_, pieces, rows_.rows(), [&](size_t piece) {
      for (size_t i = places_[begin_of(piece)]; i < places_[begin_of(piece + 1)]; ++i)
        (*numbers)[i] = final_numbers[piece][(*numbers)[i]];
    });
  }

 private:
  static constexpr size_t kSampleSegments = 4, kRowsOfKey = 8, kPiecesOfWorker = 4;

  void number(size_t segment, size_t end, GroupTable& keys, uint32_t* numbers) const {
    std::vector<Vector> values(columns_.size());
    for (; segment < end; ++segment) {
      if (context_.cancel) context_.cancel->check();
      for (uint32_t first = 0; first < rows_.segment_rows(segment); first += kVectorSize) {
        const uint32_t count = std::min(kVectorSize, rows_.segment_rows(segment) - first);
        for (size_t k = 0; k < values.size(); ++k) values[k] = rows_.view(columns_[k], segment, first);
        keys.find_or_insert(values.data(), {nullptr, count}, numbers + places_[segment] + first);
      }
    }
  }

  const RowStore& rows_;
  const std::vector<size_t>& columns_;
  const std::vector<SqlType>& types_;
  const ExecutionContext& context_;
  const std::vector<size_t> places_;
};

// Fills `times` and `ids` of rows that are in order as they are.
void take_in_order(TimedRows& timed, uint32_t timestamp, const ExecutionContext& context) {
  const RowStore& rows = *timed.rows;
  const std::vector<size_t> places = segment_places(rows);
  timed.times.resize(rows.rows());
  timed.ids.resize(rows.rows());
  for_pieces(context, rows.segment_count(), rows.rows(), [&](size_t segment) {
    const auto* times = reinterpret_cast<const int64_t*>(rows.base(timestamp, segment));
    std::copy_n(times, rows.segment_rows(segment), timed.times.data() + places[segment]);
    std::iota(timed.ids.data() + places[segment], timed.ids.data() + places[segment + 1],
              static_cast<uint32_t>(segment << RowStore::kSegmentBits));
  });
}

void sort_by_time(TimedRows& timed, uint32_t timestamp, const ExecutionContext& context) {
  const RowStore& rows = *timed.rows;
  rows.all_ids(&timed.ids);
  RowSorter(rows, {{timestamp, false, true}}).sort(&timed.ids, context);
  size_t without_time = 0;
  while (without_time < timed.ids.size() && !rows.is_valid(timestamp, timed.ids[without_time]))
    ++without_time;
  timed.ids.erase(timed.ids.begin(), timed.ids.begin() + static_cast<ptrdiff_t>(without_time));
  timed.times.resize(timed.ids.size());
  for (size_t i = 0; i < timed.ids.size(); ++i) timed.times[i] = rows.value<int64_t>(timestamp, timed.ids[i]);
}

// The numbers of rows by their place, of the rows of `ids`.
std::vector<uint32_t> in_order_of(const std::vector<uint32_t>& ids, const std::vector<uint32_t>& numbers,
                                  const RowStore& rows) {
  const std::vector<size_t> places = segment_places(rows);
  std::vector<uint32_t> ordered(ids.size());
  for (size_t i = 0; i < ids.size(); ++i)
    ordered[i] = numbers[places[ids[i] >> RowStore::kSegmentBits] + (ids[i] & (RowStore::kSegmentRows - 1))];
  return ordered;
}

}  // namespace

uint64_t TimedRows::memory_bytes() const {
  return (rows ? rows->memory_bytes() : 0) + (keys ? keys->memory_bytes() : 0) + memory.bytes();
}

void TimedRows::forget_values() {
  rows.reset();
  ids = std::vector<uint32_t>();
  memory.set(times.size() * sizeof(int64_t));
}

std::vector<const BoundExpression*> left_keys(const LogicalPlan& plan) {
  std::vector<const BoundExpression*> keys;
  for (const auto& [left, right] : plan.join_keys) keys.push_back(left.get());
  return keys;
}

TimedRows read_timed_rows(const LogicalPlan& plan, Operator& right, EvaluationState& state) {
  RightRows read = read_right_rows(plan, right, {JoinSpill::kNever}, state);
  TimedRows timed;
  timed.rows = std::move(read.rows);
  const RowStore& rows = *timed.rows;
  timed.memory = OperatorMemory(state.context->memory);
  timed.memory.set(rows.rows() * (sizeof(int64_t) + 2 * sizeof(uint32_t)));
  const uint32_t timestamp = plan.right_timestamp;
  const bool in_order = is_in_time_order(rows, timestamp, *state.context);
  if (in_order) take_in_order(timed, timestamp, *state.context);
  else sort_by_time(timed, timestamp, *state.context);
  if (read.key_columns.empty()) return timed;
  std::vector<SqlType> types;
  for (const auto& [left_key, right_key] : plan.join_keys) types.push_back(right_key->type);
  timed.keys = std::make_unique<GroupTable>(types, state.context->memory, state.context->cancel);
  KeyNumbers(rows, read.key_columns, types, *state.context).find(*timed.keys, &timed.key_of);
  if (!in_order) timed.key_of = in_order_of(timed.ids, timed.key_of, rows);
  return timed;
}

}  // namespace idem
