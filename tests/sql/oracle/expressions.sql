-- Arithmetic keeps PostgreSQL's types: integer division truncates, numeric keeps its scale.
SELECT 7 / 2, -7 / 2, 7 % 3, -7 % 3, 7.0 / 2, 2 ^ 10, 1e3 + 1, 5 - 8;
SELECT 0.1 + 0.2, 0.1::double precision + 0.2::double precision, 10::numeric / 3, 1.50 * 2, round(2.5), round(2.5::double precision), round(-2.567, 2);
SELECT abs(-5), sign(-3.2), ceil(1.2), floor(-1.2), trunc(1.999, 2), mod(17, 5), power(2, 0.5), sqrt(2), exp(0), ln(1), log(100);
SELECT greatest(1, 3, 2), least(1, NULL, 2), coalesce(NULL, NULL, 3), nullif(1, 1), nullif(1, 2);

-- NULL is neither true nor false.
SELECT NULL AND false, NULL AND true, NULL OR true, NOT NULL, NULL = NULL, NULL IS NULL, 1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL;
SELECT 1 IN (1, NULL), 2 IN (1, NULL), 2 NOT IN (1, NULL), 2 NOT IN (1, 3), true IS NOT TRUE, NULL IS UNKNOWN;
SELECT 5 BETWEEN 1 AND 10, 5 NOT BETWEEN 1 AND 10, 5 BETWEEN 10 AND 1, 5 BETWEEN SYMMETRIC 10 AND 1;

-- CASE in both forms.
SELECT x, CASE WHEN x < 2 THEN 'low' WHEN x < 4 THEN 'mid' ELSE 'high' END, CASE x WHEN 1 THEN 'one' WHEN 2 THEN 'two' END FROM generate_series(1, 5) AS g(x);

-- Casts, explicit and by literal.
SELECT '42'::integer, 42::text, '1.5'::double precision, 1.5::integer, 2.5::integer, -1.5::integer, 'yes'::boolean, 'off'::boolean, 1::boolean;
SELECT CAST('2024-01-15' AS date), '2024-01-15 10:00'::timestamp, '10:30'::time, '1 day 2 hours'::interval, '12.345'::numeric(5, 2);
SELECT 'abcdef'::varchar(3), 'abc'::bytea, '\x414243'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid;

-- Text.
SELECT 'a' || 'b' || 1, upper('straße'), lower('ÄÖ'), length('naïve'), octet_length('naïve'), reverse('abc'), repeat('ab', 3), initcap('hello wORLD');
SELECT substring('abcdef' FROM 2 FOR 3), substr('abcdef', 4), left('abcdef', 2), right('abcdef', 2), left('abcdef', -2), position('cd' IN 'abcdef'), strpos('abc', 'z');
SELECT trim('  x '), ltrim('xxa', 'x'), rtrim('axx', 'x'), btrim('xyaxy', 'xy'), trim(both 'x' from 'xax'), lpad('7', 3, '0'), rpad('7', 3, '.');
SELECT replace('banana', 'an', 'AN'), translate('abc', 'ac', 'xz'), split_part('a,b,c', ',', 2), concat('a', NULL, 1), concat_ws('-', 'a', NULL, 'b'), chr(65), ascii('A');
SELECT 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'a%c' LIKE 'a\%c', 'ABC' ILIKE 'a%', 'abc' ~ '^a.c$', 'abc' !~ 'x', 'ABC' ~* 'b', 'abc' NOT LIKE '%z%';
SELECT regexp_replace('a1b22', '[0-9]+', '#', 'g'), md5('idem'), starts_with('idemdb', 'idem'), quote_literal('it''s'), format('%s is %s', 'a', 1);

-- Comparison of text is by bytes.
SELECT 'a' < 'b', 'Z' < 'a', 'abc' < 'abd', 'ab' < 'abc', 'ä' > 'z';

-- Bits.
SELECT 6 & 3, 6 | 3, 6 # 3, ~5, 1 << 4, 256 >> 2;

-- Rows and quantifiers.
SELECT (1, 2) = (1, 2), (1, 2) < (1, 3), 3 = ANY(ARRAY[1, 2, 3]), 3 > ALL(ARRAY[1, 2]), 5 = ANY('{1,2}'::int[]);

-- Arrays.
SELECT ARRAY[1, 2, 3], (ARRAY[1, 2, 3])[2], array_length(ARRAY[1, 2], 1), ARRAY['a', NULL, 'c d'], '{1,NULL,3}'::bigint[];

-- JSON.
SELECT '{"a": {"b": [1, 2]}}'::jsonb -> 'a', '{"a": 1}'::jsonb ->> 'a', '[1, 2]'::jsonb -> 1, '{"b": 1,  "a": 2}'::json;

-- The parts of a name.
SELECT parse_ident('a.B."C ""d"" e"'), parse_ident(' "SomeSchema" . someTable '), parse_ident('foo.boo[]', false), parse_ident('ünï._x$1');
SELECT parse_ident('foo.boo[]');
SELECT parse_ident('a..b');
SELECT parse_ident('"a');
SELECT parse_ident('""');
SELECT parse_ident('1a');
SELECT parse_ident('a.');
SELECT parse_ident('');
