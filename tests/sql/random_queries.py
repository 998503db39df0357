#!/usr/bin/env python3
"""Runs random queries on an IdemDB and on a PostgreSQL with the same rows; both must give the same answers.

  random_queries.py [--idemdb PROGRAM] [--seed N] [--seconds S] [--queries N]

Queries are made from a grammar: joins of every kind, LATERAL, subqueries, grouping sets, aggregates of every kind, windows, set
operations, with expressions of every type, NULLs everywhere. Rows are compared without their order, real and decimal numbers
to nine digits, intervals by the seconds that they count. A query that fails on both is
no difference, nor is one that fails on one side for a value (class 22): what is computed first is not laid down; nor one that
only PostgreSQL finds no function for. The seed of
a difference is printed; --seed N --queries 1 repeats it."""

import argparse
import math
import random
import sys
import time

from database_sessions import RELEASE, IdemServer, PostgresServer

TYPES = ("int", "text", "real", "bool", "time", "json", "ints", "span", "num")
COLUMNS = {  # of each table: name, type
    "t": [("id", "int"), ("a", "int"), ("b", "int"), ("g", "text"), ("x", "real"), ("k", "bool"), ("ts", "time")],
    "u": [("id", "int"), ("a", "int"), ("g", "text"), ("h", "text"), ("y", "real"), ("ts", "time")],
    "w": [("id", "int"), ("b", "int"), ("g", "text"), ("k", "bool")],
    "v": [("id", "int"), ("a", "int"), ("g", "text"), ("j", "json"), ("r", "ints"), ("d", "span"), ("n", "num")],
}
SQL_TYPES = {"int": "integer", "text": "varchar", "real": "double precision", "bool": "boolean", "time": "timestamp", "json": "jsonb", "ints": "integer[]",
             "span": "interval", "num": "numeric"}
LITERALS = {
    "json": ["1", "2", "10", '"a"', '"b"', '{"a": 1}', '{"a": 2, "b": "x"}', "[1, 2]", "[2]", "[]", "null", "true", '{"b": [1]}', "{}"],
    "ints": ["{1,2}", "{}", "{1}", "{2,NULL}", "{3,1}", "{1,2,3}"],
    "span": ["1 day", "2 hours", "-3 days", "1 mon", "90 minutes", "1 day 2 hours"],
    "num": ["0", "1.5", "0.25", "-2", "10.75", "100"],
}
NUMBERS = ("real", "num")  # compared as numbers, not as texts


def literal(r, kind):
    if r.random() < 0.06: return "NULL::" + SQL_TYPES[kind]
    if kind == "int": return str(r.choice([0, 1, 2, 3, 5, 7, -1, 10]))
    if kind == "text": return "'%s'::varchar" % r.choice(["a", "b", "c", "ab", "", "B", "zz"])
    if kind == "real": return "%s::double precision" % r.choice([0, 0.5, 1.25, -2, 3])
    if kind == "bool": return r.choice(["true", "false"])
    if kind in LITERALS: return "'%s'::%s" % (r.choice(LITERALS[kind]), SQL_TYPES[kind])
    return "timestamp '2024-01-%02d %02d:00:00'" % (r.randint(1, 5), r.choice([0, 6, 12]))


def setup():
    """The statements that make the tables; the same ones for both systems and every seed."""
    r = random.Random(0)
    statements = []
    for table, rows in (("t", 60), ("u", 40), ("w", 12), ("v", 30)):
        columns = COLUMNS[table]
        statements.append("CREATE TABLE %s (%s)" % (table, ", ".join("%s %s" % (n, SQL_TYPES[k]) for n, k in columns)))
        lines = []
        for i in range(rows):
            values = [str(i)]
            for _, kind in columns[1:]: values.append("NULL" if r.random() < 0.15 else literal(r, kind))
            lines.append("(%s)" % ", ".join(values))
        statements.append("INSERT INTO %s VALUES %s" % (table, ", ".join(lines)))
    return statements


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.aliases = 0

    def chance(self, p): return self.r.random() < p
    def alias(self, letter="q"):
        self.aliases += 1
        return letter + str(self.aliases)

    # ---- expressions over `scope`, a list of (text, type)

    def column(self, scope, kind):
        fitting = [text for text, k in scope if k == kind]
        return self.r.choice(fitting) if fitting else literal(self.r, kind)

    def expression(self, scope, kind, depth=2):
        r = self.r
        if depth <= 0 or self.chance(0.35): return self.column(scope, kind) if self.chance(0.8) else literal(r, kind)
        if self.chance(0.1): return self.case(scope, kind, depth)
        if self.chance(0.06):
            return "coalesce(%s, %s)" % (self.expression(scope, kind, depth - 1), self.expression(scope, kind, depth - 1))
        if self.chance(0.04):
            return "%s(%s, %s)" % (r.choice(["nullif", "nullif"] + (["greatest", "least"] if kind != "bool" else [])),
                                   self.expression(scope, kind, depth - 1), self.expression(scope, kind, depth - 1))
        return getattr(self, "make_" + kind)(scope, depth - 1)

    def case(self, scope, kind, depth):
        parts = ["WHEN %s THEN %s" % (self.condition(scope, depth - 1), self.expression(scope, kind, depth - 1)) for _ in range(self.r.randint(1, 2))]
        end = " ELSE " + self.expression(scope, kind, depth - 1) if self.chance(0.6) else ""
        return "CASE %s%s END" % (" ".join(parts), end)

    def make_int(self, scope, depth):
        e = lambda k="int": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "(%s %s %s)" % (e(), self.r.choice("+-*"), e()), lambda: "(%s %s nullif(%s, 0))" % (e(), self.r.choice("/%"), e()),
            lambda: "abs(%s)" % e(), lambda: "length(%s)" % e("text"), lambda: "extract(%s FROM %s)::integer" % (self.r.choice(["day", "hour", "dow"]), e("time")),
            lambda: "(%s)::integer" % e("bool"), lambda: "-(%s)" % e(), lambda: "mod(%s, 3)" % e(), lambda: "strpos(%s, 'b')" % e("text"),
            lambda: "cardinality(%s)" % e("ints"), lambda: "(%s)[%d]" % (e("ints"), self.r.randint(1, 2)), lambda: "array_position(%s, %s)" % (e("ints"), e()),
            lambda: "round(%s)::integer" % e("num")])()

    def make_text(self, scope, depth):
        e = lambda k="text": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "(%s || %s)" % (e(), e()), lambda: "upper(%s)" % e(), lambda: "lower(%s)" % e(), lambda: "substr(%s, 1, 1)" % e(),
            lambda: "(%s)::varchar" % e("int"), lambda: "concat(%s, %s)" % (e(), e("int")), lambda: "replace(%s, 'a', 'x')" % e(), lambda: "left(%s, 1)" % e(),
            lambda: "reverse(%s)" % e(), lambda: "lpad(%s, 3, '-')" % e(), lambda: "jsonb_typeof(%s)" % e("json"), lambda: "(%s ->> 'b')" % e("json"),
            lambda: "array_to_string(%s, ',', '*')" % e("ints"), lambda: "regexp_replace(%s, '[ab]', '<\\&>', 'g')" % e(), lambda: "split_part(%s, 'b', 1)" % e()])()

    def make_real(self, scope, depth):
        e = lambda k="real": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "(%s %s %s)" % (e(), self.r.choice("+-*"), e()), lambda: "(%s)::double precision" % e("int"), lambda: "(%s * %s)" % (e(), e("int")),
            lambda: "abs(%s)" % e(), lambda: "floor(%s)" % e(), lambda: "(%s / 4)" % e(),
            lambda: "(%s)::double precision" % e("num"), lambda: "extract(epoch FROM %s)::double precision" % e("span")])()

    def make_time(self, scope, depth):
        e = lambda k="time": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "date_trunc('%s', %s)" % (self.r.choice(["day", "hour", "month"]), e()), lambda: "(%s + interval '%s')" % (e(), self.r.choice(["1 day", "6 hours", "-1 month"])),
            lambda: "(%s)::date::timestamp" % e(), lambda: "(%s %s %s)" % (e(), self.r.choice("+-"), e("span"))])()

    def make_json(self, scope, depth):
        e = lambda k="json": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "to_jsonb(%s)" % e(self.r.choice(["int", "text", "bool", "ints"])), lambda: "jsonb_build_object('a', %s, 'b', %s)" % (e("int"), e("text")),
            lambda: "jsonb_build_array(%s, %s)" % (e("int"), e()), lambda: "(%s -> 'a')" % e(), lambda: "(%s -> 0)" % e(), lambda: "(%s #> '{b,0}')" % e(),
            lambda: "(%s || %s)" % (e(), e()), lambda: "jsonb_build_object('c', %s)" % e()])()

    def make_ints(self, scope, depth):
        e = lambda k="ints": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "ARRAY[%s, %s]" % (e("int"), e("int")), lambda: "(%s || %s)" % (e(), e("int")), lambda: "array_remove(%s, %s)" % (e(), e("int")),
            lambda: "(%s)[1:2]" % e(), lambda: "(%s || %s)" % (e(), e()), lambda: "array_replace(%s, 1, %s)" % (e(), e("int"))])()

    def make_span(self, scope, depth):
        e = lambda k="span": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "(%s - %s)" % (e("time"), e("time")), lambda: "(%s %s %s)" % (e(), self.r.choice("+-"), e()), lambda: "(%s * 2)" % e(), lambda: "(-(%s))" % e(),
            lambda: "make_interval(days => %s)" % e("int")])()

    def make_num(self, scope, depth):
        e = lambda k="num": self.expression(scope, k, depth)
        return self.r.choice([
            lambda: "(%s %s %s)" % (e(), self.r.choice("+-*"), e()), lambda: "(%s)::numeric" % e("int"), lambda: "(%s %s %s)" % (e(), self.r.choice("+-*"), e("int")),
            lambda: "round(%s, 1)" % e(), lambda: "abs(%s)" % e(), lambda: "(%s / nullif(%s, 0))" % (e(), e("int")), lambda: "trunc(%s)" % e()])()

    def make_bool(self, scope, depth): return self.condition(scope, depth)

    def condition(self, scope, depth=2):
        r = self.r
        kind = r.choice(TYPES)
        e = lambda k=kind: self.expression(scope, k, depth - 1)
        return "(%s)" % r.choice([
            lambda: "%s %s %s" % (e(), r.choice(["=", "<>", "<", "<=", ">", ">="]), e()),
            lambda: "%s IS %sNULL" % (e(), r.choice(["", "NOT "])), lambda: "%s IS %sDISTINCT FROM %s" % (e(), r.choice(["", "NOT "]), e()),
            lambda: "%s %sIN (%s, %s, %s)" % (e(), r.choice(["", "NOT "]), e(), literal(r, kind), literal(r, kind)),
            lambda: "%s %sBETWEEN %s AND %s" % (e(), r.choice(["", "NOT "]), e(), e()), lambda: "%s LIKE '%s'" % (e("text"), r.choice(["a%", "%b", "_", "%"])),
            lambda: "%s = %s (%s)" % (e("int"), r.choice(["ANY", "ALL"]), e("ints")),
            lambda: "%s %s %s" % (e("ints"), r.choice(["@>", "<@", "&&"]), e("ints")), lambda: "%s %s %s" % (e("json"), r.choice(["@>", "<@"]), e("json")),
            lambda: "(%s, %s) %s (%s, %s)" % (e(), e("int"), r.choice(["=", "<", ">=", "<>"]), e(), e("int")),
            lambda: "%s AND %s" % (self.condition(scope, depth - 1), self.condition(scope, depth - 1)) if depth > 0 else "true",
            lambda: "%s OR %s" % (self.condition(scope, depth - 1), self.condition(scope, depth - 1)) if depth > 0 else "false",
            lambda: "NOT %s" % self.condition(scope, depth - 1) if depth > 0 else "%s = %s" % (e(), e()),
            lambda: "(%s) IS %s" % (self.expression(scope, "bool", depth - 1), r.choice(["TRUE", "NOT TRUE", "FALSE", "UNKNOWN"]))])()

    # ---- tables

    def relation(self, depth):
        """(text of a FROM item, its columns as (text, type))."""
        alias = self.alias()
        if depth > 0 and self.chance(0.25):
            text, types = self.select(depth - 1)
            names = ["c%d" % i for i in range(len(types))]
            return "(%s) AS %s(%s)" % (text, alias, ", ".join(names)), [("%s.%s" % (alias, n), k) for n, k in zip(names, types)]
        table = self.r.choice(list(COLUMNS))
        return "%s AS %s" % (table, alias), [("%s.%s" % (alias, n), k) for n, k in COLUMNS[table]]

    def from_clause(self, depth):
        text, scope = self.relation(depth)
        for _ in range(self.r.choice([0, 0, 1, 1, 2])):
            kind = self.r.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
            if kind == "CROSS JOIN" and self.chance(0.5): kind = "JOIN"
            if self.chance(0.15):
                other, more = self.lateral(scope)
                text += other
                scope = scope + more
                continue
            other, more = self.relation(depth)
            if kind == "CROSS JOIN":
                text += " CROSS JOIN " + other
                scope = scope + more
                continue
            condition = self.equality(scope, more)
            if self.chance(0.3): condition += " AND " + self.condition(scope + more, 1) if kind != "FULL JOIN" else ""
            text += " %s %s ON %s" % (kind, other, condition)
            scope = scope + more
        return text, scope

    def lateral(self, scope):
        """A joined item that reads those before it."""
        alias = self.alias("l")
        form = self.r.randint(0, 2)
        if form == 0: return " CROSS JOIN LATERAL generate_series(1, least(abs(%s), 3)) AS %s(c0)" % (self.expression(scope, "int", 1), alias), [(alias + ".c0", "int")]
        if form == 1: return " LEFT JOIN LATERAL unnest(%s) AS %s(c0) ON true" % (self.expression(scope, "ints", 1), alias), [(alias + ".c0", "int")]
        inner_alias, table = self.alias("s"), self.r.choice(list(COLUMNS))
        inner = [("%s.%s" % (inner_alias, n), k) for n, k in COLUMNS[table]]
        kinds = [self.r.choice(TYPES) for _ in range(2)]
        items = ", ".join(self.expression(inner + scope, k, 1) for k in kinds)
        text = "SELECT %s FROM %s AS %s WHERE %s" % (items, table, inner_alias, self.equality(inner, scope))
        if self.chance(0.3):
            first, kinds[0] = self.aggregate(inner + scope if self.chance(0.3) else inner)
            kinds = kinds[:1]
            text = "SELECT %s FROM %s AS %s WHERE %s" % (first, table, inner_alias, self.equality(inner, scope))
        join, on = self.r.choice([("CROSS JOIN", ""), ("LEFT JOIN", " ON true")])
        names = ["c%d" % i for i in range(len(kinds))]
        return " %s LATERAL (%s) AS %s(%s)%s" % (join, text, alias, ", ".join(names), on), [("%s.%s" % (alias, n), k) for n, k in zip(names, kinds)]

    def equality(self, left, right):
        kinds = [k for k in ("int", "text", "bool", "time", "json", "ints") if any(c[1] == k for c in left) and any(c[1] == k for c in right)]
        kind = self.r.choice(kinds or ["int"])
        return "%s = %s" % (self.column(left, kind), self.column(right, kind))

    def subquery_condition(self, scope, depth):
        alias = self.alias("s")
        table = self.r.choice(list(COLUMNS))
        inner = [("%s.%s" % (alias, n), k) for n, k in COLUMNS[table]]
        where = self.condition(inner + scope if self.chance(0.5) else inner, 1)
        if self.chance(0.5): where += " AND " + self.equality(inner, scope)
        kind = self.r.choice(["int", "text"])
        return self.r.choice([
            "%sEXISTS (SELECT 1 FROM %s AS %s WHERE %s)" % (self.r.choice(["", "NOT "]), table, alias, where),
            "%s %sIN (SELECT %s FROM %s AS %s WHERE %s)" % (self.expression(scope, kind, 1), self.r.choice(["", "NOT "]), self.column(inner, kind), table, alias, where),
            "%s %s (SELECT %s(%s) FROM %s AS %s WHERE %s)" % (self.expression(scope, kind, 1), self.r.choice(["=", "<", ">="]), self.r.choice(["max", "min"]), self.column(inner, kind), table, alias, where),
            "%s %s %s (SELECT %s FROM %s AS %s WHERE %s)" % (self.expression(scope, kind, 1), self.r.choice(["=", "<", ">", "<>"]), self.r.choice(["ANY", "ALL"]), self.column(inner, kind), table, alias, where)])

    # ---- queries

    def aggregate(self, scope):
        r = self.r
        kind = r.choice(["int", "int", "text", "real", "bool", "time", "json", "ints", "num", "span"])
        argument = self.expression(scope, kind, 1)
        choices = [("count(*)", "int"), ("count(%s)" % argument, "int"), ("count(DISTINCT %s)" % argument, "int")]
        if kind not in ("bool", "json", "span"): choices += [("min(%s)" % argument, kind), ("max(%s)" % argument, kind)]
        if kind == "int": choices += [("sum(%s)::integer" % argument, "int"), ("avg(%s)::double precision" % argument, "real"), ("sum(DISTINCT %s)::integer" % argument, "int")]
        if kind in NUMBERS: choices += [("sum(%s)" % argument, kind), ("avg(%s)" % argument, kind)]
        if kind == "span": choices = [("count(%s)" % argument, "int"), ("extract(epoch FROM sum(%s))" % argument, "num")]
        if kind == "real": choices += [("percentile_cont(0.25) WITHIN GROUP (ORDER BY %s)" % argument, "real")]
        if kind in ("int", "text", "time"):
            choices += [("percentile_disc(0.4) WITHIN GROUP (ORDER BY %s)" % argument, kind), ("mode() WITHIN GROUP (ORDER BY %s)" % argument, kind),
                        ("%s(%s) WITHIN GROUP (ORDER BY %s%s)" % (r.choice(["rank", "dense_rank"]), literal(r, kind), argument, r.choice(["", " DESC", " NULLS FIRST"])), "int")]
        if kind == "int": choices += [("array_agg(%s ORDER BY %s)" % (argument, argument), "ints")]
        if kind in ("int", "text", "json"): choices += [("jsonb_agg(%s ORDER BY %s)" % (argument, argument), "json")]
        if kind == "bool": choices += [("bool_and(%s)" % argument, "bool"), ("bool_or(%s)" % argument, "bool")]
        if kind == "text": choices += [("string_agg(%s, ',' ORDER BY %s)" % (argument, argument), "text")]
        text, result = r.choice(choices)
        if self.chance(0.15) and not text.endswith(("integer", "precision")) and not text.startswith("extract"): text += " FILTER (WHERE %s)" % self.condition(scope, 1)
        if self.chance(0.08): text = "(SELECT %s)" % text  # of the query around, where it reads its columns
        return text, result

    def range_window(self, scope):
        """Rows within a distance: what is computed of them does not depend on the order of equal ones."""
        r = self.r
        kind, low, high = r.choice([("int", "2", "1"), ("time", "interval '1 day'", "interval '6 hours'"), ("num", "1.5", "2")])
        function, result = r.choice([("count(*)", "int"), ("sum(%s)::integer" % self.column(scope, "int"), "int"), ("max(%s)" % self.column(scope, "text"), "text")])
        call, cast = (function[:-9], "::integer") if function.endswith("::integer") else (function, "")
        frame = "RANGE BETWEEN %s AND %s" % (r.choice([low + " PRECEDING", "UNBOUNDED PRECEDING", "CURRENT ROW"]), r.choice([high + " FOLLOWING", "UNBOUNDED FOLLOWING", "CURRENT ROW"]))
        exclude = r.choice(["", "", " EXCLUDE TIES", " EXCLUDE GROUP"])
        partition = "PARTITION BY %s " % self.column(scope, "text") if self.chance(0.5) else ""
        return "(%s OVER (%sORDER BY %s%s %s%s))%s" % (call, partition, self.expression(scope, kind, 1), r.choice(["", " DESC", " NULLS FIRST"]), frame, exclude, cast), result

    def window(self, scope):
        r = self.r
        if self.chance(0.25): return self.range_window(scope)
        order = ", ".join("%s%s%s" % (c, r.choice(["", " DESC"]), r.choice([" NULLS FIRST", " NULLS LAST"])) for c, _ in scope)  # all, so that rows are in order but for equal ones
        partition = "PARTITION BY " + self.expression(scope, r.choice(["int", "text", "bool"]), 1) + " " if self.chance(0.7) else ""
        kind = r.choice(["int", "text"])
        argument = self.expression(scope, kind, 1)
        function, result = r.choice([("row_number()", "int"), ("rank()", "int"), ("dense_rank()", "int"), ("lag(%s)" % argument, kind), ("lead(%s, 2)" % argument, kind),
                                     ("first_value(%s)" % argument, kind), ("count(%s)" % argument, "int"), ("max(%s)" % argument, kind), ("min(%s)" % argument, kind),
                                     ("last_value(%s)" % argument, kind), ("nth_value(%s, 2)" % argument, kind), ("ntile(3)", "int"), ("percent_rank()", "real"), ("cume_dist()", "real"),
                                     ("count(%s) FILTER (WHERE %s)" % (argument, self.condition(scope, 1)), "int")])
        frame = r.choice(["", "", " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", " ROWS UNBOUNDED PRECEDING", " GROUPS 1 PRECEDING", " ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
                          " ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW", " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP"]) \
            if function[:3] not in ("row", "ran", "den", "lag", "lea", "nti", "per", "cum") else ""
        return "%s OVER (%sORDER BY %s%s)" % (function, partition, order, frame), result

    def select(self, depth):
        """(text, types of the columns)."""
        if depth > 0 and self.chance(0.12):
            left, types = self.simple_select(depth - 1, None)
            operations = ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"]
            text = "%s %s %s" % (left, self.r.choice(operations), self.simple_select(depth - 1, types)[0])
            if self.chance(0.3): text = self.r.choice(["(%s) %s %s", "%s %s %s"]) % (text, self.r.choice(operations), self.simple_select(0, types)[0])
            return text, types
        if depth > 0 and self.chance(0.12): return self.first_rows(depth)
        return self.simple_select(depth, None)

    def first_rows(self, depth):
        text, scope = self.from_clause(0)
        k = self.alias("k")
        columns = [c for c in scope if self.chance(0.5)] or scope[:1]
        order = ", ".join("%s %s NULLS LAST" % (c, self.r.choice(["ASC", "DESC"])) for c, _ in scope)
        names = ["c%d" % i for i in range(len(columns))]
        inner = "SELECT %s, %s() OVER (PARTITION BY %s ORDER BY %s) AS %s FROM %s" % (
            ", ".join("%s AS %s" % (c, n) for (c, _), n in zip(columns, names)), self.r.choice(["row_number", "rank", "dense_rank"]),
            self.column(scope, self.r.choice(["text", "int", "bool"])), order, k, text)
        return "SELECT %s FROM (%s) AS %s WHERE %s %s %d" % (
            ", ".join(names), inner, self.alias(), k, self.r.choice(["=", "<=", "<"]), self.r.randint(1, 3)), [kind for _, kind in columns]

    def simple_select(self, depth, wanted):
        text, scope = self.from_clause(depth)
        where = ""
        if self.chance(0.6):
            where = " WHERE " + self.condition(scope)
            if self.chance(0.3): where += self.r.choice([" AND ", " OR "]) + self.subquery_condition(scope, depth)
        if wanted is None and self.chance(0.35): return self.grouped(text, scope, where)
        types = wanted or [self.r.choice(TYPES) for _ in range(self.r.randint(1, 4))]
        items = [self.output(scope, kind) for kind in types]
        types = ["num" if kind == "span" else kind for kind in types]
        if wanted is None and self.chance(0.25):
            item, kind = self.window(scope)
            items.append(item)
            types = types + [kind]
        distinct = "DISTINCT " if self.chance(0.15) else ""
        return "SELECT %s%s FROM %s%s" % (distinct, ", ".join(items), text, where), types

    def output(self, scope, kind):
        """Equal intervals look different: 1 day and 24 hours."""
        text = self.expression(scope, kind)
        return "extract(epoch FROM %s)" % text if kind == "span" else text

    def grouped(self, text, scope, where):
        key = self.r.choice([self.column, lambda scope, kind: self.expression(scope, kind, 1)])
        keys = [(key(scope, kind), kind) for kind in self.r.sample(["int", "text", "bool", "time", "json", "ints"], self.r.randint(0, 2))]
        keys = [(e, k) for e, k in keys if any(c in e for c, _ in scope)]
        items = list(keys) + [self.aggregate(scope) for _ in range(self.r.randint(1, 3))]
        group = ""
        if keys:
            forms = ["%s", "%s", "%s"]
            # PostgreSQL before 18 returns a key that it finds to be constant also of the sets that lack it.
            if all(key in scope for key in keys): forms += ["ROLLUP (%s)", "CUBE (%s)", "GROUPING SETS ((%s), ())"]
            names = ", ".join(e for e, _ in keys)
            group = " GROUP BY " + self.r.choice(forms) % names
        having = " HAVING count(*) %s %s" % (self.r.choice([">", "<", "="]), self.r.randint(0, 5)) if self.chance(0.25) else ""
        return "SELECT %s FROM %s%s%s%s" % (", ".join(e for e, _ in items), text, where, group, having), [k for _, k in items]

    def query(self):
        text, types = self.select(2)
        if self.chance(0.15) and not any(kind in NUMBERS for kind in types):
            order = ", ".join("%d%s" % (i + 1, self.r.choice(["", " DESC", " NULLS FIRST"])) for i in range(len(types)))
            text = "(%s) ORDER BY %s LIMIT %d OFFSET %d" % (text, order, self.r.randint(1, 20), self.r.choice([0, 0, 3]))
        return text, types


def is_close(kind, a, b):
    if a == b: return True
    if kind not in NUMBERS: return False
    try: return math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError: return False


def sort_key(row, types):
    """Real numbers last and rounded, so that rows that are equal but for rounding stand beside each other."""
    def rounded(value):
        try: return "%.6g" % (float(value) + 0.0)
        except ValueError: return value
    return [v for v, k in zip(row, types) if k not in NUMBERS] + [rounded(v) for v, k in zip(row, types) if k in NUMBERS]


def difference(types, ours, theirs):
    """What two answers (rows, error) differ in; "" for nothing."""
    if ours[1] or theirs[1]:
        if ours[1] and theirs[1]: return ""
        error = ours[1] or theirs[1]
        if error.startswith(("22", "0A000")) or (not ours[1] and error.startswith("42883")): return ""
        return "IdemDB: %s\nPostgreSQL: %s" % (ours[1] or "%d rows" % len(ours[0]), theirs[1] or "%d rows" % len(theirs[0]))
    if len(ours[0]) != len(theirs[0]): return "%d rows, PostgreSQL has %d" % (len(ours[0]), len(theirs[0]))
    key = lambda row: sort_key(row, types)
    for a, b in zip(sorted(ours[0], key=key), sorted(theirs[0], key=key)):
        if len(a) != len(b) or not all(map(is_close, types, a, b)): return "IdemDB: %s\nPostgreSQL: %s" % (a, b)
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--idemdb", default=RELEASE)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--queries", type=int, default=sys.maxsize)
    arguments = parser.parse_args()
    count = failed = refused = 0
    with PostgresServer() as postgres, IdemServer(arguments.idemdb) as idem:
        sessions = [idem.session(), postgres.session()]
        for statement in setup():
            for session in sessions:
                error = session.run(statement)[1]
                if error: raise RuntimeError("%s: %s" % (session.name, error))
        sessions[1].run("SET statement_timeout = '5s'")
        end = time.monotonic() + arguments.seconds
        seed = arguments.seed
        while count < arguments.queries and time.monotonic() < end and failed < 10:
            text, types = Generator(seed).query()
            theirs = sessions[1].run(text)
            if theirs[1] and theirs[1].startswith("57014"):
                seed += 1
                continue
            try: ours = sessions[0].run(text)
            except RuntimeError as error:
                print("seed %d\n%s\n%s\n" % (seed, text, error))
                failed += 1
                break
            wrong = difference(types, ours, theirs)
            count += 1
            refused += 1 if theirs[1] else 0
            if wrong:
                failed += 1
                print("seed %d\n%s\n%s\n" % (seed, text, wrong))
            seed += 1
        print("seeds %d to %d; PostgreSQL refused %d" % (arguments.seed, seed - 1, refused))
    print("%d passed, %d failed" % (count - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__": sys.exit(main())
