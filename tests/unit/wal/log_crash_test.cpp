// The promise of the log: whatever call fails or whenever the machine stops, every acknowledged record is
// found again, in order, and of those that were not acknowledged a whole prefix or nothing.
#include <cerrno>
#include <gtest/gtest.h>

#include "tests/unit/wal/log_fixture.h"

namespace idem::wal {
namespace {

// A server that commits, checkpoints and crashes, with what its clients and its manifest know.
class CrashingServer {
 public:
  explicit CrashingServer(uint64_t seed) : random_(seed), fs_(std::make_unique<SimulatedFileSystem>()) {
    fs_->make_directory("/db").throw_if_error();
    fs_->sync_directory("/").throw_if_error();
  }

  SimulatedFileSystem& fs() { return *fs_; }
  CommitNumber acknowledged() const { return acknowledged_; }

  // Recovers and commits until `commits` are done or something fails. Gives whether it came to the end.
  bool run(int commits) {
    ++run_;
    RecordingListener listener;
    try {
      const Recovered found = recover_and_check();
      auto log = Log::open(*fs_, kLogDirectory, small_segments(), found.result, &listener);
      // From here on the server shows what recovery found; until now a crash could still lose what was only
      // in memory.
      acknowledged_ = last_;
      try {
        for (int i = 0; i < commits; ++i) step(*log);
      } catch (const SqlError&) {
        acknowledged_ = std::max(acknowledged_, log->durable_commit());
        return false;
      }
      acknowledged_ = std::max(acknowledged_, log->durable_commit());
    } catch (const SqlError& error) {
      EXPECT_NE(error.sqlstate(), "XX001") << error.message() << " " << error.detail();
      return false;
    }
    return true;
  }

  void crash(uint64_t seed) { fs_ = fs_->crash(seed); }
  void kill() { fs_ = fs_->kill_process(); }

  // What is on disk must be what was acknowledged, and possibly some of what was appended after it.
  Recovered recover_and_check() {
    Recovered found = recover_log(*fs_, checkpoint_);
    CommitNumber next = checkpoint_commit_ + 1;
    for (const auto& [commit, payload] : found.records) {
      EXPECT_EQ(commit, next++);
      EXPECT_EQ(payload, appended_[commit]) << "commit " << commit;
    }
    EXPECT_GE(next - 1, acknowledged_);
    // The rest was never acknowledged and is forgotten; its commit numbers are given again.
    appended_.erase(appended_.lower_bound(next), appended_.end());
    last_ = next - 1;
    return found;
  }

 private:
  void step(Log& log) {
    const CommitNumber commit = last_ + 1;
    std::string payload = payload_of(commit, run_);
    if (random_() % 200 == 0) payload.resize(20'000 + random_() % 1000, 'L');
    const Extent extent = append(log, commit, payload);
    last_ = commit;
    const uint64_t choice = random_() % 10;
    if (choice < 4) {
      log.wait_durable(commit);
      acknowledged_ = commit;
    } else if (choice < 6) {
      log.request_sync();
    }
    if (choice == 0) {
      checkpoint_ = extent.end;
      checkpoint_commit_ = commit;
    } else if (choice == 1 && random_() % 2 == 0) {
      log.remove_before(checkpoint_).value_or_throw();
    }
  }

  // A commit that the log refuses without having failed was not appended; trying again is allowed.
  Extent append(Log& log, CommitNumber commit, const std::string& payload) {
    const Compression compression = commit % 2 == 0 ? Compression::kLz4 : Compression::kNone;
    appended_[commit] = payload;
    try {
      return log.append(commit, payload, compression);
    } catch (const SqlError&) {
      if (log.stats().failed) throw;
      return log.append(commit, payload, compression);
    }
  }

  std::mt19937_64 random_;
  std::unique_ptr<SimulatedFileSystem> fs_;
  uint64_t run_ = 0;
  Records appended_;
  CommitNumber last_ = 0;
  CommitNumber acknowledged_ = 0;
  Position checkpoint_;
  CommitNumber checkpoint_commit_ = 0;
};

uint64_t calls_of_a_run(uint64_t seed, int commits) {
  CrashingServer server(seed);
  EXPECT_TRUE(server.run(commits));
  return server.fs().call_count();
}

TEST(LogCrashTest, StoppedAtEveryCall) {
  const uint64_t calls = calls_of_a_run(1, 120);
  ASSERT_GT(calls, 100u);  // how many depends on how commits meet in one sync
  for (uint64_t call = 1; call <= calls; ++call) {
    CrashingServer server(1);
    server.fs().stop_at_call(call);
    server.run(120);
    server.crash(call);
    server.recover_and_check();
    ASSERT_FALSE(HasFailure()) << "stopped at call " << call;
  }
}

TEST(LogCrashTest, EveryCallFailsOnce) {
  const uint64_t calls = calls_of_a_run(2, 120);
  for (const int code : {EIO, ENOSPC}) {
    for (uint64_t call = 1; call <= calls; ++call) {
      CrashingServer server(2);
      server.fs().fail_nth_call(call, code);
      server.run(120);
      if (call % 2 == 0) {
        server.crash(call);
      } else {
        server.kill();
      }
      server.recover_and_check();
      ASSERT_FALSE(HasFailure()) << "failed at call " << call;
    }
  }
}

// Many lives of one database, each cut short at a random call, also during recovery.
TEST(LogCrashTest, CrashAfterCrash) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    CrashingServer server(seed);
    std::mt19937_64 random(seed);
    for (int life = 0; life < 25; ++life) {
      switch (random() % 4) {
        case 0: server.fs().stop_at_call(1 + random() % 20); break;
        case 1: server.fs().stop_at_call(1 + random() % 300); break;
        case 2: server.fs().fail_nth_call(1 + random() % 300, EIO); break;
        case 3: break;
      }
      server.run(static_cast<int>(random() % 150));
      if (random() % 3 == 0) {
        server.kill();
      } else {
        server.crash(random());
      }
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", life " << life;
    }
    server.recover_and_check();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    EXPECT_GT(server.acknowledged(), 50u);
  }
}

}  // namespace
}  // namespace idem::wal
