// VERSION BY, DELETED WHEN and KEEP: results do not depend on the order in which rows arrive, and nothing that is sent
// again changes them.

#include <algorithm>
#include <random>

#include "common/error.h"
#include "storage/tombstones.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

// One row of accounts (ts, id, plan, visits MIN, top MAX, seen, note, version, gone).
struct Account {
  int64_t ts = 0, id = 0;
  std::string plan;
  std::optional<int64_t> least, most, seen;
  std::optional<std::string> note;
  std::optional<int64_t> version;
  bool gone = false;
};

TableSchema accounts_schema(KeepPolicy seen, KeepPolicy note) {
  TableSchema schema;
  schema.schema_name = "public";
  schema.name = "accounts";
  schema.owner = "admin";
  schema.columns = {test_column("ts", TypeId::kTimestamp), test_column("id", TypeId::kBigInt),
                    test_column("plan", TypeId::kSymbol),  test_column("least", TypeId::kBigInt),
                    test_column("most", TypeId::kBigInt),  test_column("seen", TypeId::kBigInt),
                    test_column("note", TypeId::kVarchar), test_column("version", TypeId::kBigInt),
                    test_column("gone", TypeId::kBoolean)};
  schema.columns[3].keep = KeepPolicy::kMin;
  schema.columns[4].keep = KeepPolicy::kMax;
  schema.columns[5].keep = seen;
  schema.columns[6].keep = note;
  schema.timestamp_column = 0;
  schema.partition_by = PartitionUnit::kDay;
  schema.upsert_keys = {0, 1};
  schema.version_column = 7;
  schema.deleted_column = 8;
  return schema;
}

class MergePolicyTest : public ::testing::Test {
 protected:
  void open() {
    database_.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database_ = Database::open(files_, clock_, "/data", options);
  }
  void create(const TableSchema& schema) {
    if (!database_) open();
    auto t = database_->begin();
    id_ = t->create_table(schema);
    t->commit(true);
  }
  void create_anew(const TableSchema& schema) {
    auto t = database_->begin();
    t->drop_table(id_);
    id_ = t->create_table(schema);
    t->commit(true);
  }
  CommitResult send(const std::vector<Account>& rows) {
    auto t = database_->begin();
    ColumnBatch batch(t->schema_view().table(id_)->schema);
    const auto put = [](BatchColumn& column, const std::optional<int64_t>& value) {
      if (value) column.append(*value);
      else column.append_null();
    };
    for (const Account& row : rows) {
      batch.column(0).append(row.ts);
      batch.column(1).append(row.id);
      batch.column(2).append_string(row.plan);
      put(batch.column(3), row.least);
      put(batch.column(4), row.most);
      put(batch.column(5), row.seen);
      if (row.note) batch.column(6).append_string(*row.note);
      else batch.column(6).append_null();
      put(batch.column(7), row.version);
      batch.column(8).append<uint8_t>(row.gone ? 1 : 0);
    }
    t->insert(id_, std::move(batch));
    return t->commit(true);
  }
  std::shared_ptr<const TableVersion> table() { return database_->snapshot().table(id_); }
  // Tombstones among them: what is stored must be the same, not only what is shown.
  std::vector<std::string> sorted_rows() {
    std::vector<std::string> rows = rows_of(table());
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  // Rows of few keys with distinct versions.
  std::vector<Account> random_accounts(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t n) { return static_cast<int64_t>(random() % n); };
    const auto maybe = [&]() -> std::optional<int64_t> {
      return below(4) == 0 ? std::nullopt : std::optional(below(9));
    };
    std::vector<Account> rows;
    for (size_t i = 0; i < count; ++i) {
      Account row;
      row.ts = below(3) * 43'200'000'000;
      row.id = below(4);
      row.plan = std::string(1, static_cast<char>('a' + below(5)));
      row.least = maybe();
      row.most = maybe();
      row.seen = maybe();
      if (below(3) != 0) row.note = std::to_string(below(9));
      row.version = static_cast<int64_t>(i);
      row.gone = below(4) == 0;
      rows.push_back(row);
    }
    return rows;
  }
  // In batches of random sizes, with checkpoints and restarts now and then.
  void send_in_pieces(const std::vector<Account>& rows, std::mt19937_64& random) {
    for (size_t at = 0; at < rows.size();) {
      const size_t count = std::min<size_t>(rows.size() - at, 1 + random() % 12);
      send({rows.begin() + static_cast<std::ptrdiff_t>(at),
            rows.begin() + static_cast<std::ptrdiff_t>(at + count)});
      at += count;
      if (random() % 12 == 0) database_->checkpoint();
      if (random() % 30 == 0) open();
    }
  }

  SimulatedFileSystem files_;
  SettableClock clock_;
  std::unique_ptr<Database> database_;
  TableId id_{};
};

TEST_F(MergePolicyTest, OrderAndRepetitionOfArrivalDoNotMatter) {
  // FIRST and NON NULL are about the order of arrival; all others must come out the same.
  const TableSchema schema = accounts_schema(KeepPolicy::kLast, KeepPolicy::kLast);
  create(schema);
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Account> rows = random_accounts(60, seed);
    create_anew(schema);
    send(rows);
    const std::vector<std::string> expected = sorted_rows();
    for (int permutation = 0; permutation < 4; ++permutation) {
      std::vector<Account> sent = rows;
      for (size_t i = 0; i < rows.size() / 2; ++i) sent.push_back(rows[random() % rows.size()]);
      std::shuffle(sent.begin(), sent.end(), random);
      create_anew(schema);
      send_in_pieces(sent, random);
      ASSERT_EQ(sorted_rows(), expected);
    }
  }
}

TEST_F(MergePolicyTest, NothingSentAgainChangesAnything) {
  const TableSchema schema = accounts_schema(KeepPolicy::kFirst, KeepPolicy::kNonNull);
  create(schema);
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Account> rows = random_accounts(60, seed);
    std::shuffle(rows.begin(), rows.end(), random);
    create_anew(schema);
    send_in_pieces(rows, random);
    const std::vector<std::string> before = rows_of(table());
    const VersionNumber version = table()->version;
    for (int again = 0; again < 6; ++again) {
      std::vector<Account> some;
      for (const Account& row : rows) {
        if (random() % 3 != 0) some.push_back(row);
      }
      if (again > 2) std::shuffle(some.begin(), some.end(), random);
      // What was the first seen of a key does not change, whatever the time of the replay.
      for (Account& row : some) row.seen = 1'000 + again;
      for (const Account& row : some) {
        const CommitResult result = send({row});
        ASSERT_FALSE(result.wrote);
        ASSERT_EQ(result.counts.skipped, 1u);
      }
      send(some);
    }
    ASSERT_EQ(rows_of(table()), before);
    // A batch is folded row by row, so it comes to the same.
    EXPECT_EQ(table()->version, version);
  }
}

TEST_F(MergePolicyTest, SequenceWithTiesSentTwiceEndsTheSame) {
  const TableSchema schema = accounts_schema(KeepPolicy::kFirst, KeepPolicy::kNonNull);
  create(schema);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Account> rows = random_accounts(50, seed);
    for (Account& row : rows) {
      row.version =
          random() % 5 == 0 ? std::nullopt : std::optional<int64_t>(static_cast<int64_t>(random() % 3));
    }
    create_anew(schema);
    send_in_pieces(rows, random);
    const std::vector<std::string> once = rows_of(table());
    send_in_pieces(rows, random);
    ASSERT_EQ(rows_of(table()), once);
  }
}

TEST_F(MergePolicyTest, TombstoneHidesItsRowAndHoldsBackOlderOnes) {
  create(accounts_schema(KeepPolicy::kFirst, KeepPolicy::kLast));
  const Account live{0, 7, "pro", 5, 5, 10, "x", 2, false};
  Account gone = live, late = live, newer = live;
  gone.version = 3;
  gone.gone = true;
  late.version = 1;
  newer.version = 4;
  newer.seen = 99;

  EXPECT_EQ(send({live}).counts.inserted, 1u);
  EXPECT_EQ(send({gone}).counts.deleted, 1u);
  EXPECT_EQ(visible_rows(*table()), 0u);
  EXPECT_EQ(table()->row_count, 1u);
  ASSERT_EQ(hidden_rows(*table()).size(), 1u);

  CommitResult result = send({late, live, gone});
  EXPECT_FALSE(result.wrote);
  EXPECT_EQ(result.counts.skipped, 3u);

  database_->checkpoint();
  open();
  EXPECT_EQ(visible_rows(*table()), 0u);
  EXPECT_FALSE(send({late}).wrote);

  result = send({newer});
  EXPECT_EQ(result.counts.inserted, 1u);
  EXPECT_EQ(result.counts.replaced, 0u);
  EXPECT_EQ(visible_rows(*table()), 1u);
  // KEEP FIRST goes through the deletion: else this replay, whose versions tie, would change what was first seen.
  EXPECT_EQ(rows_of(table()), std::vector<std::string>{"0|7|pro|5|5|10|x|4|0"});
}

TEST_F(MergePolicyTest, TombstoneMayComeFirst) {
  create(accounts_schema(KeepPolicy::kLast, KeepPolicy::kLast));
  Account gone{0, 7, "pro", 5, 5, 1, "x", 3, true};
  EXPECT_EQ(send({gone}).counts.deleted, 1u);
  Account older = gone;
  older.version = 2;
  older.gone = false;
  EXPECT_FALSE(send({older}).wrote);
  older.least = 1;  // MIN and MAX fold whatever the version, so that the order of arrival does not matter
  EXPECT_TRUE(send({older}).wrote);
  EXPECT_EQ(visible_rows(*table()), 0u);
}

TEST_F(MergePolicyTest, UpdateMayTakeTheKeysOfATombstone) {
  create(accounts_schema(KeepPolicy::kLast, KeepPolicy::kLast));
  Account gone{0, 1, "a", 1, 1, 1, "x", 9, true}, live{0, 2, "b", 2, 2, 2, "y", 1, false};
  send({gone, live});
  auto t = database_->begin();
  const auto version = t->read_view().table(id_);
  ColumnBatch moved(version->schema);
  for (uint32_t c = 0; c < 9; ++c) {
    Vector old;
    version->partitions[0]->slices[0].group->read(version->schema->columns[c], 1, 1, &old);
    if (c == 1) moved.column(c).append<int64_t>(1);
    else moved.column(c).append_vector(old, {nullptr, 1});
  }
  t->update(id_, {{0, 1}}, std::move(moved));
  t->commit(true);
  EXPECT_EQ(rows_of(table()), std::vector<std::string>{"0|1|b|2|2|2|y|1|0"});
}

TEST_F(MergePolicyTest, DroppingTheClauseDropsTheTombstones) {
  create(accounts_schema(KeepPolicy::kLast, KeepPolicy::kLast));
  Account gone{0, 1, "a", 1, 1, 1, "x", 9, true}, live{0, 2, "b", 2, 2, 2, "y", 1, false};
  send({gone, live});
  auto t = database_->begin();
  TableSchema schema = *t->schema_view().table(id_)->schema;
  schema.upsert_keys.clear();
  schema.version_column = schema.deleted_column = -1;
  t->alter_table(id_, schema);
  EXPECT_EQ(t->commit(true).counts.deleted, 0u);
  t.reset();
  EXPECT_EQ(rows_of(table()), std::vector<std::string>{"0|2|b|2|2|2|y|1|0"});
  open();
  EXPECT_EQ(rows_of(table()), std::vector<std::string>{"0|2|b|2|2|2|y|1|0"});
}

TEST_F(MergePolicyTest, StoredDuplicatesCollapseIntoOneInTheFirstsPlace) {
  TableSchema schema = accounts_schema(KeepPolicy::kFirst, KeepPolicy::kNonNull);
  schema.upsert_keys.clear();
  schema.version_column = schema.deleted_column = -1;
  create(schema);
  // Several blocks lie between them.
  std::vector<Account> rows = {{0, 1, "a", 5, 5, 1, std::nullopt, 5, false}};
  for (int64_t i = 10; i < 5'000; ++i) rows.push_back({0, i, "f", 0, 0, 0, "", 0, false});
  rows.push_back({0, 1, "b", 3, 9, 2, "n", 9, false});
  rows.push_back({0, 2, "z", 0, 0, 0, "", 0, false});
  send(rows);

  auto t = database_->begin();
  TableSchema keyed = *t->schema_view().table(id_)->schema;
  keyed.upsert_keys = {0, 1};
  keyed.version_column = 7;
  t->alter_table(id_, keyed);
  t->commit(true);
  t.reset();
  EXPECT_FALSE(table()->schema->keys_unique);
  EXPECT_EQ(table()->row_count, rows.size());

  // A row between their versions: none of them is undone.
  const CommitResult result = send({{0, 1, "c", 4, 4, 7, std::nullopt, 7, false}});
  EXPECT_EQ(result.counts.replaced, 1u);
  const std::vector<std::string> stored = rows_of(table());
  EXPECT_EQ(stored.size(), rows.size() - 1);
  EXPECT_EQ(stored.front(), "0|1|b|3|9|1|n|9|0");
  EXPECT_EQ(stored.back(), "0|2|z|0|0|0||0|0");
  database_->checkpoint();
  open();
  EXPECT_EQ(rows_of(table()), stored);
}

TEST_F(MergePolicyTest, KeysFoundUniqueMustStillBeSoAtCommit) {
  TableSchema schema = accounts_schema(KeepPolicy::kLast, KeepPolicy::kLast);
  schema.upsert_keys.clear();
  schema.version_column = schema.deleted_column = -1;
  create(schema);
  auto t = database_->begin();
  TableSchema keyed = *t->schema_view().table(id_)->schema;
  keyed.upsert_keys = {0, 1};
  t->alter_table(id_, keyed);  // the table is empty: unique
  const Account twice{0, 1, "a", 1, 1, 1, "x", 1, false};
  send({twice, twice});
  try {
    t->commit(true);
    FAIL() << "the rows that came meanwhile are not unique";
  } catch (const SqlError& e) { EXPECT_EQ(e.sqlstate(), "40001"); }
  EXPECT_FALSE(table()->schema->has_keys());
}

TEST_F(MergePolicyTest, HundredThousandRowsOfOneTime) {
  // Compared in pairs these would be ten thousand million comparisons, each time.
  constexpr int64_t kRows = 100'000;
  const TableSchema schema = accounts_schema(KeepPolicy::kFirst, KeepPolicy::kLast);
  create(schema);
  std::vector<Account> rows;
  for (int64_t i = 0; i < kRows; ++i) rows.push_back({0, i, "p", i, i, i, "n", 1, false});
  EXPECT_EQ(send(rows).counts.inserted, static_cast<uint64_t>(kRows));
  std::mt19937_64 random(1);
  std::shuffle(rows.begin(), rows.end(), random);
  CommitResult result = send(rows);
  EXPECT_FALSE(result.wrote);
  EXPECT_EQ(result.counts.skipped, static_cast<uint64_t>(kRows));
  for (Account& row : rows) {
    row.version = row.id % 2;  // half of them older
    row.plan = "q";
    row.gone = row.id % 10 == 1;
  }
  result = send(rows);
  EXPECT_EQ(result.counts.replaced, static_cast<uint64_t>(kRows / 2 - kRows / 10));
  EXPECT_EQ(result.counts.deleted, static_cast<uint64_t>(kRows / 10));
  EXPECT_EQ(result.counts.skipped, static_cast<uint64_t>(kRows / 2));
  EXPECT_EQ(visible_rows(*table()), static_cast<uint64_t>(kRows - kRows / 10));
}

}  // namespace
}  // namespace idem
