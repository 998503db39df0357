#include "common/sql_type.h"

#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

SqlType resolve(std::string_view name, std::vector<int32_t> modifiers = {}, bool is_array = false) {
  return resolve_type_name(name, modifiers.data(), modifiers.size(), is_array);
}

TEST(SqlType, SpellingsOfTheDialect) {
  EXPECT_EQ(resolve("long"), TypeId::kBigInt);
  EXPECT_EQ(resolve("short"), TypeId::kSmallInt);
  EXPECT_EQ(resolve("float"), TypeId::kReal);
  EXPECT_EQ(resolve("double precision"), TypeId::kDouble);
  EXPECT_EQ(resolve("string"), TypeId::kVarchar);
  EXPECT_EQ(resolve("text"), TypeId::kText);
  EXPECT_EQ(resolve("timestamp with time zone"), TypeId::kTimestampTz);
  EXPECT_EQ(resolve("binary"), TypeId::kBytea);
  EXPECT_EQ(resolve("xid"), TypeId::kOid);
  EXPECT_EQ(resolve("\"char\""), TypeId::kInternalChar);
  EXPECT_EQ(resolve("char"), SqlType(TypeId::kChar, 1));
  EXPECT_EQ(resolve("bpchar"), SqlType(TypeId::kChar, -1));
  EXPECT_EQ(resolve("float", {53}), TypeId::kDouble);
  EXPECT_EQ(resolve("timestamp", {3}), SqlType(TypeId::kTimestamp, 3));
  EXPECT_EQ(resolve("timestamp", {6}), TypeId::kTimestamp);
  EXPECT_EQ(resolve("numeric", {10, 2}), SqlType::decimal(10, 2));
}

TEST(SqlType, RefusesUnknownNamesAndModifiers) {
  expect_sql_error("42704", "type \"foo\" does not exist", [] { resolve("foo"); });
  expect_sql_error("22023", "length for type varchar must be at least 1", [] { resolve("varchar", {0}); });
  expect_sql_error("22023", "NUMERIC precision 39 must be between 1 and 38", [] {
    resolve("decimal", {39, 2});
  });
  expect_sql_error("42601", "type modifier is not allowed for type \"int4\"", [] { resolve("int4", {3}); });
}

TEST(SqlType, NamesAsPostgresFormatsThem) {
  EXPECT_EQ(format_type(SqlType::decimal(10, 2)), "numeric(10,2)");
  EXPECT_EQ(format_type(resolve("varchar", {3}, true)), "character varying(3)[]");
  EXPECT_EQ(format_type(SqlType(TypeId::kTimestampTz, 3)), "timestamp(3) with time zone");
  EXPECT_EQ(format_type(TypeId::kTimestamp), "timestamp without time zone");
  EXPECT_EQ(format_type(TypeId::kInternalChar), "\"char\"");
  EXPECT_EQ(dialect_type_name(SqlType::decimal(10, 2)), "DECIMAL(10,2)");
  EXPECT_EQ(dialect_type_name(SqlType::array_of(TypeId::kBigInt)), "BIGINT[]");
}

TEST(SqlType, OidsAndWireModifiers) {
  EXPECT_EQ(type_oid(TypeId::kSymbol), 1043U);
  EXPECT_EQ(type_oid(SqlType::array_of(TypeId::kJson)), 199U);
  EXPECT_EQ(type_modifier_on_wire(SqlType::decimal(10, 2)), (10 << 16 | 2) + 4);
  EXPECT_EQ(type_modifier_on_wire(SqlType(TypeId::kVarchar, 7)), 11);
  EXPECT_EQ(type_modifier_on_wire(TypeId::kText), -1);
  for (const TypeId id :
       {TypeId::kBoolean, TypeId::kInteger, TypeId::kVarchar, TypeId::kTimestampTz, TypeId::kUuid,
        TypeId::kJsonb, TypeId::kName, TypeId::kRegclass, TypeId::kInt2Vector}) {
    SqlType found;
    ASSERT_TRUE(type_of_oid(type_oid(id), &found));
    EXPECT_EQ(found, id);
    ASSERT_TRUE(type_of_oid(type_oid(SqlType::array_of(id)), &found));
    EXPECT_EQ(found, SqlType::array_of(id));
  }
  SqlType found;
  EXPECT_FALSE(type_of_oid(600, &found));  // point
}

}  // namespace
}  // namespace idem
