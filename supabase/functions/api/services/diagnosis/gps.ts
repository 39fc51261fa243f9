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
  const told = placeOf(facts);
  if (!('gps_fix' in reported) && told === null) return null;
  const fix = 'gps_fix' in reported ? reported['gps_fix'] === true : true;
  const sats = numberOf(facts, 'sats');
  const ttff = numberOf(facts, 'ttff');
  const { good_sats, very_good_sats } = facts.health.gps;
  const grade = sats === null || sats >= very_good_sats ? 'very_good' : sats >= good_sats ? 'good' : 'rough';
  return {
    fix,
    sats,
    ttff,
    lat: told?.lat ?? null,
    lon: told?.lon ?? null,
    at: timeOf(facts, 'gps_fix' in reported ? 'gps_fix' : 'lat'),
    position_at: told?.at ?? null,
    accuracy_m: !fix || sats === null ? null : ACCURACY_M[grade],
    track: simplified(facts.track),
    track_m: Math.round(trackMetres(facts.track)),
    verdict: judge(fix, told !== null, sats, ttff, grade, facts),
  };
}

/** Where it says it is, else where it was last seen on its way. */
function placeOf(facts: Facts): { lat: number; lon: number; at: string | null } | null {
  const [lat, lon] = [numberOf(facts, 'lat'), numberOf(facts, 'lon')];
  if (lat !== null && lon !== null) return { lat, lon, at: timeOf(facts, 'lat') };
  const last = facts.track.at(-1);
  return last ? { lat: last[1], lon: last[2], at: new Date(last[0]).toISOString() } : null;
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
