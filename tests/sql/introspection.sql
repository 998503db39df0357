CREATE TABLE prices (ts TIMESTAMP, ticker SYMBOL CAPACITY 512, price DOUBLE DEFAULT 0 KEEP MAX, note VARCHAR NOT NULL) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, ticker);
INSERT INTO prices VALUES ('2024-01-01', 'A', 1, 'x'), ('2024-01-02', 'A', 2, 'y');
SELECT table_name, designatedTimestamp, partitionBy, walEnabled, dedup, ttl, rows, version, immutable, owner FROM tables();
SELECT * FROM table_columns('prices');
SELECT index, name, numRows, readOnly, attached FROM table_partitions('prices');
SELECT user_name, database, state FROM sessions();
SELECT name FROM memory();
SELECT write_failed, failure FROM wal_status();
SELECT current_user, current_database(), current_schema();
SHOW server_version_num;
SHOW COLUMNS FROM prices;
SHOW CREATE TABLE prices;
SELECT * FROM table_columns('missing');

-- What psql's backslash commands ask for.
CREATE VIEW v AS SELECT ticker FROM prices;
CREATE SCHEMA other;
\dt
\dv
\d prices
\dn
\du
\d missing

-- information_schema.
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 2;
SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'prices' ORDER BY ordinal_position;
