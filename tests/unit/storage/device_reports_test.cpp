// Many devices that report at one time: the same ones again in their order, in another, some of them, and some twice.

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

constexpr int kDevices = 5000;

class DeviceReportsTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    open();
    auto t = database->begin();
    TableSchema schema = prices_schema(true);
    if (!GetParam()) schema.columns[1].type = TypeId::kVarchar;  // the device, else a SYMBOL
    id = t->create_table(std::move(schema));
    t->commit(true);
    for (int i = 0; i < kDevices; ++i) devices.push_back(i);
  }

  void open() {
    DatabaseOptions options;
    options.background_checkpoint = false;
    database = Database::open(files, clock, "/data", options);
  }
  void restart() {
    database.reset();
    open();
    expect_model();
  }

  // Reports of one time; what is not changed has the value that it had. Devices of `batch` may repeat: the last one counts.
  WriteCounts report(int64_t time, const std::vector<int>& batch, const std::map<int, double>& changed = {}) {
    auto t = database->begin();
    ColumnBatch& rows = t->pending_rows(id);
    for (const int device : batch) {
      const auto found = changed.find(device);
      double& value = model.try_emplace({time, device}, device).first->second;
      if (found != changed.end()) value = found->second;
      rows.column(0).append(time);
      if (device == 0) rows.column(1).append_null();
      else rows.column(1).append_string(fmt::format("d{}", device));
      rows.column(2).append(value);
      rows.column(3).append_null();
    }
    t->inserted_rows(id, batch.size());
    const WriteCounts counts = t->commit(true).counts;
    expect_model();
    return counts;
  }
  void expect_model() {
    std::vector<std::string> expected;
    for (const auto& [key, value] : model)
      expected.push_back(key.second == 0 ? fmt::format("{}|null|{}|null", key.first, value)
                                         : fmt::format("{}|d{}|{}|null", key.first, key.second, value));
    std::vector<std::string> stored = rows_of(database->snapshot().table(id));
    std::sort(stored.begin(), stored.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(stored, expected);
  }

  SimulatedFileSystem files;
  SettableClock clock;
  std::unique_ptr<Database> database;
  TableId id{};
  std::vector<int> devices;
  std::map<std::pair<int64_t, int>, double> model;
};

TEST_P(DeviceReportsTest, AgainInTheSameOrder) {
  EXPECT_EQ(report(1, devices).inserted, 5000u);
  EXPECT_EQ(report(2, devices).inserted, 5000u);
  EXPECT_EQ(report(1, devices).skipped, 5000u);
  const WriteCounts some = report(1, devices, {{0, -1}, {17, -1}, {4999, -1}});
  EXPECT_EQ(some.replaced, 3u);
  EXPECT_EQ(some.skipped, 4997u);
  database->checkpoint();
  std::map<int, double> all;
  for (const int device : devices) all[device] = device + 0.5;
  EXPECT_EQ(report(2, devices, all).replaced, 5000u);
}

TEST_P(DeviceReportsTest, AgainInAnotherOrder) {
  report(1, devices);
  std::mt19937_64 random(7);
  std::shuffle(devices.begin(), devices.end(), random);
  EXPECT_EQ(report(1, devices, {{5, -1}}).skipped, 4999u);
  std::swap(devices[4998], devices[4999]);  // the order of the one before until the last two
  EXPECT_EQ(report(1, devices).skipped, 5000u);
  EXPECT_EQ(report(2, devices).inserted, 5000u);
  std::swap(devices[4998], devices[4999]);
  EXPECT_EQ(report(2, devices, {{devices[4999], -2}}).replaced, 1u);
}

TEST_P(DeviceReportsTest, SomeOfThemAndSomeTwice) {
  report(1, devices);
  std::vector<int> twice = devices;
  twice[4999] = 3;  // as many rows as are stored, but one device is missing and one comes twice
  const WriteCounts counts = report(1, twice, {{3, 33}});
  EXPECT_EQ(counts.replaced, 1u);
  EXPECT_EQ(counts.skipped, 4999u);
  EXPECT_EQ(report(1, {devices.begin(), devices.begin() + 100}).skipped, 100u);
  twice.push_back(6000);
  const WriteCounts more = report(2, twice);
  EXPECT_EQ(more.inserted, 5000u);
  EXPECT_EQ(more.skipped, 1u);
  twice.insert(twice.begin(), 7000);
  EXPECT_EQ(report(1, twice, {{7000, 1}, {6000, 2}, {4, 44}}).inserted, 2u);
}

// So many at once are encoded in the log.
TEST_P(DeviceReportsTest, ThousandsAreReplayed) {
  while (devices.size() < 40'000) devices.push_back(static_cast<int>(devices.size()));
  report(1, devices);
  database->checkpoint();
  std::map<int, double> changed;
  for (const int device : devices) changed[device] = device + 0.25;
  EXPECT_EQ(report(1, devices, changed).replaced, devices.size());
  restart();
  std::mt19937_64 random(7);
  std::shuffle(devices.begin(), devices.end(), random);
  for (const int device : devices) changed[device] = device + 0.75;
  EXPECT_EQ(report(1, devices, changed).replaced, devices.size());
  restart();
}

INSTANTIATE_TEST_SUITE_P(SymbolAndVarchar, DeviceReportsTest, ::testing::Bool());

}  // namespace
}  // namespace idem
