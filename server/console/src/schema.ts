// What the database holds, as the tree shows it and as the editor completes it.
import { server, type Cell } from './server';
import { quoteName, quoteText } from './sql_text';

export interface Relation {
  schema: string;
  name: string;
  kind: 'table' | 'view' | 'materialized view';
  rows: number;
  bytes: number;
  timestamp: string; // the designated one, '' without
  partitionBy: string;
  dedup: boolean;
  version: number;
  immutable: boolean;
  owner: string;
}

export interface TableColumn {
  name: string;
  type: string;
  nullable: boolean;
  defaultText: string;
  designated: boolean;
  key: boolean;
  keep: string;
}

export interface TablePartition {
  name: string;
  rows: number;
  bytes: number;
  from: string;
  to: string;
  frozen: boolean;
  slices: number;
  overlayRows: number;
}

export interface Schema {
  relations: Relation[];
  columns: Map<string, string[]>; // of relations by their text()
}

// Completion knows no more columns than these.
const MAX_COLUMNS = 20_000;
// pg_class numbers tables from here on.
const FIRST_USER_OID = 16384;

const HIDDEN = `('pg_catalog', 'information_schema', 'pg_toast')`;
const RELATIONS = `
SELECT n.nspname, c.relname, c.relkind, t.rows, t.disk_bytes, t.designatedTimestamp, t.partitionBy, t.dedup, t.version, t.immutable,
       pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN tables() t ON c.relkind = 'r' AND t.id = c.oid::int8 - ${FIRST_USER_OID}
WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ${HIDDEN} ORDER BY n.nspname, c.relname`;
const COLUMNS = `
SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema NOT IN ${HIDDEN}
ORDER BY table_schema, table_name, ordinal_position`;

export function text(value: Cell): string {
  return value === null ? '' : String(value);
}

// As a statement names it: without the schema where the search path has it.
export function relationName(relation: { schema: string; name: string }): string {
  return relation.schema === 'public' ? quoteName(relation.name) : `${quoteName(relation.schema)}.${quoteName(relation.name)}`;
}

// As a function takes it: a literal.
export function relationLiteral(relation: { schema: string; name: string }): string {
  return quoteText(`${quoteName(relation.schema)}.${quoteName(relation.name)}`);
}

export async function loadSchema(signal?: AbortSignal): Promise<Schema> {
  const [relations, columns] = await Promise.all([server.execute(RELATIONS, { signal }), server.execute(COLUMNS, { to: MAX_COLUMNS, signal })]);
  const schema: Schema = { relations: [], columns: new Map() };
  for (const row of relations.rows) {
    const kind = row[2] === 'v' ? 'view' : row[2] === 'm' ? 'materialized view' : 'table';
    schema.relations.push({
      schema: text(row[0]), name: text(row[1]), kind, rows: Number(row[3] ?? 0), bytes: Number(row[4] ?? 0), timestamp: text(row[5]),
      partitionBy: text(row[6]), dedup: row[7] === true, version: Number(row[8] ?? 0), immutable: row[9] === true, owner: text(row[10]),
    });
  }
  for (const row of columns.rows) {
    const name = relationName({ schema: text(row[0]), name: text(row[1]) });
    const known = schema.columns.get(name);
    if (known) known.push(text(row[2]));
    else schema.columns.set(name, [text(row[2])]);
  }
  return schema;
}

export async function loadColumns(relation: Relation): Promise<TableColumn[]> {
  if (relation.kind !== 'table') {
    const found = await server.execute(`SELECT column_name, data_type, is_nullable FROM information_schema.columns
      WHERE table_schema = ${quoteText(relation.schema)} AND table_name = ${quoteText(relation.name)} ORDER BY ordinal_position`);
    return found.rows.map((row) => ({
      name: text(row[0]), type: text(row[1]), nullable: row[2] === 'YES', defaultText: '', designated: false, key: false, keep: '',
    }));
  }
  const found = await server.execute(
    `SELECT "column", type, nullable, "default", designated, upsertKey, keep FROM table_columns(${relationLiteral(relation)})`);
  return found.rows.map((row) => ({
    name: text(row[0]), type: text(row[1]), nullable: row[2] === true, defaultText: text(row[3]), designated: row[4] === true,
    key: row[5] === true, keep: text(row[6]),
  }));
}

// Newest first.
export async function loadPartitions(relation: Relation, limit: number): Promise<TablePartition[]> {
  const found = await server.execute(
    `SELECT name, numRows, diskSize, minTimestamp, maxTimestamp, readOnly, slices, overlay_rows FROM table_partitions(${relationLiteral(relation)})
     ORDER BY index DESC`, { to: limit });
  return found.rows.map((row) => ({
    name: text(row[0]), rows: Number(row[1]), bytes: Number(row[2]), from: text(row[3]), to: text(row[4]), frozen: row[5] === true,
    slices: Number(row[6]), overlayRows: Number(row[7]),
  }));
}
