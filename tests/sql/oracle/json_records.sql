-- Rows from JSON: json_to_record(set), json_populate_record(set).
CREATE TABLE base (id bigint, name text, price numeric(10, 2), tags text[], extra jsonb, at timestamp, short varchar(3));
INSERT INTO base VALUES (1, 'one', 1.5, '{a,b}', '{"x": 1}', '2024-01-15 10:00:00', 'abc');

SELECT * FROM json_populate_record(NULL::base, '{"id": 7, "name": "seven", "price": 2.345, "tags": ["x", null], "extra": [1], "at": "2024-02-01", "more": 1}');
SELECT * FROM jsonb_populate_record(NULL::base, '{"id": "8", "name": null, "price": "3"}') AS r;
SELECT * FROM json_populate_record(NULL::base, NULL);
SELECT * FROM json_populate_record(CAST(NULL AS base), '{}') AS q(a, b);
SELECT id, name FROM jsonb_populate_recordset(NULL::base, '[{"id": 1, "name": "a"}, {}, {"name": 5}]');
SELECT count(*) FROM json_populate_recordset(NULL::base, NULL);
SELECT count(*) FROM json_populate_recordset(NULL::base, '[]');
INSERT INTO base SELECT * FROM json_populate_recordset(NULL::base, '[{"id": 2, "name": "two", "at": "2024-01-16 00:00:00"}, {"id": 3, "tags": ["t"]}]');
SELECT * FROM base ORDER BY id;

-- What a base row has and the object has not.
SELECT r.* FROM base b, jsonb_populate_record(b, '{"name": "new", "price": null}') AS r ORDER BY r.id;
SELECT r.* FROM base b, json_populate_recordset(b, '[{"id": 10}, {"id": 11, "extra": {"y": 2}}]') AS r WHERE b.id = 1 ORDER BY r.id;
SELECT r.* FROM base b, LATERAL jsonb_populate_record(b, NULL) AS r ORDER BY r.id;
UPDATE base SET name = (jsonb_populate_record(base, '{"name": "updated"}')).name WHERE id = 2;
SELECT id, name FROM base ORDER BY id;

-- As a value.
SELECT json_populate_record(NULL::base, '{"id": 7, "name": "a,b"}');
SELECT (jsonb_populate_record(NULL::base, '{"id": 7, "price": 1}')).price;
SELECT (jsonb_populate_record(NULL::base, extra)).* FROM base WHERE id = 1;
SELECT jsonb_populate_record(NULL::base, NULL) IS NULL;
SELECT json_populate_record(row(1, 2), '{"f1": 0}');

-- With a list of columns.
SELECT * FROM json_populate_record(NULL::record, '{"a": 1, "b": [1, 2]}') AS x(a int, b int[]);
SELECT * FROM jsonb_populate_recordset(NULL::record, '[{"a": 1}, {"b": "x"}]') AS x(a int, b text);
SELECT * FROM jsonb_to_recordset('[{"a": 1}, {"b": "x"}]') AS x(a int, b text);

-- What is wrong.
\set VERBOSITY sqlstate
SELECT * FROM json_populate_record(NULL::base, '{"id": "x"}');
SELECT * FROM json_populate_record(NULL::base, '{"short": "abcd"}');
SELECT * FROM json_populate_record(NULL::base, '[1]');
SELECT * FROM json_populate_recordset(NULL::base, '[1]');
SELECT * FROM json_populate_record(NULL::nothing, '{}');
SELECT * FROM json_populate_record(1, '{}');
SELECT * FROM json_populate_record(NULL::base, '{}') AS x(a int);
SELECT json_populate_record(NULL::record, '{}');
SELECT * FROM json_to_record('{}');
DROP TABLE base;
