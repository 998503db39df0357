// A script of statements and checkpoints over a table with a past, stopped at each call of the disk in turn:
// after reopening the newest version is one that may be, and every version that can be read shows what it
// showed then; those around larger statements can be read.

#include "common/error.h"
#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

using Texts = std::vector<std::string>;

class HistoryScript {
 public:
  HistoryScript(SimulatedFileSystem* files, uint64_t seed, LoadLimits load)
      : files_(files), load_(load), maker_(seed, 300, 10) {}

  void open() {
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 64 << 10;
    options.load = load_;
    database_ = Database::open(*files_, clock_, "/data", options);
  }
  void close() { database_.reset(); }
  void reopen(SimulatedFileSystem* files) {
    files_ = files;
    open();
  }
  void checkpoint_and_reopen() {
    database_->checkpoint();
    close();
    open();
  }

  void run() {
    open();
    auto t = database_->begin();
    t->describe("ann", "CREATE TABLE");
    table_ = t->create_table(model_schema(Shape::kTimeKeys));
    commit(*t, {});
    for (int step = 0; step < 24; ++step) {
      operate(step);
      if (step % 5 == 4) database_->checkpoint();
    }
  }

  // After a restart.
  void check() {
    const Snapshot snapshot = database_->snapshot();
    const auto newest = snapshot.table(table_);
    if (!newest) {
      const bool dropped = snapshot.catalog->dropped.contains(static_cast<uint32_t>(table_));
      ASSERT_TRUE(acknowledged_ == 0 || dropped) << "the table is gone";
      return;
    }
    const auto number = static_cast<uint64_t>(newest->version);
    ASSERT_LT(number, versions_.size());
    ASSERT_GE(number + 1, acknowledged_);
    ASSERT_EQ(exact_rows_of(newest), versions_[number]);
    uint64_t readable = 0;
    for (uint64_t v = 0; v <= number; ++v) {
      try {
        const KeptVersion found =
            database_->find_version(snapshot, table_, VersionNumberTarget{VersionNumber{v}});
        ASSERT_EQ(exact_rows_of(found.version), versions_[v]) << "version " << v << " of " << number;
        ++readable;
      } catch (const SqlError& e) {
        ADD_FAILURE() << "version " << v << " of " << number << ": " << e.message();
      }
    }
    ASSERT_EQ(readable, number + 1);  // the log is all there
  }

 private:
  void commit(Transaction& t, Texts rows) {
    versions_.push_back(std::move(rows));
    t.commit(true);
    acknowledged_ = versions_.size();
  }

  void operate(int step) {
    auto t = database_->begin();
    const auto before = t->read_view().table(table_);
    switch (step % 8) {
      case 3: {
        t->describe("ann", "DELETE");
        std::vector<size_t> all;
        for (size_t i = 0; i < before->row_count; i += 2) all.push_back(i);
        t->remove(table_, positions_of(*before, all));
        break;
      }
      case 5:
        t->describe("bob", "TRUNCATE");
        t->truncate(table_);
        break;
      case 6: {
        t->describe("bob", "RESTORE");
        const uint64_t version = maker_.below(versions_.size());
        t->restore(table_, database_
                               ->find_version(database_->snapshot(), table_,
                                              VersionNumberTarget{VersionNumber{version}})
                               .version);
        break;
      }
      case 7: {
        if (step < 16) {
          t->describe("bob", "DROP");
          t->drop_table(table_);
          t->commit(true);
          t = database_->begin();
          t->describe("bob", "UNDROP");
          t->undrop_table(table_, "public", "t");
        } else {
          const uint64_t version = maker_.below(versions_.size());
          const auto number = VersionNumber{version};
          t->create_tag({table_, fmt::format("tag {}", step), number, 0, 0},
                        database_->find_version(database_->snapshot(), table_, VersionNumberTarget{number}));
          t->commit(true);
          return;
        }
        break;
      }
      default: {
        t->describe("ann", "INSERT");
        ColumnBatch batch(before->schema);
        for (uint64_t n = 1 + maker_.below(40); n > 0; --n) append_row(&batch, maker_.row());
        t->insert(table_, std::move(batch));
      }
    }
    Texts rows = exact_rows_of(t->read_view().table(table_));
    commit(*t, std::move(rows));
  }

  SimulatedFileSystem* files_;
  const LoadLimits load_;
  SettableClock clock_{int64_t{1'700'000'000} * 1'000'000};
  RowMaker maker_;
  std::unique_ptr<Database> database_;
  TableId table_{};
  std::vector<Texts> versions_;
  uint64_t acknowledged_ = 0;
};

void expect_every_version_after_a_stop_at_any_call(const LoadLimits& load) {
  bool finished = false;
  for (uint64_t stop = 1; !finished; ++stop) {
    SCOPED_TRACE(fmt::format("stop at call {}", stop));
    auto files = std::make_unique<SimulatedFileSystem>();
    HistoryScript script(files.get(), 1, load);
    files->stop_at_call(stop);
    try {
      script.run();
      finished = true;
    } catch (const SqlError& e) {
      ASSERT_TRUE(e.sqlstate() == "58030" || e.sqlstate() == "53100") << e.message();
    }
    script.close();
    files = files->crash(stop);
    script.reopen(files.get());
    script.check();
    if (::testing::Test::HasFailure()) return;
    script.checkpoint_and_reopen();
    script.check();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(HistoryCrashTest, EveryVersionSurvivesAStopAtAnyCall) {
  expect_every_version_after_a_stop_at_any_call(LoadLimits());
}

TEST(HistoryCrashTest, SoDoVersionsOfLargeInserts) {
  expect_every_version_after_a_stop_at_any_call({.batch_rows = 1,
                                                 .group_rows = 16,
                                                 .left_behind_rows = 2,
                                                 .load_rows = 1,
                                                 .encoded_rows = 4,
                                                 .dense_rows = 2});
}

}  // namespace
}  // namespace idem
