/** The documents by the decided rules, as plainly as they can be written. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Document = { [key: string]: Json };

const isObject = (value: Json | undefined): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** null removes, objects key by key, everything else replaces. */
export function merge(document: Document, patch: Document): Document {
  const merged = { ...document };
  for (const [key, value] of Object.entries(patch)) {
    const old = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isObject(value) ? merge(isObject(old) ? old : {}, value) : value;
  }
  return merged;
}

export function delta(desired: Document, reported: Document): Document {
  const differing: Document = {};
  for (const [key, want] of Object.entries(desired)) {
    const have = reported[key];
    if (same(want, have)) continue;
    differing[key] = isObject(want) && isObject(have) ? delta(want, have) : want;
  }
  // An object all of whose keys are reported, among others, is done.
  for (const [key, value] of Object.entries(differing))
    if (isObject(value) && isObject(reported[key]) && Object.keys(value).length === 0) delete differing[key];
  return differing;
}

export const same = (a: Json | undefined, b: Json | undefined): boolean => ordered(a) === ordered(b);

const ordered = (value: Json | undefined): string | undefined =>
  JSON.stringify(value, (_key, part: Json) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))) : part,
  );

/** What the server keeps for one device. */
export class ReferenceShadow {
  desired: Document = {};
  version = 0;
  reported: Document = {};
  #newest = -Infinity;

  /** False when the version the patch was meant for is not the current one. */
  patch(patch: Document, ifMatch: number | null): boolean {
    if (ifMatch !== null && ifMatch !== this.version) return false;
    const merged = merge(this.desired, patch);
    if (!same(merged, this.desired)) this.version++;
    this.desired = merged;
    return true;
  }

  report(document: Document): void {
    this.reported = merge(this.reported, document);
  }

  /** Late packets are history and change nothing. */
  telemetry(values: Document, ts: number): void {
    if (ts <= this.#newest) return;
    this.#newest = ts;
    this.reported = { ...this.reported, ...values };
  }
}

/** What the device library keeps: the newest document by its version. A restart forgets it. */
export class ReferenceDevice {
  version = -1;
  desired: Document = {};

  take(document: { version: number; desired: Document }): void {
    if (document.version < this.version) return;
    this.version = document.version;
    this.desired = document.desired;
  }

  restart(): void {
    this.version = -1;
    this.desired = {};
  }
}
