import type { ControlDefinition, MetricDefinition, ProductType } from '@edgeconductor/sdk';
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
        { type, metrics: new Map([...(type.controls ?? []).map(asMetric), ...type.metrics.map(entry)]) },
      ]),
    );
  }

  typeName(productType: string): string {
    return this.#types.get(productType)?.type.name ?? productType;
  }

  /** Keys that a customer may set. */
  controllable(productType: string): string[] {
    return this.#types.get(productType)?.type.controllable_keys ?? [];
  }

  /** What may be set on such a device, in order. */
  controls(productType: string): readonly ControlDefinition[] {
    return this.#types.get(productType)?.type.controls ?? [];
  }

  /** Seconds between two packets of such a device. */
  interval(productType: string): number {
    return this.#types.get(productType)?.type.telemetry_interval_s ?? 60;
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

const entry = (definition: MetricDefinition): [string, Metric] => [definition.key, describe(definition)];

/** A control that nobody measures: what the device reports of it has its words and its unit, and no chart. */
function asMetric({
  key,
  label,
  unit,
  decimals,
  min_value,
  max_value,
  sort,
}: ControlDefinition): [string, Metric] {
  const metric = { key, label, unit, decimals, min: min_value, max: max_value, chart: false, defined: true };
  return [key, { ...metric, sort: 500 + sort, colour: metricColour(key) }];
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

const ACRONYMS = new Set([
  'ac',
  'csq',
  'dc',
  'gps',
  'id',
  'ip',
  'led',
  'pm',
  'pwm',
  'rpm',
  'rssi',
  'usb',
  'uv',
  'voc',
]);

function openMetric(key: string): Metric {
  return {
    key,
    label: readable(key),
    unit: '',
    decimals: null,
    min: null,
    max: null,
    chart: true,
    sort: 1000,
    colour: metricColour(key),
    defined: false,
  };
}

/** `fan_speed` → "Fan speed", `gps_fix` → "GPS fix", `doorOpen` → "Door open". */
function readable(key: string): string {
  const words = key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_')
    .filter(Boolean);
  const text = words.map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word)).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const bySort = (a: Metric, b: Metric) => a.sort - b.sort || a.label.localeCompare(b.label, 'en');
