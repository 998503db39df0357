// The frame: what is shown where, who is signed in, whether the server is there.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ActivityPage } from './activity_page';
import { Dialog } from './dialog';
import type { EditorHandle } from './editor';
import { Icon, type IconName } from './icons';
import { IngestPage } from './ingest_page';
import { Message } from './message';
import { usePolled } from './polling';
import { QueryPage } from './query_page';
import { loadSchema, relationName } from './schema';
import { SchemaTree } from './schema_tree';
import { server } from './server';
import { SignIn } from './sign_in';
import { TablePage } from './table_page';
import { chooseTheme, currentTheme } from './theme';

// #/query, #/table/NAME/TAB, #/activity, #/ingest
interface Route {
  page: string;
  table: string;
  tab: string;
}

function currentRoute(): Route {
  const [page = 'query', table = '', tab = ''] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { page: page || 'query', table, tab };
}

function go(page: string, ...rest: string[]): void {
  location.hash = `/${[page, ...rest].map(encodeURIComponent).join('/')}`;
}

const PAGES: [string, string, IconName][] = [
  ['query', 'Query', 'editor'],
  ['ingest', 'Ingest', 'ingest'],
  ['activity', 'Activity', 'activity'],
];
const SCHEMA_EVERY_MILLISECONDS = 15_000;
const RETRY_MILLISECONDS = 2000;

export function App() {
  const [route, setRoute] = useState(currentRoute);
  const [session, setSession] = useState(0); // counts sign-ins: everything is asked anew
  const [signIn, setSignIn] = useState(false);
  const [reachable, setReachable] = useState(true);
  const [menu, setMenu] = useState(false);
  const [help, setHelp] = useState(false);
  const editor = useRef<EditorHandle | null>(null);

  useEffect(() => {
    server.onSignInNeeded(() => setSignIn(true));
    const forget = server.onChange(() => setReachable(server.isReachable));
    const onHash = () => {
      setRoute(currentRoute());
      setMenu(false);
    };
    addEventListener('hashchange', onHash);
    return () => {
      forget();
      removeEventListener('hashchange', onHash);
    };
  }, []);
  useEffect(() => {
    if (reachable) return undefined;
    const timer = setInterval(() => void server.ping(), RETRY_MILLISECONDS);
    return () => clearInterval(timer);
  }, [reachable]);

  const schema = usePolled(loadSchema, `schema ${session} ${reachable}`, SCHEMA_EVERY_MILLISECONDS);
  const user = usePolled(async (signal) => (await server.execute('SELECT current_user, current_database()', { signal })).rows[0], `user ${session}`);
  const query = useCallback((sql: string) => {
    go('query');
    // The editor measures itself once it is shown.
    requestAnimationFrame(() => editor.current?.append(sql));
  }, []);
  const schemaChanged = useCallback(() => schema.again(), []);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const page = event.altKey && { q: 'query', i: 'ingest', a: 'activity' }[event.key];
      if (page) go(page);
      else if (event.key === 'F1') setHelp(true);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);

  const relation = schema.value?.relations.find((known) => relationName(known) === route.table);
  return (
    <div class={menu ? 'frame is-menu-open' : 'frame'}>
      <header class="bar">
        <button class="plain menu-button" onClick={() => setMenu(!menu)} aria-label="Tables and views" aria-expanded={menu}>
          <Icon name="menu" />
        </button>
        <a class="brand" href="#/query">
          <img src="/assets/favicon.svg" alt="" width="22" height="22" /> IdemDB
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([page, label, icon]) => (
            <a href={`#/${page}`} class={route.page === page ? 'is-on' : ''} aria-current={route.page === page ? 'page' : undefined}>
              <Icon name={icon} /> <span>{label}</span>
            </a>
          ))}
        </nav>
        <span class="stretch" />
        <span class={reachable ? 'server-state is-good' : 'server-state is-bad'} role="status">
          <i />
          <span>{reachable ? [user.value?.[0], location.host].filter(Boolean).join('@') : 'connection lost, trying again…'}</span>
        </span>
        <ThemeButton />
        <button class="plain" onClick={() => setHelp(true)} title="Keyboard (F1)" aria-label="Keyboard">
          <Icon name="help" />
        </button>
      </header>
      <SchemaTree
        schema={schema}
        selected={route.page === 'table' ? route.table : ''}
        onOpen={(chosen) => go('table', relationName(chosen), route.page === 'table' ? route.tab || 'columns' : 'columns')}
        onInsert={query}
      />
      {menu && <div class="shade" onClick={() => setMenu(false)} />}
      <main>
        <QueryPage schema={schema.value} hidden={route.page !== 'query'} onReady={(handle) => (editor.current = handle)} onSchemaChanged={schemaChanged} />
        {route.page === 'activity' && <ActivityPage key={session} />}
        {route.page === 'ingest' && <IngestPage key={session} relations={schema.value?.relations ?? []} onOpen={(table) => go('table', table, 'history')} />}
        {route.page === 'table' &&
          (relation ? (
            <TablePage
              key={`${route.table} ${session}`}
              relation={relation}
              tab={route.tab}
              onTab={(tab) => go('table', route.table, tab)}
              onQuery={query}
              onChanged={schemaChanged}
            />
          ) : schema.value ? (
            <Message title={`There is no table or view ${route.table}`} text="It may have been dropped or renamed." />
          ) : (
            <Message busy title="Reading the schema…" />
          ))}
        {route.page !== 'table' && !PAGES.some(([page]) => page === route.page) && <Message title="There is no such page" />}
      </main>
      {signIn && (
        <SignIn
          onDone={() => {
            setSignIn(false);
            setSession(session + 1);
          }}
        />
      )}
      {help && <Keyboard onClose={() => setHelp(false)} />}
    </div>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme);
  const other = theme === 'dark' ? 'light' : 'dark';
  const toggle = () => {
    chooseTheme(other);
    setTheme(other);
  };
  return (
    <button class="plain" onClick={toggle} title={`Use ${other} colours`} aria-label={`Use ${other} colours`}>
      <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
    </button>
  );
}

const KEYS: [string, string][] = [
  ['Ctrl Enter', 'run the selection, or the statement or transaction at the cursor'],
  ['Ctrl Shift Enter', 'run all'],
  ['Esc', 'cancel what runs'],
  ['Ctrl Space', 'complete'],
  ['Ctrl /', 'comment out'],
  ['Alt 1, Alt 2', 'result as table, as chart'],
  ['Alt Q, Alt I, Alt A', 'query, ingest, activity'],
  ['Arrows, Page, Ctrl Home, Ctrl End', 'move in the result'],
  ['Enter, Ctrl C', 'open, copy a value of the result'],
];

function Keyboard({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="key-list">
        {KEYS.map(([key, meaning]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  );
}
