-- Statements of the dialect that this version does not execute say so by name (0A000) instead of being ignored.
CREATE TABLE t (ts TIMESTAMP, id INT, d BOOLEAN) TIMESTAMP(ts);
MERGE INTO t USING t AS s ON t.id = s.id WHEN MATCHED THEN DELETE;
INSERT OVERWRITE INTO t SELECT * FROM t;
INSERT INTO t REPLACE WHERE id = 1 SELECT * FROM t;
COPY t FROM STDIN (FORMAT csv, OVERWRITE ALL);
\.
COPY t FROM STDIN (FORMAT csv, ON_NEW_COLUMN add);
\.
BEGIN RUN 'devices/2024-10-07';
SET run = 'key';
FORGET RUN 'key';
ALTER TABLE t SET (immutable = true);
CREATE TEMP TABLE u (id INT);
CREATE MATERIALIZED VIEW m AS SELECT ts, count() FROM t SAMPLE BY 1h;
GRANT SELECT ON t TO admin;
BEGIN;
SAVEPOINT a;
ROLLBACK;
LISTEN channel;
CREATE INDEX i ON t (id);
CREATE FUNCTION f() RETURNS int AS 'select 1' LANGUAGE sql;
SELECT * FROM t SPLICE JOIN t AS u;
