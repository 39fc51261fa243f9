/**
 * Randomness that can be asked again. A simulated value is a function of (seed, moment), never of how often
 * somebody asked before, so that a back-filled history and the live device agree to the last digit.
 */

/** A 32-bit seed from a text (FNV-1a), usually the serial. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Uniform in [0, 1), fixed for the same seed and coordinates (integers). */
export function unit(seed: number, a: number, b = 0, c = 0): number {
  let h = seed ^ 0x9e3779b9;
  h = stir(h, a);
  h = stir(h, b);
  h = stir(h, c);
  return h / 0x1_0000_0000;
}

/** Roughly normal with mean 0 and deviation 1, never beyond ±3.5: three uniforms are near enough for people. */
export function bell(seed: number, a: number, b = 0, c = 0): number {
  const sum = unit(seed, a, b, c) + unit(seed ^ 0x51ed270b, a, b, c) + unit(seed ^ 0x2545f491, a, b, c);
  return (sum - 1.5) * 2;
}

/** Smooth value noise in [-1, 1]: independent values at whole x, eased in between. */
export function noise(seed: number, x: number): number {
  const left = Math.floor(x);
  const t = x - left;
  const from = unit(seed, left) * 2 - 1;
  const to = unit(seed, left + 1) * 2 - 1;
  return from + (to - from) * t * t * (3 - 2 * t);
}

export function round(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** One murmur3 finaliser round over the running hash and the next coordinate. */
function stir(hash: number, part: number): number {
  let h = (hash ^ Math.imul(part | 0, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}
