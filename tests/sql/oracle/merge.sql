-- The examples of PostgreSQL 15's documentation.
CREATE TABLE customer_account (customer_id int, balance numeric(12,2));
CREATE TABLE recent_transactions (customer_id int, transaction_value numeric(12,2));
INSERT INTO customer_account VALUES (1, 100), (2, 200), (3, 300);
INSERT INTO recent_transactions VALUES (1, 10), (2, -50), (4, 75);
MERGE INTO customer_account ca
USING recent_transactions t
ON t.customer_id = ca.customer_id
WHEN MATCHED THEN
  UPDATE SET balance = balance + transaction_value
WHEN NOT MATCHED THEN
  INSERT (customer_id, balance)
  VALUES (t.customer_id, t.transaction_value);
SELECT * FROM customer_account ORDER BY customer_id;
MERGE INTO customer_account ca
USING (SELECT customer_id, transaction_value FROM recent_transactions) AS t
ON t.customer_id = ca.customer_id
WHEN MATCHED THEN
  UPDATE SET balance = balance + transaction_value
WHEN NOT MATCHED THEN
  INSERT (customer_id, balance)
  VALUES (t.customer_id, t.transaction_value);
SELECT * FROM customer_account ORDER BY customer_id;
CREATE TABLE wines (winename text, stock int);
CREATE TABLE wine_stock_changes (winename text, stock_delta int);
INSERT INTO wines VALUES ('Chateau Lafite', 5), ('Montrachet', 2), ('Tokaji', 9);
INSERT INTO wine_stock_changes VALUES ('Chateau Lafite', 24), ('Montrachet', -2), ('Barolo', 6), ('Rioja', 0), ('Tokaji', -1);
MERGE INTO wines w
USING wine_stock_changes s
ON s.winename = w.winename
WHEN NOT MATCHED AND s.stock_delta > 0 THEN
  INSERT VALUES(s.winename, s.stock_delta)
WHEN MATCHED AND w.stock + s.stock_delta > 0 THEN
  UPDATE SET stock = w.stock + s.stock_delta
WHEN MATCHED THEN
  DELETE;
SELECT * FROM wines ORDER BY winename;

-- What a clause may do.
CREATE TABLE target (id int, v text, n int DEFAULT 7);
CREATE TABLE source (id int, v text, op text);
INSERT INTO target VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (NULL, 'nobody', 0);
INSERT INTO source VALUES (1, 'uno', 'u'), (2, NULL, 'd'), (4, 'cuatro', 'i'), (NULL, 'nadie', 'i');
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN DO NOTHING;
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT DEFAULT VALUES;
SELECT * FROM target ORDER BY id, v, n;
DELETE FROM target WHERE v IS NULL;
MERGE INTO target AS t USING source AS s ON t.id = s.id
WHEN MATCHED AND s.op = 'd' THEN DELETE
WHEN MATCHED AND s.op = 'u' THEN UPDATE SET v = s.v || '/' || t.v, n = DEFAULT
WHEN NOT MATCHED AND s.id IS NOT NULL THEN INSERT (v, id) VALUES (s.v, s.id);
SELECT * FROM target ORDER BY id, v, n;
-- NULL equals nothing, and a clause whose condition is NULL does not hold.
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.v > 'a' THEN DELETE;
SELECT * FROM target ORDER BY id, v, n;
MERGE INTO target t USING source s ON t.id IS NOT DISTINCT FROM s.id WHEN MATCHED THEN UPDATE SET n = 100;
SELECT * FROM target ORDER BY id, v, n;
-- The first clause that holds acts.
MERGE INTO target t USING (VALUES (3)) s(id) ON t.id = s.id
WHEN MATCHED AND t.n > 100 THEN DELETE WHEN MATCHED AND t.n = 3 THEN UPDATE SET v = 'first' WHEN MATCHED AND t.id = 3 THEN UPDATE SET v = 'second';
SELECT * FROM target ORDER BY id, v, n;

-- Sources: VALUES, queries, CTEs, joins, views, functions, the target itself.
MERGE INTO target t USING (VALUES (5, 'five'), (6, 'six')) AS s(id, v) ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, 0);
WITH more AS (SELECT id + 10 AS id, upper(v) AS v FROM target WHERE id >= 5)
MERGE INTO target t USING more ON t.id = more.id WHEN NOT MATCHED THEN INSERT VALUES (more.id, more.v, 1);
MERGE INTO target t USING (WITH x AS (SELECT 15 AS id) SELECT * FROM x) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = n + 5;
CREATE VIEW source_view AS SELECT id, max(v) AS v, count(*) AS c FROM source GROUP BY id;
MERGE INTO target t USING source_view s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.c WHEN NOT MATCHED THEN INSERT (id, v, n) VALUES (s.id, s.v, s.c);
MERGE INTO target t USING (SELECT a.id, b.v FROM source a JOIN source b ON a.id = b.id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v;
MERGE INTO target t USING generate_series(20, 22) AS s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
MERGE INTO target t USING target s ON t.id = s.id + 1 WHEN MATCHED THEN UPDATE SET v = coalesce(t.v, s.v), n = s.n;
SELECT * FROM target ORDER BY id, v, n;
MERGE INTO target t USING (SELECT 1 WHERE false) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);

-- Joins without parentheses.
MERGE INTO target t USING source s JOIN source_view x ON s.id = x.id AND x.c = 1 ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v || x.c;
MERGE INTO target t USING source s CROSS JOIN (SELECT 0 AS n) z ON t.id = s.id AND t.id > 3 WHEN MATCHED THEN UPDATE SET n = z.n;
SELECT * FROM target ORDER BY id, v, n;

-- Subqueries and parameters.
WITH c AS (SELECT id, v FROM source WHERE id IS NOT NULL), most AS (SELECT max(id) AS id FROM c)
MERGE INTO target t USING c ON t.id = c.id
WHEN MATCHED AND c.id < (SELECT id FROM most) AND t.n > ALL (SELECT -1) THEN UPDATE SET v = (SELECT string_agg(z.v, ',' ORDER BY z.v) FROM c z WHERE z.id <= t.id)
WHEN NOT MATCHED THEN INSERT (id, n) VALUES (c.id, (SELECT id FROM most));
SELECT * FROM target ORDER BY id, v, n;
MERGE INTO target t USING source s ON t.id = s.id
WHEN MATCHED AND s.id IN (SELECT id FROM source WHERE op = 'u') THEN UPDATE SET n = (SELECT count(*) FROM source x WHERE x.id <= s.id)
WHEN NOT MATCHED AND EXISTS (SELECT 1 FROM target) THEN INSERT (id, n) VALUES (s.id, (SELECT max(n) FROM target));
SELECT * FROM target ORDER BY id, v, n;
PREPARE m (int, text) AS MERGE INTO target t USING (SELECT $1 AS id, $2 AS v) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v);
EXECUTE m (30, 'thirty');
EXECUTE m (30, 'THIRTY');
SELECT * FROM target WHERE id = 30;

-- Conditions that are no equality; a constant one.
CREATE TABLE ranges (lo int, hi int, name text);
INSERT INTO ranges VALUES (1, 3, 'low'), (4, 9, 'middle');
MERGE INTO target t USING ranges r ON t.id BETWEEN r.lo AND r.hi WHEN MATCHED THEN UPDATE SET v = r.name WHEN NOT MATCHED THEN INSERT (v) VALUES (r.name);
SELECT * FROM target ORDER BY id, v, n;
MERGE INTO target t USING (SELECT 77 AS id) s ON false WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 'always');
MERGE INTO target t USING (SELECT 77 AS id) s ON t.id = s.id AND t.v = 'always' WHEN MATCHED THEN DELETE;
MERGE INTO target t USING (SELECT 1 AS x) s ON t.id > 10 WHEN MATCHED THEN DELETE;
SELECT count(*), sum(id), sum(n) FROM target;

-- Types are assigned as by INSERT and UPDATE.
CREATE TABLE typed (id bigint, amount numeric(6,2), day date, note varchar(5));
MERGE INTO typed USING (VALUES (1, '12.345', '2024-02-29')) s(id, amount, day) ON typed.id = s.id
WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.amount::numeric, s.day::date, 'abc');
MERGE INTO typed USING (SELECT 1.0 AS id) s ON typed.id = s.id WHEN MATCHED THEN UPDATE SET amount = 99, note = 12345;
SELECT * FROM typed;

-- A row that two source rows would change.
\set VERBOSITY sqlstate
INSERT INTO source VALUES (3, 'x', 'u'), (3, 'y', 'u');
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.v = 'x' THEN DELETE WHEN MATCHED AND s.v = 'y' THEN UPDATE SET v = 'z';
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.v = 'y' THEN UPDATE SET v = 'y only' WHEN MATCHED AND s.v = 'x' THEN DO NOTHING;
SELECT * FROM target WHERE id = 3;
MERGE INTO target t USING (VALUES (50), (50)) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
SELECT count(*) FROM target WHERE id = 50;

-- Errors leave everything as it was.
MERGE INTO nowhere t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING nowhere s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING target ON t.id = target.id WHEN MATCHED THEN DELETE;
MERGE INTO target USING target ON true WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.nothing WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON id = 1 WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET nothing = 1;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'a', v = 'b';
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (1);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, id) VALUES (1, 2);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (t.id);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND t.n = 1 THEN INSERT VALUES (1);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN UPDATE SET v = 'x';
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN INSERT VALUES (1);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN DO NOTHING;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND count(*) > 1 THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND 1 / (s.id - s.id) > 0 THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.op THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 'not a number';
MERGE INTO target t USING source s ON t.id = s.id;
\set VERBOSITY terse
SELECT count(*), sum(id), sum(n) FROM target;

-- In a transaction, over its own writes.
BEGIN;
INSERT INTO target VALUES (1000, 'new', 1);
MERGE INTO target t USING (VALUES (1000), (1001)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 2 WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, 3);
MERGE INTO target t USING (VALUES (1000), (1001)) s(id) ON t.id = s.id WHEN MATCHED AND t.id = 1000 THEN DELETE WHEN MATCHED THEN UPDATE SET n = t.n * 2;
SELECT * FROM target WHERE id >= 1000;
ROLLBACK;
SELECT count(*), sum(id), sum(n) FROM target;
BEGIN READ ONLY;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
ROLLBACK;

-- Many rows: half match, of which some go.
CREATE TABLE big (id int, v int);
CREATE TABLE changes (id int, v int, gone boolean);
INSERT INTO big SELECT i, i FROM generate_series(1, 50000) g(i);
INSERT INTO changes SELECT i * 4, -i, i % 10 = 0 FROM generate_series(1, 20000) g(i);
MERGE INTO big t USING changes s ON t.id = s.id
WHEN MATCHED AND s.gone THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED AND NOT s.gone THEN INSERT VALUES (s.id, s.v);
SELECT count(*), sum(id), sum(v), min(v), max(v), count(*) FILTER (WHERE v < 0) FROM big;
MERGE INTO changes t USING big s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v + 1 WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, false);
SELECT count(*), sum(id), sum(v), count(*) FILTER (WHERE gone) FROM changes;
