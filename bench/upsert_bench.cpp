// What matching costs on one core where rows share one timestamp by the hundred thousand (one tick of many devices), and
// what merge policies add. Rows are (ts TIMESTAMP, device VARCHAR, version BIGINT, x DOUBLE, gone BOOLEAN) with upsert
// keys (ts, device). The batch has all of them once more, in another order or the same, and as they are stored or changed.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <random>

#include "storage/batch_order.h"
#include "storage/upsert_match.h"

namespace idem {
namespace {

std::shared_ptr<const TableSchema> devices_schema(bool versions) {
  auto schema = std::make_shared<TableSchema>();
  schema->schema_name = "public";
  schema->name = "devices";
  const auto add = [&](const char* name, SqlType type) {
    ColumnSchema column;
    column.id = static_cast<ColumnId>(schema->next_column_id++);
    column.name = name;
    column.type = type;
    schema->columns.push_back(std::move(column));
  };
  add("ts", TypeId::kTimestamp);
  add("device", TypeId::kVarchar);
  add("version", TypeId::kBigInt);
  add("x", TypeId::kDouble);
  add("gone", TypeId::kBoolean);
  schema->timestamp_column = 0;
  schema->partition_by = PartitionUnit::kDay;
  schema->upsert_keys = {0, 1};
  schema->keys_unique = true;
  if (versions) {
    schema->version_column = 2;
    schema->deleted_column = 4;
  }
  return schema;
}

std::shared_ptr<const ColumnBatch> one_tick(const std::shared_ptr<const TableSchema>& schema, int64_t rows,
                                            int64_t version, uint64_t seed) {
  std::vector<int64_t> devices(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) devices[static_cast<size_t>(i)] = i;
  std::mt19937_64 random(seed);
  if (seed > 0) std::shuffle(devices.begin(), devices.end(), random);
  auto batch = std::make_shared<ColumnBatch>(schema);
  for (const int64_t device : devices) {
    batch->column(0).append<int64_t>(1'704'067'200'000'000);
    batch->column(1).append_string("device-" + std::to_string(device));
    batch->column(2).append(version);
    batch->column(3).append(static_cast<double>(device));
    batch->column(4).append<uint8_t>(0);
  }
  return batch;
}

void tick(benchmark::State& state) {
  const bool versions = state.range(1) != 0, changes = state.range(2) != 0;
  const auto schema = devices_schema(versions);
  WriteContext context;
  context.schema = schema;
  context.account = std::make_shared<std::atomic<uint64_t>>(0);
  context.content_ids = std::make_shared<std::atomic<uint64_t>>(0);
  const auto match = [&](const std::shared_ptr<const Partition>& stored,
                         const std::shared_ptr<const ColumnBatch>& rows) {
    const OrderedBatch batch = order_batch(*schema, rows);
    return match_part(schema, stored, batch, batch.parts.at(0), MatchMode::kUpsert);
  };
  const auto stored =
      apply_change(nullptr, match(nullptr, one_tick(schema, state.range(0), 1, 0)).change, context);
  const auto rows = one_tick(schema, state.range(0), changes ? 2 : 1, state.range(3) != 0 ? 1 : 0);
  for (auto _ : state) benchmark::DoNotOptimize(match(stored, rows));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(tick)
    ->Name("tick")
    ->ArgNames({"rows", "versions", "changes", "shuffled"})
    ->ArgsProduct({{100'000}, {0, 1}, {0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace idem
