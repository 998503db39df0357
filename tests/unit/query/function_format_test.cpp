#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of to_char and its like as PostgreSQL 15 gives them.
constexpr Example kExamples[] = {
    {"to_char(timestamp '2024-01-05 09:08:07.123456', 'YYYY-MM-DD HH24:MI:SS.US')", "2024-01-05 09:08:07.123456"},
    {"to_char(timestamp '2024-01-05 15:08:07.123456', 'Day, DD Month YYYY HH12:MI:SS AM')", "Friday   , 05 January   2024 03:08:07 PM"},
    {"to_char(timestamp '2024-01-05 15:08:07.123456', 'FMDay, FMDD FMMonth YYYY HH:MI:SS pm')", "Friday, 5 January 2024 03:08:07 pm"},
    {"to_char(timestamp '2024-01-05 15:08:07.123456', 'Dy DDth Mon YY Q WW IW J DDD D ID CC MS')", "Fri 05th Jan 24 1 01 01 2460315 005 6 5 21 123"},
    {"to_char(timestamp '2024-01-05 15:08:07.123456', 'IYYY-\"W\"IW-ID SSSS \"at\" FF3')", "2024-W01-5 54487 at 123"},
    {"to_char(timestamptz '2024-01-05 15:08:07+00', 'YYYY TZ OF TZH:TZM')", "2024 UTC +00 +00:00"},
    {"to_char(interval '1 day 26:03:04', 'DD HH24:MI:SS')", "01 26:03:04"},
    {"to_char(interval '15h 2m 12s', 'HH24:MI:SS')", "15:02:12"},
    {"to_char(1234.5678, '9999.99')", " 1234.57"},
    {"to_char(1234.5678, '9,999.99')", " 1,234.57"},
    {"to_char(-12, '9999')", "  -12"},
    {"to_char(12, '0999')", " 0012"},
    {"to_char(0.1, '9.99')", "  .10"},
    {"to_char(0.1, 'FM9.99')", ".1"},
    {"to_char(0.1, '0.99')", " 0.10"},
    {"to_char(12.5, 'FM999.99')", "12.5"},
    {"to_char(12.0, 'FM999.99')", "12."},
    {"to_char(12345, '999')", " ###"},
    {"to_char(485, 'S999')", "+485"},
    {"to_char(12, 'S9999')", "  +12"},
    {"to_char(-485, '999S')", "485-"},
    {"to_char(-485, '999MI')", "485-"},
    {"to_char(485, '999MI')", "485 "},
    {"to_char(485, 'FM999MI')", "485"},
    {"to_char(-485, '999PR')", "<485>"},
    {"to_char(485, '999PR')", " 485 "},
    {"to_char(1234567, '9,999,999')", " 1,234,567"},
    {"to_char(485, 'RN')", "        CDLXXXV"},
    {"to_char(485, 'FMRN')", "CDLXXXV"},
    {"to_char(482, '999th')", " 482nd"},
    {"to_char(485, '\"Good number:\"999')", "Good number: 485"},
    {"to_char(12.45, '99V9')", " 125"},
    {"to_char(0.0004859, '9.99EEEE')", " 4.86e-04"},
    {"to_char(0, '9')", " 0"},
    {"to_char(0, '9.9')", "  .0"},
    {"to_char(0, 'FM9.9')", "0."},
    {"to_char(0.5, '99')", "  1"},
    {"to_char(1485, '9G999D99')", " 1,485.00"},
    {"to_char(1234.5::float8, 'FM9999.00')", "1234.50"},
    {"to_char(100, 'FM999')", "100"},
    {"to_char(5, '00')", " 05"},
    {"to_char(-0.1, '99.99')", "  -.10"},
    {"to_char(-0.1, 'FM9.99')", "-.1"},
    {"to_char(148.5, '999.999')", " 148.500"},
    {"to_char(148.5, 'FM999.990')", "148.500"},
    {"to_char(3148.5, '9G999D999')", " 3,148.500"},
    {"to_char(485, 'L999')", "  485"},
    {"to_char(485, 'SG999')", "+485"},
    {"to_char(-485, 'SG999')", "-485"},
    {"to_char(-485, '9SG99')", "4-85"},
    {"to_char(485, 'PL999')", "+ 485"},
    {"to_number('12,454.8-', '99G999D9S')", "-12454.8"},
    {"to_number('1234.5','9999.9')", "1234.5"},
    {"to_date('05 Dec 2000', 'DD Mon YYYY')", "2000-12-05"},
    {"to_date('20240115','YYYYMMDD')", "2024-01-15"},
    {"to_date('2024-01','YYYY-MM')", "2024-01-01"},
    {"to_timestamp('05 Dec 2000 10:11:12', 'DD Mon YYYY HH24:MI:SS')", "2000-12-05 10:11:12+00"},
    {"to_timestamp('2024-01-15 10:11:12.345 PM', 'YYYY-MM-DD HH12:MI:SS.MS AM')", "2024-01-15 22:11:12.345+00"},
    {"to_date('2024-13-01','YYYY-MM-DD')", "22008: date/time field value out of range: \"2024-13-01\""},
    {"pg_encoding_to_char(6)", "UTF8"},
};

TEST(FormatFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kExamples); }

}  // namespace
}  // namespace idem::test
