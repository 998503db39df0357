-- A prepared query keeps its plan; each execution gives what it would give if it were planned now.
CREATE TABLE t (ts TIMESTAMP, sym SYMBOL, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t VALUES ('2024-01-01', 'a', 1), ('2024-01-01T12:00', 'b', 2), ('2024-01-02', 'a', 3), ('2024-01-03', 'c', 4);

-- Conditions: time ranges, symbols that come later, NULL.
PREPARE point (timestamp, varchar) AS SELECT v FROM t WHERE ts = $1 AND sym = $2;
EXECUTE point('2024-01-01', 'a');
EXECUTE point('2024-01-02', 'a');
EXECUTE point('2024-01-02', 'nobody');
EXECUTE point(NULL, 'a');
INSERT INTO t VALUES ('2024-01-02', 'nobody', 5);
EXECUTE point('2024-01-02', 'nobody');
PREPARE range (timestamp, timestamp) AS SELECT count(*), sum(v) FROM t WHERE ts >= $1 AND ts < $2;
EXECUTE range('2024-01-01', '2024-01-02');
EXECUTE range('2024-01-02', '2025-01-01');
EXECUTE range('2025-01-01', '2024-01-01');
PREPARE listed (varchar, varchar) AS SELECT v FROM t WHERE sym IN ($1, $2) ORDER BY v;
EXECUTE listed('a', 'c');
EXECUTE listed('b', NULL);

-- What is known of tables without reading them.
PREPARE facts AS SELECT count(*), min(ts), max(ts) FROM t;
EXECUTE facts;
INSERT INTO t VALUES ('2023-12-31', 'd', 6), ('2024-02-01', 'd', 7);
EXECUTE facts;
DELETE FROM t WHERE sym = 'd';
EXECUTE facts;

-- LIMIT and OFFSET, ORDER BY, functions, subqueries, CTEs, windows.
PREPARE part (bigint, bigint) AS SELECT v FROM t ORDER BY ts, v LIMIT $1 OFFSET $2;
EXECUTE part(2, 1);
EXECUTE part(0, 0);
EXECUTE part(NULL, 3);
EXECUTE part(1, -1);
PREPARE sub (bigint) AS SELECT sym, (SELECT count(*) FROM t AS u WHERE u.sym = s.sym AND u.v >= $1) AS n, (SELECT max(v) FROM t) AS m
  FROM (SELECT DISTINCT sym FROM t) AS s ORDER BY sym;
EXECUTE sub(1);
INSERT INTO t VALUES ('2024-01-04', 'b', 9);
EXECUTE sub(3);
PREPARE twice (bigint) AS WITH q AS (SELECT * FROM t WHERE v > $1) SELECT count(*) FROM q AS a JOIN q AS b USING (sym);
EXECUTE twice(0);
EXECUTE twice(4);
PREPARE up_to (int) AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT sum(i), count(*) FROM n;
EXECUTE up_to(3);
EXECUTE up_to(10);
PREPARE numbered (int) AS SELECT v, lag(v, $1) OVER (ORDER BY ts, v) FROM t ORDER BY 1;
EXECUTE numbered(1);
EXECUTE numbered(2);

-- SAMPLE BY, LATEST ON, ASOF JOIN: the order of rows is that of the tables now.
PREPARE sampled (bigint) AS SELECT ts, count(*) FROM t WHERE v > $1 SAMPLE BY 1d FILL(0);
EXECUTE sampled(1);
EXECUTE sampled(3);
PREPARE filled AS SELECT ts, sum(v) FROM t SAMPLE BY 1d FROM '2024-01-01' TO '2024-01-03';
EXECUTE filled;
PREPARE sample_from (timestamp) AS SELECT ts, sum(v) FROM t SAMPLE BY 1d FROM $1;
PREPARE sample_fill (bigint) AS SELECT ts, sum(v) FROM t SAMPLE BY 1d FILL($1);
PREPARE interval_string (varchar) AS SELECT count(*) FROM t WHERE ts IN $1;
PREPARE latest AS SELECT sym, v FROM t LATEST ON ts PARTITION BY sym ORDER BY sym;
EXECUTE latest;
INSERT INTO t VALUES ('2024-01-05', 'a', 10);
EXECUTE latest;
CREATE TABLE q (ts TIMESTAMP, sym SYMBOL, bid BIGINT) TIMESTAMP(ts) PARTITION BY DAY;
PREPARE asof AS SELECT t.v, q.bid FROM t ASOF JOIN q ON (sym) ORDER BY 1;
EXECUTE asof;
INSERT INTO q VALUES ('2023-12-31', 'a', 100), ('2024-01-02', 'a', 200), ('2024-01-04', 'b', 300);
EXECUTE asof;
CREATE TABLE w1 (LIKE t);
CREATE TABLE w2 (LIKE t);
INSERT INTO w1 VALUES ('2024-03-01', 'x', 1);
INSERT INTO w2 VALUES ('2024-03-08', 'x', 2);
CREATE VIEW weeks AS SELECT * FROM w1 UNION ALL SELECT * FROM w2;
PREPARE in_order AS SELECT ts, v FROM weeks ORDER BY ts;
EXECUTE in_order;
INSERT INTO w1 VALUES ('2024-03-15', 'x', 3);
EXECUTE in_order;
PREPARE of_view (varchar) AS SELECT sum(v) FROM weeks WHERE sym = $1;
EXECUTE of_view('x');
INSERT INTO w2 VALUES ('2024-03-02', 'x', 4);
EXECUTE of_view('x');
CREATE OR REPLACE VIEW weeks AS SELECT * FROM w1;
EXECUTE of_view('x');

-- Time: now() and zones.
CREATE TABLE ticks (ts TIMESTAMP, sym SYMBOL) TIMESTAMP(ts);
PREPARE until_now AS SELECT count(*) FROM ticks WHERE ts <= now() AND ts > now() - interval '1 hour';
PREPARE later_symbol AS SELECT count(*) FROM ticks WHERE sym = 'later';
EXECUTE until_now;
INSERT INTO ticks VALUES (now(), 'first');
EXECUTE until_now;
EXECUTE later_symbol;
INSERT INTO ticks VALUES (now(), 'later');
EXECUTE until_now;
EXECUTE later_symbol;
PREPARE zoned AS SELECT '2024-01-15 12:00+00'::timestamptz::text;
EXECUTE zoned;
SET TimeZone = 'Europe/Berlin';
EXECUTE zoned;
RESET TimeZone;
EXECUTE zoned;
PREPARE by_zone (timestamptz) AS SELECT count(*) FROM t WHERE ts::timestamptz >= $1;
EXECUTE by_zone('2024-01-03 00:00+00');
SET TimeZone = 'America/New_York';
EXECUTE by_zone('2024-01-03 00:00+00');
RESET TimeZone;

-- Past versions and changes.
PREPARE past (bigint) AS SELECT count(*) FROM q VERSION AS OF 0;
EXECUTE past(0);
PREPARE changes AS SELECT count(*) FROM table_changes('q', 0);
EXECUTE changes;
INSERT INTO q VALUES ('2024-01-05', 'c', 400);
EXECUTE changes;

-- DDL between executions.
PREPARE every AS SELECT * FROM q ORDER BY ts LIMIT 1;
EXECUTE every;
ALTER TABLE q RENAME COLUMN bid TO ask;
EXECUTE every;
EXECUTE asof;
ALTER TABLE q ADD COLUMN size BIGINT DEFAULT 5;
EXECUTE every;
ALTER TABLE q ALTER COLUMN ask TYPE VARCHAR;
EXECUTE every;
DROP TABLE q;
EXECUTE every;
CREATE TABLE q (ts TIMESTAMP, other BIGINT) TIMESTAMP(ts);
EXECUTE every;
INSERT INTO q VALUES ('2024-01-01', 1);
EXECUTE every;
TRUNCATE TABLE q;
EXECUTE every;

-- A temporary table of the name stands before the other one, until it is gone.
PREPARE named AS SELECT count(*) FROM q;
PREPARE rows_of_q AS SELECT other FROM q WHERE other > 0;
EXECUTE rows_of_q;
CREATE TEMP TABLE q (other BIGINT);
INSERT INTO q VALUES (1), (2);
EXECUTE named;
EXECUTE rows_of_q;
DROP TABLE q;
EXECUTE named;
EXECUTE rows_of_q;

-- search_path.
CREATE SCHEMA s;
CREATE TABLE s.q (other BIGINT);
INSERT INTO s.q VALUES (77);
SET search_path = s, public;
EXECUTE rows_of_q;
SET search_path = public;
EXECUTE rows_of_q;
BEGIN;
SET LOCAL search_path = s;
EXECUTE rows_of_q;
ROLLBACK;
EXECUTE rows_of_q;
RESET search_path;

-- A transaction sees its own writes, its own DDL, and under REPEATABLE READ nothing else.
BEGIN ISOLATION LEVEL REPEATABLE READ;
EXECUTE range('2024-01-01', '2024-01-02');
INSERT INTO t VALUES ('2024-01-01', 'own', 1000);
EXECUTE range('2024-01-01', '2024-01-02');
ALTER TABLE t RENAME COLUMN v TO w;
EXECUTE range('2024-01-01', '2024-01-02');
ROLLBACK;
EXECUTE range('2024-01-01', '2024-01-02');
BEGIN;
DELETE FROM t;
EXECUTE point('2024-01-01', 'a');
SAVEPOINT before;
INSERT INTO t VALUES ('2024-01-01', 'a', 55);
EXECUTE point('2024-01-01', 'a');
ROLLBACK TO before;
EXECUTE point('2024-01-01', 'a');
ROLLBACK;
EXECUTE point('2024-01-01', 'a');

-- Privileges and roles.
CREATE ROLE reader;
GRANT SELECT ON t TO reader;
EXECUTE point('2024-01-01', 'a');
SET ROLE reader;
EXECUTE point('2024-01-01', 'a');
EXECUTE rows_of_q;
RESET ROLE;
EXECUTE rows_of_q;
REVOKE SELECT ON t FROM reader;
SET ROLE reader;
EXECUTE point('2024-01-01', 'a');
RESET ROLE;
EXECUTE point('2024-01-01', 'a');
PREPARE who AS SELECT current_user;
EXECUTE who;
SET ROLE reader;
EXECUTE who;
RESET ROLE;

-- Names of relations.
PREPARE by_name (text) AS SELECT 't'::regclass, $1::regclass;
EXECUTE by_name('w1');
ALTER TABLE t RENAME TO t_old;
EXECUTE by_name('w1');
EXECUTE point('2024-01-01', 'a');
ALTER TABLE t_old RENAME TO t;
EXECUTE by_name('w2');
EXECUTE point('2024-01-01', 'a');
DISCARD PLANS;
EXECUTE point('2024-01-01', 'a');
