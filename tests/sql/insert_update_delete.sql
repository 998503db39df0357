-- Rows are kept in time order whatever the order of arrival; equal timestamps keep arrival order.
CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t VALUES ('2024-01-02', 'late', 3), ('2024-01-01', 'early', 1), ('2024-01-02', 'later', 4);
INSERT INTO t VALUES ('2024-01-01T12:00', 'between', 2);
SELECT * FROM t;
INSERT INTO t SELECT ts + interval '1 day', k, v * 10 FROM t WHERE v > 2 RETURNING *;

-- Changing a designated timestamp moves the row.
UPDATE t SET ts = '2024-01-05' WHERE k = 'early' RETURNING *;
UPDATE t SET v = v + 0.5, k = k || '!' WHERE ts < '2024-01-03';
SELECT * FROM t;
DELETE FROM t WHERE ts >= '2024-01-03' AND v > 35;
DELETE FROM t USING (VALUES ('late'), ('nobody')) AS gone(k) WHERE t.k = gone.k RETURNING t.k;
SELECT * FROM t;
DELETE FROM t;
SELECT count() FROM t;

-- A designated timestamp is never NULL, and what does not convert is an error that stores nothing.
INSERT INTO t VALUES ('2024-01-01', 'a', 1), (NULL, 'b', 2);
INSERT INTO t VALUES ('2024-01-01', 'a', 1), ('not a time', 'b', 2);
INSERT INTO t VALUES ('2024-01-01', 'a', 'x');
INSERT INTO t (ts, kk) VALUES ('2024-01-01', 'a');
INSERT INTO t VALUES ('2024-01-01', "a", 1);
SELECT count() FROM t;

-- Timestamps in all their forms: ISO with T or blank, a bare date, a zone that is converted to UTC, microseconds as an integer.
INSERT INTO t (ts) VALUES ('2024-01-15T10:00:00'), ('2024-01-15 10:00:00.123456'), ('2024-01-16'), ('2024-01-15T10:00:00Z'), ('2024-01-15T10:00:00+02:00'), (1705312800000000);
SELECT ts FROM t;
