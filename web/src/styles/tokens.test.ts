import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contrast, distance, SIGHTS } from './colour-math.ts';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const pairs = [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
const themes = (['light', 'dark'] as const).map((name, index) => ({
  name,
  token: (key: string) => {
    const found = pairs.find((pair) => pair[1] === key);
    if (!found) throw new Error(`no token --${key}`);
    return found[index + 2] as string;
  },
}));

const SURFACES = ['surface-0', 'surface-1', 'surface-2', 'surface-3'];
const TEXT = ['text-strong', 'text-normal', 'text-faint'];
const STATUS = ['brand', 'ok', 'warn', 'bad', 'info', 'offline'];
const METRICS = pairs.map((pair) => pair[1] as string).filter((key) => key.startsWith('metric-'));

describe.each(themes)('tokens in the $name theme', ({ token }) => {
  const cases = (keys: string[], backgrounds: string[]) =>
    keys.flatMap((key) => backgrounds.map((on) => [key, on]));

  it.each(cases(TEXT, SURFACES))('--%s reads on --%s (4.5:1)', (key, on) => {
    expect(contrast(token(key!), token(on!))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(cases(STATUS, ['surface-0', 'surface-1', 'surface-2']))('--%s reads on --%s (4.5:1)', (key, on) => {
    expect(contrast(token(key!), token(on!))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(STATUS)('--%s and strong text read on its own tint (4.5:1)', (key) => {
    expect(contrast(token(key), token(`${key}-soft`))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(token('text-strong'), token(`${key}-soft`))).toBeGreaterThanOrEqual(4.5);
  });

  it('has readable words on brand buttons, also under the pointer (4.5:1)', () => {
    expect(contrast(token('brand-ink'), token('brand'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(token('brand-ink'), token('brand-strong'))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['surface-0', 'surface-1'])(
    'draws control borders and metric marks visibly on --%s (3:1)',
    (on) => {
      for (const key of ['line-strong', ...METRICS]) {
        expect(contrast(token(key), token(on)), key).toBeGreaterThanOrEqual(3);
      }
    },
  );

  it.each(SIGHTS)('keeps all eight metric colours apart for %s sight', (sight) => {
    expect(METRICS).toHaveLength(8);
    for (const [i, a] of METRICS.entries()) {
      for (const b of METRICS.slice(i + 1)) {
        expect(distance(token(a), token(b), sight), `${a} and ${b}`).toBeGreaterThanOrEqual(0.08);
      }
    }
  });
});
