import { useState } from 'preact/hooks';
import { Dialog } from './dialog';
import { relationName, type Relation } from './schema';
import { server } from './server';

interface Properties {
  relation: Relation;
  version: number;
  onClose(): void;
  onRestored(): void;
}

// RESTORE gives no row away: it says so before it asks.
export function RestoreDialog({ relation, version, onClose, onRestored }: Properties) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const sql = `RESTORE TABLE ${relationName(relation)} TO VERSION AS OF ${version}`;
  const restore = async () => {
    setBusy(true);
    try {
      await server.execute(sql);
      onRestored();
    } catch (failure) {
      setError((failure as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Restore ${relationName(relation)} to version ${version}?`} onClose={onClose}>
      <p>
        Everyone who reads the table will see the rows and columns of version {version}. This is a new version: the present one stays in the history and can be
        restored in the same way.
      </p>
      <pre class="statement">{sql};</pre>
      {error && (
        <p class="is-bad" role="alert">
          {error}
        </p>
      )}
      <footer>
        <button onClick={onClose}>Keep as it is</button>
        <button class="danger" onClick={restore} disabled={busy} autoFocus>
          {busy ? 'Restoring…' : 'Restore'}
        </button>
      </footer>
    </Dialog>
  );
}
