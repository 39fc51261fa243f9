import { describe, expect, it } from 'vitest';
import type { Result } from '../lab/results.ts';
import { percentiles } from '../lab/percentiles.ts';
import { renderReport } from './render.ts';
import { median, range, table } from './table.ts';

const machine = { cpu: 'Test CPU', cores: 2, memory_gib: 24, system: 'Debian', node: 'v24.0.0' };
const result = (bench: string, data: unknown, options = {}): Result => ({
  bench,
  at: '2026-11-22',
  machine,
  load_before: 0.3,
  options,
  conditions: { 'postgres fsync': 'on' },
  data,
});
const run = (readings_per_s: number, lost = 0) => ({
  contender: 'ours-mosquitto',
  verdict: { acknowledged: 100_000, rows: 100_000 - lost, lost, doubled: 0, unacknowledged: 0 },
  seconds: 10,
  readings_per_s,
  cpu_s: { broker: 1, consumer: 5, postgres: 7, generator: 2 },
  consumer_mb: 100,
  generator_lateness_ms: { p50: 0, p99: 1, max: 2 },
});

describe('the report', () => {
  it('names the machine, shows the median of the rounds and what was lost', () => {
    const contender = {
      name: 'x',
      label: 'Ours',
      does: 'everything',
      acknowledges: 'after commit',
      runs: [run(12_000), run(15_500, 3), run(9_000)],
    };
    const text = renderReport(
      new Map([
        [
          'ingest',
          result('ingest', { contenders: [contender] }, { devices: 10_000, seconds: 60, rounds: 3 }),
        ],
      ]),
    );
    expect(text).toContain('2 cores of Test CPU');
    expect(text).toContain(
      '| Ours | 12,000 | 9,000–15,500 | 3 | 0 | after commit | 130 | 50 % | 70 % | 10 % |',
    );
    expect(text).toContain('load average before: 0.3 · postgres fsync on');
    expect(text).toContain(
      'Not measured yet: latency, drills, card, toggle, updates, https-door, chart, startup.',
    );
  });

  it('never says where on the machine things lie', () => {
    expect(
      renderReport(new Map([['startup', result('startup', { steps: { first: percentiles([3, 4]) } })]])),
    ).not.toMatch(/\/(home|root|tmp|work|Users)\//);
  });

  it('says so when nothing was measured', () => {
    expect(renderReport(new Map())).toContain('Nothing was measured yet');
  });
});

describe('the numbers of the report', () => {
  it('are nearest-rank percentiles', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentiles(values)).toEqual({ n: 100, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(percentiles([7])).toEqual({ n: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  });

  it('have a median and a range', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1])).toBe(2.5);
    expect(range([1_000, 2_500])).toBe('1,000–2,500');
    expect(table(['a', 'b'], [['x', 1]])).toBe('| a | b |\n| --- | --: |\n| x | 1 |');
  });
});
