-- run twice
-- A past step of a pipeline is run again: the table first goes back to the state before it, then the later steps follow. The states are
-- exactly those of the first time.
DROP TABLE IF EXISTS devices;
DROP TABLE IF EXISTS steps;
CREATE TABLE devices (name VARCHAR, note VARCHAR);
CREATE TABLE steps (day DATE, version_before BIGINT);
INSERT INTO devices VALUES ('A', 'first');

INSERT INTO steps SELECT '2024-10-05', max(version) FROM table_history('devices');
BEGIN;
UPDATE devices SET note = 'updated' WHERE name = 'A';
INSERT INTO devices VALUES ('B', 'added');
COMMIT;
SELECT * FROM devices ORDER BY 1;

INSERT INTO steps SELECT '2024-10-06', max(version) FROM table_history('devices');
BEGIN;
DELETE FROM devices WHERE name = 'B';
INSERT INTO devices VALUES ('C', 'added');
COMMIT;
SELECT * FROM devices ORDER BY 1;

INSERT INTO steps SELECT '2024-10-07', max(version) FROM table_history('devices');
INSERT INTO devices VALUES ('M', 'added'), ('N', 'added'), ('O', 'added');
SELECT * FROM devices ORDER BY 1;

-- 2024-10-06 again: the state that its step of the scheduler remembers.
SELECT * FROM steps ORDER BY 1;
RESTORE TABLE devices TO VERSION AS OF 2;
SELECT * FROM devices ORDER BY 1;
BEGIN;
DELETE FROM devices WHERE name = 'B';
INSERT INTO devices VALUES ('C', 'added');
COMMIT;
SELECT * FROM devices ORDER BY 1;
INSERT INTO devices VALUES ('M', 'added'), ('N', 'added'), ('O', 'added');
SELECT * FROM devices ORDER BY 1;
-- Where no earlier version exists: TRUNCATE. Compaction leaves version numbers alone.
TRUNCATE TABLE devices;
CHECKPOINT;
SELECT version, operation FROM table_history('devices') ORDER BY version DESC LIMIT 3;
SELECT max(version) FROM table_history('devices') WHERE operation = 'RESTORE';
