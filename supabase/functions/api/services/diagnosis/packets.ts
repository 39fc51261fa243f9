import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk/contract';
import { verdict, type Facts } from './facts.ts';
import { duration, plural } from './words.ts';

type Loss = NonNullable<DeviceDiagnostics['loss']>;
type Skew = NonNullable<DeviceDiagnostics['skew']>;

const FEW_PACKETS = 20;

/** Numbers that never came. Null for a device that does not number its packets. */
export function judgeLoss({ packets, health }: Pick<Facts, 'packets' | 'health'>): Loss | null {
  if (packets === null) return null;
  const { hours, expected, received, duplicates } = packets;
  const percent = expected === 0 ? 0 : Math.round(((expected - received) / expected) * 1000) / 10;
  return {
    hours,
    expected,
    received,
    duplicates,
    percent,
    verdict: lossVerdict(packets, percent, health.loss),
  };
}

function lossVerdict(
  { expected, received, hours }: NonNullable<Facts['packets']>,
  percent: number,
  { warn_pct, bad_pct }: Facts['health']['loss'],
): HealthVerdict {
  if (expected < FEW_PACKETS) return verdict('unknown', 'learning', 'Too few packets so far to tell.');
  const lost = expected - received;
  if (lost === 0)
    return verdict('ok', 'none', `All ${plural(expected, 'packet')} of the last ${hours} hours arrived.`);
  const text = `${plural(lost, 'packet')} of ${expected.toLocaleString('en')} never arrived.`;
  if (percent < warn_pct) return verdict('ok', 'few', text);
  return verdict(
    percent < bad_pct ? 'warn' : 'bad',
    'lossy',
    `${text.slice(0, -1)}: ${percent} %.`,
    'Look at the signal and at restarts; with QoS 1 and a buffer in the device nothing is lost.',
  );
}

/** How far its clock is off. Null when its packets carry no time of their own: then the arrival counts. */
export function judgeClock({ skew, health }: Pick<Facts, 'skew' | 'health'>): Skew | null {
  if (skew === null) return null;
  const off = Math.abs(skew.ms);
  const { warn_ms, bad_ms } = health.clock;
  // What the way takes looks like a clock that is behind.
  if (off < warn_ms)
    return {
      ...skew,
      verdict: verdict('ok', 'right', `Its clock is right to ${duration(Math.max(off, 1))}.`),
    };
  const text = `Its clock is ${duration(off)} ${skew.ms > 0 ? 'behind' : 'ahead'}.`;
  return {
    ...skew,
    verdict: verdict(
      off < bad_ms ? 'warn' : 'bad',
      skew.ms > 0 ? 'behind' : 'ahead',
      text,
      'Let it ask a time server (SNTP); readings from more than 5 minutes ahead are refused.',
    ),
  };
}
