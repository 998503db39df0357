-- run twice
-- One view over many tables; a week is run again by emptying its table.
DROP VIEW IF EXISTS visits; DROP TABLE IF EXISTS visits_w01, visits_w02;
CREATE TABLE visits_w01 (visit_time TIMESTAMP, page VARCHAR) TIMESTAMP(visit_time);
CREATE TABLE visits_w02 (LIKE visits_w01);
CREATE OR REPLACE VIEW visits AS SELECT * FROM visits_w01 UNION ALL SELECT * FROM visits_w02;
TRUNCATE TABLE visits_w02;
INSERT INTO visits_w02 VALUES ('2024-01-09', '/a'), ('2024-01-10', '/b');
SELECT count(*) FROM visits;                            -- 2, however often the last two are repeated
TRUNCATE TABLE visits_w02;
INSERT INTO visits_w02 VALUES ('2024-01-09', '/a'), ('2024-01-10', '/b');
SELECT count(*) FROM visits;
SELECT page FROM visits WHERE visit_time >= '2024-01-10';
SHOW CREATE VIEW visits;

-- What a view reads cannot be dropped under it, except together with it.
DROP TABLE visits_w02;
BEGIN;
  CREATE OR REPLACE VIEW visits AS SELECT * FROM visits_w01;
  DROP TABLE visits_w02;
COMMIT;                                                 -- no reader of visits ever saw an error
SELECT count(*) FROM visits;
CREATE VIEW pages (name) AS SELECT DISTINCT page FROM visits;
INSERT INTO visits_w01 VALUES ('2024-01-01', '/z');
SELECT name FROM pages;
DROP VIEW visits;
DROP TABLE visits_w01 CASCADE;
SELECT * FROM visits;
SELECT * FROM pages;

-- A view binds by name when it is used: SELECT * shows columns that came later.
DROP TABLE IF EXISTS base CASCADE;
CREATE TABLE base (a INT);
CREATE VIEW all_of_base AS SELECT * FROM base;
ALTER TABLE base ADD COLUMN b INT DEFAULT 2;
INSERT INTO base VALUES (1);
SELECT * FROM all_of_base;
ALTER VIEW all_of_base RENAME TO renamed;
SELECT * FROM renamed;
CREATE VIEW base AS SELECT 1;
DROP VIEW base;
DROP TABLE renamed;
