-- run twice
-- patterns: all or nothing. Two files, one transaction; the second has a value that does not fit.
DROP TABLE IF EXISTS readings, notes;
CREATE TABLE readings (ts TIMESTAMP, sensor SYMBOL, value DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
CREATE TABLE notes (id INT, note VARCHAR(5));
BEGIN;
COPY readings FROM STDIN (FORMAT csv);
2024-01-15T10:00:00,a,1.5
2024-01-15T10:01:00,b,2.5
\.
COPY notes FROM STDIN (FORMAT csv);
1,short
2,much too long
\.
COMMIT;
SELECT (SELECT count(*) FROM readings) AS readings, (SELECT count(*) FROM notes) AS notes;
-- Without it both are there, and at once.
BEGIN;
COPY readings FROM STDIN (FORMAT csv);
2024-01-15T10:00:00,a,1.5
2024-01-15T10:01:00,b,2.5
\.
COPY notes FROM STDIN (FORMAT csv);
1,short
\.
COMMIT;
SELECT (SELECT count(*) FROM readings) AS readings, (SELECT count(*) FROM notes) AS notes;
-- A retry that does not know whether its COMMIT arrived sends the transaction again under the same key.
CREATE TABLE IF NOT EXISTS loaded (day DATE, rows BIGINT);
BEGIN RUN 'load/2024-01-15';
INSERT INTO loaded VALUES ('2024-01-15', 2);
COMMIT;
BEGIN RUN 'load/2024-01-15';
INSERT INTO loaded VALUES ('2024-01-15', 2);
COMMIT;
SELECT * FROM loaded;
