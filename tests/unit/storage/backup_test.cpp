#include "storage/backup.h"

#include <gtest/gtest.h>

#include "tests/simulation/checked_database.h"

namespace idem::simulation {
namespace {

void create(CheckedDatabase& database, Shape shape, const std::string& name) {
  auto transaction = database.begin();
  TableSchema schema = model_schema(shape);
  schema.name = name;
  transaction->create_table(std::move(schema));
  transaction->commit(true);
}

void insert(CheckedDatabase& database, const std::string& name, uint64_t seed, int count) {
  auto transaction = database.begin();
  RowMaker maker(seed, 60, 4);
  std::vector<TableModel::Row> rows;
  for (int i = 0; i < count; ++i) rows.push_back(maker.row());
  transaction->insert(database.visible()->find(name)->schema.id, rows, false);
  transaction->commit(true);
}

// Restores a backup beside the database and tells what is in it.
std::string restored(CheckedDatabase& database, const std::string& backup, const std::string& folder) {
  restore_backup(database.files(), backup, folder);
  SettableClock clock;
  const auto copy = Database::open(database.files(), clock, folder, database.options);
  return text_of(copy->snapshot());
}

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : database(std::make_unique<SimulatedFileSystem>()) {
    database.open();
    create(database, Shape::kTimeKeys, "prices");
    create(database, Shape::kNoOrder, "events");
    insert(database, "prices", 1, 60);
    insert(database, "events", 2, 30);
  }
  CheckedDatabase database;
};

TEST_F(BackupTest, HoldsEverythingAndStaysWhileTheDatabaseGoesOn) {
  const std::string before = database.visible()->text();
  const BackupReport first = database.database().backup("/backups");
  EXPECT_GE(first.linked_files, 1u);
  for (uint64_t i = 0; i < 6; ++i) {
    insert(database, "prices", 10 + i, 40);
    database.checkpoint();
  }
  auto transaction = database.begin();
  transaction->drop_table(database.visible()->find("events")->schema.id);
  transaction->commit(true);
  database.checkpoint();
  EXPECT_EQ(restored(database, first.directory, "/first"), before);
  const BackupReport second = database.database().backup("/backups");
  EXPECT_NE(second.directory, first.directory);
  EXPECT_EQ(restored(database, second.directory, "/second"), database.visible()->text());
  // A second time the same: there is nothing to write.
  const BackupReport again = database.database().backup("/backups");
  EXPECT_EQ(again.directory, second.directory);
  EXPECT_EQ(again.linked_files + again.copied_files, 0u);
  database.check();
}

// What was restored is a database of its own.
TEST_F(BackupTest, ARestoredDatabaseTakesWritesAndSurvivesACrash) {
  const BackupReport report = database.database().backup("/backups");
  restore_backup(database.files(), report.directory, "/restored");
  const std::string before = database.visible()->text();
  SettableClock clock;
  auto copy = Database::open(database.files(), clock, "/restored", database.options);
  EXPECT_EQ(text_of(copy->snapshot()), before);
  auto transaction = copy->begin();
  transaction->truncate(database.visible()->find("prices")->schema.id);  // ids are kept
  transaction->commit(true);
  transaction.reset();
  copy->checkpoint();
  copy.reset();
  database.check();
  const auto left = database.files().crash(1);
  copy = Database::open(*left, clock, "/restored", database.options);
  EXPECT_EQ(copy->snapshot().find_table("public", "prices")->row_count, 0u);
  copy.reset();
}

TEST_F(BackupTest, IsRefusedAmongTheFilesOfTheDatabase) {
  EXPECT_THROW(database.database().backup("/data/tables/x"), SqlError);
  EXPECT_THROW(database.database().backup("/data"), SqlError);
  EXPECT_THROW(restore_backup(database.files(), "/nowhere", "/restored"), SqlError);
  const BackupReport report = database.database().backup("/data/backup");
  EXPECT_THROW(restore_backup(database.files(), report.directory, "/data"), SqlError);
  database.crash(3);
  database.open();
  EXPECT_EQ(restored(database, report.directory, "/restored"), database.visible()->text());
}

// Every operation of a backup fails, or the machine stops there: the database does not notice, and what has
// the name of a backup is a whole one.
TEST_F(BackupTest, IsWholeOrNotThere) {
  database.crash(0, SimulatedFileSystem::Unsynced::kKept);
  const auto base = database.files().copy();
  const auto world = database.visible();
  uint64_t calls = 0;
  for (uint64_t call = 0; call <= calls; ++call) {
    for (const bool stops : {false, true}) {
      CheckedDatabase copy(base->copy(), world);
      copy.open();
      const uint64_t begun = copy.files().call_count();
      if (call > 0 && stops) copy.files().stop_at_call(call);
      if (call > 0 && !stops) copy.files().fail_nth_call(call, call % 2 == 0 ? EIO : ENOSPC);
      try {
        copy.database().backup("/backups");
        if (call == 0) calls = copy.files().call_count() - begun;
      } catch (const SqlError& error) { ASSERT_TRUE(is_io_failure(error)) << error.message(); }
      if (!copy.files().is_stopped()) {
        copy.files().clear_faults();
        ASSERT_FALSE(copy.write_failed());
        check_works(copy);
      }
      copy.crash(call, SimulatedFileSystem::Unsynced::kRandom);
      copy.open();
      const auto backups = copy.files().list("/backups");
      if (!backups.ok()) continue;
      for (const DirectoryEntry& entry : backups.value()) {
        if (entry.name.ends_with(".partial")) continue;
        ASSERT_EQ(restored(copy, "/backups/" + entry.name, "/restored"), world->text()) << call;
      }
      // The next one is made whatever is left of this one.
      const BackupReport next = copy.database().backup("/backups");
      ASSERT_EQ(restored(copy, next.directory, "/again"), copy.visible()->text()) << call;
    }
  }
  EXPECT_GT(calls, 40u);
}

}  // namespace
}  // namespace idem::simulation
