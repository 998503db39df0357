// Commits of several transactions at once: what each leaves is what it would have left alone.

#include <algorithm>
#include <random>

#include "storage/change_feed.h"
#include "storage/shared_change.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

using Texts = std::vector<std::string>;
constexpr int64_t kDayMicros = int64_t{86'400} * 1'000'000;

// Rows after a change: those of before by their own names, new ones as "row" of the batch.
Texts rows_after(const Texts& before, const PartitionChange& change) {
  Texts after;
  size_t run = 0;
  const auto& inserted = change.positions.inserted;
  for (uint64_t ordinal = 0; ordinal <= before.size(); ++ordinal) {
    for (; run < inserted.size() && inserted[run].before == ordinal; ++run) {
      for (uint64_t i = 0; i < inserted[run].count; ++i)
        after.push_back(fmt::format("row {}", change.inserted_row(inserted[run].first + i)));
    }
    if (ordinal == before.size()) break;
    const auto& replaced = change.positions.replaced;
    const auto found = std::find(replaced.begin(), replaced.end(), ordinal);
    after.push_back(
        found == replaced.end()
            ? before[ordinal]
            : fmt::format("row {}", change.replaced_rows[static_cast<size_t>(found - replaced.begin())]));
  }
  return after;
}

TEST(SharedChange, PartsMakeTheWhole) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2'000; ++i) {
    Texts before(random() % 20);
    for (size_t k = 0; k < before.size(); ++k) before[k] = std::to_string(k);
    const uint32_t owner_count = 1 + static_cast<uint32_t>(random() % 6);
    PartitionChange whole;
    std::vector<uint32_t> owners, rows(random() % 30);
    for (uint32_t k = 0; k < rows.size(); ++k) {
      rows[k] = k;
      owners.push_back(static_cast<uint32_t>(random() % owner_count));
    }
    std::sort(owners.begin(), owners.end());  // batches of one after the other
    std::shuffle(rows.begin(), rows.end(), random);
    for (uint64_t ordinal = 0; ordinal <= before.size() && !rows.empty(); ++ordinal) {
      while (!rows.empty() && random() % 3 == 0) {
        whole.positions.insert(ordinal, 1);
        whole.inserted_rows.push_back(rows.back());
        rows.pop_back();
      }
      if (ordinal == before.size() || rows.empty() || random() % 3 != 0) continue;
      whole.positions.replaced.push_back(ordinal);
      whole.replaced_rows.push_back(rows.back());
      rows.pop_back();
    }
    Texts found = before;
    uint32_t last_owner = 0;
    for (const OwnChange& own : take_apart(whole, owners)) {
      EXPECT_GE(own.owner, last_owner);
      last_owner = own.owner;
      found = rows_after(found, own.change);
      for (uint64_t k = 0; k < own.change.positions.inserted_count(); ++k)
        EXPECT_EQ(owners[own.change.inserted_row(k)], own.owner);
    }
    ASSERT_EQ(found, rows_after(before, whole)) << i;
  }
}

struct TestRow {
  int64_t ts = 0;
  std::string ticker;
  double price = 0;
};

// One database that commits together, and one that gets the same transactions one after the other.
class SharedCommitTest : public ::testing::Test {
 protected:
  struct Side {
    SimulatedFileSystem files;
    SettableClock clock;
    std::unique_ptr<Database> database;
    TableId table{};
    std::vector<CommitOutcome> outcomes;
  };

  void SetUp() override {
    for (Side* side : {&together, &alone}) {
      side->clock.set_now_micros(kDayMicros * 20'000);
      open(side);
    }
  }
  static void open(Side* side) {
    side->database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 64 << 10;
    side->database = Database::open(side->files, side->clock, "/data", options);
  }
  void create(TableSchema schema) {
    schema.name = fmt::format("prices{}", ++created);
    for (Side* side : {&together, &alone}) {
      auto t = side->database->begin();
      side->table = t->create_table(schema);
      t->commit(true);
    }
  }
  static std::unique_ptr<Transaction> begin(Side* side, const std::string& user,
                                            const std::vector<TestRow>& rows) {
    auto t = side->database->begin();
    t->describe(user, "INSERT");
    ColumnBatch& batch = t->pending_rows(side->table);
    for (const TestRow& row : rows) {
      batch.column(0).append(row.ts);
      batch.column(1).append_string(row.ticker);
      batch.column(2).append(row.price);
      batch.column(3).append_string(fmt::format("{} of {}", row.ticker, user));
    }
    t->inserted_rows(side->table, static_cast<uint32_t>(rows.size()));
    return t;
  }
  void commit(const std::vector<std::vector<TestRow>>& transactions) {
    std::vector<std::unique_ptr<Transaction>> owned;
    std::vector<CommitRequest> given;
    for (size_t i = 0; i < transactions.size(); ++i) {
      owned.push_back(begin(&together, fmt::format("user{}", i), transactions[i]));
      given.push_back({owned.back().get()});
    }
    together.outcomes = together.database->commit_together(given);
    CommitNumber last{};
    for (const CommitOutcome& outcome : together.outcomes) {
      ASSERT_FALSE(outcome.error) << outcome.error->message();
      last = std::max(last, outcome.result.visible_after);
    }
    together.database->wait_visible(last);
    alone.outcomes.clear();
    for (size_t i = 0; i < transactions.size(); ++i) {
      alone.outcomes.emplace_back();
      alone.outcomes.back().result = begin(&alone, fmt::format("user{}", i), transactions[i])->commit(true);
    }
  }
  static std::string counts_of(const WriteCounts& counts) {
    return fmt::format("+{} ~{} ={} -{}", counts.inserted, counts.replaced, counts.skipped, counts.deleted);
  }
  // Everything that can be known of the table: rows now, versions and their rows, what each changed.
  static Texts all_of(Side* side) {
    const Snapshot snapshot = side->database->snapshot();
    const auto now = snapshot.table(side->table);
    Texts all = rows_of(now);
    for (const CommitOutcome& outcome : side->outcomes) {
      all.push_back(fmt::format("outcome {} {}", outcome.result.wrote, counts_of(outcome.result.counts)));
    }
    for (const HistoryLine& line : side->database->table_history(snapshot, side->table)) {
      all.push_back(fmt::format("{}-{} {} {} {}", static_cast<uint64_t>(line.first),
                                static_cast<uint64_t>(line.last), line.user, counts_of(line.counts),
                                line.partitions));
    }
    for (uint64_t version = 1; version <= static_cast<uint64_t>(now->version); ++version) {
      all.push_back(fmt::format("version {}", version));
      const KeptVersion kept =
          side->database->find_version(snapshot, side->table, VersionNumberTarget{VersionNumber{version}});
      for (std::string& row : rows_of(kept.version)) all.push_back(std::move(row));
    }
    side->database->read_changes(
        snapshot, side->table, VersionNumber{0}, now->version, [&](const VersionChanges& c) {
          for (const ChangeKind kind : c.kinds)
            all.push_back(fmt::format("{} {}", static_cast<uint64_t>(c.version), change_kind_name(kind)));
          return true;
        });
    return all;
  }
  void expect_equal(const std::string& what) {
    ASSERT_EQ(all_of(&together), all_of(&alone)) << what;
    open(&together);
    ASSERT_EQ(all_of(&together), all_of(&alone)) << what << ", reopened";
  }
  void random_commits(const TableSchema& schema, uint64_t seed, bool with_checkpoints);

  Side together, alone;
  int created = 0;
};

void SharedCommitTest::random_commits(const TableSchema& schema, uint64_t seed, bool with_checkpoints) {
  std::mt19937_64 random(seed);
  create(schema);
  const uint64_t times = 1 + random() % 60, tickers = 1 + random() % 8;
  for (int round = 0; round < 12; ++round) {
    std::vector<std::vector<TestRow>> transactions(2 + random() % 8);
    for (std::vector<TestRow>& rows : transactions) {
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        const int64_t ts = static_cast<int64_t>(random() % times) * (kDayMicros / 20);
        rows.push_back({ts, fmt::format("T{}", random() % tickers), static_cast<double>(random() % 3)});
      }
    }
    commit(transactions);
    if (with_checkpoints && random() % 4 == 0) {
      together.database->checkpoint();
      alone.database->checkpoint();
    }
    const std::string what = fmt::format("seed {}, round {}", seed, round);
    if (round % 3 == 2) expect_equal(what);
    if (HasFatalFailure()) return;
  }
}

TEST_F(SharedCommitTest, WithoutKeys) {
  for (uint64_t seed = 1; seed <= 15 && !HasFatalFailure(); ++seed)
    random_commits(prices_schema(false), seed, seed % 2);
}
TEST_F(SharedCommitTest, WithKeys) {
  for (uint64_t seed = 1; seed <= 15 && !HasFatalFailure(); ++seed)
    random_commits(prices_schema(true), seed, seed % 2);
}
TEST_F(SharedCommitTest, KeysWithoutATimestamp) {
  TableSchema schema = prices_schema(false);
  schema.timestamp_column = -1;
  schema.partition_by = PartitionUnit::kNone;
  schema.upsert_keys = {1, 0};
  for (uint64_t seed = 1; seed <= 10 && !HasFatalFailure(); ++seed) random_commits(schema, seed, seed % 2);
}

TEST_F(SharedCommitTest, LosesAndRepeatsNothingBesideOthers) {
  create(prices_schema(true));
  commit({{{1, "A", 1}}, {{2, "B", 1}}});
  // One began before, updates a row that moves, and commits after.
  auto update = together.database->begin();
  const auto before = update->read_view().table(together.table);
  ColumnBatch changed(before->schema);
  changed.column(0).append(int64_t{2});
  changed.column(1).append_string("B");
  changed.column(2).append(7.0);
  changed.column(3).append_string("changed");
  update->update(together.table, {RowPosition{0, 1}}, std::move(changed));
  commit({{{0, "Z", 1}}, {{1, "A", 1}}, {{1, "M", 1}}});
  update->commit(true);
  const Texts expected{"0|Z|1|Z of user0", "1|A|1|A of user1", "1|M|1|M of user2", "2|B|7|changed"};
  EXPECT_EQ(rows_of(together.database->snapshot().table(together.table)), expected);
  open(&together);
  EXPECT_EQ(rows_of(together.database->snapshot().table(together.table)), expected);
}

TEST_F(SharedCommitTest, OnlyFewPlainRowsShare) {
  create(prices_schema(true));
  const auto shares = [&](const auto& use) {
    auto t = together.database->begin();
    use(*t);
    return t->may_share_commit();
  };
  EXPECT_FALSE(shares([](Transaction&) {}));
  EXPECT_FALSE(shares([&](Transaction& t) { t.truncate(together.table); }));
  EXPECT_TRUE(begin(&together, "ann", {{1, "A", 1}})->may_share_commit());
  EXPECT_FALSE(begin(&together, "ann", std::vector<TestRow>(100, {1, "A", 1}))->may_share_commit());
  auto read = begin(&together, "ann", {{1, "A", 1}});
  read->read_view();
  EXPECT_FALSE(read->may_share_commit());
}

TEST_F(SharedCommitTest, WhoDoesNotWaitIsVisibleAtOnce) {
  create(prices_schema(true));
  auto patient = begin(&together, "ann", {{1, "A", 1}}), hasty = begin(&together, "bob", {{2, "B", 1}});
  const auto outcomes =
      together.database->commit_together(std::vector<CommitRequest>{{patient.get()}, {hasty.get(), false}});
  EXPECT_NE(outcomes[0].result.visible_after, CommitNumber{});
  EXPECT_EQ(outcomes[1].result.visible_after, CommitNumber{});
  EXPECT_EQ(rows_of(together.database->snapshot().table(together.table)),
            (Texts{"1|A|1|A of ann", "2|B|1|B of bob"}));

  auto alone_hasty = begin(&together, "cid", {{3, "C", 1}});
  const auto one = together.database->commit_together(std::vector<CommitRequest>{{alone_hasty.get(), false}});
  EXPECT_EQ(one[0].result.visible_after, CommitNumber{});
  EXPECT_EQ(together.database->snapshot().table(together.table)->row_count, 3U);
}

// Each finds out for itself what is wrong; the others are not held up.
TEST_F(SharedCommitTest, OneByOneWhereTheTableHasChanged) {
  create(prices_schema(true));
  auto early = begin(&together, "ann", {{1, "A", 1}}), other = begin(&together, "bob", {{2, "B", 1}});
  auto alter = together.database->begin();
  TableSchema schema = *together.database->snapshot().table(together.table)->schema;
  schema.columns.push_back(test_column("more", TypeId::kDouble));
  alter->alter_table(together.table, schema);
  alter->commit(true);
  const auto outcomes =
      together.database->commit_together(std::vector<CommitRequest>{{early.get()}, {other.get()}});
  for (const CommitOutcome& outcome : outcomes) {
    ASSERT_FALSE(outcome.error) << outcome.error->message();
    together.database->wait_visible(outcome.result.visible_after);
  }
  EXPECT_EQ(rows_of(together.database->snapshot().table(together.table)),
            (Texts{"1|A|1|A of ann|null", "2|B|1|B of bob|null"}));

  auto late = begin(&together, "ann", {{3, "A", 1}}), later = begin(&together, "bob", {{4, "B", 1}});
  auto drop = together.database->begin();
  drop->drop_table(together.table);
  drop->commit(true);
  for (const CommitOutcome& outcome :
       together.database->commit_together(std::vector<CommitRequest>{{late.get()}, {later.get()}})) {
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->sqlstate(), sqlstate::kUndefinedTable);
  }
}

}  // namespace
}  // namespace idem
