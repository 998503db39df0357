-- A view of many tables, and parameters: a plan is made for their values, since few tables have rows of the time that is asked for.
SELECT format('CREATE TABLE d%s (ts TIMESTAMP, k SYMBOL, v INT) TIMESTAMP(ts)', x) FROM generate_series(10, 49) x \gexec
SELECT format('INSERT INTO d%s SELECT ''2024-01-01''::timestamp + %s * interval ''1 day'' + y * interval ''1 hour'', ''k'' || y %% 3, y FROM generate_series(0, 23) y', x, x - 10)
  FROM generate_series(10, 49) x \gexec
SELECT 'CREATE VIEW days AS ' || string_agg(format('SELECT * FROM d%s', x), ' UNION ALL ' ORDER BY x) FROM generate_series(10, 49) x \gexec
PREPARE of_times (timestamp, timestamp) AS SELECT k, count(*), min(ts), sum(v) FROM days WHERE ts >= $1 AND ts < $2 GROUP BY k ORDER BY k;
EXPLAIN (COSTS OFF) EXECUTE of_times('2024-01-03', '2024-01-04');
EXECUTE of_times('2024-01-03', '2024-01-04');
EXECUTE of_times('2024-01-03 22:00', '2024-01-04 02:00');
EXECUTE of_times('2023-01-01', '2023-01-02');
EXECUTE of_times(NULL, '2024-01-04');
-- Rows that come later.
INSERT INTO d10 VALUES ('2024-01-03 12:30', 'late', 1000);
EXECUTE of_times('2024-01-03', '2024-01-04');
-- Types that are found out, and a parameter that says nothing about the time: that plan is kept.
PREPARE found_out AS SELECT count(*), sum(v) FROM days WHERE ts BETWEEN $1 AND $1 + interval '2 hours' AND v <> $2;
EXECUTE found_out('2024-02-01 10:00', 11);
EXECUTE found_out('2024-02-01 12:00', 11);
PREPARE no_time (varchar) AS SELECT count(*), sum(v) FROM days WHERE k = $1;
EXECUTE no_time('k1');
EXECUTE no_time('k2');
EXECUTE no_time('late');
DROP TABLE d49 CASCADE;
EXECUTE no_time('k2');
SELECT 'CREATE VIEW days AS ' || string_agg(format('SELECT * FROM d%s', x), ' UNION ALL ' ORDER BY x) FROM generate_series(10, 48) x \gexec
EXECUTE no_time('k2');
EXECUTE of_times('2024-01-03', '2024-01-04');
-- Queries within others.
PREPARE nested (timestamp) AS
  WITH day AS (SELECT * FROM days WHERE ts >= $1 AND ts < $1 + interval '1 day')
  SELECT (SELECT max(v) FROM day), count(*), (SELECT count(*) FROM days WHERE ts < $1) FROM day WHERE v > (SELECT avg(v) FROM day);
EXECUTE nested('2024-01-03');
CREATE TABLE chosen (ts TIMESTAMP, v INT) TIMESTAMP(ts);
PREPARE copy_day (timestamp) AS INSERT INTO chosen SELECT ts, v FROM days WHERE ts >= $1 AND ts < $1 + interval '1 day' AND v < 2;
EXECUTE copy_day('2024-01-05');
EXECUTE copy_day('2024-01-06');
SELECT * FROM chosen ORDER BY ts;
PREPARE of_constant (int) AS INSERT INTO chosen VALUES ('2024-03-01', (SELECT sum(v) FROM days WHERE ts < '2024-01-02' AND v < $1));
EXECUTE of_constant(3);
EXECUTE of_constant(4);
SELECT * FROM chosen WHERE ts = '2024-03-01' ORDER BY v;
BEGIN;
PREPARE with_cursor (timestamp) AS SELECT ts FROM days WHERE ts < $1 ORDER BY ts DESC LIMIT 2;
EXECUTE with_cursor('2024-01-05');
ROLLBACK;
