-- WINDOW JOIN: each left row with aggregates over the right rows of its keys and of a time around its own.
CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, amount BIGINT) TIMESTAMP(ts) PARTITION BY DAY;
CREATE TABLE quotes (ts TIMESTAMP, sym SYMBOL, venue VARCHAR, bid DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO trades VALUES
  ('2024-01-01T10:00:00', 'A', 1), ('2024-01-01T10:05:00', 'A', 2), ('2024-01-01T10:05:00', 'B', 3),
  ('2024-01-01T10:06:00', 'C', 4), ('2024-01-01T10:09:00', NULL, 5), ('2024-01-01T10:10:00', 'A', 6);
INSERT INTO quotes VALUES
  ('2024-01-01T09:58:00', 'A', 'x', 1), ('2024-01-01T10:03:00', 'A', 'y', 2), ('2024-01-01T10:04:00', 'B', 'x', 10),
  ('2024-01-01T10:04:30', 'A', 'x', 3), ('2024-01-01T10:05:00', 'A', 'y', 4), ('2024-01-01T10:06:00', 'A', 'x', 5),
  ('2024-01-01T10:07:00', 'B', 'x', 11), ('2024-01-01T10:09:00', NULL, 'x', 99);

-- Both bounds belong to the window; the prevailing row is the last one before it.
SELECT t.ts, t.sym, t.amount, count(q.bid) AS n, sum(q.bid), array_agg(q.bid) AS bids
  FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND 1 minute FOLLOWING;
SELECT t.ts, t.sym, count(q.bid), sum(q.bid)
  FROM trades t WINDOW JOIN quotes q ON (t.sym = q.sym) RANGE BETWEEN 1 minute PRECEDING AND 1 minute FOLLOWING EXCLUDE PREVAILING;
SELECT t.ts, t.sym, array_agg(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 30 seconds PRECEDING AND CURRENT ROW EXCLUDE PREVAILING;
SELECT t.ts, t.sym, max(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute FOLLOWING AND 2 minutes FOLLOWING EXCLUDE PREVAILING;

-- Without keys; expressions of both sides; FILTER, DISTINCT and ORDER BY in aggregates; conditions on the left side.
SELECT t.ts, t.amount * 10 AS ten, count(*), count(DISTINCT q.venue), sum(q.bid * t.amount) FILTER (WHERE q.venue = 'x') AS x,
       string_agg(q.venue, ',' ORDER BY q.bid DESC)
  FROM trades t WINDOW JOIN quotes q RANGE BETWEEN 2 minutes PRECEDING AND CURRENT ROW EXCLUDE PREVAILING
  WHERE t.amount > 1 ORDER BY t.amount DESC;
SELECT sym, avg(n) FROM (SELECT t.sym, count(q.bid) AS n FROM trades t WINDOW JOIN quotes q ON sym
  RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) GROUP BY sym ORDER BY sym;
-- The result keeps the left side's time.
SELECT ts, max(n) FROM (SELECT t.ts, count(q.bid) AS n FROM trades t WINDOW JOIN quotes q ON sym
  RANGE BETWEEN 1 hour PRECEDING AND CURRENT ROW) SAMPLE BY 5m;
EXPLAIN SELECT t.ts, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND CURRENT ROW WHERE t.amount = 2;

-- What it is not for.
SELECT t.ts, q.bid FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND CURRENT ROW;
SELECT t.ts, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON sym;
SELECT t.ts, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND CURRENT ROW WHERE q.bid > 1;
SELECT t.sym, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND CURRENT ROW GROUP BY t.sym;
SELECT t.ts, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute FOLLOWING AND 1 minute PRECEDING;
SELECT 1 FROM trades t WINDOW JOIN quotes q ON sym RANGE BETWEEN 1 minute PRECEDING AND CURRENT ROW JOIN trades u ON true;
