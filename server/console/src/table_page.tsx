// A table or view: its columns, partitions, history, runs, definition.
import { useState } from 'preact/hooks';
import { DataTable } from './data_table';
import { bytes, count, plural, timestamp } from './format';
import { Icon, type IconName } from './icons';
import { Message } from './message';
import { usePolled } from './polling';
import { loadColumns, loadPartitions, relationName, text, type Relation } from './schema';
import { server, type Cell } from './server';
import { quoteText } from './sql_text';
import { TableHistory } from './table_history';

type Tab = 'columns' | 'partitions' | 'history' | 'runs' | 'definition';
const TABLE_TABS: [Tab, string, IconName][] = [
  ['columns', 'Columns', 'table'],
  ['partitions', 'Partitions', 'clock'],
  ['history', 'History', 'history'],
  ['runs', 'Runs', 'play'],
  ['definition', 'Definition', 'editor'],
];
const VIEW_TABS = TABLE_TABS.filter(([tab]) => tab === 'columns' || tab === 'definition');

interface Properties {
  relation: Relation;
  tab: string;
  onTab(tab: string): void;
  onQuery(sql: string): void;
  onChanged(): void;
}

export function TablePage({ relation, tab, onTab, onQuery, onChanged }: Properties) {
  const tabs = relation.kind === 'table' ? TABLE_TABS : VIEW_TABS;
  const shown = tabs.some(([known]) => known === tab) ? (tab as Tab) : 'columns';
  const name = relationName(relation);
  return (
    <section class="page" aria-label={name}>
      <header class="page-head">
        <h1>{name}</h1>
        <button class="primary" onClick={() => onQuery(`SELECT * FROM ${name};`)}>
          <Icon name="play" /> Query
        </button>
        <p class="facts">
          {relation.kind === 'table' ? (
            <>
              <span>{plural(relation.rows, 'row')}</span>
              <span>{bytes(relation.bytes)} in files</span>
              <span>version {count(relation.version)}</span>
              {relation.timestamp && <span>ordered by {relation.timestamp}</span>}
              <span>{relation.partitionBy === 'NONE' ? 'not partitioned' : `a partition for each ${relation.partitionBy.toLowerCase()}`}</span>
              {relation.dedup && <span class="badge is-good">upsert keys</span>}
              {relation.immutable && <span class="badge is-bad">immutable</span>}
            </>
          ) : (
            <span>{relation.kind}</span>
          )}
          <span>owner {relation.owner}</span>
        </p>
        <div class="tabs" role="tablist">
          {tabs.map(([key, label, icon]) => (
            <button role="tab" aria-selected={key === shown} class={key === shown ? 'is-on' : ''} onClick={() => onTab(key)}>
              <Icon name={icon} /> {label}
            </button>
          ))}
        </div>
      </header>
      <div class="page-body">
        {shown === 'columns' && <ColumnsTab relation={relation} />}
        {shown === 'partitions' && <PartitionsTab relation={relation} />}
        {shown === 'history' && <TableHistory relation={relation} onQuery={onQuery} onChanged={onChanged} />}
        {shown === 'runs' && <RunsTab relation={relation} />}
        {shown === 'definition' && <DefinitionTab relation={relation} />}
      </div>
    </section>
  );
}

function keyOf(relation: Relation): string {
  return `${relationName(relation)} ${relation.version}`;
}

function ColumnsTab({ relation }: { relation: Relation }) {
  const columns = usePolled(() => loadColumns(relation), keyOf(relation));
  if (columns.error) return <Message kind="bad" title={columns.error.message} />;
  if (!columns.value) return <Message busy title="Reading the columns…" />;
  return (
    <DataTable
      rows={columns.value}
      rowKey={(column) => column.name}
      fields={[
        { title: 'Column', cell: (column) => <b>{column.name}</b> },
        { title: 'Type', cell: (column) => <code>{column.type}</code> },
        {
          title: '',
          cell: (column) => (
            <>
              {column.designated && <span class="badge is-tag">designated timestamp</span>} {column.key && <span class="badge is-good">upsert key</span>}{' '}
              {!column.nullable && !column.designated && <span class="badge">not null</span>}
            </>
          ),
        },
        { title: 'Keeps', cell: (column) => (column.keep && column.keep !== 'LAST' ? column.keep.toLowerCase() : '') },
        { title: 'Default', cell: (column) => column.defaultText && <code>{column.defaultText}</code> },
      ]}
    />
  );
}

const PARTITIONS = 500;

function PartitionsTab({ relation }: { relation: Relation }) {
  const [limit, setLimit] = useState(PARTITIONS);
  const partitions = usePolled(() => loadPartitions(relation, limit), `${keyOf(relation)} ${limit}`);
  if (partitions.error) return <Message kind="bad" title={partitions.error.message} />;
  if (!partitions.value) return <Message busy title="Reading the partitions…" />;
  if (partitions.value.length === 0) return <Message title="The table is empty" text="Its first rows make its first partition." />;
  const most = Math.max(1, ...partitions.value.map((partition) => partition.rows));
  return (
    <>
      <DataTable
        rows={partitions.value}
        rowKey={(partition) => partition.name}
        fields={[
          { title: 'Partition', cell: (partition) => <b>{partition.name || 'all'}</b> },
          { title: 'Rows', number: true, cell: (partition) => count(partition.rows) },
          { title: '', cell: (partition) => <meter class="share" min={0} max={most} value={partition.rows} /> },
          { title: 'In files', number: true, cell: (partition) => (partition.bytes > 0 ? bytes(partition.bytes) : 'in memory') },
          { title: 'From', cell: (partition) => timestamp(partition.from) },
          { title: 'To', cell: (partition) => timestamp(partition.to) },
          { title: 'Slices', number: true, cell: (partition) => partition.slices },
          { title: 'Overlay rows', number: true, cell: (partition) => partition.overlayRows || '' },
          { title: '', cell: (partition) => partition.frozen && <span class="badge is-bad">frozen</span> },
        ]}
      />
      {partitions.value.length === limit && <button onClick={() => setLimit(limit * 4)}>Show more</button>}
    </>
  );
}

function RunsTab({ relation }: { relation: Relation }) {
  const name = `${relation.schema}.${relation.name}`;
  const runs = usePolled(
    (signal) =>
      server.execute(
        `SELECT r.key, r."user", r.first_committed_at, r.last_committed_at, r.writes, r.tables, r.versions_before, r.versions_after FROM runs() AS r
         WHERE ${quoteText(name)} = ANY(r.tables) ORDER BY r.last_commit DESC`, { to: 500, signal }),
    keyOf(relation),
  );
  if (runs.error) return <Message kind="bad" title={runs.error.message} />;
  if (!runs.value) return <Message busy title="Reading the runs…" />;
  if (runs.value.rows.length === 0) {
    return <Message title="No run has written this table" text="BEGIN RUN 'key'; … COMMIT; makes a transaction that can be sent again." />;
  }
  const place = (row: Cell[]) => (Array.isArray(row[5]) ? row[5].indexOf(name) : -1);
  const version = (row: Cell[], column: number) => text((row[column] as Cell[])?.[place(row)] ?? null) || '–';
  return (
    <DataTable
      rows={runs.value.rows}
      rowKey={(row) => text(row[0])}
      fields={[
        { title: 'Key', cell: (row) => <b>{text(row[0])}</b> },
        { title: 'Committed (UTC)', cell: (row) => timestamp(text(row[3])) },
        { title: 'Version before', number: true, cell: (row) => version(row, 6) },
        { title: 'after', number: true, cell: (row) => version(row, 7) },
        { title: 'Writes', number: true, cell: (row) => text(row[4]) },
        { title: 'Tables', number: true, cell: (row) => (Array.isArray(row[5]) ? row[5].length : '') },
        { title: 'User', cell: (row) => text(row[1]) },
      ]}
    />
  );
}

function DefinitionTab({ relation }: { relation: Relation }) {
  const kind = relation.kind === 'table' ? 'TABLE' : 'VIEW';
  const definition = usePolled(() => server.value(`SHOW CREATE ${kind} ${relationName(relation)}`), keyOf(relation));
  if (definition.error) return <Message kind="bad" title={definition.error.message} />;
  return <pre class="definition">{text(definition.value)}</pre>;
}
