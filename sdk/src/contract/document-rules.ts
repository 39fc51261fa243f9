/** What every document of a device may hold: a packet, a shadow. No schema in here, so that a web page can check what
 *  somebody types without loading zod. */

export const KEY_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Would be dangerous as object keys in somebody's JavaScript, wherever the reading travels to. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const MAX_PACKET_BYTES = 8 * 1024;
export const MAX_DEPTH = 8;
export const MAX_STRING_BYTES = 1024;
/** Beyond this a float8 sum or product in the database could overflow and take its whole batch along. */
export const MAX_MAGNITUDE = 1e100;

/** True for a key a packet, a shadow or a rule may use. */
export function isMetricKey(key: string): boolean {
  return KEY_PATTERN.test(key) && !FORBIDDEN_KEYS.has(key);
}
