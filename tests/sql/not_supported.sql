-- Statements of the dialect that this version does not execute say so by name (0A000) instead of being ignored.
CREATE TABLE t (ts TIMESTAMP, id INT, d BOOLEAN) TIMESTAMP(ts);
CREATE TEMP VIEW u AS SELECT 1;
GRANT SELECT (id) ON t TO admin;
CREATE INDEX i ON t (id);
CREATE FUNCTION f() RETURNS int AS 'select 1' LANGUAGE sql;
SELECT 1 FROM t WINDOW JOIN t AS u RANGE BETWEEN 1h PRECEDING AND CURRENT ROW CROSS JOIN t AS v;
