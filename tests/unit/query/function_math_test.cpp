#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of mathematics as PostgreSQL 15 gives them.
constexpr Example kMathExamples[] = {
    {"round(2.5)", "3"},
    {"round(2.5::float8)", "2"},
    {"round(-2.567,2)", "-2.57"},
    {"trunc(2.567,1)", "2.5"},
    {"ceil(2.1)", "3"},
    {"floor(-2.1)", "-3"},
    {"sqrt(2)", "1.4142135623730951"},
    {"sqrt(2::numeric)", "1.414213562373095"},
    {"ln(2::numeric)", "0.6931471805599453"},
    {"exp(1::numeric)", "2.7182818284590452"},
    {"log(100)", "2"},
    {"power(2,0.5)", "1.4142135623730950"},
    {"mod(7,3)", "1"},
    {"abs(-5)", "5"},
    {"sign(-2.5)", "-1"},
    {"gcd(12,18)", "6"},
    {"lcm(4,6)", "12"},
    {"width_bucket(5.35,0.024,10.06,5)", "3"},
    {"pi()", "3.141592653589793"},
    {"degrees(1)", "57.29577951308232"},
    {"|/ 25", "5"},
    {"||/ 27", "3.0000000000000004"},
    {"abs(-32768::int2)", "22003: smallint out of range"},
    {"log(2.0, 64.0)", "6.0000000000000000"},
    {"log(100.0)", "2.0000000000000000"},
    {"ln(0)", "2201E: cannot take logarithm of zero"},
    {"sqrt(-1)", "2201F: cannot take square root of a negative number"},
    {"power(0,-1)", "2201F: zero raised to a negative power is undefined"},
    {"exp(1)", "2.718281828459045"},
    {"exp(2.5)", "12.182493960703473"},
    {"div(7,2)", "3"},
    {"factorial(10)", "3628800"},
    {"scale(1.500)", "3"},
    {"round(1234.567,-2)", "1200"},
    {"atan2(1,2)", "0.4636476090008061"},
    {"sind(30)", "0.5"},
    {"cosd(60)", "0.5"},
    {"cbrt(27)", "3.0000000000000004"},
};

TEST(MathFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kMathExamples); }

}  // namespace
}  // namespace idem::test
