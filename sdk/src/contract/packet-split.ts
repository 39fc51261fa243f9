/** Cuts the text of a packet or a batch into items without parsing it, so that a monster is measured, not built. */

export interface RawItem {
  text: string;
  bytes: number;
  /** Nesting of this item alone; an object without children has 1. */
  depth: number;
}

export type SplitResult = { batch: boolean; items: RawItem[] } | { broken: string };

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;

/** `{…}` → one item, `[{…},{…}]` → its elements. `broken` when brackets or quotes do not close. O(n), no recursion. */
export function splitPackets(text: string): SplitResult {
  const source = text.trim();
  const batch = source.startsWith('[');
  const items: RawItem[] = [];
  const base = batch ? 1 : 0;
  let depth = 0;
  let deepest = 0;
  let bytes = 0;
  let start = base;
  let end = -1;

  for (let i = 0; i < source.length; i++) {
    if (end >= 0) return { broken: 'something follows the end of the packet' };
    let code = source.charCodeAt(i);
    if (code === QUOTE) {
      const close = endOfString(source, i);
      if (close < 0) return { broken: 'a string is not closed' };
      bytes += utf8Length(source, i, close + 1);
      i = close;
      continue;
    }
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
    // ASCII folds [ ] (91, 93) onto { } (123, 125)
    code |= 32;
    if (code === 123) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 125) {
      depth--;
      if (depth < 0) return { broken: 'a bracket closes that was never opened' };
      if (depth === 0) end = i;
    } else if (batch && depth === 1 && source.charCodeAt(i) === COMMA) {
      items.push(item(source.slice(start, i), bytes - 2, deepest - base));
      start = i + 1;
      bytes = 1;
      deepest = depth;
    }
  }
  if (depth !== 0) return { broken: 'a bracket is not closed' };
  if (!batch) return { batch, items: [item(source, bytes, deepest)] };
  const last = source.slice(start, end);
  if (items.length > 0 || last.trim() !== '') items.push(item(last, bytes - 2, deepest - base));
  return { batch, items };
}

function item(text: string, bytes: number, depth: number): RawItem {
  return { text, bytes, depth };
}

function endOfString(source: string, open: number): number {
  let i = source.indexOf('"', open + 1);
  while (i > 0 && isEscaped(source, i)) i = source.indexOf('"', i + 1);
  return i;
}

function isEscaped(source: string, at: number): boolean {
  let slashes = 0;
  while (source.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

function utf8Length(source: string, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const code = source.charCodeAt(i);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code >= 0xd800 && code < 0xe000 ? 2 : 3;
  }
  return bytes;
}
