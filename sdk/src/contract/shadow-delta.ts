/** What a device still has to do. No schema in here, so that a web page does not load zod for it. */

type Document = Record<string, unknown>;

/** Keys of desired that differ in reported: objects key by key, arrays and scalars as a whole. */
export function shadowDelta(desired: Document, reported: Document): Document {
  const delta: Document = {};
  for (const [key, want] of Object.entries(desired)) {
    const have = Object.hasOwn(reported, key) ? reported[key] : undefined;
    if (isObject(want) && isObject(have)) {
      const inner = shadowDelta(want, have);
      if (Object.keys(inner).length > 0) delta[key] = inner;
    } else if (!sameValue(want, have)) delta[key] = want;
  }
  return delta;
}

/** JSON values by meaning: 1 equals 1.0, the order of keys says nothing. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((entry, i) => sameValue(entry, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
  );
}

/** Merges a patch as desired and reported are merged: null removes a key, objects go key by key, arrays replace. */
export function mergeShadow(document: Document, patch: Document): Document {
  const merged: Document = { ...document };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isObject(value)) merged[key] = mergeShadow(isObject(merged[key]) ? merged[key] : {}, value);
    else merged[key] = value;
  }
  return merged;
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
