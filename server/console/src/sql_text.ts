// Statements in a text, without a parser: where they begin and end, and what kind they are.

export interface Span {
  from: number;
  to: number; // without the semicolon
}

// The end of the token that begins at `at` if it is a string, a quoted name or a comment; otherwise `at`.
function skipQuoted(text: string, at: number): number {
  const end = (found: number, length: number) => (found < 0 ? text.length : found + length);
  const c = text[at];
  if (c === '-' && text[at + 1] === '-') return end(text.indexOf('\n', at), 1);
  if (c === '/' && text[at + 1] === '*') {
    let depth = 1;
    let i = at + 2;
    while (i < text.length && depth > 0) {
      if (text.startsWith('/*', i)) (depth += 1), (i += 2);
      else if (text.startsWith('*/', i)) (depth -= 1), (i += 2);
      else i += 1;
    }
    return i;
  }
  if (c === "'" || c === '"' || c === '`') {
    const escapes = c === "'" && /[eE]/.test(text[at - 1] ?? '') && !/\w/.test(text[at - 2] ?? '');
    let i = at + 1;
    while (i < text.length) {
      if (escapes && text[i] === '\\') i += 2;
      else if (text[i] !== c) i += 1;
      else if (text[i + 1] === c) i += 2;
      else return i + 1;
    }
    return text.length;
  }
  if (c === '$' && !/\w/.test(text[at - 1] ?? '')) {
    const tag = /^\$(?:[A-Za-z_]\w*)?\$/.exec(text.slice(at, at + 64))?.[0];
    if (tag) return end(text.indexOf(tag, at + tag.length), tag.length);
  }
  return at;
}

// The text without comments, its strings and quoted names emptied.
function skeleton(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; ) {
    const end = skipQuoted(text, i);
    if (end === i) out += text[i++];
    else {
      out += /['"`$]/.test(text[i]) ? "''" : ' ';
      i = end;
    }
  }
  return out;
}

export function statements(text: string): Span[] {
  const spans: Span[] = [];
  let from = 0;
  const finish = (to: number) => {
    const body = text.slice(from, to);
    if (skeleton(body).trim()) {
      spans.push({ from: from + (body.length - body.trimStart().length), to: from + body.trimEnd().length });
    }
    from = to + 1;
  };
  for (let i = 0; i < text.length; ) {
    const end = skipQuoted(text, i);
    if (end > i) i = end;
    else if (text[i++] === ';') finish(i - 1);
  }
  finish(text.length);
  return spans;
}

function firstWords(text: string): string {
  return skeleton(text).trim().replace(/\s+/g, ' ').slice(0, 40).toUpperCase();
}

const BEGINS = /^(BEGIN|START TRANSACTION)\b/;
const ENDS = /^(COMMIT|END|ROLLBACK|ABORT)\b(?! TO\b| WORK TO\b| TRANSACTION TO\b)/;

// What can be executed by itself: a statement, or a transaction from BEGIN to COMMIT, since each run may be another session.
export function units(text: string): Span[] {
  const found: Span[] = [];
  let open: Span | null = null;
  for (const span of statements(text)) {
    const words = firstWords(text.slice(span.from, span.to));
    if (open) {
      open.to = span.to;
      if (ENDS.test(words)) open = null;
    } else {
      const unit = { ...span };
      found.push(unit);
      if (BEGINS.test(words)) open = unit;
    }
  }
  return found;
}

// The unit at a position: the one around it, or else the last before it, or else the first.
export function unitAt(text: string, position: number): Span | null {
  const all = units(text);
  return all.findLast((unit) => unit.from <= position) ?? all[0] ?? null;
}

export function leavesTransactionOpen(text: string): boolean {
  let open = false;
  for (const span of statements(text)) {
    const words = firstWords(text.slice(span.from, span.to));
    if (BEGINS.test(words)) open = true;
    else if (ENDS.test(words)) open = false;
  }
  return open;
}

// Whether it is one query that changes nothing, so that it can be asked again for other rows of its result.
export function isRepeatableQuery(text: string): boolean {
  if (statements(text).length !== 1) return false;
  const words = skeleton(text).toUpperCase();
  return /^\s*\(*\s*(SELECT|FROM|WITH|VALUES|TABLE)\b/.test(words) && !/\b(INSERT|UPDATE|DELETE|MERGE)\b/.test(words);
}

// Whether the schema may be another one afterwards.
export function changesSchema(text: string): boolean {
  return /\b(CREATE|DROP|UNDROP|ALTER|RESTORE|TRUNCATE|ATTACH|DETACH)\b/i.test(skeleton(text));
}

export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
