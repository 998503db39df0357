import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesSchema, isRepeatableQuery, leavesTransactionOpen, quoteName, statements, unitAt, units } from '../src/sql_text';

const texts = (sql: string) => statements(sql).map(({ from, to }) => sql.slice(from, to));

test('statements end at semicolons, but not in strings, names and comments', () => {
  assert.deepEqual(texts("SELECT 1; SELECT ';' ;\n"), ['SELECT 1', "SELECT ';'"]);
  assert.deepEqual(texts('SELECT "a;b", `c;d`; x'), ['SELECT "a;b", `c;d`', 'x']);
  assert.deepEqual(texts("SELECT 'it''s;'; y"), ["SELECT 'it''s;'", 'y']);
  assert.deepEqual(texts("SELECT E'it\\';'; y"), ["SELECT E'it\\';'", 'y']);
  assert.deepEqual(texts('SELECT $a$;$a$; SELECT $1; z'), ['SELECT $a$;$a$', 'SELECT $1', 'z']);
  assert.deepEqual(texts('SELECT 1 -- ;\n; /* ; /* ; */ ; */ SELECT 2'), ['SELECT 1 -- ;', '/* ; /* ; */ ; */ SELECT 2']);
  assert.deepEqual(texts('-- nothing\n;;  ;'), []);
  assert.deepEqual(texts("SELECT 'open; "), ["SELECT 'open;"]);
});

test('a transaction is one unit', () => {
  const sql = "SELECT 0; BEGIN RUN 'a;b'; INSERT INTO t VALUES (1); ROLLBACK TO s; COMMIT; SELECT 2";
  assert.deepEqual(units(sql).map(({ from, to }) => sql.slice(from, to)), ['SELECT 0', "BEGIN RUN 'a;b'; INSERT INTO t VALUES (1); ROLLBACK TO s; COMMIT", 'SELECT 2']);
  assert.equal(leavesTransactionOpen(sql), false);
  assert.equal(leavesTransactionOpen('BEGIN; SELECT 1'), true);
  assert.equal(leavesTransactionOpen('start transaction; rollback'), false);
});

test('the unit at a position is the one around it or before it', () => {
  const sql = '  SELECT 1;\n\nSELECT 2;\n';
  const at = (position: number) => {
    const unit = unitAt(sql, position);
    return unit && sql.slice(unit.from, unit.to);
  };
  assert.equal(at(0), 'SELECT 1');
  assert.equal(at(5), 'SELECT 1');
  assert.equal(at(11), 'SELECT 1');
  assert.equal(at(13), 'SELECT 2');
  assert.equal(at(sql.length), 'SELECT 2');
  assert.equal(unitAt(' -- no\n', 2), null);
});

test('only single queries that write nothing are asked again', () => {
  assert.equal(isRepeatableQuery('SELECT 1'), true);
  assert.equal(isRepeatableQuery('/* x */ (SELECT 1) UNION SELECT 2'), true);
  assert.equal(isRepeatableQuery("WITH a AS (SELECT 'delete') SELECT * FROM a"), true);
  assert.equal(isRepeatableQuery('WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a'), false);
  assert.equal(isRepeatableQuery('SELECT 1; SELECT 2'), false);
  assert.equal(isRepeatableQuery('INSERT INTO t SELECT 1 RETURNING *'), false);
  assert.equal(isRepeatableQuery('SHOW TABLES'), false);
});

test('what may change the schema is told from what only mentions it', () => {
  assert.equal(changesSchema('create table t (a int)'), true);
  assert.equal(changesSchema("SELECT 'drop'"), false);
});

test('names are quoted where they have to be', () => {
  assert.equal(quoteName('plain_1'), 'plain_1');
  assert.equal(quoteName('Mixed "x"'), '"Mixed ""x"""');
});
