#!/usr/bin/env python3
"""Runs SQL logic tests (the .slt format of SQLite and DuckDB) on an IdemDB.

  run_slt.py [--idemdb PROGRAM] [--confirm] [--complete] [name …]      tests/sql/slt/NAME.slt, all without a name

  --confirm    runs them on a PostgreSQL too, whose answers must be those of the file
  --complete   writes PostgreSQL's answers into the files first (statements and queries without an answer get one)

Records, with an empty line between:

  statement ok | statement error [SQLSTATE]
  <sql>

  query <types> [nosort|rowsort]
  <sql>
  ----
  <rows, columns separated by tabs; NULL; (empty) for an empty string>

Types are a letter for each column: I whole numbers, R real numbers (equal to 12 digits), T anything else. Before a record,
`onlyif idemdb` and `skipif postgresql` keep it from the other system, `onlyif postgresql` and `skipif idemdb` from this one.
Each file runs on a database of its own."""

import argparse
import glob
import math
import os
import sys

from database_sessions import RELEASE, IdemServer, PostgresServer

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slt")


class Record:
    def __init__(self, lines, line_number):
        self.comments, self.conditions, self.line_number = [], [], line_number
        while lines and (lines[0].startswith("#") or lines[0].split(" ")[0] in ("onlyif", "skipif")):
            line = lines.pop(0)
            (self.comments if line.startswith("#") else self.conditions).append(line)
        self.header = lines.pop(0) if lines else ""
        words = self.header.split()
        self.kind = words[0] if words else "comment"
        self.words = words[1:]
        if self.kind == "query":
            at = lines.index("----") if "----" in lines else len(lines)
            self.sql, self.expected = "\n".join(lines[:at]), lines[at + 1:]
        else:
            self.sql, self.expected = "\n".join(lines), []

    def runs_on(self, system):
        for condition in self.conditions:
            word, name = condition.split()
            if (word == "onlyif") != (name == system): return False
        return True

    def sorted(self, rows): return sorted(rows) if "rowsort" in self.words else rows

    def text(self):
        lines = self.comments + self.conditions + ([self.header, self.sql] if self.header else [])
        if self.kind == "query": lines += ["----"] + self.expected
        return "\n".join(lines) + "\n"


def read_records(path):
    records, lines, first = [], [], 1
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n") + [""], 1):
        if line:
            if not lines: first = number
            lines.append(line)
        elif lines:
            records.append(Record(lines, first))
            lines = []
    return records


def answer_lines(rows):
    return ["\t".join("(empty)" if value == "" else value for value in row) for row in rows]


def is_equal(kind, expected, actual):
    if expected == actual: return True
    if kind != "R": return False
    try: return math.isclose(float(expected), float(actual), rel_tol=1e-12, abs_tol=1e-300)
    except ValueError: return False


def check(record, rows, error):
    """What is wrong with an answer; "" if nothing is."""
    if record.kind == "statement":
        if record.words[0] == "ok": return error or ""
        if error is None: return "no error"
        return "" if len(record.words) < 2 or error.startswith(record.words[1]) else error
    if error is not None: return error
    types = record.words[0]
    actual = record.sorted(answer_lines(rows))
    if len(actual) != len(record.expected):
        return "%d rows, not %d:\n%s" % (len(actual), len(record.expected), "\n".join(actual[:20]))
    for expected_line, actual_line in zip(record.expected, actual):
        expected, got = expected_line.split("\t"), actual_line.split("\t")
        if len(expected) != len(got) or len(got) != len(types):
            return "%d columns, not %d of types %s" % (len(got), len(expected), types)
        if not all(map(is_equal, types, expected, got)):
            return "expected %s\nbut got  %s" % (expected_line, actual_line)
    return ""


def run_file(path, system, session):
    """Runs to the end of the file, or to the first record at which the server is lost."""
    failures = tests = 0
    for record in read_records(path):
        if record.kind == "comment" or not record.runs_on(system): continue
        tests += 1
        lost = False
        try: wrong = check(record, *session.run(record.sql))
        except RuntimeError as error: wrong, lost = str(error), True
        if wrong:
            failures += 1
            print("%s:%d on %s\n%s\n%s\n" % (os.path.relpath(path), record.line_number, system, record.sql, wrong))
        if lost: break
    return tests, failures


def complete_file(path, session):
    records = read_records(path)
    for record in records:
        if record.kind == "comment" or not record.runs_on("postgresql"): continue
        rows, error = session.run(record.sql)
        if record.kind == "statement":
            record.header = "statement ok" if error is None else "statement error " + error[:5]
        elif error is not None:
            record.kind, record.header, record.expected = "statement", "statement error " + error[:5], []
        else:
            record.expected = record.sorted(answer_lines(rows))
    with open(path, "w", encoding="utf-8") as out: out.write("\n".join(record.text() for record in records))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--idemdb", default=RELEASE)
    parser.add_argument("--confirm", action="store_true")
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    paths = [os.path.join(HERE, os.path.basename(name).removesuffix(".slt") + ".slt") for name in arguments.names]
    paths = paths or sorted(glob.glob(os.path.join(HERE, "*.slt")))
    failures = tests = 0
    if arguments.confirm or arguments.complete:
        with PostgresServer() as postgres:
            admin = postgres.session()
            for path in paths:
                admin.run("DROP DATABASE IF EXISTS slt")
                admin.run("CREATE DATABASE slt")
                session = postgres.session("slt")
                if arguments.complete:
                    complete_file(path, session)
                else:
                    count, bad = run_file(path, "postgresql", session)
                    failures += bad
                    tests += count
                session.close()
    for path in paths:
        with IdemServer(arguments.idemdb) as server:
            session = server.session()
            count, bad = run_file(path, "idemdb", session)
            session.close()
        failures += bad
        tests += count
    print("%d passed, %d failed" % (tests - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__": sys.exit(main())
