CREATE TABLE t (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '6 hours', x FROM generate_series(0, 399) AS g(x);

-- Part of a timestamp names the whole of that year, month, day or hour.
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024';
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024-02';
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024-02-29';
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024-01-15T12';
-- With a duration, and with a period and a count.
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024-01-15T00;12h';
SELECT count(), min(ts), max(ts) FROM t WHERE ts IN '2024-01-15T00;6h;1d;3';
SELECT count() FROM t WHERE ts NOT IN '2024-01';
-- Ordinary comparisons.
SELECT count() FROM t WHERE ts BETWEEN '2024-01-02' AND '2024-01-03';
SELECT count() FROM t WHERE ts >= '2024-03-01' AND v % 2 = 0;
SELECT v FROM t WHERE ts = '2024-01-02T06:00:00';
SELECT v FROM t WHERE ts IN ('2024-01-01', '2024-01-02');
SELECT count() FROM t WHERE ts > dateadd('d', -1, '2024-04-09T12:00:00');

-- Order by time needs no sort, and the last rows are read from the end.
SELECT * FROM t ORDER BY ts DESC LIMIT 2;
SELECT * FROM t LIMIT -2;
SELECT * FROM t LIMIT 3, 5;
SELECT count() FROM t WHERE ts IN '2024-99';
