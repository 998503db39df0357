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

-- A name or a column that a view reads can go only with it, or come back in the same transaction.
ALTER TABLE base RENAME TO elsewhere;
BEGIN;
  ALTER TABLE base RENAME TO before;
  CREATE TABLE base (LIKE before);
  DROP TABLE before;
COMMIT;
SELECT * FROM renamed;
CREATE VIEW over_it AS SELECT a + 1 AS next FROM renamed;
ALTER VIEW renamed RENAME TO elsewhere;
ALTER TABLE base RENAME COLUMN a TO c;
ALTER TABLE base DROP COLUMN a;
ALTER TABLE base ALTER COLUMN a TYPE JSONB USING to_jsonb(a);
ALTER TABLE base DROP COLUMN b;
ALTER TABLE base ADD COLUMN d INT;
ALTER TABLE base DROP COLUMN a CASCADE;
SELECT * FROM over_it;
SELECT * FROM renamed;

-- With a schema go the views elsewhere that read it.
DROP SCHEMA IF EXISTS inner_ones CASCADE;
CREATE SCHEMA inner_ones;
CREATE TABLE inner_ones.t (a INT);
CREATE VIEW outer_one AS SELECT a FROM inner_ones.t;
CREATE VIEW outer_two AS SELECT a FROM outer_one;
DROP SCHEMA inner_ones;
DROP SCHEMA inner_ones CASCADE;
SELECT * FROM outer_two;

-- Its columns have different names.
CREATE VIEW twice AS SELECT 1 AS a, 2 AS a;
CREATE VIEW twice (a) AS SELECT 1, 2 AS a;
CREATE VIEW twice (a, b, c) AS SELECT 1, 2;

-- No view is temporary, nor reads what only one session has.
CREATE TEMP VIEW mine AS SELECT 1;
CREATE TEMP TABLE base (a INT);
CREATE VIEW mine AS SELECT a FROM base;
CREATE OR REPLACE VIEW renamed AS SELECT a FROM (SELECT * FROM pg_temp.base) x WHERE false;
CREATE VIEW mine AS SELECT (SELECT max(a) FROM base) AS a;
SELECT * FROM renamed;
