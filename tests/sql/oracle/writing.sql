CREATE TABLE t (id integer, name varchar, score double precision DEFAULT 1.5, at timestamp);

-- INSERT: all columns, some, defaults, queries, RETURNING.
INSERT INTO t VALUES (1, 'one', 10, '2024-01-01'), (2, 'two', NULL, NULL);
INSERT INTO t (name, id) VALUES ('three', 3);
INSERT INTO t (id) SELECT x FROM generate_series(4, 6) AS g(x);
INSERT INTO t DEFAULT VALUES;
INSERT INTO t VALUES (7, 'seven', DEFAULT, '2024-01-07 07:07') RETURNING id, score * 2 AS double_score, upper(name);
SELECT * FROM t ORDER BY id;

-- UPDATE: expressions see the old row; FROM joins.
UPDATE t SET score = score + id, name = coalesce(name, 'n' || id) WHERE id > 2;
UPDATE t SET name = v.name FROM (VALUES (1, 'ONE'), (2, 'TWO')) AS v(id, name) WHERE v.id = t.id RETURNING t.id, t.name;
SELECT * FROM t ORDER BY id;

-- DELETE: with a condition, USING, RETURNING, everything.
DELETE FROM t WHERE id = 7 RETURNING *;
DELETE FROM t USING (VALUES (5), (6)) AS v(id) WHERE t.id = v.id;
SELECT id FROM t ORDER BY id;

-- A statement that fails changes nothing.
\set VERBOSITY sqlstate
INSERT INTO t VALUES (100, 'x', 1, NULL), (101, 'y', 'not a number', NULL);
INSERT INTO t SELECT 10 / (x - 2), 'z' FROM generate_series(1, 3) AS g(x);
UPDATE t SET id = 1 / (id - 2);
INSERT INTO t (id, missing) VALUES (1, 2);
INSERT INTO t (id, id) VALUES (1, 2);
INSERT INTO t VALUES (1, 2, 3, '2024-01-01', 5);
INSERT INTO missing VALUES (1);
\set VERBOSITY terse
SELECT count(*), sum(id) FROM t;

-- COPY in both directions.
COPY t (id, name, score) FROM STDIN;
20	tab\there	1.5
21	\N	2.5
\.
COPY t FROM STDIN (FORMAT csv, HEADER, NULL 'none', DELIMITER ';');
id;name;score;at
22;"semi;colon";1;2024-01-22 10:00
23;none;none;none
24;"two
lines";1;2024-01-24
\.
COPY (SELECT * FROM t WHERE id >= 20 ORDER BY id) TO STDOUT;
COPY (SELECT * FROM t WHERE id >= 20 ORDER BY id) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (name));
COPY (SELECT * FROM t WHERE id >= 20 ORDER BY id) TO STDOUT CSV DELIMITER ';' NULL 'nothing';

-- Transactions.
BEGIN;
DELETE FROM t;
SELECT count(*) FROM t;
ROLLBACK;
SELECT count(*) FROM t;
BEGIN;
INSERT INTO t (id) VALUES (50);
CREATE TABLE u (id integer);
INSERT INTO u SELECT id FROM t WHERE id = 50;
COMMIT;
SELECT * FROM u;

-- CREATE TABLE AS, TRUNCATE, DROP, renames.
CREATE TABLE copy_of_t AS SELECT id, name FROM t WHERE id < 3 ORDER BY id;
SELECT * FROM copy_of_t ORDER BY id;
ALTER TABLE copy_of_t RENAME TO c;
ALTER TABLE c RENAME COLUMN name TO label;
ALTER TABLE c ADD COLUMN extra integer DEFAULT 7;
SELECT * FROM c ORDER BY id;
ALTER TABLE c DROP COLUMN label;
ALTER TABLE c ALTER COLUMN extra TYPE varchar;
SELECT *, extra || '!' AS loud FROM c ORDER BY id;
TRUNCATE c;
SELECT count(*) FROM c;
DROP TABLE c, u;

-- Prepared statements and cursors in SQL.
PREPARE find (integer) AS SELECT name FROM t WHERE id = $1;
EXECUTE find(1);
EXECUTE find(2);
DEALLOCATE find;
BEGIN;
DECLARE c CURSOR FOR SELECT x FROM generate_series(1, 10) AS g(x);
FETCH 2 FROM c;
MOVE 3 FROM c;
FETCH NEXT FROM c;
FETCH FORWARD ALL FROM c;
CLOSE c;
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT x FROM generate_series(1, 7) AS g(x);
FETCH 2 FROM held;
COMMIT;
FETCH 2 FROM held;
FETCH ALL FROM held;
FETCH NEXT FROM held;
CLOSE held;

-- WITH before a statement that writes, and RETURNING over all that the statement reads.
CREATE TABLE w (id integer, name varchar, qty integer);
WITH a AS (SELECT g AS id FROM generate_series(1, 4) AS g) INSERT INTO w SELECT id, 'n' || id, id * 10 FROM a;
WITH a AS (SELECT 5 AS id), b AS (SELECT id + 1 AS id FROM a) INSERT INTO w VALUES ((SELECT id FROM a), 'five', 50), ((SELECT id FROM b), 'six', 60) RETURNING id, name;
WITH a(k) AS (VALUES (1), (2)) UPDATE w SET qty = qty + k FROM a WHERE w.id = a.k;
SELECT * FROM w ORDER BY id;
WITH a AS (SELECT max(id) AS top FROM w) DELETE FROM w USING a WHERE w.id = a.top RETURNING w.*, a.top;
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) UPDATE w SET name = 'low' WHERE id IN (SELECT n FROM r);
SELECT id, name FROM w ORDER BY id;
UPDATE w SET qty = v.q FROM (VALUES (4, 400, 'four')) AS v(k, q, label) WHERE w.id = v.k RETURNING w.id, v.*, w.qty - v.q AS zero, label || '!' AS loud;
DELETE FROM w USING (VALUES (1, 'one'), (9, 'nine')) AS v(k, label) WHERE w.id = v.k RETURNING id, label;
INSERT INTO w VALUES (7, 'seven', 70) RETURNING id, (SELECT count(*) FROM w AS before) AS before, (SELECT max(x.qty) FROM w x WHERE x.id < w.id) AS below;
UPDATE w SET qty = 0 WHERE id = 7 RETURNING (SELECT sum(qty) FROM w AS before), qty;
WITH a AS (SELECT 'note' AS note) DELETE FROM w WHERE id = 7 RETURNING id, (SELECT note FROM a);
WITH a AS (SELECT 1 FROM nothing) INSERT INTO w VALUES (8, 'eight', 80);
WITH a AS (SELECT 1 AS x) INSERT INTO w SELECT y, 'z', 1 FROM a;
SELECT count(*) FROM w;
DROP TABLE w;

-- A volatile default is another value for each row.
CREATE TABLE rolled (id int, r double precision DEFAULT random(), at timestamp DEFAULT now());
INSERT INTO rolled (id) SELECT x FROM generate_series(1, 3) AS g(x);
INSERT INTO rolled (id) VALUES ((SELECT 4)), (5);
INSERT INTO rolled (id) VALUES (6), (7);
COPY rolled (id) FROM STDIN;
8
9
10
\.
COPY rolled (id) FROM STDIN (FORMAT csv) WHERE r >= 0;
11
12
\.
SELECT count(*), count(DISTINCT r), count(DISTINCT at) FROM rolled;
UPDATE rolled SET r = DEFAULT;
SELECT count(DISTINCT r) FROM rolled;
