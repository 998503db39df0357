#!/usr/bin/python3
"""What a refresh of a materialized view costs after a day of its table has changed, with few and with many days in the table.

    bench/refresh.py build/release/idemdb [--days 10,100] [--rows-per-day 100000]

Starts a server of its own on 127.0.0.1 and prints its CPU seconds. Needs psycopg2.
"""
import argparse, statistics, tempfile
from bench_server import Server

VIEW = "SELECT ts, sym, sum(v) AS v, count() AS n FROM t SAMPLE BY 1h"


# Milliseconds of the server's CPU for one execution.
def cost(server, statement, prepare=None, times=5):
    costs = []
    for _ in range(times):
        if prepare: server.run(prepare)
        begun = server.cpu()
        server.run(statement)
        costs.append((server.cpu() - begun) * 1000)
    return statistics.median(costs)


def measure(binary, days, rows):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, folder)
        run = server.run
        run("CREATE TABLE t (ts TIMESTAMP, sym SYMBOL, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY")
        step = 86_400_000_000 // rows
        run(f"INSERT INTO t SELECT '2024-01-01'::timestamp + x * interval '{step} microseconds', 'S' || x % 50, x "
            f"FROM generate_series(0, {days * rows - 1}) x")
        run("CHECKPOINT")
        run(f"CREATE MATERIALIZED VIEW m REFRESH MANUAL AS {VIEW}")
        refresh = "REFRESH MATERIALIZED VIEW m"
        change = "UPDATE t SET v = v + 1 WHERE ts IN '2024-01-05T11:00;1m'"
        append = "INSERT INTO t SELECT max(ts) + interval '1 second', 'S1', 1 FROM t"
        print(f"{days:>6} {days * rows:>12,} {cost(server, VIEW):>10.0f} {cost(server, refresh + ' FULL', change):>10.0f} "
              f"{cost(server, refresh, change):>10.0f} {cost(server, refresh, append):>10.0f} {cost(server, refresh):>10.0f}", flush=True)
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("idemdb")
    parser.add_argument("--days", default="10,100")
    parser.add_argument("--rows-per-day", type=int, default=100_000)
    options = parser.parse_args()
    print(f"{'days':>6} {'rows':>12} {'query ms':>10} {'FULL ms':>10} {'a day ms':>10} {'append ms':>10} {'nothing ms':>10}")
    for days in options.days.split(","):
        measure(options.idemdb, int(days), options.rows_per_day)


main()
