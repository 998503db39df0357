CREATE TABLE customers (id integer, name varchar, city varchar);
CREATE TABLE orders (id integer, customer integer, placed timestamp, amount numeric(10, 2));
INSERT INTO customers VALUES (1, 'Ada', 'London'), (2, 'Bob', 'Berlin'), (3, 'Cy', NULL), (4, 'Dee', 'Berlin');
INSERT INTO orders VALUES (10, 1, '2024-01-01 10:00', 12.50), (11, 1, '2024-01-02 11:00', 7.25), (12, 2, '2024-01-02 12:00', 100), (13, 9, '2024-01-03', 5), (14, NULL, '2024-01-04', NULL);

-- Joins.
SELECT c.name, o.id FROM customers c JOIN orders o ON o.customer = c.id ORDER BY o.id;
SELECT c.name, o.id FROM customers c LEFT JOIN orders o ON o.customer = c.id ORDER BY c.id, o.id;
SELECT c.name, o.id FROM customers c RIGHT JOIN orders o ON o.customer = c.id ORDER BY o.id;
SELECT c.name, o.id FROM customers c FULL JOIN orders o ON o.customer = c.id ORDER BY c.id NULLS LAST, o.id;
SELECT count(*) FROM customers CROSS JOIN orders;
SELECT c.name, o.id FROM customers c JOIN orders o ON o.customer = c.id AND o.amount > 10 ORDER BY 2;
SELECT a.name, b.name FROM customers a JOIN customers b ON a.city = b.city AND a.id < b.id;
SELECT a.id, b.id FROM customers a JOIN customers b ON a.id < b.id ORDER BY 1, 2;
SELECT id, customers.name FROM customers JOIN (VALUES (1, 'x'), (4, 'y')) AS v(id, tag) USING (id) ORDER BY id;
SELECT c.name, last_order.id FROM customers c CROSS JOIN LATERAL (SELECT id FROM orders o WHERE o.customer = c.id ORDER BY placed DESC LIMIT 1) last_order ORDER BY 1;

-- Grouping.
SELECT city, count(*), min(name), max(name) FROM customers GROUP BY city ORDER BY city NULLS FIRST;
SELECT customer, sum(amount), avg(amount), count(amount) FROM orders GROUP BY customer HAVING count(*) >= 1 ORDER BY customer NULLS LAST;
SELECT date_trunc('day', placed) AS day, sum(amount) FROM orders GROUP BY 1 ORDER BY day;
SELECT count(*), count(amount), count(DISTINCT customer), sum(amount), min(placed), max(placed), bool_and(amount > 1), bool_or(amount > 50) FROM orders;
SELECT sum(amount) FROM orders WHERE false;
SELECT count(*) FILTER (WHERE amount > 10), string_agg(id::text, ',' ORDER BY id DESC), array_agg(customer ORDER BY id) FROM orders;
SELECT city, name, count(*) FROM customers GROUP BY ROLLUP (city, name) ORDER BY city NULLS LAST, name NULLS LAST;
SELECT stddev(amount), variance(amount), stddev_pop(amount::double precision), corr(id, amount), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM orders;

-- DISTINCT, ORDER BY, LIMIT.
SELECT DISTINCT city FROM customers ORDER BY city;
SELECT DISTINCT ON (city) city, name FROM customers ORDER BY city, name DESC;
SELECT name FROM customers ORDER BY city DESC NULLS LAST, name DESC;
SELECT id FROM orders ORDER BY amount NULLS FIRST OFFSET 1 LIMIT 2;
SELECT id FROM orders ORDER BY id FETCH FIRST 2 ROWS ONLY;
SELECT name AS n, id + 1 AS k FROM customers ORDER BY k DESC, n;

-- Subqueries.
SELECT name FROM customers WHERE id IN (SELECT customer FROM orders) ORDER BY 1;
SELECT name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id) ORDER BY 1;
SELECT name, (SELECT sum(amount) FROM orders o WHERE o.customer = c.id) FROM customers c ORDER BY id;
SELECT name FROM customers WHERE id NOT IN (SELECT customer FROM orders) ORDER BY 1;
SELECT id FROM orders WHERE amount > (SELECT avg(amount) FROM orders);
SELECT id FROM orders WHERE amount >= ALL (SELECT amount FROM orders WHERE amount IS NOT NULL);
SELECT x.n FROM (SELECT count(*) AS n FROM orders) AS x;

-- WITH.
WITH big AS (SELECT * FROM orders WHERE amount > 6), named AS (SELECT b.id, c.name FROM big b LEFT JOIN customers c ON c.id = b.customer) SELECT * FROM named ORDER BY id;
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n), count(*) FROM t;
WITH RECURSIVE fib(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM fib WHERE b < 100) SELECT string_agg(a::text, ' ') FROM fib;

-- Set operations.
SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 ORDER BY 1;
SELECT x FROM generate_series(1, 5) g(x) INTERSECT SELECT x FROM generate_series(4, 8) g(x) ORDER BY 1;
SELECT x FROM generate_series(1, 5) g(x) EXCEPT SELECT x FROM generate_series(4, 8) g(x) ORDER BY 1;
SELECT * FROM (VALUES (1), (1), (2)) a(x) EXCEPT ALL VALUES (1) ORDER BY 1;

-- Windows.
SELECT id, row_number() OVER (ORDER BY id DESC), rank() OVER (ORDER BY customer), lag(id) OVER (ORDER BY id), lead(id, 2, 0) OVER (ORDER BY id) FROM orders ORDER BY id;
SELECT id, sum(amount) OVER (ORDER BY placed), avg(amount) OVER (PARTITION BY customer), first_value(id) OVER (PARTITION BY customer ORDER BY placed) FROM orders ORDER BY id;
SELECT x, sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), ntile(2) OVER (ORDER BY x), dense_rank() OVER (ORDER BY x / 2) FROM generate_series(1, 5) g(x) ORDER BY x;

-- Views see what their tables hold now.
CREATE VIEW totals AS SELECT customer, sum(amount) AS total FROM orders GROUP BY customer;
SELECT * FROM totals WHERE customer = 1;
INSERT INTO orders VALUES (15, 1, '2024-01-05', 1);
SELECT * FROM totals WHERE customer = 1;

-- Names of result columns.
SELECT 1, 'a', now() IS NULL, count(*), sum(1), 1::bigint, CASE WHEN true THEN 1 END, (SELECT 2), ARRAY[1], coalesce(1, 2), extract(year FROM date '2024-01-01');
-- A parameter has its type from where it comes first.
CREATE TABLE between_times (ts timestamp, v int);
INSERT INTO between_times VALUES ('2024-01-01', 1), ('2024-01-02', 2), ('2024-01-03', 3);
PREPARE within AS SELECT v FROM between_times WHERE ts BETWEEN $1 AND $1 + interval '1 day' AND v <> $2 ORDER BY v;
EXECUTE within('2024-01-01', 9);
EXECUTE within('2024-01-02', 2);
PREPARE without AS SELECT v FROM between_times WHERE ts NOT BETWEEN SYMMETRIC $1 AND $1 - interval '1 day' ORDER BY v;
EXECUTE without('2024-01-02');
