#!/usr/bin/env python3
"""Pipelines as a scheduler runs them: through psycopg2 with its defaults, which opens a block before the first statement and commits at
the end of a task. Each task runs twice on the same database, and one that fails once more; the rows must be those of one run.

  scheduler_test.py [--idemdb PROGRAM]      needs psycopg2"""

import argparse
import io
import traceback

import psycopg2

from database_sessions import RELEASE, IdemServer

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Scheduler:
    """Runs tasks, each on a connection of its own, as a worker process would."""

    def __init__(self, server):
        self.host, self.port = server.arguments[1], server.arguments[3]

    def connect(self):
        return psycopg2.connect(host=self.host, port=self.port, user="admin", dbname="main")

    def run(self, *statements):
        """Statements (text, or COPY text and its data) of one task; the rows of the last one."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    if isinstance(statement, tuple):
                        cursor.copy_expert(statement[0], io.StringIO(statement[1]))
                    else:
                        cursor.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.close()

    def twice(self, *statements):
        self.run(*statements)
        return self.run(*statements)

    def fails(self, *statements):
        try:
            self.run(*statements)
        except psycopg2.Error as error:
            return error.pgcode
        raise AssertionError("no error")


@test
def keyed_upserts(s):
    s.twice("""CREATE TABLE IF NOT EXISTS prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE)
               TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, ticker)""")
    s.twice("INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 185.50)",
            "INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 186.00)")
    s.twice(("COPY prices FROM STDIN CSV", "2024-01-15T10:00:00,AAPL,187\n2024-01-15T11:00:00,MSFT,1\n"))
    assert s.run("SELECT ticker, price FROM prices ORDER BY ts") == [("AAPL", 187.0), ("MSFT", 1.0)]


@test
def late_data(s):
    s.twice("DROP TABLE IF EXISTS profiles",
            """CREATE TABLE profiles (day TIMESTAMP, id LONG, plan SYMBOL, updated_at TIMESTAMP,
               first_seen TIMESTAMP DEFAULT now() KEEP FIRST)
               TIMESTAMP(day) PARTITION BY MONTH DEDUP UPSERT KEYS(day, id) VERSION BY updated_at""")
    for plan, hour in (("pro", 10), ("free", 9)):
        s.twice("INSERT INTO profiles (day, id, plan, updated_at) VALUES ('2024-10-01', 7, '%s', '2024-10-01T%02d:00')" % (plan, hour))
    assert s.run("SELECT id, plan FROM profiles") == [(7, "pro")]


@test
def weekly_tables_under_a_view(s):
    s.twice("DROP VIEW IF EXISTS visits", "DROP TABLE IF EXISTS visits_w01, visits_w02",
            "CREATE TABLE visits_w01 (visit_time TIMESTAMP, page VARCHAR) TIMESTAMP(visit_time)",
            "CREATE TABLE visits_w02 (LIKE visits_w01)",
            "CREATE OR REPLACE VIEW visits AS SELECT * FROM visits_w01 UNION ALL SELECT * FROM visits_w02")
    week = "INSERT INTO visits_w02 VALUES ('2024-01-09', '/a'), ('2024-01-10', '/b')"
    s.twice("TRUNCATE TABLE visits_w02", week)
    assert s.run("SELECT count(*) FROM visits") == [(2,)]
    s.twice("DROP TABLE visits_w02", "CREATE TABLE visits_w02 (LIKE visits_w01)", week)
    assert s.run("SELECT count(*) FROM visits") == [(2,)]
    assert s.fails("DROP TABLE visits_w02") == "2BP01"
    s.twice("CREATE OR REPLACE VIEW visits AS SELECT * FROM visits_w01", "DROP TABLE IF EXISTS visits_w02")
    assert s.run("SELECT count(*) FROM visits") == [(0,)]


@test
def overwriting(s):
    s.twice("DROP TABLE IF EXISTS raw, stored",
            "CREATE TABLE raw (at TIMESTAMP, page VARCHAR) TIMESTAMP(at)", "CREATE TABLE stored (LIKE raw)",
            "INSERT INTO raw VALUES ('2024-01-15', '/a'), ('2024-01-15', '/b'), ('2024-01-16', '/a')",
            "INSERT INTO stored VALUES ('2024-01-14', '/old'), ('2024-01-15', '/old')")
    s.twice("INSERT OVERWRITE INTO stored PARTITION DYNAMIC SELECT * FROM raw WHERE at IN '2024-01-15'")
    assert s.run("SELECT page FROM stored ORDER BY at, page") == [("/old",), ("/a",), ("/b",)]
    s.twice("INSERT INTO stored REPLACE WHERE page = '/a' SELECT '2024-01-20', '/a'")
    assert s.run("SELECT at::date::text, page FROM stored WHERE page = '/a'") == [("2024-01-20", "/a")]
    s.twice(("COPY stored FROM STDIN (FORMAT csv, HEADER, OVERWRITE ALL)", "at,page\n2024-02-01,/c\n"))
    assert s.run("SELECT page FROM stored") == [("/c",)]
    s.twice("INSERT OVERWRITE INTO stored SELECT * FROM raw")
    assert s.run("SELECT count(*) FROM stored") == [(3,)]


@test
def merging_a_file(s):
    s.run("CREATE TABLE devices (type VARCHAR, version VARCHAR, full_name VARCHAR)",
          "INSERT INTO devices VALUES ('lg', 'v1', 'LG one'), ('htc', 'v1', 'HTC one'), ('sony', 'v9', 'old')")
    s.twice("CREATE TEMPORARY TABLE changed (LIKE devices) ON COMMIT DROP", "ALTER TABLE changed ADD COLUMN is_deleted BOOLEAN",
            ("COPY changed FROM STDIN CSV DELIMITER ';' HEADER",
             "type;version;full_name;is_deleted\nlg;v1;LG uno;false\nsony;v9;;true\nnokia;v3;Nokia three;false\ngone;v0;never there;true\n"),
            """MERGE INTO devices AS t USING changed AS s ON t.type = s.type AND t.version = s.version
               WHEN MATCHED AND s.is_deleted = true THEN DELETE
               WHEN MATCHED AND s.is_deleted = false THEN UPDATE SET full_name = s.full_name
               WHEN NOT MATCHED AND s.is_deleted = false THEN INSERT (full_name, version, type) VALUES (s.full_name, s.version, s.type)""")
    assert s.run("SELECT type, full_name FROM devices ORDER BY 1") == [
        ("htc", "HTC one"), ("lg", "LG uno"), ("nokia", "Nokia three")]


@test
def runs_in_the_block_that_the_driver_opened(s):
    s.run("CREATE TABLE counted (n BIGINT)")
    for _ in range(3):
        s.run("BEGIN RUN 'counted/1'", "INSERT INTO counted SELECT x FROM generate_series(1, 5) x", "UPDATE counted SET n = n + 1")
    assert s.run("SELECT count(*), sum(n) FROM counted") == [(5, 20)]
    assert s.fails("BEGIN RUN 'counted/1'", "INSERT INTO counted VALUES (1)") == "55000"
    # A task that dies in the middle leaves no trace of its run.
    dying = s.connect()
    with dying.cursor() as cursor:
        cursor.execute("BEGIN RUN 'counted/2'")
        cursor.execute("INSERT INTO counted VALUES (100)")
    dying.close()
    s.twice("BEGIN RUN 'counted/2'", "INSERT INTO counted VALUES (200)")
    assert s.run("SELECT count(*), max(n) FROM counted") == [(6, 200)]
    assert s.run("SELECT key FROM runs() WHERE key LIKE 'counted/%' ORDER BY 1") == [("counted/1",), ("counted/2",)]


STEPS = {"05": ["UPDATE %s SET note = 'updated' WHERE name = 'A'", "INSERT INTO %s VALUES ('B', 'added')"],
         "06": ["DELETE FROM %s WHERE name = 'B'", "INSERT INTO %s VALUES ('C', 'added')"],
         "07": ["INSERT INTO %s VALUES ('M', 'added'), ('N', 'added'), ('O', 'added')"]}
STATES = {"05": [("A", "updated"), ("B", "added")], "06": [("A", "updated"), ("C", "added")],
          "07": [("A", "updated"), ("C", "added"), ("M", "added"), ("N", "added"), ("O", "added")]}


@test
def a_backfill_by_runs(s):
    s.run("CREATE TABLE replayed (name VARCHAR, note VARCHAR)", "INSERT INTO replayed VALUES ('A', 'first')")
    for day in ("05", "06", "07", "06", "07", "05", "06", "06", "07"):
        s.run("BEGIN RUN 'replayed/2024-10-%s' ON REPLAY RESTORE" % day, *[step % "replayed" for step in STEPS[day]])
        rows = s.run("SELECT name, note FROM replayed ORDER BY 1")
        assert rows == STATES[day], (day, rows)


@test
def a_backfill_by_a_state_table(s):
    """The scheduler notes for each task which version it left, and begins a task again from what the one before it left."""
    s.run("CREATE TABLE kept (name VARCHAR, note VARCHAR)", "CREATE TABLE steps (day VARCHAR PRIMARY KEY, version BIGINT)",
          "INSERT INTO kept VALUES ('A', 'first')")
    s.run("INSERT INTO steps SELECT '2024-10-04', max(version) FROM table_history('kept')")
    for day in ("05", "06", "07", "06", "07", "05", "06", "07"):
        before = s.run("SELECT version FROM steps WHERE day < '2024-10-%s' ORDER BY day DESC LIMIT 1" % day)
        s.run("RESTORE TABLE kept TO VERSION AS OF %d" % before[0], *[step % "kept" for step in STEPS[day]])
        s.run("INSERT INTO steps SELECT '2024-10-%s', max(version) FROM table_history('kept')" % day)
        rows = s.run("SELECT name, note FROM kept ORDER BY 1")
        assert rows == STATES[day], (day, rows)


@test
def all_or_nothing(s):
    s.twice("DROP TABLE IF EXISTS loaded", "CREATE TABLE loaded (id INT, qty INT)")
    assert s.fails(("COPY loaded FROM STDIN CSV", "1,1\n2,2\n"), ("COPY loaded FROM STDIN CSV", "3,three\n")) == "22P02"
    assert s.run("SELECT count(*) FROM loaded") == [(0,)]


@test
def copies_that_nobody_can_change(s):
    s.run("CREATE TABLE staging (id INT)", "INSERT INTO staging VALUES (1), (2)")
    for time in ("20241007_101500", "20241007_111500"):
        s.run("CREATE TABLE copy_%s AS SELECT * FROM staging" % time, "ALTER TABLE copy_%s SET (immutable = true)" % time,
              "CREATE OR REPLACE VIEW latest AS SELECT * FROM copy_%s" % time)
        assert s.run("SELECT count(*) FROM latest") == [(2,)]
        assert s.fails("DROP TABLE copy_%s" % time) == "42501"
        assert s.fails("DELETE FROM copy_%s" % time) == "42501"


@test
def changes_and_latest_rows(s):
    s.run("CREATE TABLE followed (id INT PRIMARY KEY, v INT, at TIMESTAMP)", "INSERT INTO followed VALUES (1, 1, '2024-01-01')")
    s.run("INSERT INTO followed VALUES (1, 2, '2024-01-02'), (2, 1, '2024-01-01')")
    changes = "SELECT change_type, id, v FROM table_changes('followed', 1) ORDER BY id, v"
    assert s.run(changes) == s.run(changes) == [("update_before", 1, 1), ("update_after", 1, 2), ("insert", 2, 1)]
    by_window = s.run("SELECT id, v FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY at DESC) rn FROM followed) x WHERE rn = 1 ORDER BY 1")
    assert by_window == [(1, 2), (2, 1)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--idemdb", default=RELEASE)
    passed = failed = 0
    with IdemServer(arguments.parse_args().idemdb) as server:
        for function in TESTS:
            try:
                function(Scheduler(server))
                passed += 1
                print("ok", function.__name__)
            except Exception:
                failed += 1
                print("FAILED", function.__name__)
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
