import type { Metric, MetricCatalog } from '#lib/metrics/catalog.ts';
import type { ValueAt } from '#lib/state/device-snapshot.svelte.ts';

/** Metrics that can be drawn: those the product type charts, and every number the device sends besides. */
export function chartable(
  catalog: MetricCatalog,
  productType: string,
  values: ReadonlyMap<string, ValueAt>,
): Metric[] {
  const numeric = [...values].filter(([, { value }]) => typeof value === 'number').map(([key]) => key);
  const charted = catalog.charted(productType).map((metric) => metric.key);
  return catalog.order(productType, [...new Set([...charted, ...numeric])]);
}
