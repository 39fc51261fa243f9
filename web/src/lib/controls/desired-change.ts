import { mergeShadow, sameValue } from '@edgeconductor/sdk/contract';

type Document = Readonly<Record<string, unknown>>;

/** One leaf that becomes another; undefined is a key that is not there. */
export interface Change {
  /** `mode`, `pid.kp`. */
  path: string;
  before: unknown;
  after: unknown;
}

/** The merge patch that turns one document into the other: null removes a key, arrays go whole. */
export function patchFor(before: Document, after: Document): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (sameValue(old, value)) continue;
    patch[key] = isObject(old) && isObject(value) ? patchFor(old, value) : value;
  }
  return patch;
}

/** What a patch changes in a document, leaf by leaf, by path. */
export function changesOf(before: Document, patch: Document): Change[] {
  return differences(before, mergeShadow(before, patch), []);
}

/** null removes a key wherever it stands outside lists; what is left is what should be. */
export function withoutNulls(document: Document): Record<string, unknown> {
  return mergeShadow({}, document);
}

/** The patch without what it says about these paths; an object that has nothing left to say goes, too. */
export function withoutPaths(patch: Document, paths: readonly string[], at = ''): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patch)) {
    const path = at + key;
    if (paths.includes(path)) continue;
    const inner = isObject(value) ? withoutPaths(value, paths, `${path}.`) : value;
    const emptied =
      isObject(inner) && isObject(value) && Object.keys(inner).length < Object.keys(value).length;
    if (!emptied || Object.keys(inner).length > 0) rest[key] = inner;
  }
  return rest;
}

function differences(before: Document, after: Document, at: string[]): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key): Change[] => {
    const [old, now] = [before[key], after[key]];
    if (sameValue(old, now)) return [];
    if (isObject(old) && isObject(now)) return differences(old, now, [...at, key]);
    return [{ path: [...at, key].join('.'), before: old, after: now }];
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
