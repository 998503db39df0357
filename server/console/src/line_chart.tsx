import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type ChartStyle = 'line' | 'points' | 'bars';

export interface Line {
  name: string;
  values: (number | null)[];
  color?: string; // a variable of the style sheet, e.g. --chart-2
}

interface Properties {
  seconds: number[];
  lines: Line[];
  style?: ChartStyle;
  stepped?: boolean;
}

const COLORS = 8;

function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function compact(value: number): string {
  if (Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-6)) return value.toExponential(2);
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) >= 1000 ? 2 : 6 });
}

// Labels of the time axis from a distance of ticks on: what it shows, and a second line at the first tick of a year, a day, a minute.
const TIME_LABELS: (string | number | null)[][] = [
  [3600 * 24 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600 * 24, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', '\n{YYYY}-{MM}-{DD} {HH}:{mm}', null, '\n{YYYY}-{MM}-{DD} {HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];

function paths(style: ChartStyle): uPlot.Series.PathBuilder | undefined {
  return style === 'bars' ? uPlot.paths.bars!({ size: [0.7, 60] }) : style === 'points' ? () => null : undefined;
}

// Lines over time (UTC). Dragging zooms in, a double click back out.
export function LineChart({ seconds, lines, style = 'line', stepped = false }: Properties) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = JSON.stringify([style, stepped, lines.map((line) => line.name)]);

  useEffect(() => {
    const build = () => {
      plot.current?.destroy();
      const element = host.current!;
      const axis = { stroke: variable('--muted'), grid: { stroke: variable('--line'), width: 1 }, ticks: { stroke: variable('--line'), width: 1 }, font: '11px system-ui' };
      plot.current = new uPlot(
        {
          width: element.clientWidth,
          height: Math.max(140, element.clientHeight - 30),
          tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
          cursor: { points: { size: 6 } },
          legend: { live: true },
          axes: [{ ...axis, values: TIME_LABELS as uPlot.Axis.Values }, { ...axis, size: 74, values: (_plot, ticks) => ticks.map(compact) }],
          series: [
            { value: (_plot, at) => (at === null ? '' : new Date(at * 1000).toISOString().replace('T', ' ').replace(/(?:\.0+)?Z$/, '')) },
            ...lines.map((line, index) => {
              const stroke = variable(line.color ?? `--chart-${(index % COLORS) + 1}`);
              const value = (_plot: uPlot, at: number | null) => (at === null || at === undefined ? '' : compact(at));
              return {
                label: line.name, stroke, value, width: style === 'bars' ? 0 : 1.5, spanGaps: true, fill: style === 'bars' ? stroke : undefined,
                paths: stepped ? uPlot.paths.stepped!({ align: 1 }) : paths(style), points: { show: style === 'points', size: 4, fill: stroke },
              };
            }),
          ],
        },
        [seconds, ...lines.map((line) => line.values)] as uPlot.AlignedData,
        element,
      );
    };
    build();
    const resized = new ResizeObserver(() => {
      const element = host.current;
      if (!element?.clientWidth) return; // hidden
      const legend = element.querySelector('.u-legend')?.clientHeight ?? 30;
      plot.current?.setSize({ width: element.clientWidth, height: Math.max(140, element.clientHeight - legend - 4) });
    });
    resized.observe(host.current!);
    const themed = new MutationObserver(build);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData([seconds, ...lines.map((line) => line.values)] as uPlot.AlignedData);
  }, [seconds, lines]);

  return <div class="line-chart" ref={host} />;
}
