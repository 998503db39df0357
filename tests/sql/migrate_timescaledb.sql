-- What docs/migrate_timescaledb.md says.
CREATE TABLE conditions (time TIMESTAMPTZ, device SYMBOL, temperature DOUBLE PRECISION)
  TIMESTAMP(time) PARTITION BY DAY DEDUP UPSERT KEYS(time, device);
INSERT INTO conditions VALUES ('2024-01-15 10:00Z', 'a', 7), ('2024-01-15 10:01Z', 'b', 5), ('2024-01-15 10:03Z', 'a', 8), ('2024-01-15 10:16Z', 'a', 12);
SELECT time, device, avg(temperature) AS mean FROM conditions SAMPLE BY 5m;
SELECT time, avg(temperature) AS mean FROM conditions SAMPLE BY 5m FILL(PREV);
SELECT date_bin('5 minutes', time, TIMESTAMPTZ '2000-01-01 00:00:00Z') AS bucket, max(temperature) FROM conditions GROUP BY 1 ORDER BY 1;
SELECT * FROM conditions LATEST ON time PARTITION BY device;
INSERT INTO conditions VALUES ('2024-01-15 10:00Z', 'a', 9) ON CONFLICT (time, device) DO UPDATE SET temperature = excluded.temperature;
SELECT first(temperature), last(temperature) FROM conditions WHERE device = 'a';
ALTER TABLE conditions SET TTL 90 DAYS;
ALTER TABLE conditions DROP PARTITION WHERE time < '2024-01-01';
SELECT name, numRows FROM table_partitions('conditions');
CREATE INDEX ON conditions (device);
