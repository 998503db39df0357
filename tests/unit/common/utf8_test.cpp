#include "common/utf8.h"

#include <gtest/gtest.h>

#include "common/utf8_repair.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

TEST(Utf8, Validates) {
  EXPECT_TRUE(is_valid_utf8("plain text that is longer than a word"));
  EXPECT_TRUE(is_valid_utf8("äöü €uro 😀"));
  using std::string_literals::operator""s;
  for (const std::string& bad : {"\xff"s, "abcdefgh\x80"s, "\xc0\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
                                 "\xe2\x82"s, "a\0b"s, "12345678\0"s, "\xf0\x80\x80\x80"s}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
  expect_sql_error("22021", "invalid byte sequence for encoding \"UTF8\": 0xe2 0x28 0xa1",
                   [] { check_utf8("a\xe2\x28\xa1"); });
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(utf8_length("äb€😀"), 4U);
  EXPECT_EQ(utf8_substring("äb€😀", 1, 2), "b€");
  EXPECT_EQ(utf8_substring("äb€😀", 3, 9), "😀");
  EXPECT_EQ(utf8_substring("äb", 5, 1), "");
  EXPECT_EQ(utf8_cut("äb€😀", 6), "äb€");
  EXPECT_EQ(utf8_cut("äb€😀", 5), "äb");
  EXPECT_EQ(utf8_cut("😀", 3), "");
  EXPECT_EQ(utf8_cut("äb", 9), "äb");
  size_t offset = 0;
  EXPECT_EQ(utf8_next("€", &offset), U'€');
  EXPECT_EQ(offset, 3U);
  std::string text;
  size_t characters = 0;
  for (const char* next : {"a", "ä", "€", "😀", "bcdefgh", "ööööö", "€€€", "x"}) {
    for (int times = 0; times < 5; ++times) {
      text += next;
      characters += utf8_length(next);
      EXPECT_EQ(utf8_length(text), characters) << text;
    }
  }
}

TEST(Utf8, ChangesCase) {
  EXPECT_EQ(utf8_upper("straße äöü αβγ где"), "STRAßE ÄÖÜ ΑΒΓ ГДЕ");
  EXPECT_EQ(utf8_lower("ÄÖÜ ABC"), "äöü abc");
  EXPECT_EQ(utf8_initcap("hELLO wörld-2nd"), "Hello Wörld-2nd");
}

TEST(Utf8, ReplacesWhatIsNone) {
  EXPECT_EQ(utf8_repaired("äb€"), "äb€");
  EXPECT_EQ(utf8_repaired(std::string("a\xff\0ä\xc3", 6)), "a\ufffd\ufffdä\ufffd");
}

}  // namespace
}  // namespace idem
