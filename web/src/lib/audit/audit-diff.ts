/** Before and after of an audit entry as lines a person reads. */

export interface DiffLine {
  /** `name`, `attributes.po`: where it was changed. */
  key: string;
  before: string | null;
  after: string | null;
}

// They change with every write and say nothing.
const NOISE = new Set(['updated_at', 'num', 'live_epoch', 'tenure_id']);
const MAX_DEPTH = 4;

/** Only what differs; a thing that appears or goes away is shown whole. */
export function diffOf(before: unknown, after: unknown): DiffLine[] {
  const left = flatten(before);
  const right = flatten(after);
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((key) => ({ key, before: left.get(key) ?? null, after: right.get(key) ?? null }))
    .filter((line) => line.before !== line.after)
    .sort((a, b) => a.key.localeCompare(b.key, 'en'));
}

function flatten(value: unknown): Map<string, string> {
  const lines = new Map<string, string>();
  const walk = (part: unknown, path: string[]): void => {
    if (isObject(part) && path.length < MAX_DEPTH) {
      for (const [key, inner] of Object.entries(part)) if (!NOISE.has(key)) walk(inner, [...path, key]);
      return;
    }
    const text = toText(part);
    if (text !== null) lines.set(path.join('.') || 'value', text);
  };
  walk(value, []);
  return lines;
}

/** Null for what says nothing: absent, empty. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (Array.isArray(value)) {
    if (value.length === 0) return null;
    return value.every((item) => typeof item !== 'object') ? value.join(', ') : JSON.stringify(value);
  }
  if (isObject(value)) return Object.keys(value).length === 0 ? null : JSON.stringify(value);
  return String(value as string | number | boolean);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
