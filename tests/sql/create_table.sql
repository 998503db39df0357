-- Every column type, spelt in all its ways.
CREATE TABLE types (
  a BOOLEAN, b BOOL, c SMALLINT, d SHORT, e INT2, f INTEGER, g INT, h INT4, i BIGINT, j LONG, k INT8, l REAL, m FLOAT4, n FLOAT,
  o DOUBLE, p DOUBLE PRECISION, q FLOAT8, r DECIMAL(10,2), s NUMERIC(38,10), t VARCHAR, u TEXT, v STRING, w CHAR(3), x VARCHAR(5),
  y SYMBOL, z TIMESTAMP, aa TIMESTAMPTZ, bb DATE, cc TIME, dd INTERVAL, ee UUID, ff BYTEA, gg BINARY, hh JSONB, ii JSON,
  jj BIGINT[], kk LIST<VARCHAR>);
SELECT "column", type FROM table_columns('types');

-- Clauses may stand in any order; a designated timestamp partitions by day.
CREATE TABLE a (ts TIMESTAMP, k SYMBOL CAPACITY 256 CACHE INDEX, v DOUBLE DEFAULT 1.5 NOT NULL) DEDUP UPSERT KEYS(ts, k) PARTITION BY MONTH TIMESTAMP(ts) WAL;
SHOW CREATE TABLE a;
CREATE TABLE b (ts TIMESTAMP, v INT) TIMESTAMP(ts);
SHOW CREATE TABLE b;
CREATE TABLE c (id LONG, name VARCHAR);
SHOW CREATE TABLE c;

-- PRIMARY KEY means NOT NULL and upsert keys.
CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT);
SELECT "column", nullable, upsertKey FROM table_columns('accounts');
INSERT INTO accounts VALUES (1, 10), (2, 20);
INSERT INTO accounts VALUES (1, 11);
SELECT * FROM accounts ORDER BY id;
INSERT INTO accounts VALUES (NULL, 1);

-- LIKE copies columns, defaults, designated timestamp and partitioning; INCLUDING ALL upsert keys too.
CREATE TABLE d (LIKE a);
SHOW CREATE TABLE d;
CREATE TABLE e (LIKE a INCLUDING ALL);
SHOW CREATE TABLE e;

-- AS query, with clauses on either side.
CREATE TABLE f AS SELECT timestamp '2024-01-01' + x * interval '1 hour' AS ts, x AS v FROM generate_series(1, 3) AS g(x);
SELECT * FROM f;
CREATE TABLE g AS (SELECT ts, v FROM f) TIMESTAMP(ts) PARTITION BY HOUR;
SHOW CREATE TABLE g;
SELECT * FROM g;

-- Defaults are used where no value is given.
CREATE TABLE h (id INT, created TIMESTAMP DEFAULT '2024-01-01', word VARCHAR DEFAULT 'a' || 'b', n INT DEFAULT 1 + 1);
INSERT INTO h (id) VALUES (1);
INSERT INTO h VALUES (2, DEFAULT, 'c', DEFAULT);
SELECT * FROM h;

-- Names: folded unless quoted, also by backticks; keywords that are column names; a schema written unquoted though a keyword.
CREATE TABLE "Mixed Case" ("Col A" INT, `timestamp` TIMESTAMP, count INT);
INSERT INTO "Mixed Case" VALUES (1, '2024-01-01', 2);
SELECT "Col A", timestamp, count FROM "Mixed Case";
CREATE TABLE default.x (id INT);
INSERT INTO default.x VALUES (1);
SELECT * FROM default.x;
CREATE SCHEMA staging;
CREATE TABLE staging.a (id INT);
SELECT count(*) FROM staging.a;

-- What cannot be says so.
CREATE TABLE i (ts TIMESTAMP, k INT) TIMESTAMP(ts) DEDUP UPSERT KEYS(k);
CREATE TABLE i (ts VARCHAR) TIMESTAMP(ts);
CREATE TABLE i (ts TIMESTAMP) TIMESTAMP(tss);
CREATE TABLE i (v INT) PARTITION BY DAY;
CREATE TABLE i (v INT KEEP MIN);
CREATE TABLE i (v INT, v INT);
CREATE TABLE i (v NUMERIC(39, 1));
CREATE TABLE a (id INT);
CREATE TABLE IF NOT EXISTS a (id INT);
CREATE TABLE i (v INT UNIQUE);
CREATE TABLE i (v INT REFERENCES a);
CREATE TABLE i (v INT CHECK (v > 0));
CREATE TABLE i (ts TIMESTAMP) TIMESTAMP(ts) BYPASS WAL;

-- What a query gives is kept as what a table can keep.
CREATE TABLE names AS SELECT 'a'::name AS n, 'b' AS t;
SELECT "column", type FROM table_columns('names');
CREATE TABLE records AS SELECT ROW(1, 'a') AS r;
