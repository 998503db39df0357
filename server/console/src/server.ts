// The server behind this page: statements over /exec, whoever is signed in, whether it can be reached.

export interface Column {
  name: string;
  type: string; // as the dialect spells it: TIMESTAMP, SYMBOL, DOUBLE, …
}

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

// What a write changed; rows that were there already are skipped.
export interface Written {
  inserted: number;
  replaced: number;
  skipped: number;
  deleted: number;
}

export interface Notice {
  severity: string;
  message: string;
}

// docs/http.md has the document that it is made of.
export interface Answer {
  columns: Column[]; // none: the statement gives no rows
  rows: Cell[][];
  tag: string; // of a statement without rows: "INSERT 0 2", …
  written: Written | null;
  notices: Notice[];
  milliseconds: number; // from sending to having read all of it
}

export interface ExecuteOptions {
  from?: number; // the first row wanted, from 0
  to?: number; // and the end of them
  signal?: AbortSignal; // ends the statement, too
}

// What the server says of a statement that fails.
export class StatementError extends Error {
  constructor(
    message: string,
    readonly sqlstate: string,
    readonly position: number | null, // character in the text sent, from 0
    readonly detail: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

export class SignInNeeded extends Error {}
export class Unreachable extends Error {}
export class Cancelled extends Error {}

// Whole numbers beyond 2^53 stay the digits that were sent.
function parseDocument(text: string): Record<string, unknown> {
  const keepDigits = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ? context.source : value;
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export class Server {
  private authorization = '';
  private reachable = true;
  private listeners = new Set<() => void>();
  private signIn: (() => void) | null = null;

  // `change` is called when the server is lost or found again.
  onChange(change: () => void): () => void {
    this.listeners.add(change);
    return () => this.listeners.delete(change);
  }

  onSignInNeeded(ask: () => void): void {
    this.signIn = ask;
  }

  get isReachable(): boolean {
    return this.reachable;
  }

  setCredentials(user: string, password: string): void {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    this.authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }

  forgetCredentials(): void {
    this.authorization = '';
  }

  // The result of the last statement of `sql`. Throws StatementError, SignInNeeded, Unreachable, Cancelled.
  async execute(sql: string, options: ExecuteOptions = {}): Promise<Answer> {
    const begun = performance.now();
    const parameters = new URLSearchParams({ query: sql });
    if (options.to !== undefined) parameters.set('limit', `${options.from ?? 0},${options.to}`);
    const response = await this.request('/exec', parameters, options.signal);
    const body = await this.body(response, options.signal);
    let document: Record<string, unknown>;
    try {
      document = parseDocument(body);
    } catch {
      throw new StatementError(body.trim() || `the server answered ${response.status}`, '', null, '', '');
    }
    if (!response.ok || typeof document.error === 'string') {
      const position = Number(document.position ?? 0);
      throw new StatementError(text(document.error) || text(document.message), text(document.sqlstate), position > 0 ? position - 1 : null,
        text(document.detail), text(document.hint));
    }
    return {
      columns: (document.columns ?? []) as Column[],
      rows: (document.dataset ?? []) as Cell[][],
      tag: text(document.tag),
      written: (document.written ?? null) as Written | null,
      notices: (document.notices ?? []) as Notice[],
      milliseconds: performance.now() - begun,
    };
  }

  // The first column of the only row.
  async value(sql: string): Promise<Cell> {
    return (await this.execute(sql)).rows[0]?.[0] ?? null;
  }

  // The rows of a query as CSV.
  async csv(sql: string, signal?: AbortSignal): Promise<Blob> {
    const response = await this.request('/exp', new URLSearchParams({ query: sql }), signal);
    if (!response.ok) throw new StatementError(text(parseDocument(await this.body(response, signal)).error), '', null, '', '');
    try {
      return await response.blob();
    } catch {
      throw this.failure(signal);
    }
  }

  // The counters of /metrics, null where the server has none.
  async metrics(signal?: AbortSignal): Promise<string | null> {
    const response = await this.request('/metrics', null, signal);
    return response.ok ? this.body(response, signal) : null;
  }

  // Whether it answers; reports a change.
  async ping(): Promise<void> {
    try {
      await this.request('/ping', null);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }

  private async request(path: string, form: URLSearchParams | null, signal?: AbortSignal): Promise<Response> {
    // With this header the server leaves it to the page to ask for a password.
    const headers: Record<string, string> = { 'X-Requested-With': 'XMLHttpRequest' };
    if (this.authorization) headers.Authorization = this.authorization;
    let response: Response;
    try {
      response = await fetch(path, { method: form ? 'POST' : 'GET', body: form, headers, signal, credentials: 'omit', cache: 'no-store' });
    } catch {
      throw this.failure(signal);
    }
    this.setReachable(true);
    if (response.status === 401) {
      this.signIn?.();
      throw new SignInNeeded('sign in to go on');
    }
    return response;
  }

  private async body(response: Response, signal?: AbortSignal): Promise<string> {
    try {
      return await response.text();
    } catch {
      throw this.failure(signal);
    }
  }

  private failure(signal?: AbortSignal): Error {
    if (signal?.aborted) return new Cancelled('cancelled');
    this.setReachable(false);
    return new Unreachable('the server cannot be reached');
  }

  private setReachable(reachable: boolean): void {
    if (this.reachable === reachable) return;
    this.reachable = reachable;
    for (const change of this.listeners) change();
  }
}

export const server = new Server();
