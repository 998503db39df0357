-- Partitions follow the calendar and are named by their start.
CREATE TABLE t (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '8 hours', x FROM generate_series(0, 8) AS g(x);
INSERT INTO t VALUES ('2023-12-31', -1);
SELECT name, minTimestamp, maxTimestamp, numRows FROM table_partitions('t');
SHOW PARTITIONS FROM t;

-- Dropping one reads no row.
ALTER TABLE t DROP PARTITION LIST '2024-01-02', '2023-12-31';
SELECT * FROM t;
ALTER TABLE t DROP PARTITION LIST '2024-01-02';
ALTER TABLE t DROP PARTITION LIST 'nonsense';
SELECT count() FROM t;

-- Every unit.
CREATE TABLE h (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY HOUR;
CREATE TABLE w (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY WEEK;
CREATE TABLE m (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY MONTH;
CREATE TABLE y (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY YEAR;
CREATE TABLE n (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY NONE;
INSERT INTO h VALUES ('2024-01-01T00:59:59.999999'), ('2024-01-01T01:00'), ('1969-12-31T23:59');
INSERT INTO w SELECT * FROM h;
INSERT INTO m SELECT * FROM h;
INSERT INTO y SELECT * FROM h;
INSERT INTO n SELECT * FROM h;
SELECT name, numRows FROM table_partitions('h');
SELECT name, numRows FROM table_partitions('w');
SELECT name, numRows FROM table_partitions('m');
SELECT name, numRows FROM table_partitions('y');
SELECT numRows FROM table_partitions('n');

-- A checkpoint writes what is in memory to segment files and changes nothing else.
CHECKPOINT;
SELECT * FROM t;
SELECT name, numRows, diskSize > 0 AS on_disk FROM table_partitions('t');
INSERT INTO t VALUES ('2024-01-01T04:00', 100);
UPDATE t SET v = v * 2 WHERE ts >= '2024-01-03';
SELECT * FROM t;
CHECKPOINT;
SELECT * FROM t;
TRUNCATE TABLE t;
SELECT count() FROM t;
