// The SQL editor. It lives in a shadow tree, where its style sheets need no exception from the content security policy.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, Prec, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import { idemDialect } from './dialect';
import type { Schema } from './schema';
import { unitAt } from './sql_text';

export interface EditorHandle {
  text(): string;
  // What Ctrl+Enter runs: the selection, or the statement or transaction at the cursor.
  target(): { text: string; from: number } | null;
  append(text: string): void; // and puts the cursor there
  replace(text: string): void;
  insert(text: string): void; // at the cursor
  markError(from: number): void;
  focus(): void;
}

interface Properties {
  initial: string;
  schema: Schema | null;
  onChange(text: string): void;
  onRun(all: boolean): void;
  onReady(handle: EditorHandle): void;
}

const setError = StateEffect.define<number | null>();

// The word at the position of an error; gone at the next change of the text.
const errorMark = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    if (transaction.docChanged) marks = Decoration.none;
    for (const effect of transaction.effects) {
      if (!effect.is(setError)) continue;
      if (effect.value === null) {
        marks = Decoration.none;
        continue;
      }
      const { doc } = transaction.state;
      const from = Math.min(effect.value, Math.max(0, doc.length - 1));
      const word = /^(?:\w+|"[^"]*"|'[^']*'|\S)/.exec(doc.sliceString(from, from + 200));
      marks = doc.length ? Decoration.set(Decoration.mark({ class: 'cm-error' }).range(from, from + (word?.[0].length ?? 1))) : Decoration.none;
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// A bar beside the lines that Ctrl+Enter runs.
const currentUnit = StateField.define({
  create: unitLines,
  update: (lines, transaction) => (transaction.docChanged || transaction.selection ? unitLines(transaction.state) : lines),
  provide: (field) => EditorView.decorations.from(field),
});

function unitLines(state: EditorState) {
  const unit = unitAt(state.doc.toString(), state.selection.main.head);
  const builder = new RangeSetBuilder<Decoration>();
  if (unit) {
    const last = state.doc.lineAt(unit.to).number;
    for (let number = state.doc.lineAt(unit.from).number; number <= last; ++number) {
      const { from } = state.doc.line(number);
      builder.add(from, from, Decoration.line({ class: 'cm-unit' }));
    }
  }
  return builder.finish();
}

const highlighting = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--syntax-keyword)', fontWeight: '600' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--syntax-type)' },
  { tag: tags.string, color: 'var(--syntax-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--syntax-number)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--syntax-comment)', fontStyle: 'italic' },
  { tag: [tags.operator, tags.punctuation], color: 'var(--muted)' },
]);

const theme = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '8px 0' },
  '.cm-line': { padding: '0 12px', borderLeft: '2px solid transparent' },
  '.cm-unit': { borderLeftColor: 'var(--accent)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', border: 'none', minWidth: '44px' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 6px 0 12px' },
  '.cm-activeLine': { backgroundColor: 'var(--hover)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--selection)', color: 'inherit' },
  '.cm-error': { textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '4px', backgroundColor: 'var(--bad-soft)' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', borderRadius: '6px', boxShadow: 'var(--shadow)', overflow: 'hidden' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', lineHeight: '1.5' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '1em' },
});

const TIP = 'Ctrl+Enter runs the statement at the cursor, Ctrl+Shift+Enter all of them';

type Names = Record<string, string[]>; // columns by table

function namesOf(schema: Schema | null): Names {
  const names: Names = {};
  for (const relation of schema?.relations ?? []) names[relation.schema === 'public' ? relation.name : `${relation.schema}.${relation.name}`] = [];
  for (const [name, columns] of schema?.columns ?? []) names[name.replaceAll('"', '')] = columns;
  return names;
}

function language(names: Names) {
  return sql({ dialect: idemDialect, schema: names, upperCaseKeywords: true });
}

export function Editor({ initial, schema, onChange, onRun, onReady }: Properties) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const languageSlot = useRef(new Compartment());
  const latest = useRef({ onChange, onRun });
  latest.current = { onChange, onRun };

  useEffect(() => {
    const root = host.current!.attachShadow({ mode: 'open' });
    const run = (all: boolean) => () => {
      latest.current.onRun(all);
      return true;
    };
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initial,
        selection: { anchor: initial.length },
        extensions: [
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run: run(false) }, { key: 'Mod-Shift-Enter', run: run(true) }, { key: 'F5', run: run(false) }])),
          keymap.of([{ key: 'Tab', run: acceptCompletion }, indentWithTab, ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), autocompletion(), highlightActiveLine(),
          syntaxHighlighting(highlighting), theme, errorMark, currentUnit, placeholder(TIP), EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
          languageSlot.current.of(language({})),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    const change = (from: number, to: number, insert: string) => {
      editor.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, scrollIntoView: true });
      editor.focus();
    };
    onReady({
      text: () => editor.state.doc.toString(),
      target: () => {
        const { main } = editor.state.selection;
        if (!main.empty) return { text: editor.state.sliceDoc(main.from, main.to), from: main.from };
        const unit = unitAt(editor.state.doc.toString(), main.head);
        return unit && { text: editor.state.sliceDoc(unit.from, unit.to), from: unit.from };
      },
      append: (text) => {
        const { length } = editor.state.doc;
        const before = editor.state.doc.toString().trimEnd();
        change(before.length, length, before ? `${before.endsWith(';') ? before.slice(before.length) : ';'}\n\n${text}` : text);
      },
      replace: (text) => change(0, editor.state.doc.length, text),
      insert: (text) => change(editor.state.selection.main.from, editor.state.selection.main.to, text),
      markError: (from) => editor.dispatch({ effects: [setError.of(from), EditorView.scrollIntoView(Math.min(from, editor.state.doc.length), { y: 'nearest' })] }),
      focus: () => editor.focus(),
    });
    editor.focus();
    return () => editor.destroy();
  }, []);

  // The schema is read again and again; a list of completions stays open unless a name has changed.
  const names = JSON.stringify(namesOf(schema));
  useEffect(() => {
    view.current?.dispatch({ effects: languageSlot.current.reconfigure(language(JSON.parse(names) as Names)) });
  }, [names]);

  return <div class="editor" ref={host} />;
}
