-- run twice
-- The last row of each key; a key's rows before it are not read.
DROP TABLE IF EXISTS visits;
CREATE TABLE visits (visit_time TIMESTAMP, visit_id INT, page VARCHAR) TIMESTAMP(visit_time) PARTITION BY DAY;
INSERT INTO visits VALUES ('2024-01-01', 1, '/a'), ('2024-01-02', 2, '/b'), ('2024-01-03', 1, '/c'), ('2024-01-03', 3, '/d'), ('2024-01-03', 3, '/e'), ('2024-01-04', NULL, '/f');
SELECT * FROM visits LATEST ON visit_time PARTITION BY visit_id;

-- The same in standard SQL.
SELECT visit_time, visit_id, page FROM (SELECT *, row_number() OVER (PARTITION BY visit_id ORDER BY visit_time DESC) rn FROM visits) x WHERE rn = 1 AND visit_id < 3 ORDER BY visit_time;

-- Conditions apply before it; a subquery's after it.
SELECT * FROM visits WHERE page < '/c' LATEST ON visit_time PARTITION BY visit_id;
SELECT * FROM (SELECT * FROM visits LATEST ON visit_time PARTITION BY visit_id) WHERE page > '/c';
SELECT count() FROM (SELECT * FROM visits LATEST ON visit_time PARTITION BY visit_id, page);
SELECT * FROM visits LATEST ON visit_time PARTITION BY missing;
