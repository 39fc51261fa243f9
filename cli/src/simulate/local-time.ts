/** The wall clock of a place, cheap enough to be asked for every simulated slot of two weeks. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

export interface LocalTime {
  /** Days since 1970-01-01 on the local calendar. */
  day: number;
  /** Minutes since local midnight, fractional. */
  minute: number;
  /** 0 = Sunday … 6 = Saturday. */
  weekday: number;
}

export function localTime(zone: string, at: number): LocalTime {
  const shifted = at + zoneOffset(zone, at);
  const day = Math.floor(shifted / DAY);
  return { day, minute: (shifted - day * DAY) / MINUTE, weekday: (((day + 4) % 7) + 7) % 7 };
}

/** Milliseconds to add to UTC in an IANA zone. Remembered per quarter of an hour: no zone changes faster. */
function zoneOffset(zone: string, at: number): number {
  let known = offsets.get(zone);
  if (!known) offsets.set(zone, (known = new Map()));
  const slot = Math.floor(at / (15 * MINUTE));
  let offset = known.get(slot);
  if (offset === undefined) {
    if (known.size > 4_000) known.clear();
    known.set(slot, (offset = measureOffset(zone, slot * 15 * MINUTE)));
  }
  return offset;
}

function measureOffset(zone: string, at: number): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
  const wall = Date.UTC(part['year']!, part['month']! - 1, part['day']!, part['hour']!, part['minute']!);
  return wall - at;
}
