-- The five forms of overwriting.
CREATE TABLE t (ts TIMESTAMP, id INT, name SYMBOL) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, id);
INSERT INTO t VALUES ('2024-01-01', 1, 'a'), ('2024-01-02', 2, 'b'), ('2024-01-03', 3, 'c');

-- Everything. The query sees the rows from before, also the target's own.
INSERT OVERWRITE INTO t SELECT ts + INTERVAL '1 hour', id * 10, name FROM t WHERE id > 1;
SELECT * FROM t;
INSERT OVERWRITE t (ts, id) VALUES ('2024-01-05', 5), ('2024-01-05', 5), ('2024-01-06', 6) RETURNING *;
SELECT * FROM t;
INSERT OVERWRITE TABLE t SELECT * FROM t WHERE false;
SELECT count() FROM t;
SELECT operation, inserted, deleted FROM table_history('t') ORDER BY version;
SELECT count() FROM t VERSION AS OF 1;

-- Named partitions; those that the query has rows for.
INSERT INTO t VALUES ('2024-01-01', 1, 'a'), ('2024-01-02', 2, 'b'), ('2024-01-03', 3, 'c');
INSERT OVERWRITE INTO t PARTITION ('2024-01-02', '2024-01-04') SELECT '2024-01-02 12:00'::timestamp, 20, 'x' UNION ALL SELECT '2024-01-04', 4, 'y';
SELECT * FROM t;
INSERT OVERWRITE INTO t PARTITION ('2024-01-04') SELECT * FROM t WHERE false;
SELECT * FROM t;
INSERT OVERWRITE INTO t PARTITION ('2024-01-02') SELECT '2024-01-03'::timestamp, 30, 'z';
INSERT OVERWRITE INTO t PARTITION ('2024-01') SELECT * FROM t;
INSERT OVERWRITE INTO t PARTITION DYNAMIC SELECT '2024-01-03 03:00'::timestamp, 33, 'z' UNION ALL SELECT '2024-01-09', 9, 'n';
SELECT * FROM t;
INSERT OVERWRITE INTO t PARTITION DYNAMIC SELECT * FROM t WHERE false;
SELECT count() FROM t;

-- The rows that meet a condition; new ones must meet it too.
INSERT INTO t REPLACE WHERE id < 10 AND ts < '2024-01-05' SELECT ts, id + 1, name FROM t WHERE id = 1;
SELECT * FROM t;
INSERT INTO t REPLACE WHERE name = 'z' VALUES ('2024-01-03 03:00', 33, 'y');
INSERT INTO t REPLACE WHERE name = 'z' VALUES ('2024-01-03 03:00', 34, NULL);
INSERT INTO t REPLACE WHERE name = 'z' VALUES ('2024-01-03 04:00', 34, 'z');
SELECT * FROM t;
-- A key outside the condition is replaced as by any insert.
INSERT INTO t REPLACE WHERE name = 'q' VALUES ('2024-01-03 04:00', 34, 'q');
SELECT * FROM t;

-- COPY.
COPY t FROM STDIN (FORMAT csv, OVERWRITE DYNAMIC);
2024-01-09 10:00,90,copied
2024-01-10,100,copied
\.
SELECT * FROM t;
COPY t FROM STDIN (FORMAT csv, OVERWRITE) WHERE id > 1;
2024-02-01,1,no
2024-02-01,2,yes
2024-02-02,3,yes
\.
SELECT * FROM t;
COPY t FROM STDIN (FORMAT csv, OVERWRITE ALL);
2024-02-01,oops,no
\.
SELECT count() FROM t;
COPY t FROM STDIN (OVERWRITE ALL);
\.
SELECT count() FROM t;
SELECT operation, inserted, replaced, deleted FROM table_history('t') ORDER BY version DESC LIMIT 3;

-- In a transaction; undone by ROLLBACK.
INSERT INTO t VALUES ('2024-01-01', 1, 'a'), ('2024-01-02', 2, 'b');
BEGIN;
INSERT OVERWRITE INTO t SELECT * FROM t WHERE id = 1;
INSERT INTO t VALUES ('2024-01-07', 7, 'own');
INSERT OVERWRITE INTO t PARTITION DYNAMIC SELECT ts, id + 1, name FROM t;
SELECT * FROM t;
ROLLBACK;
SELECT * FROM t;

-- Without a timestamp, and what cannot be.
CREATE TABLE plain (id INT, v INT);
INSERT OVERWRITE INTO plain SELECT 1, 2;
INSERT OVERWRITE INTO plain PARTITION DYNAMIC SELECT 1, 2;
INSERT OVERWRITE INTO plain PARTITION ('2024') SELECT 1, 2;
INSERT INTO plain REPLACE WHERE v = 2 VALUES (2, 2);
SELECT * FROM plain;
EXPLAIN INSERT OVERWRITE INTO plain SELECT v, id FROM plain;
COPY plain FROM STDIN (OVERWRITE perhaps);
\.
