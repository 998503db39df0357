-- MERGE: what PostgreSQL 15 does not have. The rest is in oracle/merge.sql.
CREATE TABLE t (ts TIMESTAMP, id INT, name SYMBOL, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, id);
INSERT INTO t VALUES ('2024-01-01', 1, 'a', 1), ('2024-01-01', 2, 'b', 2), ('2024-01-02', 1, 'a', 3), ('2024-01-03', 1, 'c', 4);
CREATE TABLE s (ts TIMESTAMP, id INT, name VARCHAR, v DOUBLE, op VARCHAR);
INSERT INTO s VALUES ('2024-01-01', 1, 'A', 10, 'u'), ('2024-01-02', 1, 'x', 0, 'd'), ('2024-01-05', 9, 'n', 9, 'i');

-- RETURNING: stars list the source first. A deleted row is as it was.
MERGE INTO t USING s ON t.ts = s.ts AND t.id = s.id
WHEN MATCHED AND s.op = 'd' THEN DELETE
WHEN MATCHED THEN UPDATE SET name = s.name, v = s.v
WHEN NOT MATCHED BY TARGET THEN INSERT *
RETURNING merge_action(), t.ts, t.id, t.name, t.v, s.op;
SELECT * FROM t;
SELECT operation, inserted, replaced, deleted FROM table_history('t');

-- The same again: two rows are as they should be, one is inserted and will be deleted again.
MERGE INTO t USING s ON t.ts = s.ts AND t.id = s.id
WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *;
SELECT * FROM t;

-- NOT MATCHED BY SOURCE: the target follows the source.
MERGE INTO t USING (SELECT * FROM s WHERE id = 1) s ON t.ts = s.ts AND t.id = s.id
WHEN MATCHED THEN UPDATE SET v = s.v + 1
WHEN NOT MATCHED BY SOURCE AND t.name = 'c' THEN UPDATE SET name = 'kept'
WHEN NOT MATCHED BY SOURCE THEN DELETE
RETURNING merge_action() AS did, t.id, s.id AS source_id, *;
SELECT * FROM t;
MERGE INTO t USING (SELECT 1 AS one WHERE false) s ON true WHEN NOT MATCHED BY SOURCE AND v > 5 THEN DELETE;
SELECT * FROM t;
MERGE INTO t USING (VALUES ('2024-01-03'::timestamp, 1), ('2024-02-01', 5)) s(ts, id) ON t.ts = s.ts AND t.id = s.id
WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED THEN INSERT (ts, id) VALUES (s.ts, s.id) WHEN MATCHED THEN DO NOTHING RETURNING merge_action(), t.*;
SELECT * FROM t;

-- An update that moves rows to another partition, and one that gives a row the keys of another.
MERGE INTO t USING (VALUES (5)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET ts = '2024-03-01', v = 5;
SELECT * FROM t;
SELECT name, numRows FROM table_partitions('t');
MERGE INTO t USING (VALUES (5)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET ts = '2024-01-03', id = 1;
-- The keys of a row that goes are free.
MERGE INTO t USING (VALUES (1, 'd'), (5, 'u')) s(id, op) ON t.id = s.id WHEN MATCHED AND op = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET ts = '2024-01-03', id = 1;
SELECT * FROM t;

-- Inserted rows are upserts: of two with equal keys the later wins.
MERGE INTO t USING (VALUES (1.0), (2.0)) s(v) ON false WHEN NOT MATCHED THEN INSERT (ts, id, v) VALUES ('2024-04-01', 1, s.v);
SELECT * FROM t;
CREATE TABLE k (id INT PRIMARY KEY, seen INT KEEP FIRST, best INT KEEP MAX);
INSERT INTO k VALUES (1, 1, 5);
MERGE INTO k USING (VALUES (1, 2, 3), (2, 2, 3)) s(id, seen, best) ON k.id = s.id + 100 WHEN NOT MATCHED THEN INSERT *;
SELECT * FROM k;
MERGE INTO k USING (VALUES (1, 7, 2)) s(id, seen, best) ON k.id = s.id WHEN MATCHED THEN UPDATE SET *;
SELECT * FROM k;

-- A MERGE always takes a version, an INSERT that changes nothing none.
SELECT max(version) AS before FROM table_history('k') \gset
MERGE INTO k USING (VALUES (3)) s(id) ON k.id = s.id WHEN MATCHED THEN DELETE;
INSERT INTO k VALUES (2, 2, 3);
SELECT max(version) - :before AS taken FROM table_history('k');
SHOW LAST WRITE;

-- What it reads: the partition that can match, and there the vectors.
CREATE TABLE wide (ts TIMESTAMP, id INT, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO wide SELECT '2024-01-01'::timestamp + x * INTERVAL '1 minute', x, x FROM generate_series(0, 43199) g(x);
EXPLAIN MERGE INTO wide USING s ON wide.ts = s.ts WHEN MATCHED THEN UPDATE SET v = 0 WHEN NOT MATCHED THEN DO NOTHING;
MERGE INTO wide USING (VALUES ('2024-01-10 00:00'::timestamp), ('2024-01-10 00:01')) s(ts) ON wide.ts = s.ts WHEN MATCHED THEN UPDATE SET v = -1 RETURNING wide.*;
SELECT count(*), sum(v) FROM wide;

-- Errors say what would be right.
MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *;
MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = s.v;
MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN INSERT *;
MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET *;
MERGE INTO t USING (VALUES (1), (1)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO t USING (VALUES (7)) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
SELECT merge_action();
DELETE FROM t RETURNING merge_action();
SELECT count(*) FROM t;
