#pragma once

// Scripts of statements in which every single call of the file layer is made to fail, tear, or be the last, one at a time; after each the
// database is compared with a model.

#include <cerrno>
#include <gtest/gtest.h>

#include "storage/retention.h"
#include "tests/simulation/checked_database.h"

namespace idem::simulation {

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

inline constexpr Fault kFaults[] = {
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
  std::vector<uint64_t> versions_of(TableId table) const { return database_.versions_of(table); }
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

inline void first_tables(Script& script) {
  script.create(Shape::kTimeKeys, "prices");
  script.create(Shape::kNoOrder, "events");
  script.create(Shape::kKeys, "devices");
  script.insert("prices", 1, 40);
  script.insert("events", 2, 20);
  script.insert("devices", 3, 20);
}

struct Base {
  std::unique_ptr<SimulatedFileSystem> files;
  std::shared_ptr<const World> world;
};

// A closed database that the scripts begin with: some of it in segment files, some in the log.
inline Base make_base(bool checkpointed) {
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

inline void arm(SimulatedFileSystem& files, const Fault& fault, uint64_t call) {
  switch (fault.kind) {
    case Fault::Kind::kFails: files.fail_nth_call(call, fault.error, fault.hit); break;
    case Fault::Kind::kDiskFull: files.fill_at_call(call); break;
    case Fault::Kind::kCrash: files.stop_at_call(call, fault.hit); break;
  }
}

inline void disarm(SimulatedFileSystem& files) {
  files.clear_faults();
  files.set_capacity(UINT64_MAX);
}

// After the fault: what a database that is still up must do on a disk that works, then what it is after a
// crash.
inline void end_case(CheckedDatabase& database, const Fault& fault, uint64_t seed) {
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
    load_ = {.batch_rows = 1,
             .group_rows = 64,
             .left_behind_rows = 2,
             .load_rows = 1,
             .encoded_rows = 2,
             .dense_rows = 2};
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

}  // namespace idem::simulation
