-- INSERT … ON CONFLICT and PRIMARY KEY.
\set VERBOSITY sqlstate
CREATE TABLE t (id INT PRIMARY KEY, name TEXT, n INT);
INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2);
INSERT INTO t VALUES (1, 'uno', 10) ON CONFLICT (id) DO NOTHING;
INSERT INTO t VALUES (1, 'uno', 10), (3, 'tres', 30), (3, 'drei', 31) ON CONFLICT DO NOTHING;
SELECT * FROM t ORDER BY id;
INSERT INTO t VALUES (1, 'uno', 10), (4, 'four', 4) ON CONFLICT (id) DO UPDATE SET name = excluded.name, n = t.n + excluded.n RETURNING *;
SELECT * FROM t ORDER BY id;
INSERT INTO t AS x (id, name) VALUES (2, 'deux'), (3, 'trois') ON CONFLICT (id) DO UPDATE SET name = x.name || '/' || excluded.name WHERE x.n < 10 RETURNING id, name, n;
SELECT * FROM t ORDER BY id;
INSERT INTO t VALUES (5, 'a', 1), (5, 'b', 2) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO t VALUES (1, 'a', 1), (1, 'b', 2) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO t VALUES (1, 'a', 1), (1, 'b', 2) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE excluded.n = 2 RETURNING *;
INSERT INTO t SELECT id + 1, 'moved', 0 FROM t ON CONFLICT (id) DO UPDATE SET n = t.n * 100;
SELECT * FROM t ORDER BY id;
INSERT INTO t VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET id = 77;
INSERT INTO t VALUES (2, 'x', 1) ON CONFLICT (id) DO UPDATE SET id = 77;
INSERT INTO t VALUES (2, 'x', NULL) ON CONFLICT (id) DO UPDATE SET name = DEFAULT, n = (SELECT max(n) FROM t) RETURNING *;
SELECT * FROM t ORDER BY id;
INSERT INTO t VALUES (2, 'x', 1) ON CONFLICT (name) DO NOTHING;
INSERT INTO t VALUES (2, 'x', 1) ON CONFLICT (id) DO UPDATE SET nothing = 1;
INSERT INTO t VALUES (2, 'x', 1) ON CONFLICT (id) DO UPDATE SET name = 1 + 'a';
INSERT INTO t VALUES (2, 'x', 1) ON CONFLICT (id) DO UPDATE SET n = n + 1;
INSERT INTO t VALUES (NULL, 'x', 1) ON CONFLICT (id) DO NOTHING;
-- Keys of several columns, in another order.
CREATE TABLE two (a TEXT, b NUMERIC, v INT, PRIMARY KEY (a, b));
INSERT INTO two VALUES ('x', 1.0, 1), ('x', 2, 1);
INSERT INTO two VALUES ('x', 1.00, 2), ('y', 1, 2) ON CONFLICT (b, a) DO UPDATE SET v = excluded.v RETURNING *;
INSERT INTO two VALUES ('x', 1, 2) ON CONFLICT (a) DO NOTHING;
UPDATE two SET b = 2 WHERE a = 'x' AND b = 1;
SELECT * FROM two ORDER BY a, b;
-- Adding a primary key.
CREATE TABLE later (id INT, v INT);
INSERT INTO later VALUES (1, 1), (1, 2);
ALTER TABLE later ADD PRIMARY KEY (id);
DELETE FROM later WHERE v = 2;
INSERT INTO later VALUES (NULL, 3);
ALTER TABLE later ADD PRIMARY KEY (id);
DELETE FROM later WHERE id IS NULL;
ALTER TABLE later ADD PRIMARY KEY (id);
ALTER TABLE later ADD PRIMARY KEY (v);
INSERT INTO later VALUES (NULL, 1);
INSERT INTO later VALUES (1, 5), (2, 5) ON CONFLICT (id) DO UPDATE SET v = -later.v;
SELECT * FROM later ORDER BY id;
UPDATE later SET id = 1 WHERE id = 2;
