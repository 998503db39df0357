#include "wal/log_dump.h"

#include <gmock/gmock.h>
#include <thread>

#include "tests/unit/wal/log_fixture.h"
#include "wal/segment_format.h"

namespace idem::wal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> dump(FileSystem& fs) {
  std::vector<std::string> lines;
  dump_log(
      fs, kLogDirectory, [](const Record& record) { return std::string(record.payload.substr(0, 3)); },
      [&](const std::string& line) { lines.push_back(line); });
  return lines;
}

TEST(LogDumpTest, ShowsSegmentsAndRecords) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    log->append(1, "one");
    log->append(2, std::string(1000, 'z'), Compression::kLz4);
    log->flush();
    while (log->stats().prepared_segments == 0) std::this_thread::yield();
  }
  const std::string folder = kLogDirectory;
  EXPECT_THAT(dump(fs),
              ElementsAre(folder + "/00000000000000000001.log: segment 1 epoch 1 start 0, 16384 bytes",
                          "  offset 4096 position 0 commit 1 epoch 1 durable 0 payload 3  one",
                          HasSubstr("  offset 4152 position 56 commit 2 epoch 1 durable 0 payload 1000 lz4 "),
                          HasSubstr(": end of the log"),
                          folder + "/00000000000000000002.log: prepared, 16384 bytes"));
}

TEST(LogDumpTest, GoesOnAfterDamage) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    for (CommitNumber commit = 1; commit <= 3; ++commit) {
      log->append(commit, "abc");
      log->flush();
    }
  }
  fs.flip_byte(join_path(kLogDirectory, segment_file_name(1)), kFirstRecordOffset + 56 + 48, 1);
  const std::vector<std::string> lines = dump(fs);
  ASSERT_GE(lines.size(), 4u);
  EXPECT_EQ(lines[2], "  offset 4152 position 56: damaged, next valid record at position 112");
  EXPECT_THAT(lines[3], HasSubstr("position 112 commit 3"));
}

}  // namespace
}  // namespace idem::wal
