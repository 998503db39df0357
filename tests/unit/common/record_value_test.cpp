#include "common/record_value.h"

#include <gtest/gtest.h>

#include "common/array_value.h"
#include "common/decimal.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

// A record of an integer and a text, each of which may be NULL.
std::string record(const int32_t* number, const char* text) {
  RecordBuilder builder;
  builder.append(TypeId::kInteger, number);
  const std::string_view view = text ? text : "";
  builder.append(TypeId::kText, text ? static_cast<const void*>(&view) : nullptr);
  std::string bytes;
  builder.append_to(bytes);
  return bytes;
}
std::string record(int32_t number, const char* text) { return record(&number, text); }

TEST(RecordValue, KeepsTypesAndValues) {
  RecordBuilder builder;
  const int16_t small = -3;
  const double real = 1.5;
  const std::string_view text = "Größe", empty;
  const Decimal decimal{12345, 2};
  ArrayBuilder array(TypeId::kInteger);
  const int32_t item = 9;
  array.append(&item);
  const std::string array_bytes = array.finish();
  const std::string_view array_view = array_bytes;
  builder.append(TypeId::kSmallInt, &small);
  builder.append(TypeId::kText, &text);
  builder.append(TypeId::kDouble, &real);
  builder.append(TypeId::kVarchar, nullptr);
  builder.append(TypeId::kText, &empty);
  builder.append(TypeId::kDecimal, &decimal);
  builder.append(SqlType::array_of(TypeId::kInteger), &array_view);
  std::string bytes;
  builder.append_to(bytes);

  const RecordView view(bytes);
  ASSERT_EQ(view.size(), 7U);
  int16_t small_out = 0;
  view.element_at(0, &small_out);
  EXPECT_EQ(small_out, -3);
  std::string_view text_out;
  view.element_at(1, &text_out);
  EXPECT_EQ(text_out, "Größe");
  double real_out = 0;
  view.element_at(2, &real_out);
  EXPECT_EQ(real_out, 1.5);
  EXPECT_TRUE(view.is_null(3));
  EXPECT_EQ(view.type(3), SqlType(TypeId::kVarchar));
  EXPECT_FALSE(view.is_null(4));
  view.element_at(4, &text_out);
  EXPECT_EQ(text_out, "");
  Decimal decimal_out;
  view.element_at(5, &decimal_out);
  EXPECT_EQ(compare(decimal_out, decimal), 0);
  EXPECT_EQ(view.type(6), SqlType::array_of(TypeId::kInteger));
  view.element_at(6, &text_out);
  EXPECT_EQ(ArrayView(text_out).size(), 1U);
}

TEST(RecordValue, MayHaveNoFields) {
  std::string bytes;
  RecordBuilder().append_to(bytes);
  EXPECT_EQ(RecordView(bytes).size(), 0U);
  EXPECT_EQ(compare_records(bytes, bytes), 0);
}

TEST(RecordValue, IsOrderedFieldByField) {
  EXPECT_LT(compare_records(record(2, "z"), record(10, "a")), 0);
  EXPECT_LT(compare_records(record(2, "a"), record(2, "b")), 0);
  EXPECT_EQ(compare_records(record(2, "a"), record(2, "a")), 0);
  EXPECT_GT(compare_records(record(nullptr, "a"), record(2, "a")), 0);
  EXPECT_LT(compare_records(record(2, "a"), record(2, nullptr)), 0);
  EXPECT_EQ(compare_records(record(2, nullptr), record(2, nullptr)), 0);
}

TEST(RecordValue, OthersCannotBeCompared) {
  RecordBuilder builder;
  const int64_t number = 2;
  builder.append(TypeId::kBigInt, &number);
  std::string one_field;
  builder.append_to(one_field);
  expect_sql_error("42804", "cannot compare dissimilar column types integer and bigint at record column 1",
                   [&] { compare_records(record(2, "a"), one_field); });
  builder.clear();
  const int32_t small = 2;
  builder.append(TypeId::kInteger, &small);
  std::string shorter;
  builder.append_to(shorter);
  expect_sql_error("42804", "cannot compare record types with different numbers of columns",
                   [&] { compare_records(record(2, "a"), shorter); });
}

TEST(RecordValue, RefusesOtherBytes) {
  const std::string good = record(2, "abc");
  const auto refuse = [](std::string_view bytes) {
    expect_sql_error("XX001", "composite value is malformed", [&] { RecordView view(bytes); });
  };
  for (size_t size = 0; size < good.size(); size++) refuse(std::string_view(good).substr(0, size));
  std::string many = good;
  many[0] = '\xff';
  refuse(many);
  std::string type = good;
  type[4] = '\x7f';
  refuse(type);
  std::string end = good;
  end[8] = '\x3';  // an integer of three bytes
  refuse(end);
}

}  // namespace
}  // namespace idem
