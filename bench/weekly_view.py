#!/usr/bin/python3
"""A query for one day through a view over weekly tables, beside the same query on the one table that has the day.

    bench/weekly_view.py build/release/idemdb [--tables 520] [--rows 20160] [--repeat 300] [--folder DIR]

Starts a server of its own on 127.0.0.1. Needs psycopg2.
"""
import argparse, datetime, shutil, statistics, tempfile, time
from bench_server import Server

FIRST_WEEK = datetime.date(2014, 1, 6)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("idemdb")
    parser.add_argument("--tables", type=int, default=520)
    parser.add_argument("--rows", type=int, default=20160, help="of each table")
    parser.add_argument("--repeat", type=int, default=300)
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="weekly_view_")
    server = Server(options.idemdb, folder)
    names = [f"week_{i:03}" for i in range(options.tables)]
    for i, name in enumerate(names):
        week = FIRST_WEEK + datetime.timedelta(weeks=i)
        server.run(f"CREATE TABLE {name} (ts TIMESTAMP, k INT, v DOUBLE) TIMESTAMP(ts); INSERT INTO {name} SELECT '{week}'::timestamp + "
                   f"x * interval '{7 * 86_400_000_000 // options.rows} microseconds', x % 7, x FROM generate_series(0, {options.rows - 1}) x")
    server.run("CREATE VIEW weeks AS " + " UNION ALL ".join(f"SELECT * FROM {name}" for name in names))
    server.run("CHECKPOINT")
    middle = options.tables // 2
    day = FIRST_WEEK + datetime.timedelta(weeks=middle, days=2)
    seconds = {names[middle]: [], "weeks": []}
    rows = {}
    for _ in range(options.repeat):
        for relation, times in seconds.items():
            begun = time.perf_counter()
            server.run(f"SELECT k, count(*), sum(v) FROM {relation} WHERE ts IN '{day}' GROUP BY k ORDER BY k")
            rows[relation] = server.cursor.fetchall()
            times.append(time.perf_counter() - begun)
    assert rows["weeks"] == rows[names[middle]] and rows["weeks"]
    for relation, times in seconds.items():
        print(f"{relation:<10} median {statistics.median(times) * 1000:7.3f} ms   best {min(times) * 1000:7.3f} ms")
    ratios = [via / alone for alone, via in zip(*seconds.values())]
    print(f"the view costs {statistics.median(ratios):.2f} times the table (median of pairs)")
    server.stop()
    if not options.folder: shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
