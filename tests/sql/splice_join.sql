CREATE TABLE bids (ts TIMESTAMP, sym SYMBOL, bid INTEGER) TIMESTAMP(ts);
CREATE TABLE asks (ts TIMESTAMP, sym SYMBOL, ask INTEGER) TIMESTAMP(ts);
INSERT INTO bids VALUES ('2019-10-17T00:00:00', 'A', 100), ('2019-10-17T00:00:00.1', 'A', 101), ('2019-10-17T00:00:00.3', 'A', 102),
  ('2019-10-17T00:00:00.5', 'B', 103), ('2019-10-17T00:00:00.6', 'A', 104);
INSERT INTO asks VALUES ('2019-10-17T00:00:00.1', 'A', 100), ('2019-10-17T00:00:00.3', 'A', 101), ('2019-10-17T00:00:00.4', 'B', 102);

-- Rows of both sides, each with the newest of the other; of one time they are one row.
SELECT b.ts AS timebid, a.ts AS timeask, bid, ask FROM bids b SPLICE JOIN asks a;
-- By symbol: the key is that of the side that is there.
SELECT sym, bid, ask FROM bids SPLICE JOIN asks ON (sym);
SELECT b.sym, a.sym, bid, ask FROM bids b SPLICE JOIN asks a ON b.sym = a.sym;
-- Not older than a tenth of a second.
SELECT bid, ask FROM bids b SPLICE JOIN asks a TOLERANCE 100T;
-- Conditions apply to its rows; sides may be queries.
SELECT bid, ask FROM bids b SPLICE JOIN asks a WHERE ask IS NOT NULL AND b.ts < '2019-10-17T00:00:00.5';
SELECT count(*), sum(bid), sum(ask) FROM (SELECT ts, bid FROM bids WHERE bid > 100) b SPLICE JOIN (SELECT ts, ask FROM asks WHERE ask < 102) a;
SELECT sym, sum(bid), sum(ask) FROM bids SPLICE JOIN asks USING (sym) GROUP BY sym ORDER BY sym;
SELECT bid FROM bids SPLICE JOIN (VALUES (1)) AS v(x);
