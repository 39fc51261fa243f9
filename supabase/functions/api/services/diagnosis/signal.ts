import { signalBars } from '@edgeconductor/sdk/contract';
import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk/contract';
import { numberOf, timeOf, verdict, type Facts } from './facts.ts';

type Signal = NonNullable<DeviceDiagnostics['signal']>;

/** Part of the time below the limit from which a good moment says little. */
const OFTEN = 0.1;
const ADVICE = {
  wifi: 'Move the device or its antenna, or put an access point nearer.',
  gsm: 'Move the antenna to where it sees the sky, or try another network.',
};

export function judgeSignal(facts: Facts): Signal | null {
  const dbm = numberOf(facts, 'signal');
  if (dbm === null) return null;
  const { radio, bars } = facts.health.signal;
  const points = (facts.series.series['signal'] ?? []).filter((point) => point !== null);
  return {
    dbm,
    radio,
    bars: signalBars(dbm, bars),
    of_bars: bars.length,
    csq: numberOf(facts, 'csq'),
    at: timeOf(facts, 'signal'),
    min: points.length === 0 ? null : Math.min(...points.map((point) => point[1])),
    avg:
      points.length === 0
        ? null
        : Math.round(points.reduce((sum, point) => sum + point[2], 0) / points.length),
    verdict: judge(dbm, points, facts),
  };
}

function judge(dbm: number, points: readonly (readonly number[])[], facts: Facts): HealthVerdict {
  const { radio, bars, warn_dbm, bad_dbm } = facts.health.signal;
  const name = radio === 'wifi' ? 'Wi-Fi' : 'mobile';
  if (dbm < bad_dbm)
    return verdict(
      'bad',
      'very_weak',
      `The ${name} signal is very weak; packets will be late or lost.`,
      ADVICE[radio],
    );
  if (dbm < warn_dbm) return verdict('warn', 'weak', `The ${name} signal is weak.`, ADVICE[radio]);
  const low = points.filter((point) => (point[1] as number) < bad_dbm).length / Math.max(points.length, 1);
  if (low >= OFTEN)
    return verdict(
      'warn',
      'unsteady',
      `The ${name} signal is good now, but was very weak in ${Math.round(low * 100)} % of the time.`,
      ADVICE[radio],
    );
  const all = signalBars(dbm, bars) === bars.length;
  return verdict('ok', all ? 'strong' : 'good', `The ${name} signal is ${all ? 'strong' : 'good'}.`);
}
