#include "wal/log.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <gmock/gmock.h>
#include <thread>

#include "common/posix_file.h"
#include "tests/unit/wal/log_fixture.h"
#include "wal/segment_format.h"

namespace idem::wal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(LogTest, GivesBackWhatWasCommitted) {
  SimulatedFileSystem fs;
  Records expected;
  for (uint64_t run = 0; run < 5; ++run) {
    auto log = open_log(fs);
    expected.merge(commit_range(*log, run * 50 + 1, run * 50 + 50));
    EXPECT_EQ(log->durable_commit(), run * 50 + 50);
    EXPECT_EQ(log->stats().epoch, run + 1);
    log.reset();
    const Recovered found = recover_log(fs);
    EXPECT_EQ(found.records, expected);
    EXPECT_EQ(found.result.cut_bytes, 0u);
    EXPECT_EQ(recover_log(fs).records, expected);
  }
}

TEST(LogTest, TakesSeveralRecordsAtOnce) {
  SimulatedFileSystem fs;
  Records expected;
  auto log = open_log(fs);
  for (uint64_t commit = 1; commit <= 400;) {
    std::vector<std::string> payloads;
    std::vector<Log::SmallRecord> records;
    for (uint64_t n = 1 + commit % 7; n > 0; --n) payloads.push_back(std::string(commit % 900 + n, 'x'));
    for (const std::string& payload : payloads) {
      expected[commit] = payload;
      records.push_back({commit++, payload});
    }
    const std::vector<Extent> places = log->append_all(records);
    ASSERT_EQ(places.size(), records.size());
    for (size_t i = 1; i < places.size(); ++i) EXPECT_EQ(places[i].begin.value, places[i - 1].end.value);
  }
  EXPECT_GT(log->stats().segments, 2u);
  EXPECT_EQ(log->stats().records, expected.size());
  log->flush();
  log.reset();
  EXPECT_EQ(recover_log(fs).records, expected);
}

TEST(LogTest, TakesAllRecordsOrNone) {
  SimulatedFileSystem fs;
  auto log = open_log(fs);
  const Records expected = commit_range(*log, 1, 2);
  const std::string too_large(Log::kMaxSmallPayloadBytes + 1, 'x');
  EXPECT_THROW(log->append_all(std::vector<Log::SmallRecord>{{3, "a"}, {4, too_large}}), SqlError);
  EXPECT_THROW(log->append_all(std::vector<Log::SmallRecord>{{3, "a"}, {3, "b"}}), SqlError);
  EXPECT_EQ(log->stats().last_commit, 2u);
  log.reset();
  EXPECT_EQ(recover_log(fs).records, expected);
}

TEST(LogTest, WorksOnARealDisk) {
  std::string pattern = (std::filesystem::temp_directory_path() / "idem_log_test_XXXXXX").string();
  const std::string directory = std::string(::mkdtemp(pattern.data())) + "/log";
  const auto fs = make_posix_file_system();
  Records expected, found;
  {
    auto log = Log::open(*fs, directory, small_segments(), RecoveryResult{}, nullptr);
    expected = commit_range(*log, 1, 200);
    EXPECT_GT(log->stats().segments, 2u);
  }
  const RecoveryResult result = recover(*fs, directory, {}, {}, [&](const Record& record) {
    found[record.commit_number] = std::string(record.payload);
  });
  EXPECT_EQ(found, expected);
  EXPECT_EQ(result.last_commit, 200u);
  std::filesystem::remove_all(directory);
}

TEST(LogTest, ReplaysFromAPosition) {
  SimulatedFileSystem fs;
  auto log = open_log(fs);
  const Records first = commit_range(*log, 1, 80);
  const Position middle = log->durable_position();
  const Records second = commit_range(*log, 81, 160);
  EXPECT_EQ(recover_log(fs, middle).records, second);
  Records read;
  const auto into = [&](const Record& record) { read[record.commit_number] = std::string(record.payload); };
  read_records(fs, kLogDirectory, kTestDatabase, {}, middle, into);
  EXPECT_EQ(read, first);
  read.clear();
  read_records(fs, kLogDirectory, kTestDatabase, middle, log->durable_position(), into);
  EXPECT_EQ(read, second);
}

TEST(LogTest, CompressesWhatGetsSmaller) {
  SimulatedFileSystem fs;
  auto log = open_log(fs);
  std::mt19937_64 random(1);
  std::string noise;
  while (noise.size() < 4000) noise += static_cast<char>(random());
  const std::string repeated(8000, 'r');
  log->append(1, repeated, Compression::kLz4);
  log->append(2, noise, Compression::kLz4);
  log->append(3, std::string(200, 'r'), Compression::kLz4);
  log->append(4, repeated, Compression::kNone);
  log->flush();
  std::vector<uint32_t> stored;
  recover(fs, kLogDirectory, kTestDatabase, {}, [&](const Record& record) {
    stored.push_back(record.stored_bytes);
    EXPECT_EQ(record.compressed, record.stored_bytes < record.payload.size());
  });
  ASSERT_EQ(stored.size(), 4u);
  EXPECT_LT(stored[0], 200u);
  EXPECT_EQ(stored[1], 4000u);
  EXPECT_EQ(stored[2], 200u);
  EXPECT_EQ(stored[3], 8000u);
}

TEST(LogTest, ALargeRecordGetsASegmentOfItsOwn) {
  SimulatedFileSystem fs;
  Records expected;
  {
    auto log = open_log(fs);
    for (CommitNumber commit = 1; commit <= 12; ++commit) {
      expected[commit] = commit % 4 == 0 ? std::string(100'000 + commit, 'L') : payload_of(commit);
      log->append(commit, expected[commit]);
    }
    log->flush();
  }
  EXPECT_EQ(recover_log(fs).records, expected);
  auto log = open_log(fs);
  expected.merge(commit_range(*log, 13, 200));
  EXPECT_EQ(recover_log(fs).records, expected);
  EXPECT_THAT(error_of([&] { log->append(201, {nullptr, Log::kMaxPayloadBytes + 1}); }), StartsWith("54000"));
}

TEST(LogTest, RecyclesWhatIsNoLongerNeeded) {
  SimulatedFileSystem fs;
  auto log = open_log(fs);
  uint64_t removed = 0;
  std::vector<uint64_t> ids;
  for (CommitNumber commit = 1; commit <= 1000; commit += 100) {
    commit_range(*log, commit, commit + 99);
    removed += log->remove_before(log->durable_position()).value_or_throw();
    EXPECT_LE(log->segments().size(), 2u);
    for (const SegmentInfo& segment : log->segments()) ids.push_back(segment.id);
  }
  EXPECT_GT(removed, 10u);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  const LogStats stats = log->stats();
  EXPECT_LE(stats.prepared_segments, 2u);
  EXPECT_EQ(stats.disk_bytes, (stats.segments + stats.prepared_segments) * 16 * 1024);
  const Position from = log->durable_position();
  const Records rest = commit_range(*log, 1001, 1100);
  log.reset();
  EXPECT_EQ(recover_log(fs, from).records, rest);
  EXPECT_THAT(error_of([&] { recover_log(fs); }), HasSubstr("that holds position 0 is missing"));
}

TEST(LogTest, ArchivesBeforeRecycling) {
  SimulatedFileSystem fs;
  std::vector<SegmentInfo> archived;
  bool works = false;
  LogOptions options = small_segments();
  options.archive = [&](const SegmentInfo& segment) -> IoStatus {
    if (!works) return IoError{FileOp::kWrite, EIO, "archive", {}};
    EXPECT_TRUE(fs.exists(segment.path).value_or_throw());
    archived.push_back(segment);
    return {};
  };
  auto log = open_log(fs, options);
  commit_range(*log, 1, 200);
  const size_t before = log->segments().size();
  EXPECT_FALSE(log->remove_before(log->durable_position()).ok());
  EXPECT_EQ(log->segments().size(), before);
  works = true;
  EXPECT_EQ(log->remove_before(log->durable_position()).value_or_throw(), before - 1);
  ASSERT_EQ(archived.size(), before - 1);
  for (size_t i = 1; i < archived.size(); ++i) EXPECT_EQ(archived[i - 1].end, archived[i].begin);
}

TEST(LogTest, AFullDiskStopsAppendsUntilThereIsRoom) {
  SimulatedFileSystem fs;
  fs.set_capacity(40 * 1024);  // two segments of 16 KiB
  auto log = open_log(fs);
  Records expected;
  std::string error;
  CommitNumber commit = 1;
  for (; error.empty(); ++commit) {
    try {
      log->append(commit, std::string(1000, 'x'));
      expected[commit] = std::string(1000, 'x');
    } catch (const SqlError& thrown) { error = thrown.sqlstate() + " " + thrown.message(); }
  }
  EXPECT_THAT(error, StartsWith("53100 could not allocate space for file"));
  EXPECT_THAT(error, HasSubstr("No space left on device"));
  EXPECT_GT(commit, 20u);
  log->flush();
  EXPECT_FALSE(log->stats().failed);
  EXPECT_THAT(error_of([&] { log->append(commit, std::string(1000, 'x')); }), StartsWith("53100"));
  fs.set_capacity(80 * 1024);
  expected.merge(commit_range(*log, commit, commit + 5));
  EXPECT_EQ(log->stats().last_error, "");
  log.reset();
  EXPECT_EQ(recover_log(fs).records, expected);
}

class LogFailureTest : public testing::TestWithParam<FileOp> {};
INSTANTIATE_TEST_SUITE_P(WriteAndSync, LogFailureTest, testing::Values(FileOp::kWrite, FileOp::kSync));

TEST_P(LogFailureTest, AFailureToWriteIsFinal) {
  SimulatedFileSystem fs;
  RecordingListener listener;
  auto log = open_log(fs, small_segments(), &listener);
  const Records expected = commit_range(*log, 1, 10);
  while (log->stats().prepared_segments == 0) std::this_thread::yield();
  log->append(11, "lost");
  fs.fail_nth(GetParam(), 1, GetParam() == FileOp::kWrite ? ENOSPC : EIO);
  const std::string message = error_of([&] { log->wait_durable(11); });
  EXPECT_THAT(message, StartsWith("58030 the log could not be written: could not "));
  EXPECT_THAT(message, HasSubstr("; no further writes until restart"));
  const uint64_t syncs = fs.call_count(FileOp::kSync);
  EXPECT_EQ(error_of([&] { log->append(12, "x"); }), message);
  EXPECT_EQ(error_of([&] { log->flush(); }), message);
  log->request_sync();
  EXPECT_EQ(error_of([&] { log->wait_durable(10); }), "no error");
  EXPECT_EQ(log->durable_commit(), 10u);
  EXPECT_EQ(listener.durable(), 10u);
  EXPECT_EQ(listener.failures(), 1);
  EXPECT_TRUE(log->stats().failed);
  log.reset();
  EXPECT_EQ(fs.call_count(FileOp::kSync), syncs);
  Records found = recover_log(*fs.crash(0)).records;
  found.erase(11);  // may have arrived all the same
  EXPECT_EQ(found, expected);
}

TEST(LogTest, SyncsWithoutBeingWaitedFor) {
  SimulatedFileSystem fs;
  RecordingListener listener;
  LogOptions options = small_segments();
  options.lazy_flush_ms = 20;
  auto log = open_log(fs, options, &listener);
  for (CommitNumber commit = 1; commit <= 3; ++commit) {
    log->append(commit, "lazy");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (listener.durable() < commit && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(listener.durable(), commit);
  }
}

TEST(LogTest, MuchUnwaitedDataIsSyncedAtOnce) {
  SimulatedFileSystem fs;
  RecordingListener listener;
  LogOptions options;
  options.segment_bytes = 1 << 20;
  options.lazy_flush_ms = 1'000'000;
  options.lazy_flush_bytes = 10'000;
  auto log = open_log(fs, options, &listener);
  for (CommitNumber commit = 1; commit <= 20; ++commit) log->append(commit, std::string(1000, 'x'));
  while (listener.durable() < 9) std::this_thread::yield();
}

TEST(LogTest, RequestSyncDoesNotWait) {
  SimulatedFileSystem fs;
  RecordingListener listener;
  auto log = open_log(fs, small_segments(), &listener);
  commit_range(*log, 1, 1);
  while (log->stats().prepared_segments == 0) std::this_thread::yield();
  std::atomic<bool> held{false}, release{false};
  fs.on_call([&](FileOp op, const std::string&) {
    if (op != FileOp::kSync) return;
    held = true;
    while (!release) std::this_thread::yield();
  });
  log->append(2, "two");
  log->request_sync();
  while (!held) std::this_thread::yield();
  log->append(3, "three");
  log->request_sync();
  EXPECT_EQ(listener.durable(), 1u);
  release = true;
  while (listener.durable() < 3) std::this_thread::yield();
  fs.on_call(nullptr);
}

TEST(LogTest, OneSyncServesAllWhoCameMeanwhile) {
  SimulatedFileSystem fs;
  auto log = open_log(fs, LogOptions{});
  commit_range(*log, 1, 1);
  while (log->stats().prepared_segments == 0) std::this_thread::yield();
  std::atomic<bool> held{false}, release{false};
  fs.on_call([&](FileOp op, const std::string&) {
    if (op != FileOp::kSync) return;
    held = true;
    while (!release) std::this_thread::yield();
  });
  const uint64_t syncs = log->stats().syncs;
  log->append(2, "first");
  std::vector<std::thread> threads;
  threads.emplace_back([&] { log->wait_durable(2); });
  while (!held) std::this_thread::yield();
  for (CommitNumber commit = 3; commit <= 50; ++commit) {
    log->append(commit, "more");
    threads.emplace_back([&, commit] { log->wait_durable(commit); });
  }
  release = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log->stats().syncs, syncs + 2);
  fs.on_call(nullptr);
}

TEST(LogTest, CommitNumbersMustIncrease) {
  SimulatedFileSystem fs;
  auto log = open_log(fs);
  log->append(5, "x");
  EXPECT_THAT(error_of([&] { log->append(5, "y"); }), StartsWith("XX000"));
  EXPECT_THAT(error_of([&] { log->wait_durable(6); }), StartsWith("XX000"));
  log->append(8, "z");
  log->wait_durable(6);
}

// Sixteen threads commit, some waiting and some not, while segments are recycled and the buffer is often
// full.
TEST(LogTest, ManyThreads) {
  SimulatedFileSystem fs;
  RecordingListener listener;
  LogOptions options = small_segments();
  options.max_buffer_bytes = 8 * 1024;
  options.lazy_flush_bytes = 4 * 1024;
  options.lazy_flush_ms = 2;
  auto log = open_log(fs, options, &listener);
  std::mutex order;
  CommitNumber last = 0;
  Records expected;
  std::atomic<bool> done{false};
  Position kept;
  std::thread remover([&] {
    while (!done) {
      kept = log->durable_position();
      EXPECT_TRUE(log->remove_before(kept).ok());
      const LogStats stats = log->stats();
      EXPECT_LE(stats.durable, stats.appended);
      EXPECT_LE(stats.oldest_kept, kept);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 150; ++i) {
        CommitNumber mine;
        {
          std::lock_guard lock(order);
          mine = ++last;
          expected[mine] = payload_of(mine);
          log->append(mine, expected[mine], t % 2 == 0 ? Compression::kLz4 : Compression::kNone);
        }
        if (t % 4 == 3) {
          log->request_sync();
        } else if (t % 4 != 2) {
          log->wait_durable(mine);
          EXPECT_GE(log->durable_commit(), mine);
          EXPECT_GE(listener.durable(), mine);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log->flush();
  done = true;
  remover.join();
  EXPECT_EQ(listener.durable(), last);
  const Records rest = commit_range(*log, last + 1, last + 100);
  expected.insert(rest.begin(), rest.end());
  log.reset();
  const Recovered found = recover_log(fs, kept);
  ASSERT_GE(found.records.size(), 100u);
  EXPECT_EQ(found.records, Records(expected.find(found.records.begin()->first), expected.end()));
}

}  // namespace
}  // namespace idem::wal
