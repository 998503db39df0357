#include "common/file.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "common/posix_file.h"
#include "common/simulated_file.h"

namespace idem {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The same behaviour is expected of both implementations.
class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      fs_ = std::make_unique<SimulatedFileSystem>();
      root_ = "/data";
      fs_->make_directory(root_).throw_if_error();
    } else {
      fs_ = make_posix_file_system();
      std::string pattern = (std::filesystem::temp_directory_path() / "idem_file_test_XXXXXX").string();
      root_ = ::mkdtemp(pattern.data());
    }
  }
  void TearDown() override {
    if (!GetParam()) std::filesystem::remove_all(root_);
  }
  std::string path(std::string_view name) const { return join_path(root_, name); }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const DirectoryEntry& entry : fs_->list(root_).value_or_throw()) {
      out.push_back(entry.name + (entry.is_directory ? "/" : ""));
    }
    return out;
  }
  void put(std::string_view name, std::string_view content) {
    auto file = fs_->open(path(name), OpenMode::kCreate).value_or_throw();
    file->write_at(0, content).throw_if_error();
  }

  std::unique_ptr<FileSystem> fs_;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(PosixAndSimulated, FileSystemTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Simulated" : "Posix"; });

TEST_P(FileSystemTest, ReadsWhatWasWrittenAtItsOffset) {
  auto file = fs_->open(path("f"), OpenMode::kCreate).value_or_throw();
  ASSERT_TRUE(file->write_at(3, "abc").ok());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(file->size().value_or_throw(), 6u);
  char out[10] = {};
  EXPECT_EQ(file->read_at(0, out, 10).value_or_throw(), 6u);
  EXPECT_EQ(std::string_view(out, 6), std::string_view("\0\0\0abc", 6));
  EXPECT_EQ(file->read_at(6, out, 10).value_or_throw(), 0u);
  ASSERT_TRUE(file->read_exact_at(4, out, 2).ok());
  EXPECT_EQ(std::string_view(out, 2), "bc");
  const IoStatus beyond = file->read_exact_at(4, out, 3);
  ASSERT_FALSE(beyond.ok());
  EXPECT_THAT(beyond.error().message(), HasSubstr("read 2 of 3 bytes at offset 4"));
  EXPECT_EQ(beyond.error().to_sql_error().sqlstate(), "58030");
}

TEST_P(FileSystemTest, OpenModes) {
  const auto missing = fs_->open(path("f"), OpenMode::kReadWrite);
  ASSERT_FALSE(missing.ok());
  EXPECT_TRUE(missing.error().is_not_found());
  EXPECT_EQ(missing.error().to_sql_error().sqlstate(), "58P01");
  EXPECT_EQ(missing.error().message(),
            "could not open file \"" + path("f") + "\": No such file or directory");
  put("f", "x");
  EXPECT_EQ(fs_->open(path("f"), OpenMode::kCreate).error().code, EEXIST);
  auto reader = fs_->open(path("f"), OpenMode::kRead).value_or_throw();
  EXPECT_FALSE(reader->write_at(0, "y").ok());
  ASSERT_TRUE(fs_->open(path("f"), OpenMode::kOpenOrCreate).ok());
  EXPECT_EQ(read_whole_file(*fs_, path("f")).value_or_throw(), "x");
}

TEST_P(FileSystemTest, TruncateAndPreallocateLeaveZeros) {
  auto file = fs_->open(path("f"), OpenMode::kCreate).value_or_throw();
  file->write_at(0, "abcdef").throw_if_error();
  file->truncate(2).throw_if_error();
  file->preallocate(5).throw_if_error();
  EXPECT_EQ(file->size().value_or_throw(), 5u);
  file->preallocate(1).throw_if_error();
  EXPECT_EQ(read_whole_file(*fs_, path("f")).value_or_throw(), std::string("ab\0\0\0", 5));
}

TEST_P(FileSystemTest, RenameReplacesAndLinkShares) {
  put("a", "1");
  put("b", "2");
  ASSERT_TRUE(fs_->rename(path("a"), path("b")).ok());
  EXPECT_THAT(names(), UnorderedElementsAre("b"));
  EXPECT_EQ(read_whole_file(*fs_, path("b")).value_or_throw(), "1");
  ASSERT_TRUE(fs_->link(path("b"), path("c")).ok());
  EXPECT_EQ(fs_->link(path("b"), path("c")).error().code, EEXIST);
  ASSERT_TRUE(fs_->remove(path("b")).ok());
  EXPECT_EQ(read_whole_file(*fs_, path("c")).value_or_throw(), "1");
  EXPECT_EQ(fs_->rename(path("b"), path("d")).error().code, ENOENT);
}

TEST_P(FileSystemTest, Directories) {
  ASSERT_TRUE(make_directories(*fs_, path("x/y/z")).ok());
  ASSERT_TRUE(make_directories(*fs_, path("x/y/z")).ok());
  EXPECT_EQ(fs_->make_directory(path("x")).error().code, EEXIST);
  put("x/y/f", "1");
  EXPECT_THAT(names(), UnorderedElementsAre("x/"));
  EXPECT_FALSE(fs_->remove(path("x/y")).ok());
  ASSERT_TRUE(fs_->rename(path("x/y"), path("moved")).ok());
  EXPECT_TRUE(fs_->exists(path("moved/f")).value_or_throw());
  EXPECT_FALSE(fs_->exists(path("x/y/f")).value_or_throw());
  EXPECT_EQ(fs_->file_size(path("moved/f")).value_or_throw(), 1u);
  ASSERT_TRUE(fs_->remove(path("x")).ok());
  ASSERT_TRUE(fs_->sync_directory(root_).ok());
  EXPECT_FALSE(fs_->sync_directory(path("x")).ok());
  EXPECT_FALSE(fs_->list(path("x")).ok());
  EXPECT_GT(fs_->free_space(root_).value_or_throw(), 0u);
}

TEST_P(FileSystemTest, ReplaceFileSwapsTheContent) {
  ASSERT_TRUE(replace_file(*fs_, path("m"), "a longer first content").ok());
  ASSERT_TRUE(replace_file(*fs_, path("m"), "second").ok());
  EXPECT_EQ(read_whole_file(*fs_, path("m")).value_or_throw(), "second");
  EXPECT_THAT(names(), UnorderedElementsAre("m"));
}

TEST_P(FileSystemTest, OneServerPerFolder) {
  auto held = fs_->lock(root_).value_or_throw();
  const auto second = fs_->lock(root_);
  ASSERT_FALSE(second.ok());
  const SqlError error = second.error().to_sql_error();
  EXPECT_EQ(error.sqlstate(), "55006");
  const std::string holder = GetParam() ? "1" : std::to_string(::getpid());
  EXPECT_EQ(error.message(), "could not lock directory \"" + root_ +
                                 "\": it is in use by another server (process id " + holder + ")");
  held.reset();
  EXPECT_TRUE(fs_->lock(root_).ok());
}

TEST(PosixFolderLockTest, WaitsForAServerThatIsAboutToEnd) {
  std::string root = (std::filesystem::temp_directory_path() / "idem_lock_XXXXXX").string();
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const auto files = make_posix_file_system();
  auto held = files->lock(root).value_or_throw();
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    held.reset();
  });
  const auto next = files->lock(root);
  ends.join();
  EXPECT_TRUE(next.ok());
  std::filesystem::remove_all(root);
}

TEST(IoErrorTest, DiskFullIsItsOwnState) {
  const IoError error{FileOp::kWrite, ENOSPC, "log/1", {}};
  EXPECT_EQ(error.message(), "could not write to file \"log/1\": No space left on device");
  EXPECT_EQ(error.to_sql_error().sqlstate(), "53100");
  EXPECT_EQ((IoError{FileOp::kWrite, EDQUOT, "f", {}}.to_sql_error().sqlstate()), "53100");
  EXPECT_EQ((IoError{FileOp::kSync, EIO, "f", {}}.to_sql_error().sqlstate()), "58030");
  EXPECT_THROW(IoStatus(error).throw_if_error(), SqlError);
  EXPECT_NO_THROW(IoStatus().throw_if_error());
}

TEST(PathTest, ParentAndJoin) {
  EXPECT_EQ(parent_directory("a/b/c"), "a/b");
  EXPECT_EQ(parent_directory("a/b/"), "a");
  EXPECT_EQ(parent_directory("c"), ".");
  EXPECT_EQ(parent_directory("/c"), "/");
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

}  // namespace
}  // namespace idem
