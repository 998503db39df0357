// Every file operation of a load, a checkpoint, DDL and recovery fails in every way, one at a time; after
// each the database is what was acknowledged, works on a disk that works, and says so where it can not.

#include <cerrno>
#include <gtest/gtest.h>
#include <new>

#include "storage/retention.h"
#include "tests/simulation/checked_database.h"

namespace idem::simulation {
namespace {

using Hit = SimulatedFileSystem::Hit;
using Unsynced = SimulatedFileSystem::Unsynced;

// What happens at one operation.
struct Fault {
  enum class Kind { kFails, kDiskFull, kCrash };
  const char* name;
  Kind kind;
  Hit hit = Hit::kNothing;
  int error = EIO;
  Unsynced unsynced = Unsynced::kLost;
};

constexpr Fault kFaults[] = {
    {"fails", Fault::Kind::kFails},
    {"fails half done", Fault::Kind::kFails, Hit::kPartly},
    {"is done and reported as failed", Fault::Kind::kFails, Hit::kWholly},
    {"meets a full disk once", Fault::Kind::kFails, Hit::kPartly, ENOSPC},
    {"meets a disk that is full from then on", Fault::Kind::kDiskFull},
    {"crash before it, unsynced lost", Fault::Kind::kCrash, Hit::kNothing, EIO, Unsynced::kLost},
    {"crash before it, unsynced kept", Fault::Kind::kCrash, Hit::kNothing, EIO, Unsynced::kKept},
    {"crash before it, unsynced torn", Fault::Kind::kCrash, Hit::kNothing, EIO, Unsynced::kRandom},
    {"crash within it, unsynced kept", Fault::Kind::kCrash, Hit::kPartly, EIO, Unsynced::kKept},
    {"crash within it, unsynced torn", Fault::Kind::kCrash, Hit::kPartly, EIO, Unsynced::kRandom},
    {"crash after it, unsynced lost", Fault::Kind::kCrash, Hit::kWholly, EIO, Unsynced::kLost},
    {"crash after it, unsynced torn", Fault::Kind::kCrash, Hit::kWholly, EIO, Unsynced::kRandom},
};

// Statements of a script. A step that fails for lack of a working disk is skipped, as a client would give it
// up.
class Script {
 public:
  explicit Script(CheckedDatabase& database) : database_(database) {}

  template <class F>
  void step(F&& work) {
    if (database_.files().is_stopped()) return;
    try {
      work();
    } catch (const SqlError& error) {
      if (!is_io_failure(error)) {
        throw Violation(fmt::format("unexpected error {} {}", error.sqlstate(), error.message()));
      }
      if (database_.files().is_stopped()) return;
      ++failures_;
      database_.check();  // reads go on
    }
  }
  // One transaction of one statement.
  void change(const std::function<void(CheckedTransaction&)>& statement) {
    step([&] {
      auto transaction = database_.begin();
      statement(*transaction);
      transaction->commit(true);
    });
  }
  void checkpoint() {
    step([&] { database_.checkpoint(); });
  }
  // Gives back everything but the present.
  void vacuum() {
    step([&] {
      database_.keeps_versions = false;
      RetentionRequest all;
      all.retain_micros = 0;
      all.gives_back_log = true;
      database_.database().vacuum(all);
      database_.note_durable();
    });
  }
  // 0 where an earlier step has failed.
  TableId table(const std::string& name) const {
    const ModelTable* found = database_.visible()->find(name);
    return found ? found->schema.id : TableId{};
  }
  void on(const std::string& name, const std::function<void(CheckedTransaction&, TableId)>& statement) {
    const TableId id = table(name);
    if (id != TableId{}) {
      change([&](CheckedTransaction& transaction) { statement(transaction, id); });
    }
  }
  void create(Shape shape, const std::string& name) {
    change([&](CheckedTransaction& transaction) {
      TableSchema schema = model_schema(shape);
      schema.name = name;
      transaction.create_table(std::move(schema));
    });
  }
  void insert(const std::string& name, uint64_t seed, int count, int64_t times = 60) {
    on(name, [&](CheckedTransaction& transaction, TableId id) {
      RowMaker maker(seed, times, 4);
      std::vector<TableModel::Row> rows;
      for (int i = 0; i < count; ++i) rows.push_back(maker.row());
      transaction.insert(id, rows, false);
    });
  }
  int failures() const { return failures_; }

 private:
  CheckedDatabase& database_;
  int failures_ = 0;
};

void first_tables(Script& script) {
  script.create(Shape::kTimeKeys, "prices");
  script.create(Shape::kNoOrder, "events");
  script.create(Shape::kKeys, "devices");
  script.insert("prices", 1, 40);
  script.insert("events", 2, 20);
  script.insert("devices", 3, 20);
}

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

struct Base {
  std::unique_ptr<SimulatedFileSystem> files;
  std::shared_ptr<const World> world;
};

// A closed database that the scripts begin with: some of it in segment files, some in the log.
Base make_base(bool checkpointed) {
  CheckedDatabase database(std::make_unique<SimulatedFileSystem>());
  database.open();
  Script script(database);
  first_tables(script);
  if (checkpointed) database.checkpoint();
  script.insert("prices", 4, 20);
  script.insert("devices", 5, 5);
  EXPECT_EQ(script.failures(), 0);
  std::shared_ptr<const World> world = database.visible();
  database.crash(0, Unsynced::kKept);
  return {database.files().copy(), std::move(world)};
}

void arm(SimulatedFileSystem& files, const Fault& fault, uint64_t call) {
  switch (fault.kind) {
    case Fault::Kind::kFails: files.fail_nth_call(call, fault.error, fault.hit); break;
    case Fault::Kind::kDiskFull: files.fill_at_call(call); break;
    case Fault::Kind::kCrash: files.stop_at_call(call, fault.hit); break;
  }
}

void disarm(SimulatedFileSystem& files) {
  files.clear_faults();
  files.set_capacity(UINT64_MAX);
}

// After the fault: what a database that is still up must do on a disk that works, then what it is after a
// crash.
void end_case(CheckedDatabase& database, const Fault& fault, uint64_t seed) {
  SimulatedFileSystem& files = database.files();
  if (!files.is_stopped()) {
    disarm(files);
    if (database.write_failed()) {
      if (fault.kind == Fault::Kind::kDiskFull)
        throw Violation("the log failed although only the disk was full");
      database.check();
      database.check_refuses_writes();
    } else {
      check_works(database);
    }
  }
  database.crash(seed, fault.unsynced);
  database.open();
  check_works(database);
  database.crash(seed + 1, Unsynced::kLost);
  database.open();
}

class FaultInjectionTest : public ::testing::Test {
 protected:
  using Body = std::function<void(Script&)>;

  // Of inserts that go into segment files at once; by default of none that small.
  LoadLimits load_;
  void stream_small_inserts() {
    load_ = {.batch_rows = 1, .group_rows = 64, .left_behind_rows = 2, .load_rows = 1, .encoded_rows = 2};
  }

  void run(const Base& base, const Body& body) {
    uint64_t calls = 0;
    {
      CheckedDatabase database(base.files->copy(), base.world);
      database.options.load = load_;
      database.open();
      const uint64_t before = database.files().call_count();
      Script script(database);
      body(script);
      ASSERT_EQ(script.failures(), 0);
      calls = database.files().call_count() - before;
      database.check();
    }
    ASSERT_GT(calls, 20u);
    for (const Fault& fault : kFaults) {
      for (uint64_t call = 1; call <= calls; ++call) {
        try {
          CheckedDatabase database(base.files->copy(), base.world);
          database.options.load = load_;
          database.open();
          arm(database.files(), fault, call);
          Script script(database);
          body(script);
          end_case(database, fault, call);
        } catch (const std::exception& error) {
          FAIL() << "call " << call << " of " << calls << " " << fault.name << ": " << error.what();
        }
      }
    }
    RecordProperty("cases", static_cast<int>(calls * std::size(kFaults)));
  }

  void run_recovery(const Base& base, Unsynced unsynced) {
    uint64_t calls = 0;
    {
      CheckedDatabase database(base.files->copy(), base.world);
      const uint64_t before = database.files().call_count();
      database.open();
      calls = database.files().call_count() - before;
    }
    ASSERT_GT(calls, 10u);
    for (Fault fault : kFaults) {
      if (fault.unsynced == Unsynced::kRandom) fault.unsynced = unsynced;
      for (uint64_t call = 1; call <= calls; ++call) {
        try {
          CheckedDatabase database(base.files->copy(), base.world);
          arm(database.files(), fault, call);
          try {
            database.open();
          } catch (const SqlError& error) {
            if (!is_io_failure(error)) throw;
          }
          if (!database.is_open()) {
            // The next start is an ordinary one: on the same disk where only a call failed.
            disarm(database.files());
            if (database.files().is_stopped()) database.crash(call, fault.unsynced);
            database.open();
          }
          end_case(database, fault, call);
        } catch (const std::exception& error) {
          FAIL() << "call " << call << " of " << calls << " " << fault.name << ": " << error.what();
        }
      }
    }
  }
};

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
