-- What users of QuestDB type.
CREATE TABLE 'trades' (ts TIMESTAMP, sym SYMBOL, price DOUBLE, qty LONG) timestamp(ts) PARTITION BY DAY WAL;
INSERT INTO trades VALUES ('2024-01-01T00:00:00.000000Z', 'A', 10, 1), ('2024-01-01T00:00:01.000000Z', 'B', 20, 2), ('2024-01-01T00:00:02.000000Z', 'A', 30, 3);

-- A table's name alone, count() and grouping by the columns beside aggregates.
FROM trades;
SELECT count() FROM trades;
SELECT sym, count(), sum(qty) FROM trades ORDER BY sym;
SELECT sym, max(price) - min(price) AS range FROM trades ORDER BY sym;
SELECT n FROM (SELECT count() AS n FROM trades);

-- Aggregates of time series.
SELECT first(price), last(price), first_not_null(price), last_not_null(price), vwap(price, qty), ksum(price), count_distinct(sym) FROM trades;
SELECT arg_min(sym, price), arg_max(sym, price), mode(sym), stddev(price), corr(price, qty) FROM trades;
SELECT approx_percentile(price, 0.5), approx_count_distinct(sym) FROM trades;

-- Functions of time.
SELECT timestamp_floor('h', ts), timestamp_ceil('d', ts), dateadd('h', 1, ts), datediff('s', '2024-01-01', ts), to_str(ts, 'yyyy-MM-dd HH:mm:ss') FROM trades LIMIT 1;
SELECT now() > '2024-01-01', systimestamp() >= now();

-- LIMIT counts from the end, or takes a range.
SELECT sym, qty FROM trades LIMIT -1;
SELECT sym, qty FROM trades LIMIT 1, 3;
SELECT dedup, "partitionBy", designatedTimestamp FROM tables() WHERE table_name = 'trades';
SHOW TABLES;
SHOW COLUMNS FROM trades;
