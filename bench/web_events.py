#!/usr/bin/env python3
"""Questions in the manner of ClickBench (https://github.com/ClickHouse/ClickBench) to one wide table of web events, made by the same SQL in each system.

    bench/web_events.py IDEMDB [--rows N] [--times N] [--postgres DSN] [--duckdb FOLDER] [--only N …]

IdemDB runs as a server of the script's own, over the wire; PostgreSQL likewise, at DSN; DuckDB in a node process with the package
@duckdb/node-api in FOLDER/node_modules. Prints for each query the median of the runs after the first, in milliseconds, whether the answers
agree, and at the end the geometric mean of the ratios."""
import argparse, json, math, re, shutil, statistics, subprocess, tempfile, time
import psycopg2
from bench_server import Server

COLUMNS = [  # name, type, expression of x and of the numbers h and g that are made of it
    ("event_time", "TIMESTAMP", "TIMESTAMP '2026-06-01' + x * INTERVAL '500 milliseconds'"),
    ("watch_id", "BIGINT", "x * 7919 + 1000000007"),
    ("counter_id", "INT", "CASE WHEN h % 10 < 3 THEN 62 ELSE g % 6000 END"),
    ("user_id", "BIGINT", "h * 97 % 400009 * 1000003"),
    ("client_ip", "INT", "g % 1000000000"),
    ("region_id", "INT", "CASE WHEN g % 4 = 0 THEN 229 ELSE h % 5000 END"),
    ("model", "TEXT", "CASE WHEN g % 20 = 0 THEN 'model ' || h % 166 ELSE '' END"),
    ("adv_engine", "SMALLINT", "CASE WHEN h % 33 = 0 THEN g % 18 ELSE 0 END"),
    ("search_engine", "SMALLINT", "CASE WHEN h % 8 = 0 THEN g % 40 ELSE 0 END"),
    ("search_phrase", "TEXT", "CASE WHEN h % 8 = 0 THEN 'phrase ' || h % 120011 || ' of many' ELSE '' END"),
    ("url", "TEXT", "'https://site' || g % 997 || '.example/page/' || h % 80021 || '?q=' || g % 17"),
    ("title", "TEXT", "CASE WHEN h % 50 = 0 THEN 'Goods ' ELSE 'Page ' END || g % 30011 || ' - site ' || h % 997"),
    ("referer", "TEXT", "CASE WHEN g % 5 = 0 THEN '' ELSE 'https://www.from' || h % 3001 || '.example/' || g % 50021 END"),
    ("width", "SMALLINT", "h % 2500"),
    ("is_refresh", "SMALLINT", "CASE WHEN h % 7 = 0 THEN 1 ELSE 0 END"),
    ("traffic_source", "SMALLINT", "g % 10 - 1"),
]
ROWS = "SELECT {columns} FROM (SELECT x, x * 2654435761 % 4294967296 AS h, x * 40503 % 1000003 * 991 % 4294967291 AS g FROM {source}) AS made"
SUMS = ", ".join(f"sum(width + {i})" for i in range(90))
ONE_COUNTER = "counter_id = 62 AND event_time >= TIMESTAMP '2026-06-03' AND event_time < TIMESTAMP '2026-06-12'"
QUERIES = [
    "SELECT count(*) FROM hits",
    "SELECT count(*) FROM hits WHERE adv_engine <> 0",
    "SELECT sum(adv_engine), count(*), avg(width) FROM hits",
    "SELECT avg(user_id) FROM hits",
    "SELECT count(DISTINCT user_id) FROM hits",
    "SELECT count(DISTINCT search_phrase) FROM hits",
    "SELECT min(event_time), max(event_time) FROM hits",
    "SELECT adv_engine, count(*) FROM hits WHERE adv_engine <> 0 GROUP BY adv_engine ORDER BY 2 DESC, 1",
    "SELECT region_id, count(DISTINCT user_id) AS u FROM hits GROUP BY region_id ORDER BY u DESC, 1 LIMIT 10",
    "SELECT region_id, sum(adv_engine), count(*) AS c, avg(width), count(DISTINCT user_id) FROM hits GROUP BY region_id ORDER BY c DESC, 1 LIMIT 10",
    "SELECT model, count(DISTINCT user_id) AS u FROM hits WHERE model <> '' GROUP BY model ORDER BY u DESC, 1 LIMIT 10",
    "SELECT search_phrase, count(*) AS c FROM hits WHERE search_phrase <> '' GROUP BY search_phrase ORDER BY c DESC, 1 LIMIT 10",
    "SELECT search_phrase, count(DISTINCT user_id) AS u FROM hits WHERE search_phrase <> '' GROUP BY search_phrase ORDER BY u DESC, 1 LIMIT 10",
    "SELECT search_engine, search_phrase, count(*) AS c FROM hits WHERE search_phrase <> '' GROUP BY search_engine, search_phrase ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT user_id, count(*) FROM hits GROUP BY user_id ORDER BY 2 DESC, 1 LIMIT 10",
    "SELECT user_id, search_phrase, count(*) FROM hits GROUP BY user_id, search_phrase ORDER BY 3 DESC, 1, 2 LIMIT 10",
    "SELECT user_id, extract(minute FROM event_time) AS m, search_phrase, count(*) FROM hits GROUP BY user_id, m, search_phrase ORDER BY 4 DESC, 1, 2, 3 LIMIT 10",
    "SELECT count(*) FROM hits WHERE user_id = 1000003",
    "SELECT count(*) FROM hits WHERE url LIKE '%site77%'",
    "SELECT search_phrase, min(url), count(*) AS c FROM hits WHERE url LIKE '%site7%' AND search_phrase <> '' GROUP BY search_phrase ORDER BY c DESC, 1 LIMIT 10",
    "SELECT search_phrase, min(url), min(title), count(*) AS c, count(DISTINCT user_id) FROM hits WHERE title LIKE '%Goods%' AND url NOT LIKE '%site7%' AND search_phrase <> '' GROUP BY search_phrase ORDER BY c DESC, 1 LIMIT 10",
    "SELECT * FROM hits WHERE url LIKE '%page/777%' ORDER BY event_time LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY search_phrase LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time, search_phrase LIMIT 10",
    "SELECT counter_id, avg(length(url)) AS l, count(*) AS c FROM hits WHERE url <> '' GROUP BY counter_id HAVING count(*) > 100 ORDER BY l DESC, 1 LIMIT 25",
    r"SELECT regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '\1') AS k, avg(length(referer)) AS l, count(*) AS c, min(referer) FROM hits WHERE referer <> '' GROUP BY k HAVING count(*) > 100 ORDER BY l DESC, 1 LIMIT 25",
    f"SELECT {SUMS} FROM hits",
    "SELECT search_engine, client_ip, count(*) AS c, sum(is_refresh), avg(width) FROM hits WHERE search_phrase <> '' GROUP BY search_engine, client_ip ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(width) FROM hits GROUP BY watch_id, client_ip ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT url, count(*) AS c FROM hits GROUP BY url ORDER BY c DESC, 1 LIMIT 10",
    "SELECT client_ip, client_ip - 1, client_ip - 2, client_ip - 3, count(*) AS c FROM hits GROUP BY 1, 2, 3, 4 ORDER BY c DESC, 1 LIMIT 10",
    f"SELECT url, count(*) AS c FROM hits WHERE {ONE_COUNTER} AND is_refresh = 0 AND url <> '' GROUP BY url ORDER BY c DESC, 1 LIMIT 10",
    f"SELECT title, count(*) AS c FROM hits WHERE {ONE_COUNTER} AND is_refresh = 0 AND title <> '' GROUP BY title ORDER BY c DESC, 1 LIMIT 10",
    f"SELECT traffic_source, search_engine, adv_engine, CASE WHEN search_engine = 0 AND adv_engine = 0 THEN referer ELSE '' END AS src, url, count(*) AS c FROM hits WHERE {ONE_COUNTER} GROUP BY 1, 2, 3, 4, 5 ORDER BY c DESC, 1, 2, 3, 4, 5 LIMIT 10 OFFSET 1000",
    f"SELECT date_trunc('minute', event_time) AS m, count(*) FROM hits WHERE {ONE_COUNTER} GROUP BY m ORDER BY m LIMIT 10 OFFSET 1000",
]
DUCKDB = """
const api = require(process.argv[1] + '/node_modules/@duckdb/node-api');
(async () => {
  const c = await (await api.DuckDBInstance.create(process.argv[2], {threads: process.argv[3]})).connect();
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    const begun = process.hrtime.bigint();
    let rows = null, error = null;
    try { rows = (await c.runAndReadAll(JSON.parse(line))).getRowsJson(); } catch (e) { error = String(e); }
    console.log(JSON.stringify({rows, error, ms: Number(process.hrtime.bigint() - begun) / 1e6}));
  }
})();
"""


class Wire:
    def __init__(self, connection):
        self.cursor = connection.cursor()

    def run(self, sql):
        begun = time.monotonic()
        self.cursor.execute(sql)
        rows = self.cursor.fetchall() if self.cursor.description else []
        return (time.monotonic() - begun) * 1000, rows


class DuckDb:
    def __init__(self, modules, folder):
        self.process = subprocess.Popen(["node", "-e", DUCKDB, modules, folder + "/hits.duckdb", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql):
        self.process.stdin.write(json.dumps(sql) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["error"]: raise RuntimeError(answer["error"])
        return answer["ms"], answer["rows"]


def comparable(rows):
    """Numbers to seven digits, times without zeros at their end."""
    def cell(value):
        text = str(value)
        try: return f"{float(text):.7g}"
        except ValueError: return text.rstrip("0").rstrip(".") if re.fullmatch(r"[-0-9]+ [0-9:]+[.][0-9]+", text) else text
    return [[cell(value) for value in row] for row in rows]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("idemdb")
    arguments.add_argument("--rows", type=int, default=5_000_000)
    arguments.add_argument("--times", type=int, default=5)
    arguments.add_argument("--postgres")
    arguments.add_argument("--duckdb")
    arguments.add_argument("--only", type=int, nargs="*")
    options = arguments.parse_args()
    folder = tempfile.mkdtemp()
    server = Server(options.idemdb, folder + "/idemdb")
    systems = {"IdemDB": Wire(server.connection)}
    if options.duckdb: systems["DuckDB"] = DuckDb(options.duckdb, folder)
    if options.postgres:
        connection = psycopg2.connect(options.postgres)
        connection.autocommit = True
        systems["PostgreSQL"] = Wire(connection)
    try:
        names = ", ".join(f"{name} {kind}" for name, kind, _ in COLUMNS)
        values = ", ".join(f"CAST({expression} AS {kind})" for _, kind, expression in COLUMNS)
        for name, system in systems.items():
            storage = " TIMESTAMP(event_time) PARTITION BY DAY" if name == "IdemDB" else ""
            system.run("DROP TABLE IF EXISTS hits")
            system.run(f"CREATE TABLE hits ({names}){storage}")
            source = f"generate_series(CAST(1 AS BIGINT), CAST({options.rows} AS BIGINT)) AS s(x)"
            took, _ = system.run("INSERT INTO hits " + ROWS.format(columns=values, source=source))
            system.run("CHECKPOINT")
            if name == "PostgreSQL": system.run("VACUUM ANALYZE hits")
            print(f"{name}: {options.rows} rows made in {took / 1000:.1f} s", flush=True)
        print(f"{'':>3} " + " ".join(f"{name:>11}" for name in systems) + "  answers")
        ratios = {name: [] for name in systems}
        for number, sql in enumerate(QUERIES):
            if options.only and number not in options.only: continue
            medians, answers = {}, {}
            for name, system in systems.items():
                runs = [system.run(sql) for _ in range(options.times)]
                medians[name] = statistics.median([ms for ms, _ in runs[1:]] or [runs[0][0]])
                answers[name] = comparable(runs[-1][1])
            for name in systems: ratios[name].append(medians[name] / medians["IdemDB"])
            agree = all(answer == answers["IdemDB"] for answer in answers.values())
            print(f"{number:>3} " + " ".join(f"{medians[name]:>11.2f}" for name in systems) + f"  {'agree' if agree else 'DIFFER'}", flush=True)
        for name in systems:
            print(f"{name}: {math.exp(statistics.fmean(math.log(r) for r in ratios[name])):.2f} times IdemDB's time (geometric mean); ahead in {sum(r < 1 for r in ratios[name])}")
    finally:
        server.stop()
        shutil.rmtree(folder)


main()
