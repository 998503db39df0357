#include "wal/segment_format.h"

#include <cstring>
#include <gtest/gtest.h>

namespace idem::wal {
namespace {

TEST(SegmentFormatTest, HeaderRoundTrip) {
  const SegmentHeader header{{{1, 2, 3}}, 7, 2, {800}};
  const std::string bytes = header.encode();
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "IDEMLOG1");
  SegmentHeader read;
  ASSERT_EQ(decode_segment_header(bytes, &read), SegmentHeaderState::kValid);
  EXPECT_EQ(read.database_id, header.database_id);
  EXPECT_EQ(read.segment_id, 7u);
  EXPECT_EQ(read.epoch, 2u);
  EXPECT_EQ(read.start.value, 800u);
}

TEST(SegmentFormatTest, EveryFlippedBitOfAHeaderIsSeen) {
  const std::string bytes = SegmentHeader{{{1}}, 7, 2, {800}}.encode();
  SegmentHeader read;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_segment_header(damaged, &read), SegmentHeaderState::kDamaged) << bit;
  }
  EXPECT_EQ(decode_segment_header(std::string(64, '\0'), &read), SegmentHeaderState::kZero);
  EXPECT_EQ(decode_segment_header("", &read), SegmentHeaderState::kZero);
  EXPECT_EQ(decode_segment_header(bytes.substr(0, 63), &read), SegmentHeaderState::kDamaged);
}

TEST(SegmentFormatTest, RecordHeaderLayout) {
  RecordHeader header;
  header.stored_bytes = header.payload_bytes = 5;
  header.epoch = 0x11;
  header.position = 0x22;
  header.commit_number = 0x33;
  header.durable = 0x21;
  char bytes[kRecordHeaderBytes];
  std::memcpy(bytes, &header, sizeof header);
  EXPECT_EQ(bytes[4], 5);
  EXPECT_EQ(bytes[8], 5);
  EXPECT_EQ(bytes[16], 0x11);
  EXPECT_EQ(bytes[24], 0x22);
  EXPECT_EQ(bytes[32], 0x33);
  EXPECT_EQ(bytes[40], 0x21);
  EXPECT_EQ(header.total_bytes(), 56u);
  EXPECT_TRUE(header.is_plausible({0x22}, 0x11, 56));
  EXPECT_FALSE(header.is_plausible({0x22}, 0x11, 55));
  EXPECT_FALSE(header.is_plausible({0x22}, 0x12, 56));
  EXPECT_FALSE(header.is_plausible({0x23}, 0x11, 56));
  header.durable = 0x23;
  EXPECT_FALSE(header.is_plausible({0x22}, 0x11, 56));
}

TEST(SegmentFormatTest, FileNames) {
  EXPECT_EQ(segment_file_name(12), "00000000000000000012.log");
  EXPECT_EQ(parse_segment_file_name("00000000000000000012.log"), 12u);
  for (const char* name : {"00000000000000000000.log", "12.log", "0000000000000000001x.log",
                           "00000000000000000012.tmp", "preparing.tmp", "99999999999999999999.log"}) {
    EXPECT_FALSE(parse_segment_file_name(name)) << name;
  }
}

}  // namespace
}  // namespace idem::wal
