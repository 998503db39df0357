-- Few changes of stored rows become an overlay by position; many write the rows anew.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v INT) TIMESTAMP(ts) PARTITION BY MONTH DEDUP UPSERT KEYS(ts, k);
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '1 minute', 'k' || x % 5, x FROM generate_series(0, 9999) AS g(x);
CHECKPOINT;
SELECT name, numRows, slices, overlay_rows FROM table_partitions('t');

-- Replaced, inserted in between, deleted.
INSERT INTO t SELECT timestamp '2024-01-01' + x * 100 * interval '1 minute', 'k' || x * 100 % 5, -x FROM generate_series(0, 99) AS g(x);
INSERT INTO t VALUES ('2024-01-02T00:00:30', 'late', 1), ('2024-01-02T00:00:20', 'late', 2), ('2024-01-01T00:00:00', 'same time', 3);
DELETE FROM t WHERE v BETWEEN 5001 AND 5010;
SELECT name, numRows, slices, overlay_rows FROM table_partitions('t');
SELECT count(*), sum(v), min(v), max(v) FROM t;
SELECT * FROM t WHERE ts BETWEEN '2024-01-01T23:59' AND '2024-01-02T00:01';
SELECT * FROM t WHERE v BETWEEN 4999 AND 5012;
SELECT * FROM t WHERE ts = '2024-01-01';
SELECT * FROM t WHERE k = 'late';
SELECT * FROM t LATEST ON ts PARTITION BY k;

-- The same again changes nothing.
INSERT INTO t VALUES ('2024-01-02T00:00:30', 'late', 1), ('2024-01-02T00:00:20', 'late', 2), ('2024-01-01T00:00:00', 'same time', 3);
SELECT version, rows FROM tables() WHERE table_name = 't';

-- A checkpoint writes the overlay beside the rows.
CHECKPOINT;
SELECT name, numRows, slices, overlay_rows FROM table_partitions('t');
SELECT count(*), sum(v), min(v), max(v) FROM t;

-- Positions are of what is shown.
DELETE FROM t WHERE k = 'late' OR v = 5011;
UPDATE t SET v = v + 1 WHERE v <= 0;
SELECT count(*), sum(v), min(v), max(v) FROM t;
ALTER TABLE t ADD COLUMN w INT DEFAULT 7;
INSERT INTO t VALUES ('2024-01-03', 'new', 0, 8);
SELECT w, count(*) FROM t GROUP BY w ORDER BY w;
CHECKPOINT;
SELECT w, count(*), sum(v) FROM t GROUP BY w ORDER BY w;

-- More than a tenth of the rows: written anew.
UPDATE t SET v = 0 WHERE v % 9 = 0;
SELECT count(*), sum(v) FROM t;
CHECKPOINT;
SELECT name, numRows, slices, overlay_rows FROM table_partitions('t');
SELECT count(*), sum(v) FROM t;
DELETE FROM t WHERE ts >= '2024-01-02' AND ts < '2024-01-07';
SELECT count(*), sum(v) FROM t;
