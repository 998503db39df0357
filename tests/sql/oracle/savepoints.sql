CREATE TABLE t (id int, v text);
INSERT INTO t VALUES (1, 'one');

-- Undo a part of a transaction.
BEGIN;
INSERT INTO t VALUES (2, 'two');
SAVEPOINT a;
INSERT INTO t VALUES (3, 'three');
UPDATE t SET v = 'x';
SELECT * FROM t ORDER BY id;
ROLLBACK TO SAVEPOINT a;
SELECT * FROM t ORDER BY id;
INSERT INTO t VALUES (4, 'four');
ROLLBACK TO a;
SELECT * FROM t ORDER BY id;
DELETE FROM t WHERE id = 1;
COMMIT;
SELECT * FROM t ORDER BY id;

-- A failed transaction comes back to life.
BEGIN;
INSERT INTO t VALUES (5, 'five');
SAVEPOINT a;
SELECT 1 / 0;
SELECT * FROM t;
SAVEPOINT b;
RELEASE a;
ROLLBACK TO a;
SELECT count(*) FROM t;
SELECT nothing FROM t;
ROLLBACK TO a;
RELEASE SAVEPOINT a;
COMMIT;
SELECT * FROM t ORDER BY id;

-- Nested ones, of one name too.
BEGIN;
SAVEPOINT s;
INSERT INTO t VALUES (10, 'a');
SAVEPOINT s;
INSERT INTO t VALUES (11, 'b');
SAVEPOINT inner_one;
INSERT INTO t VALUES (12, 'c');
ROLLBACK TO s;
SELECT id FROM t WHERE id >= 10 ORDER BY id;
ROLLBACK TO inner_one;
ROLLBACK TO s;
RELEASE s;
SELECT id FROM t WHERE id >= 10 ORDER BY id;
ROLLBACK TO s;
SELECT id FROM t WHERE id >= 10 ORDER BY id;
RELEASE s;
RELEASE s;
ROLLBACK;
SELECT count(*) FROM t;

-- Definitions, TRUNCATE, COPY and settings.
BEGIN;
SAVEPOINT s;
CREATE TABLE u (id int);
INSERT INTO u VALUES (1);
ALTER TABLE t ADD COLUMN w int;
UPDATE t SET w = 1;
TRUNCATE t;
COPY t FROM STDIN;
20	copied	3
\.
SELECT * FROM t;
SET search_path = pg_catalog;
ROLLBACK TO s;
SHOW search_path;
SELECT * FROM t ORDER BY id;
SELECT * FROM u;
ROLLBACK TO s;
DROP TABLE t;
SELECT * FROM t;
ROLLBACK TO s;
CREATE VIEW v AS SELECT id FROM t;
SAVEPOINT with_view;
DROP VIEW v;
ROLLBACK TO with_view;
SELECT count(*) FROM v;
COMMIT;
SELECT count(*) FROM v;
DROP VIEW v;

-- Cursors: those opened later are gone.
BEGIN;
DECLARE before CURSOR FOR SELECT id FROM t ORDER BY id;
FETCH 1 FROM before;
SAVEPOINT s;
DECLARE after CURSOR FOR SELECT id FROM t ORDER BY id DESC;
FETCH 1 FROM after;
ROLLBACK TO s;
FETCH 1 FROM before;
\set VERBOSITY sqlstate
FETCH 1 FROM after;
\set VERBOSITY terse
ROLLBACK TO s;
COMMIT;

-- Only in blocks.
SAVEPOINT a;
ROLLBACK TO a;
RELEASE a;
BEGIN;
ROLLBACK TO missing;
SELECT 1;
COMMIT;

-- Many.
BEGIN;
\set QUIET on
SELECT format('SAVEPOINT s%s; INSERT INTO t VALUES (%s, NULL); %s', i, 1000 + i, CASE WHEN i % 3 = 0 THEN 'ROLLBACK TO s' || i END) FROM generate_series(1, 200) g(i) \gexec
\set QUIET off
SELECT count(*), sum(id) FROM t WHERE id > 1000;
ROLLBACK TO s100;
SELECT count(*), sum(id) FROM t WHERE id > 1000;
COMMIT;
SELECT count(*), sum(id) FROM t WHERE id > 1000;
