import { batteryPercent } from '@edgeconductor/sdk/contract';
import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk/contract';
import { numberOf, timeOf, verdict, type Facts, type Point } from './facts.ts';
import { trendOf } from './trend.ts';
import { span, tidy } from './words.ts';

type Battery = NonNullable<DeviceDiagnostics['battery']>;

/** Percent from one hour to the next that only a charger or a fresh cell explains. */
const CHARGED_PCT = 4;
const LEARNING_H = 12;
/** Percent a day that is no more than the weather in the cell. */
const STEADY_PCT = 0.7;
const FAR_AWAY_DAYS = 365;

/** Charge by the curve of the cell, and how long it lasts at the pace since it was last charged. */
export function judgeBattery(facts: Facts): Battery | null {
  const volts = numberOf(facts, 'bat');
  if (volts === null) return null;
  const limits = facts.health.battery;
  const percent = batteryPercent(volts, limits.curve);
  const points = facts.battery.map(([t, , mean]): Point => [t, batteryPercent(mean, limits.curve)]);
  const since = sinceCharged(points);
  const trend = trendOf(since);
  const perDay = trend && trend.spanH >= LEARNING_H ? trend.perHour * 24 : null;
  const daysLeft =
    perDay !== null && perDay <= -STEADY_PCT ? Math.min(percent / -perDay, FAR_AWAY_DAYS) : null;
  return {
    volts,
    percent,
    at: timeOf(facts, 'bat'),
    per_day: perDay === null ? null : round(perDay),
    days_left: daysLeft === null ? null : round(daysLeft),
    points: facts.battery,
    verdict: judge(volts, percent, perDay, daysLeft, isCharging(points), facts),
  };
}

/** The hours after the last rise that only charging explains. */
function sinceCharged(points: readonly Point[]): readonly Point[] {
  for (let i = points.length - 1; i > 0; i--)
    if ((points[i] as Point)[1] - (points[i - 1] as Point)[1] > CHARGED_PCT) return points.slice(i);
  return points;
}

function isCharging(points: readonly Point[]): boolean {
  const [a, b] = [points.at(-3), points.at(-1)];
  return a !== undefined && b !== undefined && b[1] - a[1] > CHARGED_PCT;
}

function judge(
  volts: number,
  percent: number,
  perDay: number | null,
  daysLeft: number | null,
  charging: boolean,
  facts: Facts,
): HealthVerdict {
  const { alert_v, warn_pct, warn_days } = facts.health.battery;
  const left = daysLeft === null ? '' : ` At this pace it lasts ${span(daysLeft * 24)}.`;
  if (volts < alert_v)
    return verdict(
      'bad',
      'empty',
      `Nearly empty: ${tidy2(volts)} V, below ${tidy2(alert_v)} V.${left}`,
      'Charge or swap the battery now.',
    );
  if (charging) return verdict('ok', 'charging', `Charging, ${percent} % so far.`);
  if (percent < warn_pct)
    return verdict(
      'warn',
      'low',
      `Getting low: ${percent} % left.${left}`,
      'Plan to charge or swap the battery.',
    );
  if (daysLeft !== null && daysLeft < warn_days)
    return verdict(
      'warn',
      'draining',
      `Loses ${tidy(-(perDay as number))} % a day and will be empty in ${span(daysLeft * 24)}.`,
      'Look for what keeps the device awake, or charge it in time.',
    );
  if (perDay === null)
    return verdict('ok', 'good', `Good, ${percent} %. How long it lasts shows after half a day.`);
  if (daysLeft === null) return verdict('ok', 'steady', `Good, ${percent} %, and it keeps its charge.`);
  return verdict(
    'ok',
    'good',
    `Good, ${percent} %.${daysLeft < FAR_AWAY_DAYS ? left : ' It lasts for more than a year.'}`,
  );
}

const round = (value: number): number => Math.round(value * 10) / 10;
const tidy2 = (volts: number): string => volts.toFixed(2).replace(/0$/, '');
