import type { ControlDefinition } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { MetricCatalog } from '#lib/metrics/catalog.ts';
import { controlsOf, onGrid } from './control-list.ts';

const catalog = new MetricCatalog([]);
const relay: ControlDefinition = {
  ...{ key: 'relay', label: 'Relay', hint: '', kind: 'boolean', unit: '', decimals: 0, sort: 1 },
  ...{ min_value: null, max_value: null, step: null, options: [], confirm: true },
  ...{ on_label: 'Open', off_label: null },
};
const list = (desired: Record<string, unknown>) =>
  controlsOf([relay], desired, (key) => catalog.metric('NODE', key));

describe('the controls of a device', () => {
  it('are those of its product type, asked for or not, with their words', () => {
    expect(list({})).toMatchObject([
      { key: 'relay', label: 'Relay', on: 'Open', off: 'Off', confirm: true, step: 1, free: false },
    ]);
  });

  it('and every other desired key, by the type of its value', () => {
    const desired = { relay: true, night_mode: false, fan: 3, greeting: 'Hi', pid: { kp: 1 }, days: [1] };
    expect(list(desired).map(({ key, label, kind, free }) => [key, label, kind, free])).toEqual([
      ['relay', 'Relay', 'boolean', false],
      ['days', 'Days', 'json', true],
      ['fan', 'Fan', 'number', true],
      ['greeting', 'Greeting', 'text', true],
      ['night_mode', 'Night mode', 'boolean', true],
      ['pid', 'Pid', 'json', true],
    ]);
  });
});

describe('a number', () => {
  it.each([
    [{ min: 5, max: 35, step: 0.5 }, 21.3, 21.5],
    [{ min: 5, max: 35, step: 0.5 }, 99, 35],
    [{ min: 5, max: 35, step: 0.5 }, -3, 5],
    [{ min: null, max: null, step: 0.1 }, 0.1 + 0.2, 0.3],
    [{ min: 0.25, max: 1, step: 0.25 }, 0.6, 0.5],
    [{ min: null, max: null, step: 1e-7 }, 3.4e-7, 3e-7],
  ])('of %j stands on its grid: %d → %d', (control, value, expected) => {
    expect(onGrid(control, value)).toBe(expected);
  });
});
