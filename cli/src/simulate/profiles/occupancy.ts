import { localTime, type LocalTime } from '../local-time.ts';
import { bell, unit } from '../random.ts';

/**
 * Who is in a room, as data. A visit is a habit ("works here Monday to Friday, 8:30 to 17:15"); each day every
 * person, or the group as one, decides anew whether to come, when to arrive and when to leave.
 */
export interface Visit {
  /** 0 = Sunday … 6 = Saturday, the day the visit begins. */
  days: readonly number[];
  /** Local minutes since midnight; `to` may pass 1440 for a night. */
  from: number;
  to: number;
  /** Deviation of both ends, minutes. */
  spread: number;
  /** Chance that it happens at all, 0…1. */
  chance: number;
  /** A number of people who each decide alone, or a group of this size that comes and goes together. */
  people: number | readonly [min: number, max: number];
}

export const WEEKDAYS = [1, 2, 3, 4, 5] as const;
export const WEEKEND = [0, 6] as const;
export const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6] as const;

/** People present at a moment, a pure function of (habits, seed, zone, moment). */
export function peoplePresent(visits: readonly Visit[], seed: number, zone: string, at: number): number {
  const now = localTime(zone, at);
  let present = 0;
  for (let v = 0; v < visits.length; v++) {
    const visit = visits[v]!;
    present += attending(visit, seed + v * 7919, now);
    if (visit.to + 3 * visit.spread > 1440) present += attending(visit, seed + v * 7919, yesterday(now));
  }
  return present;
}

function attending(visit: Visit, seed: number, now: LocalTime): number {
  if (!visit.days.includes(now.weekday)) return 0;
  if (now.minute < visit.from - 4 * visit.spread || now.minute > visit.to + 4 * visit.spread) return 0;
  if (typeof visit.people !== 'number') {
    const [min, max] = visit.people;
    return isIn(visit, seed, now, 0) ? min + Math.floor(unit(seed, now.day, 3) * (max - min + 1)) : 0;
  }
  let count = 0;
  for (let person = 1; person <= visit.people; person++) if (isIn(visit, seed, now, person)) count++;
  return count;
}

function isIn(visit: Visit, seed: number, now: LocalTime, person: number): boolean {
  if (unit(seed, now.day, 0, person) >= visit.chance) return false;
  const arrives = visit.from + bell(seed, now.day, 1, person) * visit.spread;
  const leaves = visit.to + bell(seed, now.day, 2, person) * visit.spread;
  return now.minute >= arrives && now.minute < leaves;
}

/** The same moment told from the day before: minute 1500 of yesterday is 01:00 today. */
function yesterday(now: LocalTime): LocalTime {
  return { day: now.day - 1, minute: now.minute + 1440, weekday: (now.weekday + 6) % 7 };
}
