-- BEGIN RUN: a transaction that can be sent again.
CREATE TABLE r (id INT, v VARCHAR);
BEGIN RUN 'load/1';
INSERT INTO r VALUES (1, 'a'), (2, 'b');
UPDATE r SET v = 'B' WHERE id = 2;
SELECT * FROM r ORDER BY id;
COMMIT;
-- Again: the writes are answered as before and do nothing, reads execute. White space and case do not matter.
BEGIN RUN 'load/1';
insert into r  values (1, 'a'), (2, 'b');
UPDATE r SET v = 'B' WHERE id = 2;
SELECT * FROM r ORDER BY id;
COMMIT;
SELECT count(*) FROM r;
SELECT version, operation, run FROM table_history('r') ORDER BY version;
SELECT key, user, writes, tables, versions_before, versions_after, first_commit = last_commit AS once FROM runs();
-- Another write, or one more, cannot hide behind the key.
BEGIN RUN 'load/1';
INSERT INTO r VALUES (1, 'a'), (3, 'c');
ROLLBACK;
BEGIN RUN 'load/1';
INSERT INTO r VALUES (1, 'a'), (2, 'b');
UPDATE r SET v = 'B' WHERE id = 2;
DELETE FROM r;
ROLLBACK;
SELECT count(*) FROM r;
-- A run that rolled back or failed leaves no trace.
BEGIN RUN 'load/2';
INSERT INTO r VALUES (9, 'z');
ROLLBACK;
BEGIN RUN 'load/2';
SELECT 1 / 0;
COMMIT;
SELECT count(*) FROM runs() WHERE key = 'load/2';
-- COPY: data is read and dropped.
BEGIN RUN 'load/3';
COPY r FROM STDIN (FORMAT csv);
3,c
4,d
\.
COMMIT;
BEGIN RUN 'load/3';
COPY r FROM STDIN (FORMAT csv);
3,c
4,d
\.
COMMIT;
SELECT * FROM r ORDER BY id;
-- Turning an open block into a run; only at its beginning.
BEGIN;
BEGIN RUN 'load/4';
DELETE FROM r WHERE id = 4;
COMMIT;
BEGIN;
BEGIN RUN 'load/4';
DELETE FROM r WHERE id = 4;
COMMIT;
BEGIN;
SELECT 1 AS one;
BEGIN RUN 'load/5';
ROLLBACK;
BEGIN RUN 'load/5';
BEGIN RUN 'load/6';
ROLLBACK;
BEGIN RUN '';
ROLLBACK;
-- SET run: the next statement, or the next transaction.
SET run = 'set/1';
SHOW run;
INSERT INTO r VALUES (5, 'e');
SHOW run;
SET run = 'set/1';
INSERT INTO r VALUES (5, 'e');
SET run = 'set/2';
BEGIN;
INSERT INTO r VALUES (6, 'f');
COMMIT;
SET run = 'set/2';
BEGIN;
INSERT INTO r VALUES (6, 'f');
COMMIT;
SET run = 'set/3';
RESET run;
INSERT INTO r VALUES (7, 'g');
SELECT id, count(*) FROM r GROUP BY id ORDER BY id;
SELECT key FROM runs() ORDER BY 1;
-- RETURNING, DDL and prepared statements.
PREPARE add (INT, VARCHAR) AS INSERT INTO r VALUES ($1, $2);
BEGIN RUN 'ddl/1';
CREATE TABLE made (x INT);
INSERT INTO made VALUES (1) RETURNING x;
EXECUTE add(8, 'h');
DROP TABLE made;
COMMIT;
BEGIN RUN 'ddl/1';
CREATE TABLE made (x INT);
INSERT INTO made VALUES (1) RETURNING x;
EXECUTE add(8, 'h');
DROP TABLE made;
COMMIT;
BEGIN RUN 'ddl/1';
CREATE TABLE made (x INT);
INSERT INTO made VALUES (1) RETURNING x;
EXECUTE add(9, 'h');
ROLLBACK;
SELECT count(*) FROM r WHERE id = 8;
-- A run without writes is one, too.
BEGIN RUN 'nothing';
SELECT 1 AS one;
COMMIT;
BEGIN RUN 'nothing';
DELETE FROM r;
ROLLBACK;
-- Forgotten, it executes again.
FORGET RUN 'set/1';
FORGET RUN 'set/1';
SET run = 'set/1';
INSERT INTO r VALUES (5, 'e');
SELECT count(*) FROM r WHERE id = 5;
BEGIN READ ONLY;
BEGIN RUN 'never';
ROLLBACK;
