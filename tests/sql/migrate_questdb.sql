-- What docs/migrate_questdb.md says.
CREATE TABLE trades (symbol SYMBOL CAPACITY 256 CACHE, side SYMBOL, price DOUBLE, amount DOUBLE, timestamp TIMESTAMP)
  TIMESTAMP(timestamp) PARTITION BY DAY WAL DEDUP UPSERT KEYS(timestamp, symbol);
INSERT INTO trades VALUES ('BTC', 'buy', 100, 1, '2023-09-05T16:00:00Z'), ('BTC', 'sell', 102, 2, '2023-09-05T16:10:00Z'),
  ('ETH', 'buy', 10, 5, '2023-09-05T16:05:00Z'), ('BTC', 'sell', 101, 1, '2023-09-05T16:20:00Z');
INSERT INTO trades VALUES ('BTC', 'sell', 101, 1, '2023-09-05T16:20:00Z');
SHOW LAST WRITE;
SELECT timestamp, symbol, first(price) AS open, max(price) AS high, min(price) AS low, last(price) AS close FROM trades SAMPLE BY 15m;
SELECT * FROM trades LATEST ON timestamp PARTITION BY symbol;
SELECT count() FROM trades WHERE timestamp IN '2023-09-05T16;15m';
SELECT t.timestamp, t.price, q.price AS before FROM trades t LT JOIN trades q ON symbol;
SELECT symbol, side, avg(price) FROM trades;
FROM trades LIMIT -2;
