-- Rows apply one by one: within one statement the last one wins, and it keeps the first one's place.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v INT) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts, k);
INSERT INTO t VALUES ('2024-01-01', 'a', 1), ('2024-01-01', 'b', 1), ('2024-01-01', 'a', 2);
SELECT * FROM t;

-- What is equal in every column is skipped: nothing is written and the table takes no new version.
SHOW LAST WRITE;
SELECT version FROM tables() WHERE table_name = 't';
INSERT INTO t VALUES ('2024-01-01', 'a', 2), ('2024-01-01', 'b', 1);
SHOW LAST WRITE;
SELECT version FROM tables() WHERE table_name = 't';
INSERT INTO t VALUES ('2024-01-01', 'a', 3), ('2024-01-01', 'b', 1), ('2024-01-02', 'a', 1);
SHOW LAST WRITE;

-- NULL equals NULL in keys.
INSERT INTO t VALUES ('2024-01-03', NULL, 1);
INSERT INTO t VALUES ('2024-01-03', NULL, 2);
SELECT * FROM t WHERE k IS NULL;

-- Merge policies.
CREATE TABLE p (ts TIMESTAMP, id INT, l INT, f INT KEEP FIRST, mn INT KEEP MIN, mx INT KEEP MAX, nn INT KEEP NON NULL) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts, id);
INSERT INTO p VALUES ('2024-01-01', 1, 5, 5, 5, 5, 5);
INSERT INTO p VALUES ('2024-01-01', 1, 7, 7, 7, 7, NULL);
INSERT INTO p VALUES ('2024-01-01', 1, 3, 3, 3, 3, 3);
SELECT * FROM p;
INSERT INTO p VALUES ('2024-01-01', 1, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM p;

-- VERSION BY: late data never downgrades, a tie counts as newer, NULL is the lowest; MIN, MAX and FIRST fold whatever the version.
CREATE TABLE profiles (day TIMESTAMP, id LONG, plan SYMBOL, visits INT KEEP MAX, updated_at TIMESTAMP) TIMESTAMP(day) PARTITION BY MONTH
  DEDUP UPSERT KEYS(day, id) VERSION BY updated_at;
INSERT INTO profiles VALUES ('2024-10-01', 7, 'pro', 3, '2024-10-01T10:00:00');
INSERT INTO profiles VALUES ('2024-10-01', 7, 'free', 9, '2024-10-01T09:00:00');
SELECT id, plan, visits FROM profiles;
INSERT INTO profiles VALUES ('2024-10-01', 7, 'team', 1, '2024-10-01T10:00:00');
SELECT id, plan, visits FROM profiles;
INSERT INTO profiles VALUES ('2024-10-01', 7, 'lost', 1, NULL);
SELECT id, plan, visits FROM profiles;

-- Keys without a timestamp: the table is ordered by them.
CREATE TABLE kv (k VARCHAR, n INT, v VARCHAR) DEDUP UPSERT KEYS(k, n);
INSERT INTO kv VALUES ('b', 1, 'x'), ('a', 2, 'y'), ('a', 1, 'z');
INSERT INTO kv VALUES ('a', 2, 'Y');
SELECT * FROM kv;

-- An update must not give a row the keys of another.
UPDATE kv SET n = 1 WHERE k = 'a';
UPDATE kv SET n = n + 1 WHERE k = 'a';
SELECT * FROM kv WHERE k = 'a';
