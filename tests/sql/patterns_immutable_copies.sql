-- run twice
-- patterns: immutable copies behind a proxy. Each run makes another table, named by its time; all of them are kept.
\set VERBOSITY sqlstate
SELECT to_char(clock_timestamp(), 'YYYYMMDD_HH24MISS_US') AS run, count(*) = 0 AS is_first FROM pg_roles WHERE rolname = 'loader' \gset
\if :is_first
CREATE ROLE legal;
CREATE USER loader;
CREATE SCHEMA archive AUTHORIZATION legal WITH (owns_objects = true);
GRANT USAGE, CREATE ON SCHEMA archive TO loader;
\endif
DROP TABLE IF EXISTS devices_staging;
CREATE TABLE devices_staging (type VARCHAR, full_name VARCHAR);
INSERT INTO devices_staging VALUES ('lg', 'LG one'), ('htc', 'HTC one');
GRANT SELECT ON devices_staging TO loader;
SET ROLE loader;
SET search_path = archive, public;
CREATE TABLE devices_internal_:run AS SELECT * FROM devices_staging;
ALTER TABLE devices_internal_:run SET (immutable = true);
CREATE OR REPLACE VIEW devices_latest AS SELECT * FROM devices_internal_:run;
SELECT * FROM devices_latest ORDER BY 1;
DROP TABLE devices_internal_:run;                       -- 42501: the table is immutable
-- What the loader has published it cannot destroy.
INSERT INTO devices_internal_:run VALUES ('sony', 'Sony one');
TRUNCATE TABLE devices_internal_:run;
DROP VIEW devices_latest;
SET ROLE NONE;
-- Not even somebody who may do everything, as long as it is closed.
DROP TABLE archive.devices_internal_:run;
SELECT bool_and(immutable) AS all_immutable FROM tables() WHERE table_name LIKE 'devices_internal_%';
-- Legal keeps every copy.
SELECT count(*) = CASE WHEN :'is_first' THEN 1 ELSE 2 END AS all_kept FROM tables() WHERE table_name LIKE 'devices_internal_%';
-- The versioned way does the same without new tables.
CREATE TABLE IF NOT EXISTS devices (type VARCHAR, full_name VARCHAR);
SELECT max(version) AS before FROM table_history('devices') \gset
INSERT OVERWRITE INTO devices SELECT * FROM devices_staging;
SELECT * FROM devices ORDER BY 1;
INSERT OVERWRITE INTO devices SELECT type, upper(full_name) FROM devices_staging;
SELECT * FROM devices ORDER BY 1;
SELECT * FROM devices VERSION AS OF (:before + 1) ORDER BY 1;
