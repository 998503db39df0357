CREATE TABLE t (id INT, name VARCHAR, price DOUBLE, at TIMESTAMP);
-- CSV with a header, quotes, line breaks and NULL.
COPY t FROM STDIN (FORMAT csv, HEADER true);
id,name,price,at
1,plain,1.5,2024-01-01
2,"with ""quotes"", commas",2,2024-01-02T10:00:00Z
3,"two
lines",,
4,"",4,2024-01-04 00:00:00+01
\.
-- The old spelling; another delimiter; only some columns.
COPY t (name, id) FROM STDIN CSV DELIMITER ';' HEADER NULL '-';
name;id
five;5
-;6
\.
-- PostgreSQL's text format.
COPY t FROM STDIN;
7	tab\there	7	\N
8	back\\slash	8	2024-01-08
\.
SELECT id, replace(name, chr(10), ' / '), price, at FROM t ORDER BY id;
COPY t TO STDOUT (FORMAT csv, HEADER);
COPY (SELECT id, name FROM t WHERE id > 5 ORDER BY id DESC) TO STDOUT;

-- A bad row names its line and column, and nothing of the statement is stored.
COPY t FROM STDIN (FORMAT csv);
100,a,1,2024-01-01
101,b,one,2024-01-01
\.
COPY t FROM STDIN (FORMAT csv);
100,a,1
\.
COPY t FROM STDIN (FORMAT csv);
100,a,1,2024-01-01,more
\.
COPY t FROM STDIN (FORMAT csv);
100,"never closed,1,2024-01-01
\.
SELECT count() FROM t WHERE id >= 100;
COPY t FROM STDIN (FORMAT csv, HEADER match);
id,nmae,price,at
\.
-- ON_ERROR ignore leaves bad rows out and says how many, up to a limit.
COPY t FROM STDIN (FORMAT csv, ON_ERROR ignore);
200,a,1,2024-01-01
x,b,1,2024-01-01
202,c,1,never
203,d,1,2024-01-01
\.
SELECT id FROM t WHERE id >= 200 ORDER BY id;
COPY t FROM STDIN (FORMAT csv, ON_ERROR ignore, REJECT_LIMIT 1);
x,b,1,2024-01-01
y,b,1,2024-01-01
\.
-- What cannot be says so before any data is read.
COPY missing FROM STDIN;
\.
COPY t (missing) FROM STDIN;
\.
COPY t FROM STDIN (FORMAT parquet);
\.
COPY t FROM STDIN (NO_SUCH_OPTION);
\.
COPY t FROM STDIN (DELIMITER '||');
\.
COPY t FROM '/etc/hostname';
SELECT count() FROM t;
