import type { Device, DeviceShadow } from '@edgeconductor/sdk';
import { sameValue } from '@edgeconductor/sdk/contract';
import { parseTime } from '#lib/format/time.ts';
import type { ShadowEvent } from './live-events.ts';

type Document = Readonly<Record<string, unknown>>;
type Row = Pick<Device, 'shadow_desired' | 'desired_version' | 'desired_times'>;

/** What a device should be, as screens show it. Answers, live events and polls overlap: an older version never wins. */
export class DesiredLive {
  #document = $state.raw<Document>({});
  #version = $state(-1);
  #changedAt = $state.raw<ReadonlyMap<string, number>>(new Map());
  #heardAt = new Map<string, number>();

  constructor(device: Row) {
    this.refresh(device);
  }

  get document(): Document {
    return this.#document;
  }

  get version(): number {
    return this.#version;
  }

  /** When the top-level key was last changed, by the platform's clock; epoch ms, null when nobody knows. */
  changedAt(key: string): number | null {
    return this.#changedAt.get(key) ?? null;
  }

  /** The same by the clock of this page, when it looked on: waiting is measured with one clock. */
  heardAt(key: string): number | null {
    return this.#heardAt.get(key) ?? this.changedAt(key);
  }

  /** The row from a poll or a first load. */
  refresh({ shadow_desired, desired_version, desired_times }: Row): void {
    this.#take(shadow_desired, desired_version, newestTimes(desired_times));
  }

  /** The answer to a change. */
  accept({ desired, desired_version, desired_times }: DeviceShadow): void {
    this.#take(desired, desired_version, newestTimes(desired_times));
  }

  /** A live event: whatever it changes was changed at its moment. */
  hear({ desired, version, at }: ShadowEvent): void {
    const times = new Map(this.#changedAt);
    for (const key of changedKeys(this.#document, desired)) times.set(key, at);
    this.#take(desired, version, times);
  }

  #take(document: Document, version: number, times: ReadonlyMap<string, number>): void {
    if (version < this.#version) return;
    if (this.#version >= 0)
      for (const key of changedKeys(this.#document, document)) this.#heardAt.set(key, Date.now());
    this.#document = document;
    this.#version = version;
    this.#changedAt = times;
  }
}

function changedKeys(before: Document, after: Document): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !sameValue(before[key], after[key]));
}

/** Leaves of `desired_times` are times; a key was changed when its newest leaf was. */
function newestTimes(times: Document): Map<string, number> {
  const newest = new Map<string, number>();
  for (const [key, value] of Object.entries(times)) {
    const at = newestIn(value);
    if (at !== null) newest.set(key, at);
  }
  return newest;
}

function newestIn(value: unknown): number | null {
  if (typeof value === 'string') return parseTime(value);
  if (typeof value !== 'object' || value === null) return null;
  const found = Object.values(value)
    .map(newestIn)
    .filter((at) => at !== null);
  return found.length > 0 ? Math.max(...found) : null;
}
