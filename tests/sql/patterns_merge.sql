-- run twice
-- patterns: merge a file of changes through a temporary table.
DROP TABLE IF EXISTS devices;
CREATE TABLE devices (type VARCHAR, version VARCHAR, full_name VARCHAR);
INSERT INTO devices VALUES ('lg', 'v1', 'LG one'), ('htc', 'v1', 'HTC one'), ('sony', 'v9', 'old');
BEGIN;
CREATE TEMPORARY TABLE changed_devices (LIKE devices) ON COMMIT DROP;
ALTER TABLE changed_devices ADD COLUMN is_deleted BOOLEAN;
COPY changed_devices FROM STDIN CSV DELIMITER ';' HEADER;
type;version;full_name;is_deleted
lg;v1;LG uno;false
sony;v9;;true
nokia;v3;Nokia three;false
gone;v0;never there;true
\.
MERGE INTO devices AS t USING changed_devices AS s ON t.type = s.type AND t.version = s.version
WHEN MATCHED AND s.is_deleted = true THEN DELETE
WHEN MATCHED AND s.is_deleted = false THEN UPDATE SET full_name = s.full_name
WHEN NOT MATCHED AND s.is_deleted = false THEN INSERT (full_name, version, type) VALUES (s.full_name, s.version, s.type);
COMMIT;
SELECT type, full_name FROM devices ORDER BY 1;         -- htc|HTC one, lg|LG uno, nokia|Nokia three
