// As fault_injection_test.cpp, of statements that put something in the place of what was there: overwriting ones, MERGE, RESTORE and
// UNDROP, partitions that go into another table, runs, refreshes of materialized views; their rows in the log, and streamed into
// segment files.

#include "tests/unit/storage/fault_injection.h"

namespace idem::simulation {
namespace {

std::vector<TableModel::Row> rows_of_seed(uint64_t seed, int count, int64_t times = 60) {
  RowMaker maker(seed, times, 4);
  std::vector<TableModel::Row> rows;
  for (int i = 0; i < count; ++i) rows.push_back(maker.row());
  return rows;
}

int64_t first_partition(const ModelTable& table) {
  return partition_start(PartitionUnit::kDay, table.rows.at(0).values[0].as_int());
}

void overwrite(Script& script) {
  script.on("prices", [](CheckedTransaction& t, TableId id) {
    t.truncate(id);
    t.insert(id, rows_of_seed(100, 40), false);
  });
  script.on("prices", [](CheckedTransaction& t, TableId id) {  // one partition
    if (t.view().table(id)->rows.empty()) return;
    const int64_t start = first_partition(*t.view().table(id));
    std::vector<TableModel::Row> rows = rows_of_seed(101, 30);
    std::erase_if(rows, [&](const TableModel::Row& row) {
      return partition_start(PartitionUnit::kDay, row[0].as_int()) != start;
    });
    t.drop_partition(id, start);
    t.insert(id, rows, false);
  });
  script.on("devices", [](CheckedTransaction& t, TableId id) {  // rows that a condition names
    t.remove(id, {0, 2, 3});
    t.insert(id, rows_of_seed(102, 10), false);
  });
  script.checkpoint();
  script.on("prices", [](CheckedTransaction& t, TableId id) {
    t.truncate(id);
    t.insert(id, rows_of_seed(103, 20), false);
  });
}

void merge(Script& script) {
  const auto merge_into = [&](const std::string& name, uint64_t seed) {
    script.on(name, [&](CheckedTransaction& t, TableId id) {
      const ModelTable& table = *t.view().table(id);
      CheckedTransaction::Merge merge;
      for (size_t i = 0; i < table.rows.size(); i += 3) {
        if (i % 2 == 0) {
          merge.removed.push_back(i);
          continue;
        }
        merge.updated.push_back(i);
        merge.new_rows.push_back(table.rows[i].values);
        merge.new_rows.back()[5] = Value::of_string(TypeId::kVarchar, "merged");
      }
      TableModel known(table);
      for (TableModel::Row& row : rows_of_seed(seed, 12, 300)) {
        if (known.find_key(row) < known.rows.size()) continue;
        known.upsert(row, 0, 0);
        merge.inserted.push_back(std::move(row));
      }
      t.merge(id, merge);
    });
  };
  merge_into("prices", 110);
  merge_into("devices", 111);
  script.checkpoint();
  merge_into("prices", 112);
  script.checkpoint();
}

// Of the version before the last one.
void restore(Script& script, const std::string& name) {
  script.on(name, [&](CheckedTransaction& t, TableId id) {
    const std::vector<uint64_t> versions = script.versions_of(id);
    if (versions.size() > 1) t.restore(id, versions[versions.size() - 2]);
  });
}

void restore_and_undrop(Script& script) {
  script.on("prices", [](CheckedTransaction& t, TableId id) { t.truncate(id); });
  restore(script, "prices");
  script.insert("prices", 120, 10);
  script.checkpoint();
  restore(script, "prices");
  const TableId devices = script.table("devices");
  script.on("devices", [](CheckedTransaction& t, TableId id) { t.drop_table(id); });
  script.checkpoint();
  script.change([&](CheckedTransaction& t) {
    if (t.view().dropped.contains(static_cast<uint32_t>(devices))) t.undrop_table(devices, "machines");
  });
  script.insert("machines", 121, 5);
}

void move_partitions(Script& script) {
  script.create(Shape::kTimeKeys, "archive");
  const auto move = [&](const std::string& from, const std::string& to, bool replace) {
    script.on(from, [&](CheckedTransaction& t, TableId id) {
      const ModelTable& table = *t.view().table(id);
      const ModelTable* target = t.view().find(to);
      if (!target || table.rows.empty()) return;
      const int64_t start = first_partition(table);
      const bool is_there = std::any_of(target->rows.begin(), target->rows.end(), [&](const auto& row) {
        return partition_start(PartitionUnit::kDay, row.values[0].as_int()) == start;
      });
      if (is_there == replace) t.move_partition(id, start, target->schema.id, replace);
    });
  };
  move("prices", "archive", false);
  script.checkpoint();
  script.insert("prices", 130, 20);
  move("prices", "archive", true);
  script.insert("archive", 131, 10);
  script.checkpoint();
  move("archive", "prices", false);
  script.vacuum();
}

void runs(Script& script) {
  const auto run = [&](const std::string& key, uint64_t seed) {
    script.change([&](CheckedTransaction& t) {
      if (t.view().runs.contains(key)) return;
      t.begin_run(key, key);
      if (const ModelTable* prices = t.view().find("prices"))
        t.insert(prices->schema.id, rows_of_seed(seed, 10), false);
      if (const ModelTable* events = t.view().find("events"))
        t.insert(events->schema.id, rows_of_seed(seed, 3), true);
    });
  };
  run("day/1", 140);
  run("day/2", 141);
  script.checkpoint();
  run("day/2", 141);  // sent again: skipped
  run("day/3", 142);
  script.change([](CheckedTransaction& t) {
    if (t.view().runs.contains("day/1")) t.forget_run("day/1");
  });
  run("day/1", 143);
}

void refresh(Script& script) {
  script.change([&](CheckedTransaction& t) {
    const ModelTable* prices = t.view().find("prices");
    if (!prices) return;
    TableSchema schema = model_schema(Shape::kTimeKeys);
    schema.name = "latest";
    t.refresh(t.create_table(std::move(schema)), prices->schema.id);
  });
  const auto again = [&] {
    script.on("latest", [&](CheckedTransaction& t, TableId id) {
      if (const ModelTable* prices = t.view().find("prices")) t.refresh(id, prices->schema.id);
    });
  };
  script.insert("prices", 150, 10);
  again();
  script.checkpoint();
  script.on("prices", [](CheckedTransaction& t, TableId id) { t.remove(id, {1, 2}); });
  again();
  restore(script, "latest");
  again();
}

class StatementFaultTest : public FaultInjectionTest {};

TEST_F(StatementFaultTest, Overwrite) { run(make_base(false), overwrite); }
TEST_F(StatementFaultTest, StreamedOverwrite) {
  stream_small_inserts();
  run(make_base(true), overwrite);
}
TEST_F(StatementFaultTest, Merge) { run(make_base(true), merge); }
TEST_F(StatementFaultTest, StreamedMerge) {
  stream_small_inserts();
  run(make_base(false), merge);
}
TEST_F(StatementFaultTest, RestoreAndUndrop) { run(make_base(false), restore_and_undrop); }
TEST_F(StatementFaultTest, RestoreAndUndropBesideSegments) { run(make_base(true), restore_and_undrop); }
TEST_F(StatementFaultTest, MovePartitions) { run(make_base(true), move_partitions); }
TEST_F(StatementFaultTest, MoveStreamedPartitions) {
  stream_small_inserts();
  run(make_base(false), move_partitions);
}
TEST_F(StatementFaultTest, Runs) { run(make_base(true), runs); }
TEST_F(StatementFaultTest, Refresh) { run(make_base(true), refresh); }
TEST_F(StatementFaultTest, StreamedRefresh) {
  stream_small_inserts();
  run(make_base(false), refresh);
}

}  // namespace
}  // namespace idem::simulation
