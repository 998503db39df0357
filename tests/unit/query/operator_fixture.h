#pragma once

#include <atomic>
#include <barrier>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/worker_pool.h"
#include "query/execution.h"
#include "storage/memory_row_group.h"
#include "storage/partition_builder.h"

namespace idem::test {

// ---- Aggregates of the tests' own, so that operators are tested without the library of functions.

struct SumState {
  double sum;
  int64_t rows;
};

inline double number_at(const Vector& vector, uint32_t row) {
  const Value value = vector.value_at(row);
  return physical_type(vector.type) == PhysicalType::kDouble ? value.as_double()
                                                             : static_cast<double>(value.as_int());
}

inline void sum_update(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                       std::span<const Vector> arguments, uint32_t, Selection selection, AggregateArena&) {
  for (uint32_t i = 0; i < selection.count; ++i) {
    auto* state =
        reinterpret_cast<SumState*>(states + (groups ? groups[i] : 0) * static_cast<size_t>(stride));
    if (arguments.empty()) {
      ++state->rows;
    } else if (arguments[0].is_valid(selection[i])) {
      state->sum += number_at(arguments[0], selection[i]);
      ++state->rows;
    }
  }
}

inline void last_update(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                        std::span<const Vector> arguments, uint32_t, Selection selection, AggregateArena&) {
  for (uint32_t i = 0; i < selection.count; ++i) {
    auto* state =
        reinterpret_cast<SumState*>(states + (groups ? groups[i] : 0) * static_cast<size_t>(stride));
    state->sum = number_at(arguments[0], selection[i]);
    ++state->rows;
  }
}

inline void sum_init(char* state) { std::memset(state, 0, sizeof(SumState)); }
inline void sum_combine(char* into, const char* from, const CallTypes&, AggregateArena&) {
  reinterpret_cast<SumState*>(into)->sum += reinterpret_cast<const SumState*>(from)->sum;
  reinterpret_cast<SumState*>(into)->rows += reinterpret_cast<const SumState*>(from)->rows;
}
inline void last_combine(char* into, const char* from, const CallTypes&, AggregateArena&) {
  if (reinterpret_cast<const SumState*>(from)->rows > 0) std::memcpy(into, from, sizeof(SumState));
}
inline void sum_finalize(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                         Vector* result, uint32_t first) {
  auto* values = const_cast<double*>(result->values<double>());
  uint64_t* validity = result->allocate_validity();
  for (uint32_t i = 0; i < count; ++i) {
    const auto* state = reinterpret_cast<const SumState*>(states + i * static_cast<size_t>(stride));
    values[first + i] = state->sum;
    if (state->rows == 0) validity[(first + i) >> 6] &= ~(uint64_t{1} << ((first + i) & 63));
  }
}
inline void count_finalize(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                           Vector* result, uint32_t first) {
  auto* values = const_cast<int64_t*>(result->values<int64_t>());
  for (uint32_t i = 0; i < count; ++i) {
    values[first + i] = reinterpret_cast<const SumState*>(states + i * static_cast<size_t>(stride))->rows;
  }
}

inline const AggregateFunction& sum_function() {
  static const AggregateFunction function = [] {
    AggregateFunction f;
    f.name = "sum";
    f.state_size = sizeof(SumState);
    f.init = sum_init;
    f.update = sum_update;
    f.combine = sum_combine;
    f.finalize = sum_finalize;
    f.result = TypeId::kDouble;
    return f;
  }();
  return function;
}
inline const AggregateFunction& count_function() {
  static const AggregateFunction function = [] {
    AggregateFunction f = sum_function();
    f.name = "count";
    f.finalize = count_finalize;
    f.result = TypeId::kBigInt;
    return f;
  }();
  return function;
}
inline const AggregateFunction& last_function() {
  static const AggregateFunction function = [] {
    AggregateFunction f = sum_function();
    f.name = "last";
    f.update = last_update;
    f.combine = last_combine;
    f.order_sensitive = true;
    return f;
  }();
  return function;
}

inline BoundAggregate aggregate(const AggregateFunction& function, BoundPtr argument = nullptr) {
  BoundAggregate out;
  out.function = &function;
  out.types.result = function.result;
  if (argument) {
    out.types.arguments.push_back(argument->type);
    out.arguments.push_back(std::move(argument));
  }
  return out;
}

// ---- Scalar functions

template <class Compare>
void compare_kernel(EvaluationState&, const CallTypes&, std::span<const Vector> arguments, uint32_t size,
                    Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[row] = arguments[0].is_valid(row) && arguments[1].is_valid(row) &&
                       Compare()(number_at(arguments[0], row), number_at(arguments[1], row))
                   ? 1
                   : 0;
  }
}

inline void negate_kernel(EvaluationState&, const CallTypes&, std::span<const Vector> arguments,
                          uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<double>(TypeId::kDouble, size);
  for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = -number_at(arguments[0], selection[i]);
}

inline const ScalarFunction& scalar(std::string name, ScalarKernel kernel, SqlType result) {
  static std::vector<std::unique_ptr<ScalarFunction>> functions;
  auto function = std::make_unique<ScalarFunction>();
  function->name = std::move(name);
  function->kernel = kernel;
  function->result = result;
  functions.push_back(std::move(function));
  return *functions.back();
}

inline BoundPtr call(const ScalarFunction& function, std::vector<BoundPtr> children) {
  ResolvedCall resolved;
  resolved.function = &function;
  for (const BoundPtr& child : children) resolved.types.arguments.push_back(child->type);
  resolved.types.result = function.result;
  return BoundExpression::call(resolved, std::move(children));
}
inline BoundPtr call2(const ScalarFunction& function, BoundPtr a, BoundPtr b) {
  std::vector<BoundPtr> children;
  children.push_back(std::move(a));
  children.push_back(std::move(b));
  return call(function, std::move(children));
}
inline BoundPtr less(BoundPtr a, BoundPtr b) {
  static const ScalarFunction& function = scalar("<", compare_kernel<std::less<double>>, TypeId::kBoolean);
  return call2(function, std::move(a), std::move(b));
}
inline BoundPtr equal(BoundPtr a, BoundPtr b) {
  static const ScalarFunction& function =
      scalar("=", compare_kernel<std::equal_to<double>>, TypeId::kBoolean);
  return call2(function, std::move(a), std::move(b));
}
inline BoundPtr negative(BoundPtr a) {
  static const ScalarFunction& function = scalar("-", negate_kernel, TypeId::kDouble);
  std::vector<BoundPtr> children;
  children.push_back(std::move(a));
  return call(function, std::move(children));
}

inline BoundPtr column(uint32_t index, SqlType type) { return BoundExpression::column(index, type); }
inline BoundPtr integer(int64_t value) {
  return BoundExpression::constant(Value::of_int(TypeId::kBigInt, value));
}
inline BoundPtr number(double value) {
  return BoundExpression::constant(Value::of_double(TypeId::kDouble, value));
}
inline BoundPtr text(std::string value) {
  return BoundExpression::constant(Value::of_string(TypeId::kVarchar, std::move(value)));
}

// ---- Tables

// Rows of a table (ts TIMESTAMP, ticker SYMBOL, price DOUBLE, amount BIGINT), in row groups of `group_rows`
// rows.
struct TestRow {
  int64_t ts;
  std::string ticker;  // "" is NULL
  double price;
  int64_t amount;
};

inline std::shared_ptr<TableSchema> trades_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = TableId{1};
  schema->name = "trades";
  const std::pair<const char*, SqlType> columns[] = {{"ts", TypeId::kTimestamp},
                                                     {"ticker", TypeId::kSymbol},
                                                     {"price", TypeId::kDouble},
                                                     {"amount", TypeId::kBigInt}};
  for (const auto& [name, type] : columns) {
    ColumnSchema c;
    c.id = ColumnId{schema->next_column_id++};
    c.name = name;
    c.type = type;
    if (type.id == TypeId::kSymbol) c.dictionary = std::make_shared<SymbolDictionary>();
    schema->columns.push_back(std::move(c));
  }
  schema->timestamp_column = 0;
  return schema;
}

inline std::shared_ptr<const TableVersion> make_table(const std::vector<TestRow>& rows,
                                                      uint32_t group_rows = kRowGroupSize,
                                                      std::shared_ptr<TableSchema> schema = trades_schema()) {
  auto version = std::make_shared<TableVersion>();
  version->schema = schema;
  auto partition = std::make_shared<Partition>();
  auto account = std::make_shared<std::atomic<uint64_t>>(0);
  for (size_t first = 0; first < rows.size(); first += group_rows) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(group_rows, rows.size() - first));
    ColumnBatch batch(schema);
    for (size_t i = first; i < first + count; ++i) {
      batch.column(0).append<int64_t>(rows[i].ts);
      if (rows[i].ticker.empty()) {
        batch.column(1).append_null();
      } else {
        batch.column(1).append_string(rows[i].ticker);
      }
      batch.column(2).append<double>(rows[i].price);
      batch.column(3).append<int64_t>(rows[i].amount);
    }
    auto group = std::make_shared<MemoryRowGroup>(schema, count, account, MemoryRowGroup::kCommitted);
    group->claim(0, count);
    for (size_t c = 0; c < schema->columns.size(); ++c) group->write_batch(c, 0, batch.column(c), 0, count);
    add_slice_to(partition.get(), *schema, {group, 0, count}, std::nullopt, std::nullopt);
  }
  version->row_count = rows.size();
  if (!rows.empty()) version->partitions = version->partitions.push_back(partition);
  return version;
}

// ---- Plans

inline PlanPtr node(PlanKind kind, std::vector<SqlType> types, std::vector<PlanPtr> children = {}) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = kind;
  for (size_t i = 0; i < types.size(); ++i)
    plan->columns.push_back({"c" + std::to_string(i), types[i], TableId{}, 0});
  plan->children = std::move(children);
  return plan;
}

inline PlanPtr scan(std::shared_ptr<const TableVersion> table) {
  std::vector<SqlType> types;
  for (const ColumnSchema& c : table->schema->columns) types.push_back(c.type);
  PlanPtr plan = node(PlanKind::kScan, types);
  for (uint32_t i = 0; i < types.size(); ++i) plan->scan_columns.push_back(i);
  plan->table = std::move(table);
  return plan;
}

inline PlanPtr values(std::vector<SqlType> types, std::vector<std::vector<Value>> rows) {
  PlanPtr plan = node(PlanKind::kValues, std::move(types));
  for (auto& row : rows) {
    std::vector<BoundPtr> expressions;
    for (Value& value : row) expressions.push_back(BoundExpression::constant(std::move(value)));
    plan->rows.push_back(std::move(expressions));
  }
  return plan;
}
inline Value big(int64_t value) { return Value::of_int(TypeId::kBigInt, value); }
inline Value real(double value) { return Value::of_double(TypeId::kDouble, value); }
inline Value str(std::string value) { return Value::of_string(TypeId::kVarchar, std::move(value)); }

inline PlanPtr limit(PlanPtr child, int64_t count, int64_t offset = 0) {
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kLimit;
  plan->columns = child->columns;
  plan->children = {std::move(child)};
  plan->limit = integer(count);
  if (offset) plan->offset = integer(offset);
  return plan;
}

inline std::string to_text(const Value& value) {
  if (value.is_null()) return "NULL";
  switch (physical_type(value.type())) {
    case PhysicalType::kFloat:
    case PhysicalType::kDouble: return fmt::format("{:g}", value.as_double());
    case PhysicalType::kString: return value.as_string();
    default: return value.type().id == TypeId::kSymbol ? value.as_string() : std::to_string(value.as_int());
  }
}

// Runs plans on two workers and gives rows as text, columns joined by '|'.
class OperatorTest : public ::testing::Test {
 protected:
  OperatorTest() : pool_(2), budget_("query", MemoryBudget::kUnlimited), cancel_(clock_) {
    context_ = std::make_shared<ExecutionContext>();
    context_->workers = &pool_;
    context_->worker_count = 2;
    context_->memory = &budget_;
    context_->cancel = &cancel_;
  }

  std::unique_ptr<ResultStream> stream(PlanPtr plan, std::vector<Value> parameters = {}, uint32_t slots = 0) {
    BoundQuery query;
    query.plan = std::move(plan);
    query.slot_count = slots;
    return execute(query, context_, parameters);
  }

  std::vector<std::string> run(PlanPtr plan, std::vector<Value> parameters = {}, uint32_t slots = 0) {
    return read_all(*stream(std::move(plan), std::move(parameters), slots), [] {});
  }
  // By a reader that comes for each chunk only when nothing more is made without it.
  std::vector<std::string> run_for_slow_reader(PlanPtr plan) {
    return read_all(*stream(std::move(plan)), [&] { wait_for_workers(); });
  }

  void wait_for_workers() {
    // Tasks that wait for each other run only where all threads have come to an end with theirs.
    const auto all_here = std::make_shared<std::barrier<>>(static_cast<ptrdiff_t>(pool_.thread_count()) + 1);
    for (size_t i = 0; i < pool_.thread_count(); ++i)
      pool_.submit([all_here] { all_here->arrive_and_wait(); });
    all_here->arrive_and_wait();
  }

  template <class Before>
  std::vector<std::string> read_all(ResultStream& result, Before before_each) {
    std::vector<std::string> rows;
    DataChunk chunk;
    while (before_each(), result.next(&chunk)) {
      for (uint32_t i = 0; i < chunk.count(); ++i) {
        std::string line;
        for (size_t c = 0; c < chunk.columns.size(); ++c) {
          if (c > 0) line += '|';
          line += to_text(chunk.columns[c].value_at(chunk.selection[i]));
        }
        rows.push_back(std::move(line));
      }
    }
    return rows;
  }

  SystemClock clock_;
  WorkerPool pool_;
  MemoryBudget budget_;
  CancelToken cancel_;
  std::shared_ptr<ExecutionContext> context_;
};

// Rows one second apart; tickers t0 … t(n-1) in turn.
inline std::vector<TestRow> test_rows(size_t count, size_t tickers) {
  std::vector<TestRow> rows;
  for (size_t i = 0; i < count; ++i) {
    rows.push_back({static_cast<int64_t>(i) * 1'000'000, "t" + std::to_string(i % tickers),
                    static_cast<double>(i % 1000), static_cast<int64_t>(i)});
  }
  return rows;
}

}  // namespace idem::test
