// The editor, what runs, and what came of it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Editor, type EditorHandle } from './editor';
import { count, duration, plural } from './format';
import { Icon } from './icons';
import { Message } from './message';
import { ResultChart } from './result_chart';
import { ResultGrid } from './result_grid';
import { ResultPages } from './result_pages';
import type { Schema } from './schema';
import { Cancelled, server, SignInNeeded, StatementError, type Answer } from './server';
import { changesSchema, leavesTransactionOpen } from './sql_text';

type Outcome =
  | { kind: 'none' }
  | { kind: 'running'; sql: string; since: number; stop: AbortController }
  | { kind: 'result'; result: ResultPages }
  | { kind: 'failed'; error: Error; sql: string };

type View = 'table' | 'chart';

const TEXT_KEY = 'idemdb.text';
const RECENT_KEY = 'idemdb.recent';
const SPLIT_KEY = 'idemdb.split';
const KEPT_RECENT = 50;

function recentStatements(): string[] {
  try {
    return JSON.parse(localStorage.getItem(RECENT_KEY) ?? '[]') as string[];
  } catch {
    return [];
  }
}

function remember(sql: string): void {
  const recent = [sql, ...recentStatements().filter((known) => known !== sql)].slice(0, KEPT_RECENT);
  localStorage.setItem(RECENT_KEY, JSON.stringify(recent));
}

interface Properties {
  schema: Schema | null;
  hidden: boolean; // it stays as it is while another page is shown
  onReady(handle: EditorHandle): void;
  onSchemaChanged(): void;
}

export function QueryPage({ schema, hidden, onReady, onSchemaChanged }: Properties) {
  const editor = useRef<EditorHandle | null>(null);
  const [outcome, setOutcome] = useState<Outcome>({ kind: 'none' });
  const [view, setView] = useState<View>('table');
  const [share, setShare] = useState(() => Number(localStorage.getItem(SPLIT_KEY)) || 42);
  const latest = useRef(outcome);
  latest.current = outcome;

  const run = async (all: boolean) => {
    const target = all ? { text: editor.current!.text(), from: 0 } : editor.current!.target();
    const before = latest.current;
    if (before.kind === 'running') return;
    if (!target?.text.trim()) {
      // Not to be taken for what came of this.
      if (before.kind === 'failed') setOutcome({ kind: 'none' });
      return;
    }
    if (before.kind === 'result') before.result.stop();
    const sql = target.text;
    if (leavesTransactionOpen(sql)) {
      const error = new StatementError('this leaves a transaction open', '', null, '', 'Each run is a session of its own: select from BEGIN to COMMIT and run that.');
      setOutcome({ kind: 'failed', error, sql });
      return;
    }
    const stop = new AbortController();
    setOutcome({ kind: 'running', sql, since: performance.now(), stop });
    remember(sql);
    try {
      setOutcome({ kind: 'result', result: await ResultPages.run(sql, stop.signal) });
    } catch (error) {
      setOutcome({ kind: 'failed', error: error as Error, sql });
      if (error instanceof StatementError && error.position !== null) editor.current!.markError(target.from + error.position);
    }
    if (changesSchema(sql) || !/^\s*\(*\s*(SELECT|WITH|SHOW|EXPLAIN|FROM)\b/i.test(sql)) onSchemaChanged();
  };
  const runLatest = useRef(run);
  runLatest.current = run;

  const cancel = useCallback(() => {
    if (latest.current.kind === 'running') latest.current.stop.abort();
  }, []);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && latest.current.kind === 'running') cancel();
      else if (event.altKey && event.key === '1') setView('table');
      else if (event.altKey && event.key === '2') setView('chart');
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);

  const resize = (event: PointerEvent) => {
    const bar = event.currentTarget as HTMLElement;
    const page = bar.parentElement!.getBoundingClientRect();
    bar.setPointerCapture(event.pointerId);
    bar.onpointermove = (move) => {
      const next = Math.max(15, Math.min(80, ((move.clientY - page.top) / page.height) * 100));
      setShare(next);
      localStorage.setItem(SPLIT_KEY, String(Math.round(next)));
    };
    bar.onpointerup = () => (bar.onpointermove = bar.onpointerup = null);
  };

  const running = outcome.kind === 'running';
  return (
    <section class="query-page" hidden={hidden} aria-label="Query">
      <div class="editor-pane" style={{ height: `${share}%` }}>
        <div class="toolbar">
          {running ? (
            <button class="danger" onClick={cancel} title="Esc">
              <Icon name="stop" /> Cancel
            </button>
          ) : (
            <button class="primary" onClick={() => run(false)} title="Ctrl+Enter">
              <Icon name="play" /> Run
            </button>
          )}
          <button onClick={() => run(true)} disabled={running} title="Ctrl+Shift+Enter">
            Run all
          </button>
          <Recent onChoose={(sql) => editor.current!.append(sql)} />
          <span class="stretch" />
          <span class="note keys">
            <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs the statement at the cursor
          </span>
        </div>
        <Editor
          initial={localStorage.getItem(TEXT_KEY) ?? ''}
          schema={schema}
          onChange={(text) => localStorage.setItem(TEXT_KEY, text)}
          onRun={(all) => void runLatest.current(all)}
          onReady={(handle) => {
            editor.current = handle;
            onReady(handle);
          }}
        />
      </div>
      <div class="split" onPointerDown={resize} role="separator" aria-orientation="horizontal" />
      <div class="result-pane">
        <OutcomeView outcome={outcome} view={view} onView={setView} onCancel={cancel} onRunAgain={() => void run(false)} />
      </div>
    </section>
  );
}

function Recent({ onChoose }: { onChoose(sql: string): void }) {
  const [statements, setStatements] = useState(recentStatements);
  return (
    <select
      class="recent"
      value=""
      aria-label="Recent statements"
      onMouseDown={() => setStatements(recentStatements())}
      onFocus={() => setStatements(recentStatements())}
      onChange={(event) => {
        const chosen = statements[Number(event.currentTarget.value)];
        event.currentTarget.value = '';
        if (chosen) onChoose(chosen);
      }}
    >
      <option value="">Recent</option>
      {statements.map((sql, index) => <option value={index}>{sql.replace(/\s+/g, ' ').slice(0, 90)}</option>)}
    </select>
  );
}

interface OutcomeProperties {
  outcome: Outcome;
  view: View;
  onView(view: View): void;
  onCancel(): void;
  onRunAgain(): void;
}

function OutcomeView({ outcome, view, onView, onCancel, onRunAgain }: OutcomeProperties) {
  switch (outcome.kind) {
    case 'none':
      return <Message title="Nothing to show" text="Write a statement and press Ctrl+Enter, or double-click a table on the left." />;
    case 'running':
      return <Running since={outcome.since} onCancel={onCancel} />;
    case 'failed':
      return <Failure error={outcome.error} onRunAgain={onRunAgain} />;
    case 'result':
      return outcome.result.columns.length > 0 ? (
        <ResultView key={outcome.result} result={outcome.result} view={view} onView={onView} />
      ) : (
        <Done answer={outcome.result.first} />
      );
  }
}

function Done({ answer }: { answer: Answer }) {
  const { written } = answer;
  const effect = written && [
    `${count(written.inserted)} inserted`, `${count(written.replaced)} replaced`, `${count(written.skipped)} skipped`, `${count(written.deleted)} deleted`,
  ].join(', ');
  return (
    <Message kind="good" title={answer.tag} text={[effect, `in ${duration(answer.milliseconds)}`].filter(Boolean).join(' ')}>
      {answer.notices.map((notice) => <p class="hint">{`${notice.severity}: ${notice.message}`}</p>)}
    </Message>
  );
}

function Running({ since, onCancel }: { since: number; onCancel(): void }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  // What is fast shows no notice in between.
  if (now - since < 300) return <div class="message" />;
  return (
    <Message busy title={`Running for ${duration(now - since)}`}>
      <button onClick={onCancel}>Cancel (Esc)</button>
    </Message>
  );
}

function Failure({ error, onRunAgain }: { error: Error; onRunAgain(): void }) {
  if (error instanceof Cancelled) return <Message title="Cancelled" text="What it had not committed is undone." />;
  if (error instanceof SignInNeeded) return <Message title="Sign in to go on" />;
  if (!(error instanceof StatementError)) {
    return (
      <Message kind="bad" title={error.message} text="Whether a statement that writes was executed is not known. If it was a run (BEGIN RUN), send it again.">
        <button onClick={onRunAgain}>Run again</button>
      </Message>
    );
  }
  return (
    <Message kind="bad" title={error.message}>
      {error.detail && <p>{error.detail}</p>}
      {error.hint && <p class="hint">{error.hint}</p>}
      {error.sqlstate && <p class="note">SQLSTATE {error.sqlstate}</p>}
    </Message>
  );
}

function ResultView({ result, view, onView }: { result: ResultPages; view: View; onView(view: View): void }) {
  const [, redraw] = useState(0);
  useEffect(() => result.onChange(() => redraw((n) => n + 1)), [result]);
  const rows = result.isCounted ? plural(result.rowCount, 'row') : `${count(result.first.rows.length)}+ rows`;
  return (
    <>
      <div class="toolbar">
        <span class="switch" role="tablist">
          <button role="tab" aria-selected={view === 'table'} class={view === 'table' ? 'is-on' : ''} onClick={() => onView('table')} title="Alt+1">
            <Icon name="table" /> Table
          </button>
          <button role="tab" aria-selected={view === 'chart'} class={view === 'chart' ? 'is-on' : ''} onClick={() => onView('chart')} title="Alt+2">
            <Icon name="chart" /> Chart
          </button>
        </span>
        <span class="note" data-test="summary">
          {rows} in {duration(result.first.milliseconds)}
        </span>
        {result.first.notices.map((notice) => <span class="note">{`${notice.severity}: ${notice.message}`}</span>)}
        {result.error && <span class="note is-bad">{result.error.message}</span>}
        <span class="stretch" />
        {result.repeatable && <CsvButton sql={result.sql} />}
      </div>
      <div class="result-body">
        {view === 'chart' ? (
          <ResultChart result={result} />
        ) : result.rowCount === 0 ? (
          <Message title="No rows" text={result.columns.map((column) => column.name).join(', ')} />
        ) : (
          <ResultGrid result={result} />
        )}
      </div>
    </>
  );
}

function CsvButton({ sql }: { sql: string }) {
  const [state, setState] = useState<'idle' | 'busy' | Error>('idle');
  const save = async () => {
    setState('busy');
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await server.csv(sql));
      link.download = 'result.csv';
      link.click();
      URL.revokeObjectURL(link.href);
      setState('idle');
    } catch (error) {
      setState(error as Error);
    }
  };
  return (
    <>
      {state instanceof Error && <span class="note is-bad">{state.message}</span>}
      <button onClick={save} disabled={state === 'busy'} title="All rows as a CSV file">
        <Icon name="download" /> {state === 'busy' ? 'Fetching…' : 'CSV'}
      </button>
    </>
  );
}
