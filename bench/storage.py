#!/usr/bin/python3
"""What the storage engine promises, on a running server: a reload that changes nothing, few changes of a large day, writers beside
checkpoints, recovery, and statements that touch no row.

    bench/storage.py build/release/idemdb [--rows 10000000] [--parts reload,changes,stalls,recovery,metadata] [--folder DIR]

Starts servers of its own on 127.0.0.1, one after the other, and makes its CSV files with them in DIR. Needs psycopg2.
"""
import argparse, os, re, shutil, statistics, tempfile, threading, time
from bench_server import Server

FIRST_DAY = "2024-01-01"
TABLE = "(ts TIMESTAMP, sym SYMBOL, price DOUBLE, amount DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, sym)"


def rows_query(first, end, days, rows, changed="x % 100 = -1"):
    step = days * 86_400_000_000 // rows
    return (f"SELECT '{FIRST_DAY}'::timestamp + x * interval '{step} microseconds' AS ts, 'S' || (x * 7919) % 100 AS sym, "
            f"(10000 + (40 * sin(x / 100000.0))::bigint * 100 + x * 2654435761 % 997) / 100.0::double + CASE WHEN {changed} THEN 1 ELSE 0 END AS price, "
            f"(x * 40503 % 65521)::double AS amount FROM generate_series({first}::bigint, {end - 1}) x")


def report(name, value, unit):
    print(f"{name:<60} {value:>12,.1f} {unit}", flush=True)


def write_csv(server, path, *query):
    with open(path, "w") as file: server.cursor.copy_expert(f"COPY ({rows_query(*query)}) TO STDOUT CSV", file)


def copy(server, table, paths):
    begun, cpu, written = time.monotonic(), server.cpu(), server.written_bytes()
    for path in paths:
        with open(path) as file: server.cursor.copy_expert(f"COPY {table} FROM STDIN CSV", file)
    return time.monotonic() - begun, server.cpu() - cpu, (server.written_bytes() - written) / 1e6


def files_below(folder):
    return {os.path.join(path, name): os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names}


def report_copy(name, measured, rows):
    seconds, cpu, written = measured
    report(f"{name}: rows/s", rows / seconds, "")
    report(f"{name}: server CPU", cpu, "s")
    report(f"{name}: written, log included", written, "MB")


def reload(binary, folder, rows):
    server = Server(binary, folder + "/reload")
    count = 20
    paths = [f"{folder}/part{i}.csv" for i in range(count)]
    for i, path in enumerate(paths): write_csv(server, path, i * rows // count, (i + 1) * rows // count, 30, rows)
    server.run(f"CREATE TABLE trades {TABLE}")
    report_copy("load into keys", copy(server, "trades", paths), rows)
    server.run("CHECKPOINT")
    status = "SELECT published_commit, log_bytes FROM wal_status()"
    server.run(status)
    before = server.cursor.fetchone(), files_below(server.folder)
    report_copy("all sent again unchanged", copy(server, "trades", paths), rows)
    server.run(status)
    after = server.cursor.fetchone(), files_below(server.folder)
    print(f"{'log and files after it':<60} {'as before' if after == before else 'CHANGED':>12}", flush=True)
    report("bytes on disk for a row", server.value("SELECT disk_bytes FROM tables() WHERE table_name = 'trades'") / rows, "")
    report("resident at the highest", server.resident_mib("VmHWM"), "MiB")
    for path in paths: os.remove(path)
    server.kill()
    server = Server(binary, folder + "/reload")
    report("start after kill -9 to the first answer", server.start_seconds * 1000, "ms")
    server.stop()


def changes(binary, folder, rows):
    server = Server(binary, folder + "/changes")
    path = folder + "/day.csv"
    write_csv(server, path, 0, rows, 1, rows)
    server.run(f"CREATE TABLE day {TABLE}")
    report_copy("a day", copy(server, "day", [path]), rows)
    server.run("CHECKPOINT")
    size = server.value("SELECT disk_bytes FROM tables() WHERE table_name = 'day'") / 1e6
    report("the day on disk", size, "MB")
    write_csv(server, path, 0, rows, 1, rows, "x % 100 = 7")
    server.run("CREATE TABLE before AS SELECT sum(price) AS price FROM day")
    measured = copy(server, "day", [path])
    report_copy("sent again, 1 % changed", measured, rows)
    written = server.written_bytes()
    server.run("CHECKPOINT")
    checkpoint = (server.written_bytes() - written) / 1e6
    report("written by a checkpoint after it", checkpoint, "MB")
    report("written in all, of the day", (measured[2] + checkpoint) / size * 100, "%")
    changed = round(server.value("SELECT sum(price) FROM day") - server.value("SELECT price FROM before"))
    assert changed == rows // 100, changed
    os.remove(path)
    server.stop()


def stalls(binary, folder, seconds=10, writers=2):
    server = Server(binary, folder + "/stalls")
    for mode in ("on", "off"):
        server.run(f"DROP TABLE IF EXISTS ingest; CREATE TABLE ingest {TABLE}")
        ends = time.monotonic() + seconds
        latencies = []

        def write(number):
            cursor = server.connect().cursor()
            cursor.execute(f"SET synchronous_commit = {mode}")
            i = 0
            while time.monotonic() < ends:
                i += 1
                begun = time.monotonic()
                cursor.execute("INSERT INTO ingest SELECT '2024-01-01'::timestamp + (%s + x) * interval '1 ms', 'S' || x, x, x "
                               "FROM generate_series(0, 99) x", ((i * writers + number) * 100,))
                latencies.append((time.monotonic() - begun) * 1000)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
        for thread in threads: thread.start()
        checkpoints = 0
        while time.monotonic() < ends:
            server.run("CHECKPOINT")
            checkpoints += 1
            time.sleep(0.05)
        for thread in threads: thread.join()
        latencies.sort()
        name = f"commits of 100 rows, synchronous_commit {mode}"
        report(f"{name}: in {seconds} s beside {checkpoints} checkpoints", len(latencies), "")
        for share in (0.5, 0.99, 0.999): report(f"{name}: {share * 100:g} %", latencies[int(len(latencies) * share)], "ms")
        report(f"{name}: longest", latencies[-1], "ms")
    server.stop()


def recovery(binary, folder, rows, batch=20_000):
    server = Server(binary, folder + "/recovery", "--checkpoint-log-bytes", "16GB")
    server.run(f"CREATE TABLE trades {TABLE}")
    server.run("CHECKPOINT")
    acknowledged = 0

    def load():
        nonlocal acknowledged
        try:
            for first in range(0, rows * 10, batch):
                server.run(f"INSERT INTO trades {rows_query(first, first + batch, 300, rows * 10)}")
                acknowledged = first + batch
        except Exception: pass  # the kill

    thread = threading.Thread(target=load)
    thread.start()
    while acknowledged < rows: time.sleep(0.001)
    server.kill()
    thread.join()
    server = Server(binary, folder + "/recovery")
    log_line = server.first_log_line()
    size, millis = map(int, re.search(r"from (\d+) bytes of log in (\d+) ms", log_line).groups())
    assert server.value("SELECT count(*) FROM trades") >= acknowledged
    report("kill -9 in mid-load: rows acknowledged, none lost", acknowledged, "")
    report("log to be replayed", size / 1e6, "MB")
    report("start to the first answer", server.start_seconds, "s")
    report("recovery for a GiB of log", millis / 1000 / size * (1 << 30), "s")
    report("recovery, rows/s", acknowledged / millis * 1000, "")
    server.stop()


def metadata(binary, folder, rows):
    server = Server(binary, folder + "/metadata")
    for count in (10, 50_000, rows):
        server.run(f"CREATE TABLE t {TABLE}")
        server.run(f"INSERT INTO t {rows_query(0, count, 30, count)}")
        server.run("CHECKPOINT")
        version = server.value("SELECT max(version) FROM table_history('t')")
        times = {"TRUNCATE": [], "RESTORE": [], "DROP PARTITION": [], "DROP TABLE": [], "UNDROP": []}
        for _ in range(9):
            times["TRUNCATE"].append(server.seconds("TRUNCATE t"))
            times["RESTORE"].append(server.seconds(f"RESTORE TABLE t TO VERSION AS OF {version}"))
            times["DROP PARTITION"].append(server.seconds(f"ALTER TABLE t DROP PARTITION LIST '{FIRST_DAY}'"))
            times["DROP TABLE"].append(server.seconds("DROP TABLE t"))
            times["UNDROP"].append(server.seconds("UNDROP TABLE t"))
            server.run(f"RESTORE TABLE t TO VERSION AS OF {version}")
        for statement, seconds in times.items(): report(f"{statement}, {count:,} rows", statistics.median(seconds) * 1000, "ms")
        if count < rows: server.run("DROP TABLE t")
    day = "2024-01-15"
    server.run(f"CREATE TABLE day {TABLE}; INSERT INTO day SELECT * FROM t WHERE ts IN '{day}'; CHECKPOINT")
    overwrite, insert, swap = [], [], []
    for _ in range(7):
        server.run(f"CREATE TABLE empty {TABLE}")
        insert.append(server.seconds("INSERT INTO empty SELECT * FROM day"))
        overwrite.append(server.seconds(f"INSERT OVERWRITE t PARTITION ('{day}') SELECT * FROM day"))
        server.run("CHECKPOINT")
        swap.append(server.seconds(f"ALTER TABLE t ATTACH PARTITION '{day}' FROM empty REPLACE"))
        server.run("DROP TABLE empty")
    report(f"overwrite a day of 30 ({rows // 30:,} rows)", statistics.median(overwrite) * 1000, "ms")
    report("INSERT … SELECT of that day into an empty table", statistics.median(insert) * 1000, "ms")
    report("swap of the day (ATTACH … REPLACE)", statistics.median(swap) * 1000, "ms")
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("idemdb")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parts", default="reload,changes,stalls,recovery,metadata")
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="storage_bench_")
    try:
        for part in options.parts.split(","):
            print(f"-- {part}", flush=True)
            if part == "stalls":
                stalls(options.idemdb, folder)
            else:
                {"reload": reload, "changes": changes, "recovery": recovery, "metadata": metadata}[part](options.idemdb, folder, options.rows)
            shutil.rmtree(f"{folder}/{part}", ignore_errors=True)
    finally:
        if not options.folder: shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
