-- DROP PARTITION WHERE removes whole partitions: the condition is decided from the calendar, no row is read.
CREATE TABLE t (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '8 hours', x FROM generate_series(0, 29) AS g(x);
ALTER TABLE t DROP PARTITION WHERE ts < '2024-01-03';
SELECT name FROM table_partitions('t');
ALTER TABLE t DROP PARTITION WHERE ts >= '2024-01-09' OR ts <= '2024-01-03T23:59:59.999999';
SELECT name FROM table_partitions('t');
ALTER TABLE t DROP PARTITION WHERE ts IN '2024-01-05';
ALTER TABLE t DROP PARTITION WHERE ts BETWEEN '2024-01-07' AND timestamp '2024-01-08' - interval '1 microsecond';
SELECT name FROM table_partitions('t');
-- None of them: nothing happens.
ALTER TABLE t DROP PARTITION WHERE ts > '2030-12-31T23:59:59.999999';
SELECT name FROM table_partitions('t');
-- Not on a boundary, or not about the timestamp.
ALTER TABLE t DROP PARTITION WHERE ts < '2024-01-06T12:00';
ALTER TABLE t DROP PARTITION WHERE ts <= '2024-01-06';
ALTER TABLE t DROP PARTITION WHERE ts = '2024-01-06';
ALTER TABLE t DROP PARTITION WHERE v < 10;
ALTER TABLE t DROP PARTITION WHERE ts < '2024-02-01' AND v = 1;
ALTER TABLE t DROP PARTITION WHERE date_trunc('day', ts) = '2024-01-06';
ALTER TABLE t DROP PARTITION WHERE nothing < '2024-01-06';
ALTER TABLE t DROP PARTITION WHERE ts < NULL;
SELECT count() FROM t;
ALTER TABLE t DROP PARTITION WHERE NOT ts < '2024-01-08';
ALTER TABLE t DROP PARTITION WHERE ts < now() - interval '100 years' AND ts >= '2024-01-01';
SELECT name FROM table_partitions('t');
-- Months and years.
CREATE TABLE m (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY MONTH;
INSERT INTO m VALUES ('2023-12-31'), ('2024-01-31'), ('2024-02-01');
ALTER TABLE m DROP PARTITION WHERE ts < '2024-01-01';
ALTER TABLE m DROP PARTITION WHERE ts < '2024-01-31';
SELECT name FROM table_partitions('m');
-- A table without partitions has none to drop.
CREATE TABLE n (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY NONE;
ALTER TABLE n DROP PARTITION WHERE ts < '2024-01-01';
CREATE TABLE k (id INT);
ALTER TABLE k DROP PARTITION WHERE id < 1;
-- What is dropped in a transaction that rolls back is still there.
BEGIN;
ALTER TABLE t DROP PARTITION WHERE ts < '2030-01-01';
SELECT count() FROM t;
ROLLBACK;
SELECT count() FROM t;
