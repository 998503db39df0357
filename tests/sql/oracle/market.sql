-- Real trades: SAMPLE BY and LATEST ON give what PostgreSQL computes in its own words.
\if :idem
CREATE TABLE btc_trades (symbol SYMBOL, side SYMBOL, price DOUBLE, amount DOUBLE, timestamp TIMESTAMP)
  TIMESTAMP(timestamp) PARTITION BY DAY WAL DEDUP UPSERT KEYS(timestamp, symbol, price, amount);
\else
CREATE TABLE btc_trades (symbol varchar, side varchar, price double precision, amount double precision, "timestamp" timestamp);
\endif
\copy btc_trades FROM 'btc_trades.csv' CSV HEADER
SELECT count(*), count(DISTINCT side), min(timestamp), max(timestamp), min(price), max(price) FROM btc_trades;

-- Five-minute candles. Sums are rounded: their order of addition may differ.
\if :idem
SELECT timestamp, first(price) AS open, max(price) AS high, min(price) AS low, last(price) AS close, round(sum(amount)::numeric, 6) AS volume, count() AS trades
FROM btc_trades SAMPLE BY 5m ALIGN TO CALENDAR;
\else
SELECT date_bin('5 minutes', timestamp, '2000-01-01') AS timestamp, (array_agg(price ORDER BY timestamp, ctid))[1] AS open, max(price) AS high, min(price) AS low,
       (array_agg(price ORDER BY timestamp DESC, ctid DESC))[1] AS close, round(sum(amount)::numeric, 6) AS volume, count(*) AS trades
FROM btc_trades GROUP BY 1 ORDER BY 1;
\endif

-- By side as well.
\if :idem
SELECT timestamp, side, min(price) AS low, max(price) AS high, count() AS n FROM btc_trades SAMPLE BY 30m ORDER BY timestamp, side;
\else
SELECT date_bin('30 minutes', timestamp, '2000-01-01') AS timestamp, side, min(price) AS low, max(price) AS high, count(*) AS n FROM btc_trades GROUP BY 1, 2 ORDER BY 1, 2;
\endif

-- The last row of each side.
\if :idem
SELECT * FROM btc_trades LATEST ON timestamp PARTITION BY symbol, side ORDER BY side;
\else
SELECT DISTINCT ON (symbol, side) * FROM btc_trades ORDER BY symbol, side, timestamp DESC, ctid DESC;
\endif

-- Ordinary SQL over them.
SELECT side, count(*), round(avg(price)::numeric, 4) FROM btc_trades GROUP BY side ORDER BY side;
SELECT * FROM btc_trades WHERE price = (SELECT max(price) FROM btc_trades) ORDER BY timestamp, amount LIMIT 3;
SELECT timestamp, price, price - lag(price) OVER (ORDER BY timestamp, price, amount) AS change FROM btc_trades ORDER BY timestamp, price, amount LIMIT 5;
SELECT count(*) FROM btc_trades WHERE timestamp >= '2023-09-05 17:00' AND timestamp < '2023-09-05 17:30' AND side = 'buy';

\if :idem
CREATE TABLE ecommerce_stats (ts TIMESTAMP, country SYMBOL, category SYMBOL, visits LONG, unique_visitors LONG, sales DOUBLE, number_of_products INT)
  TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, country, category);
\else
CREATE TABLE ecommerce_stats (ts timestamp, country varchar, category varchar, visits bigint, unique_visitors bigint, sales double precision, number_of_products integer);
\endif
\copy ecommerce_stats FROM 'ecommerce_stats.csv' CSV HEADER
SELECT country, sum(visits), max(sales), count(DISTINCT category) FROM ecommerce_stats GROUP BY country ORDER BY country;

-- Months of a calendar.
\if :idem
SELECT ts, country, sum(visits) AS visits FROM ecommerce_stats WHERE ts IN '2022' SAMPLE BY 1M ALIGN TO CALENDAR ORDER BY ts, country LIMIT 20;
\else
SELECT date_trunc('month', ts) AS ts, country, sum(visits) AS visits FROM ecommerce_stats WHERE ts >= '2022-01-01' AND ts < '2023-01-01' GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 20;
\endif

-- The latest figures of each country and category.
\if :idem
SELECT ts, country, category, visits FROM ecommerce_stats LATEST ON ts PARTITION BY country, category ORDER BY country, category;
\else
SELECT DISTINCT ON (country, category) ts, country, category, visits FROM ecommerce_stats ORDER BY country, category, ts DESC;
\endif
