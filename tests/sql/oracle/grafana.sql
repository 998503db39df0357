-- What Grafana's PostgreSQL data source sends: its look at the database, and panels with their macros expanded as it does it.
\if :idem
CREATE TABLE metrics (ts TIMESTAMP, host SYMBOL, cpu DOUBLE, requests BIGINT, epoch BIGINT) TIMESTAMP(ts);
\else
CREATE TABLE metrics (ts TIMESTAMP, host VARCHAR, cpu DOUBLE PRECISION, requests BIGINT, epoch BIGINT);
\endif
INSERT INTO metrics SELECT TIMESTAMP '2024-01-01' + g * INTERVAL '7 minutes 3.5 seconds', CASE g % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END,
  (g * 37 % 100) / 4.0, g * g, 1704067200 + g * 423 FROM generate_series(0, 400) AS g;

-- The connection test, the version, TimescaleDB or not, databases, tables and columns.
SELECT 1;
SELECT current_setting('server_version_num')::int / 100 >= 1000 AS version;
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';
SELECT count(datname) > 0 FROM pg_database WHERE datistemplate = false;
select quote_ident(table_name) as "table" from information_schema.tables
  where quote_ident(table_schema) not in ('information_schema', 'pg_catalog', '_timescaledb_cache', '_timescaledb_catalog', '_timescaledb_internal', '_timescaledb_config', 'timescaledb_information', 'timescaledb_experimental')
    and table_type = 'BASE TABLE'
    and quote_ident(table_schema) IN (
      SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
        string_to_array(current_setting('search_path'),',') s);
select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns where quote_ident(table_name) = 'metrics' and column_name <> 'host';
SELECT quote_ident(column_name) FROM information_schema.columns WHERE
    CASE WHEN array_length(parse_ident('metrics'),1) = 2
      THEN quote_ident(table_schema) = (parse_ident('metrics'))[1] AND quote_ident(table_name) = (parse_ident('metrics'))[2]
      ELSE quote_ident(table_name) = 'metrics' AND quote_ident(table_schema) IN ('public') END
  AND data_type IN ('bigint', 'double precision');
SELECT DISTINCT quote_literal(host) FROM metrics WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-02T00:00:00.123Z' ORDER BY 1 LIMIT 100;

-- $__time, $__timeFilter, $__timeFrom, $__timeTo.
SELECT ts AS "time", cpu FROM metrics WHERE ts BETWEEN '2024-01-01T02:00:00Z' AND '2024-01-01T03:00:00.123Z' ORDER BY 1;
SELECT extract(epoch from ts) as "time", cpu FROM metrics WHERE ts >= '2024-01-01T02:00:00Z' AND ts < '2024-01-01T02:30:00Z' ORDER BY 1;
-- $__timeGroup, with and without alias; a series for each value of metric.
SELECT floor(extract(epoch from ts)/300)*300 AS "time", avg(cpu) AS "cpu" FROM metrics
  WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-01T02:00:00Z' GROUP BY 1 ORDER BY 1;
SELECT floor(extract(epoch from ts)/3600)*3600 AS "time", host AS metric, max(requests) AS requests FROM metrics
  WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-01T06:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT floor(extract(epoch from ts)/3600)*3600 AS "time", count(*), sum(requests), avg(requests) FROM metrics
  WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-01T06:00:00Z' GROUP BY floor(extract(epoch from ts)/3600)*3600 ORDER BY "time" LIMIT 3;
-- $__timeGroupAlias of the query builder with a window on top (rate).
SELECT floor(extract(epoch from ts)/3600)*3600 AS "time",
  (CASE WHEN max(requests) >= lag(max(requests)) OVER (ORDER BY floor(extract(epoch from ts)/3600)*3600)
        THEN max(requests) - lag(max(requests)) OVER (ORDER BY floor(extract(epoch from ts)/3600)*3600)
        WHEN lag(max(requests)) OVER (ORDER BY floor(extract(epoch from ts)/3600)*3600) IS NULL THEN NULL ELSE max(requests) END) AS "requests"
  FROM metrics WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-01T06:00:00Z' GROUP BY 1 ORDER BY 1;
-- $__unixEpochFilter, $__unixEpochGroup, $__unixEpochNanoFilter.
SELECT epoch AS "time", cpu FROM metrics WHERE epoch >= 1704067200 AND epoch <= 1704070000 ORDER BY 1;
SELECT floor((epoch)/3600)*3600 AS "time", avg(cpu) FROM metrics WHERE epoch >= 1704067200 AND epoch <= 1704081600 GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM metrics WHERE epoch * 1000000000 >= 1704067200000000000 AND epoch * 1000000000 <= 1704070000000000000;
-- A table panel, a variable of the dashboard, annotations.
SELECT host, count(*) AS n, round(avg(cpu)::numeric, 2) AS cpu, percentile_cont(0.95) WITHIN GROUP (ORDER BY cpu) AS p95 FROM metrics
  WHERE ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-03T00:00:00Z' AND host IN ('a','b') GROUP BY host ORDER BY host;
SELECT DISTINCT host AS __text, host AS __value FROM metrics ORDER BY 1;
SELECT extract(epoch from ts) AS time, extract(epoch from ts + INTERVAL '5 minutes') AS timeend, 'busy: ' || cpu AS text, host || ',auto' AS tags FROM metrics
  WHERE cpu > 24 AND ts BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-03T00:00:00Z' ORDER BY 1 LIMIT 3;
