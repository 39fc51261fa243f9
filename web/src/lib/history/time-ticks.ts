const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
];

/** Round moments between `from` and `to` in the reader's zone, about `count` of them. */
export function timeTicks(from: number, to: number, count: number, timeZone: string): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= count) ?? 7 * DAY;
  const ticks: number[] = [];
  const offset = zoneOffset(from, timeZone);
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) {
    // After a clock change within the window the rest of the ticks move with the clock.
    const drift = zoneOffset(at, timeZone) - offset;
    const moved = step > HOUR ? at - drift : at;
    if (moved >= from && moved <= to) ticks.push(moved);
  }
  return ticks;
}

/** Milliseconds the zone's wall clock is ahead of UTC at a moment. */
export function zoneOffset(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const get = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
  return wall - Math.floor(at / 1000) * 1000;
}
