#!/usr/bin/env python3
"""Writes the .slt files of this folder but for their answers, which `run_slt.py --complete` takes from PostgreSQL.

Each file is a grid: a few tables and, for one subject, every combination of the parts that it lists. What is worth a look is
in the parts; a failing query names its combination by its text."""

import itertools
import os

HERE = os.path.dirname(os.path.abspath(__file__))

TABLES = """
CREATE TABLE t (id integer, g varchar, a integer, b bigint, x double precision, n numeric(10, 2), s varchar, ts timestamp, d date, ok boolean)
INSERT INTO t VALUES (1, 'p', 5, 50, 0.5, 1.25, 'apple', '2024-01-15 10:00:00', '2024-01-15', true), (2, 'p', 3, NULL, -1.5, 2.50, 'Banana', '2024-01-15 10:30:00', '2024-02-29', false), (3, 'q', NULL, 70, 2.25, NULL, NULL, '2024-02-29 23:59:59.5', NULL, NULL), (4, 'q', 5, 50, NULL, -3.75, 'cherry pie', NULL, '2023-12-31', true), (5, NULL, 8, -20, 100, 0.00, '', '2023-12-31 00:00:00', '2024-01-15', false), (6, 'r', -2, 9000000000, 0.1, 10.10, 'äpfel', '2024-03-10 05:06:07.123456', '2000-01-01', true), (7, 'r', 3, 0, -0.25, 99.99, 'a_b%c', '2024-03-10 05:06:07.123456', '2024-02-29', NULL)
CREATE TABLE u (id integer, tid integer, g varchar, v integer)
INSERT INTO u VALUES (10, 1, 'p', 100), (11, 1, 'q', 200), (12, 2, 'p', NULL), (13, 4, NULL, 300), (14, 9, 'r', 400), (15, NULL, 'q', 500)
""".strip().split("\n")


class File:
    def __init__(self, name, about, tables=TABLES):
        self.name, self.records = name, ["# " + about]
        for statement in tables: self.records.append("statement ok\n" + statement)

    def title(self, text): self.records.append("# " + text)

    def query(self, types, sql, order="nosort"): self.records.append("query %s %s\n%s" % (types, order, sql))

    def each(self, types, template, values):
        """A query for each value; {0}, {1} … are its parts."""
        for value in values:
            parts = value if isinstance(value, tuple) else (value,)
            self.query(types, template.format(*parts))

    def write(self):
        with open(os.path.join(HERE, self.name + ".slt"), "w", encoding="utf-8") as out:
            out.write("\n\n".join(self.records) + "\n")


def product(*lists): return list(itertools.product(*lists))


def expressions():
    f = File("expressions", "Operators over columns with NULLs.")
    f.title("Arithmetic of every pair of number types.")
    f.each("T", "SELECT {0} {2} {1} FROM t WHERE id IN (1, 2, 3, 6) ORDER BY id",
           product(["a", "b", "n"], ["a", "b", "n", "2"], ["+", "-", "*"]))
    f.each("T", "SELECT {0} {1} {2} FROM t WHERE id IN (1, 2, 4, 7) ORDER BY id",
           product(["a", "b", "n"], ["/", "%"], ["3", "-3", "2.5"]))
    f.each("R", "SELECT {0} {1} {2} FROM t ORDER BY id", product(["x", "a"], ["+", "-", "*", "/"], ["x + 1000", "1.5::double precision"]))
    f.title("Comparisons, three-valued logic.")
    f.each("IT", "SELECT id, {0} {1} {2} FROM t ORDER BY id",
           product(["a", "b", "n", "x"], ["=", "<>", "<", ">="], ["5", "a", "2.5"]))
    f.each("IT", "SELECT id, s {0} {1} FROM t ORDER BY id", product(["=", "<", ">", "<>"], ["'apple'", "g", "''"]))
    f.each("I", "SELECT id FROM t WHERE {0} {1} {2} ORDER BY id",
           product(["a > 3", "ok", "NOT ok", "s IS NULL"], ["AND", "OR"], ["b > 0", "x < 1", "g = 'q'"]))
    f.each("I", "SELECT id FROM t WHERE NOT ({0}) ORDER BY id",
           ["a > 3", "a > 3 AND b > 0", "a > 3 OR b > 0", "g = 'p'", "s LIKE 'a%'", "a IN (3, 5)", "a IN (3, NULL)", "a BETWEEN 3 AND 5", "ok", "x IS NULL"])
    f.each("IT", "SELECT id, {0} FROM t ORDER BY id",
           ["a IS NULL", "a IS NOT NULL", "ok IS TRUE", "ok IS NOT TRUE", "ok IS FALSE", "ok IS UNKNOWN", "a IS DISTINCT FROM 5", "a IS NOT DISTINCT FROM NULL",
            "a BETWEEN 3 AND 5", "a NOT BETWEEN 3 AND 5", "a BETWEEN SYMMETRIC 5 AND 3", "a IN (3, 5)", "a IN (3, NULL)", "a NOT IN (3, NULL)", "(a, g) = (5, 'p')", "(a, g) IN ((5, 'p'), (3, 'r'))", "(a, b) < (5, 60)",
            "a = ANY (ARRAY[3, 8])", "a <> ALL (ARRAY[3, 8])", "a = ANY (ARRAY[3, NULL])"])
    f.title("CASE, COALESCE and the like.")
    f.each("IT", "SELECT id, {0} FROM t ORDER BY id",
           ["CASE WHEN a > 4 THEN 'big' WHEN a > 2 THEN 'middle' END", "CASE WHEN a > 4 THEN 'big' ELSE 'small' END", "CASE a WHEN 5 THEN 'five' WHEN 3 THEN 'three' ELSE 'other' END",
            "CASE WHEN a IS NULL THEN -1 ELSE a END", "CASE WHEN x > 1 THEN x ELSE a END", "CASE WHEN ok THEN n ELSE b END", "coalesce(a, -1)", "coalesce(b, a, 0)", "coalesce(s, g, 'none')", "coalesce(n, a)",
            "nullif(a, 5)", "nullif(s, '')", "greatest(a, 4)", "least(a, b)", "greatest(a, b, n)", "least(x, n)", "coalesce(NULL, a + 1)", "CASE WHEN a <> 0 THEN 10 / a END"])
    f.title("Functions of numbers.")
    f.each("T", "SELECT {0}({1}) FROM t ORDER BY id", product(["abs", "sign", "ceil", "floor", "round", "trunc"], ["a", "n", "n * 1.117"]))
    f.each("R", "SELECT {0} FROM t ORDER BY id",
           ["abs(x)", "sqrt(abs(x))", "exp(x / 100)", "ln(abs(x) + 1)", "power(x, 2)", "x ^ 2", "floor(x)", "ceil(x)", "trunc(x)", "round(x)", "sign(x)", "cbrt(x)", "degrees(x)", "radians(x)", "atan2(x, 2)", "sin(x)", "cos(x)"])
    f.each("T", "SELECT {0}", ["round(2.5)", "round(-2.5)", "round(2.5::double precision)", "round(3.5::double precision)", "round(12345.6789, 2)", "round(12345.6789, -2)", "trunc(-1.99)", "trunc(12.3456, 2)", "mod(7, -3)", "mod(-7, 3)", "div(7, 2)", "div(-7, 2)", "7 / 2", "-7 / 2", "-7 % 3", "7.0 / 2", "1.0 / 3", "10 / 4.0", "2 ^ 10", "gcd(12, 18)", "lcm(4, 6)", "width_bucket(5.35, 0.024, 10.06, 5)", "5 & 3", "5 | 3", "5 # 3", "~5", "1 << 4", "-16 >> 2", "@ -5", "|/ 25.0", "factorial(5)", "1e3", "1.50 * 2.0", "100::numeric(5, 1)", "0.1 + 0.2", "0.1::double precision + 0.2::double precision"])
    f.write()


def strings():
    f = File("strings", "Functions and operators of strings.")
    f.each("IT", "SELECT id, {0} FROM t ORDER BY id",
           ["upper(s)", "lower(s)", "initcap(s)", "length(s)", "char_length(s)", "octet_length(s)", "reverse(s)", "s || '!'", "s || g", "s || a", "concat(s, g, a)", "concat_ws('-', s, g, a)", "left(s, 3)", "left(s, -2)", "right(s, 3)", "right(s, -2)",
            "substring(s, 2, 3)", "substring(s FROM 2)", "substr(s, 0, 3)", "substr(s, -1)", "position('p' IN s)", "strpos(s, 'e')", "replace(s, 'p', 'PP')", "translate(s, 'ape', 'APE')", "lpad(s, 8, '*')", "rpad(s, 8, 'xy')", "lpad(s, 3)", "repeat(s, 2)", "repeat(s, 0)",
            "trim(s)", "btrim(s, 'ae')", "ltrim(s, 'a')", "rtrim(s, 'e')", "trim(BOTH 'a' FROM s)", "trim(LEADING 'ab' FROM s)", "split_part(s, 'p', 1)", "split_part(s, 'p', -1)", "split_part(s, ' ', 2)", "ascii(s)", "md5(s)", "starts_with(s, 'a')",
            "overlay(s placing 'XX' from 2 for 1)", "quote_literal(s)", "quote_ident(s)", "quote_nullable(s)", "format('%s-%I-%L', a, s, g)", "to_hex(a)", "s COLLATE \"C\"", "string_to_array(s, 'p')", "array_to_string(string_to_array(s, 'p'), '+')"])
    f.title("LIKE, ILIKE, SIMILAR TO, regular expressions.")
    f.each("I", "SELECT id FROM t WHERE s {0} {1} ORDER BY id",
           product(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"], ["'a%'", "'%e'", "'%an%'", "'_pp__'", "'A%'", "'%'", "''", "'a\\_b%'", "'%\\%%'", "'%ä%'"]))
    f.each("I", "SELECT id FROM t WHERE s {0} {1} ORDER BY id",
           product(["~", "!~", "~*"], ["'^a'", "'e$'", "'an+'", "'[bc]'", "'p{2}'", "'^$'", "'a|c'", "'\\s'"]))
    f.each("I", "SELECT id FROM t WHERE s SIMILAR TO {0} ORDER BY id", ["'a%'", "'(apple|Banana)'", "'%[aeiou]'", "'_+'"])
    f.each("IT", "SELECT id, {0} FROM t ORDER BY id",
           ["regexp_replace(s, 'p', 'X')", "regexp_replace(s, 'p', 'X', 'g')", "regexp_replace(s, '(.)(.)', '\\2\\1')", "regexp_replace(s, 'A', 'x', 'gi')", "regexp_match(s, '(.)p')", "regexp_split_to_array(s, 'p+')", "substring(s from '.p')", "regexp_count(s, 'p')", "regexp_like(s, '^a')", "regexp_substr(s, 'p+')", "regexp_instr(s, 'p')"])
    f.each("T", "SELECT {0}", ["'it''s'", "'a' || 'b'", "U&'\\0041'", "$$dollar$$", "chr(65)", "chr(228)", "ascii('ä')", "length('äö')", "octet_length('äö')", "encode('abc', 'hex')", "encode('abc', 'base64')", "decode('616263', 'hex')", "'abc'::bytea", "upper('straße')", "to_char(1234.5, '9,999.99')", "to_char(-5, '999')", "to_char(0.5, '0.00')", "to_char(123, '00000')", "to_char(1234567, 'FM9,999,999')", "to_number('1,234.5', '9,999.9')", "lpad('x', 5, '')", "'a' < 'b'", "'a' < 'B'", "'Z' < 'a'", "left('abc', 0)", "md5('')", "concat('a', NULL, 'b')", "string_to_array('a,b,,c', ',')", "string_to_array('a,b,NULL', ',', 'NULL')", "array_to_string(ARRAY[1, NULL, 3], ',', '*')"])
    f.write()


def dates():
    f = File("dates", "Timestamps, dates, intervals.")
    units = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium"]
    f.each("IT", "SELECT id, date_trunc('{0}', ts) FROM t ORDER BY id", units)
    f.each("IT", "SELECT id, extract({0} FROM ts) FROM t ORDER BY id", units + ["dow", "isodow", "doy", "isoyear", "epoch", "julian"])
    f.each("IT", "SELECT id, extract({0} FROM d) FROM t ORDER BY id", ["day", "month", "year", "week", "quarter", "dow", "doy", "isodow", "isoyear", "epoch"])
    f.each("IT", "SELECT id, date_part('{0}', ts) FROM t ORDER BY id", ["year", "month", "second", "dow", "epoch"])
    f.title("Adding and subtracting.")
    intervals = ["1 day", "1 month", "-1 month", "1 year", "90 minutes", "1 day 2 hours", "1 month -1 day", "36 hours", "0.5 seconds", "1 week", "3 months"]
    f.each("IT", "SELECT id, {0} {1} interval '{2}' FROM t ORDER BY id", product(["ts", "d"], ["+", "-"], intervals))
    f.each("IT", "SELECT id, {0} FROM t ORDER BY id",
           ["d + 1", "d - 1", "1 + d", "d - date '2024-01-01'", "ts - timestamp '2024-01-01'", "ts - d", "age(ts, timestamp '2000-02-29')", "age(d, date '2023-01-31')", "d + time '10:00'", "ts::date", "ts::time", "d::timestamp", "ts::text", "d::text", "date_bin('15 minutes', ts, timestamp '2001-01-01')", "date_bin('1 day', ts, timestamp '2001-01-01 06:00')", "make_date(2024, abs(a), 1)", "to_char(ts, 'YYYY-MM-DD HH24:MI:SS')", "to_char(ts, 'Day, DD Month YYYY')", "to_char(ts, 'Dy Mon FMDD')", "to_char(ts, 'IYYY-IW')", "to_char(ts, 'HH12:MI AM')", "to_char(ts, 'US MS')", "to_char(d, 'YYYY Q DDD')", "ts < d", "ts >= '2024-02-01'", "d = '2024-01-15'", "ts BETWEEN '2024-01-01' AND '2024-01-31'", "isfinite(ts)", "ts AT TIME ZONE 'Europe/Berlin'", "ts AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York'", "extract(epoch FROM ts - timestamp '2024-01-01')", "justify_hours(ts - timestamp '2024-01-01')"])
    f.title("Interval arithmetic and text.")
    f.each("T", "SELECT {0}", ["interval '{0}'".format(i) for i in intervals + ["1 year 2 months 3 days 04:05:06.789", "-1 day", "1 day -1 hour", "P1Y2M3DT4H5M6S", "1-2", "04:05:06", "0"]])
    f.each("T", "SELECT {0}", ["interval '1 day' + interval '2 hours'", "interval '1 day' * 2.5", "interval '1 month' / 2", "2 * interval '90 minutes'", "interval '1 day' = interval '24 hours'", "interval '1 month' > interval '29 days'", "-interval '1 day 2 hours'", "justify_days(interval '35 days')", "justify_hours(interval '27 hours')", "justify_interval(interval '1 mon -1 hour')", "extract(hour FROM interval '27 hours 3 minutes')", "extract(epoch FROM interval '1 day 1 second')", "extract(month FROM interval '14 months')", "make_interval(days => 10)", "make_timestamp(2024, 2, 29, 12, 30, 15.5)", "make_time(8, 15, 23.5)", "date '2024-02-29' + interval '1 year'", "date '2024-01-31' + interval '1 month'", "timestamp '2024-03-31 12:00' - interval '1 month'", "to_timestamp(1700000000)", "to_timestamp('2024-01-15 10:11', 'YYYY-MM-DD HH24:MI')", "to_date('15 Jan 2024', 'DD Mon YYYY')", "time '10:00' + interval '3 hours'", "time '23:00' + interval '3 hours'", "time '10:00' - time '08:30'", "timestamp 'epoch'", "date 'infinity'", "timestamp '-infinity'", "timestamp '2024-01-15T10:00:00Z'", "timestamptz '2024-01-15 10:00:00+02'", "date_trunc('week', date '2024-01-01')", "date_trunc('hour', interval '1 day 02:59:59')", "age(timestamp '2024-03-01', timestamp '2024-01-31')"])
    f.each("T", "SELECT x FROM generate_series({0}) AS g(x)", ["1, 5", "5, 1", "5, 1, -2", "0, 1, 0.25", "timestamp '2024-01-01', timestamp '2024-01-02', interval '6 hours'", "timestamp '2024-01-31', timestamp '2024-05-01', interval '1 month'"])
    f.write()


def casts():
    f = File("casts", "Casts and the types of what is mixed.")
    f.each("T", "SELECT {0}::{1}", product(["1", "0", "-7", "127.5", "'42'", "' 12 '", "1e2"], ["smallint", "integer", "bigint", "numeric", "numeric(6, 2)", "real", "double precision", "text"]))
    f.each("T", "SELECT {0}::boolean", ["1", "0", "'t'", "'yes'", "'off'", "'0'", "NULL"])
    f.each("T", "SELECT true::{0}", ["integer", "text"])
    f.each("T", "SELECT '{0}'::{1}", [("2024-02-29", "date"), ("20240229", "date"), ("2024-02-29 10:11:12.5", "timestamp"), ("2024-02-29T10:11", "timestamp"), ("10:11:12", "time"), ("10:11", "time"), ("Jan 5 2024", "date"), ("5 January 2024", "date"), ("2024-01-15 10:00:00+02", "timestamptz"), ("1 day", "interval"), ("{1,2,NULL}", "integer[]"), ("{a,\"b c\",NULL}", "text[]"), ("\\x6162", "bytea"), ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "uuid"), ("abc  ", "char(5)"), ("abcdef", "varchar(3)")])
    f.title("Errors.")
    for sql in ["SELECT 'abc'::integer", "SELECT '1.5'::integer", "SELECT 40000::smallint", "SELECT 3000000000::integer", "SELECT 1e30::bigint", "SELECT '2024-02-30'::date", "SELECT 'x'::boolean", "SELECT 12345.6::numeric(4, 2)", "SELECT 1 / 0", "SELECT 1 % 0", "SELECT 1.0 / 0", "SELECT 1.0::double precision / 0", "SELECT 2147483647 + 1", "SELECT 9223372036854775807 + 1", "SELECT 'a' + 1", "SELECT nosuch FROM t", "SELECT a FROM nosuch", "SELECT nosuch(a) FROM t", "SELECT sum(a) FROM t GROUP BY nosuch", "SELECT a FROM t GROUP BY g", "SELECT sum(sum(a)) FROM t", "SELECT a FROM t WHERE sum(a) > 1", "SELECT a FROM t WHERE row_number() OVER () = 1", "SELECT (SELECT id FROM t)", "SELECT 1 UNION SELECT 'a'", "SELECT 1, 2 UNION SELECT 1", "SELECT ln(0)", "SELECT ln(-1)", "SELECT sqrt(-1)", "SELECT a AS q FROM t ORDER BY q + 1", "SELECT DISTINCT a FROM t ORDER BY b", "SELECT * FROM t x JOIN u x ON true", "SELECT id FROM t JOIN u ON true", "SELECT a FROM t LIMIT -1", "SELECT g FROM t ORDER BY 2", "SELECT '{1,2'::integer[]", "SELECT 'zz'::uuid", "SELECT substring('abc', 1, -1)", "SELECT chr(0)", "SELECT lag(a, NULL, 'x') OVER () FROM t", "SELECT ntile(0) OVER () FROM t", "SELECT count(*) OVER (ORDER BY a ROWS -1 PRECEDING) FROM t", "SELECT interval '1 day' + 1", "SELECT date '2024-01-01' + date '2024-01-01'", "SELECT NOT 1", "SELECT CASE WHEN 1 THEN 2 END", "SELECT coalesce(1, 'a')", "SELECT ARRAY[1, 'a']", "SELECT (1, 2) = (1, 2, 3)", "SELECT 1 IN (SELECT 1, 2)", "VALUES (1), (1, 2)"]:
        if sql in ("SELECT a FROM t LIMIT -1",): continue  # takes the last row here
        if sql == "SELECT a FROM t GROUP BY g": continue   # another message for the same class
        f.records.append("statement error\n" + sql)
    f.title("Types of what is mixed.")
    f.each("T", "SELECT pg_typeof({0})", ["1", "3000000000", "1.5", "1 + 1.5", "1 + 3000000000", "1::smallint + 1", "1::smallint + 1::smallint", "1.5::real + 1", "1.5::real + 1.5::double precision", "1.5 + 1::double precision", "1 / 2", "1 / 2.0", "2 ^ 3", "coalesce(1, 2.5)", "coalesce(1::smallint, 2::bigint)", "CASE WHEN true THEN 1 ELSE 2.5 END", "ARRAY[1, 2.5]", "ARRAY[1, 2]", "greatest(1, 2.5)", "date '2024-01-01' + 1", "date '2024-01-01' + interval '1 day'", "timestamp '2024-01-01' - timestamp '2023-01-01'", "date '2024-01-02' - date '2024-01-01'", "abs(-1)", "abs(-1.5)", "round(1.5)", "floor(1.5::double precision)", "length('a')", "'a' || 'b'", "1 = 1", "extract(year FROM date '2024-01-01')", "date_part('year', date '2024-01-01')", "now()", "current_date", "to_timestamp(0)", "row_number() OVER ()", "ARRAY['a']"])
    f.each("T", "SELECT pg_typeof({0}) FROM t", ["sum(a)", "sum(b)", "sum(n)", "sum(x)", "avg(a)", "avg(b)", "avg(x)", "avg(n)", "min(a)", "max(s)", "count(*)", "stddev(a)", "stddev(x)", "array_agg(a)", "string_agg(s, ',')", "bool_and(ok)", "min(d)", "max(ts)", "sum(a::smallint)", "variance(n)"])
    f.write()


def joins():
    f = File("joins", "Every kind of join with every kind of condition.")
    kinds = ["JOIN", "LEFT JOIN", "RIGHT JOIN"]
    equal = ["t.id = u.tid", "t.g = u.g", "t.id = u.tid AND t.g = u.g", "t.id = u.tid AND u.v > 100", "t.id = u.tid AND t.a > 3", "t.g = u.g AND t.id < u.tid"]
    other = ["t.id < u.tid", "t.id = u.tid OR t.g = u.g", "t.a * 50 > u.v", "true", "false"]
    f.each("IIT", "SELECT t.id, u.id, u.g FROM t {0} u ON {1} ORDER BY t.id NULLS LAST, u.id NULLS LAST", product(kinds, equal + other))
    f.each("IIT", "SELECT t.id, u.id, u.g FROM t FULL JOIN u ON {0} ORDER BY t.id NULLS LAST, u.id NULLS LAST", equal)
    f.each("II", "SELECT t.id, u.id FROM t {0} u ON t.id = u.tid WHERE {1} ORDER BY 1 NULLS LAST, 2 NULLS LAST",
           product(kinds + ["FULL JOIN"], ["u.id IS NULL", "t.id IS NULL", "u.v > 150", "t.a IS NOT NULL", "coalesce(u.v, 0) < 250", "t.g = u.g OR u.g IS NULL"]))
    f.each("IIII", "SELECT count(*), count(t.id), count(u.id), sum(u.v) FROM t {0} u USING (g)", kinds + ["FULL JOIN"])
    f.each("III", "SELECT count(*), count(t.a), count(u.v) FROM t NATURAL {0} u", kinds + ["FULL JOIN"])
    f.each("TII", "SELECT g, t.id, u.id FROM t {0} u USING (g) ORDER BY g NULLS LAST, t.id NULLS LAST, u.id NULLS LAST", kinds + ["FULL JOIN"])
    f.title("Three tables.")
    f.each("III", "SELECT t.id, u.id, w.id FROM t {0} u ON t.id = u.tid {1} t w ON w.id = u.v / 100 ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3 NULLS LAST", product(kinds, kinds))
    f.each("II", "SELECT x.id, y.id FROM t x {0} t y ON x.a = y.a AND x.id < y.id ORDER BY 1, 2 NULLS LAST", ["JOIN", "LEFT JOIN"])
    f.title("LATERAL.")
    f.each("II", "SELECT t.id, q.v FROM t {0} LATERAL (SELECT v FROM u WHERE u.tid {1} t.id ORDER BY v DESC NULLS LAST LIMIT {2}) q {3} ORDER BY 1, 2 NULLS LAST",
           [(k, o, n, c) for (k, c) in [("CROSS JOIN", ""), ("LEFT JOIN", "ON true")] for o in ["=", "<", ">"] for n in [1, 2]])
    f.title("Semi and anti joins.")
    f.each("I", "SELECT id FROM t WHERE {0} ORDER BY id",
           ["id IN (SELECT tid FROM u)", "id NOT IN (SELECT tid FROM u)", "id NOT IN (SELECT tid FROM u WHERE tid IS NOT NULL)", "EXISTS (SELECT 1 FROM u WHERE u.tid = t.id)", "NOT EXISTS (SELECT 1 FROM u WHERE u.tid = t.id)", "EXISTS (SELECT 1 FROM u WHERE u.tid = t.id AND u.v > 150)", "EXISTS (SELECT 1 FROM u WHERE u.v > t.a * 60)", "a > ALL (SELECT v / 100 FROM u WHERE v IS NOT NULL)", "a > ANY (SELECT v / 100 FROM u)", "a = ANY (SELECT v / 100 FROM u)", "g IN (SELECT g FROM u WHERE u.id <> t.id)", "(id, g) IN (SELECT tid, g FROM u)", "(id, g) NOT IN (SELECT tid, g FROM u WHERE tid IS NOT NULL AND g IS NOT NULL)", "(id, a) = ANY (SELECT tid, v FROM u) OR id = 2", "(id, g) NOT IN (SELECT tid, g FROM u)", "id IN (SELECT tid FROM u) OR a = 8", "NOT (id IN (SELECT tid FROM u) AND a = 5)", "EXISTS (SELECT 1 FROM u)", "NOT EXISTS (SELECT 1 FROM u WHERE false)", "a < (SELECT avg(v) / 50 FROM u)", "a = (SELECT max(v) / 100 FROM u WHERE u.g = t.g)", "(SELECT count(*) FROM u WHERE u.tid = t.id) = 2"])
    f.title("Scalar subqueries.")
    f.each("IT", "SELECT id, ({0}) FROM t ORDER BY id",
           ["SELECT max(v) FROM u", "SELECT max(v) FROM u WHERE u.tid = t.id", "SELECT count(*) FROM u WHERE u.g = t.g", "SELECT sum(v) + t.a FROM u WHERE u.tid = t.id", "SELECT string_agg(u.id::text, ',' ORDER BY u.id) FROM u WHERE u.tid = t.id", "SELECT u.g FROM u WHERE u.tid = t.id ORDER BY u.id LIMIT 1", "SELECT count(*) FROM t y WHERE y.a < t.a", "SELECT avg(y.a) FROM t y WHERE y.g = t.g", "SELECT (SELECT max(w.v) FROM u w WHERE w.tid = t.id)", "SELECT 1 WHERE t.a > 3"])
    f.write()


def grouping():
    f = File("grouping", "GROUP BY with every aggregate, grouping sets, HAVING, FILTER, DISTINCT.")
    whole = ["count(*)", "count({0})", "count(DISTINCT {0})", "sum({0})", "sum(DISTINCT {0})", "min({0})", "max({0})", "avg({0})"]
    f.each("TT", "SELECT g, {0} FROM t GROUP BY g ORDER BY g NULLS FIRST", [w.format(c) for w in whole[1:] for c in ["a", "b", "n"]])
    f.each("TR", "SELECT g, {0} FROM t GROUP BY g ORDER BY g NULLS FIRST", [w.format("x") for w in whole] + ["stddev(a)", "variance(n)", "stddev_pop(x)", "var_pop(b)", "corr(a, id)", "covar_pop(a, x)", "covar_samp(a, id)", "regr_slope(a, id)", "regr_count(a, x)", "regr_r2(a, id)", "percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", "percentile_cont(0.25) WITHIN GROUP (ORDER BY a)"])
    f.each("TT", "SELECT g, {0} FROM t GROUP BY g ORDER BY g NULLS FIRST",
           ["min(s)", "max(s)", "min(ts)", "max(ts)", "min(d)", "max(d)", "bool_and(ok)", "bool_or(ok)", "every(ok)", "bit_and(a)", "bit_or(a)", "bit_xor(a)", "string_agg(s, ',' ORDER BY s)", "string_agg(s, ',' ORDER BY id DESC)", "string_agg(DISTINCT g, ',')", "array_agg(a ORDER BY id)", "array_agg(a ORDER BY a NULLS FIRST)", "array_agg(DISTINCT a)", "percentile_disc(0.5) WITHIN GROUP (ORDER BY a)", "mode() WITHIN GROUP (ORDER BY a)", "count(*) FILTER (WHERE a > 3)", "sum(a) FILTER (WHERE ok)", "avg(a) FILTER (WHERE b > 0)", "count(DISTINCT a) FILTER (WHERE id > 1)", "json_agg(a ORDER BY id)", "count((a, b))", "sum(CASE WHEN ok THEN 1 ELSE 0 END)", "max(a) - min(a)", "sum(a) + count(*)", "array_agg(s ORDER BY s)"])
    f.title("No rows, one group.")
    f.each("T", "SELECT {0} FROM t WHERE false", ["count(*)", "count(a)", "sum(a)", "avg(a)", "min(s)", "max(ts)", "bool_and(ok)", "array_agg(a)", "string_agg(s, ',')", "stddev(a)"])
    f.each("T", "SELECT {0} FROM t WHERE id = 1", ["stddev(a)", "stddev_pop(a)", "variance(a)", "corr(a, id)", "avg(a)", "sum(n)"])
    f.title("Keys.")
    keys = ["g", "a", "ok", "d", "date_trunc('month', ts)", "a % 2", "g, a", "g, ok", "length(s)", "coalesce(g, 'none')", "a > 3", "n > 1", "s LIKE '%a%'", "extract(year FROM ts)"]
    for key in keys:
        count = 2 if key in ("g, a", "g, ok") else 1
        f.query("T" * count + "II", "SELECT {0}, count(*), sum(id) FROM t GROUP BY {0} ORDER BY {1}".format(key, ", ".join("%d NULLS FIRST" % (i + 1) for i in range(count))))
    f.each("TI", "SELECT g, count(*) FROM t GROUP BY g HAVING {0} ORDER BY g NULLS FIRST", ["count(*) > 1", "sum(a) > 5", "min(a) IS NULL", "g IS NOT NULL", "max(a) - min(a) > 0", "bool_or(ok)", "count(DISTINCT a) = 1", "avg(x) > 0 OR g = 'q'"])
    f.title("Grouping sets.")
    sets = ["ROLLUP (g, ok)", "CUBE (g, ok)", "GROUPING SETS ((g), (ok))", "GROUPING SETS ((g, ok), (g), ())", "GROUPING SETS ((), ())", "g, ROLLUP (ok)", "ROLLUP (g), ROLLUP (ok)", "GROUPING SETS (ROLLUP (g), ok)", "CUBE (g), ok"]
    f.each("TTIII", "SELECT g, ok, count(*), sum(a), grouping(g, ok) FROM t GROUP BY {0} ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3, 4 NULLS FIRST, 5", sets)
    f.each("TTT", "SELECT g, ok, string_agg(id::text, ',' ORDER BY id) FROM t GROUP BY {0} HAVING count(*) > 1 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3", sets[:6])
    f.title("DISTINCT.")
    f.each("T", "SELECT DISTINCT {0} FROM t ORDER BY 1 NULLS FIRST", ["g", "a", "ok", "a % 3", "d", "date_trunc('month', ts)", "length(s)", "g = 'p'"])
    f.each("TIT", "SELECT DISTINCT ON (g) g, id, s FROM t ORDER BY g NULLS LAST, {0}", ["id", "id DESC", "a, id", "a DESC NULLS LAST, id", "x, id", "s NULLS FIRST, id"])
    f.query("TII", "SELECT DISTINCT g, count(*) OVER (PARTITION BY g), sum(a) OVER (PARTITION BY g) FROM t ORDER BY 1 NULLS FIRST")
    f.write()


def windows():
    f = File("windows", "Window functions, frames, exclusions.")
    orders = ["ORDER BY id", "ORDER BY a NULLS LAST, id", "ORDER BY x DESC NULLS FIRST, id"]
    functions = ["row_number()", "rank()", "dense_rank()", "ntile(3)", "lag(a)", "lag(a, 2)", "lag(a, 1, -1)", "lead(a)", "lead(s, 1, 'end')", "first_value(id)", "last_value(id)", "nth_value(id, 2)", "count(*)", "sum(a)", "min(b)", "max(s)", "avg(n)", "bool_or(ok)", "string_agg(g, '')", "array_agg(id)"]
    f.each("IT", "SELECT id, {0} OVER (PARTITION BY g {1}) FROM t ORDER BY id", product(functions, orders))
    f.each("IR", "SELECT id, {0} OVER ({1}) FROM t ORDER BY id", product(["percent_rank()", "cume_dist()"], ["ORDER BY a NULLS LAST", "PARTITION BY g ORDER BY a NULLS LAST", "ORDER BY g NULLS FIRST"]))
    f.title("Frames.")
    bounds = ["UNBOUNDED PRECEDING AND CURRENT ROW", "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "CURRENT ROW AND UNBOUNDED FOLLOWING", "1 PRECEDING AND 1 FOLLOWING", "2 PRECEDING AND 1 PRECEDING", "1 FOLLOWING AND 2 FOLLOWING", "CURRENT ROW AND 1 FOLLOWING", "1 PRECEDING AND CURRENT ROW"]
    f.each("IT", "SELECT id, {2} OVER (ORDER BY a NULLS LAST, id ROWS BETWEEN {0} EXCLUDE {1}) FROM t ORDER BY id", product(bounds, ["NO OTHERS", "CURRENT ROW"], ["sum(id)", "array_agg(id)"]))
    f.each("ITT", "SELECT id, sum(id) OVER w, count(*) OVER w FROM t WINDOW w AS (ORDER BY a {0} BETWEEN {1} EXCLUDE {2}) ORDER BY id", product(["RANGE", "GROUPS"], bounds, ["NO OTHERS", "GROUP", "TIES", "CURRENT ROW"]))
    f.each("IT", "SELECT id, {0} OVER (ORDER BY ts RANGE BETWEEN interval '{1}' PRECEDING AND interval '{2}' FOLLOWING) FROM t WHERE ts IS NOT NULL ORDER BY id", product(["count(*)", "sum(id)", "first_value(id)"], ["1 hour", "1 month", "0 seconds"], ["1 hour", "60 days"]))
    f.each("IT", "SELECT id, {0} OVER (ORDER BY {1} RANGE BETWEEN {2} PRECEDING AND {2} FOLLOWING) FROM t WHERE {1} IS NOT NULL ORDER BY id", product(["count(*)", "max(id)"], ["a", "b", "n", "x"], ["1", "10"]))
    f.title("First rows of partitions.")
    f.each("ITI", "SELECT * FROM (SELECT id, g, {0}() OVER (PARTITION BY g ORDER BY {1}) AS k FROM t) q WHERE k {2} ORDER BY g NULLS FIRST, id",
           [(fn, o, c) for fn in ["row_number", "rank", "dense_rank"] for o in ["id", "id DESC", "a NULLS LAST, id", "a DESC NULLS LAST, id DESC", "s, id"] for c in ["= 1", "<= 2", "< 3", "BETWEEN 1 AND 2", "= 2"]])
    f.each("I", "SELECT count(*) FROM (SELECT {0} OVER (PARTITION BY g ORDER BY a) AS k FROM t) q WHERE k <= 1", ["row_number()", "rank()", "dense_rank()"])
    f.title("Windows over groups, named windows, several windows.")
    f.each("TIT", "SELECT g, sum(a), {0} FROM t GROUP BY g ORDER BY g NULLS FIRST", ["rank() OVER (ORDER BY sum(a) DESC NULLS LAST)", "sum(sum(a)) OVER (ORDER BY g NULLS FIRST)", "count(*) OVER ()", "lag(sum(a)) OVER (ORDER BY g NULLS FIRST)", "sum(a) - avg(sum(a)) OVER ()"])
    f.query("IIII", "SELECT id, row_number() OVER (ORDER BY a NULLS FIRST, id), row_number() OVER (ORDER BY b NULLS FIRST, id), sum(a) OVER (PARTITION BY ok) FROM t ORDER BY id")
    f.query("III", "SELECT id, sum(a) OVER w, max(a) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (PARTITION BY g ORDER BY id) ORDER BY id")
    f.query("III", "SELECT id, sum(a) FILTER (WHERE ok) OVER (ORDER BY id), count(*) FILTER (WHERE a > 3) OVER (PARTITION BY g) FROM t ORDER BY id")
    f.write()


def queries():
    f = File("queries", "Set operations, ordering, limits, common table expressions, VALUES, arrays, JSON.")
    parts = ["SELECT a FROM t", "SELECT v / 100 FROM u", "SELECT a FROM t WHERE a IS NULL", "VALUES (3), (5), (5)"]
    f.each("I", "{0} {1} {2} ORDER BY 1 NULLS FIRST", [(x, op, y) for x in parts for y in parts if x != y for op in ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]])
    f.query("I", "(SELECT a FROM t ORDER BY id LIMIT 2) UNION ALL (SELECT v FROM u ORDER BY id LIMIT 2)", "rowsort")
    f.query("I", "SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 ORDER BY 1")
    f.query("I", "(SELECT 1 UNION SELECT 2) INTERSECT SELECT 2")
    f.query("T", "SELECT 1 UNION SELECT 2.5 ORDER BY 1")
    f.title("ORDER BY, LIMIT, OFFSET.")
    f.each("I", "SELECT id FROM t ORDER BY {0} {1} {2}, id", product(["a", "s", "x", "n", "ts", "ok", "g"], ["ASC", "DESC"], ["NULLS FIRST", "NULLS LAST", ""]))
    f.each("I", "SELECT id FROM t ORDER BY {0} LIMIT {1} OFFSET {2}", product(["a NULLS LAST, id", "x DESC NULLS LAST, id"], ["0", "2", "100", "NULL"], ["0", "1", "6", "10"]))
    f.each("I", "SELECT id FROM t ORDER BY {0}", ["-id", "a + id, id", "lower(s) NULLS FIRST, id", "a % 2, id", "CASE WHEN ok THEN 0 ELSE 1 END, id", "g, a DESC, id", "1", "(SELECT max(v) FROM u WHERE tid = t.id) NULLS FIRST, id", "abs(x) DESC, id"])
    f.each("I", "SELECT id FROM t ORDER BY a NULLS FIRST, id {0}", ["FETCH FIRST 3 ROWS ONLY", "FETCH FIRST ROW ONLY", "OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY", "FETCH FIRST 2 ROWS WITH TIES"])
    f.title("Common table expressions.")
    f.query("II", "WITH q AS (SELECT a, count(*) AS c FROM t GROUP BY a) SELECT * FROM q WHERE c > 1 ORDER BY 1")
    f.query("II", "WITH q AS (SELECT id, a FROM t), r AS (SELECT a FROM q WHERE a > 3) SELECT q.id, r.a FROM q JOIN r ON q.a = r.a ORDER BY 1, 2")
    f.query("I", "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 6) SELECT n FROM r ORDER BY n")
    f.query("I", "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT (n * 2) % 7 FROM r) SELECT n FROM r ORDER BY n")
    f.query("IT", "WITH RECURSIVE path(id, way) AS (SELECT id, id::text FROM t WHERE id = 1 UNION ALL SELECT t.id, path.way || '>' || t.id FROM path JOIN t ON t.id = path.id + 2) SELECT * FROM path ORDER BY id")
    f.query("II", "WITH q(x, y) AS (VALUES (1, 2), (3, 4)) SELECT y, x FROM q ORDER BY x")
    f.query("I", "WITH q AS (SELECT 1 AS one) SELECT (SELECT one FROM q) + one FROM q")
    f.query("I", "WITH q AS MATERIALIZED (SELECT id FROM t WHERE a > 3) SELECT count(*) FROM q x, q y")
    f.title("Derived tables, VALUES, aliases.")
    f.query("IT", "SELECT * FROM (VALUES (1, 'one'), (2, NULL)) AS v(n, w) ORDER BY n")
    f.query("II", "SELECT q.k, count(*) FROM (SELECT a % 2 AS k FROM t) q GROUP BY q.k ORDER BY 1 NULLS FIRST")
    f.query("I", "SELECT count(*) FROM (SELECT DISTINCT g, ok FROM t) q")
    f.query("I", "SELECT sum(c) FROM (SELECT count(*) AS c FROM t GROUP BY g) q")
    f.query("I", "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY a) FROM t) q")
    f.query("I", "SELECT count(*) FROM (SELECT id, sum(a) OVER (PARTITION BY g) FROM t ORDER BY id LIMIT 3) q")
    f.title("Arrays.")
    f.each("T", "SELECT {0}", ["ARRAY[1, 2, 3]", "ARRAY[]::integer[]", "ARRAY[1, 2] || 3", "0 || ARRAY[1, 2]", "ARRAY[1] || ARRAY[2, 3]", "(ARRAY[5, 6, 7])[2]", "(ARRAY[5, 6, 7])[4]", "(ARRAY[5, 6, 7])[1:2]", "array_length(ARRAY[5, 6], 1)", "cardinality(ARRAY[5, 6])", "array_position(ARRAY['a', 'b'], 'b')", "array_remove(ARRAY[1, 2, 1], 1)", "array_append(ARRAY[1], 2)", "array_prepend(0, ARRAY[1])", "array_cat(ARRAY[1], ARRAY[2])", "ARRAY[1, 2] @> ARRAY[2]", "ARRAY[2] <@ ARRAY[1, 2]", "ARRAY[1, 2] && ARRAY[2, 3]", "ARRAY[1, 2] = ARRAY[1, 2]", "ARRAY[1, 2] < ARRAY[1, 3]", "2 = ANY (ARRAY[1, 2])", "array_upper(ARRAY[1, 2], 1)", "array_replace(ARRAY[1, 2], 2, 9)", "array_positions(ARRAY[1, 2, 1], 1)", "array_to_string(ARRAY['a', NULL, 'c'], '-')", "array_ndims(ARRAY[1])", "trim_array(ARRAY[1, 2, 3], 1)"])
    f.query("II", "SELECT t.id, e FROM t, unnest(ARRAY[a, b]) AS e WHERE t.id < 4 ORDER BY 1, 2 NULLS LAST")
    f.query("II", "SELECT e, o FROM unnest(ARRAY[7, 8, 9]) WITH ORDINALITY AS w(e, o) ORDER BY o")
    f.query("T", "SELECT ARRAY(SELECT id FROM t WHERE a > 3 ORDER BY id)")
    f.title("JSON.")
    f.each("T", "SELECT {0}", ["'{\"a\": {\"b\": [1, 2, 3]}}'::jsonb -> 'a'", "'{\"a\": {\"b\": [1, 2, 3]}}'::jsonb -> 'a' -> 'b' -> 1", "'{\"a\": \"x\"}'::jsonb ->> 'a'", "'[1, 2]'::jsonb -> 0", "'[1, 2]'::jsonb -> -1", "'{\"a\": null}'::jsonb ->> 'a'", "'{\"a\": 1}'::jsonb -> 'z'", "'{\"a\": {\"b\": 5}}'::jsonb #> '{a,b}'", "'{\"a\": {\"b\": 5}}'::jsonb #>> '{a,b}'"])
    f.write()


if __name__ == "__main__":
    for make in (expressions, strings, dates, casts, joins, grouping, windows, queries): make()
