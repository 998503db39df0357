-- run twice
-- patterns.md, 6: each run of a daily job leaves a version; running a past day again begins where it began the first time.
CREATE TABLE devices (type VARCHAR PRIMARY KEY, full_name VARCHAR);
-- Starting from A.
INSERT INTO devices VALUES ('A', 'first');
BEGIN RUN 'devices/2024-10-05' ON REPLAY RESTORE;
INSERT INTO devices VALUES ('A', 'updated'), ('B', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
DELETE FROM devices WHERE type = 'B';
INSERT INTO devices VALUES ('C', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
BEGIN RUN 'devices/2024-10-07' ON REPLAY RESTORE;
INSERT INTO devices VALUES ('M', 'first'), ('N', 'first'), ('O', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
SELECT key, versions_before, versions_after FROM runs() ORDER BY key;
-- The second step again: the state of the first time, never a mixture; the third is forgotten until it comes again.
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
DELETE FROM devices WHERE type = 'B';
INSERT INTO devices VALUES ('C', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
SELECT key, versions_before, versions_after FROM runs() ORDER BY key;
BEGIN RUN 'devices/2024-10-07' ON REPLAY RESTORE;
INSERT INTO devices VALUES ('M', 'first'), ('N', 'first'), ('O', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
-- The first step again, and the days after it in turn; twice.
BEGIN RUN 'devices/2024-10-05' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
INSERT INTO devices VALUES ('A', 'updated'), ('B', 'first');
COMMIT;
SELECT key FROM runs() ORDER BY key;
BEGIN RUN 'devices/2024-10-05' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
INSERT INTO devices VALUES ('A', 'updated'), ('B', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
DELETE FROM devices WHERE type = 'B';
INSERT INTO devices VALUES ('C', 'first');
COMMIT;
SELECT * FROM devices ORDER BY 1;
SELECT version, operation, run FROM table_history('devices') ORDER BY version;
-- What others committed since would be lost: an error that names it, unless forced.
UPDATE devices SET full_name = 'by hand' WHERE type = 'C';
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
ROLLBACK;
SELECT * FROM devices ORDER BY 1;
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE FORCE;
DELETE FROM devices WHERE type = 'B';
COMMIT;
SELECT * FROM devices ORDER BY 1;
-- What was lost already is lost: it does not stand in the way any more.
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
ROLLBACK;
-- A later run that read what is undone, and wrote another table: both go back. Tables that a run made are dropped, one that
-- it dropped comes back.
CREATE TABLE totals (n BIGINT);
CREATE TABLE old (x INT);
INSERT INTO old VALUES (1);
BEGIN RUN 'chain/1';
INSERT INTO devices VALUES ('P', 'first');
CREATE TABLE fresh AS SELECT 1 AS x;
DROP TABLE old;
COMMIT;
BEGIN RUN 'chain/2';
UPDATE devices SET full_name = 'second' WHERE type = 'P';
INSERT INTO totals SELECT count(*) FROM devices;
COMMIT;
BEGIN RUN 'chain/3';
INSERT INTO totals SELECT 2 * n FROM totals;
COMMIT;
BEGIN RUN 'other/1';
CREATE TABLE apart AS SELECT 7 AS x;
COMMIT;
SELECT * FROM totals ORDER BY 1;
BEGIN RUN 'chain/1' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
SELECT count(*) FROM totals;
SELECT * FROM old;
SELECT * FROM fresh;
ROLLBACK;
BEGIN RUN 'chain/1' ON REPLAY RESTORE;
INSERT INTO devices VALUES ('P', 'first');
CREATE TABLE fresh AS SELECT 2 AS x;
DROP TABLE old;
COMMIT;
SELECT * FROM fresh;
SELECT key, tables FROM runs() WHERE key NOT LIKE 'devices%' ORDER BY key;
SELECT * FROM devices ORDER BY 1;
BEGIN RUN 'chain/1' ON REPLAY RESTORE;
SELECT * FROM old;
ROLLBACK;
-- A state that was vacuumed is an error.
VACUUM RETAIN 0 HOURS;
BEGIN RUN 'devices/2024-10-05' ON REPLAY RESTORE FORCE;
ROLLBACK;
-- Nothing is left behind, so that all of this can be run again.
DROP TABLE devices, totals, apart, fresh;
FORGET RUN 'chain/1';
FORGET RUN 'devices/2024-10-05';
FORGET RUN 'devices/2024-10-06';
FORGET RUN 'other/1';
