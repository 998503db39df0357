CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, price DOUBLE) TIMESTAMP(ts);
CREATE TABLE quotes (ts TIMESTAMP, sym SYMBOL, bid DOUBLE) TIMESTAMP(ts);
INSERT INTO trades VALUES ('2024-01-01T10:00:00', 'A', 10), ('2024-01-01T10:00:05', 'B', 20), ('2024-01-01T10:00:10', 'A', 11), ('2024-01-01T12:00:00', 'A', 12);
INSERT INTO quotes VALUES ('2024-01-01T09:59:59', 'A', 9.5), ('2024-01-01T10:00:05', 'B', 19.5), ('2024-01-01T10:00:10', 'A', 10.5), ('2024-01-01T10:00:11', 'A', 10.6);

-- The newest quote not after each trade.
SELECT t.ts, t.sym, t.price, q.ts, q.bid FROM trades t ASOF JOIN quotes q ON t.sym = q.sym;
-- The newest one strictly before it.
SELECT t.ts, t.sym, q.bid FROM trades t LT JOIN quotes q ON t.sym = q.sym;
-- Of any symbol.
SELECT t.ts, t.sym, q.sym, q.bid FROM trades t ASOF JOIN quotes q;
-- Not older than an hour.
SELECT t.ts, t.sym, q.bid FROM trades t ASOF JOIN quotes q ON t.sym = q.sym TOLERANCE 1h;
-- Of some time: quotes before it are found too, the newest of each symbol, and none behind it.
SELECT t.ts, t.sym, q.ts, q.bid FROM trades t ASOF JOIN quotes q ON t.sym = q.sym WHERE t.ts >= '2024-01-01T10:00:05' AND t.ts < '2024-01-01T11:00';
SELECT t.ts, t.sym, q.ts, q.bid FROM trades t ASOF JOIN quotes q ON t.sym = q.sym TOLERANCE 1m WHERE t.ts > '2024-01-01T11:00';
SELECT t.ts, t.sym, q.ts, q.bid FROM trades t LT JOIN quotes q ON t.sym = q.sym WHERE t.ts = '2024-01-01T10:00:10';
EXPLAIN (COSTS OFF) SELECT t.ts, q.bid FROM trades t ASOF JOIN quotes q ON t.sym = q.sym WHERE t.ts >= '2024-01-01T10:00:05';
