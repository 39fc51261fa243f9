import type { ProductType } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { MetricCatalog } from './catalog.ts';
import { metricColour } from './colour.ts';

const definition = (key: string, label: string, sort: number, chart = true) =>
  ({
    key,
    label,
    unit: '°C',
    decimals: 1,
    min_value: 0,
    max_value: 50,
    chart,
    sort,
  }) as ProductType['metrics'][number];
const type = {
  key: 'NODE',
  name: 'Climate node',
  metrics: [
    definition('hum', 'Humidity', 2),
    definition('temp', 'Temperature', 1),
    definition('heap', 'Free heap', 3, false),
  ],
};
const catalog = new MetricCatalog([type as ProductType]);

describe('what is known about metrics', () => {
  it('comes from the product type, in its order, with open keys behind', () => {
    expect(catalog.order('NODE', ['zeta', 'hum', 'temp']).map((metric) => metric.key)).toEqual([
      'temp',
      'hum',
      'zeta',
    ]);
    expect(catalog.charted('NODE').map((metric) => metric.key)).toEqual(['temp', 'hum']);
    expect(catalog.typeName('NODE')).toBe('Climate node');
    expect(catalog.typeName('GONE')).toBe('GONE');
  });

  it.each([
    ['fan_speed', 'Fan speed'],
    ['gps_fix', 'GPS fix'],
    ['doorOpen', 'Door open'],
    ['csq', 'CSQ'],
  ])('reads the open key %s as “%s”', (key, label) => {
    expect(catalog.metric('NODE', key)).toMatchObject({ label, defined: false, decimals: null });
  });

  it('gives every key one colour, the same in every product type', () => {
    expect(catalog.metric('NODE', 'temp').colour).toBe('var(--metric-temp)');
    expect(catalog.metric('OTHER', 'temp').colour).toBe('var(--metric-temp)');
    expect(metricColour('fan_speed')).toBe(metricColour('fan_speed'));
    expect(metricColour('constructor')).toMatch(/^var\(--metric-\w+\)$/);
  });
});

it('what can be set has the words and the unit of its control, and is no chart', () => {
  const control = { key: 'setpoint', label: 'Target temperature', unit: '°C', decimals: 1, sort: 1 };
  const types = [{ ...type, controls: [{ ...control, key: 'temp' }, control] }] as ProductType[];
  const known = new MetricCatalog(types);
  expect(known.metric('NODE', 'setpoint')).toMatchObject({
    label: 'Target temperature',
    unit: '°C',
    chart: false,
  });
  expect(known.metric('NODE', 'temp').label, 'a metric stays one').toBe('Temperature');
  expect(known.controls('NODE').map(({ key }) => key)).toEqual(['temp', 'setpoint']);
  expect(known.controls('GONE')).toEqual([]);
});
