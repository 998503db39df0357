#include "query/line_protocol.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace idem {
namespace {

// The point as one line: table;tag=value…;field=kind:text…;time — or the error.
std::string parsed(std::string_view line) {
  LinePoint point;
  std::string error;
  if (!parse_line(line, &point, &error)) return "error: " + error;
  std::string out(point.table);
  for (const LineTag& tag : point.tags) out += fmt::format(";{}={}", tag.name, tag.value);
  for (const LineField& field : point.fields)
    out += fmt::format(";{}:{}={}", field.name, line_value_kind_name(field.value.kind), field.value.text);
  return out + (point.timestamp ? fmt::format(";{}", *point.timestamp) : "");
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
    LinePoint point;
    std::string error;
    std::string_view line;
    uint64_t last = 0;
    for (uint64_t number = 0; lines.next(&line, &number); last = number) {
      EXPECT_GT(number, last);
      if (parse_line(line, &point, &error)) { EXPECT_FALSE(point.fields.empty()); }
    }
  }
}

}  // namespace
}  // namespace idem
