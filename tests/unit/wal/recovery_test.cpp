#include "wal/recovery.h"

#include <cerrno>
#include <gmock/gmock.h>
#include <thread>

#include "tests/unit/wal/log_fixture.h"
#include "wal/segment_format.h"

namespace idem::wal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string segment_path(uint64_t id) { return join_path(kLogDirectory, segment_file_name(id)); }

TEST(RecoveryTest, AnEmptyOrMissingFolderIsANewLog) {
  SimulatedFileSystem fs;
  EXPECT_EQ(recover_log(fs).result.end, Position{});
  make_directories(fs, kLogDirectory).throw_if_error();
  EXPECT_EQ(recover_log(fs).result.last_epoch, 0u);
  EXPECT_THAT(error_of([&] { recover_log(fs, {8}); }),
              HasSubstr("the log segment that holds position 8 is missing"));
}

TEST(RecoveryTest, ATornTailIsCutAndDoesNotRevive) {
  SimulatedFileSystem fs;
  Records expected;
  Position cut;
  {
    auto log = open_log(fs);
    expected = commit_range(*log, 1, 5);
    cut = log->durable_position();
    log->append(6, "torn: never acknowledged");
    log->append(7, "whole, but behind the torn one");
    log->flush();
  }
  const uint64_t offset = kFirstRecordOffset + cut.value;
  fs.flip_byte(segment_path(1), offset + kRecordHeaderBytes, 1);
  const Recovered found = recover_log(fs);
  EXPECT_EQ(found.records, expected);
  EXPECT_EQ(found.result.end, cut);
  EXPECT_EQ(found.result.cut_path, segment_path(1));
  EXPECT_EQ(found.result.cut_offset, offset);
  EXPECT_EQ(found.result.cut_bytes, 72u + 80u);
  {
    auto log = open_log(fs);
    EXPECT_EQ(log->stats().epoch, 2u);
    expected.merge(commit_range(*log, 6, 6, 99));
    EXPECT_EQ(log->segments().size(), 2u);
  }
  fs.flip_byte(segment_path(1), offset + kRecordHeaderBytes, 1);  // the cut record is whole again
  EXPECT_EQ(recover_log(fs).records, expected);
}

TEST(RecoveryTest, DamageBelowWhatWasDurableNamesFileAndOffset) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    commit_range(*log, 1, 3);
  }
  // The second record was durable when the third was written.
  const uint64_t offset = kFirstRecordOffset + round_up(kRecordHeaderBytes + payload_of(1).size(), 8);
  fs.flip_byte(segment_path(1), offset + 50, 4);
  EXPECT_EQ(error_of([&] { recover_log(fs); }), "XX001 log segment file \"" + segment_path(1) +
                                                    "\" is damaged at offset " + std::to_string(offset));
}

// Flips every so many bits of a log in turn: records that were provably durable are given back as they were,
// or recovery refuses.
TEST(RecoveryTest, NoDamageIsEverSkipped) {
  SimulatedFileSystem fs;
  Records expected;
  {
    auto log = open_log(fs);
    expected = commit_range(*log, 1, 60);
  }
  const Recovered whole = recover_log(fs);
  ASSERT_EQ(whole.records, expected);
  Records provable;
  recover(fs, kLogDirectory, kTestDatabase, {}, [&](const Record& record) {
    if (record.extent.end <= whole.result.known_durable) provable[record.commit_number] = record.payload;
  });
  ASSERT_EQ(provable.size(), 59u);
  size_t refused = 0, read = 0;
  for (const SegmentInfo& segment : whole.result.segments) {
    for (uint64_t offset = 0; offset < segment.file_bytes; offset += offset < 64 ? 1 : 37) {
      fs.flip_byte(segment.path, offset, 16);
      try {
        const Recovered found = recover_log(fs);
        ++read;
        for (const auto& [commit, payload] : provable) {
          const auto it = found.records.find(commit);
          ASSERT_TRUE(it != found.records.end() && it->second == payload) << segment.path << " " << offset;
        }
      } catch (const SqlError& error) {
        ASSERT_EQ(error.sqlstate(), "XX001");
        ++refused;
      }
      fs.flip_byte(segment.path, offset, 16);
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(read, 100u);
}

TEST(RecoveryTest, ALostHeaderOfTheLastSegmentIsDamage) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    commit_range(*log, 1, 20);
  }
  auto file = fs.open(segment_path(1), OpenMode::kReadWrite).value_or_throw();
  file->write_at(0, std::string(512, '\0')).throw_if_error();
  EXPECT_THAT(error_of([&] { recover_log(fs); }), StartsWith("XX001 log segment file"));
  file->write_at(0, std::string(512, 'x')).throw_if_error();
  EXPECT_THAT(error_of([&] { recover_log(fs); }), StartsWith("XX001 log segment file"));
}

TEST(RecoveryTest, AMissingSegmentIsDamage) {
  SimulatedFileSystem fs;
  Position end;
  {
    auto log = open_log(fs);
    commit_range(*log, 1, 200);
    ASSERT_GT(log->segments().size(), 3u);
    end = log->durable_position();
  }
  fs.remove(segment_path(2)).throw_if_error();
  EXPECT_THAT(error_of([&] { recover_log(fs); }), StartsWith("XX001 log segment file"));
  // Behind the checkpoint it does not matter.
  EXPECT_EQ(recover_log(fs, end).records, Records{});
  EXPECT_NO_THROW(open_log(fs, small_segments(), nullptr, end));
}

TEST(RecoveryTest, FilesOfAnotherDatabaseAreRefused) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    commit_range(*log, 1, 1);
  }
  EXPECT_THAT(error_of([&] { recover(fs, kLogDirectory, DatabaseId{{9}}, {}, [](const Record&) {}); }),
              HasSubstr("belongs to another database"));
}

TEST(RecoveryTest, AReadErrorIsAnErrorAndNotTheEndOfTheLog) {
  SimulatedFileSystem fs;
  {
    auto log = open_log(fs);
    commit_range(*log, 1, 100);
  }
  const uint64_t before = fs.call_count(FileOp::kRead);
  recover_log(fs);
  const uint64_t reads = fs.call_count(FileOp::kRead) - before;
  for (uint64_t n = 1; n <= reads; ++n) {
    fs.fail_nth(FileOp::kRead, n, EIO);
    EXPECT_THAT(error_of([&] { recover_log(fs); }), StartsWith("58030 could not read file"));
  }
}

TEST(RecoveryTest, WhatAKilledProcessLeftInMemoryBecomesDurable) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    auto fs = std::make_unique<SimulatedFileSystem>();
    Records expected;
    {
      LogOptions options = small_segments();
      options.lazy_flush_ms = 1'000'000;
      auto log = open_log(*fs, options);
      expected = commit_range(*log, 1, 3);
      // The one sync that fails shall be the log's: neither a lazy one before it nor that of a segment in preparation.
      while (log->stats().prepared_segments == 0) std::this_thread::yield();
      log->append(4, "written, its sync fails");
      fs->fail_nth(FileOp::kSync, 1, EIO);
      EXPECT_THROW(log->flush(), SqlError);
    }
    fs = fs->kill_process();
    const Recovered found = recover_log(*fs);
    ASSERT_EQ(found.records.size(), 4u);  // read from memory
    Log::open(*fs, kLogDirectory, small_segments(), found.result, nullptr);
    EXPECT_EQ(recover_log(*fs->crash(seed)).records, found.records);
  }
}

// A segment may go only when the header of the next is durable: else a crash could leave no segment at all.
TEST(RecoveryTest, TheLastDurableSegmentIsKept) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SimulatedFileSystem fs;
    LogOptions options = small_segments();
    options.lazy_flush_ms = 1'000'000;
    auto log = open_log(fs, options);
    CommitNumber commit = 1;
    for (; log->segments().size() < 2; ++commit) {
      if (commit > 1) log->flush();
      log->append(commit, std::string(1000, 'x'));
    }
    const Position durable = log->durable_position();
    ASSERT_EQ(log->segments()[0].end, durable);  // the second segment is in the buffer only
    EXPECT_EQ(log->remove_before(durable).value_or_throw(), 0u);
    auto left = fs.crash(seed);
    EXPECT_EQ(recover_log(*left, durable).result.end, durable);
  }
}

// Records whose header was lost must not come back when their place in the same file is reached again.
TEST(RecoveryTest, AnEpochIsNotUsedAgain) {
  const std::string page(kPageBytes - kRecordHeaderBytes, 'x');  // the next record begins on the next page
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (uint64_t call = 1; call <= 4; ++call) {
      SimulatedFileSystem fs;
      {
        auto log = open_log(fs);
        log->append(1, page);
        log->append(2, "of the first run");
        while (log->stats().prepared_segments == 0) std::this_thread::yield();
        fs.stop_at_call(call);
        EXPECT_THROW(log->flush(), SqlError);
      }
      auto left = fs.crash(seed);
      const CommitNumber found = recover_log(*left).result.last_commit;
      open_log(*left)->append(found + 1, page);
      const Records records = recover_log(*left->crash(seed)).records;
      EXPECT_EQ(records.size(), found + 1) << "seed " << seed << ", call " << call;
    }
  }
}

}  // namespace
}  // namespace idem::wal
