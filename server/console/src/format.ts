import type { Cell } from './server';

const grouped = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return grouped.format(value);
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let unit = -1;
  do {
    value /= 1024;
    unit += 1;
  } while (value >= 1024 && unit < units.length - 1);
  return `${value.toFixed(1)} ${units[unit]}`;
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const TIMESTAMP = /^(-?\d{4,}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d(?::?\d\d)?)?$/;

// 2024-01-15T10:00:00.120000Z → 2024-01-15 10:00:00.12
export function timestamp(value: string): string {
  const found = TIMESTAMP.exec(value);
  if (!found) return value;
  const fraction = (found[3] ?? '').replace(/0+$/, '');
  const zone = found[4] && found[4] !== 'Z' ? found[4] : '';
  return `${found[1]} ${found[2]}${fraction ? `.${fraction}` : ''}${zone}`;
}

export function isTimeType(type: string): boolean {
  return /^(timestamp|timestamptz|date)\b/i.test(type);
}

export function isNumberType(type: string): boolean {
  return /^(smallint|int2|short|integer|int|int4|bigint|int8|long|real|float4|float|double|double precision|float8|numeric|decimal)\b/i.test(type);
}

export function cellText(value: Cell, type: string): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return isTimeType(type) ? timestamp(value) : value;
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}
