/** Metrics are data of a product type: a new product needs no code. These are the shapes and how to print a value. */
import { z } from 'zod';
import { KEY_PATTERN } from './packet-limits.ts';

export const MetricDefinition = z
  .object({
    key: z.string().regex(KEY_PATTERN),
    label: z.string(),
    unit: z.string().describe('May be empty'),
    decimals: z.int().min(0).max(9),
    min_value: z.number().nullable().describe('Sane range, also the default axis of gauges'),
    max_value: z.number().nullable(),
    watched: z.boolean().describe('Anomaly detection looks at it'),
    min_deviation: z.number().nullable().describe('Smaller absolute deviations are never anomalies'),
    min_denominator: z.number().nullable().describe('Floor of the mean a percentage is computed from'),
    sort: z.int(),
    chart: z.boolean().describe('Shown in charts by default'),
  })
  .meta({ id: 'MetricDefinition' });
export type MetricDefinition = z.infer<typeof MetricDefinition>;

/** The four metrics whose rolling mean is kept (ANO). */
export const WATCHED_METRICS = ['temp', 'hum', 'co2', 'bat'] as const;
export type WatchedMetric = (typeof WATCHED_METRICS)[number];

/** LiPo cell: 3.3 V empty, 4.2 V full (DIA). */
export function batteryPercent(volts: number): number {
  return Math.round(Math.min(1, Math.max(0, (volts - 3.3) / 0.9)) * 100);
}

/** `formatMetric(24.26, {decimals: 1, unit: '°C'})` → `24.3 °C`. */
export function formatMetric(value: number, metric: Pick<MetricDefinition, 'decimals' | 'unit'>): string {
  const text = value.toFixed(metric.decimals);
  return metric.unit === '' ? text : `${text} ${metric.unit}`;
}
