-- EXPLAIN shows what a query reads: columns, time range and conditions reach the scan.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v DOUBLE, w DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '1 hour', 'k' || x % 3, x, x FROM generate_series(0, 99) AS g(x);
EXPLAIN SELECT v FROM t WHERE ts IN '2024-01-02' AND k = 'k1';
EXPLAIN SELECT k, sum(v) FROM t GROUP BY k ORDER BY k LIMIT 2;
EXPLAIN SELECT ts, sum(v) FROM t SAMPLE BY 1d;
EXPLAIN SELECT * FROM t LATEST ON ts PARTITION BY k;
EXPLAIN SELECT a.v FROM t a JOIN t b ON a.k = b.k WHERE b.w > 5;
EXPLAIN INSERT INTO t SELECT * FROM t;
