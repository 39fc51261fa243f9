/** When a pg_cron job is due: `N seconds`, five cron fields in UTC, or one of the @names. */
export type Schedule =
  | { kind: 'interval'; seconds: number }
  | {
      kind: 'cron';
      minutes: Set<number>;
      hours: Set<number>;
      days: Set<number>;
      months: Set<number>;
      weekdays: Set<number>;
      anyDay: boolean;
      anyWeekday: boolean;
    };

const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Throws a RangeError that names the part it does not understand. */
export function parseSchedule(text: string): Schedule {
  const interval = /^\s*([1-9]|[1-5]\d)\s+seconds?\s*$/i.exec(text);
  if (interval) return { kind: 'interval', seconds: Number(interval[1]) };
  const fields = (NAMED[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5)
    throw new RangeError(`"${text}" is neither "N seconds" (1 to 59) nor five cron fields`);
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const weekdays = parseField(weekday, 0, 7, WEEKDAYS, 0);
  if (weekdays.delete(7)) weekdays.add(0);
  return {
    kind: 'cron',
    minutes: parseField(minute, 0, 59),
    hours: parseField(hour, 0, 23),
    // pg_cron knows `$` for the last day of the month.
    days: day === '$' ? new Set([LAST_DAY]) : parseField(day, 1, 31),
    months: parseField(month, 1, 12, MONTHS, 1),
    weekdays,
    anyDay: day.startsWith('*'),
    anyWeekday: weekday.startsWith('*'),
  };
}

const LAST_DAY = -1;

function parseField(
  field: string,
  min: number,
  max: number,
  names: string[] = [],
  firstName = 0,
): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:\/(\d+))?$/i.exec(part);
    const [, range, stepText] = match ?? [];
    if (range === undefined) throw new RangeError(`"${part}" is not a cron field`);
    const step = stepText === undefined ? 1 : Number(stepText);
    const [from, to] =
      range === '*' ? [min, max] : ends(range, names, firstName, stepText === undefined ? undefined : max);
    if (step < 1 || from < min || to > max || from > to)
      throw new RangeError(`"${part}" is outside ${min} to ${max}`);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function ends(
  range: string,
  names: string[],
  firstName: number,
  openEnd: number | undefined,
): [number, number] {
  const [from, to] = range.split('-').map((text) => {
    const index = names.indexOf(text.toLowerCase().slice(0, 3));
    return index >= 0 ? index + firstName : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  }) as [number, number | undefined];
  const end = to ?? openEnd ?? from;
  if (Number.isNaN(from) || Number.isNaN(end)) throw new RangeError(`"${range}" is not a cron field`);
  return [from, end];
}

/** Whether a cron schedule is due in this minute (UTC). Day and weekday are either-or when both are given. */
export function isDue(schedule: Schedule & { kind: 'cron' }, at: Date): boolean {
  if (!schedule.minutes.has(at.getUTCMinutes()) || !schedule.hours.has(at.getUTCHours())) return false;
  if (!schedule.months.has(at.getUTCMonth() + 1)) return false;
  const day = schedule.days.has(at.getUTCDate()) || (schedule.days.has(LAST_DAY) && isLastDay(at));
  const weekday = schedule.weekdays.has(at.getUTCDay());
  return schedule.anyDay || schedule.anyWeekday ? day && weekday : day || weekday;
}

const isLastDay = (at: Date): boolean =>
  new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1)).getUTCDate() === 1;
