#!/usr/bin/python3
"""What many tables and partitions cost: start-up, commits, DDL, CHECKPOINT, psql's \\d; against the same with few tables.

    bench/many_tables.py build/release/idemdb [--tables 10000] [--partitions 100000] [--folder DIR]

Starts servers of its own on 127.0.0.1. Needs psycopg2 and psql.
"""
import argparse, os, shutil, statistics, subprocess, tempfile, time
from bench_server import Server

TABLES_PER_TRANSACTION = 250
PARTITIONS_PER_TABLE = 1000


def timed(action):
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def make_tables(server, first, end):
    for begin in range(first, end, TABLES_PER_TRANSACTION):
        text = "BEGIN;"
        for i in range(begin, min(end, begin + TABLES_PER_TRANSACTION)):
            text += f"CREATE TABLE t{i} (ts TIMESTAMP, device SYMBOL, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, device);"
            text += f"INSERT INTO t{i} VALUES ('2024-01-01T00:00:0{i % 10}', 'd{i}', {i});"
        server.run(text + "COMMIT")


def make_partitions(server, count):
    for i in range(count // PARTITIONS_PER_TABLE):
        server.run(f"CREATE TABLE p{i} (ts TIMESTAMP, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY")
        server.run(f"INSERT INTO p{i} SELECT '2020-01-01'::timestamp + x * interval '1 day', x FROM generate_series(0, {PARTITIONS_PER_TABLE - 1}) x")


def report(name, value, unit):
    print(f"{name:<44} {value:>10.2f} {unit}", flush=True)


def measure(server, label):
    def one_by_one(count, statement):
        return [timed(lambda: server.run(statement(i))) * 1000 for i in range(count)]
    cpu = server.cpu()
    commits = one_by_one(1000, lambda i: f"INSERT INTO t1 VALUES ('2024-01-02'::timestamp + {i} * interval '1 s', 'x', 1)")
    report(f"{label}: commit of a row, median", statistics.median(commits), "ms")
    report(f"{label}: commit of a row, server CPU", server.cpu() - cpu, "ms")
    cpu = server.cpu()
    created = one_by_one(200, lambda i: f"CREATE TABLE {label.split()[0]}_{i} (x BIGINT)")
    report(f"{label}: CREATE TABLE, median", statistics.median(created), "ms")
    report(f"{label}: CREATE TABLE, server CPU", (server.cpu() - cpu) * 5, "ms")
    cpu = server.cpu()
    for i in range(200): server.run(f"BEGIN RUN '{label}/{i}'; INSERT INTO t2 VALUES ('2024-01-03'::timestamp + {i} * interval '1 s', 'x', 1); COMMIT")
    report(f"{label}: run, server CPU", (server.cpu() - cpu) * 5, "ms")
    for command in ("\\d", "\\d t1", "\\dt+"):
        seconds = timed(lambda: subprocess.run(["psql", "-X", "-q", server.dsn, "-c", command], check=True, stdout=subprocess.DEVNULL,
                                               env={**os.environ, "PAGER": ""}))
        report(f"{label}: psql {command}", seconds * 1000, "ms")
    report(f"{label}: SELECT count(*) FROM tables()", timed(lambda: server.run("SELECT count(*), sum(disk_bytes) FROM tables()")) * 1000, "ms")
    report(f"{label}: CHECKPOINT", timed(lambda: server.run("CHECKPOINT")), "s")
    report(f"{label}: CHECKPOINT of nothing", timed(lambda: server.run("CHECKPOINT")) * 1000, "ms")
    report(f"{label}: resident", server.resident_mib(), "MiB")
    report(f"{label}: open files", server.descriptors(), "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--partitions", type=int, default=100_000)
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="many_tables_")
    try:
        server = Server(options.binary, folder)
        report("start, empty", server.start_seconds, "s")
        make_tables(server, 0, 10)
        measure(server, "few tables")
        report("making the tables", timed(lambda: make_tables(server, 10, options.tables)), "s")
        report("making the partitions", timed(lambda: make_partitions(server, options.partitions)), "s")
        measure(server, "many tables")
        server.kill()
        server = Server(options.binary, folder)
        report("start after kill -9", server.start_seconds, "s")
        report("start, server CPU", server.cpu(), "s")
        report("resident after the start", server.resident_mib(), "MiB")
        report("open files after the start", server.descriptors(), "")
        report("first query of a table", timed(lambda: server.run("SELECT * FROM t77")) * 1000, "ms")
        report("CHECKPOINT after the start", timed(lambda: server.run("CHECKPOINT")), "s")
        server.stop()
    finally:
        if not options.folder: shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
