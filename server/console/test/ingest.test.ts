import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics, perSecond } from '../src/ingest';

test('the text of /metrics gives a number for each name with its labels', () => {
  const values = parseMetrics('# HELP idemdb_rows_total Rows.\n# TYPE idemdb_rows_total counter\nidemdb_rows_total{outcome="inserted"} 12\nidemdb_commits_total 3\n');
  assert.deepEqual([...values], [['idemdb_rows_total{outcome="inserted"}', 12], ['idemdb_commits_total', 3]]);
});

test('rates never fall below nothing', () => {
  const none = { inserted: 0, replaced: 0, skipped: 0, deleted: 0 };
  const before = { seconds: 10, rows: { ...none, inserted: 100 }, commits: 4, logBytes: 0 };
  const now = { seconds: 12, rows: { ...none, inserted: 150, skipped: 8 }, commits: 0, logBytes: 0 };
  assert.deepEqual(perSecond(now, before), { seconds: 12, rows: { ...none, inserted: 25, skipped: 4 }, commits: 0, logBytes: 0 });
});
