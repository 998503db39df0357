-- They hide permanent ones of the same name.
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
CREATE TEMP TABLE t (id int, temporary boolean DEFAULT true);
INSERT INTO t VALUES (2);
SELECT * FROM t;
SELECT * FROM pg_temp.t;
SELECT * FROM public.t;
CREATE VIEW v AS SELECT count(*) FROM public.t;
SELECT * FROM v;
UPDATE t SET id = id + 1 RETURNING *;
DROP TABLE t;
SELECT * FROM t;
SELECT * FROM pg_temp.t;

-- ON COMMIT.
BEGIN;
CREATE TEMPORARY TABLE dropped (id int) ON COMMIT DROP;
CREATE TEMP TABLE emptied (id int) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE kept (id int) ON COMMIT PRESERVE ROWS;
INSERT INTO dropped VALUES (1);
INSERT INTO emptied VALUES (1);
INSERT INTO kept VALUES (1);
SELECT (SELECT count(*) FROM dropped) AS dropped, (SELECT count(*) FROM emptied) AS emptied, (SELECT count(*) FROM kept) AS kept;
COMMIT;
SELECT count(*) FROM dropped;
SELECT count(*) FROM emptied;
SELECT count(*) FROM kept;
INSERT INTO emptied VALUES (2);
SELECT count(*) FROM emptied;
BEGIN;
INSERT INTO emptied VALUES (3);
INSERT INTO kept VALUES (3);
SELECT count(*) FROM emptied;
ROLLBACK;
SELECT count(*) FROM kept;
CREATE TEMP TABLE made AS SELECT id * 2 AS id FROM kept;
SELECT * FROM made;
CREATE TEMP TABLE IF NOT EXISTS made (x int);
CREATE TEMP TABLE made (x int);
CREATE TEMP TABLE public.nowhere (x int);
CREATE TABLE permanent (x int) ON COMMIT DROP;
CREATE TABLE pg_temp.also (x int);
SELECT * FROM also;

-- Transactions and savepoints.
BEGIN;
CREATE TEMP TABLE in_block (id int);
INSERT INTO in_block VALUES (1);
SAVEPOINT s;
DROP TABLE in_block;
CREATE TEMP TABLE in_block (other text);
INSERT INTO in_block VALUES ('x');
SELECT * FROM in_block;
ROLLBACK TO s;
SELECT * FROM in_block;
ROLLBACK;
SELECT * FROM in_block;

-- They end with the session.
\c -
SELECT * FROM kept;
SELECT * FROM t;
DISCARD TEMP;
CREATE TEMP TABLE kept (id int);
DISCARD TEMP;
SELECT * FROM kept;
CREATE TEMP TABLE kept (id int);
DISCARD ALL;
SELECT * FROM kept;
