-- Tables and partitions that nobody may change.
CREATE TABLE kept (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO kept VALUES ('2024-01-15', 1), ('2024-01-16', 2);
CREATE TABLE other (LIKE kept);
CREATE VIEW over_kept AS SELECT * FROM kept;
ALTER TABLE kept SET (immutable = true);
SELECT table_name, immutable FROM tables() ORDER BY 1;
SELECT name, readOnly FROM table_partitions('kept') ORDER BY 1;
SELECT * FROM kept ORDER BY ts;
INSERT INTO kept VALUES ('2024-01-17', 3);
INSERT INTO kept SELECT * FROM kept WHERE false;
UPDATE kept SET v = 3 WHERE false;
DELETE FROM kept WHERE false;
DELETE FROM kept;
TRUNCATE kept;
DROP TABLE kept;
DROP TABLE kept CASCADE;
DROP SCHEMA public;
ALTER TABLE kept ADD COLUMN w INT;
ALTER TABLE kept RENAME TO gone;
ALTER TABLE kept RENAME COLUMN v TO w;
ALTER TABLE kept DROP PARTITION LIST '2024-01-15';
ALTER TABLE kept DETACH PARTITION '2024-01-15' INTO other;
ALTER TABLE other ATTACH PARTITION '2024-01-15' FROM kept;
ALTER TABLE kept SET TTL 1 DAYS;
ALTER TABLE kept SET (history_retention = '1 day');
RESTORE TABLE kept TO VERSION AS OF 0;
COPY kept FROM STDIN (FORMAT csv);
2024-01-17,3
\.
CREATE OR REPLACE TABLE kept (x INT);
BEGIN;
INSERT INTO other VALUES ('2024-01-15', 1);
INSERT INTO kept VALUES ('2024-01-17', 3);
COMMIT;
SELECT count(*) FROM other;
-- Vacuum gives back its past, never the present.
VACUUM kept RETAIN 0 HOURS;
SELECT count(*) FROM kept;
-- Neither version numbers nor versions know of it.
SELECT version, operation FROM table_history('kept') ORDER BY version;
ALTER TABLE kept SET (immutable = false);
INSERT INTO kept VALUES ('2024-01-17', 3);
SELECT count(*) FROM kept;
-- Made and closed in one transaction.
BEGIN;
CREATE TABLE closed AS SELECT 1 AS x;
ALTER TABLE closed SET (immutable = true);
INSERT INTO closed VALUES (2);
ROLLBACK;
BEGIN;
CREATE TABLE closed AS SELECT 1 AS x;
ALTER TABLE closed SET (immutable = true);
COMMIT;
DROP TABLE closed;
-- Until a time that nobody can bring nearer.
ALTER TABLE closed SET (immutable = false);
ALTER TABLE closed SET (immutable_until = '2091-01-01');
INSERT INTO closed VALUES (2);
ALTER TABLE closed SET (immutable_until = '2090-01-01');
ALTER TABLE closed SET (immutable = false);
ALTER TABLE closed RESET (immutable_until);
ALTER TABLE closed SET (immutable_until = '2092-01-01');
ALTER TABLE closed SET (immutable_until = 'tomorrow or so');
DROP TABLE closed;
-- A time that is over protects nothing.
ALTER TABLE other SET (immutable_until = '2001-01-01');
INSERT INTO other VALUES ('2024-01-15', 1);
-- Single partitions.
ALTER TABLE kept FREEZE PARTITION LIST '2024-01-15';
SELECT name, readOnly FROM table_partitions('kept') ORDER BY 1;
INSERT INTO kept VALUES ('2024-01-15 10:00', 9);
INSERT INTO kept VALUES ('2024-01-16 10:00', 9);
UPDATE kept SET v = v + 1 WHERE ts >= '2024-01-16';
UPDATE kept SET v = v + 1;
DELETE FROM kept WHERE ts < '2024-01-16';
DELETE FROM kept WHERE ts >= '2024-01-17';
TRUNCATE kept;
DELETE FROM kept;
DROP TABLE kept CASCADE;
ALTER TABLE kept DROP PARTITION LIST '2024-01-15';
ALTER TABLE kept DROP PARTITION LIST '2024-01-16';
ALTER TABLE kept DETACH PARTITION '2024-01-15' INTO other;
RESTORE TABLE kept TO VERSION AS OF 1;
ALTER TABLE kept ALTER COLUMN v TYPE BIGINT;
ALTER TABLE kept FREEZE PARTITION LIST '2024-02-01';
SELECT * FROM kept ORDER BY ts;
-- TTL leaves it where it is.
ALTER TABLE kept SET TTL 1 DAYS;
INSERT INTO kept VALUES ('2024-03-01', 1);
SELECT name, readOnly FROM table_partitions('kept') ORDER BY 1;
-- Runs cannot put it back.
CREATE TABLE by_run (x INT);
BEGIN RUN 'by_run/1';
INSERT INTO by_run VALUES (1);
COMMIT;
ALTER TABLE by_run SET (immutable = true);
BEGIN RUN 'by_run/1' ON REPLAY RESTORE FORCE;
ROLLBACK;
