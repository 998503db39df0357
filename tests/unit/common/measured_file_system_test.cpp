#include "common/measured_file_system.h"

#include <gtest/gtest.h>

#include "common/simulated_file.h"

namespace idem {
namespace {

uint64_t count_of(const LatencyHistogram& histogram) {
  uint64_t sum = 0;
  for (const uint64_t count : histogram.values().counts) sum += count;
  return sum;
}

TEST(MeasuredFileSystem, CountsTheLogApart) {
  MeasuredFileSystem files(std::make_unique<SimulatedFileSystem>(), "d/log");
  make_directories(files, "d/log").throw_if_error();
  const auto log = files.open("d/log/1", OpenMode::kCreate).value_or_throw();
  const auto other = files.open("d/logs", OpenMode::kCreate).value_or_throw();
  log->write_at(0, "12345").throw_if_error();
  log->sync().throw_if_error();
  log->sync_all().throw_if_error();
  other->write_at(0, "123").throw_if_error();
  EXPECT_EQ(files.log().written_bytes.value(), 5u);
  EXPECT_EQ(count_of(files.log().syncs), 2u);
  EXPECT_EQ(files.other().written_bytes.value(), 3u);
  EXPECT_EQ(count_of(files.other().syncs), 0u);
  EXPECT_EQ(read_whole_file(files, "d/log/1").value_or_throw(), "12345");
}

}  // namespace
}  // namespace idem
