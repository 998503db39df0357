#include "common/byte_size.h"

#include <gtest/gtest.h>

namespace idem {
namespace {

TEST(ByteSizeTest, IsReadWithUnits) {
  EXPECT_EQ(parse_byte_size("0"), 0U);
  EXPECT_EQ(parse_byte_size("17"), 17U);
  EXPECT_EQ(parse_byte_size("17B"), 17U);
  EXPECT_EQ(parse_byte_size("3 kB"), 3072U);
  EXPECT_EQ(parse_byte_size("2MB"), 2U << 20);
  EXPECT_EQ(parse_byte_size("4GB"), uint64_t{4} << 30);
  EXPECT_EQ(parse_byte_size("18446744073709551615"), UINT64_MAX);
  for (const char* bad :
       {"", "kB", "-1", "1KB", "1 TB", "1.5MB", "1MB ", " 1", "18446744073709551616", "17179869184GB"})
    EXPECT_EQ(parse_byte_size(bad), std::nullopt) << bad;
}

TEST(ByteSizeTest, IsShownInTheLargestUnit) {
  EXPECT_EQ(byte_size_text(0), "0");
  EXPECT_EQ(byte_size_text(1000), "1000B");
  EXPECT_EQ(byte_size_text(1536 << 10), "1536kB");
  EXPECT_EQ(byte_size_text(uint64_t{3} << 30), "3GB");
}

}  // namespace
}  // namespace idem
