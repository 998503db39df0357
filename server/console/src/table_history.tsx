import { useState } from 'preact/hooks';
import { DataTable, type TableField } from './data_table';
import { count, plural, timestamp } from './format';
import { Icon } from './icons';
import { Message } from './message';
import { usePolled } from './polling';
import { RestoreDialog } from './restore_dialog';
import { relationLiteral, relationName, text, type Relation } from './schema';
import { server } from './server';

interface Version {
  first: number; // of several inserts that share a line
  version: number;
  at: string;
  user: string;
  operation: string;
  run: string;
  inserted: number;
  replaced: number;
  skipped: number;
  deleted: number;
  partitions: number;
  tags: string[];
}

const PAGE = 200;

async function loadVersions(relation: Relation, limit: number, signal: AbortSignal): Promise<Version[]> {
  const literal = relationLiteral(relation);
  const [versions, tags] = await Promise.all([
    server.execute(
      `SELECT h.version, h.first_version, h.committed_at, h."user", h.operation, h.run, h.inserted, h.replaced, h.skipped, h.deleted, h.partitions
       FROM table_history(${literal}) AS h ORDER BY h.version DESC`, { to: limit, signal }),
    server.execute(`SELECT tag, version FROM table_tags(${literal})`, { signal }),
  ]);
  return versions.rows.map((row) => ({
    version: Number(row[0]), first: Number(row[1]), at: text(row[2]), user: text(row[3]), operation: text(row[4]), run: text(row[5]),
    inserted: Number(row[6]), replaced: Number(row[7]), skipped: Number(row[8]), deleted: Number(row[9]), partitions: Number(row[10]),
    tags: tags.rows.filter((tag) => Number(tag[1]) === Number(row[0])).map((tag) => text(tag[0])),
  }));
}

interface Properties {
  relation: Relation;
  onQuery(sql: string): void;
  onChanged(): void;
}

export function TableHistory({ relation, onQuery, onChanged }: Properties) {
  const [limit, setLimit] = useState(PAGE);
  const [restoring, setRestoring] = useState<number | null>(null);
  const versions = usePolled((signal) => loadVersions(relation, limit, signal), `${relationName(relation)} ${relation.version} ${limit}`);
  if (versions.error) return <Message kind="bad" title={versions.error.message} />;
  if (!versions.value) return <Message busy title="Reading the history…" />;
  const newest = versions.value[0]?.version;
  // A column in which something stands.
  const optional = (has: (line: Version) => boolean, field: TableField<Version>) => (versions.value!.some(has) ? [field] : []);
  const effect = (sign: string, value: number) => (value > 0 ? `${sign}${count(value)}` : '');
  return (
    <>
      <DataTable
        rows={versions.value}
        rowKey={(line) => line.version}
        fields={[
          { title: 'Version', number: true, cell: (line) => (line.first < line.version ? `${count(line.first)} – ${count(line.version)}` : count(line.version)) },
          { title: 'Committed (UTC)', cell: (line) => <span title={timestamp(line.at)}>{timestamp(line.at).slice(0, 19)}</span> },
          {
            title: 'Operation',
            cell: (line) => (
              <>
                {line.operation} {line.version === newest && <span class="badge is-good">now</span>} {line.tags.map((tag) => <span class="badge is-tag">{tag}</span>)}
              </>
            ),
          },
          { title: 'User', cell: (line) => line.user },
          ...optional((line) => line.run !== '', { title: 'Run', cell: (line) => line.run }),
          ...optional((line) => line.inserted > 0, { title: 'Inserted', number: true, cell: (line) => <span class="is-good">{effect('+', line.inserted)}</span> }),
          ...optional((line) => line.replaced > 0, { title: 'Replaced', number: true, cell: (line) => effect('', line.replaced) }),
          ...optional((line) => line.skipped > 0, { title: 'Skipped', number: true, cell: (line) => <span class="is-faint">{effect('', line.skipped)}</span> }),
          ...optional((line) => line.deleted > 0, { title: 'Deleted', number: true, cell: (line) => <span class="is-bad">{effect('−', line.deleted)}</span> }),
          { title: 'Partitions', number: true, cell: (line) => line.partitions || '' },
          {
            title: '',
            pinned: true,
            cell: (line) => (
              <span class="row-actions">
                <button onClick={() => onQuery(`SELECT * FROM ${relationName(relation)} VERSION AS OF ${line.version};`)} title="Read this version">
                  Read
                </button>
                {line.version !== newest && !relation.immutable && (
                  <button onClick={() => setRestoring(line.version)}>
                    <Icon name="restore" /> Restore
                  </button>
                )}
              </span>
            ),
          },
        ]}
      />
      {versions.value.length === limit && <button onClick={() => setLimit(limit + PAGE)}>Show {plural(PAGE, 'older version')}</button>}
      {restoring !== null && (
        <RestoreDialog
          relation={relation}
          version={restoring}
          onClose={() => setRestoring(null)}
          onRestored={() => {
            setRestoring(null);
            versions.again();
            onChanged();
          }}
        />
      )}
    </>
  );
}
