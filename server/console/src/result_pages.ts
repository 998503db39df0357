// The rows of a result, fetched by the page as they are looked at. A query that changes nothing is asked again for each page; of other
// statements there is the first page only.
import { server, type Answer, type Cell, type Column } from './server';
import { isRepeatableQuery } from './sql_text';

export const PAGE_ROWS = 500;
const KEPT_PAGES = 100;
// Other statements give this many rows at most.
const SINGLE_PAGE_ROWS = 10_000;

export class ResultPages {
  readonly columns: Column[];
  rowCount: number; // as far as it is known
  isCounted: boolean;
  error: Error | null = null;
  private pages = new Map<number, Cell[][]>(); // in the order of their use
  private wanted = new Set<number>();
  private stopped = new AbortController();
  private listeners = new Set<() => void>();

  private constructor(readonly sql: string, readonly first: Answer, readonly repeatable: boolean) {
    this.columns = first.columns;
    this.rowCount = first.rows.length;
    this.isCounted = !repeatable || first.rows.length < PAGE_ROWS;
    if (repeatable) this.pages.set(0, first.rows);
  }

  static async run(sql: string, signal: AbortSignal): Promise<ResultPages> {
    const repeatable = isRepeatableQuery(sql);
    const answer = await server.execute(sql, { to: repeatable ? PAGE_ROWS : SINGLE_PAGE_ROWS, signal });
    const result = new ResultPages(sql, answer, repeatable);
    if (!result.isCounted) void result.count();
    return result;
  }

  // Requests end; what is there stays.
  stop(): void {
    this.stopped.abort();
  }

  onChange(change: () => void): () => void {
    this.listeners.add(change);
    return () => this.listeners.delete(change);
  }

  // Undefined: not here yet. It is fetched, and onChange() called when it came.
  row(index: number): Cell[] | undefined {
    if (!this.repeatable) return this.first.rows[index];
    const page = Math.floor(index / PAGE_ROWS);
    const rows = this.pages.get(page);
    if (!rows) {
      void this.fetch(page);
      return undefined;
    }
    this.pages.delete(page);
    this.pages.set(page, rows);
    return rows[index % PAGE_ROWS];
  }

  // The first rows, at most `limit`: for charts.
  async head(limit: number, signal: AbortSignal): Promise<Cell[][]> {
    if (!this.repeatable || (this.isCounted && this.rowCount <= PAGE_ROWS)) return this.first.rows.slice(0, limit);
    return (await server.execute(this.sql, { to: limit, signal })).rows;
  }

  private async fetch(page: number): Promise<void> {
    if (this.wanted.has(page) || this.error || this.stopped.signal.aborted) return;
    this.wanted.add(page);
    // Whoever scrolls past asks for many; only the last few are worth a request.
    await new Promise((resolve) => setTimeout(resolve, 60));
    const newest = [...this.wanted].slice(-3);
    if (!newest.includes(page)) {
      this.wanted.delete(page);
      return;
    }
    try {
      const from = page * PAGE_ROWS;
      const answer = await server.execute(this.sql, { from, to: from + PAGE_ROWS, signal: this.stopped.signal });
      this.pages.set(page, answer.rows);
      for (const oldest of this.pages.keys()) {
        if (this.pages.size <= KEPT_PAGES) break;
        this.pages.delete(oldest);
      }
      this.grow(from + answer.rows.length, answer.rows.length < PAGE_ROWS);
    } catch (error) {
      if (!this.stopped.signal.aborted) this.error = error as Error;
    }
    this.wanted.delete(page);
    this.changed();
  }

  // Until the rows are counted the result ends a page after the last one seen.
  private grow(end: number, isEnd: boolean): void {
    if (isEnd && end > 0) {
      this.rowCount = end;
      this.isCounted = true;
    } else if (!this.isCounted) {
      this.rowCount = Math.max(this.rowCount, end + PAGE_ROWS);
    }
  }

  private async count(): Promise<void> {
    this.rowCount += PAGE_ROWS;
    try {
      const answer = await server.execute(`SELECT count(*) FROM (\n${this.sql}\n) AS counted`, { signal: this.stopped.signal });
      this.rowCount = Number(answer.rows[0][0]);
      this.isCounted = true;
      this.changed();
    } catch {
      // The number is a convenience: scrolling finds the end, too.
    }
  }

  private changed(): void {
    for (const change of this.listeners) change();
  }
}
