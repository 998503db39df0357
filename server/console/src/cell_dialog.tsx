import { useState } from 'preact/hooks';
import { Dialog } from './dialog';

function indented(text: string): string {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// A value too long for its cell.
export function CellDialog({ title, text, onClose }: { title: string; text: string; onClose(): void }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <Dialog title={title} wide onClose={onClose}>
      <pre class="cell-text">{indented(text)}</pre>
      <footer>
        {navigator.clipboard && <button onClick={copy}>{copied ? 'Copied' : 'Copy'}</button>}
        <button class="primary" autoFocus onClick={onClose}>
          Close
        </button>
      </footer>
    </Dialog>
  );
}
