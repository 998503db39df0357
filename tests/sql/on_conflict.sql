-- INSERT … ON CONFLICT where PostgreSQL has none of it: tables with a timestamp, symbols, versions, the spelling without keys.
CREATE TABLE q (ts TIMESTAMP, k SYMBOL, v INT, note VARCHAR) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts, k);
INSERT INTO q VALUES ('2024-01-01', 'a', 1, 'first'), ('2024-01-02', 'b', 1, 'first');
INSERT INTO q VALUES ('2024-01-01', 'a', 2, 'second'), ('2024-01-01', 'c', 2, 'second'), ('2024-01-01', 'c', 3, 'third') ON CONFLICT DO NOTHING RETURNING *;
SELECT * FROM q;
INSERT INTO q AS old VALUES ('2024-01-02', 'b', 5, 'new'), ('2024-01-03', 'd', 5, 'new'), ('2024-01-01', 'a', 0, 'new')
  ON CONFLICT (k, ts) DO UPDATE SET v = old.v + excluded.v, note = DEFAULT WHERE excluded.v > old.v RETURNING ts, k, v, note;
SELECT * FROM q;
-- An update may move the row, but not onto another.
INSERT INTO q VALUES ('2024-01-01', 'a', 7, 'moved') ON CONFLICT DO UPDATE SET ts = '2024-02-01', note = excluded.note;
INSERT INTO q VALUES ('2024-02-01', 'a', 7, 'moved') ON CONFLICT DO UPDATE SET ts = '2024-01-02', k = 'b';
SELECT * FROM q;
-- Keys must be the table's.
INSERT INTO q VALUES ('2024-01-01', 'a', 1, '') ON CONFLICT (ts) DO NOTHING;
INSERT INTO q VALUES ('2024-01-01', 'a', 1, '') ON CONFLICT (ts, k, v) DO NOTHING;
INSERT INTO q VALUES ('2024-01-01', 'a', 1, '') ON CONFLICT (ts, nothing) DO NOTHING;
CREATE TABLE free (v INT);
INSERT INTO free VALUES (1) ON CONFLICT DO NOTHING;
INSERT INTO free VALUES (1) ON CONFLICT DO UPDATE SET v = 2;
INSERT INTO free VALUES (1) ON CONFLICT (v) DO NOTHING;
SELECT * FROM free;
-- From a query, more rows than one vector has, twice.
CREATE TABLE big (id INT PRIMARY KEY, n INT);
INSERT INTO big SELECT x, 0 FROM generate_series(1, 5000) g(x) ON CONFLICT DO NOTHING;
INSERT INTO big SELECT x, 1 FROM generate_series(4001, 9000) g(x) ON CONFLICT (id) DO UPDATE SET n = big.n + excluded.n + 1;
SELECT n, count() FROM big ORDER BY n;
SHOW LAST WRITE;
PREPARE p AS INSERT INTO big VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = $2 * 10 RETURNING *;
EXECUTE p(1, 5);
EXECUTE p(10001, 5);
BEGIN;
INSERT INTO big VALUES (20000, 1);
INSERT INTO big VALUES (20000, 2) ON CONFLICT (id) DO UPDATE SET n = 42;
SELECT * FROM big WHERE id = 20000;
ROLLBACK;
SELECT count() FROM big;
