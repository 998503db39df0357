import { useState } from 'preact/hooks';
import { Dialog } from './dialog';
import { server, SignInNeeded } from './server';

// Asks for user and password until the server takes them. They are kept in this page's memory only.
export function SignIn({ onDone }: { onDone(): void }) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    server.setCredentials(String(form.get('user')), String(form.get('password')));
    try {
      await server.value('SELECT 1');
      onDone();
    } catch (error) {
      server.forgetCredentials();
      setRefused(error instanceof SignInNeeded ? 'The server does not know this user with this password.' : (error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Sign in to IdemDB">
      <form class="sign-in" onSubmit={submit}>
        <label>
          User
          <input name="user" autocomplete="username" defaultValue="admin" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required autoFocus />
        </label>
        {refused && (
          <p class="is-bad" role="alert">
            {refused}
          </p>
        )}
        <footer>
          <button class="primary" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
