/** The log's filters live in the URL: a link shows what its sender saw. */

export interface AuditFilter {
  action?: string;
  actor?: string;
  /** Days in the reader's zone, YYYY-MM-DD, both included. */
  from?: string;
  to?: string;
}

const KEYS = ['action', 'actor', 'from', 'to'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

type Params = Pick<URLSearchParams, 'get'>;

/** Nonsense in a hand-made link counts as no filter. */
export function readAuditFilter(params: Params): AuditFilter {
  const filter: AuditFilter = {};
  for (const key of KEYS) {
    const value = params.get(key)?.trim().slice(0, 200);
    if (!value || ((key === 'from' || key === 'to') && !isDay(value))) continue;
    filter[key] = value;
  }
  return filter;
}

/** The question to the API: whole days of the reader's zone as moments. */
export function toAuditQuery({ from, to, ...rest }: AuditFilter, zone: string): AuditFilter {
  return {
    ...rest,
    ...(from && { from: startOfDay(from, zone).toISOString() }),
    ...(to && { to: startOfDay(nextDay(to), zone).toISOString() }),
  };
}

export function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
}

/** Midnight of a day in a zone; on a day that begins late for daylight saving, the first moment there is. */
export function startOfDay(day: string, zone: string): Date {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  // The offset at the guess is right except around a change of the clocks: the second look settles that.
  const guess = wanted - offsetAt(wanted, zone);
  return new Date(wanted - offsetAt(guess, zone));
}

function offsetAt(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(at);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '00';
  const local = `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}Z`;
  return Date.parse(local) - Math.floor(at / 1000) * 1000;
}
