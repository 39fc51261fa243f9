import type { MetricDefinition, ProductType } from '@edgeconductor/sdk';
import type { ValueFormat } from '#lib/format/value.ts';
import { metricColour } from '#lib/metrics/colour.ts';

export interface Metric extends ValueFormat {
  key: string;
  label: string;
  min: number | null;
  max: number | null;
  chart: boolean;
  sort: number;
  colour: string;
  /** Somebody described it in the product type; open keys are shown, too, but last. */
  defined: boolean;
}

/** What every product type knows about its metrics, and a sensible answer for keys nobody described. */
export class MetricCatalog {
  readonly #types: Map<string, { type: ProductType; metrics: Map<string, Metric> }>;

  constructor(types: readonly ProductType[]) {
    this.#types = new Map(
      types.map((type) => [
        type.key,
        { type, metrics: new Map(type.metrics.map((m) => [m.key, describe(m)])) },
      ]),
    );
  }

  typeName(productType: string): string {
    return this.#types.get(productType)?.type.name ?? productType;
  }

  types(): ProductType[] {
    return [...this.#types.values()].map(({ type }) => type);
  }

  metric(productType: string, key: string): Metric {
    return this.#types.get(productType)?.metrics.get(key) ?? openMetric(key);
  }

  /** The metric by key alone, for rooms with devices of several types. */
  anyMetric(key: string): Metric {
    for (const { metrics } of this.#types.values()) {
      const found = metrics.get(key);
      if (found) return found;
    }
    return openMetric(key);
  }

  /** Keys in the order of the product type, open keys behind them by name. */
  order(productType: string, keys: readonly string[]): Metric[] {
    return keys.map((key) => this.metric(productType, key)).sort(bySort);
  }

  charted(productType: string): Metric[] {
    const metrics = this.#types.get(productType)?.metrics.values() ?? [];
    return [...metrics].filter((metric) => metric.chart).sort(bySort);
  }
}

function describe(definition: MetricDefinition): Metric {
  return {
    key: definition.key,
    label: definition.label,
    unit: definition.unit,
    decimals: definition.decimals,
    min: definition.min_value,
    max: definition.max_value,
    chart: definition.chart,
    sort: definition.sort,
    colour: metricColour(definition.key),
    defined: true,
  };
}

function openMetric(key: string): Metric {
  const words = key
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  const label = words.charAt(0).toUpperCase() + words.slice(1);
  const colour = metricColour(key);
  return {
    key,
    label,
    unit: '',
    decimals: null,
    min: null,
    max: null,
    chart: true,
    sort: 1000,
    colour,
    defined: false,
  };
}

const bySort = (a: Metric, b: Metric) => a.sort - b.sort || a.label.localeCompare(b.label, 'en');
