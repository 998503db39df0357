// What matching and appending cost on one core, without the log: ordered rows, the same rows again, and 5 %
// of them late. Rows are (ts TIMESTAMP, a SYMBOL, b SYMBOL, x DOUBLE, y DOUBLE) with upsert keys (ts, a), in
// prepared batches.

#include <benchmark/benchmark.h>
#include <random>

#include "common/clock.h"
#include "common/simulated_file.h"
#include "storage/database.h"
#include "storage/table_changes.h"

namespace idem {
namespace {

constexpr uint32_t kBatchRows = 100'000;
constexpr int kBatches = 20;

std::shared_ptr<const TableSchema> bench_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->schema_name = "public";
  schema->name = "ticks";
  const auto add = [&](const char* name, SqlType type) {
    ColumnSchema column;
    column.id = static_cast<ColumnId>(schema->next_column_id++);
    column.name = name;
    column.type = type;
    if (type.id == TypeId::kSymbol) column.dictionary = std::make_shared<SymbolDictionary>();
    schema->columns.push_back(std::move(column));
  };
  add("ts", TypeId::kTimestamp);
  add("a", TypeId::kSymbol);
  add("b", TypeId::kSymbol);
  add("x", TypeId::kDouble);
  add("y", TypeId::kDouble);
  schema->timestamp_column = 0;
  schema->partition_by = PartitionUnit::kDay;
  schema->upsert_keys = {0, 1};
  schema->keys_unique = true;
  return schema;
}

// Steps of about 17 ms: five million rows a day. `late_percent` of the rows come up to an hour late.
std::vector<std::shared_ptr<const ColumnBatch>> make_batches(const std::shared_ptr<const TableSchema>& schema,
                                                             uint32_t late_percent) {
  std::mt19937_64 random(7);
  std::vector<std::shared_ptr<const ColumnBatch>> batches;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("SYM" + std::to_string(i));
  int64_t time = 1'704'067'200'000'000;
  for (int b = 0; b < kBatches; ++b) {
    auto batch = std::make_shared<ColumnBatch>(schema);
    for (uint32_t i = 0; i < kBatchRows; ++i) {
      time += static_cast<int64_t>(random() % 34'000);
      const bool late = random() % 100 < late_percent;
      batch->column(0).append(late ? time - static_cast<int64_t>(random() % 3'600'000'000) : time);
      batch->column(1).append_string(names[random() % names.size()]);
      batch->column(2).append_string(names[random() % 10]);
      batch->column(3).append(static_cast<double>(random() % 10'000) / 100);
      batch->column(4).append(static_cast<double>(random() % 1'000));
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

class Table {
 public:
  explicit Table(std::shared_ptr<const TableSchema> schema) {
    context_.schema = schema;
    context_.account = std::make_shared<std::atomic<uint64_t>>(0);
    context_.content_ids = std::make_shared<std::atomic<uint64_t>>(0);
    version_.schema = schema;
  }
  MatchCounts write(const std::shared_ptr<const ColumnBatch>& rows) {
    const OrderedBatch batch = order_batch(*context_.schema, rows);
    MatchCounts counts;
    for (const OrderedBatch::Part& part : batch.parts) {
      const int i = version_.find_partition(part.start);
      std::shared_ptr<const Partition> before;
      if (i >= 0) before = version_.partitions[static_cast<size_t>(i)];
      const PartitionMatch match = match_part(context_.schema, before, batch, part, MatchMode::kUpsert);
      counts.inserted += match.counts.inserted;
      counts.skipped += match.counts.skipped;
      replace_partition(&version_, part.start, apply_change(before, match.change, context_));
    }
    return counts;
  }
  uint64_t slices() const {
    uint64_t slices = 0;
    for (const auto& partition : version_.partitions) slices += partition->slices.size();
    return slices;
  }

 private:
  WriteContext context_;
  TableVersion version_;
};

void ordered_append(benchmark::State& state) {
  const auto schema = bench_schema();
  const auto batches = make_batches(schema, static_cast<uint32_t>(state.range(0)));
  uint64_t slices = 0;
  for (auto _ : state) {
    Table table(schema);
    for (const auto& batch : batches) benchmark::DoNotOptimize(table.write(batch));
    slices = table.slices();
  }
  state.counters["slices"] = static_cast<double>(slices);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kBatches * kBatchRows);
}
BENCHMARK(ordered_append)->Name("append/late_percent")->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);

void unchanged_resend(benchmark::State& state) {
  const auto schema = bench_schema();
  const auto batches = make_batches(schema, static_cast<uint32_t>(state.range(0)));
  Table table(schema);
  for (const auto& batch : batches) table.write(batch);
  uint64_t skipped = 0;
  for (auto _ : state) {
    for (const auto& batch : batches) skipped += table.write(batch).skipped;
  }
  state.counters["skipped"] = static_cast<double>(skipped) / static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kBatches * kBatchRows);
}
BENCHMARK(unchanged_resend)->Name("resend/late_percent")->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);

// One row a transaction, asynchronously, so that it is the work of a commit and not the disk that is
// measured.
void single_row_commits(benchmark::State& state) {
  SimulatedFileSystem files;
  SystemClock clock;
  DatabaseOptions options;
  options.background_checkpoint = false;
  const auto database = Database::open(files, clock, "/data", options);
  auto t = database->begin();
  const TableId id = t->create_table(*bench_schema());
  t->commit(true);
  int64_t time = 0;
  for (auto _ : state) {
    auto transaction = database->begin();
    ColumnBatch& rows = transaction->pending_rows(id);
    rows.column(0).append(++time);
    rows.column(1).append_string("A");
    rows.column(2).append_string("B");
    rows.column(3).append(1.0);
    rows.column(4).append(2.0);
    transaction->inserted_rows(id, 1);
    transaction->commit(false);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(single_row_commits)->Name("commit/one_row");

}  // namespace
}  // namespace idem
