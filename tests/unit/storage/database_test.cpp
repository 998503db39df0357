#include "storage/database.h"

#include "common/error.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database = Database::open(files, clock, "/data", options, &report);
  }
  TableId create(const TableSchema& schema) {
    auto transaction = database->begin();
    const TableId id = transaction->create_table(schema);
    transaction->commit(true);
    return id;
  }
  void add(Transaction& transaction, TableId id, int64_t ts, const char* ticker, double price) {
    ColumnBatch& rows = transaction.pending_rows(id);
    rows.column(0).append(ts);
    rows.column(1).append_string(ticker);
    rows.column(2).append(price);
    rows.column(3).append_null();
    transaction.inserted_rows(id, 1);
  }
  CommitResult add_one(TableId id, int64_t ts, const char* ticker, double price) {
    auto transaction = database->begin();
    add(*transaction, id, ts, ticker, price);
    return transaction->commit(true);
  }
  std::vector<std::string> rows(TableId id) { return rows_of(database->snapshot().table(id)); }

  SimulatedFileSystem files;
  SettableClock clock;
  RecoveryReport report;
  std::unique_ptr<Database> database;
};

using Texts = std::vector<std::string>;

TEST_F(DatabaseTest, UpsertsByKey) {
  const TableId id = create(prices_schema(true));
  EXPECT_TRUE(add_one(id, 100, "AAPL", 185.5).wrote);
  EXPECT_EQ(add_one(id, 100, "AAPL", 186).counts.replaced, 1u);
  const CommitResult again = add_one(id, 100, "AAPL", 186);
  EXPECT_FALSE(again.wrote);
  EXPECT_EQ(again.counts.skipped, 1u);
  add_one(id, 50, "MSFT", 400);
  add_one(id, kDay + 5, "AAPL", 1);
  EXPECT_EQ(rows(id), (Texts{"50|MSFT|400|null", "100|AAPL|186|null", "86400000005|AAPL|1|null"}));
  EXPECT_EQ(database->snapshot().table(id)->version, VersionNumber{4});
}

TEST_F(DatabaseTest, RecoversFromLogAndFromManifest) {
  const TableId id = create(prices_schema(true));
  for (int i = 0; i < 100; ++i) add_one(id, i * 10, i % 2 ? "AAPL" : "MSFT", i);
  add_one(id, 55, "LATE", 1);
  const Texts before = rows(id);
  ASSERT_EQ(before.size(), 101u);
  open();
  EXPECT_EQ(rows(id), before);
  EXPECT_EQ(report.replayed_commits, 102u);
  database->checkpoint();
  EXPECT_EQ(rows(id), before);
  EXPECT_EQ(database->status().memory_rows_bytes, 0u);
  open();
  EXPECT_EQ(report.replayed_commits, 0u);
  EXPECT_EQ(rows(id), before);
  add_one(id, 56, "LATE", 2);
  EXPECT_EQ(rows(id).size(), 102u);
  const Texts after = rows(id);
  open();
  EXPECT_EQ(rows(id), after);
  database->checkpoint();
  database->checkpoint();
  open();
  EXPECT_EQ(rows(id), after);
}

TEST_F(DatabaseTest, AppendsOfOneRowFillOneSlice) {
  TableSchema schema = prices_schema(false);
  const TableId id = create(schema);
  for (int i = 0; i < 5000; ++i) add_one(id, i, "A", i);
  const auto version = database->snapshot().table(id);
  EXPECT_EQ(version->row_count, 5000u);
  ASSERT_EQ(version->partitions.size(), 1u);
  EXPECT_LE(version->partitions[0]->slices.size(), 2u);
}

TEST_F(DatabaseTest, TransactionSeesItsOwnWritesAndOthersDoNot) {
  const TableId id = create(prices_schema(true));
  add_one(id, 1, "A", 1);
  auto t = database->begin();
  add(*t, id, 2, "B", 2);
  EXPECT_EQ(rows_of(t->read_view().table(id)), (Texts{"1|A|1|null", "2|B|2|null"}));
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null"}));
  t->remove(id, {RowPosition{0, 0}});
  EXPECT_EQ(rows_of(t->read_view().table(id)), (Texts{"2|B|2|null"}));
  t->commit(true);
  EXPECT_EQ(rows(id), (Texts{"2|B|2|null"}));
}

TEST_F(DatabaseTest, RebasesOverCommitsInBetween) {
  const TableId id = create(prices_schema(true));
  for (int i = 0; i < 10; ++i) add_one(id, i * 10, "A", i);
  auto t = database->begin();
  add(*t, id, 35, "MINE", 1);
  t->read_view();
  t->remove(id, {RowPosition{0, 4}});  // 35|MINE
  add(*t, id, 36, "MINE", 2);
  t->read_view();
  t->remove(id, {RowPosition{0, 8}});  // 70|A
  add_one(id, 5, "OTHER", 1);
  add_one(id, 36, "MINE", 9);
  add_one(id, 95, "OTHER", 1);
  t->commit(true);
  EXPECT_EQ(rows(id), (Texts{"0|A|0|null", "5|OTHER|1|null", "10|A|1|null", "20|A|2|null", "30|A|3|null",
                             "36|MINE|2|null", "40|A|4|null", "50|A|5|null", "60|A|6|null", "80|A|8|null",
                             "90|A|9|null", "95|OTHER|1|null"}));
  const Texts before = rows(id);
  open();
  EXPECT_EQ(rows(id), before);
}

TEST_F(DatabaseTest, ChangedRowIsASerializationFailure) {
  const TableId id = create(prices_schema(true));
  add_one(id, 1, "A", 1);
  auto t = database->begin();
  t->remove(id, {RowPosition{0, 0}});
  add_one(id, 1, "A", 2);
  try {
    t->commit(true);
    FAIL();
  } catch (const SqlError& e) { EXPECT_EQ(e.sqlstate(), "40001"); }
  EXPECT_EQ(rows(id), (Texts{"1|A|2|null"}));
}

TEST_F(DatabaseTest, DdlIsTransactional) {
  auto t = database->begin();
  const TableId id = t->create_table(prices_schema(true));
  add(*t, id, 1, "A", 1);
  EXPECT_EQ(database->snapshot().find_table("public", "prices"), nullptr);
  t->commit(true);
  auto version = database->snapshot().find_table("public", "prices");
  ASSERT_NE(version, nullptr);

  t = database->begin();
  TableSchema schema = *version->schema;
  ColumnSchema qty = test_column("qty", TypeId::kBigInt);
  qty.initial = Value::of_int(TypeId::kBigInt, 7);
  schema.columns.push_back(qty);
  schema.name = "quotes";
  t->alter_table(id, schema);
  t->commit(true);
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null|7"}));
  open();
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null|7"}));
  EXPECT_NE(database->snapshot().find_table("public", "quotes"), nullptr);
  database->checkpoint();
  t = database->begin();
  t->truncate(id);
  t->commit(true);
  EXPECT_EQ(rows(id), Texts{});
  t = database->begin();
  t->drop_table(id);
  t->commit(true);
  EXPECT_EQ(database->snapshot().table(id), nullptr);
  open();
  EXPECT_EQ(database->snapshot().table(id), nullptr);
  database->checkpoint();
}

// Rows that the transaction has read already are in the shape of before; at commit they are appended anew.
TEST_F(DatabaseTest, AltersWhatTheTransactionHasWritten) {
  const TableId id = create(prices_schema(true));
  auto t = database->begin();
  add(*t, id, 1, "A", 1);
  t->read_view();
  TableSchema schema = *t->read_view().table(id)->schema;
  ColumnSchema qty = test_column("qty", TypeId::kBigInt);
  qty.initial = Value::of_int(TypeId::kBigInt, 7);
  schema.columns.push_back(qty);
  t->alter_table(id, schema);
  t->commit(true);
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null|7"}));
  open();
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null|7"}));
}

}  // namespace
}  // namespace idem
