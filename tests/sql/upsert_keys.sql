-- Keys of every type, with and without a designated timestamp. Each table gets two rows twice over: the second time the values change.
CREATE TABLE k_boolean (k BOOLEAN, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_boolean VALUES (true, 1), (false, 1), (NULL, 1), (true, 2), (NULL, 2);
SELECT * FROM k_boolean;
CREATE TABLE k_smallint (k SMALLINT, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_smallint VALUES (2, 1), (-1, 1), (2, 2);
SELECT * FROM k_smallint;
CREATE TABLE k_varchar (k VARCHAR, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_varchar VALUES ('b', 1), ('', 1), (NULL, 1), ('a longer one than fits anywhere else', 1), ('b', 2), ('', 2), (NULL, 2);
SELECT * FROM k_varchar;
CREATE TABLE k_symbol (k SYMBOL, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_symbol VALUES ('z', 1), ('a', 1), (NULL, 1), ('z', 2), (NULL, 2);
SELECT * FROM k_symbol;
CREATE TABLE k_uuid (k UUID, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_uuid VALUES ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1), ('B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 2);
SELECT * FROM k_uuid;
CREATE TABLE k_bytea (k BYTEA, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_bytea VALUES ('\x00ff', 1), ('\x00', 1), ('\x00FF', 2);
SELECT * FROM k_bytea;
CREATE TABLE k_date (k DATE, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_date VALUES ('2024-01-02', 1), ('1969-12-31', 1), ('2024-01-02', 2);
SELECT * FROM k_date;
CREATE TABLE k_time (k TIME, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_time VALUES ('10:00', 1), ('09:00', 1), ('10:00:00', 2);
SELECT * FROM k_time;
-- A day is 24 hours and a month 30 days where intervals are compared.
CREATE TABLE k_interval (k INTERVAL, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_interval VALUES ('1 day', 1), ('1 hour', 1), ('24 hours', 2);
SELECT * FROM k_interval;
-- 1.0 equals 1.00; the later one stays.
CREATE TABLE k_decimal (k NUMERIC, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_decimal VALUES (1.0, 1), (0.5, 1), (1.00, 2);
SELECT * FROM k_decimal;
-- -0 equals 0, NaN equals NaN and is above all others.
CREATE TABLE k_double (k DOUBLE, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_double VALUES (0.0, 1), ('NaN', 1), ('-Infinity', 1), ('-0.0', 2), ('NaN', 2);
SELECT * FROM k_double;
CREATE TABLE k_real (k REAL, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_real VALUES (1.5, 1), (1.5, 2);
SELECT * FROM k_real;
CREATE TABLE k_array (k INT[], v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_array VALUES ('{2,1}', 1), ('{}', 1), ('{1,2,3}', 1), ('{1,NULL}', 1), ('{2,1}', 2), ('{1,NULL}', 2);
SELECT * FROM k_array;
CREATE TABLE k_doubles (k DOUBLE[], v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_doubles VALUES ('{0,NaN}', 1), ('{-0,NaN}', 2);
SELECT * FROM k_doubles;
CREATE TABLE k_jsonb (k JSONB, v INT) DEDUP UPSERT KEYS(k);
INSERT INTO k_jsonb VALUES ('{"a":1,"b":2}', 1), ('{"b":2, "a":1}', 2);
SELECT * FROM k_jsonb;
CREATE TABLE k_json (k JSON, v INT) DEDUP UPSERT KEYS(k);

-- The same with many rows of one time, where keys are hashed.
CREATE TABLE many (ts TIMESTAMP, a VARCHAR, b NUMERIC, c DOUBLE, d DOUBLE[], v INT) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts, a, b, c, d);
INSERT INTO many SELECT '2024-01-01', CASE x % 3 WHEN 0 THEN NULL ELSE 'k' || x END, x, x, ARRAY[x, 0.0], 1 FROM generate_series(1, 5000) g(x);
INSERT INTO many SELECT '2024-01-01', CASE x % 3 WHEN 0 THEN NULL ELSE 'k' || x END, x::numeric(10,2), x, ARRAY[x, -0.0::double], 2 FROM generate_series(5000, 1, -1) g(x);
SHOW LAST WRITE;
SELECT count(), sum(v) FROM many;

-- Keys on a table that has duplicates: they stay until a new row has their keys, and then they become one, in the first's place.
CREATE TABLE d (ts TIMESTAMP, k INT, v INT) TIMESTAMP(ts);
INSERT INTO d VALUES ('2024-01-01', 1, 1), ('2024-01-01', 2, 1), ('2024-01-01', 1, 2), ('2024-01-01', 3, 1), ('2024-01-01', 3, 1);
ALTER TABLE d DEDUP ENABLE UPSERT KEYS(ts, k);
SELECT * FROM d;
INSERT INTO d VALUES ('2024-01-01', 1, 3);
SELECT * FROM d;
-- Equal to the first of them: that is skipped, the other goes.
INSERT INTO d VALUES ('2024-01-01', 3, 1);
SHOW LAST WRITE;
SELECT * FROM d;
ALTER TABLE d DEDUP DISABLE;
INSERT INTO d VALUES ('2024-01-01', 1, 3);
SELECT * FROM d;
SELECT dedup FROM tables() WHERE table_name = 'd';

-- Without a timestamp the table takes the order of its keys, and gives it up with them.
CREATE TABLE e (k VARCHAR, v INT);
INSERT INTO e VALUES ('c', 1), ('a', 1), ('b', 1), ('a', 2);
CHECKPOINT;
ALTER TABLE e DEDUP ENABLE UPSERT KEYS(k);
SELECT * FROM e;
INSERT INTO e VALUES ('a', 3), ('bb', 1);
SELECT * FROM e;
ALTER TABLE e DEDUP DISABLE;
INSERT INTO e VALUES ('a', 4);
SELECT * FROM e;

-- A primary key checks what is stored.
ALTER TABLE e ADD PRIMARY KEY (k);
DELETE FROM e WHERE v = 4;
INSERT INTO e VALUES (NULL, 0);
ALTER TABLE e ADD PRIMARY KEY (k);
DELETE FROM e WHERE k IS NULL;
ALTER TABLE e ADD PRIMARY KEY (k);
ALTER TABLE e ADD PRIMARY KEY (v);
INSERT INTO e VALUES (NULL, 0);
INSERT INTO e VALUES ('b', 9), ('aa', 1);
SELECT * FROM e;
UPDATE e SET k = 'b' WHERE k = 'a';
-- Keys that a change of type would make equal.
ALTER TABLE d ADD COLUMN x DOUBLE;
DELETE FROM d;
ALTER TABLE d DEDUP ENABLE UPSERT KEYS(ts, x);
INSERT INTO d VALUES ('2024-01-01', 1, 1, 1.1), ('2024-01-01', 1, 1, 1.2);
ALTER TABLE d ALTER COLUMN x TYPE INT;
SELECT * FROM d;

-- What SHOW CREATE TABLE prints makes the same table.
CREATE SCHEMA s;
CREATE TABLE s."Odd name" (ts TIMESTAMP, "Key" SYMBOL CAPACITY 512 NOT NULL, f TIMESTAMP DEFAULT now() KEEP FIRST, mn DOUBLE KEEP MIN,
  mx DECIMAL(10,2) KEEP MAX, nn VARCHAR(5) KEEP NON NULL, tags INT[], ver BIGINT, gone BOOLEAN NOT NULL DEFAULT false)
  TIMESTAMP(ts) PARTITION BY WEEK DEDUP UPSERT KEYS(ts, "Key") VERSION BY ver DELETED WHEN gone;
SHOW CREATE TABLE s."Odd name";
SELECT "column", type, nullable, "default", designated, upsertKey, keep FROM table_columns('s."Odd name"');
\t on
\o /dev/null
SHOW CREATE TABLE s."Odd name" \gset
\o
\t off
DROP TABLE s."Odd name";
:ddl
SELECT "column", type, nullable, "default", designated, upsertKey, keep FROM table_columns('s."Odd name"');
-- Policies rest while there are no keys.
ALTER TABLE s."Odd name" DEDUP DISABLE;
SHOW CREATE TABLE s."Odd name";
ALTER TABLE s."Odd name" DEDUP ENABLE UPSERT KEYS(ts, "Key") VERSION BY ver;
SHOW CREATE TABLE s."Odd name";
CREATE TABLE bad (k INT, v INT KEEP MIN);
