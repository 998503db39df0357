// What a commit costs that changes the catalog, by how much is in it: CREATE TABLE and DROP TABLE beside other tables, a run without
// rows beside other runs. The disk is a simulated one, so that it is the work that is measured.

#include <benchmark/benchmark.h>

#include "common/clock.h"
#include "common/simulated_file.h"
#include "storage/database.h"

namespace idem {
namespace {

class Names {
 public:
  Names() {
    DatabaseOptions options;
    options.background_checkpoint = false;
    database_ = Database::open(files_, clock_, "/data", options);
  }

  TableId create_table() {
    auto t = database_->begin();
    const TableId id = create_table(t.get());
    t->commit(true);
    return id;
  }
  void create_tables(int64_t count) {
    auto t = database_->begin();
    for (int64_t i = 0; i < count; ++i) create_table(t.get());
    t->commit(true);
  }
  void drop_table(TableId id) {
    auto t = database_->begin();
    t->drop_table(id);
    t->commit(true);
  }
  void run() {
    auto t = database_->begin();
    t->begin_run(fmt::format("pipeline of some name/{}", next_++));
    t->end_run({});
    t->commit(true);
  }

 private:
  TableId create_table(Transaction* t) {
    TableSchema schema;
    schema.schema_name = "public";
    schema.name = fmt::format("a_table_of_some_name_{}", next_++);
    ColumnSchema column;
    column.name = "x";
    column.type = TypeId::kBigInt;
    schema.columns.push_back(std::move(column));
    return t->create_table(std::move(schema));
  }

  SimulatedFileSystem files_;
  SettableClock clock_;
  std::unique_ptr<Database> database_;
  uint64_t next_ = 0;
};

void create_and_drop_table(benchmark::State& state) {
  Names names;
  names.create_tables(state.range(0));
  for (auto _ : state) names.drop_table(names.create_table());
}
BENCHMARK(create_and_drop_table)->Arg(10)->Arg(10'000)->Iterations(500)->Unit(benchmark::kMicrosecond);

void commit_run(benchmark::State& state) {
  Names names;
  for (int64_t i = 0; i < state.range(0); ++i) names.run();
  for (auto _ : state) names.run();
}
BENCHMARK(commit_run)->Arg(10)->Arg(10'000)->Iterations(500)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace idem
