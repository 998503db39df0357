CREATE TABLE a (id INT);
CREATE TABLE b (ts TIMESTAMP, v INT) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts);

-- A transaction reads its own writes, over any number of tables, definitions included.
BEGIN;
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES ('2024-01-01', 1);
INSERT INTO b VALUES ('2024-01-01', 2);
UPDATE a SET id = id * 10;
CREATE TABLE c AS SELECT * FROM a;
DELETE FROM a WHERE id = 10;
SELECT * FROM a;
SELECT * FROM b;
SELECT * FROM c;
ROLLBACK;
SELECT (SELECT count() FROM a) AS a, (SELECT count() FROM b) AS b;
SELECT * FROM c;

-- TRUNCATE and DROP are undone like everything else.
INSERT INTO a VALUES (1), (2), (3);
BEGIN;
TRUNCATE a;
INSERT INTO a VALUES (9);
SELECT * FROM a;
DROP TABLE a;
SELECT * FROM a;
ROLLBACK;
SELECT * FROM a;

-- After an error nothing goes on until the end, and COMMIT rolls back.
BEGIN;
INSERT INTO a VALUES (4);
SELECT 1 / 0;
SELECT * FROM a;
COMMIT;
SELECT count() FROM a;

-- COPY takes part.
BEGIN;
COPY a FROM STDIN;
100
200
\.
SELECT count() FROM a;
ROLLBACK;
SELECT count() FROM a;

-- Modes.
BEGIN READ ONLY;
INSERT INTO a VALUES (1);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SHOW transaction_isolation;
COMMIT;
BEGIN ISOLATION LEVEL READ UNCOMMITTED;
SHOW transaction_isolation;
COMMIT;
-- SERIALIZABLE is not offered, whichever way it is asked for.
BEGIN ISOLATION LEVEL SERIALIZABLE;
COMMIT;
SET transaction_isolation = 'serializable';
SET default_transaction_isolation TO SERIALIZABLE;
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;
ALTER ROLE admin SET default_transaction_isolation = 'serializable';
SELECT set_config('transaction_isolation', 'Serializable', false);
SET default_transaction_isolation = 'snapshot';
-- The settings are the modes of the transaction.
BEGIN;
SET transaction_isolation = 'repeatable read';
SELECT count() FROM a;
SET LOCAL transaction_isolation = 'read committed';
ROLLBACK;
BEGIN;
SELECT set_config('transaction_read_only', 'on', true);
INSERT INTO a VALUES (1);
ROLLBACK;
SHOW transaction_isolation;
SHOW transaction_read_only;
-- Outside a block they end with the statement.
SET transaction_isolation = 'repeatable read';
SHOW transaction_isolation;
SET TRANSACTION READ ONLY;
SHOW transaction_read_only;
INSERT INTO a VALUES (100);
DELETE FROM a WHERE id = 100;
BEGIN;
BEGIN;
COMMIT;
COMMIT;

-- Settings of a transaction end with it.
BEGIN;
SET LOCAL statement_timeout = '5s';
SHOW statement_timeout;
COMMIT;
SHOW statement_timeout;

-- Several statements in one message are one transaction.
INSERT INTO a VALUES (7)\; SELECT 1 / 0;
SELECT count() FROM a WHERE id = 7;
