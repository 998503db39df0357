// A result of any length: only the rows in view are in the page.
//
// A browser lays out some ten million pixels at most. Where the rows need more, the scroll bar stands for a share of them, and the wheel and the
// keyboard move by rows:
//
//   row 0 ┌──────────┐            scrollTop 0
//         │   rows   │
//         │ in view  │ ◀── top: pixels of all rows above the view = scrollTop · (all − view) / (canvas − view)
//         │          │
//   row n └──────────┘            scrollTop = canvas − view
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import { CellDialog } from './cell_dialog';
import { cellText, count, isNumberType } from './format';
import type { ResultPages } from './result_pages';
import type { Column } from './server';

const ROW_PIXELS = 26;
const ROWS_BEYOND_VIEW = 6; // on either side, for scrolling that is ahead of drawing
const MAX_CANVAS_PIXELS = 8_000_000;
const CHARACTER_PIXELS = 7.6;
const MIN_COLUMN_PIXELS = 56;
const MAX_COLUMN_PIXELS = 380;

function columnWidths(result: ResultPages): number[] {
  return result.columns.map((column, index) => {
    let longest = Math.max(column.name.length + 1, column.type.length * 0.85);
    for (const row of result.first.rows.slice(0, 200)) longest = Math.max(longest, cellText(row[index], column.type).length);
    return Math.round(Math.min(MAX_COLUMN_PIXELS, Math.max(MIN_COLUMN_PIXELS, longest * CHARACTER_PIXELS + 22)));
  });
}

export function ResultGrid({ result }: { result: ResultPages }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [viewPixels, setViewPixels] = useState(400);
  const [widths, setWidths] = useState(() => columnWidths(result));
  const [top, setTop] = useState(0);
  const [active, setActive] = useState({ row: 0, column: 0 });
  const [opened, setOpened] = useState(false);
  const ownScroll = useRef(-1); // a scroll event with this position is our own

  useEffect(() => result.onChange(() => redraw(0)), [result]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setViewPixels(scroller.current?.clientHeight ?? 400));
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);

  const headPixels = 40;
  const bodyPixels = Math.max(ROW_PIXELS, viewPixels - headPixels);
  const allPixels = result.rowCount * ROW_PIXELS;
  const canvasPixels = Math.min(allPixels, MAX_CANVAS_PIXELS) + headPixels;
  const maxTop = Math.max(0, allPixels - bodyPixels);
  const scale = canvasPixels > viewPixels ? maxTop / (canvasPixels - viewPixels) : 1;
  const shownTop = Math.min(top, maxTop);

  const moveTo = (wanted: number) => {
    const next = Math.max(0, Math.min(maxTop, wanted));
    setTop(next);
    const position = Math.round(next / scale);
    if (scroller.current && Math.abs(scroller.current.scrollTop - position) >= 1) {
      ownScroll.current = position;
      scroller.current.scrollTop = position;
    }
  };
  const onScroll = () => {
    const position = scroller.current!.scrollTop;
    if (Math.abs(position - ownScroll.current) < 1.5) {
      ownScroll.current = -1;
      return;
    }
    ownScroll.current = -1;
    setTop(Math.min(maxTop, position * scale));
  };
  // Where a pixel of the scroll bar is many rows the wheel still moves by pixels.
  useEffect(() => {
    const element = scroller.current!;
    const onWheel = (event: WheelEvent) => {
      if (scale <= 1.01 || event.deltaY === 0 || event.shiftKey || event.ctrlKey) return;
      event.preventDefault();
      moveTo(shownTop + event.deltaY * (event.deltaMode === 1 ? ROW_PIXELS : 1));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  });

  const select = (row: number, column: number) => {
    const next = { row: Math.max(0, Math.min(result.rowCount - 1, row)), column: Math.max(0, Math.min(result.columns.length - 1, column)) };
    setActive(next);
    const pixel = next.row * ROW_PIXELS;
    if (pixel < shownTop) moveTo(pixel);
    else if (pixel + ROW_PIXELS > shownTop + bodyPixels) moveTo(pixel + ROW_PIXELS - bodyPixels);
    const left = widths.slice(0, next.column).reduce((sum, width) => sum + width, 0);
    const element = scroller.current!;
    const visible = element.clientWidth - numberPixels;
    if (left < element.scrollLeft) element.scrollLeft = left;
    else if (left + widths[next.column] > element.scrollLeft + visible) element.scrollLeft = left + widths[next.column] - visible;
  };
  const activeText = () => {
    const row = result.row(active.row);
    return row ? cellText(row[active.column], result.columns[active.column].type) : '';
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(bodyPixels / ROW_PIXELS) - 1);
    const control = event.ctrlKey || event.metaKey;
    const steps: Record<string, [number, number]> = {
      ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0],
    };
    if (event.key === 'Home') select(control ? 0 : active.row, 0);
    else if (event.key === 'End') select(control ? result.rowCount - 1 : active.row, result.columns.length - 1);
    else if (event.key === 'Enter') setOpened(true);
    else if (control && event.key === 'c' && !getSelection()?.toString()) void navigator.clipboard?.writeText(activeText());
    else if (steps[event.key] && !event.altKey) select(active.row + steps[event.key][0], active.column + steps[event.key][1]);
    else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(shownTop / ROW_PIXELS) - ROWS_BEYOND_VIEW);
  const last = Math.min(result.rowCount, Math.ceil((shownTop + bodyPixels) / ROW_PIXELS) + ROWS_BEYOND_VIEW);
  const numberPixels = Math.max(44, count(result.rowCount).length * CHARACTER_PIXELS + 20);
  const width = widths.reduce((sum, w) => sum + w, numberPixels);
  const template = `${numberPixels}px ${widths.map((w) => `${w}px`).join(' ')}`;
  // The canvas moves with the scroll bar; the rows are put where the view is.
  const offset = (scroller.current?.scrollTop ?? 0) + headPixels - (shownTop - first * ROW_PIXELS);

  const rows = [];
  for (let index = first; index < last; ++index) {
    const row = result.row(index);
    rows.push(
      <div class="grid-row" role="row" aria-rowindex={index + 2} key={index} style={{ gridTemplateColumns: template, top: `${offset + (index - first) * ROW_PIXELS}px` }}>
        <div class="grid-number">{count(index + 1)}</div>
        {result.columns.map((column, c) => {
          const value = row?.[c];
          const classes = ['grid-cell', isNumberType(column.type) && 'is-number', value === null && 'is-null', row === undefined && 'is-waiting',
            active.row === index && active.column === c && 'is-active'];
          return (
            <div class={classes.filter(Boolean).join(' ')} role="gridcell" key={c} onMouseDown={() => setActive({ row: index, column: c })} onDblClick={() => setOpened(true)}>
              {value === undefined ? '' : cellText(value, column.type)}
            </div>
          );
        })}
      </div>,
    );
  }
  return (
    <>
      <div class="grid" ref={scroller} onScroll={onScroll} onKeyDown={onKeyDown} tabIndex={0} role="grid" aria-label="Result" aria-rowcount={result.rowCount + 1}>
        <div class="grid-canvas" style={{ height: `${canvasPixels}px`, width: `${width}px` }}>
          <div class="grid-head" role="row" style={{ gridTemplateColumns: template }}>
            <div class="grid-number" />
            {result.columns.map((column, c) => (
              <HeadCell column={column} key={c} onResize={(pixels) => setWidths(widths.map((w, i) => (i === c ? Math.max(MIN_COLUMN_PIXELS, pixels) : w)))} width={widths[c]} />
            ))}
          </div>
          {rows}
        </div>
      </div>
      {opened && result.row(active.row) && (
        <CellDialog title={result.columns[active.column].name} text={activeText()} onClose={() => setOpened(false)} />
      )}
    </>
  );
}

function HeadCell({ column, width, onResize }: { column: Column; width: number; onResize(pixels: number): void }) {
  const onPointerDown = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    const begun = event.clientX;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (move) => onResize(width + move.clientX - begun);
    handle.onpointerup = () => (handle.onpointermove = handle.onpointerup = null);
  };
  return (
    <div class={`grid-title ${isNumberType(column.type) ? 'is-number' : ''}`} role="columnheader" title={`${column.name} ${column.type}`}>
      <span>{column.name}</span>
      <small>{column.type}</small>
      <i class="grid-resize" onPointerDown={onPointerDown} />
    </div>
  );
}
