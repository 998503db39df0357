#include <atomic>
#include <benchmark/benchmark.h>
#include <random>
#include <thread>

#include "common/clock.h"
#include "common/worker_pool.h"
#include "query/execution.h"
#include "storage/memory_row_group.h"
#include "storage/partition_builder.h"

// Whole plans over ten million trades in memory (ts, ticker: 100 symbols, device: 100,000, price, amount), on
// all cores. Times are from execute() to the last row.

namespace idem {
namespace {

constexpr uint32_t kRows = 10'000'000;
constexpr int64_t kStepMicros = 260'000;  // thirty days in all

std::shared_ptr<const TableVersion> make_trades(uint32_t row_count) {
  auto schema = std::make_shared<TableSchema>();
  schema->name = "trades";
  const std::pair<const char*, SqlType> columns[] = {{"ts", TypeId::kTimestamp},
                                                     {"ticker", TypeId::kSymbol},
                                                     {"device", TypeId::kSymbol},
                                                     {"price", TypeId::kDouble},
                                                     {"amount", TypeId::kBigInt}};
  for (const auto& [name, type] : columns) {
    ColumnSchema column;
    column.id = ColumnId{schema->next_column_id++};
    column.name = name;
    column.type = type;
    if (type.id == TypeId::kSymbol) column.dictionary = std::make_shared<SymbolDictionary>();
    schema->columns.push_back(std::move(column));
  }
  schema->timestamp_column = 0;
  schema->partition_by = PartitionUnit::kDay;
  std::vector<std::string> tickers, devices;
  for (int i = 0; i < 100; ++i) tickers.push_back("T" + std::to_string(i));
  for (int i = 0; i < 100'000; ++i) devices.push_back("device-" + std::to_string(i));

  std::mt19937_64 random(7);
  auto version = std::make_shared<TableVersion>();
  version->schema = schema;
  auto account = std::make_shared<std::atomic<uint64_t>>(0);
  std::shared_ptr<Partition> partition;
  for (uint32_t first = 0; first < row_count;) {
    const int64_t day = partition_start(schema->partition_by, first * kStepMicros);
    const int64_t day_end = partition_end(schema->partition_by, day);
    const auto rows_of_day =
        static_cast<uint32_t>((day_end - first * kStepMicros + kStepMicros - 1) / kStepMicros);
    const uint32_t count = std::min({kRowGroupSize, row_count - first, rows_of_day});
    ColumnBatch batch(schema);
    for (uint32_t row = first; row < first + count; ++row) {
      const uint64_t bits = random();
      batch.column(0).append<int64_t>(row * kStepMicros);
      batch.column(1).append_string(tickers[bits % 100]);
      batch.column(2).append_string(devices[(bits >> 8) % 100'000]);
      batch.column(3).append<double>(100 + static_cast<double>((bits >> 30) % 1'000'000) / 1000);
      batch.column(4).append<int64_t>(static_cast<int64_t>((bits >> 50) % 10'000));
    }
    auto group = std::make_shared<MemoryRowGroup>(schema, count, account, MemoryRowGroup::kCommitted);
    group->claim(0, count);
    for (size_t c = 0; c < schema->columns.size(); ++c) group->write_batch(c, 0, batch.column(c), 0, count);
    if (!partition || partition->start != day) {
      if (partition) version->partitions = version->partitions.push_back(partition);
      partition = std::make_shared<Partition>();
      partition->start = day;
    }
    add_slice_to(partition.get(), *schema, {group, 0, count}, std::nullopt, std::nullopt);
    first += count;
  }
  version->partitions = version->partitions.push_back(partition);
  version->row_count = row_count;
  return version;
}

struct Fixture {
  Fixture()
      : table(make_trades(kRows)),
        pool(std::thread::hardware_concurrency()),
        cancel(clock),
        budget("query", MemoryBudget::kUnlimited) {
    context = std::make_shared<ExecutionContext>();
    context->workers = &pool;
    context->worker_count = static_cast<int>(std::thread::hardware_concurrency());
    context->cancel = &cancel;
    context->memory = &budget;
  }
  std::shared_ptr<const TableVersion> table;
  SystemClock clock;
  WorkerPool pool;
  CancelToken cancel;
  MemoryBudget budget;
  std::shared_ptr<ExecutionContext> context;
};
Fixture& fixture() {
  static Fixture one;
  return one;
}

// ---- Plans

enum Column : uint32_t { kTs, kTicker, kDevice, kPrice, kAmount };

PlanPtr node(PlanKind kind, PlanPtr child = nullptr) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = kind;
  if (child) plan->children.push_back(std::move(child));
  return plan;
}

// Output column i is table column columns[i].
PlanPtr scan(std::vector<uint32_t> columns) {
  PlanPtr plan = node(PlanKind::kScan);
  plan->table = fixture().table;
  for (const uint32_t c : columns) {
    const ColumnSchema& column = plan->table->schema->columns[c];
    plan->columns.push_back({column.name, column.type, TableId{}, 0});
  }
  plan->scan_columns = std::move(columns);
  return plan;
}
BoundPtr column(const PlanPtr& plan, uint32_t i) { return BoundExpression::column(i, plan->columns[i].type); }

BoundAggregate call(std::string_view name, BoundPtr argument = nullptr) {
  std::vector<SqlType> types;
  if (argument) types.push_back(argument->type);
  const ResolvedAggregate resolved = resolve_aggregate(name, types);
  BoundAggregate out;
  out.function = resolved.function;
  out.types = resolved.types;
  if (argument) out.arguments.push_back(std::move(argument));
  return out;
}
void add(PlanPtr& plan, BoundAggregate aggregate) {
  plan->columns.push_back({"a", aggregate.types.result, TableId{}, 0});
  plan->aggregates.push_back(std::move(aggregate));
}
void add_group(PlanPtr& plan, BoundPtr group) {
  plan->columns.push_back({"g", group->type, TableId{}, 0});
  plan->groups.push_back(std::move(group));
}
PlanPtr top(PlanPtr child, uint32_t key, int64_t rows) {
  PlanPtr sort = node(PlanKind::kSort, child);
  sort->columns = child->columns;
  sort->sort_keys.push_back({column(child, key), true, true});
  PlanPtr limit = node(PlanKind::kLimit, sort);
  limit->columns = sort->columns;
  limit->limit = BoundExpression::constant(Value::of_int(TypeId::kBigInt, rows));
  return limit;
}
BoundPtr compare(std::string_view symbol, BoundPtr left, Value right) {
  std::vector<BoundPtr> children;
  const SqlType types[] = {left->type, right.type()};
  const ResolvedCall resolved = resolve_operator(symbol, types);
  children.push_back(std::move(left));
  children.push_back(BoundExpression::constant(std::move(right)));
  return BoundExpression::call(resolved, std::move(children));
}

uint64_t run(const PlanPtr& plan) {
  BoundQuery query;
  query.plan = plan;
  const auto stream = execute(query, fixture().context, {});
  DataChunk chunk;
  uint64_t rows = 0;
  while (stream->next(&chunk)) rows += chunk.count();
  return rows;
}

void measure(benchmark::State& state, const PlanPtr& plan) {
  uint64_t rows = 0;
  for (auto _ : state) rows = run(plan);
  state.counters["rows"] = static_cast<double>(rows);
}

void count(benchmark::State& state) {
  PlanPtr plan = node(PlanKind::kAggregate, scan({kTs}));
  add(plan, call("count"));
  measure(state, plan);
}
void sum_of_everything(benchmark::State& state) {
  PlanPtr input = scan({kPrice, kAmount});
  PlanPtr plan = node(PlanKind::kAggregate, input);
  add(plan, call("sum", column(input, 0)));
  add(plan, call("sum", column(input, 1)));
  measure(state, plan);
}
void group_by_ticker(benchmark::State& state) {
  PlanPtr input = scan({kTicker, kPrice, kAmount});
  PlanPtr plan = node(PlanKind::kAggregate, input);
  add_group(plan, column(input, 0));
  add(plan, call("sum", column(input, 2)));
  add(plan, call("avg", column(input, 1)));
  measure(state, plan);
}
void group_by_device(benchmark::State& state) {
  PlanPtr input = scan({kDevice, kPrice});
  PlanPtr plan = node(PlanKind::kAggregate, input);
  add_group(plan, column(input, 0));
  add(plan, call("count"));
  add(plan, call("avg", column(input, 1)));
  measure(state, plan);
}
void group_by_amount(benchmark::State& state) {
  PlanPtr input = scan({kAmount, kPrice});
  PlanPtr plan = node(PlanKind::kAggregate, input);
  add_group(plan, column(input, 0));
  add(plan, call("sum", column(input, 1)));
  measure(state, plan);
}
void filter(benchmark::State& state) {
  PlanPtr input = scan({kPrice, kAmount});
  input->scan_filter = compare(">", column(input, 0), Value::of_double(TypeId::kDouble, 1050));
  PlanPtr plan = node(PlanKind::kAggregate, input);
  add(plan, call("count"));
  add(plan, call("sum", column(input, 1)));
  measure(state, plan);
}
void one_ticker_of_a_day(benchmark::State& state) {
  PlanPtr input = scan({kTs, kTicker, kPrice});
  input->scan_range = {5 * 86'400'000'000, 6 * 86'400'000'000 - 1};
  input->scan_filter = compare("=", column(input, 1), Value::of_string(TypeId::kVarchar, "T42"));
  measure(state, input);
}
void ohlc(benchmark::State& state, int64_t unit_count, char unit, bool one_day) {
  PlanPtr input = scan({kTs, kPrice, kAmount});
  if (one_day) input->scan_range = {5 * 86'400'000'000, 6 * 86'400'000'000 - 1};
  PlanPtr plan = node(PlanKind::kSampleBy, input);
  plan->columns.push_back({"ts", TypeId::kTimestamp, TableId{}, 0});
  plan->sample_timestamp = column(input, 0);
  plan->sample.count = unit_count;
  plan->sample.unit = unit;
  for (const char* name : {"first", "max", "min", "last"}) add(plan, call(name, column(input, 1)));
  add(plan, call("sum", column(input, 2)));
  measure(state, plan);
}
void ohlc_hour_all(benchmark::State& state) { ohlc(state, 1, 'h', false); }
void ohlc_minute_day(benchmark::State& state) { ohlc(state, 1, 'm', true); }
void latest(benchmark::State& state, uint32_t key) {
  PlanPtr input = scan({kTs, key, kPrice, kAmount});
  PlanPtr plan = node(PlanKind::kLatestOn, input);
  plan->columns = input->columns;
  plan->timestamp_column = 0;
  plan->partition_columns = {1};
  measure(state, plan);
}
void latest_ticker(benchmark::State& state) { latest(state, kTicker); }
void latest_device(benchmark::State& state) { latest(state, kDevice); }
void top_ten_rows(benchmark::State& state) {
  measure(state, top(scan({kTs, kTicker, kPrice, kAmount}), 2, 10));
}
void asof_all(benchmark::State& state) {
  PlanPtr left = scan({kTs, kTicker, kAmount}), right = scan({kTs, kTicker, kPrice});
  PlanPtr join = node(PlanKind::kJoin);
  join->columns = left->columns;
  join->columns.insert(join->columns.end(), right->columns.begin(), right->columns.end());
  join->join_type = JoinType::kLt;
  join->join_keys.emplace_back(column(left, 1), column(right, 1));
  join->children = {left, right};
  PlanPtr plan = node(PlanKind::kAggregate, join);
  add(plan, call("sum", column(join, 5)));
  measure(state, plan);
}
void point(benchmark::State& state) {
  PlanPtr input = scan({kTs, kTicker, kPrice});
  input->scan_range = {1'000'000 * kStepMicros, 1'000'000 * kStepMicros};
  measure(state, input);
}
void sort_all(benchmark::State& state) {
  PlanPtr input = scan({kTs, kPrice});
  PlanPtr sort = node(PlanKind::kSort, input);
  sort->columns = input->columns;
  sort->sort_keys.push_back({column(input, 1), false, false});
  measure(state, sort);
}
void row_number_by_hour(benchmark::State& state) {
  PlanPtr input = scan({kTs, kTicker, kPrice});
  PlanPtr plan = node(PlanKind::kWindow, input);
  plan->columns = input->columns;
  LogicalPlan::Window window;
  window.function_name = "row_number";
  window.type = TypeId::kBigInt;
  window.partition_by.push_back(column(input, 1));
  window.order_by.push_back({column(input, 0), false, false});
  plan->columns.push_back({"n", window.type, TableId{}, 0});
  plan->windows.push_back(std::move(window));
  measure(state, plan);
}
void read_all_rows(benchmark::State& state) {
  measure(state, scan({kTs, kTicker, kDevice, kPrice, kAmount}));
}
void self_join_a_day(benchmark::State& state) {
  PlanPtr left = scan({kTs, kAmount}), right = scan({kTs, kPrice});
  left->scan_range = right->scan_range = {5 * 86'400'000'000, 6 * 86'400'000'000 - 1};
  PlanPtr join = node(PlanKind::kJoin);
  join->columns = left->columns;
  join->columns.insert(join->columns.end(), right->columns.begin(), right->columns.end());
  join->join_keys.emplace_back(column(left, 0), column(right, 0));
  join->children = {left, right};
  measure(state, join);
}

#define IDEM_QUERY(name) BENCHMARK(name)->Unit(benchmark::kMillisecond)->UseRealTime()
IDEM_QUERY(point);
IDEM_QUERY(count);
IDEM_QUERY(sum_of_everything);
IDEM_QUERY(group_by_ticker);
IDEM_QUERY(group_by_device);
IDEM_QUERY(group_by_amount);
IDEM_QUERY(filter);
IDEM_QUERY(one_ticker_of_a_day);
IDEM_QUERY(ohlc_hour_all);
IDEM_QUERY(ohlc_minute_day);
IDEM_QUERY(latest_ticker);
IDEM_QUERY(latest_device);
IDEM_QUERY(top_ten_rows);
IDEM_QUERY(asof_all);
IDEM_QUERY(self_join_a_day);
IDEM_QUERY(sort_all);
IDEM_QUERY(row_number_by_hour);
IDEM_QUERY(read_all_rows);

}  // namespace
}  // namespace idem
