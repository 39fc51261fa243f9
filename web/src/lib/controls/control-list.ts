import type { ControlDefinition } from '@edgeconductor/sdk';
import type { Metric } from '#lib/metrics/catalog.ts';

/** One thing on a device that can be set. Free ones are keys nobody described: shown by the type of their value. */
export interface Control {
  key: string;
  label: string;
  hint: string;
  kind: ControlDefinition['kind'] | 'json';
  unit: string;
  /** null: as many as needed, up to two. */
  decimals: number | null;
  min: number | null;
  max: number | null;
  step: number;
  options: readonly ControlDefinition['options'][number][];
  on: string;
  off: string;
  /** Asks once more before it sends. */
  confirm: boolean;
  free: boolean;
}

/** What the product type describes, in its order, and behind it what is desired besides. */
export function controlsOf(
  definitions: readonly ControlDefinition[],
  desired: Readonly<Record<string, unknown>>,
  metric: (key: string) => Metric,
): Control[] {
  const described = new Set(definitions.map(({ key }) => key));
  const free = Object.keys(desired)
    .filter((key) => !described.has(key))
    .sort();
  return [
    ...definitions.map((definition) => describe(definition)),
    ...free.map((key) => freeControl(desired[key], metric(key))),
  ];
}

function describe(definition: ControlDefinition): Control {
  const { key, label, hint, kind, unit, decimals, options, confirm, sort: _, ...rest } = definition;
  return {
    ...{ key, label, hint, kind, unit, decimals, options, confirm },
    min: rest.min_value,
    max: rest.max_value,
    step: rest.step ?? 10 ** -decimals,
    on: rest.on_label ?? 'On',
    off: rest.off_label ?? 'Off',
    free: false,
  };
}

function freeControl(value: unknown, { key, label, unit, decimals }: Metric): Control {
  return {
    ...{ key, label, unit, decimals, kind: kindOf(value) },
    ...{ hint: '', min: null, max: null, step: 1, options: [], on: 'On', off: 'Off', confirm: false },
    free: true,
  };
}

function kindOf(value: unknown): Control['kind'] {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' ? 'text' : 'json';
}

/** A number that still moves is not sent before it has come to rest. */
export const SETTLE_MS = 400;

/** What a slider or a stepper may stand on: within its range, on its grid, without the dust of binary fractions. */
export function onGrid(control: Pick<Control, 'min' | 'max' | 'step'>, value: number): number {
  const { min, max, step } = control;
  const base = min ?? 0;
  const steps = Math.round((value - base) / step);
  const digits = Math.min(12, Math.max(places(step), places(base)));
  const held = Number((base + steps * step).toFixed(digits));
  return Math.min(max ?? Infinity, Math.max(min ?? -Infinity, held));
}

function places(value: number): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e(-?\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}
