#!/usr/bin/env python3
"""Runs the SQL examples of the documentation.

  run_examples.py [--idemdb PROGRAM] [--verbose] [page …]      README.md and docs/*.md without a page

Every block fenced as sql is run, page by page on an empty database, in one session. In a block

  SELECT id, plan FROM profiles;       --> 7 | pro
  INSERT INTO frozen VALUES (1);       --> error 42501

`-->` gives the rows of the answer, one behind the statement or on each of the lines below it, columns between bars, or the SQLSTATE
that it ends with. Without one a statement must succeed. Rows of COPY … FROM STDIN follow it up to a line `\\.`. What the page takes
for granted stands before the block in a comment of its own, which no reader sees: `<!-- sql`, statements, `-->`.

Blocks fenced as syntax say what may be written. Each statement that begins there at the margin must have an example on its page. Its
name is its words in capitals, those behind the name of a table too: ALTER TABLE … ATTACH PARTITION."""

import argparse
import glob
import itertools
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sql"))
from database_sessions import RELEASE, ROOT, IdemServer

BLOCK = re.compile(r"^```(?P<kind>sql|syntax)\n(?P<text>.*?)^```$|^<!-- sql\n(?P<hidden>.*?)^-->$", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"""'(?:[^']|'')*' | "[^"]*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | --[^\n]* | ; | [^'"$;-]+ | .""", re.VERBOSE | re.DOTALL)
COPY_DATA = re.compile(r"[^\n]*\n(?P<rows>.*?)^\\\.$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[A-Z_]+")


class Example:
    """A statement, the rows that COPY reads behind it, and what is expected: None, rows, or an SQLSTATE."""

    def __init__(self, sql, line):
        self.sql, self.line = sql, line
        self.copy_rows = None
        self.rows = []
        self.sqlstate = None

    def expect(self, text):
        word, _, rest = text.partition(" ")
        if word == "error": self.sqlstate = rest
        else: self.rows.append([value.strip() for value in text.split("|")])

    def failure(self, session):
        """What is wrong with the session's answer, or None."""
        rows, error = session.run(self.sql, copy_rows=self.copy_rows)
        if error:
            return None if self.sqlstate == error.split(":")[0] else "ERROR %s" % error
        if self.sqlstate: return "did not end with %s" % self.sqlstate
        if self.rows and rows != self.rows: return "gives\n" + "\n".join("  --> " + " | ".join(row) for row in rows)
        return None


def read_examples(text, first_line):
    """The statements of one block."""
    examples, sql, at = [], "", 0
    while at < len(text):
        token = TOKEN.match(text, at).group()
        at += len(token)
        if token.startswith("-->"):
            examples[-1].expect(token[3:].strip())
        elif token.startswith("--"):
            pass
        elif token == ";":
            examples.append(Example(sql.strip(), first_line + text.count("\n", 0, at)))
            if re.match(r"COPY\b.*\bFROM\s+STDIN\b", sql.strip(), re.DOTALL):
                data = COPY_DATA.match(text, at)
                examples[-1].copy_rows = data["rows"] if data else ""
                at = data.end() if data else at
            sql = ""
        else:
            sql += token
    if sql.strip(): raise SystemExit("line %d: no semicolon behind %s" % (first_line, sql.strip()))
    return examples


def statement_name(sql):
    """CREATE TABLE, ALTER TABLE ADD COLUMN: the words in capitals, but not those that may be left out."""
    while re.search(r"\[[^\[\]]*\]", sql): sql = re.sub(r"\[[^\[\]]*\]", " ", sql)
    words = [word.split("|")[0].rstrip(";") for word in sql.split()]
    capitals = list(itertools.takewhile(WORD.fullmatch, words))
    if capitals in (["ALTER", "TABLE"], ["ALTER", "VIEW"], ["ALTER", "MATERIALIZED", "VIEW"], ["ALTER", "SCHEMA"]):
        capitals += itertools.takewhile(WORD.fullmatch, words[len(capitals) + 1:])
    return " ".join(capitals)


def read_page(path):
    """The examples of a page, and the names of the statements whose syntax it gives, with their lines."""
    page = open(path, encoding="utf-8").read()
    examples, names = [], {}
    for block in BLOCK.finditer(page):
        line = page.count("\n", 0, block.start()) + 1
        if block["kind"] == "syntax":
            for number, text in enumerate(block["text"].split("\n"), line + 1):
                name = "" if text.startswith(" ") else statement_name(text)
                if name: names.setdefault(name, number)
        else:
            examples += read_examples(block["text"] or block["hidden"], line)
    return examples, names


def run_page(name, path, program, verbose):
    """(examples that do as the page says, others)"""
    examples, names = read_page(path)
    passed = failed = 0
    with IdemServer(program) as server:
        session = server.session()
        for example in examples:
            failure = example.failure(session)
            if failure: print("FAIL %s:%d: %s\n%s" % (name, example.line, example.sql, failure))
            elif verbose: print("ok   %s:%d: %s" % (name, example.line, example.sql))
            passed, failed = (passed, failed + 1) if failure else (passed + 1, failed)
        session.close()
    for statement, line in names.items():
        if not any(statement_name(example.sql).startswith(statement) for example in examples):
            print("FAIL %s:%d: no example of %s" % (name, line, statement))
            failed += 1
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description="Runs the SQL examples of the documentation.")
    parser.add_argument("--idemdb", default=RELEASE)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("pages", nargs="*")
    arguments = parser.parse_args()
    paths = arguments.pages or [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))
    passed = failed = 0
    for path in paths:
        if not BLOCK.search(open(path, encoding="utf-8").read()): continue
        good, bad = run_page(os.path.relpath(os.path.abspath(path), ROOT), path, arguments.idemdb, arguments.verbose)
        passed, failed = passed + good, failed + bad
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
