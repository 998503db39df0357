#include "tests/unit/parser/round_trip.h"

namespace idem::parser {
namespace {

// Statements that write, with their canonical text.
constexpr Example kDmlExamples[] = {
    // clang-format off
    {"INSERT INTO t VALUES (1, -2.5, 'x', NULL, DEFAULT, true)",
     "INSERT INTO t VALUES (1, -2.5, 'x', NULL, DEFAULT, TRUE)"},
    {R"(INSERT INTO s.t AS a (b, "C") VALUES (1, 2), (3, 4) RETURNING a.b, *)", nullptr},
    {"INSERT INTO t DEFAULT VALUES", nullptr},
    {"INSERT INTO t SELECT * FROM u", nullptr},
    {"INSERT INTO t (SELECT 1)",
     "INSERT INTO t SELECT 1"},
    {"INSERT INTO t (a, b) (SELECT 1, 2 FROM v)",
     "INSERT INTO t (a, b) SELECT 1, 2 FROM v"},
    {"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", nullptr},
    {"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", nullptr},
    {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", nullptr},
    {"INSERT INTO t SELECT * FROM u ON CONFLICT (a, b) DO UPDATE SET c = excluded.c, d = DEFAULT WHERE t.c < 5 RETURNING *", nullptr},
    {"INSERT OVERWRITE INTO t SELECT * FROM u",
     "INSERT OVERWRITE t SELECT * FROM u"},
    {"INSERT OVERWRITE TABLE t (a) SELECT 1",
     "INSERT OVERWRITE t (a) SELECT 1"},
    {"INSERT OVERWRITE t VALUES (1)", nullptr},
    {"INSERT OVERWRITE t PARTITION ('2024-01-15', '2024-01-16') SELECT * FROM u", nullptr},
    {"INSERT OVERWRITE INTO t PARTITION DYNAMIC SELECT * FROM u WHERE ts IN '2024-01-15'",
     "INSERT OVERWRITE t PARTITION DYNAMIC SELECT * FROM u WHERE ts IN '2024-01-15'"},
    {"INSERT INTO t REPLACE WHERE page = '/a' SELECT * FROM fixed", nullptr},
    {"INSERT INTO t (a) REPLACE WHERE a > 1 VALUES (2)", nullptr},
    {"INSERT INTO 'quoted name' VALUES (1)",
     R"(INSERT INTO "quoted name" VALUES (1))"},
    {"UPDATE t SET a = 1, b = b + 1 WHERE c", nullptr},
    {"UPDATE ONLY t AS x SET x.a = DEFAULT, (b, c) = (1, 2), (d, e) = ROW(3, 4), (f, g) = (SELECT 1, 2) FROM u JOIN v ON true WHERE x.i = u.i RETURNING x.a AS z",
     "UPDATE ONLY t AS x SET x.a = DEFAULT, b = 1, c = 2, d = 3, e = 4, (f, g) = (SELECT 1, 2) FROM u JOIN v ON TRUE WHERE x.i = u.i RETURNING x.a AS z"},
    {"WITH q AS (SELECT 1) UPDATE t SET a = 1 WHERE CURRENT OF c", nullptr},
    {"DELETE FROM t", nullptr},
    {"DELETE FROM t AS x USING u, v WHERE x.a = u.a RETURNING *", nullptr},
    {"MERGE INTO devices AS t USING changed AS s ON t.type = s.type AND t.version = s.version WHEN MATCHED AND s.is_deleted = true THEN DELETE WHEN MATCHED AND s.is_deleted = false THEN UPDATE SET full_name = s.full_name WHEN NOT MATCHED AND s.is_deleted = false THEN INSERT (full_name, version, type) VALUES (s.full_name, s.version, s.type)",
     "MERGE INTO devices AS t USING changed AS s ON t.type = s.type AND t.version = s.version WHEN MATCHED AND s.is_deleted = TRUE THEN DELETE WHEN MATCHED AND s.is_deleted = FALSE THEN UPDATE SET full_name = s.full_name WHEN NOT MATCHED AND s.is_deleted = FALSE THEN INSERT (full_name, version, type) VALUES (s.full_name, s.version, s.type)"},
    {"WITH w AS (SELECT 1) MERGE INTO t USING (SELECT * FROM w) s ON t.a = s.a WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED BY TARGET THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.b THEN UPDATE SET b = false WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT DEFAULT VALUES RETURNING merge_action(), t.*",
     "WITH w AS (SELECT 1) MERGE INTO t USING (SELECT * FROM w) AS s ON t.a = s.a WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.b THEN UPDATE SET b = FALSE WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT DEFAULT VALUES RETURNING merge_action(), t.*"},
    {"COPY t FROM STDIN", nullptr},
    {"COPY  t ( ts, sym ) FROM STDIN WITH (FORMAT csv)",
     "COPY t (ts, sym) FROM STDIN (format csv)"},
    {R"(COPY "t"("ts", "sym") FROM STDIN (FORMAT 'binary'))",
     "COPY t (ts, sym) FROM STDIN (format 'binary')"},
    {"COPY t FROM 'file.csv' CSV DELIMITER ';' HEADER",
     "COPY t FROM 'file.csv' (format csv, delimiter ';', header)"},
    {R"(COPY t FROM STDIN WITH CSV HEADER DELIMITER AS ',' NULL AS 'NA' QUOTE '"' ESCAPE '\' FORCE NOT NULL a, b FORCE NULL c ENCODING 'utf8')",
     R"(COPY t FROM STDIN (format csv, header, delimiter ',', null 'NA', quote '"', escape '\', force_not_null (a, b), force_null (c), encoding 'utf8'))"},
    {"COPY t FROM STDIN (FORMAT csv, HEADER match, DELIMITER ';', NULL 'x', FORCE_NULL (a, b), OVERWRITE ALL, ON_NEW_COLUMN add, ON_ERROR ignore, REJECT_LIMIT 10)",
     "COPY t FROM STDIN (format csv, header match, delimiter ';', null 'x', force_null (a, b), overwrite all, on_new_column add, on_error ignore, reject_limit 10)"},
    {"COPY t FROM STDIN (FORMAT csv, HEADER, OVERWRITE) WHERE a > 1",
     "COPY t FROM STDIN (format csv, header, overwrite) WHERE a > 1"},
    {"COPY (SELECT * FROM t) TO STDOUT WITH CSV HEADER FORCE QUOTE *",
     "COPY (SELECT * FROM t) TO STDOUT (format csv, header, force_quote *)"},
    {"COPY BINARY t TO 'out.bin'",
     "COPY t TO 'out.bin' (format binary)"},
    {"copy pgbench_accounts from stdin with (freeze on)",
     "COPY pgbench_accounts FROM STDIN (freeze on)"},
    {"COPY public.t (ts, sym) TO stdout",
     "COPY public.t (ts, sym) TO STDOUT"},
    // clang-format on
};

TEST(DmlText, ParsesAndDeparses) {
  for (const Example& example : kDmlExamples) expect_canonical(example);
}

}  // namespace
}  // namespace idem::parser
