#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/raw_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;

class Copy : public ::testing::Test {
 protected:
  void SetUp() override {
    execute(*connection_,
            "CREATE TABLE t (ts TIMESTAMP, id BIGINT, name VARCHAR, price DOUBLE) TIMESTAMP(ts) PARTITION BY "
            "DAY");
  }
  std::string count() { return value_of(*connection_, "SELECT count(*) FROM t"); }

  TestServer server_;
  std::unique_ptr<pqxx::connection> connection_ = server_.connect();
};

TEST_F(Copy, StreamsInAndOut) {
  constexpr int kRows = 20'000;
  {
    pqxx::work work(*connection_);
    pqxx::stream_to stream(work, "t");
    for (int i = 0; i < kRows; ++i) {
      stream << std::make_tuple("2024-01-01 00:00:00", i, "tab\there\\ and\nthere", 0.5 * i);
    }
    stream.complete();
    work.commit();
  }
  EXPECT_EQ(count(), std::to_string(kRows));
  pqxx::work work(*connection_);
  pqxx::stream_from stream(work, "t");
  std::tuple<std::string, int, std::string, double> row;
  int rows = 0;
  while (stream >> row) {
    EXPECT_EQ(std::get<1>(row), rows);
    EXPECT_EQ(std::get<2>(row), "tab\there\\ and\nthere");
    EXPECT_EQ(std::get<3>(row), 0.5 * rows);
    ++rows;
  }
  stream.complete();
  EXPECT_EQ(rows, kRows);
}

TEST_F(Copy, StoresNothingOfAStatementWithABadRow) {
  constexpr int kRows = 1'000'000, kBad = 500'000;
  RawClient client(server_.port());
  client.log_in();
  client.send_query("COPY t FROM STDIN (FORMAT csv)");
  ASSERT_EQ(client.receive_until('G').type, 'G');
  std::string lines;
  for (int i = 1; i <= kRows; ++i) {
    lines += "2024-01-01 00:00:00," + std::to_string(i) + ",name,";
    lines += i == kBad ? "1.5x\n" : "1.5\n";
    if (lines.size() > 60'000 || i == kRows) {
      client.send_message('d', lines);
      lines.clear();
    }
  }
  client.send_message('c', "");
  const RawClient::Message error = client.receive_until('E');
  ASSERT_EQ(error.type, 'E');
  EXPECT_EQ(error_field(error.body, 'C'), "22P02");
  EXPECT_THAT(error_field(error.body, 'M'), HasSubstr("1.5x"));
  EXPECT_THAT(error_field(error.body, 'W'), HasSubstr("line 500000"));
  EXPECT_THAT(error_field(error.body, 'W'), HasSubstr("column price"));
  EXPECT_EQ(client.receive_until('Z').body, "I");
  EXPECT_EQ(count(), "0");
  client.send_query("SELECT 1");
  EXPECT_EQ(client.receive_until('Z').body, "I") << "the connection goes on";
}

TEST_F(Copy, LeavesOutBadRowsWhenAsked) {
  RawClient client(server_.port());
  client.log_in();
  client.send_query("COPY t FROM STDIN (FORMAT csv, ON_ERROR ignore)");
  ASSERT_EQ(client.receive_until('G').type, 'G');
  client.send_message('d', "2024-01-01,1,a,1\n2024-01-01,bad,a,1\nnever,3,a,1\n2024-01-01,4,a,1\n");
  client.send_message('c', "");
  EXPECT_EQ(client.receive_until('C').body, std::string("COPY 2\0", 7));
  EXPECT_EQ(client.receive_until('Z').type, 'Z');
  EXPECT_EQ(count(), "2");
}

TEST_F(Copy, IsUndoneWhenTheClientFailsOrVanishes) {
  RawClient failing(server_.port());
  failing.log_in();
  failing.send_query("COPY t FROM STDIN");
  ASSERT_EQ(failing.receive_until('G').type, 'G');
  failing.send_message('d', "2024-01-01\t1\ta\t1\n");
  failing.send_message('f', std::string("disk read error\0", 16));
  const RawClient::Message error = failing.receive_until('E');
  EXPECT_EQ(error_field(error.body, 'C'), "57014");
  EXPECT_THAT(error_field(error.body, 'M'), HasSubstr("disk read error"));
  EXPECT_EQ(failing.receive_until('Z').body, "I");

  for (int i = 0; i < 10; ++i) {
    RawClient vanishing(server_.port());
    vanishing.log_in();
    vanishing.send_query("COPY t FROM STDIN");
    ASSERT_EQ(vanishing.receive_until('G').type, 'G');
    vanishing.send_message('d', "2024-01-01\t1\ta\t1\n2024-01-01\t2\tunfin");
    vanishing.close();
  }
  while (value_of(*connection_, "SELECT count(*) FROM sessions()") != "2") {}
  EXPECT_EQ(count(), "0");
}

TEST_F(Copy, ReadsAndWritesOnlyTheImportFolder) {
  TestServer server({.arguments = {"--import-folder", server_.folder().path()}});
  const auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT, name VARCHAR)");
  write_file(server_.folder().file("in.csv"), "id,name\n1,one\n2,\"two, or more\"\n");
  execute(*connection, "COPY t FROM 'in.csv' (FORMAT csv, HEADER)");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "2");
  execute(*connection, "COPY (SELECT * FROM t ORDER BY id DESC) TO 'out.csv' (FORMAT csv, HEADER)");
  EXPECT_EQ(read_file(server_.folder().file("out.csv")), "id,name\n2,\"two, or more\"\n1,one\n");
  EXPECT_THAT(error_text(*connection, "COPY t FROM '/etc/passwd'"),
              ::testing::HasSubstr("is not in the import folder"));
  EXPECT_THAT(error_text(*connection, "COPY t FROM '../data/lock'"),
              ::testing::HasSubstr("is not in the import folder"));
  EXPECT_THAT(error_text(*connection, "COPY t TO '/tmp/never.csv'"),
              ::testing::HasSubstr("is not in the import folder"));
  EXPECT_EQ(error_state(*connection, "COPY t FROM 'missing.csv'"), "58P01");
}

TEST_F(Copy, ReportsARowsWithTooManyOrTooFewFields) {
  RawClient client(server_.port());
  client.log_in();
  const auto error_of = [&](const std::string& rows, const std::string& options = "") {
    client.send_query("COPY t FROM STDIN (FORMAT csv" + options + ")");
    EXPECT_EQ(client.receive_until('G').type, 'G');
    client.send_message('d', rows);
    client.send_message('c', "");
    const RawClient::Message error = client.receive_until('E');
    EXPECT_EQ(client.receive_until('Z').body, "I");
    return error_field(error.body, 'C') + " " + error_field(error.body, 'M') + " " +
           error_field(error.body, 'W');
  };
  EXPECT_THAT(error_of("2024-01-01,1,a\n"), HasSubstr("22P04"));
  EXPECT_THAT(error_of("2024-01-01,1,a,1,5\n"), HasSubstr("22P04"));
  EXPECT_THAT(error_of("2024-01-01,1,a,1\n,2,a,1\n"), HasSubstr("23502"))
      << "a designated timestamp is never null";
  // A file that is no text may be all header.
  EXPECT_THAT(error_of("\xff\xfet,i\n", ", HEADER"), HasSubstr("22021"));
}

}  // namespace
}  // namespace idem::test
