#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of JSON as PostgreSQL 15 gives them.
constexpr Example kJsonExamples[] = {
    {"'{\"a\":{\"b\":[1,2,3]}}'::json->'a'", "{\"b\":[1,2,3]}"},
    {"'{\"a\":{\"b\":[1,2,3]}}'::json->'a'->'b'->1", "2"},
    {"'{\"a\":\"x\"}'::json->>'a'", "x"},
    {"'{\"a\":null}'::json->>'a'", "NULL"},
    {"'{\"a\":{\"b\":[1,2,3]}}'::json#>'{a,b,2}'", "3"},
    {"'{\"a\":{\"b\":[1,2,3]}}'::jsonb#>>'{a,b,2}'", "3"},
    {"'{\"b\":1,\"a\":2}'::jsonb", "{\"a\": 2, \"b\": 1}"},
    {"'{\"a\":1,\"b\":2}'::jsonb @> '{\"a\":1}'", "t"},
    {"'[1,2,3]'::jsonb @> '[3,1]'", "t"},
    {"'{\"a\":1}'::jsonb ? 'a'", "t"},
    {"'{\"a\":1}'::jsonb || '{\"b\":2}'", "{\"a\": 1, \"b\": 2}"},
    {"'[1]'::jsonb || '2'", "[1, 2]"},
    {"'{\"a\":1,\"b\":2}'::jsonb - 'a'", "{\"b\": 2}"},
    {"'[\"a\",\"b\"]'::jsonb - 0", "[\"b\"]"},
    {"jsonb_set('{\"a\":{\"b\":1}}'::jsonb, '{a,b}', '5')", "{\"a\": {\"b\": 5}}"},
    {"jsonb_set('{\"a\":1}'::jsonb, '{c}', '5')", "{\"a\": 1, \"c\": 5}"},
    {"json_typeof('[1]'::json)", "array"},
    {"jsonb_typeof('\"x\"'::jsonb)", "string"},
    {"json_array_length('[1,2,3]'::json)", "3"},
    {"json_build_object('a',1,'b',true,'c',null,'d','x')",
     "{\"a\" : 1, \"b\" : true, \"c\" : null, \"d\" : \"x\"}"},
    {"jsonb_build_object('a',1,'b',array[1,2])", "{\"a\": 1, \"b\": [1, 2]}"},
    {"json_build_array(1,'a',null)", "[1, \"a\", null]"},
    {"to_json('a\"b'::text)", "\"a\\\"b\""},
    {"to_json(timestamp '2024-01-15 10:00')", "\"2024-01-15T10:00:00\""},
    {"to_jsonb(1.50)", "1.50"},
    {"to_json(array[1,2])", "[1,2]"},
    {"replace(jsonb_pretty('{\"a\":[1,2],\"b\":{}}'::jsonb),E'\\n','|')",
     "{|    \"a\": [|        1,|        2|    ],|    \"b\": {|    }|}"},
    {"jsonb_strip_nulls('{\"a\":null,\"b\":1}'::jsonb)", "{\"b\": 1}"},
    {"jsonb_path_query_first('{\"a\":[{\"b\":1},{\"b\":2}]}'::jsonb, '$.a[1].b')", "2"},
    {"json_extract_path('{\"a\":{\"b\":1}}'::json,'a','b')", "1"},
    {"json_extract_path_text('{\"a\":{\"b\":\"x\"}}'::json,'a','b')", "x"},
    {"('{\"a\":5}'::jsonb->'a')::int", "5"},
    {"('{\"a\":5.5}'::jsonb->'a')::float8", "5.5"},
    {"('{\"a\":\"x\"}'::jsonb->'a')::int", "22023: cannot cast jsonb string to type integer"},
    {"'{a}'::json", "22P02: invalid input syntax for type json"},
};

TEST(JsonFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kJsonExamples); }

}  // namespace
}  // namespace idem::test
