-- SET (a, b) = …: a row of expressions, or a query that is computed once for each row.
CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 7, b text DEFAULT 'none', c numeric(6,2));
CREATE TABLE s (id int, x int, y text);
INSERT INTO t VALUES (1, 10, 'ten', 1), (2, 20, 'twenty', 2), (3, 30, 'thirty', 3);
INSERT INTO s VALUES (1, 100, 'hundred'), (2, 200, 'two hundred'), (4, 400, 'four hundred');

UPDATE t SET (a, b) = (id * 2, b || '!') WHERE id = 1;
UPDATE t SET (a, b) = ROW(id * 3, DEFAULT), c = 9 WHERE id = 1;
UPDATE t SET (b, a) = (SELECT y, x FROM s WHERE s.id = t.id);
SELECT * FROM t ORDER BY id;
UPDATE t SET (a, b) = (SELECT x, y FROM s ORDER BY x DESC LIMIT 1), c = a, (id) = (SELECT 30 WHERE t.id = 3) WHERE id = 3 RETURNING *;
UPDATE t SET (a, c) = (SELECT max(x), avg(x) FROM s), (b) = ROW('row') FROM s WHERE s.id = t.id RETURNING t.*, s.y;
UPDATE t SET (a, b) = (WITH w AS (SELECT 1 AS one) SELECT one, 'w' || t.id FROM w) WHERE id = 2;
SELECT * FROM t ORDER BY id;

INSERT INTO t VALUES (1, 1, 'one', 1), (5, 5, 'five', 5) ON CONFLICT (id) DO UPDATE SET (a, b) = (excluded.a + t.a, excluded.b);
INSERT INTO t VALUES (1, 1, 'uno', 1), (2, 2, 'dos', 2), (6, 6, 'seis', 6)
  ON CONFLICT (id) DO UPDATE SET (b, c) = (SELECT s.y || excluded.b || t.b, count(*) FROM s WHERE s.id = excluded.id GROUP BY s.y), a = DEFAULT
  WHERE t.id < 6 RETURNING *;
SELECT * FROM t ORDER BY id;

MERGE INTO t USING s ON t.id = s.id
WHEN MATCHED AND t.id = 1 THEN UPDATE SET (a, b) = (s.x, s.y || t.b)
WHEN MATCHED THEN UPDATE SET (b, c) = (SELECT z.y, z.x FROM s z WHERE z.id = s.id AND t.id < 5), a = 0
WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.x, s.y);
SELECT * FROM t ORDER BY id;
-- The query of a clause is computed where the clause acts: for id 1 this one has many rows.
MERGE INTO t USING s ON t.id = s.id
WHEN MATCHED AND t.id > 1 THEN UPDATE SET (a, b) = (SELECT v.x, 'only' FROM s v WHERE t.id = 1 OR v.id = t.id);
SELECT * FROM t ORDER BY id;

-- Errors leave everything as it was.
\set VERBOSITY sqlstate
UPDATE t SET (a, b) = (SELECT x, y FROM s);
UPDATE t SET (a, b) = (SELECT x FROM s);
UPDATE t SET (a, b) = (SELECT x, y, x FROM s);
UPDATE t SET (a, b) = (1, 2, 3);
UPDATE t SET (a, a) = (1, 2);
UPDATE t SET (a, b) = (1, 'x'), b = 'y';
UPDATE t SET (a, b) = (SELECT y, x FROM s WHERE s.id = t.id);
UPDATE t SET (a, nothing) = (SELECT 1, 2);
UPDATE t SET (a, b) = (SELECT 1, nothing);
INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (a, b) = (SELECT x, y FROM s);
INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (a, b) = (SELECT 1, 2, 3);
INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1, a = 2;
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET (a, b) = (SELECT x, y FROM s);
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET (a, b) = (SELECT 1);
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET (a, a) = (SELECT 1, 2);
SELECT * FROM t ORDER BY id;
