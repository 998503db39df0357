// UPDATEs that move rows, and MERGE's inserts.

#include "common/error.h"
#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

class UpdateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database = Database::open(files, clock, "/data", options);
    auto t = database->begin();
    id = t->create_table(prices_schema(true));
    t->commit(true);
    t = database->begin();
    for (int i = 0; i < 4; ++i) add(&t->pending_rows(id), i, "A", i);
    t->inserted_rows(id, 4);
    t->commit(true);
  }
  static void add(ColumnBatch* rows, int64_t ts, const char* ticker, double price) {
    rows->column(0).append(ts);
    rows->column(1).append_string(ticker);
    rows->column(2).append(price);
    rows->column(3).append_null();
  }
  ColumnBatch batch() { return ColumnBatch(database->snapshot().table(id)->schema); }
  std::vector<std::string> rows() { return rows_of(database->snapshot().table(id)); }
  std::string error_of(const std::function<void()>& action) {
    try {
      action();
      return "";
    } catch (const SqlError& e) { return e.sqlstate(); }
  }

  SimulatedFileSystem files;
  SettableClock clock;
  std::unique_ptr<Database> database;
  TableId id{};
};

using Texts = std::vector<std::string>;

TEST_F(UpdateTest, KeysMaySwapWithinAStatement) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 1, "A", 10);  // was 0
  add(&fresh, 0, "A", 11);  // was 1
  t->update(id, {{0, 0}, {0, 1}}, std::move(fresh));
  t->commit(true);
  EXPECT_EQ(rows(), (Texts{"0|A|11|null", "1|A|10|null", "2|A|2|null", "3|A|3|null"}));
}

TEST_F(UpdateTest, MovesARowToAnotherPartition) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, kDay + 1, "A", 10);
  t->update(id, {{0, 2}}, std::move(fresh));
  EXPECT_EQ(t->commit(true).counts.replaced, 1u);
  EXPECT_EQ(rows(), (Texts{"0|A|0|null", "1|A|1|null", "3|A|3|null", "86400000001|A|10|null"}));
}

TEST_F(UpdateTest, TakingAnothersKeyIsAnError) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 3, "A", 10);
  EXPECT_EQ(error_of([&] { t->update(id, {{0, 2}}, std::move(fresh)); }), "23505");
}

TEST_F(UpdateTest, AKeyTakenMeanwhileIsAnErrorAtCommit) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 7, "A", 10);
  t->update(id, {{0, 2}}, std::move(fresh));
  auto other = database->begin();
  add(&other->pending_rows(id), 7, "A", 1);
  other->inserted_rows(id, 1);
  other->commit(true);
  EXPECT_EQ(error_of([&] { t->commit(true); }), "23505");
}

TEST_F(UpdateTest, MergeInsertOfAKeyThatCameMeanwhileConflicts) {
  for (const bool same_key : {false, true}) {
    auto t = database->begin();
    ColumnBatch fresh = batch();
    add(&fresh, 20 + same_key, "A", 10);
    t->insert_unmatched(id, std::move(fresh));
    auto other = database->begin();
    add(&other->pending_rows(id), same_key ? 21 : 8, "A", 1);
    other->inserted_rows(id, 1);
    other->commit(true);
    EXPECT_EQ(error_of([&] { t->commit(true); }), same_key ? "40001" : "");
  }
}

TEST_F(UpdateTest, NullTimestampIsRefused) {
  auto t = database->begin();
  ColumnBatch& pending = t->pending_rows(id);
  pending.column(0).append_null();
  pending.column(1).append_string("A");
  pending.column(2).append(1.0);
  pending.column(3).append_null();
  EXPECT_EQ(error_of([&] { t->inserted_rows(id, 1); }), "23502");
}

TEST_F(UpdateTest, RollbackLeavesNothingForTheNextAppend) {
  for (int i = 0; i < 3; ++i) {
    auto t = database->begin();
    add(&t->pending_rows(id), 100, "GONE", i);
    t->inserted_rows(id, 1);
    t->read_view();
    t->rollback();
    auto kept = database->begin();
    add(&kept->pending_rows(id), 10 + i, "B", i);
    kept->inserted_rows(id, 1);
    kept->commit(true);
  }
  EXPECT_EQ(rows(), (Texts{"0|A|0|null", "1|A|1|null", "2|A|2|null", "3|A|3|null", "10|B|0|null",
                           "11|B|1|null", "12|B|2|null"}));
}

TEST_F(UpdateTest, RefreshKeepsOwnWritesOnTop) {
  auto t = database->begin();
  t->remove(id, {{0, 1}});
  auto other = database->begin();
  add(&other->pending_rows(id), -5, "B", 1);
  other->inserted_rows(id, 1);
  other->commit(true);
  EXPECT_EQ(rows_of(t->read_view().table(id)), (Texts{"0|A|0|null", "2|A|2|null", "3|A|3|null"}));
  t->refresh();
  EXPECT_EQ(rows_of(t->read_view().table(id)),
            (Texts{"-5|B|1|null", "0|A|0|null", "2|A|2|null", "3|A|3|null"}));
  t->commit(true);
  EXPECT_EQ(rows(), (Texts{"-5|B|1|null", "0|A|0|null", "2|A|2|null", "3|A|3|null"}));
}

// MERGE's updates and removals are one step.
TEST_F(UpdateTest, ARemovedRowsKeysAreFreeForAnUpdatedOne) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 3, "A", 10);  // was 0
  t->modify(id, {{0, 0}}, std::move(fresh), {{0, 3}});
  t->commit(true);
  EXPECT_EQ(rows(), (Texts{"1|A|1|null", "2|A|2|null", "3|A|10|null"}));
}

TEST_F(UpdateTest, ModifyTakesAVersionEvenIfItChangesNothing) {
  const auto before = static_cast<uint64_t>(database->snapshot().table(id)->version);
  auto t = database->begin();
  t->describe("admin", "MERGE");
  t->modify(id, {}, batch(), {});
  t->commit(true);
  EXPECT_EQ(static_cast<uint64_t>(database->snapshot().table(id)->version), before + 1);
}

TEST_F(UpdateTest, ModifiedRowsMoveAlongWithWhatOthersInsert) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 2, "A", 20);
  t->modify(id, {{0, 2}}, std::move(fresh), {{0, 1}});
  auto other = database->begin();
  add(&other->pending_rows(id), 0, "B", 5);
  other->inserted_rows(id, 1);
  other->commit(true);
  t->commit(true);
  EXPECT_EQ(rows(), (Texts{"0|A|0|null", "0|B|5|null", "2|A|20|null", "3|A|3|null"}));
}

// What REPLACE WHERE chose may not be all any more.
TEST_F(UpdateTest, AnOverwriteByConditionConflictsWithEveryChange) {
  auto t = database->begin();
  t->describe("admin", "OVERWRITE");
  t->remove(id, {{0, 2}});
  auto other = database->begin();
  add(&other->pending_rows(id), 0, "B", 5);
  other->inserted_rows(id, 1);
  other->commit(true);
  EXPECT_EQ(error_of([&] { t->commit(true); }), "40001");
}

TEST_F(UpdateTest, SavepointsUndoWhatCameLater) {
  auto t = database->begin();
  add(&t->pending_rows(id), 10, "A", 10);
  t->inserted_rows(id, 1);
  const auto first = t->savepoint();
  add(&t->pending_rows(id), 11, "A", 11);
  t->inserted_rows(id, 1);
  const auto second = t->savepoint();
  t->remove(id, {{0, 0}, {0, 4}});
  EXPECT_EQ(rows_of(t->read_view().table(id)),
            (Texts{"1|A|1|null", "2|A|2|null", "3|A|3|null", "11|A|11|null"}));
  t->rollback_to(*second);
  EXPECT_EQ(rows_of(t->read_view().table(id)).size(), 6u);
  t->truncate(id);
  t->rollback_to(*first);
  EXPECT_EQ(rows_of(t->read_view().table(id)).size(), 5u);
  add(&t->pending_rows(id), 12, "A", 12);
  t->inserted_rows(id, 1);
  t->commit(true);
  EXPECT_EQ(rows(),
            (Texts{"0|A|0|null", "1|A|1|null", "2|A|2|null", "3|A|3|null", "10|A|10|null", "12|A|12|null"}));
}

TEST_F(UpdateTest, SavepointsUndoDefinitions) {
  auto t = database->begin();
  const auto before = t->savepoint();
  const TableId fresh = t->create_table([] {
    TableSchema schema = prices_schema(false);
    schema.name = "fresh";
    return schema;
  }());
  t->drop_table(id);
  EXPECT_EQ(t->read_view().table(id), nullptr);
  t->rollback_to(*before);
  EXPECT_EQ(t->read_view().table(fresh), nullptr);
  EXPECT_EQ(rows_of(t->read_view().table(id)).size(), 4u);
  t->commit(true);
  EXPECT_EQ(rows().size(), 4u);
}

// A transaction that goes on from a savepoint after others have committed is moved onto what they left.
TEST_F(UpdateTest, ASavepointOutlivesTheCommitsOfOthers) {
  auto t = database->begin();
  ColumnBatch fresh = batch();
  add(&fresh, 2, "A", 20);
  t->update(id, {{0, 2}}, std::move(fresh));
  const auto savepoint = t->savepoint();
  auto other = database->begin();
  add(&other->pending_rows(id), 0, "B", 5);
  other->inserted_rows(id, 1);
  other->commit(true);
  t->refresh();
  t->remove(id, {{0, 0}});
  t->rollback_to(*savepoint);
  t->refresh();
  EXPECT_EQ(rows_of(t->read_view().table(id)),
            (Texts{"0|A|0|null", "0|B|5|null", "1|A|1|null", "2|A|20|null", "3|A|3|null"}));
  t->commit(true);
  EXPECT_EQ(rows(), (Texts{"0|A|0|null", "0|B|5|null", "1|A|1|null", "2|A|20|null", "3|A|3|null"}));
}

}  // namespace
}  // namespace idem
