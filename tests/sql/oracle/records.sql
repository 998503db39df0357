-- Composite values: ROW(…), functions with several columns, their fields, order and text.
SELECT ROW(1, 'a', NULL, 2.50), (1, true);
SELECT (ROW(1, 'x'::text)).f1, (ROW(1, 'x'::text)).f2;
SELECT (r.k).x, (r.k).n FROM (SELECT information_schema._pg_expandarray(ARRAY[5, 6]) AS k) r ORDER BY 2;
SELECT r.k, (r.k).* FROM (SELECT information_schema._pg_expandarray(ARRAY[7, 8]) AS k) r ORDER BY (r.k).n;
SELECT (information_schema._pg_expandarray(ARRAY['a', 'b'])).*;
SELECT * FROM (SELECT a, information_schema._pg_expandarray(ARRAY[a, 2 * a]) AS keys FROM generate_series(1, 3) AS g(a)) q
 WHERE q.a * 2 = (q.keys).x ORDER BY a;
WITH q AS (SELECT DISTINCT information_schema._pg_expandarray(ARRAY[3, 3]) AS k) SELECT (q.k).x + (q.k).n AS s FROM q ORDER BY 1;
SELECT (u.k).x FROM (SELECT information_schema._pg_expandarray(ARRAY[1]) AS k LIMIT 1) u;
SELECT g.a, (SELECT (k.r).x FROM (SELECT information_schema._pg_expandarray(ARRAY[g.a]) AS r) k) FROM generate_series(1, 2) AS g(a);

-- Order and equality go field by field.
SELECT r FROM (VALUES (ROW(2, 'b'::text)), (ROW(1, 'z'::text)), (ROW(2, 'a'::text)), (ROW(10, 'a'::text))) AS v(r) ORDER BY r;
SELECT r, count(*) FROM (VALUES (ROW(1, 'a'::text)), (ROW(2, 'b'::text)), (ROW(1, 'a'::text))) AS v(r) GROUP BY r ORDER BY r;
SELECT DISTINCT r FROM (VALUES (ROW(1, 'a'::text)), (ROW(1, 'a'::text)), (ROW(NULL::int, 'a'::text))) AS v(r) ORDER BY r;
SELECT count(DISTINCT (a % 2, a % 3)) FROM generate_series(1, 20) AS g(a);
SELECT a.r = b.r AS same, a.r < b.r AS less FROM (SELECT ROW(1, 2) AS r) a, (VALUES (ROW(1, 2)), (ROW(1, 3)), (ROW(0, 9))) AS b(r);
SELECT x.r = y.r FROM (SELECT ROW(1, 2) AS r) x, (SELECT ROW(1, 'a'::text) AS r) y;
SELECT x.r = y.r FROM (SELECT ROW(1, 2) AS r) x, (SELECT ROW(1, 2, 3) AS r) y;

-- NULL of the whole means NULL of each field.
SELECT r IS NULL AS n, r IS NOT NULL AS nn FROM (VALUES (ROW(1, NULL::int)), (ROW(NULL::int, NULL::int)), (ROW(1, 2))) AS v(r);

-- As text and as JSON.
SELECT ROW(1, 'a b', 'c,d', '"', '', '(x)')::text;
SELECT ROW('2024-01-15 10:00:00'::timestamp, '2024-01-15'::date, 1.5::float8, ARRAY[1, 2], ROW(1, 'x'));
SELECT to_json(ROW(1, 'a', NULL, true));

-- What is not there.
SELECT (r.k).y FROM (SELECT information_schema._pg_expandarray(ARRAY[5]) AS k) r;
SELECT (a).b FROM generate_series(1, 2) AS g(a);
