// What is written while one looks on.
import { useRef, useState } from 'preact/hooks';
import { DataTable } from './data_table';
import { bytes, count, timestamp } from './format';
import { perSecond, readCounters, recentWrites, type IngestCounters, type RecentWrite } from './ingest';
import { LineChart } from './line_chart';
import { Message } from './message';
import { usePolled } from './polling';
import type { Relation } from './schema';
import type { Written } from './server';
import { Tile } from './tile';

const EVERY_MILLISECONDS = 2000;
const KEPT_RATES = 300;
const LINES: [keyof Written, string][] = [
  ['inserted', '--chart-1'],
  ['replaced', '--chart-2'],
  ['skipped', '--chart-3'],
  ['deleted', '--chart-4'],
];

interface Properties {
  relations: Relation[];
  onOpen(table: string): void;
}

export function IngestPage({ relations, onOpen }: Properties) {
  const before = useRef<IngestCounters | null>(null);
  const [rates, setRates] = useState<IngestCounters[]>([]);
  const writes = usePolled(
    async (signal): Promise<RecentWrite[]> => {
      const [counters, recent] = await Promise.all([readCounters(signal), recentWrites(relations, signal)]);
      const earlier = before.current;
      before.current = counters;
      if (earlier) setRates((known) => [...known, perSecond(counters, earlier)].slice(-KEPT_RATES));
      return recent;
    },
    'ingest',
    EVERY_MILLISECONDS,
  );
  if (!writes.value) return writes.error ? <Message kind="bad" title={writes.error.message} /> : <Message busy title="Asking the server…" />;
  const last = rates.at(-1);
  return (
    <section class="page" aria-label="Ingest">
      <header class="page-head">
        <h1>Ingest</h1>
        <p class="facts">
          <span>every {EVERY_MILLISECONDS / 1000} s; rows that are there already are skipped</span>
          {writes.error && <span class="is-bad">{writes.error.message}</span>}
        </p>
      </header>
      <div class="page-body">
        <div class="tiles">
          {LINES.map(([outcome]) => (
            <Tile title={outcome} value={last ? count(Math.round(last.rows[outcome])) : '–'} note="rows a second" />
          ))}
          <Tile title="commits" value={last ? count(Math.round(last.commits)) : '–'} note="a second" />
          <Tile title="log" value={last ? bytes(Math.round(last.logBytes)) : '–'} note="a second" />
        </div>
        <div class="live-chart">
          <LineChart
            seconds={rates.map((rate) => rate.seconds)}
            lines={LINES.map(([name, color]) => ({ name, color, values: rates.map((rate) => rate.rows[name]) }))}
          />
        </div>
        <h2>Last writes</h2>
        {writes.value.length === 0 ? (
          <Message title="Nothing has been written yet" />
        ) : (
          <DataTable
            rows={writes.value}
            rowKey={(write) => `${write.table} ${write.version}`}
            fields={[
              { title: 'Committed (UTC)', cell: (write) => timestamp(write.at) },
              { title: 'Table', cell: (write) => <a href={`#/table/${encodeURIComponent(write.table)}/history`} onClick={() => onOpen(write.table)}>{write.table}</a> },
              { title: 'Version', number: true, cell: (write) => count(write.version) },
              { title: 'Operation', cell: (write) => write.operation },
              { title: 'Inserted', number: true, cell: (write) => count(write.written.inserted) },
              { title: 'Replaced', number: true, cell: (write) => count(write.written.replaced) },
              { title: 'Skipped', number: true, cell: (write) => count(write.written.skipped) },
              { title: '', cell: (write) => <Shares written={write.written} /> },
              { title: 'Run', cell: (write) => write.run },
            ]}
          />
        )}
      </div>
    </section>
  );
}

// One bar: what became of the rows of a write.
function Shares({ written }: { written: Written }) {
  const all = LINES.reduce((sum, [outcome]) => sum + written[outcome], 0);
  return (
    <span class="shares">
      {all > 0 && LINES.map(([outcome, color]) => <i style={{ width: `${(written[outcome] / all) * 100}%`, background: `var(${color})` }} title={outcome} />)}
    </span>
  );
}
