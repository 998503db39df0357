-- Values of every type go in and come out as PostgreSQL writes them, also from segment files.
CREATE TABLE t (ts TIMESTAMP, b BOOLEAN, s SMALLINT, i INT, l LONG, f REAL, d DOUBLE, n DECIMAL(20,4), v VARCHAR, c CHAR(3), y SYMBOL, tz TIMESTAMPTZ, dt DATE, tm TIME,
  iv INTERVAL, u UUID, x BYTEA, j JSONB, a BIGINT[], av VARCHAR[]) TIMESTAMP(ts);
INSERT INTO t VALUES ('2024-01-01', true, -32768, -2147483648, -9223372036854775808, 1.5, 1e300, -1234567890.1234, 'naïve ☕', 'ab', 'sym', '2024-01-01 12:00+02', '2024-02-29', '23:59:59.999999',
  '1 year 2 mons 3 days 04:05:06.789', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '\xdeadbeef', '{"b": [1, 2.50, null], "a": "x"}', '{1,NULL,3}', '{"a b",c,NULL,""}');
INSERT INTO t (ts) VALUES ('2024-01-02');
INSERT INTO t (ts, f, d) VALUES ('2024-01-03', 'NaN', 'Infinity'), ('2024-01-04', '-0', 0.1), ('2024-01-05', 16777217, 1e-7);
\x on
SELECT * FROM t LIMIT 1;
\x off
SELECT b IS NULL, v IS NULL, a IS NULL, j IS NULL FROM t WHERE ts = '2024-01-02';
SELECT f, d FROM t WHERE ts >= '2024-01-03';
CHECKPOINT;
\x on
SELECT * FROM t LIMIT 1;
\x off
SELECT b IS NULL, v IS NULL, a IS NULL, j IS NULL FROM t WHERE ts = '2024-01-02';
SELECT f, d FROM t WHERE ts >= '2024-01-03';

-- What does not fit is an error, never a wrapped number or a silent NULL.
INSERT INTO t (ts, s) VALUES ('2024-01-06', 40000);
INSERT INTO t (ts, i) VALUES ('2024-01-06', 3000000000);
INSERT INTO t (ts, n) VALUES ('2024-01-06', 1e20);
INSERT INTO t (ts, c) VALUES ('2024-01-06', 'long');
INSERT INTO t (ts, u) VALUES ('2024-01-06', 'no uuid');
INSERT INTO t (ts, j) VALUES ('2024-01-06', '{');
INSERT INTO t (ts, dt) VALUES ('2024-01-06', '2023-02-29');
INSERT INTO t (ts, a) VALUES ('2024-01-06', '{1,x}');
INSERT INTO t (ts, v) VALUES ('2024-01-06', E'\xff');
SELECT count() FROM t;
