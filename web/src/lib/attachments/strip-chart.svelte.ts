import { Chart, Filler, LinearScale, LineController, LineElement, PointElement, type Scale } from 'chart.js';
import type { Attachment } from 'svelte/attachments';
import type { Point } from '#lib/history/series.ts';
import { valueTicks } from '#lib/history/value-ticks.ts';
import { palette } from '#lib/state/palette.svelte.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, Filler);

export interface Strip {
  points: readonly Point[];
  from: number;
  to: number;
  /** Vertical lines of the shared time axis. */
  ticks: readonly number[];
  /** CSS colour of the metric. */
  colour: string;
  /** Smallest span of the value axis, so that noise of the last digit does not look like a storm. */
  minSpan: number;
  format: (value: number) => string;
}

/** Width of the value axis in px; the crosshair and the time axis start behind it. */
export const AXIS_WIDTH = 52;

type Dot = { x: number; y: number | null };

/** One metric over time: a band from minimum to maximum, the mean as a line, nothing where there is nothing. */
export function stripChart(read: () => Strip): Attachment<HTMLCanvasElement> {
  return (canvas) => {
    const chart = new Chart<'line', Dot[]>(canvas, {
      type: 'line',
      data: { datasets: [line(), line(), line()] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        events: [],
        layout: { padding: { top: 6, bottom: 2, right: 1 } },
        scales: {
          x: {
            type: 'linear',
            ticks: { display: false },
            border: { display: false },
            grid: { drawTicks: false },
          },
          y: {
            border: { display: false },
            grid: { drawTicks: false },
            ticks: {
              padding: 8,
              font: { family: 'Inter Variable, sans-serif', size: 11 },
            },
            afterFit: (scale) => (scale.width = AXIS_WIDTH),
          },
        },
      },
    });
    $effect(() => {
      draw(chart, read());
      chart.update('none');
    });
    return () => chart.destroy();
  };
}

function line() {
  return { data: [] as Dot[], pointRadius: 0, borderWidth: 0, spanGaps: false as const };
}

function draw(chart: Chart<'line', Dot[]>, strip: Strip): void {
  const colour = palette.resolve(strip.colour);
  const gridColour = palette.resolve('var(--line)');
  const [low, high, mean] = chart.data.datasets;
  if (!low || !high || !mean) return;
  low.data = dots(strip.points, 1);
  Object.assign(high, {
    data: dots(strip.points, 3),
    fill: '-1',
    backgroundColor: colour.replace('rgb(', 'rgba(').replace(')', ', 0.16)'),
  });
  Object.assign(mean, {
    data: dots(strip.points, 2),
    borderWidth: 1.5,
    borderColor: colour,
    borderJoinStyle: 'round',
    fill: false,
  });

  const { x, y } = chart.options.scales ?? {};
  if (x) {
    Object.assign(x, {
      min: strip.from,
      max: strip.to,
      afterBuildTicks: (scale: Scale) => (scale.ticks = strip.ticks.map((value) => ({ value }))),
    });
    Object.assign(x.grid ?? {}, { color: gridColour });
  }
  if (y) {
    Object.assign(y, valueRange(strip), {
      afterBuildTicks: (scale: Scale) =>
        (scale.ticks = valueTicks(scale.min, scale.max).map((value) => ({ value }))),
    });
    Object.assign(y.grid ?? {}, { color: gridColour });
    Object.assign(y.ticks ?? {}, {
      color: palette.resolve('var(--text-faint)'),
      callback: (value: unknown) => strip.format(Number(value)),
    });
  }
}

/** A gap has no time of its own; just behind the point before it keeps the order the chart relies on. */
function dots(points: readonly Point[], index: 1 | 2 | 3): Dot[] {
  let last = points.find((point) => point !== null)?.[0] ?? 0;
  return points.map((point) => {
    last = point ? point[0] : last + 1;
    return { x: last, y: point ? point[index] : null };
  });
}

function valueRange({
  points,
  from,
  to,
  minSpan,
}: Strip): { min: number; max: number } | Record<'min' | 'max', undefined> {
  const seen = points.filter((point) => point !== null && point[0] >= from && point[0] <= to) as [
    number,
    number,
    number,
    number,
  ][];
  if (seen.length === 0) return { min: undefined, max: undefined };
  const low = Math.min(...seen.map((point) => point[1]));
  const high = Math.max(...seen.map((point) => point[3]));
  const pad = Math.max((high - low) * 0.12, (minSpan - (high - low)) / 2, 0);
  return { min: low - pad, max: high + pad };
}
