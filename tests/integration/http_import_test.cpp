#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/socket_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;

class HttpImportTest : public ::testing::Test {
 protected:
  TestServer server{{.arguments = {"--http-port", "0"}}};
  HttpClient client{server.http_port()};

  HttpResponse import(const std::string& parameters, const std::string& csv) {
    return client.request("POST", "/imp?fmt=json&" + parameters, csv, "Content-Type: text/csv\r\n");
  }
  std::string value(const std::string& sql) { return value_of(*server.connect(), sql); }
};

TEST_F(HttpImportTest, CreatesATableByWhatTheFileHolds) {
  const HttpResponse answer = import(
      "name=trades&timestamp=ts&partitionBy=DAY&keys=sym",
      "ts,sym,price,qty,ok\n2024-01-01T00:00:00Z,AAPL,1.5,10,true\n2024-01-02T00:00:00Z,MSFT,2,20,false\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "{\"status\":\"OK\",\"location\":\"trades\",\"created\":true,\"header\":true,\"delimiter\":\",\","
            "\"rowsImported\":2,"
            "\"rowsRejected\":0,"
            "\"written\":{\"inserted\":2,\"replaced\":0,\"skipped\":0,\"deleted\":0},\"columns\":[{\"name\":"
            "\"ts\",\"type\":"
            "\"TIMESTAMP\",\"errors\":0},"
            "{\"name\":\"sym\",\"type\":\"VARCHAR\",\"errors\":0},{\"name\":\"price\",\"type\":\"DOUBLE\","
            "\"errors\":0},"
            "{\"name\":\"qty\",\"type\":\"BIGINT\",\"errors\":0},{\"name\":\"ok\",\"type\":\"BOOLEAN\","
            "\"errors\":0}]}\n");
  EXPECT_EQ(value("SELECT string_agg(\"column\", ',') FROM table_columns('trades') WHERE upsertKey"),
            "ts,sym");
  // The same again changes nothing; the columns are found by their names.
  EXPECT_THAT(import("name=trades", "SYM,ts,price\nAAPL,2024-01-01,1.5\nMSFT,2024-01-02,3\n").body,
              HasSubstr("\"header\":true"));
  EXPECT_EQ(value("SELECT count(*) || '|' || max(price) FROM trades"), "2|3");
  EXPECT_THAT(import("name=trades", "ts,sym,nothing\n2024-01-01,a,1\n").body, HasSubstr("f"));
}

TEST_F(HttpImportTest, RefusesWhatIsNoText) {
  const HttpResponse wide = import("name=wide", std::string("\xff\xfe"
                                                            "a\0,\0b\0\n\0",
                                                            10));
  EXPECT_EQ(wide.status, 400);
  EXPECT_THAT(wide.body, HasSubstr("UTF-16"));
  // A column of row numbers needs no name.
  EXPECT_THAT(import("name=frame", ",a\n0,x\n1,y\n").body, HasSubstr("\"header\":true"));
  EXPECT_EQ(value("SELECT sum(f0) FROM frame"), "1");
}

TEST_F(HttpImportTest, UnpacksGzip) {
  std::string csv = "n,text\n";
  for (int i = 0; i < 200'000; ++i) csv += std::to_string(i) + ",the same text again and again\n";
  write_file(server.folder().file("rows.csv"), csv);
  ASSERT_TRUE(run_program("gzip", {server.folder().file("rows.csv")}).status.is_success());
  const std::string packed = read_file(server.folder().file("rows.csv.gz"));
  const std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(client.request("POST", "/imp?name=packed", packed, gzip).status, 200);
  EXPECT_EQ(value("SELECT count(*) || '|' || sum(n) FROM packed"), "200000|19999900000");
  // What ends early is not loaded, nor is what follows another encoding.
  const HttpResponse cut = client.request("POST", "/imp?name=cut", packed.substr(0, packed.size() / 2), gzip);
  EXPECT_EQ(cut.status, 400);
  EXPECT_THAT(cut.body, HasSubstr("not valid gzip"));
  EXPECT_EQ(value("SELECT to_regclass('cut') IS NULL"), "t");
  EXPECT_EQ(
      http_request(server.http_port(), "POST", "/imp?name=br", "n\n1\n", "Content-Encoding: br\r\n").status,
      400);
  const std::string form = "--x\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\nn\n7\n\r\n--x--\r\n";
  write_file(server.folder().file("form"), form);
  ASSERT_TRUE(run_program("gzip", {server.folder().file("form")}).status.is_success());
  EXPECT_EQ(
      http_request(server.http_port(), "POST", "/imp?name=form", read_file(server.folder().file("form.gz")),
                   gzip + "Content-Type: multipart/form-data; boundary=x\r\n")
          .status,
      200);
  EXPECT_EQ(value("SELECT sum(n) FROM form"), "7");
}

TEST_F(HttpImportTest, GuessesHowTheFileIsWritten) {
  EXPECT_THAT(import("name=plain", "1;a\n2;b\n").body,
              HasSubstr("\"header\":false,\"delimiter\":\";\",\"rowsImported\":2"));
  EXPECT_EQ(value("SELECT string_agg(f0 || f1, ',' ORDER BY f0) FROM plain"), "1a,2b");
  EXPECT_EQ(value("SELECT count(*) FROM plain"), "2");
  import("name=plain&overwrite=true&header=false", "7;x\n");
  EXPECT_EQ(value("SELECT f0 || f1 FROM plain"), "7x");
}

TEST_F(HttpImportTest, TakesALongFirstRecord) {
  const std::string text(3 << 20, 'x');
  EXPECT_THAT(import("name=long", "1,\"" + text + "\"\n2,y\n").body, HasSubstr("\"rowsImported\":2"));
  EXPECT_EQ(value("SELECT max(length(f1)) FROM long"), std::to_string(text.size()));
  const HttpResponse open = import("name=open", "\"" + std::string(70 << 20, 'x'));
  EXPECT_EQ(open.status, 413);
  EXPECT_THAT(open.body, HasSubstr("the first record has more than"));
}

TEST_F(HttpImportTest, LeavesOutWhatDoesNotFit) {
  execute(*server.connect(), "CREATE TABLE t (a INT, b DATE NOT NULL, c TEXT)");
  const std::string csv = "a,b,c\n1,2024-01-01,x\nbad,2024-01-01,y\n3,bad,z\n4,2024-01-04\n";
  const HttpResponse rows = import("name=t", csv);
  EXPECT_THAT(rows.body, HasSubstr("\"rowsImported\":1,\"rowsRejected\":3"));
  EXPECT_THAT(rows.body, HasSubstr("{\"name\":\"a\",\"type\":\"INTEGER\",\"errors\":1},{\"name\":\"b\","
                                   "\"type\":\"DATE\",\"errors\":1}"));
  EXPECT_THAT(import("name=t&atomicity=skipCol", csv).body,
              HasSubstr("\"rowsImported\":2,\"rowsRejected\":2"));
  EXPECT_EQ(value("SELECT c FROM t WHERE a IS NULL"), "y");
  const HttpResponse none = import("name=t&atomicity=abort", csv);
  EXPECT_EQ(none.status, 400);
  EXPECT_THAT(none.body, HasSubstr("COPY t, line 3, column a: \\\"bad\\\""));
  EXPECT_EQ(value("SELECT count(*) FROM t"), "3");
  EXPECT_EQ(import("name=t&atomicity=most", csv).status, 400);
  EXPECT_EQ(import("name=missing&create=false", csv).status, 400);
  EXPECT_EQ(import("nam=t", csv).status, 400);
}

TEST_F(HttpImportTest, TakesForms) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; "
      "name=\"schema\"\r\n\r\n[{\"name\":\"id\",\"type\":\"VARCHAR\"}]\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"data\"; filename=\"codes.csv\"\r\nContent-Type: "
      "text/csv\r\n\r\nid,n\r\n17,1\r\n18,2\r\n\r\n--b--\r\n";
  const auto send = [&](const std::string& text) {
    return client.request("POST", "/imp", text, "Content-Type: multipart/form-data; boundary=b\r\n");
  };
  const HttpResponse answer = send(body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("table     codes (created)\nimported  2\n"));
  EXPECT_EQ(value("SELECT string_agg(\"column\" || type, ',') FROM table_columns('codes')"),
            "idVARCHAR,nBIGINT");
  EXPECT_EQ(send("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n").status, 400);
}

TEST_F(HttpImportTest, StreamsLargeFiles) {
  std::string csv = "ts,v\n";
  for (int i = 0; i < 400'000; ++i)
    csv += "2024-01-01 00:00:00." + std::to_string(1'000'000 + i).substr(1) + "," + std::to_string(i) + "\n";
  EXPECT_THAT(import("name=large&timestamp=ts", csv).body, HasSubstr("\"rowsImported\":400000,"));
  EXPECT_EQ(value("SELECT count(*) || '|' || sum(v) FROM large"), "400000|79999800000");
  // A client that leaves in the middle leaves nothing.
  {
    SocketClient leaver(server.http_port());
    leaver.send("POST /imp?name=gone HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n" +
                csv);
  }
  while (value("SELECT count(*) FROM sessions() WHERE query LIKE 'CSV import%' AND state = 'active'") !=
         "0") {}
  EXPECT_EQ(value("SELECT to_regclass('gone') IS NULL"), "t");
}

}  // namespace
}  // namespace idem::test
