-- run twice
-- patterns: overwriting.
DROP TABLE IF EXISTS devices, devices_staging, visits, visits_raw, fixed;
CREATE TABLE devices_staging (id INT, name VARCHAR, state VARCHAR);
INSERT INTO devices_staging VALUES (1, 'one', 'valid'), (2, 'two', 'broken'), (3, 'three', 'valid');
CREATE TABLE devices (LIKE devices_staging);
INSERT INTO devices VALUES (9, 'old', 'valid');
CREATE TABLE visits (visit_time TIMESTAMP, visit_id INT, page VARCHAR) TIMESTAMP(visit_time) PARTITION BY DAY;
CREATE TABLE visits_raw (LIKE visits);
CREATE TABLE fixed (LIKE visits);
INSERT INTO visits VALUES ('2024-01-14', 1, '/a'), ('2024-01-15', 2, '/a'), ('2024-01-15', 3, '/b'), ('2024-01-16', 4, '/b');
INSERT INTO visits_raw VALUES ('2024-01-15 10:00', 5, '/c'), ('2024-01-15 11:00', 6, '/a'), ('2024-01-17', 7, '/c');
INSERT INTO fixed VALUES ('2024-01-14', 1, '/a'), ('2024-01-15 11:00', 60, '/a');

INSERT OVERWRITE INTO devices SELECT * FROM devices_staging WHERE state = 'valid';
SELECT * FROM devices ORDER BY id;
INSERT OVERWRITE INTO visits PARTITION DYNAMIC SELECT * FROM visits_raw WHERE visit_time IN '2024-01-15';
SELECT * FROM visits;
INSERT INTO visits REPLACE WHERE page = '/a' SELECT * FROM fixed;
SELECT * FROM visits;
COPY devices FROM STDIN (FORMAT csv, HEADER, OVERWRITE ALL);
id,name,state
7,seven,valid
8,eight,valid
\.
SELECT * FROM devices ORDER BY id;
INSERT INTO visits (visit_id, visit_time) SELECT visit_id, visit_time FROM visits_raw;
SELECT * FROM visits;
