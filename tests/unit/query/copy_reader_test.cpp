#include "query/copy_reader.h"

#include <gtest/gtest.h>
#include <random>

#include "common/error.h"
#include "common/worker_pool.h"

namespace idem {
namespace {

ColumnSchema column(std::string name, SqlType type) {
  ColumnSchema c;
  c.name = std::move(name);
  c.type = type;
  if (type.id == TypeId::kSymbol) c.dictionary = std::make_shared<SymbolDictionary>();
  return c;
}

class CopyReaderTest : public ::testing::Test {
 protected:
  CopyReaderTest() {
    auto table = std::make_shared<TableSchema>();
    table->name = "t";
    table->columns = {column("ts", TypeId::kTimestamp), column("sym", TypeId::kSymbol),
                      column("qty", TypeId::kInteger), column("price", TypeId::kDouble),
                      column("note", TypeId::kVarchar)};
    table->timestamp_column = 0;
    schema = table;
  }

  // What the data become, a line for each row; the error's text where there is one. `piece`: bytes fed at a time.
  std::string read(std::string_view data, size_t piece, WorkerPool* workers = nullptr) {
    std::string out;
    std::vector<uint32_t> targets;
    for (uint32_t i = 0; i < schema->columns.size(); ++i) targets.push_back(i);
    CopyReader reader(CopyLayout(format, schema, targets, std::vector<Value>(targets.size()), {}), workers,
                      [&](ColumnBatch&& batch) {
                        for (uint32_t row = 0; row < batch.rows(); ++row) out += text_of(batch, row) + "\n";
                      });
    try {
      for (size_t at = 0; at < data.size(); at += piece) reader.feed(std::string(data.substr(at, piece)));
      reader.finish();
      if (reader.rejected() > 0) out += fmt::format("rejected {}\n", reader.rejected());
    } catch (const SqlError& error) { return fmt::format("{} [{}]", error.message(), error.context()); }
    return out;
  }

  static std::string text_of(const ColumnBatch& batch, uint32_t row) {
    std::string text;
    for (size_t c = 0; c < batch.column_count(); ++c) {
      const BatchColumn& from = batch.column(c);
      text += c ? "|" : "";
      if (from.is_null(row)) {
        text += "-";
      } else if (from.type().id == TypeId::kTimestamp) {
        text += std::to_string(static_cast<const int64_t*>(from.data())[row]);
      } else if (from.type().id == TypeId::kInteger) {
        text += std::to_string(static_cast<const int32_t*>(from.data())[row]);
      } else if (from.type().id == TypeId::kDouble) {
        text += fmt::format("{}", static_cast<const double*>(from.data())[row]);
      } else {
        text += from.string_at(row);
      }
    }
    return text;
  }

  CopyFormat csv() {
    CopyFormat f;
    f.kind = CopyFormat::Kind::kCsv;
    f.delimiter = ',';
    f.null = "";
    return f;
  }

  std::shared_ptr<const TableSchema> schema;
  CopyFormat format = csv();
  WorkerPool pool{2};
};

TEST_F(CopyReaderTest, ReadsPlainRows) {
  EXPECT_EQ(
      read("2024-01-15 10:00:00.5,AAPL,3,185.25,x\n2024-01-15T10:00:01,,,,\n2024-01-16,MSFT,-7,-0.125,\"\"\n",
           1 << 20),
      "1705312800500000|AAPL|3|185.25|x\n1705312801000000|-|-|-|-\n1705363200000000|MSFT|-7|-0.125|\n");
}

TEST_F(CopyReaderTest, NumbersAndTimesOfEveryForm) {
  std::string data, expected;
  const std::pair<const char*, const char*> numbers[] = {{"0", "0"},
                                                         {"7.", "7"},
                                                         {".5", "0.5"},
                                                         {"12345678", "12345678"},
                                                         {"1234567.8", "1234567.8"},
                                                         {"123456789", "123456789"},
                                                         {"0.0001234", "0.0001234"},
                                                         {"-99999.99", "-99999.99"},
                                                         {"1e5", "100000"},
                                                         {" 4.5", "4.5"},
                                                         {"+2", "2"},
                                                         {"-0", "-0"},
                                                         {"123456.123456789", "123456.123456789"},
                                                         {"12345678.", "12345678"},
                                                         {"00000001", "1"}};
  const std::pair<const char*, int64_t> times[] = {{"1970-01-01 00:00:01", 1'000'000},
                                                   {"1970-01-01 00:00:59.1", 59'100'000},
                                                   {"1970-01-01 00:00:02.123456", 2'123'456},
                                                   {"1970-01-01 00:00:02.1234567", 2'123'457},
                                                   {"1970-01-01 01:00:02+01", 2'000'000},
                                                   {"1970-01-02", 86'400'000'000},
                                                   {"5", 5},
                                                   {"1970-01-01 00:01:00Z", 60'000'000}};
  for (int i = 0; i < 200; ++i) {
    const auto& [number, shown] = numbers[static_cast<size_t>(i) % std::size(numbers)];
    const auto& [time, micros] = times[static_cast<size_t>(i) % std::size(times)];
    data += fmt::format("{},S,{},{},\n", time, i, number);
    expected += fmt::format("{}|S|{}|{}|-\n", micros, i, shown);
  }
  EXPECT_EQ(read(data, 1 << 20), expected);
}

TEST_F(CopyReaderTest, TheSameHoweverItIsCutAndWhoeverReads) {
  std::mt19937_64 random(7);
  const auto below = [&](uint64_t n) { return random() % n; };
  std::string data;
  for (int i = 0; i < 60'000; ++i) {
    data += fmt::format("2024-01-{:02} {:02}:{:02}:{:02}.{:06},", 1 + i / 4000, i / 300 % 24, i / 5 % 60,
                        below(60), below(1'000'000));
    data += below(20) == 0 ? "" : fmt::format("SYM{}", below(4) == 0 ? below(5000) : below(40));
    data += fmt::format(",{},{}.{},", below(10) == 0 ? std::string() : std::to_string(below(1'000'000)),
                        below(1000), below(1000));
    switch (below(12)) {
      case 0: data += "\"quoted, with \"\"quotes\"\" and\nlines\""; break;
      case 1: data += "\"\""; break;
      case 2: data += "\"plain in quotes\""; break;
      case 3: data += "äöü"; break;
      default: data += "note"; break;
    }
    data += below(30) == 0 ? "\r\n" : "\n";
  }
  const std::string expected = read(data, data.size());
  EXPECT_EQ(std::count(expected.begin(), expected.end(), '|'), 240'000);
  for (const size_t piece : {size_t{1000}, size_t{70'000}, size_t{262'144}}) {
    EXPECT_TRUE(read(data, piece) == expected) << piece;
    EXPECT_TRUE(read(data, piece, &pool) == expected) << piece;
  }
}

TEST_F(CopyReaderTest, AnotherEscapeThanTheQuote) {
  format.escape = '\\';  // rows can not be told apart from afar: one thread reads
  std::string data, expected;
  for (int i = 0; i < 30'000; ++i) {
    data += "2024-01-01,A,1,2,\"a \\\" b\"\n";
    expected += "1704067200000000|A|1|2|a \" b\n";
  }
  EXPECT_TRUE(read(data, 50'000, &pool) == expected);
}

// Were each piece looked at together with all before it this would take minutes.
TEST_F(CopyReaderTest, LongFieldsComeInSmallPieces) {
  const std::string text(8 << 20, 'x'), data = "2024-01-01,a,1,1," + text + "\n";
  const std::string quoted = "2024-01-01,a,1,1,\"" + text + "\"\n";
  const std::string expected = "1704067200000000|a|1|1|" + text + "\n";
  for (const std::string& rows : {data, quoted}) {
    for (const char escape : {'"', '\\'}) {
      format.escape = escape;
      EXPECT_TRUE(read(rows, 256) == expected) << rows.substr(0, 20) << escape;
    }
  }
}

TEST_F(CopyReaderTest, ErrorsNameLineAndColumn) {
  std::string data;
  for (int i = 0; i < 50'000; ++i)
    data += i == 100 ? "2024-01-01,A,1,2,\"two\nlines\"\n" : "2024-01-01,A,1,2,n\n";
  const std::string bad = data + "2024-01-01,A,x7,2,n\n" + data;
  for (const size_t piece : {size_t{999}, size_t{100'000}, bad.size()}) {
    EXPECT_EQ(read(bad, piece, &pool),
              "invalid input syntax for type integer: \"x7\" [COPY t, line 50002, column qty: \"x7\"]");
  }
  EXPECT_EQ(read(data + "2024-01-01,A\n" + data, 50'000, &pool),
            "missing data for column \"qty\" [COPY t, line 50002]");
  EXPECT_EQ(read(data + "2024-01-01,A,1,2,n,n\n", 50'000, &pool),
            "extra data after last expected column [COPY t, line 50002]");
  EXPECT_EQ(read(data + ",A,1,2,n\n", 50'000, &pool),
            "null value in column \"ts\" of relation \"t\" violates not-null constraint [COPY t, line 50002, "
            "column ts: \"\"]");
  EXPECT_EQ(read(data + "2024-01-01,A,1,2,\"open\n", 50'000, &pool),
            "unterminated CSV quoted field [COPY t, line 50003]");
  EXPECT_EQ(read(data + "2024-01-01,A,1,2,a\"b\n" + data, 50'000, &pool),
            "unexpected quote in an unquoted CSV field [COPY t, line 50002]");
}

TEST_F(CopyReaderTest, RowsThatDoNotFitMayBeLeftOut) {
  format.on_error = CopyFormat::OnError::kIgnore;
  std::string data;
  for (int i = 0; i < 30'000; ++i)
    data += fmt::format("2024-01-01,A,{},2,\n", i % 1000 == 7 ? std::string("bad") : std::to_string(i));
  const std::string all = read(data, 64'000, &pool);
  EXPECT_TRUE(all.ends_with("rejected 30\n"));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 30'000 - 30 + 1);
  format.reject_limit = 30;
  EXPECT_EQ(read(data, 64'000, &pool), all);
  format.reject_limit = 20;
  EXPECT_EQ(read(data, 64'000, &pool),
            "skipped more than REJECT_LIMIT (20) rows; the last one: invalid input syntax for type integer: "
            "\"bad\" "
            "[COPY t, line 20008, column qty: \"bad\"]");
}

TEST_F(CopyReaderTest, EndsAtTheMarker) {
  std::string data;
  for (int i = 0; i < 20'000; ++i) data += "2024-01-01,A,1,2,n\n";
  const std::string expected = read(data, data.size());
  EXPECT_TRUE(read(data + "\\.\n" + "not,a,row\n" + data, 33'000, &pool) == expected);
  EXPECT_EQ(read("2024-01-01,A,1,2,n", 3), "1704067200000000|A|1|2|n\n");
  EXPECT_EQ(read("", 1), "");
}

TEST_F(CopyReaderTest, LinesMayEndInReturnsAlone) {
  std::string data;
  for (int i = 0; i < 100'000; ++i) data += fmt::format("2024-01-01,A,{},2,n\r", i);
  const std::string rows = read(data, 40'000, &pool);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 100'000);
}

TEST_F(CopyReaderTest, TextFormat) {
  format = CopyFormat();
  EXPECT_EQ(
      read("2024-01-01\tA\t1\t2\ta\\tb\n2024-01-01\t\\N\t\\N\t\\N\t\\N\n2024-01-01\tB\t2\t.5\tc\\\nd\n\\.\n",
           1 << 20),
      "1704067200000000|A|1|2|a\tb\n1704067200000000|-|-|-|-\n1704067200000000|B|2|0.5|c\nd\n");
  std::string data;
  for (int i = 0; i < 40'000; ++i) {
    data += fmt::format("2024-01-01\tA\t{}\t{}\t{}\n", i, i % 10 == 0 ? "\\N" : "1.5",
                        i % 7 == 0    ? "x\\\\"
                        : i % 11 == 0 ? "a\\\nb"
                                      : "note");
  }
  const std::string expected = read(data, data.size());
  for (const size_t piece : {size_t{777}, size_t{50'001}, size_t{200'000}})
    EXPECT_TRUE(read(data, piece, &pool) == expected) << piece;
}

TEST_F(CopyReaderTest, NothingComesBehindTheTrailerOfBinaryData) {
  format = CopyFormat();
  format.kind = CopyFormat::Kind::kBinary;
  std::string data("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  data.append("\0\5\0\0\0\10\0\0\0\0\0\0\0\0\377\377\377\377\0\0\0\4\0\0\0\7\377\377\377\377\377\377\377\377",
              34);
  const std::string row = "946684800000000|-|7|-|-\n", trailer = "\377\377";
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
    EXPECT_EQ(read(data + trailer, piece), row);
    EXPECT_EQ(read(data + trailer + "x", piece), "received copy data after EOF marker [COPY t, line 2]");
    EXPECT_EQ(read(data + trailer + trailer, piece), "received copy data after EOF marker [COPY t, line 2]");
    EXPECT_EQ(read(data, piece), "unexpected EOF in COPY data [COPY t, line 1]");
  }
}

TEST_F(CopyReaderTest, HeaderIsLookedAtOnce) {
  format.header = CopyFormat::Header::kMatch;
  std::string data = "ts,sym,qty,price,note\n";
  for (int i = 0; i < 30'000; ++i) data += "2024-01-01,A,1,2,n\n";
  const std::string rows = read(data, 30'000, &pool);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 30'000);
  EXPECT_EQ(read("ts,sym,q,price,note\n", 100),
            "column name mismatch in header line field 3: got \"q\", expected \"qty\" [COPY t, line 1]");
}

}  // namespace
}  // namespace idem
