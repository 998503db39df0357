// A result as a chart: which column is the time, which are drawn, and by which they are grouped.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { chartSeries, firstChoice, groupColumns, type ChartChoice } from './chart_series';
import { isNumberType, isTimeType, plural } from './format';
import { LineChart, type ChartStyle } from './line_chart';
import { Message } from './message';
import type { ResultPages } from './result_pages';
import type { Cell } from './server';

const MAX_ROWS = 50_000;

export function ResultChart({ result }: { result: ResultPages }) {
  const [rows, setRows] = useState<Cell[][] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [choice, setChoice] = useState<ChartChoice | null>(null);
  const [style, setStyle] = useState<ChartStyle>('line');
  const { columns } = result;

  useEffect(() => {
    const stopped = new AbortController();
    result.head(MAX_ROWS, stopped.signal).then(
      (found) => {
        setRows(found);
        setChoice(firstChoice(columns, found));
      },
      (failure) => stopped.signal.aborted || setError(failure),
    );
    return () => stopped.abort();
  }, [result]);
  const series = useMemo(() => rows && choice && chartSeries(columns, rows, choice), [rows, choice]);

  if (error) return <Message kind="bad" title={error.message} />;
  if (!rows) return <Message title="Fetching rows…" busy />;
  if (!choice || !series) {
    return <Message title="Nothing to draw" text="A chart needs a timestamp or date column and a numeric one." />;
  }
  const named = (wanted: (type: string) => boolean) => columns.flatMap((column, index) => (wanted(column.type) ? [{ name: column.name, index }] : []));
  const toggle = (index: number) => {
    const values = choice.values.includes(index) ? choice.values.filter((value) => value !== index) : [...choice.values, index].sort((a, b) => a - b);
    if (values.length > 0) setChoice({ ...choice, values });
  };
  const notes = [
    rows.length === MAX_ROWS && `the first ${plural(MAX_ROWS, 'row')} only`,
    series.leftOut > 0 && `${plural(series.leftOut, 'more line')} left out`,
    series.undrawn > 0 && `${plural(series.undrawn, 'value')} not finite`,
  ].filter(Boolean);
  const isEmpty = series.lines.every((line) => line.values.every((value) => value === null));
  return (
    <div class="chart">
      <div class="chart-choice">
        <label>
          Time
          <select value={choice.time} onChange={(event) => setChoice({ ...choice, time: Number(event.currentTarget.value) })}>
            {named(isTimeType).map(({ name, index }) => <option value={index}>{name}</option>)}
          </select>
        </label>
        <label>
          Group by
          <select
            value={choice.group ?? -1}
            onChange={(event) => setChoice({ ...choice, group: Number(event.currentTarget.value) < 0 ? null : Number(event.currentTarget.value) })}
          >
            <option value={-1}>nothing</option>
            {groupColumns(columns).map((index) => <option value={index}>{columns[index].name}</option>)}
          </select>
        </label>
        <label>
          As
          <select value={style} onChange={(event) => setStyle(event.currentTarget.value as ChartStyle)}>
            <option value="line">lines</option>
            <option value="points">points</option>
            <option value="bars">bars</option>
          </select>
        </label>
        <span class="chips">
          {named(isNumberType).map(({ name, index }) => (
            <button class={choice.values.includes(index) ? 'chip is-on' : 'chip'} aria-pressed={choice.values.includes(index)} onClick={() => toggle(index)}>
              {name}
            </button>
          ))}
        </span>
        <span class="note">{notes.join(', ')}</span>
      </div>
      {isEmpty ? <Message title="No values to draw" /> : <LineChart seconds={series.seconds} lines={series.lines} style={style} />}
    </div>
  );
}
