#include <algorithm>
#include <cerrno>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mount.h>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

// A small file system of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& options) {
    mounted_ = ::mount("idem_test", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) error_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool is_mounted() const { return mounted_; }
  const std::string& error() const { return error_; }
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
  std::string error_;
};

// Takes what is left of the disk but for `room` bytes, and gives it back.
class Filler {
 public:
  Filler(const SmallDisk& disk, uint64_t room) {
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 2000; ++i) {
      names_.push_back(disk.file("filler" + std::to_string(i)));
      try {
        write_file(names_.back(), block);
      } catch (const std::exception&) {
        full_ = true;
        break;
      }
    }
    for (uint64_t given = 0; given <= room && !names_.empty(); given += block.size()) {
      ::remove(names_.back().c_str());
      names_.pop_back();
    }
  }
  bool is_full() const { return full_; }
  void free() {
    for (const std::string& name : names_) ::remove(name.c_str());
    names_.clear();
  }

 private:
  std::vector<std::string> names_;
  bool full_ = false;
};

std::string copy_rows(pqxx::connection& connection, int first, int count) {
  try {
    pqxx::work work(connection);
    pqxx::stream_to stream(work, "t");
    std::mt19937_64 random(static_cast<uint64_t>(first));
    std::string text;
    for (int i = first; i < first + count; ++i) {
      // Nothing that could be compressed.
      text.resize(900);
      for (char& c : text) c = static_cast<char>('!' + random() % 90);
      std::replace(text.begin(), text.end(), '\\', '/');
      stream << std::make_tuple(i, text);
    }
    stream.complete();
    work.commit();
    return "";
  } catch (const pqxx::sql_error& error) { return error.sqlstate(); }
}

TEST(FullDisk, DuringCopyKeepsNothingOfItAndGoesOnWhenFreed) {
  const SmallDisk disk("size=300m");
  if (!disk.is_mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.error();
  TestServer server({.data = disk.file("data")});
  auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT, text VARCHAR)");
  ASSERT_EQ(copy_rows(*connection, 0, 1000), "");
  Filler filler(disk, 2 << 20);
  ASSERT_TRUE(filler.is_full());

  // More than the log has prepared. Of a COPY that fails there is nothing; smaller ones fit until the log is full.
  int rows = 1000;
  std::string state;
  for (int i = 0; i < 40 && state.empty(); ++i) {
    state = copy_rows(*connection, rows, 20'000);
    if (state.empty()) rows += 20'000;
    if (!connection->is_open()) connection = server.connect();
  }
  EXPECT_EQ(state, "53100");
  for (int i = 0; i < 3; ++i) {
    connection = server.connect();
    EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(rows));
    EXPECT_EQ(copy_rows(*connection, rows, 100'000), "53100");
  }
  connection = server.connect();
  EXPECT_EQ(value_of(*connection, "SELECT max(id) FROM t"), std::to_string(rows - 1));
  EXPECT_EQ(value_of(*connection, "SELECT write_failed FROM wal_status()"), "f");

  filler.free();
  EXPECT_EQ(copy_rows(*connection, rows, 20'000), "");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(rows + 20'000));
  connection.reset();
  server.restart();
  connection = server.connect();
  EXPECT_EQ(value_of(*connection, "SELECT count(DISTINCT id) FROM t"), std::to_string(rows + 20'000));
}

TEST(FullDisk, IsEmptiedByVacuum) {
  const SmallDisk disk("size=300m");
  if (!disk.is_mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.error();
  TestServer server({.data = disk.file("data")});
  auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT, text VARCHAR)");
  ASSERT_EQ(copy_rows(*connection, 0, 30'000), "");
  Filler filler(disk, 1 << 20);
  ASSERT_TRUE(filler.is_full());
  execute(*connection, "TRUNCATE t");
  EXPECT_EQ(error_state(*connection, "VACUUM RETAIN 1 HOURS"),
            "53100");  // the rows must be written: they may be asked for
  EXPECT_EQ(error_state(*connection, "VACUUM RETAIN 0 HOURS"), "");
  EXPECT_EQ(error_state(*connection, "SELECT * FROM t VERSION AS OF 1"), "22023");
  EXPECT_EQ(copy_rows(*connection, 0, 10'000), "");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "10000");
}

TEST(FullDisk, DuringACheckpointLosesNothingAndTakesNoRoom) {
  const SmallDisk disk("size=300m");
  if (!disk.is_mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.error();
  TestServer server({.data = disk.file("data")});
  auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT, text VARCHAR)");
  execute(*connection, "CREATE TABLE u (id BIGINT, text VARCHAR)");
  ASSERT_EQ(copy_rows(*connection, 0, 30'000), "");
  execute(*connection, "INSERT INTO u SELECT x, md5(x::text) FROM generate_series(1, 50000) AS g(x)");
  Filler filler(disk, 1 << 20);
  ASSERT_TRUE(filler.is_full());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(error_state(*connection, "CHECKPOINT"), "53100");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "30000");
  EXPECT_EQ(value_of(*connection, "SELECT count(DISTINCT text) FROM u"), "50000");
  // The log has room prepared, so that writers do not notice.
  EXPECT_EQ(error_state(*connection, "INSERT INTO u VALUES (-1, 'still')"), "");

  filler.free();
  EXPECT_EQ(error_state(*connection, "CHECKPOINT"), "");
  EXPECT_EQ(error_state(*connection, "INSERT INTO u VALUES (-2, 'after')"), "");
  connection.reset();
  server.restart();
  connection = server.connect();
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "30000");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM u"), "50002");
}

TEST(FullDisk, RefusesWritersServesReadersAndRecovers) {
  const SmallDisk disk("size=400m");
  if (!disk.is_mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.error();
  TestServer server({.data = disk.file("data")});
  auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT, text VARCHAR)");
  execute(*connection, "INSERT INTO t SELECT x, md5(x::text) FROM generate_series(1, 1000) AS g(x)");

  // What else is on the disk fills it, but for the log's prepared segments.
  std::string block(1 << 20, 'x');
  std::string filler;
  bool full = false;
  for (int i = 0; i < 400 && !full; ++i) {
    try {
      write_file(disk.file("filler" + std::to_string(i)), block);
    } catch (const std::exception&) { full = true; }
  }
  ASSERT_TRUE(full);

  uint64_t acknowledged = 1000;
  std::string state;
  for (int i = 0; i < 400 && state.empty(); ++i) {
    const std::string first = std::to_string(acknowledged + 1), last = std::to_string(acknowledged + 20000);
    state = error_state(*connection,
                        "INSERT INTO t SELECT x, md5(x::text) || md5((x + 1)::text) FROM generate_series(" +
                            first + ", " + last + ") AS g(x)");
    if (state.empty()) acknowledged += 20000;
  }
  EXPECT_EQ(state, "53100");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(acknowledged));
  EXPECT_EQ(error_state(*connection,
                        "INSERT INTO t SELECT x, repeat('y', 1000) FROM generate_series(1, 100000) AS g(x)"),
            "53100");

  for (int i = 0; i < 400; ++i) ::remove(disk.file("filler" + std::to_string(i)).c_str());
  EXPECT_EQ(error_state(*connection, "INSERT INTO t VALUES (-1, 'after')"), "");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(acknowledged + 1));

  connection.reset();
  server.restart();
  connection = server.connect();
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(acknowledged + 1));
  EXPECT_EQ(value_of(*connection, "SELECT count(DISTINCT id) FROM t"), std::to_string(acknowledged + 1));
}

}  // namespace
}  // namespace idem::test
