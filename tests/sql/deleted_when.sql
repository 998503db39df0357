-- DELETED WHEN: a row with the column true removes its key and leaves a hidden tombstone with its version.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v INT, version INT, gone BOOLEAN) TIMESTAMP(ts)
  DEDUP UPSERT KEYS(ts, k) VERSION BY version DELETED WHEN gone;
INSERT INTO t VALUES ('2024-01-01', 'a', 1, 1, false), ('2024-01-01', 'b', 2, 1, NULL), ('2024-01-02', 'a', 3, 1, false);
INSERT INTO t VALUES ('2024-01-01', 'a', 0, 5, true);
SHOW LAST WRITE;
-- Sent again it is skipped, as is an older row.
INSERT INTO t VALUES ('2024-01-01', 'a', 0, 5, true), ('2024-01-01', 'a', 9, 4, false);
SHOW LAST WRITE;

-- Nobody sees it: not by reading, counting, bounds, LATEST ON, COPY, UPDATE, DELETE or in what tables() and others tell.
SELECT * FROM t;
SELECT count(), count(v), min(ts), max(v) FROM t;
SELECT count(*) FROM t WHERE gone;
SELECT min(ts) FROM t WHERE k = 'a';
SELECT * FROM t LATEST ON ts PARTITION BY k;
SELECT * FROM t ORDER BY ts DESC LIMIT 5;
SELECT * FROM t LIMIT -2;
SELECT ts, count() FROM t SAMPLE BY 1d;
COPY t TO STDOUT CSV;
UPDATE t SET v = v + 10 WHERE k = 'a' RETURNING *;
DELETE FROM t WHERE ts = '2024-01-01' AND k = 'a';
SELECT rows FROM tables() WHERE table_name = 't';
SELECT name, numRows FROM table_partitions('t');
SELECT reltuples FROM pg_class WHERE relname = 't';
CHECKPOINT;
SELECT * FROM t;
SELECT count() FROM t;
INSERT INTO t VALUES ('2024-01-01', 'a', 9, 4, false);
SELECT count() FROM t;

-- A newer row replaces the tombstone: the key comes back.
INSERT INTO t VALUES ('2024-01-01', 'a', 7, 6, false);
SHOW LAST WRITE;
SELECT * FROM t;

-- A deletion may come before what it deletes.
INSERT INTO t VALUES ('2024-01-03', 'c', NULL, 8, true);
INSERT INTO t VALUES ('2024-01-03', 'c', 1, 7, false);
SELECT count() FROM t WHERE k = 'c';

-- UPDATE hides a row by saying that it is gone; DELETE forgets it, version and all.
UPDATE t SET gone = true WHERE k = 'b';
INSERT INTO t VALUES ('2024-01-01', 'b', 2, 0, false);
SELECT count() FROM t WHERE k = 'b';
DELETE FROM t WHERE k = 'a' AND ts = '2024-01-01';
INSERT INTO t VALUES ('2024-01-01', 'a', 1, 1, false);
SELECT * FROM t;

-- An update may take the keys of a tombstone.
UPDATE t SET ts = '2024-01-03', k = 'c' WHERE ts = '2024-01-01' AND k = 'a';
SELECT * FROM t;

-- INSERT … ON CONFLICT takes a tombstone for no row; what it inserts goes by the versions.
INSERT INTO t VALUES ('2024-01-04', 'd', 1, 5, true);
INSERT INTO t VALUES ('2024-01-04', 'd', 2, 4, false) ON CONFLICT DO NOTHING;
SELECT * FROM t WHERE k = 'd';
INSERT INTO t VALUES ('2024-01-04', 'd', 3, 6, false) ON CONFLICT (ts, k) DO UPDATE SET v = 100;
SELECT * FROM t WHERE k = 'd';

-- KEEP FIRST goes through a deletion, or a replay could change what was seen first; MIN and MAX take in older rows too.
CREATE TABLE p (id INT, f INT KEEP FIRST, mn INT KEEP MIN, mx INT KEEP MAX, nn INT KEEP NON NULL, version INT, gone BOOLEAN)
  DEDUP UPSERT KEYS(id) VERSION BY version DELETED WHEN gone;
INSERT INTO p VALUES (1, 1, 5, 5, 5, 10, false);
INSERT INTO p VALUES (1, 2, 6, 6, 6, 20, true);
INSERT INTO p VALUES (1, 3, 4, 9, 7, 15, false);
SELECT * FROM p;
INSERT INTO p VALUES (1, 4, 8, 8, NULL, 30, false);
SELECT * FROM p;

-- A changed type writes the table anew, tombstones too.
INSERT INTO p VALUES (1, 0, 0, 0, 0, 40, true);
ALTER TABLE p ALTER COLUMN mx TYPE BIGINT;
INSERT INTO p VALUES (1, 0, 0, 0, 0, 39, false);
SELECT count() FROM p;

-- Without the clause there is nothing to hide: the tombstones go.
ALTER TABLE p DEDUP DISABLE;
SELECT * FROM p;
SELECT rows FROM tables() WHERE table_name = 'p';
-- A row that says it is gone is a tombstone as soon as the clause is there.
INSERT INTO p VALUES (2, 0, 0, 0, 0, 1, true), (3, 0, 0, 0, 0, 1, false);
SELECT id FROM p;
ALTER TABLE p DEDUP ENABLE UPSERT KEYS(id) VERSION BY version DELETED WHEN gone;
SELECT id FROM p;

-- DELETE without a condition and TRUNCATE remove everything.
DELETE FROM t;
INSERT INTO t VALUES ('2024-01-01', 'b', 2, 0, false);
SELECT * FROM t;

-- What does not fit is refused.
CREATE TABLE x (id INT, v INT, gone INT) DEDUP UPSERT KEYS(id) VERSION BY v DELETED WHEN gone;
CREATE TABLE x (id INT, v INT, gone BOOLEAN KEEP FIRST) DEDUP UPSERT KEYS(id) VERSION BY v DELETED WHEN gone;
CREATE TABLE x (id INT, v INT KEEP MIN, gone BOOLEAN) DEDUP UPSERT KEYS(id) VERSION BY v DELETED WHEN gone;
CREATE TABLE x (id INT, v INT, gone BOOLEAN) DEDUP UPSERT KEYS(id, v) VERSION BY v;
CREATE TABLE x (id BOOLEAN, v INT) DEDUP UPSERT KEYS(id) VERSION BY v DELETED WHEN id;
ALTER TABLE p DROP COLUMN gone;
ALTER TABLE p ALTER COLUMN gone TYPE VARCHAR;
