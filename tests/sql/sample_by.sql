CREATE TABLE t (ts TIMESTAMP, k SYMBOL, p DOUBLE, q DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t VALUES ('2024-01-15T10:00:10', 'a', 1, 10), ('2024-01-15T10:01:50', 'b', 2, 20), ('2024-01-15T10:02:30', 'a', 3, 30),
  ('2024-01-15T10:07:00', 'a', 7, 10), ('2024-01-15T10:07:00', 'b', 5, 10), ('2024-01-15T11:30:00', 'b', 9, 1);

-- Buckets begin where the calendar says.
SELECT ts, first(p), max(p), min(p), last(p), sum(q), count() FROM t SAMPLE BY 1m;
SELECT ts, count() FROM t SAMPLE BY 1h ALIGN TO CALENDAR;
SELECT ts, k, sum(q) FROM t SAMPLE BY 5m ORDER BY ts, k;

-- Every unit.
SELECT ts, count() FROM t SAMPLE BY 30s LIMIT 2;
SELECT ts, count() FROM t SAMPLE BY 1d;
SELECT ts, count() FROM t SAMPLE BY 1w;
SELECT ts, count() FROM t SAMPLE BY 1M;
SELECT ts, count() FROM t SAMPLE BY 1y;
SELECT ts, count() FROM t SAMPLE BY 500T LIMIT 1;

-- Offsets and time zones.
SELECT ts, count() FROM t SAMPLE BY 1d ALIGN TO CALENDAR TIME ZONE 'America/New_York';
SELECT ts, count() FROM t SAMPLE BY 1h ALIGN TO CALENDAR WITH OFFSET '00:30';
SELECT ts, count() FROM t SAMPLE BY 1h ALIGN TO FIRST OBSERVATION;

-- Empty buckets.
SELECT ts, sum(q), avg(p) FROM t SAMPLE BY 30m FILL(NULL);
SELECT ts, sum(q) FROM t SAMPLE BY 30m FILL(PREV);
SELECT ts, sum(q), avg(p) FROM t SAMPLE BY 30m FILL(0, -1);
SELECT ts, sum(q) FROM t SAMPLE BY 30m FILL(LINEAR);
SELECT ts, sum(q) FROM t SAMPLE BY 30m FROM '2024-01-15T09:00' TO '2024-01-15T12:00' FILL(0);

-- Of a part of the table, and of a subquery.
SELECT ts, count() FROM t WHERE k = 'b' SAMPLE BY 1h;
SELECT ts, n FROM (SELECT ts, count() AS n FROM t SAMPLE BY 1m) WHERE n > 1;
SELECT avg(n) FROM (SELECT ts, count() AS n FROM t SAMPLE BY 1h);

-- What cannot be says so.
SELECT ts, count() FROM t SAMPLE BY 1x;
SELECT ts, count() FROM t SAMPLE BY 0m;
SELECT k, count() FROM (VALUES ('a')) AS v(k) SAMPLE BY 1h;
