import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { bytes, count, plural } from './format';
import { Icon, type IconName } from './icons';
import { Message } from './message';
import { usePolled, type Polled } from './polling';
import { loadColumns, loadPartitions, relationName, type Relation, type Schema } from './schema';

const SHOWN_RELATIONS = 300;
const SHOWN_PARTITIONS = 60;

interface Properties {
  schema: Polled<Schema>;
  selected: string; // relationName()
  onOpen(relation: Relation): void;
  onInsert(text: string): void;
}

export function SchemaTree({ schema, selected, onOpen, onInsert }: Properties) {
  const [filter, setFilter] = useState('');
  const all = schema.value?.relations ?? [];
  const wanted = all.filter((relation) => relationName(relation).toLowerCase().includes(filter.toLowerCase()));
  return (
    <nav class="tree" aria-label="Tables and views">
      <div class="tree-head">
        <input type="search" placeholder="Filter tables and views" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} aria-label="Filter tables and views" />
        <button class="plain" onClick={schema.again} title="Read the schema again" aria-label="Read the schema again">
          <Icon name="refresh" />
        </button>
      </div>
      <div class="tree-body" role="tree">
        {schema.error && <Message kind="bad" title={schema.error.message} />}
        {schema.value && all.length === 0 && (
          <Message title="No tables yet" text="Create one, or load a file with idem import.">
            <button onClick={() => onInsert(EXAMPLE)}>Show me an example</button>
          </Message>
        )}
        {all.length > 0 && wanted.length === 0 && <Message title="No name contains that" />}
        {wanted.slice(0, SHOWN_RELATIONS).map((relation) => (
          <RelationNode key={relationName(relation)} relation={relation} selected={selected === relationName(relation)} onOpen={onOpen} onInsert={onInsert} />
        ))}
        {wanted.length > SHOWN_RELATIONS && <p class="note">{plural(wanted.length - SHOWN_RELATIONS, 'more name')}: filter to see them</p>}
      </div>
    </nav>
  );
}

const EXAMPLE = `CREATE TABLE prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE)
  TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, ticker);
INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 185.50), ('2024-01-15T10:01:00', 'AAPL', 186.10);
SELECT * FROM prices;`;

interface NodeProperties {
  label: ComponentChildren;
  icon: IconName;
  detail?: string;
  tip?: string;
  selected?: boolean;
  onActivate?(): void;
  onDouble?(): void;
  children?(): ComponentChildren; // none: a leaf
}

// Right opens, left closes, Enter activates.
function Node({ label, icon, detail, tip, selected, onActivate, onDouble, children }: NodeProperties) {
  const [open, setOpen] = useState(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowRight' && children) setOpen(true);
    else if (event.key === 'ArrowLeft' && children) setOpen(false);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const rows = [...document.querySelectorAll<HTMLElement>('.tree .node-row')];
      rows[rows.indexOf(event.currentTarget as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') (onActivate ?? onDouble)?.();
    else return;
    event.preventDefault();
  };
  return (
    <div class="node" role="treeitem" aria-expanded={children ? open : undefined}>
      <div class={selected ? 'node-row is-selected' : 'node-row'} tabIndex={0} title={tip} onKeyDown={onKeyDown} onClick={onActivate ?? (children && (() => setOpen(!open)))} onDblClick={onDouble}>
        <span
          class={children ? (open ? 'twisty is-open' : 'twisty') : 'twisty is-leaf'}
          onClick={(event) => {
            event.stopPropagation();
            setOpen(!open);
          }}
        >
          {children && <Icon name="chevron" />}
        </span>
        <Icon name={icon} />
        <span class="node-label">{label}</span>
        {detail && <span class="node-detail">{detail}</span>}
      </div>
      {open && children && (
        <div class="node-children" role="group">
          {children()}
        </div>
      )}
    </div>
  );
}

function RelationNode({ relation, selected, onOpen, onInsert }: { relation: Relation; selected: boolean; onOpen(r: Relation): void; onInsert(text: string): void }) {
  const table = relation.kind === 'table';
  return (
    <Node
      label={relationName(relation)}
      icon={relation.immutable ? 'lock' : table ? 'table' : 'view'}
      detail={table ? count(relation.rows) : relation.kind}
      tip={table ? `${plural(relation.rows, 'row')}, ${bytes(relation.bytes)} in files, version ${relation.version}` : relation.kind}
      selected={selected}
      onActivate={() => onOpen(relation)}
      onDouble={() => onInsert(`SELECT * FROM ${relationName(relation)};`)}
    >
      {() => (
        <>
          <Columns relation={relation} onInsert={onInsert} />
          {table && relation.partitionBy !== 'NONE' && (
            <Node label="partitions" icon="clock" detail={relation.partitionBy.toLowerCase()}>
              {() => <Partitions relation={relation} />}
            </Node>
          )}
        </>
      )}
    </Node>
  );
}

function Columns({ relation, onInsert }: { relation: Relation; onInsert(text: string): void }) {
  const columns = usePolled(() => loadColumns(relation), `${relationName(relation)} ${relation.version}`);
  if (columns.error) return <p class="note is-bad">{columns.error.message}</p>;
  return (
    <>
      {(columns.value ?? []).map((column) => (
        <Node
          key={column.name}
          label={column.name}
          icon={column.designated ? 'clock' : column.key ? 'key' : 'column'}
          detail={column.type.toLowerCase()}
          tip={[column.designated && 'designated timestamp', column.key && 'upsert key', !column.nullable && 'never null'].filter(Boolean).join(', ')}
          onDouble={() => onInsert(column.name)}
        />
      ))}
    </>
  );
}

function Partitions({ relation }: { relation: Relation }) {
  const partitions = usePolled(() => loadPartitions(relation, SHOWN_PARTITIONS), `${relationName(relation)} ${relation.version}`);
  if (partitions.error) return <p class="note is-bad">{partitions.error.message}</p>;
  if (partitions.value?.length === 0) return <p class="note">no rows yet</p>;
  return (
    <>
      {(partitions.value ?? []).map((partition) => (
        <Node
          key={partition.name}
          label={partition.name}
          icon={partition.frozen ? 'lock' : 'partition'}
          detail={partition.bytes > 0 ? bytes(partition.bytes) : 'in memory'}
          tip={plural(partition.rows, 'row')}
        />
      ))}
      {partitions.value?.length === SHOWN_PARTITIONS && <p class="note">the newest {SHOWN_PARTITIONS}; the table's page has more</p>}
    </>
  );
}
