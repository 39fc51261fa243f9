/** Times on screen: relative first, the exact moment on hover; always in a named zone, so the server renders
 *  what the browser would. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const formats = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name}|${timeZone}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
    formats.set(key, found);
  }
  return found;
}

/** "now", "8 s ago", "12 min ago", "3 h ago", "5 d ago", then the date. A clock that runs ahead reads "now". */
export function ago(at: number, now: number, timeZone: string): string {
  const passed = now - at;
  if (passed < 1500) return 'now';
  if (passed > 30 * DAY) return day(at, timeZone);
  return `${age(passed)} ago`;
}

/** A span in its largest unit: "8 s", "12 min", "3 h", "5 d". */
export function age(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** "14:02" today, "Fri 14:02" within six days, "12 Nov" before. For sentences: "Offline since 14:02". */
export function since(at: number, now: number, timeZone: string): string {
  if (day(at, timeZone) === day(now, timeZone)) return clock(at, timeZone);
  if (now - at < 6 * DAY) {
    const weekday = format(timeZone, 'weekday', { weekday: 'short' }).format(at);
    return `${weekday} ${clock(at, timeZone)}`;
  }
  return day(at, timeZone);
}

/** "14:02". */
export function clock(at: number, timeZone: string): string {
  return format(timeZone, 'clock', { hour: '2-digit', minute: '2-digit' }).format(at);
}

/** "14:02:08". */
export function clockSeconds(at: number, timeZone: string): string {
  return format(timeZone, 'seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);
}

/** "12 Nov". */
export function day(at: number, timeZone: string): string {
  return format(timeZone, 'day', { day: 'numeric', month: 'short' }).format(at);
}

/** "22 Nov 2026, 14:02:08 CET": everything there is to know about the moment. */
export function exact(at: number, timeZone: string): string {
  return format(timeZone, 'exact', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(at);
}

/** Epoch milliseconds of an ISO time, null when there is none or it cannot be read. */
export function parseTime(iso: string | null | undefined): number | null {
  if (!iso) return null;
  const at = Date.parse(iso);
  return Number.isNaN(at) ? null : at;
}
