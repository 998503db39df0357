#include "common/temporary_folder.h"

#include <gtest/gtest.h>

#include "common/simulated_file.h"

namespace idem {
namespace {

TEST(TemporaryFolder, FilesHaveNoNameAndKeepTheirContent) {
  SimulatedFileSystem files;
  TemporaryFolder folder(files, "data/tmp");
  const std::unique_ptr<File> a = folder.create().value_or_throw(), b = folder.create().value_or_throw();
  EXPECT_TRUE(files.list("data/tmp").value_or_throw().empty());
  a->write_at(0, "one").throw_if_error();
  b->write_at(0, "two").throw_if_error();
  char text[3];
  a->read_exact_at(0, text, 3).throw_if_error();
  EXPECT_EQ(std::string_view(text, 3), "one");
}

TEST(TemporaryFolder, ForgetsWhatACrashLeft) {
  SimulatedFileSystem files;
  make_directories(files, "data/tmp").throw_if_error();
  files.open("data/tmp/3.spill", OpenMode::kCreate).value_or_throw();
  const TemporaryFolder folder(files, "data/tmp");
  EXPECT_TRUE(files.list("data/tmp").value_or_throw().empty());
}

TEST(TemporaryFolder, TellsWhyThereIsNoFile) {
  SimulatedFileSystem files;
  TemporaryFolder folder(files, "data/tmp");
  files.fail_nth(FileOp::kOpen, 1, ENOSPC);
  EXPECT_FALSE(folder.create().ok());
  files.fail_nth(FileOp::kRemove, 1, EIO);
  EXPECT_FALSE(folder.create().ok());
  EXPECT_TRUE(folder.create().ok());
}

}  // namespace
}  // namespace idem
