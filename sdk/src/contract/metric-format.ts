/** How metrics are printed. No schema in here, so that a web page does not load zod for it. */
import type { MetricDefinition } from './metrics.ts';

/** LiPo cell: 3.3 V empty, 4.2 V full (DIA). */
export function batteryPercent(volts: number): number {
  return Math.round(Math.min(1, Math.max(0, (volts - 3.3) / 0.9)) * 100);
}

/** `formatMetric(24.26, {decimals: 1, unit: '°C'})` → `24.3 °C`. */
export function formatMetric(value: number, metric: Pick<MetricDefinition, 'decimals' | 'unit'>): string {
  const text = value.toFixed(metric.decimals);
  return metric.unit === '' ? text : `${text} ${metric.unit}`;
}
