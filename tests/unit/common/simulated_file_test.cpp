#include "common/simulated_file.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <set>

namespace idem {
namespace {

constexpr uint64_t kSeeds = 200;

std::string content(FileSystem& fs, const std::string& path) {
  return fs.exists(path).value_or_throw() ? read_whole_file(fs, path).value_or_throw() : "missing";
}

std::unique_ptr<File> create(FileSystem& fs, const std::string& path, std::string_view text) {
  auto file = fs.open(path, OpenMode::kCreate).value_or_throw();
  file->write_at(0, text).throw_if_error();
  return file;
}

std::unique_ptr<File> create_durably(FileSystem& fs, const std::string& path, std::string_view text) {
  auto file = create(fs, path, text);
  file->sync().throw_if_error();
  fs.sync_directory(parent_directory(path)).throw_if_error();
  return file;
}

// The contents of `path` that crashes with many seeds leave, after `work` on a fresh file system.
template <class Work>
std::set<std::string> outcomes(const std::string& path, Work&& work) {
  std::set<std::string> out;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SimulatedFileSystem fs;
    work(fs);
    out.insert(content(*fs.crash(seed), path));
  }
  return out;
}

TEST(SimulatedCrashTest, SyncedContentUnderASyncedNameSurvives) {
  EXPECT_EQ(outcomes("f", [](auto& fs) { create_durably(fs, "f", "kept"); }), std::set<std::string>{"kept"});
}

TEST(SimulatedCrashTest, ANameIsLostWithoutSyncOfItsFolder) {
  EXPECT_EQ(outcomes("f", [](auto& fs) { create(fs, "f", "kept")->sync().throw_if_error(); }),
            (std::set<std::string>{"kept", "missing"}));
}

TEST(SimulatedCrashTest, SectorsSurviveIndependentlyAndInAnyOrder) {
  const std::string zeros(512, '\0'), a(512, 'a'), b(512, 'b');
  const auto seen = outcomes("f", [&](auto& fs) {
    auto file = create_durably(fs, "f", zeros + zeros);
    file->write_at(0, a).throw_if_error();
    file->write_at(512, b).throw_if_error();
  });
  EXPECT_EQ(seen, (std::set<std::string>{zeros + zeros, a + zeros, zeros + b, a + b}));
}

TEST(SimulatedCrashTest, ASectorMayHoldAnythingWrittenSinceTheSync) {
  const auto seen = outcomes("f", [&](auto& fs) {
    auto file = create_durably(fs, "f", "1");
    for (const char* text : {"2", "3"}) file->write_at(0, text, 1).throw_if_error();
  });
  EXPECT_EQ(seen, (std::set<std::string>{"1", "2", "3"}));
}

TEST(SimulatedCrashTest, SizeLiesBetweenSyncedAndCurrent) {
  std::set<size_t> sizes;
  for (const std::string& text : outcomes("f", [](auto& fs) {
         auto file = create_durably(fs, "f", std::string(100, 'x'));
         file->write_at(100, std::string(100, 'y')).throw_if_error();
       })) {
    EXPECT_EQ(text.substr(0, 100), std::string(100, 'x'));
    sizes.insert(text.size());
  }
  EXPECT_EQ(*sizes.begin(), 100u);
  EXPECT_EQ(*sizes.rbegin(), 200u);
  EXPECT_GT(sizes.size(), 5u);
}

TEST(SimulatedCrashTest, ARenameIsNeverHalfDone) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SimulatedFileSystem fs;
    create_durably(fs, "a", "new");
    create_durably(fs, "b", "old");
    fs.rename("a", "b").throw_if_error();
    auto left = fs.crash(seed);
    const bool renamed = content(*left, "b") == "new";
    EXPECT_EQ(content(*left, "a"), renamed ? "missing" : "new");
    if (!renamed) { EXPECT_EQ(content(*left, "b"), "old"); }
  }
}

TEST(SimulatedCrashTest, RemovedNamesMayComeBackUntilTheFolderIsSynced) {
  const auto removed = [](auto& fs) {
    create_durably(fs, "f", "x");
    fs.remove("f").throw_if_error();
  };
  EXPECT_EQ(outcomes("f", removed), (std::set<std::string>{"x", "missing"}));
  EXPECT_EQ(outcomes("f",
                     [&](auto& fs) {
                       removed(fs);
                       fs.sync_directory(".").throw_if_error();
                     }),
            std::set<std::string>{"missing"});
}

TEST(SimulatedCrashTest, ALostFolderTakesItsFilesAlong) {
  EXPECT_EQ(outcomes("d/f",
                     [](auto& fs) {
                       fs.make_directory("d").throw_if_error();
                       create_durably(fs, "d/f", "x");
                     }),
            (std::set<std::string>{"x", "missing"}));
}

TEST(SimulatedCrashTest, ReplaceFileLeavesTheOldOrTheNew) {
  for (uint64_t call = 1;; ++call) {
    SimulatedFileSystem fs;
    create_durably(fs, "m", "old content");
    fs.stop_at_call(call);
    const bool done = replace_file(fs, "m", "new").ok();
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SimulatedFileSystem again;
      create_durably(again, "m", "old content");
      again.stop_at_call(call);
      EXPECT_EQ(replace_file(again, "m", "new").ok(), done);
      const std::string left = content(*again.crash(seed), "m");
      if (done) {
        EXPECT_EQ(left, "new");
      } else {
        EXPECT_TRUE(left == "old content" || left == "new") << left;
      }
    }
    if (done) break;
  }
}

TEST(SimulatedCrashTest, TheSameSeedGivesTheSameBytes) {
  std::set<std::string> seen;
  for (int i = 0; i < 5; ++i) {
    SimulatedFileSystem fs;
    create_durably(fs, "f", "")->write_at(0, std::string(100'000, 'x')).throw_if_error();
    seen.insert(content(*fs.crash(7), "f"));
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST(SimulatedCrashTest, TheOldFileSystemIsDead) {
  SimulatedFileSystem fs;
  auto file = create_durably(fs, "f", "x");
  auto left = fs.crash(1);
  EXPECT_EQ(file->write_at(0, "y").error().code, EIO);
  EXPECT_EQ(fs.list(".").error().code, EIO);
  EXPECT_EQ(content(*left, "f"), "x");
}

TEST(SimulatedCrashTest, AKilledProcessLosesNothingYet) {
  SimulatedFileSystem fs;
  create(fs, "f", "unsynced");
  auto next = fs.kill_process();
  EXPECT_EQ(content(*next, "f"), "unsynced");
  std::set<bool> kept;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedFileSystem first;
    create(first, "f", "unsynced");
    kept.insert(content(*first.kill_process()->crash(seed), "f") == "unsynced");
  }
  EXPECT_EQ(kept, (std::set<bool>{false, true}));
}

TEST(SimulatedCrashTest, AFailedSyncIsNotMadeGoodByALaterOne) {
  std::set<std::string> seen, rewritten;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const bool rewrite : {false, true}) {
      SimulatedFileSystem fs;
      auto file = create_durably(fs, "f", "1");
      file->write_at(0, "2").throw_if_error();
      fs.fail_nth(FileOp::kSync, 1, EIO);
      EXPECT_FALSE(file->sync().ok());
      if (rewrite) file->write_at(0, "2").throw_if_error();
      EXPECT_TRUE(file->sync().ok());
      (rewrite ? rewritten : seen).insert(content(*fs.crash(seed), "f"));
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"1", "2"}));
  EXPECT_EQ(rewritten, std::set<std::string>{"2"});
}

TEST(SimulatedFailureTest, FailsTheNthCallOfAKind) {
  SimulatedFileSystem fs;
  auto file = create(fs, "f", "");
  fs.fail_nth(FileOp::kWrite, 2, ENOSPC);
  EXPECT_TRUE(file->write_at(0, "aaaa").ok());
  const IoStatus failed = file->write_at(0, "bbbb");
  ASSERT_FALSE(failed.ok());
  EXPECT_TRUE(failed.error().is_disk_full());
  EXPECT_EQ(content(fs, "f"), "bbaa");  // a short write
  EXPECT_TRUE(file->write_at(0, "cccc").ok());
  EXPECT_EQ(fs.call_count(FileOp::kWrite), 4u);
}

TEST(SimulatedFailureTest, FailsTheNthCallOfAnyKind) {
  for (uint64_t n = 1; n <= 3; ++n) {
    SimulatedFileSystem fs;
    fs.fail_nth_call(n, EIO);
    const bool opened = fs.open("f", OpenMode::kCreate).ok();
    EXPECT_EQ(opened, n != 1);
    EXPECT_EQ(fs.sync_directory(".").ok(), n != 2);
    EXPECT_EQ(fs.exists("f").ok(), n != 3);
    EXPECT_EQ(fs.call_count(), 3u);
  }
}

TEST(SimulatedFailureTest, StopsForGood) {
  SimulatedFileSystem fs;
  auto file = create(fs, "f", "");
  fs.stop_at_call(2);
  EXPECT_TRUE(file->write_at(0, "aaaa").ok());
  EXPECT_FALSE(file->write_at(0, "bbbb").ok());
  EXPECT_FALSE(file->write_at(0, "cccc").ok());
  EXPECT_EQ(content(*fs.kill_process(), "f"), "bbaa");
}

TEST(SimulatedFailureTest, FlipsOneBitOfARead) {
  SimulatedFileSystem fs;
  auto file = create(fs, "f", std::string(64, '\0'));
  fs.corrupt_nth_read(2, 5);
  EXPECT_EQ(content(fs, "f"), std::string(64, '\0'));
  int bits = 0;
  for (const char c : content(fs, "f")) bits += __builtin_popcount(static_cast<uint8_t>(c));
  EXPECT_EQ(bits, 1);
  EXPECT_EQ(content(fs, "f"), std::string(64, '\0'));
}

TEST(SimulatedFailureTest, FullDisk) {
  SimulatedFileSystem fs;
  fs.set_capacity(1000);
  auto file = create(fs, "f", std::string(600, 'x'));
  EXPECT_EQ(fs.free_space(".").value_or_throw(), 400u);
  EXPECT_TRUE(file->preallocate(1001).error().is_disk_full());
  EXPECT_TRUE(file->write_at(600, std::string(401, 'x')).error().is_disk_full());
  EXPECT_TRUE(file->write_at(0, std::string(600, 'y')).ok());
  EXPECT_TRUE(file->preallocate(1000).ok());
  fs.remove("f").throw_if_error();
  EXPECT_EQ(fs.free_space(".").value_or_throw(), 1000u);
}

TEST(SimulatedFailureTest, TellsEveryCall) {
  SimulatedFileSystem fs;
  std::vector<std::pair<FileOp, std::string>> calls;
  fs.on_call([&](FileOp op, const std::string& path) { calls.emplace_back(op, path); });
  create(fs, "f", "x");
  EXPECT_EQ(calls,
            (std::vector<std::pair<FileOp, std::string>>{{FileOp::kOpen, "f"}, {FileOp::kWrite, "f"}}));
}

}  // namespace
}  // namespace idem
