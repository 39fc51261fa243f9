import { seedOf, unit } from '../../../cli/src/simulate/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const HISTORY_DAYS = 14;
/** What is older lives on in roll-ups only, as with every device that ran for real. */
export const RAW_DAYS = 8;

/** How far apart readings lie at which age: fine where people zoom in, coarse where charts show days. */
const STAGES = [
  { fromAge: HISTORY_DAYS * DAY, toAge: RAW_DAYS * DAY, everyS: 900 },
  { fromAge: RAW_DAYS * DAY, toAge: DAY, everyS: 300 },
  { fromAge: DAY, toAge: HOUR, everyS: 60 },
] as const;

/**
 * When a device reported in the two weeks before `now` (epoch ms, ascending): every quarter of an hour at
 * first, every 5 minutes later, the last day every minute, the last hour at its own beat. Devices do not
 * report in step, and now and then one was out of reach for a while: such a gap stays a gap.
 */
export function historyTimes(serial: string, now: number, beatS: number, silentForH = 0): number[] {
  const seed = seedOf(`${serial}/history`);
  const times: number[] = [];
  for (const { fromAge, toAge, everyS } of [...STAGES, { fromAge: HOUR, toAge: 0, everyS: beatS }]) {
    const step = everyS * 1_000;
    const phase = Math.floor(unit(seed, everyS) * step);
    for (let at = Math.ceil((now - fromAge) / step) * step + phase - step; at < now - toAge; at += step)
      if (at >= now - fromAge && at <= now - silentForH * HOUR && !wasAway(seed, at)) times.push(at);
  }
  return times;
}

/** One day in nine holds an outage of half an hour to four hours. */
function wasAway(seed: number, at: number): boolean {
  const day = Math.floor(at / DAY);
  if (unit(seed, day, 1) > 1 / 9) return false;
  const start = unit(seed, day, 2) * 18 * HOUR;
  const length = (0.5 + unit(seed, day, 3) * 3.5) * HOUR;
  const inDay = at - day * DAY;
  return inDay >= start && inDay < start + length;
}
