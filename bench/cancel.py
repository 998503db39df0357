#!/usr/bin/env python3
"""How long a statement goes on after it was cancelled: statements of every kind, each cancelled at several moments of its run.

    bench/cancel.py IDEMDB [--rows N] [--moments N] [--names NAME …]

Prints for each the time that it takes alone, and the longest and the median time between the cancel request and the error."""
import argparse, shutil, statistics, tempfile, threading, time
import psycopg2
from psycopg2.extensions import QueryCanceledError
from bench_server import Server

LITTLE = "SET query_memory_limit = '24MB'"
STATEMENTS = {
    "sort": "SELECT count(*) FROM (SELECT price, ts FROM trades ORDER BY price, id OFFSET 10) q",
    "sort, spilled": (LITTLE, "SELECT max(price) FROM (SELECT * FROM trades ORDER BY price, id OFFSET 10) q"),
    "group by": "SELECT count(*) FROM (SELECT id % 2000003 AS g, sum(price) FROM trades GROUP BY 1) q",
    "group by, spilled": (LITTLE, "SELECT count(*) FROM (SELECT id % 2000003 AS g, sum(price) FROM trades GROUP BY 1) q"),
    "hash join": "SELECT count(*) FROM trades a JOIN trades b ON a.id = b.id * 2",
    "hash join, spilled": (LITTLE, "SELECT sum(a.price + b.price) FROM trades a JOIN trades b ON a.id = b.id * 2"),
    "cross join": "SELECT count(*) FROM trades a, trades b WHERE a.price + b.price < 0",
    "range join": "SELECT count(*) FROM trades a JOIN trades b ON a.price < b.price AND a.id > b.id",
    "ASOF join": "SELECT sum(b.price) FROM trades a ASOF JOIN quotes b ON (ticker)",
    "WINDOW JOIN": "SELECT sum(s) FROM (SELECT a.ts, sum(b.price) AS s FROM trades a WINDOW JOIN quotes b ON (ticker) RANGE BETWEEN 1 minute PRECEDING AND 1 minute FOLLOWING) q",
    "SPLICE JOIN": "SELECT count(*) FROM (SELECT a.price AS p, b.price AS q FROM trades a SPLICE JOIN quotes b ON (ticker)) q",
    "window functions": "SELECT max(r) FROM (SELECT rank() OVER (PARTITION BY ticker ORDER BY price) AS r FROM trades) q",
    "moving frames": "SELECT max(r) FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS r FROM trades GROUP BY id % 100) q",
    "frames by range": "SELECT max(r) FROM (SELECT sum(price) OVER (PARTITION BY ticker ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS r FROM trades) q",
    "distinct": "SELECT count(*) FROM (SELECT DISTINCT id, price FROM trades) q",
    "count distinct": "SELECT count(DISTINCT id) FROM trades",
    "set operation": "SELECT count(*) FROM (SELECT id FROM trades EXCEPT SELECT id * 2 FROM trades) q",
    "SAMPLE BY FILL": "SELECT count(*) FROM (SELECT ts, ticker, avg(price) FROM trades SAMPLE BY 1s FILL(LINEAR)) q",
    "LATEST ON": "SELECT count(*) FROM (SELECT ts, id, price FROM trades LATEST ON ts PARTITION BY id) q",
    "recursion": "WITH RECURSIVE r(x) AS (SELECT 1::bigint UNION ALL SELECT x + 1 FROM r WHERE x < 3000000) SELECT count(*) FROM r",
    "generated series": "SELECT sum(x) FROM generate_series(1, 300000000) x",
    "regular expression": "SELECT count(*) FROM trades WHERE 'ticker ' || ticker || id ~ '(a|b|c)+.*9.*8.*7'",
    "correlated subquery": "SELECT count(*) FROM trades a WHERE price > (SELECT avg(price) FROM quotes b WHERE b.id BETWEEN a.id AND a.id + 3)",
    "string_agg": "SELECT length(string_agg(id::text, ',' ORDER BY price)) FROM trades",
    "constant of the plan": "SELECT sum(length(md5(repeat('x', 100000) || x))) FROM generate_series(1, 20000) x",
    "fetch": "SELECT * FROM trades",
    "INSERT SELECT": ("BEGIN", "INSERT INTO copies SELECT * FROM trades"),
    "upsert": ("BEGIN", "INSERT INTO trades SELECT ts, ticker, price + 1, id FROM trades"),
    "INSERT OVERWRITE": ("BEGIN", "INSERT OVERWRITE copies SELECT * FROM trades"),
    "UPDATE": ("BEGIN", "UPDATE trades SET price = price + 1"),
    "DELETE": ("BEGIN", "DELETE FROM trades WHERE id % 3 = 0"),
    "MERGE": ("BEGIN", "MERGE INTO trades t USING (SELECT ts, ticker, price * 2 AS price, id FROM trades) s ON t.ts = s.ts AND t.ticker = s.ticker WHEN MATCHED THEN UPDATE SET price = s.price WHEN NOT MATCHED THEN INSERT VALUES (s.ts, s.ticker, s.price, s.id)"),
    "CREATE TABLE AS": ("BEGIN", "CREATE TABLE made AS (SELECT * FROM trades) TIMESTAMP(ts) PARTITION BY DAY"),
    "COPY TO a file": "COPY (SELECT * FROM trades) TO 'trades.csv' (FORMAT csv)",
    "COPY FROM a file": ("BEGIN", "COPY copies FROM 'loaded.csv' (FORMAT csv)"),
}


def cancelled_after(connection, cursor, texts, delay):
    """Seconds from the cancel request to the error; None where the statement was faster."""
    asked = []

    def cancel():
        asked.append(time.monotonic())
        connection.cancel()

    cursor.execute("ROLLBACK")
    cursor.execute("RESET query_memory_limit")
    for text in texts[:-1]: cursor.execute(text)
    timer = threading.Timer(delay, cancel)
    timer.start()
    try:
        cursor.execute(texts[-1])
        timer.cancel()
        timer.join()
        return None
    except QueryCanceledError:
        return time.monotonic() - asked[0]
    finally:
        timer.join()
        try: cursor.execute("ROLLBACK")
        except QueryCanceledError: cursor.execute("ROLLBACK")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("idemdb")
    arguments.add_argument("--names", nargs="*")
    arguments.add_argument("--rows", type=int, default=3_000_000)
    arguments.add_argument("--moments", type=int, default=8)
    options = arguments.parse_args()
    folder = tempfile.mkdtemp()
    server = Server(options.idemdb, folder)
    try:
        for table in ("trades", "quotes", "copies"):
            keys = "" if table == "quotes" else " DEDUP UPSERT KEYS(ts, ticker)"
            server.run(f"CREATE TABLE {table} (ts TIMESTAMP, ticker SYMBOL, price DOUBLE, id BIGINT) TIMESTAMP(ts) PARTITION BY DAY{keys}")
        rows = f"""SELECT '2026-01-01'::timestamp + x * interval '300 milliseconds' AS ts, 't' || x % 100 AS ticker, x::bigint * 7919 % 100003 / 8.0 AS price, x AS id
                   FROM generate_series(1, {options.rows}) x"""
        server.run(f"INSERT INTO trades {rows}")
        server.run(f"INSERT INTO quotes {rows}")
        server.run("COPY (SELECT * FROM trades) TO 'loaded.csv' (FORMAT csv)")
        connection = server.connect()
        cursor = connection.cursor()
        worst = 0
        print(f"{'statement':24} {'whole, s':>9} {'longest, ms':>12} {'median, ms':>11}")
        for name, texts in STATEMENTS.items():
            if options.names and name not in options.names: continue
            texts = texts if isinstance(texts, tuple) else (texts,)
            cursor.execute("SET statement_timeout = '10s'")
            cursor.execute("RESET query_memory_limit")
            for text in texts[:-1]: cursor.execute(text)
            begun = time.monotonic()
            try: cursor.execute(texts[-1])
            except QueryCanceledError: pass
            whole = time.monotonic() - begun
            cursor.execute("ROLLBACK")
            cursor.execute("RESET statement_timeout")
            times = [cancelled_after(connection, cursor, texts, whole * (i + 0.5) / options.moments) for i in range(options.moments)]
            times = [t * 1000 for t in times if t is not None]
            if not times:
                print(f"{name:24} {whole:9.2f}   too fast to be cancelled")
                continue
            worst = max(worst, max(times))
            print(f"{name:24} {whole:9.2f} {max(times):12.1f} {statistics.median(times):11.1f}", flush=True)
        print(f"longest of all: {worst:.1f} ms")
    finally:
        server.stop()
        shutil.rmtree(folder)


main()
