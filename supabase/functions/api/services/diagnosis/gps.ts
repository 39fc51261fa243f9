import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk/contract';
import { numberOf, timeOf, verdict, type Facts } from './facts.ts';
import { simplified, trackMetres } from './track.ts';
import { tidy } from './words.ts';

type Gps = NonNullable<DeviceDiagnostics['gps']>;

/** What so many satellites are good for in the open, in metres. */
const ACCURACY_M = { very_good: 5, good: 10, rough: 50 };

/** Null for a device without a receiver: it never told of a fix or a place. */
export function judgeGps(facts: Facts): Gps | null {
  const { reported } = facts;
  const [lat, lon] = [numberOf(facts, 'lat'), numberOf(facts, 'lon')];
  if (!('gps_fix' in reported) && lat === null) return null;
  const fix = 'gps_fix' in reported ? reported['gps_fix'] === true : lat !== null;
  const sats = numberOf(facts, 'sats');
  const ttff = numberOf(facts, 'ttff');
  const { good_sats, very_good_sats } = facts.health.gps;
  const grade = sats === null || sats >= very_good_sats ? 'very_good' : sats >= good_sats ? 'good' : 'rough';
  return {
    fix,
    sats,
    ttff,
    lat,
    lon,
    at: timeOf(facts, 'gps_fix' in reported ? 'gps_fix' : 'lat'),
    position_at: lat === null ? null : timeOf(facts, 'lat'),
    accuracy_m: !fix || sats === null ? null : ACCURACY_M[grade],
    track: simplified(facts.track),
    track_m: Math.round(trackMetres(facts.track)),
    verdict: judge(fix, lat !== null, sats, ttff, grade, facts),
  };
}

function judge(
  fix: boolean,
  known: boolean,
  sats: number | null,
  ttff: number | null,
  grade: keyof typeof ACCURACY_M,
  facts: Facts,
): HealthVerdict {
  const sky = 'Give the antenna a free view of the sky.';
  if (!fix)
    return verdict(
      'warn',
      'no_fix',
      known
        ? 'No satellite fix now; the place is the last one that was known.'
        : 'It has not found its place yet.',
      sky,
    );
  if (grade === 'rough')
    return verdict(
      'warn',
      'rough',
      `Only ${sats} satellites: the place may be off by ${ACCURACY_M.rough} metres.`,
      sky,
    );
  if (ttff !== null && ttff > facts.health.gps.slow_ttff_s)
    return verdict('warn', 'slow', `It took ${tidy(ttff)} seconds to find its place.`, sky);
  const metres = ACCURACY_M[grade];
  return verdict('ok', grade, `The place is good to about ${metres} metres.`);
}
