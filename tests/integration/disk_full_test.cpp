#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

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
    } catch (const std::exception&) {
      full = true;
    }
  }
  ASSERT_TRUE(full);

  uint64_t acknowledged = 1000;
  std::string state;
  for (int i = 0; i < 400 && state.empty(); ++i) {
    const std::string first = std::to_string(acknowledged + 1), last = std::to_string(acknowledged + 20000);
    state = error_state(*connection, "INSERT INTO t SELECT x, md5(x::text) || md5((x + 1)::text) FROM generate_series(" + first + ", " + last + ") AS g(x)");
    if (state.empty()) acknowledged += 20000;
  }
  EXPECT_EQ(state, "53100");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), std::to_string(acknowledged));
  EXPECT_EQ(error_state(*connection, "INSERT INTO t SELECT x, repeat('y', 1000) FROM generate_series(1, 100000) AS g(x)"), "53100");

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
