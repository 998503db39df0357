import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { SignInNeeded } from './server';

export interface Polled<T> {
  value: T | null; // the last that came
  error: Error | null; // of the last attempt
  again(): void; // at once
}

// Asks when the component appears, when `key` changes and, if it is to, every so often while the page can be seen.
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, key: string, everyMilliseconds = 0): Polled<T> {
  const [state, setState] = useState<{ key: string; value: T | null; error: Error | null }>({ key, value: null, error: null });
  const [round, again] = useReducer((n: number) => n + 1, 0);
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    const stopped = new AbortController();
    let timer = 0;
    const run = async () => {
      if (!document.hidden) {
        try {
          const value = await latest.current(stopped.signal);
          if (!stopped.signal.aborted) setState({ key, value, error: null });
        } catch (error) {
          // Whoever signs in starts anew.
          if (!stopped.signal.aborted && !(error instanceof SignInNeeded)) {
            setState((before) => ({ key, value: before.key === key ? before.value : null, error: error as Error }));
          }
        }
      }
      if (everyMilliseconds > 0 && !stopped.signal.aborted) timer = window.setTimeout(run, everyMilliseconds);
    };
    void run();
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [key, everyMilliseconds, round]);

  const current = state.key === key;
  return { value: current ? state.value : null, error: current ? state.error : null, again: () => again(0) };
}
