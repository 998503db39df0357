-- run twice
-- Resend anything: a row whose keys are stored replaces what is there, so running this again changes nothing.
CREATE TABLE IF NOT EXISTS prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE)
  TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, ticker);
INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 185.50);
INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 186.00);
SELECT * FROM prices;                                   -- 2024-01-15 10:00:00|AAPL|186
SELECT dedup FROM tables() WHERE table_name = 'prices'; -- t
SELECT "column", upsertKey FROM table_columns('prices');-- ts|t, ticker|t, price|f
