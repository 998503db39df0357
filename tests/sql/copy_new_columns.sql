-- A feed that grows columns: COPY adds them, and loading the same file again changes nothing.
CREATE TABLE feed (ts TIMESTAMP, device SYMBOL, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, device);
COPY feed FROM STDIN (FORMAT csv, HEADER);
2024-01-01T00:00:00Z,a,1.5
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,v
2024-01-01T00:00:00Z,a,1.5
2024-01-01T00:01:00Z,b,2.5
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
humidity,DEVICE,ts,note,online,seen,v,Code
61,a,2024-01-02T00:00:00Z,"dry, cold",true,2024-01-02 00:00:01,3.5,007
62,b,2024-01-02T00:01:00Z,,false,,4.5,08
\.
COPY feed FROM STDIN (FORMAT csv, HEADER match, ON_NEW_COLUMN add);
humidity,DEVICE,ts,note,online,seen,v,Code
61,a,2024-01-02T00:00:00Z,"dry, cold",true,2024-01-02 00:00:01,3.5,007
62,b,2024-01-02T00:01:00Z,,false,,4.5,08
\.
SHOW LAST WRITE;
SELECT * FROM feed;
SELECT "column", type FROM table_columns('feed');
-- All or nothing: a bad row takes the new columns with it.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,v,gust
2024-01-03T00:00:00Z,a,none,1
\.
SELECT count(*) FROM table_columns('feed') WHERE "column" = 'gust';
BEGIN;
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,v,gust
2024-01-03T00:00:00Z,a,7,1
\.
SELECT ts, gust FROM feed WHERE gust > 0;
ROLLBACK;
SELECT count(*) FROM table_columns('feed') WHERE "column" = 'gust';
-- An empty file, and a header without rows.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,remark
\.
SELECT type FROM table_columns('feed') WHERE "column" = 'remark';
-- A day sent whole, with a column more.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add, OVERWRITE dynamic);
ts,device,v,pressure
2024-01-02T00:00:00Z,c,9,1013
\.
SELECT ts, device, v, pressure FROM feed;
-- What cannot be says so before any data is read.
COPY feed FROM STDIN (FORMAT csv, ON_NEW_COLUMN add);
\.
COPY feed FROM STDIN (ON_NEW_COLUMN add);
\.
COPY feed (ts) FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ESCAPE '\', ON_NEW_COLUMN add);
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN ignore);
\.
-- The names are of the header; twice the same is none.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,device
2024-01-03T00:00:00Z,a,b
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,twice,twice
2024-01-03T00:00:00Z,a,1,2
\.
-- Who may load may not add columns.
CREATE USER loader;
GRANT INSERT, SELECT ON feed TO loader;
SET ROLE loader;
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,v
2024-01-04T00:00:00Z,a,1
\.
COPY feed FROM STDIN (FORMAT csv, HEADER, ON_NEW_COLUMN add);
ts,device,v,secret
2024-01-04T00:00:00Z,a,1,1
\.
RESET ROLE;
