-- Every commit that writes a table gives it the next version; DESCRIBE HISTORY and table_history() list them.
CREATE TABLE devices (type VARCHAR, version VARCHAR, name VARCHAR) WITH (history_retention = '30 days');
INSERT INTO devices VALUES ('lg', 'v1', 'LG one'), ('htc', 'v1', 'HTC one'), ('sony', 'v9', 'old');
UPDATE devices SET name = 'LG uno' WHERE type = 'lg';
DELETE FROM devices WHERE version = 'v1';
INSERT INTO devices VALUES ('nokia', 'v3', 'Nokia three');
SELECT version, operation, inserted, replaced, skipped, deleted, partitions FROM table_history('devices');
SELECT version, "user", operation, run FROM table_history('public.devices') WHERE operation = 'DELETE';
SELECT version FROM tables() WHERE table_name = 'devices';

-- A past version is read like a table; it has the columns that it had then.
SELECT * FROM devices VERSION AS OF 1 ORDER BY type;
SELECT type, name FROM devices VERSION AS OF 2 AS d ORDER BY 1;
SELECT count(*) FROM devices VERSION AS OF 0;
SELECT now_.type FROM devices AS now_ JOIN devices VERSION AS OF 1 AS old_ ON now_.type = old_.type;
SELECT count(*) FROM devices TIMESTAMP AS OF now();
SELECT count(*) FROM devices FOR SYSTEM_TIME AS OF now();
ALTER TABLE devices DROP COLUMN version;
ALTER TABLE devices RENAME COLUMN name TO full_name;
SELECT * FROM devices ORDER BY type;
SELECT * FROM devices VERSION AS OF 4 ORDER BY type;
-- Errors name what can be read.
SELECT * FROM devices VERSION AS OF 99;
SELECT * FROM devices VERSION AS OF -1;
SELECT * FROM devices VERSION AS OF NULL;
CREATE VIEW v AS SELECT * FROM devices VERSION AS OF 1;
SELECT count(*) FROM v;
SELECT * FROM v VERSION AS OF 1;

-- RESTORE is itself a new version; name and options are not part of one.
RESTORE TABLE devices TO VERSION AS OF 1;
SELECT * FROM devices ORDER BY type;
SELECT version, operation FROM table_history('devices') WHERE version > 4;
SHOW CREATE TABLE devices;
BEGIN;
RESTORE TABLE devices TO VERSION AS OF 4;
INSERT INTO devices VALUES ('added', 'v0', 'in the same transaction');
SELECT type FROM devices ORDER BY 1;
SELECT count(*) FROM devices VERSION AS OF 7;
COMMIT;
SELECT type FROM devices ORDER BY 1;
CHECKPOINT;
SELECT type FROM devices VERSION AS OF 3;
RESTORE TABLE devices TO VERSION AS OF 2;
SELECT * FROM devices ORDER BY type;
RESTORE TABLE devices TO VERSION AS OF 77;
RESTORE TABLE nowhere TO VERSION AS OF 1;

-- Tags name a version and keep it.
ALTER TABLE devices CREATE TAG 'release 1' AS OF VERSION 1;
ALTER TABLE devices CREATE TAG 'present';
ALTER TABLE devices CREATE TAG '';
ALTER TABLE devices CREATE TAG 'soon' RETAIN 3 DAYS;
ALTER TABLE devices CREATE TAG 'present';
SELECT tag, version, expires_at IS NULL AS for_ever FROM table_tags('devices');
SELECT count(*) FROM devices AT TAG 'release 1';
SELECT count(*) FROM devices AT TAG 'release 2';
TRUNCATE TABLE devices;
RESTORE TABLE devices TO TAG 'present';
SELECT count(*) FROM devices;
ALTER TABLE devices DROP TAG 'soon';
ALTER TABLE devices DROP TAG 'soon';
ALTER TABLE devices DROP TAG IF EXISTS 'soon';

-- UNDROP brings a table back, under its own name or another.
DROP VIEW v;
DROP TABLE devices;
SELECT table_name FROM dropped_tables();
UNDROP TABLE devices AS devices_again;
SELECT count(*) FROM devices_again;
SELECT version, operation FROM table_history('devices_again') ORDER BY version DESC LIMIT 1;
UNDROP TABLE devices;
CREATE TABLE devices (a INT);
DROP TABLE devices;
CREATE TABLE devices (b INT);
UNDROP TABLE devices;
DROP TABLE devices;
UNDROP TABLE devices;
SELECT * FROM devices;

-- VACUUM gives back what nothing asks for; tags hold their versions.
VACUUM;
VACUUM devices_again RETAIN 0 HOURS DRY RUN;
VACUUM devices_again RETAIN 0 HOURS;
SELECT count(*) FROM devices_again VERSION AS OF 2;
SELECT count(*) FROM devices_again AT TAG 'release 1';
SELECT count(*) FROM devices_again;
BEGIN;
VACUUM;
ROLLBACK;
ALTER TABLE devices_again SET (history_retention = '2 weeks');
ALTER TABLE devices_again SET (history_retention = 'a while');
ALTER TABLE devices_again SET (fillfactor = 70);
SHOW history_retention;

-- Within the transaction that dropped it a table comes back as it was before; of several of one name the one dropped last.
CREATE TABLE gadgets (id INT);
DROP TABLE gadgets;
CREATE TABLE gadgets (id INT, name VARCHAR);
INSERT INTO gadgets VALUES (1, 'one');
INSERT INTO gadgets VALUES (2, 'two');
BEGIN;
DELETE FROM gadgets WHERE id = 1;
DROP TABLE gadgets;
UNDROP TABLE gadgets;
SELECT * FROM gadgets;
COMMIT;
SELECT * FROM gadgets;
SELECT version, operation FROM table_history('gadgets');
