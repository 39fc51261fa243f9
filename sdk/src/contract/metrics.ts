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
