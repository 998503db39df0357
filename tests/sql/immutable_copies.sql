-- run twice
-- patterns.md, 8: each run loads a new table, closes it and points a view at it; the loading role cannot destroy anything.
CREATE ROLE legal;
CREATE USER loader;
CREATE USER analyst;
CREATE SCHEMA archive AUTHORIZATION legal WITH (owns_objects = true);
GRANT USAGE, CREATE ON SCHEMA archive TO loader;
GRANT USAGE ON SCHEMA archive TO analyst;
CREATE TABLE devices_staging (type VARCHAR, full_name VARCHAR);
INSERT INTO devices_staging VALUES ('lg', 'LG one'), ('htc', 'HTC one');
GRANT SELECT ON devices_staging TO loader;
SET ROLE loader;
SET search_path = archive, public;
CREATE TABLE devices_internal_20241007_101500 AS SELECT * FROM devices_staging;
ALTER TABLE devices_internal_20241007_101500 SET (immutable = true);
CREATE OR REPLACE VIEW devices_latest AS SELECT * FROM devices_internal_20241007_101500;
DROP TABLE devices_internal_20241007_101500;
-- The next run.
CREATE TABLE devices_internal_20241008_101500 AS SELECT * FROM devices_staging;
INSERT INTO devices_internal_20241008_101500 VALUES ('sony', 'Sony one');
-- Not even before it is closed.
DROP TABLE devices_internal_20241008_101500;
TRUNCATE devices_internal_20241008_101500;
DELETE FROM devices_internal_20241008_101500;
ALTER TABLE devices_internal_20241008_101500 RENAME TO gone;
ALTER TABLE devices_internal_20241008_101500 SET (immutable = true);
ALTER TABLE devices_internal_20241008_101500 SET (immutable = false);
CREATE OR REPLACE VIEW devices_latest AS SELECT * FROM devices_internal_20241008_101500;
DROP VIEW devices_latest;
SELECT count(*) FROM devices_latest;
-- Not by repeating a run either.
BEGIN RUN 'archive/1';
CREATE TABLE devices_by_run AS SELECT * FROM devices_staging;
COMMIT;
BEGIN RUN 'archive/1' ON REPLAY RESTORE;
ROLLBACK;
BEGIN RUN 'archive/2';
INSERT INTO devices_by_run VALUES ('nokia', 'Nokia three');
COMMIT;
BEGIN RUN 'archive/2' ON REPLAY RESTORE;
ROLLBACK;
SET ROLE NONE;
SELECT table_name, owner, immutable FROM tables() ORDER BY 1;
GRANT SELECT ON archive.devices_latest TO analyst;
SET ROLE analyst;
SELECT count(*) FROM archive.devices_latest;
SELECT count(*) FROM archive.devices_internal_20241008_101500;
SET ROLE NONE;
SELECT relname, relacl FROM pg_class WHERE relname LIKE 'devices_%' ORDER BY 1;
DROP TABLE archive.devices_internal_20241007_101500;
-- Only who may do everything takes it away again: by opening the tables first.
ALTER TABLE archive.devices_internal_20241007_101500 SET (immutable = false);
ALTER TABLE archive.devices_internal_20241008_101500 SET (immutable = false);
DROP SCHEMA archive CASCADE;
DROP TABLE devices_staging;
FORGET RUN 'archive/1';
FORGET RUN 'archive/2';
DROP ROLE analyst;
DROP ROLE loader;
DROP ROLE legal;
