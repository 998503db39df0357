-- EXPLAIN shows what a query reads: columns, time range and conditions reach the scan.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v DOUBLE, w DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '1 hour', 'k' || x % 3, x, x FROM generate_series(0, 99) AS g(x);
EXPLAIN SELECT v FROM t WHERE ts IN '2024-01-02' AND k = 'k1';
EXPLAIN SELECT k, sum(v) FROM t GROUP BY k ORDER BY k LIMIT 2;
EXPLAIN SELECT ts, sum(v) FROM t SAMPLE BY 1d;
EXPLAIN SELECT * FROM t LATEST ON ts PARTITION BY k;
EXPLAIN SELECT a.v FROM t a JOIN t b ON a.k = b.k WHERE b.w > 5;
EXPLAIN SELECT v, (SELECT max(w) FROM t) FROM t WHERE v > (SELECT avg(v) FROM t);
-- Groups that depend on others, sums that differ by constants, distinct values as groups.
EXPLAIN SELECT v, v + 1, length(k), k, v + 1 + 1, count(*) FROM t GROUP BY v, v + 1, length(k), k, v + 1 + 1;
EXPLAIN SELECT w, w + 1, count(*) FROM t GROUP BY w, w::text;
CREATE TABLE small (n smallint, f boolean);
EXPLAIN SELECT sum(n), sum(n + 1), sum(n - 2), sum(2 + n) FILTER (WHERE f), sum(n + n) FROM small;
EXPLAIN SELECT k, count(DISTINCT v + 1), max(DISTINCT v + 1) FROM t GROUP BY k;
EXPLAIN SELECT k, count(DISTINCT v), count(*) FROM t GROUP BY k;
-- Statements that write stand above the query that gives their rows.
EXPLAIN INSERT INTO t SELECT * FROM t;
EXPLAIN INSERT INTO t VALUES ('2024-01-01', 'a', 1, 2), ('2024-01-02', 'b', 3, 4);
EXPLAIN UPDATE t SET v = v + 1 WHERE k = 'k1';
EXPLAIN DELETE FROM t USING (VALUES ('k1')) AS gone(k) WHERE t.k = gone.k;
EXPLAIN DELETE FROM t;
SELECT count() FROM t;
-- The same as a document.
EXPLAIN (FORMAT JSON) SELECT k, sum(v) FROM t WHERE ts IN '2024-01-02' GROUP BY k ORDER BY k LIMIT 2;
EXPLAIN (FORMAT JSON) SELECT a.v FROM t a LEFT JOIN t b ON a.k = b.k WHERE a.v > (SELECT avg(v) FROM t);
EXPLAIN (FORMAT JSON) INSERT INTO t VALUES ('2024-01-01', 'a', 1, 2), ('2024-01-02', 'b', 3, 4);
EXPLAIN (FORMAT TEXT) SELECT 1;
EXPLAIN (FORMAT YAML) SELECT 1;
