// How many rows come in, and what becomes of them.
import { relationLiteral, relationName, text, type Relation } from './schema';
import { server, StatementError, type Written } from './server';

export interface RecentWrite {
  table: string;
  version: number;
  at: string;
  operation: string;
  run: string;
  written: Written;
}

// Since the server started.
export interface IngestCounters {
  seconds: number; // when they were read, since 1970
  rows: Written;
  commits: number;
  logBytes: number;
}

const RECENT_TABLES = 20;
const RECENT_WRITES = 40;

// The text format of Prometheus: a line `name{label="value"} number` for each.
export function parseMetrics(metrics: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const end = line.lastIndexOf(' ');
    if (end > 0 && !line.startsWith('#')) values.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return values;
}

export async function readCounters(signal: AbortSignal): Promise<IngestCounters> {
  const metrics = await server.metrics(signal);
  if (metrics === null) throw new StatementError('there is nothing at /metrics', '', null, '', '');
  const values = parseMetrics(metrics);
  const rows = (outcome: keyof Written) => values.get(`idemdb_rows_total{outcome="${outcome}"}`) ?? 0;
  return {
    seconds: Date.now() / 1000,
    rows: { inserted: rows('inserted'), replaced: rows('replaced'), skipped: rows('skipped'), deleted: rows('deleted') },
    commits: values.get('idemdb_commits_total') ?? 0,
    logBytes: values.get('idemdb_written_bytes_total{file="log"}') ?? 0,
  };
}

// What happened in each second between two readings; a server that was started anew begins with nothing.
export function perSecond(now: IngestCounters, before: IngestCounters): IngestCounters {
  const seconds = Math.max(0.001, now.seconds - before.seconds);
  const rate = (later: number, earlier: number) => Math.max(0, later - earlier) / seconds;
  return {
    seconds: now.seconds,
    rows: {
      inserted: rate(now.rows.inserted, before.rows.inserted), replaced: rate(now.rows.replaced, before.rows.replaced),
      skipped: rate(now.rows.skipped, before.rows.skipped), deleted: rate(now.rows.deleted, before.rows.deleted),
    },
    commits: rate(now.commits, before.commits),
    logBytes: rate(now.logBytes, before.logBytes),
  };
}

// The last writes of those tables that were written most often, newest first.
export async function recentWrites(relations: Relation[], signal: AbortSignal): Promise<RecentWrite[]> {
  const tables = relations.filter((relation) => relation.kind === 'table').sort((a, b) => b.version - a.version).slice(0, RECENT_TABLES);
  if (tables.length === 0) return [];
  const queries = tables.map((relation, index) => `(SELECT ${index} AS place, version, committed_at, operation, run, inserted, replaced, skipped, deleted
    FROM table_history(${relationLiteral(relation)}) ORDER BY version DESC LIMIT ${RECENT_WRITES})`);
  const answer = await server.execute(`SELECT * FROM (${queries.join(' UNION ALL ')}) AS h ORDER BY committed_at DESC LIMIT ${RECENT_WRITES}`, { signal });
  return answer.rows.map((row) => ({
    table: relationName(tables[Number(row[0])]), version: Number(row[1]), at: text(row[2]), operation: text(row[3]), run: text(row[4]),
    written: { inserted: Number(row[5]), replaced: Number(row[6]), skipped: Number(row[7]), deleted: Number(row[8]) },
  }));
}
