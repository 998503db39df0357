#include "query/line_protocol.h"

#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <random>

namespace idem {
namespace {

// The point as one line: table;tag=value…;field=kind:text…;time — or the error.
std::string parsed(LineParser& parser, std::string_view line) {
  std::string error;
  if (!parser.parse(line, &error)) return "error: " + error;
  const LinePoint& point = parser.point();
  std::string out(point.table);
  for (const LineTag& tag : point.tags) out += fmt::format(";{}={}", tag.name, tag.value);
  for (const LineField& field : point.fields)
    out += fmt::format(";{}:{}={}", field.name, line_value_kind_name(field.value.kind), field.value.text);
  return out + (point.timestamp ? fmt::format(";{}", *point.timestamp) : "");
}

std::string parsed(std::string_view line) {
  LineParser parser;
  return parsed(parser, line);
}

TEST(LineProtocol, TakesALineApart) {
  EXPECT_EQ(parsed("weather,city=Rome,st=A1 t=21.5,rain=f,n=3i,u=7u,s=\"x y\",at=5t 1700000000000000000"),
            "weather;city=Rome;st=A1;t:float=21.5;rain:boolean=f;n:integer=3;u:unsigned integer=7;s:string=x "
            "y;at:timestamp=5;1700000000000000000");
  EXPECT_EQ(parsed("m v=1"), "m;v:float=1");
  EXPECT_EQ(parsed("m v=-1.5e-3   -12  "), "m;v:float=-1.5e-3;-12");
  EXPECT_EQ(parsed("m a=T,b=true,c=True,d=TRUE,e=F,f=false,g=False,h=FALSE"),
            "m;a:boolean=T;b:boolean=true;c:boolean=True;d:boolean=TRUE;e:boolean=F;f:boolean=false;g:"
            "boolean=False;h:boolean=FALSE");
}

TEST(LineProtocol, ResolvesEscapes) {
  EXPECT_EQ(parsed(R"(my\ table\,1,tag\ key=a\=b\,c f\=1="say \"hi\" C:\\x \n" 1)"),
            R"(my table,1;tag key=a=b,c;f=1:string=say "hi" C:\x \n;1)");
  // A backslash that escapes nothing stands for itself; emoji and other bytes pass.
  EXPECT_EQ(parsed(R"(m,t=a\b v="ü,=  😀")"), R"(m;t=a\b;v:string=ü,=  😀)");
  // Two escaped names in one line do not disturb each other.
  EXPECT_EQ(parsed(R"(a\ b,c\ d=e\ f,g\ h=i\ j k\ l=1)"), "a b;c d=e f;g h=i j;k l:float=1");
}

TEST(LineProtocol, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(parsed(",t=1 v=1"), "error: a measurement was expected at byte 1");
  EXPECT_EQ(parsed("m"), "error: a space and fields were expected at byte 2");
  EXPECT_EQ(parsed("m "), "error: a field's name was expected at byte 3");
  EXPECT_EQ(parsed("m,t v=1"), "error: \"=\" was expected after a tag's name at byte 4");
  EXPECT_EQ(parsed("m,t= v=1"), "error: a tag's value was expected at byte 5");
  EXPECT_EQ(parsed("m v"), "error: \"=\" was expected after a field's name at byte 4");
  EXPECT_EQ(parsed("m v="), "error: a field's value was expected at byte 5");
  EXPECT_EQ(parsed("m v=abc"),
            "error: a number, a boolean or a string in double quotes was expected at byte 5");
  EXPECT_EQ(parsed("m v=NaN"),
            "error: a number, a boolean or a string in double quotes was expected at byte 5");
  EXPECT_EQ(parsed("m v=1.5i"),
            "error: a number, a boolean or a string in double quotes was expected at byte 5");
  EXPECT_EQ(parsed("m v=-1u"),
            "error: a number, a boolean or a string in double quotes was expected at byte 5");
  EXPECT_EQ(parsed("m v=99999999999999999999i"),
            "error: a number, a boolean or a string in double quotes was expected at byte 5");
  EXPECT_EQ(parsed("m v=\"abc"), "error: the end of a string in double quotes was expected at byte 9");
  EXPECT_EQ(parsed("m v=\"a\"x"), "error: \",\" or a timestamp was expected after a field at byte 8");
  EXPECT_EQ(parsed("m v=1 12x"), "error: a timestamp was expected at byte 7");
  EXPECT_EQ(parsed("m v=1, w=2"), "error: a field's name was expected at byte 7");
}

// Numbers of all lengths, with and without room behind them, come out as strtod reads them.
TEST(LineProtocol, ReadsNumbersExactly) {
  std::mt19937_64 random(3);
  LineParser parser;
  std::string error;
  for (int i = 0; i < 20'000; ++i) {
    std::string digits = std::to_string(random() >> (random() % 64));
    if (random() % 2 == 0) digits = "-" + digits;
    const std::string integer = digits;
    if (random() % 2 == 0)
      digits.insert(digits.begin() + (digits[0] == '-') + random() % (digits.size() - (digits[0] == '-')),
                    '.');
    const std::string time = random() % 2 == 0 ? " 1700000000000000000" : "";
    ASSERT_TRUE(parser.parse("m v=" + digits + time, &error)) << digits << " " << error;
    EXPECT_EQ(parser.point().fields[0].value.number, std::strtod(digits.c_str(), nullptr)) << digits;
    int64_t value = 0;
    const auto [end, failure] = std::from_chars(integer.data(), integer.data() + integer.size(), value);
    ASSERT_EQ(parser.parse("m v=" + integer + "i" + time, &error), failure == std::errc()) << integer;
    if (failure == std::errc()) { EXPECT_EQ(parser.point().fields[0].value.integer, value); }
  }
}

// What a parser has seen changes nothing in what it says of the next line; lines of one shape have the same names, and no others.
TEST(LineProtocol, RemembersShapesOfLines) {
  const std::string_view lines[] = {
      "a,s=x v=1 1",   "a,s=y v=2 2",     "a,s=x",         "a,s=x v=1 1",   "a",           "a v=1",
      "a v=2",         "a v=1,w=2",       "a v=1",         "a,v=1 w=1",     "a,v=1 w=1",   "a,v=1,w=1 u=1",
      "a,v=1 w=1,u=1", R"(a,s\ 1=x v=1)", "a,s\\ 1=x v=1", "a,s=x v=1,v=2", "b,s=x v=1 1", "a,s=x v=1 1",
      "a,s=x v=",      "a,s=x w=",        "a,s=x w=1",     "a,s=x v=1 1",   ",s=x v=1",    "a,s=x v=1 1",
      "a,s=x v=1,",    "a,s=x v=1 1",     "av,s=x v=1",    "a,sv=x v=1",    "a,s=x vv=1"};
  LineParser parser;
  std::map<uint64_t, std::string> names_of_shape;
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const std::string_view line = lines[random() % std::size(lines)];
    const std::string said = parsed(parser, line);
    EXPECT_EQ(said, parsed(line));
    if (said.starts_with("error")) continue;
    const LinePoint& point = parser.point();
    std::string names(point.table);
    for (const LineTag& tag : point.tags) names += fmt::format(",{}", tag.name);
    for (const LineField& field : point.fields) names += fmt::format(" {}", field.name);
    EXPECT_EQ(names_of_shape.emplace(point.shape, names).first->second, names);
  }
  // Of equal lines the shape stays.
  ASSERT_EQ(parsed(parser, "a,s=x v=1 1"), parsed("a,s=x v=1 1"));
  const uint64_t shape = parser.point().shape;
  ASSERT_EQ(parsed(parser, "a,s=z v=-7.25 2"), parsed("a,s=z v=-7.25 2"));
  EXPECT_EQ(parser.point().shape, shape);
}

TEST(LineProtocol, SplitsLinesAndCountsThem) {
  const std::string_view text = "# comment \"\na v=1\r\n\n  b v=\"x\ny\",w=1 2\nc,t=\"q v=1\nd v=1";
  LineSplitter lines(text);
  std::string found;
  std::string_view line;
  for (uint64_t number = 0; lines.next(&line, &number);) found += fmt::format("{}:[{}]", number, line);
  EXPECT_EQ(found, "2:[a v=1]4:[b v=\"x\ny\",w=1 2]6:[c,t=\"q v=1]7:[d v=1]");
  EXPECT_EQ(whole_lines(text), text.size() - 5);
  EXPECT_EQ(whole_lines("a v=\"x\n"), 0U);
  // Outside quotes a backslash does not join lines, whether there are quotes or not.
  EXPECT_EQ(whole_lines("a v=1\\\nb v=\"\",w=1\\\nc"), 19U);
  EXPECT_EQ(whole_lines("a v=1"), 0U);
}

// Whatever comes, it ends, and reads no byte beyond (AddressSanitizer watches).
TEST(LineProtocol, SurvivesAnyBytes) {
  std::mt19937 random(7);
  const std::string_view alphabet = "ab,= \\\"\n#1.-eitu\xc3\xbc\x80";
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (size_t n = random() % 40; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::copy(text.begin(), text.end(), exact.get());
    LineSplitter lines(std::string_view(exact.get(), text.size()));
    LineParser parser;
    std::string error;
    std::string_view line;
    uint64_t last = 0;
    for (uint64_t number = 0; lines.next(&line, &number); last = number) {
      EXPECT_GT(number, last);
      if (parser.parse(line, &error)) { EXPECT_FALSE(parser.point().fields.empty()); }
    }
  }
}

}  // namespace
}  // namespace idem
