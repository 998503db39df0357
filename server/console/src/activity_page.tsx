// Who is connected, and what they run.
import { useState } from 'preact/hooks';
import { DataTable } from './data_table';
import { bytes, count, duration, timestamp } from './format';
import { Icon } from './icons';
import { Message } from './message';
import { usePolled } from './polling';
import { text } from './schema';
import { server, type Cell } from './server';
import { Tile } from './tile';

const EVERY_MILLISECONDS = 2000;

const SESSIONS = `SELECT pid, usename, application_name, client_addr, state, query, backend_start,
  CASE WHEN state = 'active' THEN extract(epoch FROM now() - query_start) END FROM pg_stat_activity WHERE pid <> pg_backend_pid()
  ORDER BY state, query_start`;

async function load(signal: AbortSignal) {
  const [sessions, log, memory] = await Promise.all([
    server.execute(SESSIONS, { signal }),
    server.execute('SELECT published_commit, log_bytes, log_segments, last_checkpoint, write_failed, failure FROM wal_status()', { signal }),
    server.execute('SELECT name, used_bytes, limit_bytes FROM memory()', { signal }),
  ]);
  return { sessions: sessions.rows, log: log.rows[0], memory: memory.rows };
}

export function ActivityPage() {
  const activity = usePolled(load, 'activity', EVERY_MILLISECONDS);
  const [refused, setRefused] = useState('');
  const cancel = async (pid: Cell) => {
    try {
      await server.execute(`SELECT pg_cancel_backend(${Number(pid)})`);
      setRefused('');
    } catch (error) {
      setRefused((error as Error).message);
    }
    activity.again();
  };
  const { value } = activity;
  if (!value) return activity.error ? <Message kind="bad" title={activity.error.message} /> : <Message busy title="Asking the server…" />;
  const active = value.sessions.filter((row) => row[4] === 'active').length;
  return (
    <section class="page" aria-label="Activity">
      <header class="page-head">
        <h1>Activity</h1>
        <p class="facts">
          <span>every {EVERY_MILLISECONDS / 1000} s</span>
          {activity.error && <span class="is-bad">{activity.error.message}</span>}
          {refused && <span class="is-bad">{refused}</span>}
        </p>
      </header>
      <div class="page-body">
        <div class="tiles">
          <Tile title="Running" value={count(active)} note={`of ${count(value.sessions.length)} other sessions`} />
          <Tile title="Commits" value={count(Number(value.log[0]))} note="since the database was made" />
          <Tile title="Log since checkpoint" value={bytes(Number(value.log[1]))} note={value.log[3] ? `last ${timestamp(text(value.log[3])).slice(0, 19)}` : 'no checkpoint yet'} />
          {value.memory.map((row) => (
            <Tile title={`Memory: ${text(row[0]).replace('_', ' ')}`} value={bytes(Number(row[1]))} note={row[2] === null ? '' : `of ${bytes(Number(row[2]))}`} />
          ))}
        </div>
        {value.log[4] === true && <Message kind="bad" title="The server takes no writes until it is started again" text={text(value.log[5])} />}
        {value.sessions.length === 0 ? (
          <Message title="Nobody else is connected" />
        ) : (
          <DataTable
            rows={value.sessions}
            rowKey={(row) => Number(row[0])}
            fields={[
              { title: 'Pid', number: true, cell: (row) => text(row[0]) },
              { title: 'State', cell: (row) => <span class={row[4] === 'active' ? 'badge is-good' : 'badge'}>{text(row[4])}</span> },
              { title: 'For', number: true, cell: (row) => (row[7] === null ? '' : duration(Number(row[7]) * 1000)) },
              { title: 'User', cell: (row) => text(row[1]) },
              { title: 'Application', cell: (row) => text(row[2]) },
              { title: 'Client', cell: (row) => text(row[3]) },
              { title: 'Statement', cell: (row) => <code class="statement-cell" title={text(row[5])}>{text(row[5])}</code> },
              {
                title: '',
                pinned: true,
                cell: (row) =>
                  row[4] === 'active' && (
                    <button class="danger" onClick={() => cancel(row[0])} aria-label={`Cancel the statement of session ${row[0]}`}>
                      <Icon name="stop" /> Cancel
                    </button>
                  ),
              },
            ]}
          />
        )}
      </div>
    </section>
  );
}
