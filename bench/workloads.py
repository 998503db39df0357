#!/usr/bin/python3
"""Loads, queries and changes of trades over 30 days, as docs/performance.md and others compare databases by.

    bench/workloads.py build/release/idemdb [--rows 10000000] [--times 5]

Starts a server of its own on 127.0.0.1, on a folder in the present one, and prints a line for each workload: medians of wall milliseconds
(rows a second for loads) and of the server's CPU. Needs psycopg2, and disk for 150 bytes a row.
"""
import argparse, io, os, shutil, statistics, subprocess, sys, tempfile, time
import psycopg2

FIRST, LAST_DAY = "2024-01-01", "2024-01-30"
ROWS_OF_A_COMMIT = 500_000
COLUMNS = "(ts TIMESTAMP, sym SYMBOL, side SYMBOL, price DOUBLE, amount DOUBLE) TIMESTAMP(ts) PARTITION BY DAY"
KEYS = " DEDUP UPSERT KEYS(ts, sym)"
OHLC = "first(price), max(price), min(price), last(price), sum(amount)"
# Each gives aggregates of its whole result, so that no client has to read it.
QUERIES = {
    "count": "SELECT count() FROM trades",
    "sum of everything": "SELECT sum(price), sum(amount) FROM trades",
    "group by symbol": "SELECT count(), sum(s) FROM (SELECT sym, sum(amount) AS s FROM trades GROUP BY sym)",
    "one day": f"SELECT sum(price) FROM trades WHERE ts IN '{LAST_DAY}'",
    "one symbol of a day": f"SELECT sum(price) FROM trades WHERE ts IN '{LAST_DAY}' AND sym = 'S7'",
    "filter without order": "SELECT count() FROM trades WHERE price > 150 AND amount < 0.1",
    "OHLC by minute of a day": f"SELECT count(), sum(high) FROM (SELECT ts, sym, max(price) AS high, {OHLC} FROM trades WHERE ts IN '{LAST_DAY}' SAMPLE BY 1m)",
    "OHLC by hour of everything": f"SELECT count(), sum(high) FROM (SELECT ts, sym, max(price) AS high, {OHLC} FROM trades SAMPLE BY 1h)",
    "latest by symbol": "SELECT count(), sum(price) FROM (SELECT * FROM trades LATEST ON ts PARTITION BY sym)",
    "ASOF join of a day": f"SELECT count(q.price), sum(q.price) FROM trades t ASOF JOIN quotes q ON t.sym = q.sym WHERE t.ts IN '{LAST_DAY}'",
    "ASOF join of everything": "SELECT count(q.price), sum(q.price) FROM trades t ASOF JOIN quotes q ON t.sym = q.sym",
    "row_number by hour": "SELECT count() FROM (SELECT row_number() OVER (PARTITION BY sym, date_trunc('hour', ts) ORDER BY ts DESC) AS n FROM trades) WHERE n = 1",
    "top 10 rows": "SELECT sum(amount) FROM (SELECT amount FROM trades ORDER BY amount DESC, ts LIMIT 10)",
}


class Server:
    def __init__(self, binary, folder):
        self.command = [binary, "--data", folder + "/data", "--port", "0", "--port-file", folder + "/port"]
        self.port_file, self.folder = folder + "/port", folder
        self.start()

    def start(self):
        if os.path.exists(self.port_file): os.remove(self.port_file)
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (os.path.exists(self.port_file) and os.path.getsize(self.port_file)):
            if self.process.poll() is not None: sys.exit("the server does not start")
            time.sleep(0.001)
        self.connection = psycopg2.connect(host="127.0.0.1", port=open(self.port_file).read().split()[0], user="admin", dbname="main")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall() if self.cursor.description else None

    def load(self, table, parts):
        for part in parts: self.cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv)", io.BytesIO(part))

    # Median (seconds, seconds of CPU) of what `work` takes; `prepare` runs before each.
    def cost(self, work, prepare=None, times=1):
        costs = []
        for _ in range(times):
            if prepare: prepare()
            begun, cpu = time.monotonic(), self.cpu()
            work()
            costs.append((time.monotonic() - begun, self.cpu() - cpu))
        return tuple(map(statistics.median, zip(*costs)))


def show(name, cost, rows=None):
    measure = "%11d rows/s" % (rows / cost[0]) if rows else "%11.2f ms    " % (cost[0] * 1000)
    print("%-42s %s %8.0f ms of CPU" % (name, measure, cost[1] * 1000), flush=True)


# The rows [from, to) of `rows` as CSV, in the order of time. `column` replaces a column's text by another.
def csv(server, rows, begin, end, price="round((100 + x % 100 + x * 37 % 10000 / 10000.0)::numeric, 4)"):
    step = 30 * 86_400_000_000 // rows
    out = io.BytesIO()
    server.cursor.copy_expert(
        f"COPY (SELECT '{FIRST}'::timestamp + x * {step} * INTERVAL '1 microsecond', 'S' || x * 7 % 100, CASE WHEN x * 31 % 7 < 4 THEN 'buy' ELSE 'sell' END, "
        f"{price}, x * 13 % 1000 / 1000.0 FROM generate_series({begin}::bigint, {end - 1}) AS g(x)) TO STDOUT (FORMAT csv)", out)
    return out.getvalue()


def loads(server, rows, times):
    parts = [csv(server, rows, at, min(at + ROWS_OF_A_COMMIT, rows)) for at in range(0, rows, ROWS_OF_A_COMMIT)]
    day = rows // 30
    last = [csv(server, rows, rows - day, rows)]
    changed = [csv(server, rows, rows - day, rows, "round((CASE WHEN x % 100 = 0 THEN 99 ELSE 100 + x % 100 + x * 37 % 10000 / 10000.0 END)::numeric, 4)")]
    for name, clauses in (("plain", ""), ("trades", KEYS)):
        server.run(f"CREATE TABLE {name} {COLUMNS}{clauses}")
        show("ordered COPY" + (" into upsert keys" if clauses else ""), server.cost(lambda: server.load(name, parts)), rows)
    show("a day sent again unchanged", server.cost(lambda: server.load("trades", last), times=times), day)
    show("a day sent again, 1 % changed",
         server.cost(lambda: server.load("trades", changed), lambda: server.load("trades", last), times), day)
    server.run("CHECKPOINT")
    size = sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(server.folder + "/data/tables") for name in names)
    print("%-42s %11.2f bytes a row" % ("segment files of both tables", size / (2 * rows)))


def queries(server, rows, times):
    server.run(f"CREATE TABLE quotes {COLUMNS}")
    server.run("INSERT INTO quotes SELECT ts - INTERVAL '1 millisecond', sym, side, price - 0.01, amount FROM trades")
    server.run("CHECKPOINT")
    for name, sql in QUERIES.items(): show(name, server.cost(lambda: server.run(sql), times=times + 1))


def changes(server, rows, times):
    merge = ("MERGE INTO trades AS t USING changes AS s ON t.ts = s.ts AND t.sym = s.sym WHEN MATCHED AND s.amount = 0 THEN DELETE "
             "WHEN MATCHED THEN UPDATE SET price = s.price WHEN NOT MATCHED THEN INSERT *")
    base = server.run("SELECT max(version) FROM table_history('trades')")[0][0]
    for name, condition in (("MERGE of 100,000 rows into the last day", f"WHERE ts IN '{LAST_DAY}'"), ("spread over all", "")):
        def prepare():
            server.run(f"RESTORE TABLE trades TO VERSION AS OF {base}")
            server.run("DROP TABLE IF EXISTS changes")
            server.run(f"CREATE TABLE changes AS SELECT ts + (n % 2) * INTERVAL '1 microsecond' AS ts, sym, side, price + 1 AS price, CASE WHEN n % 20 = 0 THEN 0 ELSE amount END AS amount "
                       f"FROM (SELECT *, row_number() OVER () AS n, count(*) OVER () AS c FROM trades {condition}) WHERE n % greatest(c / 100000, 1) = 0 LIMIT 100000")
        show(name, server.cost(lambda: server.run(merge), prepare, times))
    overwrite = f"INSERT OVERWRITE trades PARTITION ('{LAST_DAY}') SELECT * FROM plain WHERE ts IN '{LAST_DAY}'"
    show("overwrite a day", server.cost(lambda: server.run(overwrite), times=times))
    server.run(f"CREATE TABLE gone {COLUMNS}")
    server.run("INSERT INTO gone SELECT * FROM plain")
    show("TRUNCATE of all rows", server.cost(lambda: server.run("TRUNCATE gone")))
    show("RESTORE of all rows", server.cost(lambda: server.run("RESTORE TABLE gone TO VERSION AS OF 1")))
    show("DROP PARTITION", server.cost(lambda: server.run(f"ALTER TABLE gone DROP PARTITION LIST '{LAST_DAY}'")))


def restart(server):
    server.process.kill()
    server.process.wait()
    begun = time.monotonic()
    server.start()
    count = server.run("SELECT count() FROM plain")[0][0]
    print("%-42s %11.2f s, %d rows" % ("kill -9, start, first answer", time.monotonic() - begun, count))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("idemdb")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="workloads-", dir=".")
    server = Server(arguments.idemdb, folder)
    try:
        loads(server, arguments.rows, arguments.times)
        queries(server, arguments.rows, arguments.times)
        changes(server, arguments.rows, arguments.times)
        restart(server)
    finally:
        server.process.kill()
        server.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
