import type { ComponentChildren } from 'preact';

interface Properties {
  kind?: 'plain' | 'good' | 'bad';
  title: string;
  text?: string;
  busy?: boolean;
  children?: ComponentChildren;
}

// What stands where there is nothing else to show.
export function Message({ kind = 'plain', title, text, busy, children }: Properties) {
  return (
    <div class={`message is-${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {busy && <span class="spinner" />}
      <strong>{title}</strong>
      {text && <p>{text}</p>}
      {children}
    </div>
  );
}
