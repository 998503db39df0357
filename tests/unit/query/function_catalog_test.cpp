#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of names and oids of the catalog as PostgreSQL 15 gives them.
constexpr Example kCatalogExamples[] = {
    {"'pg_class'::regclass", "pg_class"},
    {"1259::regclass", "pg_class"},
    {"'pg_class'::regclass::oid", "1259"},
    {"'integer'::regtype", "integer"},
    {"1700::regtype::text", "numeric"},
    {"pg_typeof(1)", "integer"},
    {"pg_typeof('a'::varchar)", "character varying"},
    {"pg_typeof(now())", "timestamp with time zone"},
    {"pg_typeof(1.5)", "numeric"},
    {"pg_typeof(array[1])", "integer[]"},
    {"format_type(1043, 14)", "character varying(10)"},
    {"format_type(1700, 655366)", "numeric(10,2)"},
    {"format_type(1016, null)", "bigint[]"},
    {"format_type(99999, null)", "???"},
    {"pg_size_pretty(123456::bigint)", "121 kB"},
    {"pg_size_pretty(10239::bigint)", "10239 bytes"},
    {"pg_size_pretty(10240::bigint)", "10 kB"},
    {"pg_size_pretty(123456789012::bigint)", "115 GB"},
    {"to_regclass('nope')", "NULL"},
    {"'pg_catalog.pg_type'::regclass", "pg_type"},
    {"'\"char\"'::regtype", "\"char\""},
    {"'varchar(10)'::regtype", "character varying"},
    {"'int4[]'::regtype", "integer[]"},
    {"'nope'::regclass", "42P01: relation \"nope\" does not exist"},
    {"'nope'::regtype", "42704: type \"nope\" does not exist"},
    {"11::regnamespace", "pg_catalog"},
    {"'pg_catalog'::regnamespace::oid", "11"},
    {"'pg_catalog.array_in'::regproc", "array_in"},
};

TEST(CatalogFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kCatalogExamples); }

}  // namespace
}  // namespace idem::test
