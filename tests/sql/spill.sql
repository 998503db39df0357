-- Queries that need more memory than they may use put rows into temporary files, and answer the same.
SHOW query_memory_limit;
CREATE TABLE facts (id BIGINT, name VARCHAR, tags VARCHAR[], amount DECIMAL(12,2), code SYMBOL);
INSERT INTO facts SELECT i, 'name ' || i * 7919 % 200000, ARRAY['a' || i % 5, NULL, 'b'], i / 100.0, 's' || i % 300
  FROM generate_series(1, 200000) AS g(i);
CREATE TABLE names (name VARCHAR, weight BIGINT);
INSERT INTO names SELECT CASE WHEN i % 10 = 0 THEN NULL ELSE 'name ' || i END, i FROM generate_series(100001, 300000) AS g(i);

SET query_memory_limit = '16MB';
SHOW query_memory_limit;

-- A sort, whose middle is looked at.
SELECT * FROM facts ORDER BY name, id OFFSET 150000 LIMIT 3;
SELECT * FROM facts ORDER BY tags DESC, amount OFFSET 120000 LIMIT 2;
SELECT * FROM facts ORDER BY code, amount DESC OFFSET 199998;

-- Joins of all kinds; NULL keys have no partner.
SELECT count(*), sum(id), sum(weight) FROM facts JOIN names USING (name);
SELECT count(*), count(n.weight), sum(id) FROM facts f LEFT JOIN names n ON n.name = f.name;
SELECT count(*), count(f.id), sum(n.weight) FROM facts f RIGHT JOIN names n ON n.name = f.name AND n.weight % 2 = 0;
SELECT count(*), count(f.id), count(n.weight) FROM facts f FULL JOIN names n ON n.name = f.name;
SELECT count(*), sum(id) FROM facts f WHERE EXISTS (SELECT FROM names n WHERE n.name = f.name);
SELECT count(*), sum(id) FROM facts f WHERE NOT EXISTS (SELECT FROM names n WHERE n.name = f.name);

-- Groups.
SELECT count(*), sum(n), max(least) FROM (SELECT name, count(*) AS n, min(id) AS least, array_agg(code ORDER BY id) FROM facts GROUP BY name) q;
SELECT count(*), sum(n), sum(s) FROM (SELECT tags, amount, count(*) AS n, sum(id) AS s FROM facts GROUP BY tags, amount) q;
SELECT count(*), sum(n) FROM (SELECT code, id % 1000 AS m, count(DISTINCT name) AS n FROM facts GROUP BY code, id % 1000) q;
SELECT count(*), sum(n) FROM (SELECT code, id, count(*) AS n FROM facts GROUP BY ROLLUP (code, id)) q;
-- One per thousand of each window, whose partitions are sorted in temporary files.
SELECT count(*), sum(r), sum(s) FROM (SELECT id, row_number() OVER (PARTITION BY code ORDER BY name) AS r, sum(amount) OVER (PARTITION BY code) AS s
  FROM facts) q WHERE id % 1000 = 0;
SELECT count(*) FROM (SELECT DISTINCT name, tags FROM facts) q;

RESET query_memory_limit;
SET query_memory_limit = 'much';
