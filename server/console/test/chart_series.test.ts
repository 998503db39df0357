import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartSeries, firstChoice, MAX_LINES, seconds } from '../src/chart_series';
import { timestamp } from '../src/format';

const columns = [{ name: 'ts', type: 'TIMESTAMP' }, { name: 'side', type: 'SYMBOL' }, { name: 'price', type: 'DOUBLE' }, { name: 'n', type: 'BIGINT' }];
const rows = [
  ['2024-01-15T10:00:01.000000Z', 'buy', 2, 1],
  ['2024-01-15T10:00:00.000000Z', 'sell', 1, 1],
  ['2024-01-15T10:00:01.000000Z', 'sell', null, 1],
];

test('the first time column, and a line for each value of a symbol column that has few', () => {
  assert.deepEqual(firstChoice(columns, rows), { time: 0, values: [2], group: 1 });
  assert.equal(firstChoice(columns.slice(1), rows.map((row) => row.slice(1))), null);
  assert.equal(firstChoice(columns.slice(0, 2), rows.map((row) => row.slice(0, 2))), null);
});

test('lines share one ascending axis', () => {
  const series = chartSeries(columns, rows, { time: 0, values: [2], group: 1 });
  const first = Date.parse('2024-01-15T10:00:00Z') / 1000;
  assert.deepEqual(series.seconds, [first, first + 1]);
  assert.deepEqual(series.lines, [{ name: 'buy', values: [null, 2] }, { name: 'sell', values: [1, null] }]);
});

test('groups beyond the most that are drawn are counted', () => {
  const many = Array.from({ length: MAX_LINES + 3 }, (_, index) => ['2024-01-15T10:00:00Z', `g${index}`, index, 0]);
  assert.equal(chartSeries(columns, many, { time: 0, values: [2], group: 1 }).leftOut, 3);
});

test('values that no axis reaches are left out and counted', () => {
  const values = [1, 'NaN', 'Infinity', '-Infinity', 1.5e308, null, '2.5'];
  const odd = values.map((value, index) => [`2024-01-15T10:00:0${index}Z`, 'buy', value, 0]);
  const series = chartSeries(columns, odd, { time: 0, values: [2], group: null });
  assert.deepEqual(series.lines[0].values, [1, null, null, null, null, null, 2.5]);
  assert.equal(series.undrawn, 4);
});

test('timestamps have microseconds and are UTC', () => {
  assert.equal(seconds('1970-01-01T00:00:01.000250Z'), 1.00025);
  assert.equal(seconds('1970-01-01 00:00:01'), 1);
  assert.equal(seconds('1970-01-02'), 86400);
  assert.equal(seconds('no time'), null);
  assert.equal(timestamp('2024-01-15T10:00:00.120000Z'), '2024-01-15 10:00:00.12');
  assert.equal(timestamp('2024-01-15T10:00:00.000000Z'), '2024-01-15 10:00:00');
});
