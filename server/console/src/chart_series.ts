// Columns of a result as the lines of a chart.
import { isNumberType, isTimeType } from './format';
import type { Cell, Column } from './server';

export interface ChartChoice {
  time: number; // index of a column
  values: number[];
  group: number | null; // a line for each of its values
}

export interface ChartSeries {
  seconds: number[]; // since 1970, ascending, none twice
  lines: { name: string; values: (number | null)[] }[];
  leftOut: number; // groups beyond the most that are drawn
  undrawn: number; // values that no axis reaches: NaN, Infinity
}

export const MAX_LINES = 12;
const MAX_MAGNITUDE = 1e300; // the distance between two values is a number, too
const MAX_GROUP_NAMES = 64;

// Null where the result has no time column, or nothing to draw.
export function firstChoice(columns: Column[], rows: Cell[][]): ChartChoice | null {
  const time = columns.findIndex((column) => isTimeType(column.type));
  const values = columns.flatMap((column, index) => (isNumberType(column.type) ? [index] : []));
  if (time < 0 || values.length === 0) return null;
  const group = groupColumns(columns).find((index) => {
    const names = new Set(rows.slice(0, 5000).map((row) => row[index]));
    return names.size > 1 && names.size <= MAX_GROUP_NAMES;
  });
  return { time, values: group === undefined ? values.slice(0, 4) : values.slice(0, 1), group: group ?? null };
}

export function groupColumns(columns: Column[]): number[] {
  return columns.flatMap((column, index) => (/^(symbol|varchar|text|character|boolean|uuid)/i.test(column.type) ? [index] : []));
}

export function seconds(value: Cell): number | null {
  if (typeof value !== 'string') return null;
  // Date keeps milliseconds; the digits after them are added.
  const found = /^(.*?\d\d:\d\d:\d\d\.\d{3})(\d+)(.*)$/.exec(value);
  const whole = found ? `${found[1]}${found[3]}` : value;
  const milliseconds = Date.parse(/Z$|[+-]\d\d(:?\d\d)?$/.test(whole) || !whole.includes(':') ? whole : `${whole.replace(' ', 'T')}Z`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000 + (found ? Number(`0.000${found[2]}`) : 0);
}

export function chartSeries(columns: Column[], rows: Cell[][], choice: ChartChoice): ChartSeries {
  const times = rows.map((row) => seconds(row[choice.time]));
  const axis = [...new Set(times.filter((time) => time !== null))].sort((a, b) => a - b);
  const place = new Map(axis.map((time, index) => [time, index]));
  const lines = new Map<string, (number | null)[]>();
  const leftOut = new Set<string>();
  let undrawn = 0;
  rows.forEach((row, index) => {
    const time = times[index];
    if (time === null) return;
    for (const column of choice.values) {
      const group = choice.group === null ? null : String(row[choice.group] ?? 'NULL');
      const name = group === null ? columns[column].name : choice.values.length > 1 ? `${group} ${columns[column].name}` : group;
      let line = lines.get(name);
      if (!line) {
        if (lines.size >= MAX_LINES) {
          leftOut.add(name);
          continue;
        }
        line = new Array<number | null>(axis.length).fill(null);
        lines.set(name, line);
      }
      if (row[column] === null) continue;
      const value = Number(row[column]);
      if (Math.abs(value) <= MAX_MAGNITUDE) line[place.get(time)!] = value;
      else ++undrawn;
    }
  });
  return { seconds: axis, lines: [...lines].map(([name, values]) => ({ name, values })), leftOut: leftOut.size, undrawn };
}
