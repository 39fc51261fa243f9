/** How metrics are printed. No schema in here, so that a web page does not load zod for it. */
import type { MetricDefinition } from './metrics.ts';

/** `formatMetric(24.26, {decimals: 1, unit: '°C'})` → `24.3 °C`. */
export function formatMetric(value: number, metric: Pick<MetricDefinition, 'decimals' | 'unit'>): string {
  const text = value.toFixed(metric.decimals);
  return metric.unit === '' ? text : `${text} ${metric.unit}`;
}
