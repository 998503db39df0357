#include "server/backend_message.h"

#include <gtest/gtest.h>

#include "tests/unit/server/wire_bytes.h"

namespace idem::test {
namespace {

template <class Write>
std::string written(Write write) {
  std::string out;
  MessageWriter writer(out);
  write(writer);
  return out;
}

TEST(MessageWriter, WritesLengthsThatCountThemselves) {
  EXPECT_EQ(written([](MessageWriter& w) { w.empty('1'); }), "1" + be32(4));
  EXPECT_EQ(written([](MessageWriter& w) { w.command_complete("SELECT 1"); }), message('C', z("SELECT 1")));
  EXPECT_EQ(written([](MessageWriter& w) { w.ready_for_query('T'); }), message('Z', "T"));
  EXPECT_EQ(written([](MessageWriter& w) { w.parameter_status("TimeZone", "UTC"); }),
            message('S', z("TimeZone") + z("UTC")));
  EXPECT_EQ(written([](MessageWriter& w) { w.backend_key_data(7, 0xffffffff); }),
            message('K', be32(7) + be32(0xffffffff)));
}

TEST(MessageWriter, AppendsToWhatIsThere) {
  std::string out = "before";
  MessageWriter w(out);
  w.ready_for_query('I');
  w.ready_for_query('E');
  EXPECT_EQ(out, "before" + message('Z', "I") + message('Z', "E"));
}

TEST(MessageWriter, WritesAuthentication) {
  EXPECT_EQ(written([](MessageWriter& w) { w.authentication(0); }), message('R', be32(0)));
  EXPECT_EQ(written([](MessageWriter& w) { w.authentication(11, "r=x"); }), message('R', be32(11) + "r=x"));
  EXPECT_EQ(written([](MessageWriter& w) { w.authentication_sasl_mechanisms(); }),
            message('R', be32(10) + z("SCRAM-SHA-256") + z("")));
  EXPECT_EQ(written([](MessageWriter& w) {
              w.negotiate_protocol_version({"_pq_.x", "_pq_.y"});
            }),
            message('v', be32(196608) + be32(2) + z("_pq_.x") + z("_pq_.y")));
}

TEST(MessageWriter, ErrorsHaveTheFieldsThatAreSet) {
  SqlError plain(sqlstate::kUndefinedTable, "relation \"t\" does not exist");
  EXPECT_EQ(written([&](MessageWriter& w) { w.error_response(plain, "ERROR", ""); }),
            message('E', "S" + z("ERROR") + "V" + z("ERROR") + "C" + z("42P01") + "M" +
                             z("relation \"t\" does not exist") + z("")));
  SqlError full(sqlstate::kBadCopyFileFormat, "bad");
  full.with_detail("d").with_hint("h").with_context("COPY t, line 3");
  EXPECT_EQ(written([&](MessageWriter& w) { w.error_response(full, "FATAL", ""); }),
            message('E', "S" + z("FATAL") + "V" + z("FATAL") + "C" + z("22P04") + "M" + z("bad") + "D" +
                             z("d") + "H" + z("h") + "W" + z("COPY t, line 3") + z("")));
  EXPECT_EQ(written([&](MessageWriter& w) { w.notice_response(SqlError("01000", "n"), "WARNING"); }),
            message('N', "S" + z("WARNING") + "V" + z("WARNING") + "C" + z("01000") + "M" + z("n") + z("")));
}

TEST(MessageWriter, PositionsCountCharacters) {
  const std::string statement = "SELECT 'äöü', nope";
  SqlError error(sqlstate::kUndefinedColumn, "no");
  error.with_position(static_cast<uint32_t>(statement.find("nope") + 1));
  const std::string out = written([&](MessageWriter& w) { w.error_response(error, "ERROR", statement); });
  EXPECT_NE(out.find("P" + z("15")), std::string::npos);
  // A position that the statement does not have is left out.
  SqlError beyond(sqlstate::kUndefinedColumn, "no");
  beyond.with_position(100);
  EXPECT_EQ(written([&](MessageWriter& w) {
              w.error_response(beyond, "ERROR", "SELECT");
            }).find(std::string("\0P", 2)),
            std::string::npos);
}

TEST(MessageWriter, DescribesColumns) {
  PlanColumn plain{"id", TypeId::kBigInt, TableId{5}, 2};
  PlanColumn computed{"n", SqlType::decimal(10, 2)};
  PlanColumn symbol{"k", TypeId::kSymbol};
  EXPECT_EQ(
      written([&](MessageWriter& w) {
        w.row_description({plain, computed, symbol}, {1, 0, 1});
      }),
      message('T', be16(3) + z("id") + be32(16384 + 5) + be16(2) + be32(20) + be16(8) + be32(-1) + be16(1) +
                       z("n") + be32(0) + be16(0) + be32(1700) + be16(-1) + be32((10 << 16 | 2) + 4) +
                       be16(0) + z("k") + be32(0) + be16(0) + be32(1043) + be16(-1) + be32(-1) + be16(1)));
  EXPECT_EQ(written([](MessageWriter& w) {
              w.parameter_description({TypeId::kInteger, SqlType::array_of(TypeId::kText)});
            }),
            message('t', be16(2) + be32(23) + be32(1009)));
}

TEST(MessageWriter, CopyResponsesNameAFormatForEachColumn) {
  EXPECT_EQ(written([](MessageWriter& w) { w.copy_response('G', false, 2); }),
            message('G', std::string("\0", 1) + be16(2) + be16(0) + be16(0)));
  EXPECT_EQ(written([](MessageWriter& w) { w.copy_response('H', true, 1); }),
            message('H', std::string("\1", 1) + be16(1) + be16(1)));
}

TEST(FormatOfColumn, FollowsBind) {
  EXPECT_EQ(format_of_column({}, 3), 0);
  EXPECT_EQ(format_of_column({1}, 3), 1);
  EXPECT_EQ(format_of_column({0, 1}, 1), 1);
}

}  // namespace
}  // namespace idem::test
