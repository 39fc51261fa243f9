/** Fixed colour per metric across the product: temperature looks the same on every card and chart. */

const SLOTS: Record<string, string> = {
  temp: 'temp',
  hum: 'hum',
  co2: 'co2',
  bat: 'bat',
  signal: 'signal',
  heap: 'heap',
  sats: 'gps',
  ttff: 'gps',
  lat: 'gps',
  lon: 'gps',
  speed: 'gps',
};
const SPARE = ['other', 'gps', 'heap', 'signal', 'bat', 'co2', 'hum', 'temp'] as const;

/** CSS value, e.g. `var(--metric-temp)`. Keys nobody defined get a slot from their name, the same one everywhere. */
export function metricColour(key: string): string {
  const slot = Object.hasOwn(SLOTS, key) ? SLOTS[key] : SPARE[hash(key) % SPARE.length];
  return `var(--metric-${slot})`;
}

function hash(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) >>> 0;
  return sum;
}
