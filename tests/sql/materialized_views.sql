-- run twice
-- What a query gave when it was refreshed, kept as a table.
DROP TABLE IF EXISTS trades CASCADE; DROP TABLE IF EXISTS spare CASCADE; DROP SCHEMA IF EXISTS s CASCADE;
CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, price BIGINT) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, sym);
INSERT INTO trades VALUES ('2024-01-01T10:00', 'A', 1), ('2024-01-01T10:30', 'A', 2), ('2024-01-01T11:00', 'B', 3),
  ('2024-01-02T10:00', 'A', 4), ('2024-01-03T10:00', 'B', 5);
CREATE MATERIALIZED VIEW hourly REFRESH MANUAL AS SELECT ts, sym, sum(price) AS total, count() AS n FROM trades SAMPLE BY 1h;
SELECT * FROM hourly ORDER BY ts, sym;

-- Until the next refresh the rows stay what they were.
INSERT INTO trades VALUES ('2024-01-02T10:15', 'A', 6);
SELECT total FROM hourly WHERE ts = '2024-01-02T10:00';
SELECT view_name, refresh, base_tables, populated, stale, last_error, query FROM materialized_views();
REFRESH MATERIALIZED VIEW hourly;
SELECT total FROM hourly WHERE ts = '2024-01-02T10:00';
SELECT stale FROM materialized_views() WHERE view_name = 'hourly';

-- Only what is no longer right is written: one row goes, one comes. A refresh that finds nothing new makes no version.
REFRESH MATERIALIZED VIEW hourly;
REFRESH MATERIALIZED VIEW hourly FULL;
SELECT version, operation, inserted, deleted FROM table_history('hourly');
INSERT INTO trades VALUES ('2024-01-02T10:15', 'A', 6);  -- an upsert that changes nothing
REFRESH MATERIALIZED VIEW hourly;
DELETE FROM trades WHERE ts = '2024-01-02T10:15';
REFRESH MATERIALIZED VIEW hourly;
ALTER TABLE trades DROP PARTITION LIST '2024-01-03';
REFRESH MATERIALIZED VIEW hourly;
SELECT * FROM hourly ORDER BY ts, sym;
SELECT version, operation, inserted, deleted FROM table_history('hourly');
SELECT ts, total FROM hourly VERSION AS OF 2 WHERE ts >= '2024-01-02' ORDER BY ts;
RESTORE TABLE trades TO VERSION AS OF 1;
REFRESH MATERIALIZED VIEW hourly;
SELECT count(*) FROM (SELECT * FROM hourly EXCEPT ALL SELECT ts, sym, sum(price), count() FROM trades SAMPLE BY 1h);

-- Nobody changes its rows.
INSERT INTO hourly VALUES ('2024-01-01', 'A', 1, 1);
UPDATE hourly SET n = 1;
DELETE FROM hourly;
TRUNCATE hourly;
MERGE INTO hourly h USING trades t ON h.ts = t.ts WHEN MATCHED THEN DELETE;
INSERT OVERWRITE hourly SELECT ts, sym, 1, 1 FROM trades;
ALTER TABLE hourly ADD COLUMN x INT;
ALTER TABLE hourly DROP PARTITION LIST '2024-01';
RESTORE TABLE hourly TO VERSION AS OF 1;
ALTER MATERIALIZED VIEW hourly DROP COLUMN n;
CREATE OR REPLACE TABLE hourly (a INT);
DROP TABLE hourly;
DROP VIEW hourly;
DROP MATERIALIZED VIEW trades;
REFRESH MATERIALIZED VIEW trades;
ALTER MATERIALIZED VIEW trades RENAME TO x;
CREATE MATERIALIZED VIEW hourly AS SELECT 1;
CREATE MATERIALIZED VIEW IF NOT EXISTS hourly AS SELECT 1;

-- What it reads cannot go, nor change so that the query no longer gives its columns.
DROP TABLE trades;
ALTER TABLE trades DROP COLUMN price;
ALTER TABLE trades RENAME COLUMN price TO cost;
ALTER TABLE trades ALTER COLUMN price TYPE DOUBLE;
ALTER TABLE trades RENAME TO deals;
ALTER TABLE trades ADD COLUMN note VARCHAR;
ALTER TABLE trades DROP COLUMN note;
BEGIN; ALTER TABLE trades RENAME TO deals; CREATE VIEW trades AS SELECT * FROM deals; COMMIT;
REFRESH MATERIALIZED VIEW hourly;
SELECT base_tables, stale FROM materialized_views();
BEGIN; DROP VIEW trades; ALTER TABLE deals RENAME TO trades; COMMIT;
REFRESH MATERIALIZED VIEW hourly;

-- Views over it, plain and materialized.
CREATE VIEW busy AS SELECT ts, sym FROM hourly WHERE n > 1;
CREATE MATERIALIZED VIEW daily REFRESH MANUAL AS SELECT ts, sum(total) AS total FROM hourly SAMPLE BY 1d;
SELECT * FROM busy;
SELECT * FROM daily;
INSERT INTO trades VALUES ('2024-01-01T12:00', 'C', 100);
REFRESH MATERIALIZED VIEW daily;
SELECT view_name, stale FROM materialized_views();
REFRESH MATERIALIZED VIEW hourly;
REFRESH MATERIALIZED VIEW daily;
SELECT * FROM daily;
DROP MATERIALIZED VIEW hourly;
DROP MATERIALIZED VIEW hourly CASCADE;
SELECT view_name FROM materialized_views();
DROP MATERIALIZED VIEW hourly;
DROP MATERIALIZED VIEW IF EXISTS hourly;

-- Dropped and brought back it still is a view; its next refresh computes everything.
CREATE MATERIALIZED VIEW hourly REFRESH EVERY 1h AS SELECT ts, count() AS n FROM trades SAMPLE BY 1h;
DROP MATERIALIZED VIEW hourly;
UNDROP TABLE hourly;
SELECT view_name, refresh, versions_read, stale FROM materialized_views();
REFRESH MATERIALIZED VIEW hourly;
SELECT stale FROM materialized_views();
ALTER TABLE trades DROP COLUMN price CASCADE;           -- hourly does without it
DROP TABLE trades CASCADE;

-- Without time: computed as a whole, and still only what differs is written.
CREATE TABLE spare (k VARCHAR, v NUMERIC(10, 2), tags VARCHAR[]);
INSERT INTO spare VALUES ('a', 1.5, '{x,y}'), ('a', 2, NULL), ('b', NULL, '{}'), (NULL, 3, NULL);
CREATE MATERIALIZED VIEW per_key (key, total, n) REFRESH MANUAL AS SELECT k, sum(v), count(*) FROM spare GROUP BY k;
SELECT * FROM per_key ORDER BY key;
UPDATE spare SET v = 4 WHERE k IS NULL;
REFRESH MATERIALIZED VIEW per_key;
SELECT * FROM per_key ORDER BY key;
SELECT version, operation, inserted, deleted FROM table_history('per_key');
CREATE MATERIALIZED VIEW copied REFRESH MANUAL AS SELECT * FROM spare;
ALTER TABLE spare ADD COLUMN later INT;                 -- what SELECT * gives more is left out
INSERT INTO spare VALUES ('c', 9, '{z}', 1);
REFRESH MATERIALIZED VIEW copied;
SELECT * FROM copied ORDER BY k, v;

-- Buckets of functions and queries of WITH: computed where the tables changed, and by time in themselves.
CREATE TABLE ticks (ts TIMESTAMP, sym SYMBOL, price BIGINT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO ticks VALUES ('2024-01-01T10:00', 'A', 1), ('2024-01-01T10:30', 'A', 2), ('2024-01-02T11:00', 'B', 3);
CREATE MATERIALIZED VIEW by_day REFRESH MANUAL AS
  SELECT sym, date_trunc('day', ts) AS day, sum(price) AS total FROM ticks GROUP BY sym, day;
CREATE MATERIALIZED VIEW by_quarter REFRESH MANUAL AS
  WITH dear AS (SELECT date_bin('15 minutes', ts, '2001-01-01') AS quarter, price FROM ticks WHERE price > 1)
  SELECT quarter, max(price) AS most FROM dear GROUP BY quarter HAVING count(*) > 0;
CREATE MATERIALIZED VIEW by_second REFRESH MANUAL AS SELECT timestamp_floor('10s', ts), count(*) FROM ticks GROUP BY 1;
CREATE MATERIALIZED VIEW by_moment REFRESH MANUAL AS SELECT DISTINCT ts, sym FROM ticks;
CREATE MATERIALIZED VIEW with_sums REFRESH MANUAL AS SELECT date_trunc('day', ts) AS day, sum(price) FROM ticks GROUP BY ROLLUP (1);
SELECT table_name, designatedTimestamp, partitionBy FROM tables()
  WHERE table_name LIKE 'by\_%' OR table_name = 'with_sums' ORDER BY 1;
INSERT INTO ticks VALUES ('2024-01-02T11:20', 'A', 4), ('2024-02-01T00:00', 'C', 5);
DELETE FROM ticks WHERE price = 2;
REFRESH MATERIALIZED VIEW by_day;
REFRESH MATERIALIZED VIEW by_quarter;
REFRESH MATERIALIZED VIEW by_second;
REFRESH MATERIALIZED VIEW by_moment;
SELECT * FROM by_day ORDER BY day, sym;
SELECT * FROM by_quarter ORDER BY 1;
SELECT * FROM by_second ORDER BY 1;
SELECT * FROM by_moment ORDER BY 1;
SELECT version, operation, inserted, deleted FROM table_history('by_day');
DROP TABLE ticks CASCADE;

-- WITH NO DATA: there is nothing to read yet.
CREATE MATERIALIZED VIEW later REFRESH MANUAL AS SELECT k, count(*) FROM spare GROUP BY k WITH NO DATA;
SELECT * FROM later;
REFRESH MATERIALIZED VIEW later;
SELECT count(*) FROM later;
REFRESH MATERIALIZED VIEW later WITH NO DATA;
SELECT * FROM later;
SELECT view_name, populated, stale FROM materialized_views() ORDER BY 1;

-- In a transaction: it sees what the transaction wrote, and goes with it.
BEGIN;
  INSERT INTO spare (k, v) VALUES ('t', 1);
  REFRESH MATERIALIZED VIEW per_key;
  SELECT * FROM per_key WHERE key = 't';
ROLLBACK;
SELECT * FROM per_key WHERE key = 't';
BEGIN;
  INSERT INTO spare (k, v) VALUES ('t', 1);
  REFRESH MATERIALIZED VIEW per_key;
  INSERT INTO spare (k, v) VALUES ('t', 2);
COMMIT;
REFRESH MATERIALIZED VIEW per_key;
SELECT * FROM per_key WHERE key = 't';

-- What it is, as clients ask.
CREATE SCHEMA s;
CREATE MATERIALIZED VIEW s."By Key" REFRESH EVERY 2 hours AS SELECT k, max(v) AS "Most" FROM spare GROUP BY k;
SHOW CREATE TABLE s."By Key";
SHOW CREATE VIEW per_key;
SELECT relname, relkind, relispopulated FROM pg_class WHERE relname IN ('per_key', 'later', 'spare') ORDER BY 1;
SELECT schemaname, matviewname, ispopulated, definition FROM pg_matviews ORDER BY 1, 2;
SELECT tablename FROM pg_tables WHERE schemaname = 'public';
SELECT pg_get_viewdef('per_key'::regclass);
\d per_key
\dm
ALTER MATERIALIZED VIEW per_key RENAME TO by_key;
ALTER MATERIALIZED VIEW by_key SET (history_retention = '1 day');
ALTER MATERIALIZED VIEW by_key CREATE TAG 'first';
ALTER MATERIALIZED VIEW IF EXISTS nowhere RENAME TO somewhere;
SELECT count(*) FROM by_key AT TAG 'first';

-- When it is refreshed can be changed; it takes no version, and what the view has read stays known.
ALTER MATERIALIZED VIEW by_key SET REFRESH EVERY 90 minutes;
SELECT refresh, stale FROM materialized_views() WHERE view_name = 'by_key';
SHOW CREATE VIEW by_key;
BEGIN;
  ALTER MATERIALIZED VIEW by_key SET REFRESH MANUAL;
ROLLBACK;
SELECT refresh FROM materialized_views() WHERE view_name = 'by_key';
ALTER MATERIALIZED VIEW by_key SET REFRESH MANUAL;
INSERT INTO spare (k, v) VALUES ('u', 9);
SELECT refresh, stale FROM materialized_views() WHERE view_name = 'by_key';
SELECT max(version) - min(version) AS versions_since FROM table_history('by_key') WHERE operation LIKE 'ALTER%';
REFRESH MATERIALIZED VIEW by_key;
SELECT * FROM by_key WHERE key = 'u';
ALTER MATERIALIZED VIEW by_key SET REFRESH EVERY 0 hours;
ALTER MATERIALIZED VIEW by_key SET REFRESH SOMETIMES;
ALTER MATERIALIZED VIEW by_key SET REFRESH MANUAL, SET REFRESH IMMEDIATE;
ALTER TABLE spare SET REFRESH MANUAL;
ALTER MATERIALIZED VIEW spare SET REFRESH MANUAL;

-- What is not for it.
CREATE MATERIALIZED VIEW m REFRESH EVERY 1 month AS SELECT 1;
CREATE MATERIALIZED VIEW m WITH (fillfactor = 1) AS SELECT 1;
CREATE MATERIALIZED VIEW m AS SELECT ts FROM nowhere SAMPLE BY 1h;
CREATE MATERIALIZED VIEW m (a, b) AS SELECT 1;
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 2 AS a;
CREATE TEMP TABLE mine (a INT);
CREATE MATERIALIZED VIEW m AS SELECT * FROM mine;
DROP SCHEMA s;
DROP SCHEMA s CASCADE;
DROP TABLE spare CASCADE;
SELECT count(*) FROM materialized_views();
