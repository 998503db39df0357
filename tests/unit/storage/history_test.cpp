// Versions of the past: which can be read, restored, brought back, and what of them survives restarts.

#include "common/error.h"
#include "storage/change_feed.h"
#include "storage/retention.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

using Texts = std::vector<std::string>;
constexpr int64_t kHour = int64_t{3'600} * 1'000'000;
constexpr int64_t kDayMicros = 24 * kHour;

template <class Action>
void expect_error(std::string_view state, std::string_view part, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "no error where " << state << " was expected";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), state) << error.message();
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
  }
}

class HistoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock.set_now_micros(kDayMicros * 20'000);
    open();
  }
  void open() {
    database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 64 << 10;
    database = Database::open(files, clock, "/data", options);
  }
  TableId create(const char* name, bool with_keys) {
    TableSchema schema = prices_schema(with_keys);
    schema.name = name;
    auto t = database->begin();
    t->describe("ann", "CREATE TABLE");
    const TableId id = t->create_table(schema);
    t->commit(true);
    return id;
  }
  void pass(int64_t micros) { clock.set_now_micros(clock.now_micros() + micros); }
  void insert(TableId id, int64_t ts, const char* ticker, double price) {
    pass(1'000'000);
    auto t = database->begin();
    t->describe("ann", "INSERT");
    ColumnBatch& rows = t->pending_rows(id);
    rows.column(0).append(ts);
    rows.column(1).append_string(ticker);
    rows.column(2).append(price);
    rows.column(3).append_null();
    t->inserted_rows(id, 1);
    t->commit(true);
  }
  void truncate(TableId id) {
    pass(1'000'000);
    auto t = database->begin();
    t->describe("bob", "TRUNCATE");
    t->truncate(id);
    t->commit(true);
  }
  void restore(TableId id, uint64_t version) {
    pass(1'000'000);
    auto t = database->begin();
    t->describe("bob", "RESTORE");
    t->restore(id, find(id, version).version);
    t->commit(true);
  }
  KeptVersion find(TableId id, uint64_t version) {
    return database->find_version(database->snapshot(), id, VersionNumberTarget{VersionNumber{version}});
  }
  Texts at(TableId id, uint64_t version) { return rows_of(find(id, version).version); }
  Texts at_time(TableId id, int64_t micros) {
    return rows_of(database->find_version(database->snapshot(), id, VersionTimeTarget{micros}).version);
  }
  Texts rows(TableId id) { return rows_of(database->snapshot().table(id)); }
  uint64_t version(TableId id) { return static_cast<uint64_t>(database->snapshot().table(id)->version); }
  std::string history(TableId id) {
    std::string text;
    for (const HistoryLine& line : database->table_history(database->snapshot(), id)) {
      if (!text.empty()) text += ", ";
      text += fmt::format("{}", static_cast<uint64_t>(line.first));
      if (line.last != line.first) text += fmt::format("-{}", static_cast<uint64_t>(line.last));
      text += fmt::format(" {}", table_operation_name(line.operation));
    }
    return text;
  }
  uint64_t manifest_bytes() {
    uint64_t bytes = 0;
    const std::vector<DirectoryEntry> entries = files.list("/data/manifests").value_or_throw();
    for (const DirectoryEntry& entry : entries)
      bytes += files.file_size("/data/manifests/" + entry.name).value_or_throw();
    return bytes;
  }

  SimulatedFileSystem files;
  SettableClock clock;
  std::unique_ptr<Database> database;
};

TEST_F(HistoryTest, EveryVersionCanBeReadWhileTheLogIsThere) {
  const TableId id = create("t", true);
  std::vector<Texts> versions = {rows(id)};
  const auto note = [&] { versions.push_back(rows(id)); };
  for (int i = 0; i < 5; ++i) insert(id, i, "A", i), note();
  insert(id, 2, "A", 20), note();  // replaces
  truncate(id), note();
  insert(id, 7, "B", 7), note();
  restore(id, 6), note();
  insert(id, 8, "B", 8), note();
  const auto check = [&] {
    for (size_t v = 0; v < versions.size(); ++v) EXPECT_EQ(at(id, v), versions[v]) << "version " << v;
    EXPECT_EQ(
        history(id),
        "0 CREATE TABLE, 1 INSERT, 2 INSERT, 3 INSERT, 4 INSERT, 5 INSERT, 6 INSERT, 7 TRUNCATE, 8 INSERT, "
        "9 RESTORE, 10 INSERT");
    expect_error("22023", "table \"t\" has no version 11", [&] { at(id, 11); });
  };
  versions[0] = {};
  check();
  open();
  check();
  database->checkpoint();
  check();
  open();
  check();
  database->checkpoint();
  insert(id, 9, "B", 9), versions.push_back(rows(id));
  open();
  for (size_t v = 0; v < versions.size(); ++v) EXPECT_EQ(at(id, v), versions[v]) << "version " << v;
}

TEST_F(HistoryTest, ReadsByTime) {
  const TableId id = create("t", false);
  const int64_t created = clock.now_micros();
  for (int i = 1; i <= 3; ++i) insert(id, i, "A", i);
  EXPECT_EQ(at_time(id, created).size(), 0u);
  EXPECT_EQ(at_time(id, created + 1'000'000).size(), 1u);
  EXPECT_EQ(at_time(id, created + 2'999'999).size(), 2u);
  EXPECT_EQ(at_time(id, created + kDayMicros).size(), 3u);
  expect_error("22023", "did not exist at", [&] { at_time(id, created - 1); });
  // So many that lines are joined: moments within them are found in the log.
  for (int i = 4; i <= 400; ++i) insert(id, i, "A", i);
  const auto lines = database->table_history(database->snapshot(), id);
  EXPECT_LT(lines.size(), 200u);
  EXPECT_EQ(lines.back().last, VersionNumber{400});
  uint64_t inserted = 0;
  for (const HistoryLine& line : lines) inserted += line.counts.inserted;
  EXPECT_EQ(inserted, 400u);
  for (const int n : {5, 17, 100, 250, 399})
    EXPECT_EQ(at_time(id, created + n * 1'000'000).size(), size_t(n));
  open();
  for (const int n : {5, 17, 100, 250, 399})
    EXPECT_EQ(at_time(id, created + n * 1'000'000).size(), size_t(n));
}

TEST_F(HistoryTest, AppendsAfterARestoreDoNotShowOtherRows) {
  const TableId id = create("t", false);
  insert(id, 1, "A", 1);
  insert(id, 2, "A", 2);
  insert(id, 3, "A", 3);
  restore(id, 1);
  insert(id, 4, "B", 4);
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null", "4|B|4|null"}));
  EXPECT_EQ(at(id, 3), (Texts{"1|A|1|null", "2|A|2|null", "3|A|3|null"}));
  open();
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null", "4|B|4|null"}));
  EXPECT_EQ(at(id, 3).size(), 3u);
}

TEST_F(HistoryTest, RestoresColumnsAndSymbols) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  auto t = database->begin();
  TableSchema schema = *t->read_view().table(id)->schema;
  schema.columns.erase(schema.columns.begin() + 2);
  schema.name = "u";
  t->alter_table(id, schema);
  t->commit(true);
  database->checkpoint();
  EXPECT_EQ(rows(id), (Texts{"1|A|null"}));
  EXPECT_EQ(at(id, 1), (Texts{"1|A|1|null"}));
  restore(id, 1);
  const auto check = [&] {
    EXPECT_EQ(rows(id), (Texts{"1|A|1|null"}));
    EXPECT_EQ(database->snapshot().table(id)->schema->name, "u");  // not part of a version
    EXPECT_EQ(at(id, 2), (Texts{"1|A|null"}));
  };
  check();
  open();
  check();
  database->checkpoint();
  open();
  check();
  insert(id, 2, "B", 2);
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null", "2|B|2|null"}));
}

TEST_F(HistoryTest, BringsBackADroppedTable) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  auto t = database->begin();
  t->drop_table(id);
  t->commit(true);
  EXPECT_EQ(database->snapshot().table(id), nullptr);
  EXPECT_EQ(database->snapshot().catalog->dropped.size(), 1u);
  create("t", true);  // its name was free
  database->checkpoint();
  open();
  t = database->begin();
  expect_error("42P07", "already exists", [&] { t->undrop_table(id, "public", "t"); });
  t = database->begin();
  t->undrop_table(id, "public", "back");
  t->commit(true);
  const auto check = [&] {
    EXPECT_EQ(rows(id), (Texts{"1|A|1|null"}));
    EXPECT_EQ(version(id), 2u);
    EXPECT_EQ(at(id, 0).size(), 0u);
    EXPECT_NE(database->snapshot().find_table("public", "back"), nullptr);
    EXPECT_TRUE(database->snapshot().catalog->dropped.empty());
    EXPECT_EQ(history(id), "0 CREATE TABLE, 1 INSERT, 2 UNDROP");
  };
  check();
  open();
  check();
  database->checkpoint();
  open();
  check();
  insert(id, 2, "B", 2);
  EXPECT_EQ(rows(id).size(), 2u);
}

// What the transaction did to it before is gone, what was committed is not.
// How rows moved before is not known any more: what names rows by their places conflicts, new rows do not.
TEST_F(HistoryTest, ATransactionBesideDropAndUndrop) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  insert(id, 2, "B", 2);
  const auto drop_and_undrop = [&] {
    auto t = database->begin();
    t->drop_table(id);
    t->commit(true);
    t = database->begin();
    t->undrop_table(id, "public", "t");
    t->commit(true);
  };
  auto inserts = database->begin();
  ColumnBatch& added = inserts->pending_rows(id);
  added.column(0).append(int64_t{3});
  added.column(1).append_string("C");
  added.column(2).append(3.0);
  added.column(3).append_null();
  inserts->inserted_rows(id, 1);
  inserts->read_view();
  auto removes = database->begin();
  removes->remove(id, {{0, 0}});
  drop_and_undrop();
  inserts->commit(true);
  expect_error("40001", "could not serialize", [&] { removes->commit(true); });
  EXPECT_EQ(rows(id), (Texts{"1|A|1|null", "2|B|2|null", "3|C|3|null"}));
}

TEST_F(HistoryTest, BringsBackWhatTheSameTransactionDropped) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  insert(id, 2, "B", 2);
  auto t = database->begin();
  t->truncate(id);
  t->drop_table(id);
  t->undrop_table(id, "public", "again");
  EXPECT_EQ(rows_of(t->read_view().table(id)), (Texts{"1|A|1|null", "2|B|2|null"}));
  insert(id, 3, "C", 3);  // by another
  t->commit(true);
  const auto check = [&](size_t count) {
    EXPECT_EQ(rows(id).size(), count);
    EXPECT_NE(database->snapshot().find_table("public", "again"), nullptr);
    EXPECT_TRUE(database->snapshot().catalog->dropped.empty());
    EXPECT_EQ(history(id), "0 CREATE TABLE, 1 INSERT, 2 INSERT, 3 INSERT, 4 UNDROP");
    EXPECT_EQ(at(id, 3).size(), 3u);
  };
  check(3);
  open();
  check(3);
  database->checkpoint();
  open();
  check(3);
  insert(id, 4, "D", 4);
  EXPECT_EQ(rows(id).size(), 4u);
}

TEST_F(HistoryTest, VersionsExpire) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  truncate(id);
  insert(id, 2, "B", 2);
  database->checkpoint();
  pass(3 * kDayMicros);
  truncate(id);
  insert(id, 3, "C", 3);
  database->checkpoint();
  pass(5 * kDayMicros);
  database->checkpoint();
  expect_error("22023", "version 1 of table \"t\" can no longer be read", [&] { at(id, 1); });
  EXPECT_EQ(at(id, 3).size(), 1u);  // was the newest within the last seven days
  EXPECT_EQ(at(id, 5).size(), 1u);
  open();
  expect_error("22023", "can no longer be read", [&] { at(id, 1); });
  EXPECT_EQ(at(id, 3).size(), 1u);
  RetentionRequest everything;
  everything.retain_micros = 0;
  everything.gives_back_log = true;
  EXPECT_EQ(database->preview_vacuum(everything).size(), 1u);
  database->vacuum(everything);
  expect_error("22023", "can no longer be read", [&] { at(id, 3); });
  EXPECT_EQ(rows(id), (Texts{"3|C|3|null"}));
  EXPECT_TRUE(database->preview_vacuum(everything).empty());
  open();
  EXPECT_EQ(rows(id), (Texts{"3|C|3|null"}));
  EXPECT_EQ(version(id), 5u);
}

TEST_F(HistoryTest, TheOldestGoWhereThereAreTooMany) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  database->checkpoint();
  for (int i = 0; i < 20; ++i) truncate(id);
  database.reset();
  DatabaseOptions options;
  options.background_checkpoint = false;
  options.history_versions = 5;
  database = Database::open(files, clock, "/data", options);
  database->vacuum({std::nullopt, std::nullopt, true});
  const uint64_t newest = version(id);
  EXPECT_EQ(at(id, newest - 4), Texts());
  expect_error("22023", "can no longer be read", [&] { at(id, 1); });
  expect_error("22023", "can no longer be read", [&] { at(id, newest - 8); });
}

TEST_F(HistoryTest, ADroppedTableIsForgottenInTime) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  database->checkpoint();
  auto t = database->begin();
  t->drop_table(id);
  t->commit(true);
  t.reset();
  database->checkpoint();
  const std::string folder = fmt::format("/data/tables/{}", static_cast<uint32_t>(id));
  EXPECT_FALSE(files.list(folder).value_or_throw().empty());
  pass(8 * kDayMicros);
  database->checkpoint();
  EXPECT_TRUE(database->snapshot().catalog->dropped.empty());
  EXPECT_TRUE(files.list(folder).value_or_throw().empty());
  t = database->begin();
  expect_error("42P01", "does not exist", [&] { t->undrop_table(id, "public", "t"); });
}

TEST_F(HistoryTest, TagsHoldTheirVersion) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  insert(id, 2, "A", 2);
  insert(id, 3, "A", 3);
  auto t = database->begin();
  t->create_tag({id, "two", VersionNumber{2}, 0, 0}, find(id, 2));
  t->create_tag({id, "soon", VersionNumber{1}, 0, clock.now_micros() + kDayMicros}, find(id, 1));
  t->commit(true);
  open();  // version 2 is rebuilt from the log while it is replayed
  const auto tagged = [&](const char* tag) {
    return rows_of(database->find_version(database->snapshot(), id, VersionTagTarget{tag}).version);
  };
  EXPECT_EQ(tagged("two").size(), 2u);
  EXPECT_EQ(tagged("soon").size(), 1u);
  database->checkpoint();
  pass(30 * kDayMicros);
  RetentionRequest everything;
  everything.retain_micros = 0;
  everything.gives_back_log = true;
  database->vacuum(everything);
  EXPECT_EQ(tagged("two").size(), 2u);
  expect_error("42704", "has no tag", [&] { tagged("soon"); });
  open();
  EXPECT_EQ(tagged("two").size(), 2u);
  expect_error("22023", "can no longer be read", [&] { at(id, 1); });
  t = database->begin();
  t->drop_tag(id, "two");
  t->commit(true);
  database->vacuum(everything);
  expect_error("22023", "can no longer be read", [&] { at(id, 2); });
}

TEST_F(HistoryTest, ChangesAreReadAcrossARestore) {
  const TableId id = create("t", true);
  insert(id, 1, "A", 1);
  insert(id, 2, "B", 2);
  restore(id, 1);  // of a version that is not kept
  insert(id, 3, "C", 3);
  std::string text;
  database->read_changes(
      database->snapshot(), id, VersionNumber{1}, VersionNumber{4}, [&](VersionChanges changes) {
        for (const ChangeKind kind : changes.kinds)
          text += fmt::format("{} {};", static_cast<uint64_t>(changes.version), change_kind_name(kind));
        return true;
      });
  EXPECT_EQ(text, "2 insert;3 delete;4 insert;");
}

// A column has one dictionary, also in versions that are made again of the log from before it was there.
TEST_F(HistoryTest, RestoresAColumnWithTheDictionaryThatItHas) {
  const TableId id = create("t", false);
  insert(id, 1, "A", 1);
  const auto insert_more = [&](int64_t ts, const char* more, bool adds_column) {
    pass(1'000'000);
    auto t = database->begin();
    t->describe("ann", "INSERT");
    if (adds_column) {
      TableSchema schema = *database->snapshot().table(id)->schema;
      schema.columns.push_back(test_column("more", TypeId::kSymbol));
      t->alter_table(id, schema);
    }
    ColumnBatch& rows = t->pending_rows(id);
    rows.column(0).append(ts);
    rows.column(1).append_string("A");
    rows.column(2).append(1.0);
    rows.column(3).append_null();
    rows.column(4).append_string(more);
    t->inserted_rows(id, 1);
    t->commit(true);
  };
  insert_more(2, "a", true);
  insert_more(3, "b", false);
  insert_more(4, "c", false);
  restore(id, 3);
  insert_more(5, "d", false);
  const Texts first{"1|A|1|null|null", "2|A|1|null|a", "3|A|1|null|b"};
  const auto with = [&](const char* row) {
    Texts rows = first;
    rows.emplace_back(row);
    return rows;
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(rows(id), with("5|A|1|null|d")) << round;
    EXPECT_EQ(at(id, 4), with("4|A|1|null|c"));
    EXPECT_EQ(at(id, 3), first);
    if (round == 1) database->checkpoint();
    open();
  }
}

TEST_F(HistoryTest, ACheckpointWritesWhatChanged) {
  std::vector<TableId> tables;
  for (int i = 0; i < 200; ++i) {
    tables.push_back(create(fmt::format("t{}", i).c_str(), false));
    insert(tables.back(), 1, "A", 1);
  }
  database->checkpoint();
  const uint64_t base = manifest_bytes();
  insert(tables[100], 2, "A", 2);
  database->checkpoint();
  EXPECT_GT(manifest_bytes(), base);
  EXPECT_LT(manifest_bytes() - base, 400u);
  for (int i = 0; i < 30; ++i) {
    insert(tables[7], 2 + i, "A", 2);
    database->checkpoint();
  }
  open();
  EXPECT_EQ(rows(tables[7]).size(), 31u);
  EXPECT_EQ(rows(tables[100]).size(), 2u);
  EXPECT_EQ(rows(tables[199]).size(), 1u);
}

TEST_F(HistoryTest, ATornRecordOfTheManifestIsCutADamagedOneIsNot) {
  const TableId id = create("t", false);
  database->checkpoint();
  const std::string path = "/data/manifests/" + files.list("/data/manifests").value_or_throw()[0].name;
  std::vector<uint64_t> ends;
  for (int i = 0; i < 3; ++i) {
    insert(id, i, "A", i);
    database->checkpoint();
    ends.push_back(files.file_size(path).value_or_throw());
  }
  database.reset();
  const std::string whole = read_whole_file(files, path).value_or_throw();
  const auto write = [&](const std::string& content) {
    const auto file = files.open(path, OpenMode::kReadWrite).value_or_throw();
    file->truncate(0).throw_if_error();
    file->write_at(0, content).throw_if_error();
    file->sync_all().throw_if_error();
  };
  std::string damaged = whole;
  damaged[ends[0] + 40] ^= 1;  // in the record before the last
  write(damaged);
  expect_error("XX001", "damaged manifest", [&] { open(); });
  write(whole.substr(0, whole.size() - 3));  // the log still has what the last one said
  open();
  EXPECT_EQ(rows(id).size(), 3u);
  database->checkpoint();
  open();
  EXPECT_EQ(rows(id).size(), 3u);
}

}  // namespace
}  // namespace idem
