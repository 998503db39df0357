-- Partitions that are wholly older than the newest timestamp less the TTL are dropped, by a commit of their own.
CREATE TABLE t (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY TTL 3 DAYS;
SELECT ttl FROM tables() WHERE table_name = 't';
INSERT INTO t SELECT '2024-01-01'::timestamp + i * INTERVAL '1 day', i FROM generate_series(0, 5) AS i;
SELECT ts, v FROM t;
SELECT version, operation, inserted, deleted, partitions FROM table_history('t');
SELECT count(*) FROM t VERSION AS OF 1;
ALTER TABLE t SET TTL 1 WEEK;
INSERT INTO t VALUES ('2024-01-08', 7);
SELECT min(ts), count(*) FROM t;
ALTER TABLE t SET TTL 2 DAYS;
SELECT min(ts), count(*) FROM t;
SHOW CREATE TABLE t;
CREATE TABLE m (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY MONTH TTL 1 MONTH;
INSERT INTO m VALUES ('2024-01-31', 1), ('2024-02-10', 2), ('2024-03-15', 3);
SELECT ts FROM m;
CREATE TABLE x (v INT) TTL 1 DAY;

-- However long; infinity is no newest timestamp.
CREATE TABLE long (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY TTL 2000 DAYS;
INSERT INTO long VALUES ('2018-01-01', 1), ('2020-01-01', 2), ('2024-01-01', 3);
SELECT ts FROM long;
ALTER TABLE long SET TTL 9000 YEARS;
ALTER TABLE long SET TTL 20000 HOURS;
INSERT INTO long VALUES ('2024-01-02', 4), ('infinity', 5);
SELECT ts FROM long;
ALTER TABLE long SET TTL 10001 YEARS;
ALTER TABLE long SET TTL 9999999999999 MONTHS;
INSERT INTO long VALUES ('2024-01-03', 6);
SELECT count(*) FROM long;
VACUUM long RETAIN 2000 HOURS DRY RUN;
