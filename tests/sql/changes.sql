-- run twice
-- table_changes() gives what changed after a version, with keys as updates, without as rows deleted and inserted.
DROP TABLE IF EXISTS prices, notes, levels, readings;
CREATE TABLE prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, ticker);
INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 185.5), ('2024-01-16T10:00:00', 'MSFT', 400);
INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 186), ('2024-01-16T10:00:00', 'MSFT', 400), ('2024-01-17', 'IBM', 1);
DELETE FROM prices WHERE ticker = 'MSFT';
SELECT change_type, version, ts, ticker, price FROM table_changes('prices', 0);
SELECT change_type, version, ticker FROM table_changes('prices', 1, 2);
SELECT count(*) FROM table_changes('prices', 3);
SELECT change_type, count(*) FROM table_changes('prices', 0) GROUP BY 1 ORDER BY 1;
CHECKPOINT;
ALTER TABLE prices ADD COLUMN note VARCHAR;
TRUNCATE TABLE prices;
SELECT change_type, version, ticker, note FROM table_changes('prices', 2);
RESTORE TABLE prices TO VERSION AS OF 1;
SELECT change_type, version, ticker FROM table_changes('prices', 4);
SELECT * FROM table_changes('prices', 99);
SELECT * FROM table_changes('prices', 3, 1);
SELECT * FROM table_changes('prices');
CREATE TABLE notes (a INT, b TEXT);
INSERT INTO notes VALUES (1, 'one'), (1, 'one'), (2, NULL);
UPDATE notes SET b = 'two' WHERE a = 2;
DELETE FROM notes WHERE a = 1;
SELECT change_type, version, a, b FROM table_changes('notes', 1);

-- A change slot remembers how far a consumer has read.
CREATE CHANGE SLOT s ON prices;
CREATE CHANGE SLOT s ON prices;
CREATE CHANGE SLOT IF NOT EXISTS s ON prices;
SELECT slot, table_name, version, versions_behind FROM change_slots();
SELECT count(*) FROM changes_of('s');
INSERT INTO prices VALUES ('2024-01-18', 'A', 1), ('2024-01-18', 'B', 2);
INSERT INTO prices VALUES ('2024-01-18', 'C', 3);
SELECT change_type, version, ticker FROM changes_of('s');
SELECT change_type, version, ticker FROM changes_of('s', 1);  -- whole versions, until there are so many rows
SELECT versions_behind FROM change_slots();
ADVANCE CHANGE SLOT s TO 7;
SELECT change_type, version, ticker FROM changes_of('s');
VACUUM prices RETAIN 0 HOURS;
SELECT change_type, version, ticker FROM changes_of('s');  -- what it has not read is still there
ADVANCE CHANGE SLOT s TO 99;
ADVANCE CHANGE SLOT s TO 3;
DROP CHANGE SLOT s;
DROP CHANGE SLOT s;
SELECT * FROM changes_of('s');

-- Rows are matched as upserts match them: -0 is 0, one NaN is another. The table without keys has another row.
CREATE TABLE levels (k DOUBLE PRECISION, d NUMERIC, v INT) DEDUP UPSERT KEYS(k, d);
INSERT INTO levels VALUES (0, 1.0, 1), ('NaN', 2, 1), (NULL, 3, 1);
INSERT INTO levels VALUES ('-0', 1.00, 2), ('NaN', 2, 2), (NULL, 3, 2);
SELECT change_type, k, d, v FROM table_changes('levels', 1);
CREATE TABLE readings (k DOUBLE PRECISION);
INSERT INTO readings VALUES (0), (1), (1);
UPDATE readings SET k = -k;
SELECT change_type, k FROM table_changes('readings', 1);
