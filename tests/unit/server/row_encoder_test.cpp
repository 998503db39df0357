#include "server/row_encoder.h"

#include <bit>
#include <gtest/gtest.h>

#include "common/array_value.h"
#include "common/record_value.h"
#include "common/time_zone.h"
#include "tests/unit/server/wire_bytes.h"

namespace idem::test {
namespace {

// The encoder asks for columns' types alone.
std::vector<PlanColumn> columns_of(const std::vector<SqlType>& types) {
  std::vector<PlanColumn> columns;
  for (SqlType type : types) columns.push_back({"c", type});
  return columns;
}

// One value as a client gets it in one format.
std::string encoded(const Value& value, int16_t format, int digits = 1,
                    std::shared_ptr<const TimeZone> zone = nullptr) {
  RowEncoder encoder(columns_of({value.type()}), {format}, std::move(zone), digits);
  DataChunk chunk;
  chunk.columns.push_back(Vector::constant(value));
  chunk.set_size(1);
  std::string out;
  encoder.encode(chunk, 0, 1, out);
  EXPECT_EQ(out.substr(0, 1), "D");
  EXPECT_EQ(out.substr(1, 4), be32(static_cast<int64_t>(out.size() - 1)));
  EXPECT_EQ(out.substr(5, 2), be16(1));
  const std::string field = out.substr(7);
  if (field == be32(-1)) return "NULL";
  EXPECT_EQ(field.substr(0, 4), be32(static_cast<int64_t>(field.size() - 4)));
  return field.substr(4);
}
std::string text(const Value& value) { return encoded(value, 0); }
std::string binary(const Value& value) { return encoded(value, 1); }

Value of_text(SqlType type, std::string_view text) {
  StringArena arena;
  alignas(16) char element[32];
  parse_text(type, text, element, arena, {});
  Vector one;
  const size_t size = physical_size(physical_type(type));
  std::memcpy(one.allocate(type, 1), element, size);
  return one.value_at(0);
}

TEST(RowEncoder, Numbers) {
  EXPECT_EQ(text(Value::of_int(TypeId::kSmallInt, -7)), "-7");
  EXPECT_EQ(binary(Value::of_int(TypeId::kSmallInt, -7)), be16(-7));
  EXPECT_EQ(text(Value::of_int(TypeId::kInteger, INT32_MIN)), "-2147483648");
  EXPECT_EQ(binary(Value::of_int(TypeId::kInteger, INT32_MIN)), be32(INT32_MIN));
  EXPECT_EQ(text(Value::of_int(TypeId::kBigInt, INT64_MAX)), "9223372036854775807");
  EXPECT_EQ(binary(Value::of_int(TypeId::kBigInt, INT64_MAX)), be64(INT64_MAX));
  EXPECT_EQ(text(Value::of_double(TypeId::kDouble, 0.1 + 0.2)), "0.30000000000000004");
  EXPECT_EQ(encoded(Value::of_double(TypeId::kDouble, 0.1 + 0.2), 0, 0), "0.3");
  EXPECT_EQ(binary(Value::of_double(TypeId::kDouble, -1.5)), be64(std::bit_cast<uint64_t>(-1.5)));
  EXPECT_EQ(text(Value::of_double(TypeId::kReal, 0.1F)), "0.1");
  EXPECT_EQ(binary(Value::of_double(TypeId::kReal, 0.5)), be32(std::bit_cast<int32_t>(0.5F)));
  EXPECT_EQ(text(of_text(SqlType::decimal(10, 2), "-12.50")), "-12.50");
  // 3 digits of base 10,000 … 12345.678: 1, 2345, 6780; weight 1, positive, scale 3
  EXPECT_EQ(binary(of_text(TypeId::kDecimal, "12345.678")),
            be16(3) + be16(1) + be16(0) + be16(3) + be16(1) + be16(2345) + be16(6780));
}

TEST(RowEncoder, Booleans) {
  EXPECT_EQ(text(Value::of_bool(true)), "t");
  EXPECT_EQ(text(Value::of_bool(false)), "f");
  EXPECT_EQ(binary(Value::of_bool(true)), std::string("\1", 1));
}

TEST(RowEncoder, TimesCountFrom2000) {
  const Value moment = of_text(TypeId::kTimestamp, "2000-01-01 00:00:01.5");
  EXPECT_EQ(text(moment), "2000-01-01 00:00:01.5");
  EXPECT_EQ(binary(moment), be64(1'500'000));
  EXPECT_EQ(binary(of_text(TypeId::kTimestamp, "1999-12-31 23:59:59")),
            be64(static_cast<uint64_t>(-1'000'000)));
  EXPECT_EQ(binary(of_text(TypeId::kTimestamp, "infinity")), be64(INT64_MAX));
  EXPECT_EQ(binary(of_text(TypeId::kTimestamp, "-infinity")), be64(static_cast<uint64_t>(INT64_MIN)));
  EXPECT_EQ(binary(of_text(TypeId::kDate, "2000-01-03")), be32(2));
  EXPECT_EQ(text(of_text(TypeId::kDate, "2024-02-29")), "2024-02-29");
  EXPECT_EQ(binary(of_text(TypeId::kTime, "00:00:01")), be64(1'000'000));
  EXPECT_EQ(binary(of_text(TypeId::kInterval, "1 month 2 days 3 seconds")),
            be64(3'000'000) + be32(2) + be32(1));
}

TEST(RowEncoder, ZonesAreForTimestamptzAlone) {
  const auto berlin = find_time_zone("Europe/Berlin");
  ASSERT_NE(berlin, nullptr);
  EXPECT_EQ(encoded(of_text(TypeId::kTimestampTz, "2024-07-01 10:00:00+00"), 0, 1, berlin),
            "2024-07-01 12:00:00+02");
  EXPECT_EQ(encoded(of_text(TypeId::kTimestamp, "2024-07-01 10:00:00"), 0, 1, berlin), "2024-07-01 10:00:00");
}

TEST(RowEncoder, Characters) {
  for (const TypeId type : {TypeId::kVarchar, TypeId::kText, TypeId::kName, TypeId::kSymbol}) {
    EXPECT_EQ(text(Value::of_string(type, "Größe\t\n")), "Größe\t\n");
    EXPECT_EQ(binary(Value::of_string(type, "Größe\t\n")), "Größe\t\n");
  }
  EXPECT_EQ(text(Value::of_string(TypeId::kVarchar, "")), "");
  const std::string bytes("\0\xff\1", 3);
  EXPECT_EQ(text(Value::of_string(TypeId::kBytea, bytes)), "\\x00ff01");
  EXPECT_EQ(binary(Value::of_string(TypeId::kBytea, bytes)), bytes);
  EXPECT_EQ(text(of_text(TypeId::kJsonb, "{\"a\":1}")), "{\"a\": 1}");
  EXPECT_EQ(binary(of_text(TypeId::kJsonb, "{\"a\":1}")), "\1{\"a\": 1}");
  EXPECT_EQ(binary(of_text(TypeId::kJson, "{\"a\":1}")), "{\"a\":1}");
  const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  EXPECT_EQ(text(of_text(TypeId::kUuid, uuid)), uuid);
  EXPECT_EQ(binary(of_text(TypeId::kUuid, uuid)).substr(0, 4), "\xa0\xee\xbc\x99");
}

TEST(RowEncoder, Arrays) {
  const Value numbers = of_text(SqlType::array_of(TypeId::kInteger), "{1,NULL,3}");
  EXPECT_EQ(text(numbers), "{1,NULL,3}");
  EXPECT_EQ(binary(numbers),
            be32(1) + be32(1) + be32(23) + be32(3) + be32(1) + sized(be32(1)) + be32(-1) + sized(be32(3)));
  EXPECT_EQ(text(of_text(SqlType::array_of(TypeId::kText), "{\"a b\",\"\\\"\",NULL}")),
            "{\"a b\",\"\\\"\",NULL}");
}

TEST(RowEncoder, RecordsHaveTypedFields) {
  RecordBuilder builder;
  const int32_t number = 5;
  const std::string_view name = "a,b";
  builder.append(TypeId::kInteger, &number);
  builder.append(TypeId::kText, &name);
  builder.append(TypeId::kBoolean, nullptr);
  std::string bytes;
  builder.append_to(bytes);
  const Value record = Value::of_string(TypeId::kRecord, bytes);
  EXPECT_EQ(text(record), "(5,\"a,b\",)");
  EXPECT_EQ(binary(record),
            be32(3) + be32(23) + sized(be32(5)) + be32(25) + sized("a,b") + be32(16) + be32(-1));
}

TEST(RowEncoder, Nulls) {
  for (const TypeId type :
       {TypeId::kBigInt, TypeId::kDouble, TypeId::kTimestamp, TypeId::kVarchar, TypeId::kUuid}) {
    EXPECT_EQ(text(Value::null(type)), "NULL");
    EXPECT_EQ(binary(Value::null(type)), "NULL");
  }
}

// Rows of a selection, in pieces, with formats of their own for each column.
TEST(RowEncoder, TakesPartsOfASelection) {
  RowEncoder encoder(columns_of({TypeId::kBigInt, TypeId::kBigInt}), {0, 1}, nullptr, 1);
  DataChunk chunk;
  chunk.columns.push_back(Vector::sequence(TypeId::kBigInt, 100, 10));
  chunk.columns.push_back(Vector::constant(Value::of_int(TypeId::kBigInt, 9)));
  chunk.set_size(8);
  const uint16_t selected[] = {1, 3, 4, 7};
  chunk.selection = {selected, 4};
  std::string out;
  encoder.encode(chunk, 1, 2, out);
  const auto row = [](std::string_view first) {
    return message('D', be16(2) + sized(first) + sized(be64(9)));
  };
  EXPECT_EQ(out, row("130") + row("140"));
}

TEST(RowEncoder, RowsWithoutColumns) {
  RowEncoder encoder({}, {}, nullptr, 1);
  DataChunk chunk;
  chunk.set_size(2);
  std::string out;
  encoder.encode(chunk, 0, 2, out);
  EXPECT_EQ(out, message('D', be16(0)) + message('D', be16(0)));
}

}  // namespace
}  // namespace idem::test
