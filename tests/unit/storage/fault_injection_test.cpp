// Every file operation of a load, a checkpoint, DDL and recovery fails in every way, one at a time; after
// each the database is what was acknowledged, works on a disk that works, and says so where it can not.

#include "tests/unit/storage/fault_injection.h"

#include <new>

namespace idem::simulation {
namespace {

void load(Script& script) {
  script.insert("prices", 10, 30);
  script.insert("prices", 11, 5);   // late ones, and replacements
  script.insert("prices", 10, 30);  // sent again: nothing is written
  script.insert("events", 12, 10);
  script.insert("devices", 13, 30);
  // More than what is left of the segment of the log.
  script.insert("prices", 14, 200, 300);
  script.on("prices", [](CheckedTransaction& t, TableId id) { t.remove(id, {0, 3, 4}); });
  script.on("devices", [](CheckedTransaction& t, TableId id) {
    TableModel::Row row = t.view().table(id)->rows[2].values;
    row[5] = Value::of_string(TypeId::kVarchar, "updated");
    t.update(id, {2}, {row});
  });
}

void checkpoints(Script& script) {
  script.checkpoint();
  script.insert("prices", 20, 30);
  script.checkpoint();
  script.insert("prices", 21, 3);
  script.insert("events", 22, 3);
  script.checkpoint();
  script.checkpoint();
}

// Patches, their folding once a partition is cold, and what VACUUM gives back.
void reorganization(Script& script) {
  script.insert("devices", 60, 40);
  script.checkpoint();
  script.on("devices", [](CheckedTransaction& t, TableId id) {
    TableModel::Row row = t.view().table(id)->rows[1].values;
    row[5] = Value::of_string(TypeId::kVarchar, "patched");
    t.update(id, {1}, {row});
  });
  script.checkpoint();
  script.checkpoint();
  script.on("events", [](CheckedTransaction& t, TableId id) { t.truncate(id); });
  script.on("prices", [](CheckedTransaction& t, TableId id) {
    t.drop_partition(id,
                     partition_start(PartitionUnit::kDay, t.view().table(id)->rows[0].values[0].as_int()));
  });
  script.vacuum();
  script.insert("devices", 61, 3);
  script.vacuum();
}

void ddl(Script& script) {
  script.create(Shape::kPolicies, "latest");
  script.insert("latest", 30, 10);
  script.on("latest", [](CheckedTransaction& t, TableId id) {
    t.alter_table(id, [](TableSchema* schema) {
      schema->columns.push_back(test_column("extra", TypeId::kSymbol));
      schema->columns.back().initial = Value::of_string(TypeId::kSymbol, "none");
    });
  });
  script.on("latest", [](CheckedTransaction& t, TableId id) {
    const ModelTable& latest = *t.view().table(id);
    if (latest.rows.empty() || latest.schema.columns.back().name != "extra")
      return;  // an earlier step failed
    TableModel::Row row = latest.rows[0].values;
    row.back() = Value::of_string(TypeId::kSymbol, "some");
    row[4] = Value::of_int(TypeId::kInteger, 9);
    t.insert(id, {row}, true);
  });
  script.checkpoint();
  script.on("prices", [](CheckedTransaction& t, TableId id) {
    t.drop_partition(id,
                     partition_start(PartitionUnit::kDay, t.view().table(id)->rows[0].values[0].as_int()));
  });
  script.on("events", [](CheckedTransaction& t, TableId id) { t.truncate(id); });
  script.on("devices", [](CheckedTransaction& t, TableId id) {
    t.alter_table(id, [](TableSchema* schema) { schema->name = "machines"; });
  });
  script.on("latest", [](CheckedTransaction& t, TableId id) {
    t.alter_table(id, [](TableSchema* schema) { schema->columns.pop_back(); });
  });
  // Several tables at once: all or nothing.
  script.on("prices", [&](CheckedTransaction& t, TableId id) {
    t.drop_table(id);
    TableSchema schema = model_schema(Shape::kTimeNoKeys);
    schema.name = "prices";
    const TableId fresh = t.create_table(std::move(schema));
    RowMaker maker(31, 50, 3);
    t.insert(fresh, {maker.row(), maker.row()}, false);
    if (const TableId events = script.table("events"); events != TableId{})
      t.insert(events, {maker.row()}, true);
  });
  script.checkpoint();
}

TEST_F(FaultInjectionTest, Creation) {
  CheckedDatabase empty(std::make_unique<SimulatedFileSystem>());
  run_recovery({empty.files().copy(), empty.visible()}, Unsynced::kRandom);
}

TEST_F(FaultInjectionTest, FirstTables) {
  CheckedDatabase database(std::make_unique<SimulatedFileSystem>());
  database.open();
  database.crash(0, Unsynced::kKept);
  run({database.files().copy(), database.visible()}, first_tables);
}

TEST_F(FaultInjectionTest, Load) { run(make_base(false), load); }
TEST_F(FaultInjectionTest, LoadBesideSegments) { run(make_base(true), load); }
TEST_F(FaultInjectionTest, LargeLoad) {
  stream_small_inserts();
  run(make_base(false), load);
}
TEST_F(FaultInjectionTest, LargeLoadBesideSegments) {
  stream_small_inserts();
  run(make_base(true), load);
}
TEST_F(FaultInjectionTest, CheckpointAfterLargeLoads) {
  stream_small_inserts();
  run(make_base(false), checkpoints);
}
TEST_F(FaultInjectionTest, Checkpoint) { run(make_base(false), checkpoints); }
TEST_F(FaultInjectionTest, CheckpointBesideSegments) { run(make_base(true), checkpoints); }
TEST_F(FaultInjectionTest, Reorganization) { run(make_base(false), reorganization); }
TEST_F(FaultInjectionTest, ReorganizationBesideSegments) { run(make_base(true), reorganization); }
TEST_F(FaultInjectionTest, Ddl) { run(make_base(false), ddl); }
TEST_F(FaultInjectionTest, DdlBesideSegments) { run(make_base(true), ddl); }
TEST_F(FaultInjectionTest, Recovery) { run_recovery(make_base(false), Unsynced::kRandom); }
TEST_F(FaultInjectionTest, RecoveryBesideSegments) { run_recovery(make_base(true), Unsynced::kRandom); }

size_t files_in_tables(SimulatedFileSystem& files) {
  size_t count = 0;
  for (const DirectoryEntry& table : files.list("/data/tables").value_or_throw()) {
    count += files.list("/data/tables/" + table.name).value_or_throw().size();
  }
  return count;
}

// A checkpoint that is tried again and again on a full disk does not fill it itself.
TEST(FullDiskTest, FailedCheckpointsTakeNoRoom) {
  for (uint64_t room = 0; room < 12'000; room += 500) {
    const Base base = make_base(true);
    CheckedDatabase database(base.files->copy(), base.world);
    database.open();
    Script script(database);
    script.insert("prices", 40, 100);
    script.insert("events", 41, 100);
    script.insert("devices", 42, 100);
    SimulatedFileSystem& files = database.files();
    const size_t before = files_in_tables(files);
    files.set_capacity(files.used_bytes() + room);
    for (int attempt = 0; attempt < 5; ++attempt) script.checkpoint();
    if (script.failures() == 0) {
      EXPECT_GT(room, 0u);
      continue;
    }
    ASSERT_EQ(script.failures(), 5) << room;
    // Dictionaries may have got strings; segments of attempts that failed are gone.
    EXPECT_LE(files_in_tables(files), before + 1) << room;
    database.check();
    files.set_capacity(UINT64_MAX);
    check_works(database);
  }
}

// Memory that runs out at any call of a checkpoint costs the checkpoint, and the writes that follow only where what the disk says is
// no longer known.
TEST(OutOfMemoryTest, ACheckpointFails) {
  const Base base = make_base(true);
  bool any_refused = false;
  for (uint64_t call = 1;; ++call) {
    CheckedDatabase database(base.files->copy(), base.world);
    database.open();
    Script script(database);
    script.insert("prices", 50, 100);
    script.insert("events", 51, 100);
    uint64_t calls = 0;
    database.files().on_call([&](FileOp op, const std::string&) {
      if (op != FileOp::kRemove && ++calls == call)
        throw std::bad_alloc();  // files are removed by destructors
    });
    bool failed = false;
    try {
      database.checkpoint();
    } catch (const std::bad_alloc&) { failed = true; }
    database.files().on_call({});
    if (!failed) {
      EXPECT_LT(calls, call);
      break;
    }
    SCOPED_TRACE(call);
    database.check();
    if (database.write_failed()) {
      any_refused = true;
      database.check_refuses_writes();
      EXPECT_THROW(database.database().checkpoint(), SqlError);
    } else {
      check_works(database);
    }
    database.crash(call, Unsynced::kRandom);
    database.open();
    check_works(database);
  }
  EXPECT_TRUE(any_refused);
}

}  // namespace
}  // namespace idem::simulation
