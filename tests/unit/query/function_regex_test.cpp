#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of patterns as PostgreSQL 15 gives them.
constexpr Example kRegexExamples[] = {
    {"'abc' like 'a%'", "t"},
    {"'abc' like '_b_'", "t"},
    {"'abc' ilike 'A%C'", "t"},
    {"'abc' ~ '^a.c$'", "t"},
    {"'ABC' ~* 'abc'", "t"},
    {"'foobar' similar to '%(o|b)%'", "t"},
    {"regexp_replace('foobar','o+','X')", "fXbar"},
    {"regexp_replace('foobarbaz','b..','X','g')", "fooXX"},
    {"regexp_match('foobarbequebaz','(bar)(beque)')", "{bar,beque}"},
    {"regexp_split_to_array('a1b2c','\\d')", "{a,b,c}"},
    {"regexp_count('abcabc','b')", "2"},
    {"~5", "-6"},
    {"regexp_replace('abc','(b)','[\\1]')", "a[b]c"},
    {"regexp_replace('aaa','a','x',2)", "axa"},
    {"regexp_replace('aaa','a','x',1,2)", "axa"},
    {"regexp_instr('abcabc','b',1,2)", "5"},
    {"regexp_substr('abcabc','b.',1,2)", "bc"},
    {"substring('abc' similar 'a#\"b#\"c' escape '#')", "b"},
    {"'abc' ~ '(?i)ABC'", "t"},
    {"'a.c' ~ 'a\\.c'", "t"},
    {"'foo bar' ~ '\\yfoo\\y'", "t"},
    {"'abc' ~ '('", "2201B: invalid regular expression: parentheses () not balanced"},
    {"'abc' like 'a\\%'", "f"},
    {"'a%c' like 'a\\%c'", "t"},
    {"'a%c' like 'a#%c' escape '#'", "t"},
    {"like_escape('a#%','#')", "a\\%"},
    {"'abc' like 'abc\\'", "f"},
    {"'abc' like any(array['a%','b%'])", "t"},
};

TEST(PatternFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kRegexExamples); }

}  // namespace
}  // namespace idem::test
