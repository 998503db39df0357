#include "common/byte_io.h"

#include <gtest/gtest.h>
#include <limits>

#include "common/error.h"

namespace idem {
namespace {

TEST(ByteIoTest, RoundTrip) {
  std::string bytes = "x";
  ByteWriter writer(bytes);
  writer.u8(200);
  writer.u16(65'535);
  writer.u32(4'000'000'000);
  writer.u64(std::numeric_limits<uint64_t>::max());
  writer.i32(-5);
  writer.i64(std::numeric_limits<int64_t>::min());
  writer.f64(0.1);
  writer.boolean(true);
  for (const uint64_t v : {uint64_t{0}, uint64_t{127}, uint64_t{128}, std::numeric_limits<uint64_t>::max()})
    writer.varint(v);
  for (const int64_t v : {int64_t{-1}, int64_t{63}, std::numeric_limits<int64_t>::min()})
    writer.signed_varint(v);
  writer.string("text");
  writer.zeros(3);
  writer.bytes("raw");

  ByteReader reader(bytes, "test");
  reader.skip(1);
  EXPECT_EQ(reader.u8(), 200);
  EXPECT_EQ(reader.u16(), 65'535);
  EXPECT_EQ(reader.u32(), 4'000'000'000);
  EXPECT_EQ(reader.u64(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(reader.i32(), -5);
  EXPECT_EQ(reader.i64(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(reader.f64(), 0.1);
  EXPECT_TRUE(reader.boolean());
  for (const uint64_t v : {uint64_t{0}, uint64_t{127}, uint64_t{128}, std::numeric_limits<uint64_t>::max()}) {
    EXPECT_EQ(reader.varint(), v);
  }
  for (const int64_t v : {int64_t{-1}, int64_t{63}, std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(reader.signed_varint(), v);
  }
  EXPECT_EQ(reader.string(), "text");
  EXPECT_EQ(reader.bytes(3), std::string_view("\0\0\0", 3));
  EXPECT_EQ(reader.remaining(), 3u);
  EXPECT_THROW(reader.expect_end(), SqlError);
  EXPECT_EQ(reader.bytes(3), "raw");
  EXPECT_NO_THROW(reader.expect_end());
}

TEST(ByteIoTest, BytesAreLittleEndian) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u32(0x01020304);
  writer.varint(300);
  EXPECT_EQ(bytes, "\x04\x03\x02\x01\xac\x02");
  writer.set_u32(0, 0x05060708);
  EXPECT_EQ(bytes.substr(0, 4), "\x08\x07\x06\x05");
}

TEST(ByteIoTest, DamageIsAnError) {
  const auto message = [](std::string_view bytes, auto&& read) -> std::string {
    ByteReader reader(bytes, "file \"f\"");
    try {
      read(reader);
    } catch (const SqlError& error) {
      EXPECT_EQ(error.sqlstate(), "XX001");
      return error.message();
    }
    return "no error";
  };
  const std::string expected = "file \"f\" is truncated or damaged";
  EXPECT_EQ(message("abc", [](ByteReader& r) { r.u32(); }), expected);
  EXPECT_EQ(message("", [](ByteReader& r) { r.varint(); }), expected);
  EXPECT_EQ(message("\xff\xff\xff", [](ByteReader& r) { r.varint(); }), expected);
  EXPECT_EQ(message("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", [](ByteReader& r) { r.varint(); }), expected);
  EXPECT_EQ(message("\x05"
                    "abcd",
                    [](ByteReader& r) { r.string(); }),
            expected);
  EXPECT_EQ(message("\x03"
                    "abcd",
                    [](ByteReader& r) { r.count(2); }),
            expected);
  EXPECT_EQ(message("\x02", [](ByteReader& r) { r.boolean(); }), expected);
  EXPECT_EQ(message("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", [](ByteReader& r) { r.string(); }), expected);
}

}  // namespace
}  // namespace idem
