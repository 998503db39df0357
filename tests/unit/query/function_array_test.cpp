#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of arrays as PostgreSQL 15 gives them.
constexpr Example kArrayExamples[] = {
    {"array[1,2,3]", "{1,2,3}"},
    {"array[1,2,3] || 4", "{1,2,3,4}"},
    {"array['a','b'] || array['c']", "{a,b,c}"},
    {"(array[1,2,3])[2]", "2"},
    {"(array[1,2,3])[2:3]", "{2,3}"},
    {"3 = any(array[1,2,3])", "t"},
    {"5 <> all(array[1,2,3])", "t"},
    {"5 = any(array[1,null,3])", "NULL"},
    {"array[1,2] @> array[1]", "t"},
    {"array[1,2] && array[3]", "f"},
    {"'{1,2}'::int[]", "{1,2}"},
    {"'{a,b}'::text[]::varchar[]", "{a,b}"},
    {"array[1,2]::text[]", "{1,2}"},
    {"array_to_string(array[1,2,null],',','*')", "1,2,*"},
    {"array_length(array[1,2],1)", "2"},
    {"array_position(array['a','b'],'b')", "2"},
    {"cardinality(array[1,2])", "2"},
    {"'a' = any('{a,b}'::text[])", "t"},
    {"string_to_array('a,b,,c',',','')", "{a,b,NULL,c}"},
    {"string_to_array('abc',null)", "{a,b,c}"},
    {"array_remove(array[1,2,1],1)", "{2}"},
    {"array_replace(array[1,2,1],1,9)", "{9,2,9}"},
    {"array_cat(array[1],array[2])", "{1,2}"},
    {"array_prepend(0,array[1])", "{0,1}"},
    {"array_positions(array[1,2,1],1)", "{1,3}"},
    {"array_dims(array[1,2])", "[1:2]"},
    {"trim_array(array[1,2,3],1)", "{1,2}"},
    {"array[1,2] = array[1,2]", "t"},
    {"array[1,2] < array[1,3]", "t"},
    {"'foo' || array['a']", "22P02: malformed array literal: \"foo\""},
    {"1 = any('{1,2}')", "t"},
    {"'x' = any(array['x'::varchar])", "t"},
    {"2 < all(array[3,4])", "t"},
    {"null = any(array[1])", "NULL"},
    {"1 = any(null::int[])", "NULL"},
    {"1 = any('{}'::int[])", "f"},
    {"null::int = any('{}'::int[])", "f"},
    {"(array[1,2,3])[0]", "NULL"},
    {"(array['a','b'])[1]", "a"},
    {"array_upper('{1,2}'::int[],1)", "2"},
    {"array[1,null,3]", "{1,NULL,3}"},
    {"array['a b','c\"d',null,'']", "{\"a b\",\"c\\\"d\",NULL,\"\"}"},
    {"array[1.5,2]", "{1.5,2}"},
};

TEST(ArrayFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kArrayExamples); }

}  // namespace
}  // namespace idem::test
