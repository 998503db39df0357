-- run twice
-- patterns: a backfill starts from the right state. The whole is run again on the table that it left; each day's states are those of
-- the first time.
CREATE TABLE IF NOT EXISTS devices (type VARCHAR PRIMARY KEY, full_name VARCHAR);
-- Starting from A.
BEGIN RUN 'devices/2024-10-04' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
INSERT INTO devices VALUES ('A', 'first');
COMMIT;
-- A updated and B added.
BEGIN RUN 'devices/2024-10-05' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
MERGE INTO devices t USING (VALUES ('A', 'updated'), ('B', 'first')) AS s(type, full_name) ON t.type = s.type
WHEN MATCHED THEN UPDATE SET full_name = s.full_name
WHEN NOT MATCHED THEN INSERT *;
COMMIT;
SELECT * FROM devices ORDER BY 1;
-- B deleted and C added.
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
MERGE INTO devices t USING (VALUES ('B', NULL, true), ('C', 'first', false)) AS s(type, full_name, is_deleted) ON t.type = s.type
WHEN MATCHED AND s.is_deleted THEN DELETE
WHEN NOT MATCHED AND NOT s.is_deleted THEN INSERT (type, full_name) VALUES (s.type, s.full_name);
COMMIT;
SELECT * FROM devices ORDER BY 1;
-- M, N, O added.
BEGIN RUN 'devices/2024-10-07' ON REPLAY RESTORE;
MERGE INTO devices t USING (VALUES ('M', 'first'), ('N', 'first'), ('O', 'first')) AS s(type, full_name) ON t.type = s.type
WHEN NOT MATCHED THEN INSERT *;
COMMIT;
SELECT * FROM devices ORDER BY 1;
-- The day before again: it is first put back to the state after 10-05, and the next day follows.
BEGIN RUN 'devices/2024-10-06' ON REPLAY RESTORE;
SELECT * FROM devices ORDER BY 1;
MERGE INTO devices t USING (VALUES ('B', NULL, true), ('C', 'first', false)) AS s(type, full_name, is_deleted) ON t.type = s.type
WHEN MATCHED AND s.is_deleted THEN DELETE
WHEN NOT MATCHED AND NOT s.is_deleted THEN INSERT (type, full_name) VALUES (s.type, s.full_name);
COMMIT;
SELECT * FROM devices ORDER BY 1;
SELECT key FROM runs() ORDER BY 1;
BEGIN RUN 'devices/2024-10-07' ON REPLAY RESTORE;
MERGE INTO devices t USING (VALUES ('M', 'first'), ('N', 'first'), ('O', 'first')) AS s(type, full_name) ON t.type = s.type
WHEN NOT MATCHED THEN INSERT *;
COMMIT;
SELECT * FROM devices ORDER BY 1;
SELECT key FROM runs() ORDER BY 1;
-- Compaction leaves version numbers alone.
SELECT max(version) AS last FROM table_history('devices') WHERE operation = 'MERGE' \gset
CHECKPOINT;
SELECT max(version) = :last AS same FROM table_history('devices') WHERE operation = 'MERGE';
