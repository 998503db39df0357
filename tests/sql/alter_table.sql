CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v INT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO t VALUES ('2024-01-01', 'a', 1), ('2024-01-02', 'b', 2);

-- A new column has its default in the rows that were there.
ALTER TABLE t ADD COLUMN note VARCHAR DEFAULT 'none', ADD COLUMN extra DOUBLE;
INSERT INTO t VALUES ('2024-01-03', 'c', 3, 'new', 0.5);
SELECT * FROM t;
ALTER TABLE t ALTER COLUMN note SET DEFAULT 'later';
INSERT INTO t (ts, k) VALUES ('2024-01-04', 'd');
ALTER TABLE t ALTER COLUMN note DROP DEFAULT;
INSERT INTO t (ts, k) VALUES ('2024-01-05', 'e');
SELECT ts, note FROM t;

-- Names and types.
ALTER TABLE t RENAME COLUMN v TO value;
ALTER TABLE t ALTER COLUMN value TYPE BIGINT;
ALTER TABLE t ALTER COLUMN extra TYPE VARCHAR;
ALTER TABLE t ALTER COLUMN note TYPE SYMBOL;
SELECT "column", type FROM table_columns('t');
SELECT k, value + 3000000000, extra || '!' FROM t WHERE value IS NOT NULL;
ALTER TABLE t ALTER COLUMN note TYPE INT;
ALTER TABLE t ALTER COLUMN note TYPE INT USING length(note);
SELECT k, note FROM t;
ALTER TABLE t DROP COLUMN note, DROP COLUMN extra;
ALTER TABLE t RENAME TO u;
SELECT * FROM u WHERE k = 'a';

-- Upsert keys come and go; what is stored stays as it is.
INSERT INTO u VALUES ('2024-01-01', 'a', 10);
SELECT * FROM u WHERE k = 'a';
ALTER TABLE u DEDUP ENABLE UPSERT KEYS(ts, k);
INSERT INTO u VALUES ('2024-01-01', 'a', 100);
SELECT * FROM u WHERE k = 'a';
ALTER TABLE u DEDUP DISABLE;
INSERT INTO u VALUES ('2024-01-01', 'a', 1000);
SELECT * FROM u WHERE k = 'a';

-- Primary keys check what is stored.
ALTER TABLE u ADD PRIMARY KEY (ts, k);
DELETE FROM u WHERE value = 1000;
ALTER TABLE u ADD PRIMARY KEY (ts, k);
SELECT "column", nullable, upsertKey FROM table_columns('u');

-- What cannot be says so.
ALTER TABLE u DROP COLUMN ts;
ALTER TABLE u DROP COLUMN k;
ALTER TABLE u DROP COLUMN missing;
ALTER TABLE u ADD COLUMN value INT;
ALTER TABLE u ADD COLUMN IF NOT EXISTS value INT;
ALTER TABLE u ADD COLUMN must INT NOT NULL;
-- A volatile default is another one for each row that there is; any other is computed once.
CREATE TABLE numbered (n INT);
INSERT INTO numbered SELECT * FROM generate_series(1, 3000);
ALTER TABLE numbered ADD COLUMN id UUID NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE numbered ADD COLUMN label SYMBOL DEFAULT 'r' || floor(random() * 0);
ALTER TABLE numbered ADD COLUMN added TIMESTAMP DEFAULT now(), ADD COLUMN flag BOOLEAN;
SELECT count(), count(DISTINCT id), count(DISTINCT added), min(label), max(label), sum(n) FROM numbered;
ALTER TABLE numbered ADD COLUMN a DOUBLE DEFAULT random(), ADD COLUMN b INT;
SELECT version, operation FROM table_history('numbered') ORDER BY version;
DROP TABLE numbered;
ALTER TABLE u RENAME COLUMN value TO k;
ALTER TABLE missing ADD COLUMN a INT;
ALTER TABLE IF EXISTS missing ADD COLUMN a INT;
