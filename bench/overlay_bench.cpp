// What changing stored rows costs: 1 % of a day replaced, changes spread over a large table, late rows one by one, and
// reading what has patches. Rows are (ts TIMESTAMP, a SYMBOL, b SYMBOL, x DOUBLE, y DOUBLE) with upsert keys (ts, a), one
// every 288 ms: 300,000 a day. The disk is a simulated one, so that it is the work that is measured.

#include <benchmark/benchmark.h>
#include <chrono>
#include <random>

#include "common/clock.h"
#include "common/simulated_file.h"
#include "storage/database.h"
#include "storage/table_scan.h"

namespace idem {
namespace {

constexpr int64_t kStep = 288'000;
constexpr int64_t kDayRows = 300'000;

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

class Ticks {
 public:
  explicit Ticks(int64_t rows) : rows_(rows) {
    DatabaseOptions options;
    options.background_checkpoint = false;
    database_ = Database::open(files_, clock_, "/data", options);
    auto t = database_->begin();
    TableSchema schema;
    schema.schema_name = "public";
    schema.name = "ticks";
    const auto add = [&](const char* name, SqlType type) {
      ColumnSchema column;
      column.name = name;
      column.type = type;
      schema.columns.push_back(std::move(column));
    };
    add("ts", TypeId::kTimestamp);
    add("a", TypeId::kSymbol);
    add("b", TypeId::kSymbol);
    add("x", TypeId::kDouble);
    add("y", TypeId::kDouble);
    schema.timestamp_column = 0;
    schema.partition_by = PartitionUnit::kDay;
    schema.upsert_keys = {0, 1};
    schema.keys_unique = true;
    id_ = t->create_table(schema);
    t->commit(true);
    for (int64_t row = 0; row < rows;) {
      const int64_t end = std::min(rows, row + 100'000);
      auto load = database_->begin();
      ColumnBatch& batch = load->pending_rows(id_);
      const auto count = static_cast<uint32_t>(end - row);
      for (; row < end; ++row) append(&batch, row * kStep, row);
      load->inserted_rows(id_, count);
      load->commit(true);
      if (row % 1'000'000 == 0) database_->checkpoint();
    }
    database_->checkpoint();
  }

  // `count` rows at random places, half of them new ones between the others where `late`.
  void change(uint32_t count, bool late) {
    std::vector<int64_t> places(count);
    for (int64_t& place : places) place = static_cast<int64_t>(random_() % static_cast<uint64_t>(rows_));
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    auto t = database_->begin();
    ColumnBatch& batch = t->pending_rows(id_);
    for (size_t i = 0; i < places.size(); ++i) {
      const bool is_new = late && i % 2 == 0;
      append(&batch, places[i] * kStep + (is_new ? 1 + static_cast<int64_t>(random_() % (kStep - 1)) : 0),
             places[i]);
    }
    t->inserted_rows(id_, static_cast<uint32_t>(places.size()));
    t->commit(false);
  }

  void remove(uint32_t count) {
    auto t = database_->begin();
    const auto version = t->read_view().table(id_);
    std::vector<RowPosition> positions;
    for (uint32_t i = 0; i < count; ++i)
      positions.push_back({0, random_() % version->partitions[0]->row_count});
    std::sort(positions.begin(), positions.end(),
              [](const RowPosition& a, const RowPosition& b) { return a.ordinal < b.ordinal; });
    positions.erase(
        std::unique(positions.begin(), positions.end(),
                    [](const RowPosition& a, const RowPosition& b) { return a.ordinal == b.ordinal; }),
        positions.end());
    t->remove(id_, positions);
    t->commit(false);
  }

  // Checkpoints and gives the bytes that this wrote.
  uint64_t checkpoint() {
    const uint64_t before = files_.bytes_written();
    database_->checkpoint();
    return files_.bytes_written() - before;
  }
  uint64_t disk_bytes() const { return database_->table_disk_bytes(id_); }
  std::shared_ptr<const TableVersion> version() const { return database_->snapshot().table(id_); }

  uint64_t slices() const {
    uint64_t count = 0;
    version()->partitions.for_each([&](const auto& p) { count += p->slices.size(); });
    return count;
  }
  uint64_t overlay_rows() const {
    uint64_t count = 0;
    version()->partitions.for_each([&](const auto& p) {
      for (const Slice& s : p->slices) count += s.overlay ? s.overlay->item_count(s.begin, s.end) : 0;
    });
    return count;
  }

  // Sums the doubles of every row: what a scan must touch, and nothing else.
  double sum() const {
    const auto version = this->version();
    double sum = 0;
    std::vector<Vector> columns(5);
    for (const Morsel& morsel : plan_scan(*version, {}, {}).morsels) {
      MorselReader reader(version, morsel, nullptr);
      while (const uint32_t count = reader.next()) {
        for (uint32_t c = 0; c < 5; ++c) reader.read(c, &columns[c]);
        for (uint32_t c = 3; c < 5; ++c) {
          if (columns[c].is_constant()) continue;
          const double* values = columns[c].values<double>();
          for (uint32_t i = 0; i < count; ++i) sum += values[i];
        }
      }
    }
    return sum;
  }

 private:
  void append(ColumnBatch* batch, int64_t time, int64_t row) {
    batch->column(0).append(time);
    batch->column(1).append_string(names_[static_cast<size_t>(row % 100)]);
    batch->column(2).append_string(names_[static_cast<size_t>(row * 7 % 10)]);
    batch->column(3).append(static_cast<double>(random_() % 10'000) / 100);
    batch->column(4).append(static_cast<double>(random_() % 1'000));
  }
  static std::vector<std::string> make_names() {
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back("SYM" + std::to_string(i));
    return names;
  }

  const std::vector<std::string> names_ = make_names();
  std::mt19937_64 random_{7};
  const int64_t rows_;
  SimulatedFileSystem files_;
  SystemClock clock_;
  std::unique_ptr<Database> database_;
  TableId id_{};
};

// One commit with changes at random places, then a checkpoint.
void scattered_changes(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const auto changes = static_cast<uint32_t>(state.range(1));
  for (auto _ : state) {
    state.PauseTiming();
    auto ticks = std::make_unique<Ticks>(rows);
    const uint64_t size = ticks->disk_bytes();
    state.ResumeTiming();
    const auto begun = std::chrono::steady_clock::now();
    ticks->change(changes, state.range(2) != 0);
    state.counters["commit_ms"] = milliseconds(begun);
    state.counters["overlay_rows"] = static_cast<double>(ticks->overlay_rows());
    const auto committed = std::chrono::steady_clock::now();
    const uint64_t written = ticks->checkpoint();
    state.counters["checkpoint_ms"] = milliseconds(committed);
    state.counters["written_percent"] = 100.0 * static_cast<double>(written) / static_cast<double>(size);
    state.counters["slices"] = static_cast<double>(ticks->slices());
    state.PauseTiming();
    ticks.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(scattered_changes)
    ->Name("changes/rows/count/late")
    ->Args({kDayRows, 3'000, 0})
    ->Args({kDayRows, 30'000, 0})
    ->Args({10'000'000, 100'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// One late row a commit, asynchronously, in a day of 300,000.
void late_rows(benchmark::State& state) {
  Ticks ticks(kDayRows);
  for (auto _ : state) ticks.change(1, true);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.counters["slices"] = static_cast<double>(ticks.slices());
  state.counters["overlay_rows"] = static_cast<double>(ticks.overlay_rows());
}
BENCHMARK(late_rows)->Name("late_row_commits")->Iterations(2'000)->Unit(benchmark::kMicrosecond);

// All columns of 300,000 rows: in segment files without changes; after as many changes as named, before and after a
// checkpoint; and deletions.
void scan(benchmark::State& state) {
  Ticks ticks(kDayRows);
  const auto changes = static_cast<uint32_t>(state.range(0));
  if (changes > 0) ticks.change(changes, true);
  if (state.range(1) != 0) ticks.checkpoint();
  double sum = 0;
  for (auto _ : state) sum += ticks.sum();
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kDayRows);
  state.counters["overlay_rows"] = static_cast<double>(ticks.overlay_rows());
}
BENCHMARK(scan)
    ->Name("scan/changes/persisted")
    ->Args({0, 1})
    ->Args({100, 1})
    ->Args({3'000, 0})
    ->Args({3'000, 1})
    ->Args({20'000, 0})
    ->Unit(benchmark::kMillisecond);

void scan_after_deletions(benchmark::State& state) {
  Ticks ticks(kDayRows);
  ticks.remove(static_cast<uint32_t>(state.range(0)));
  double sum = 0;
  for (auto _ : state) sum += ticks.sum();
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kDayRows);
}
BENCHMARK(scan_after_deletions)->Name("scan/deleted")->Arg(3'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace idem
