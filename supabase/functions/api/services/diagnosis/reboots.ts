import type { DeviceReboot, HealthVerdict, VersionRecord } from '@edgeconductor/sdk/contract';
import { verdict, type Facts } from './facts.ts';
import { plural, span } from './words.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** PANIC and any watchdog (WDT, TASK_WDT, INT_WDT): the firmware's own fault. */
export const isCrash = (reason: string | null): boolean => reason !== null && /PANIC|WDT/.test(reason);
const isPowerLoss = (reason: string | null): boolean => reason === 'BROWNOUT';

/** What the last day was like; older restarts are history. */
export function judgeReboots(
  { boots, health, now }: Pick<Facts, 'boots' | 'health' | 'now'>,
  uptimeS: number | null = null,
): HealthVerdict {
  const today = boots.filter(({ at }) => Date.parse(at) > Date.parse(now) - DAY);
  const crashes = today.filter(({ reason }) => isCrash(reason)).length;
  const { warn_crashes, bad_crashes } = health.restarts;
  if (crashes >= warn_crashes)
    return verdict(
      crashes >= bad_crashes ? 'bad' : 'warn',
      'crashing',
      `It crashed ${crashes === 1 ? 'once' : `${crashes} times`} in the last 24 hours.`,
      'Look which firmware version crashes, and update or go back to one that does not.',
    );
  if (today.some(({ reason }) => isPowerLoss(reason)))
    return verdict(
      'warn',
      'power',
      'It restarted because its supply voltage was too low.',
      'Check the power supply, the cable and the battery.',
    );
  if (boots.length === 0)
    return verdict(
      'ok',
      'none',
      uptimeS === null
        ? 'No restart was seen so far.'
        : `It started ${span(uptimeS / 3600)} ago; nothing before that is known.`,
    );
  const all = boots.filter(({ reason }) => isCrash(reason)).length;
  const last = span((Date.parse(now) - Date.parse((boots[0] as DeviceReboot).at)) / HOUR);
  return verdict(
    'ok',
    'calm',
    `${plural(boots.length, 'restart')} in 30 days, the last ${last} ago; ${all === 0 ? 'none was a crash' : `${plural(all, 'crash', 'crashes')} among them`}.`,
  );
}

/** How long each version ran and how often it crashed. A run ends with the next start, or with what is now. */
export function versionRecords(
  { boots, fw_version, last_seen }: Pick<Facts, 'boots' | 'fw_version' | 'last_seen'>,
  uptimeS: number | null,
): VersionRecord[] {
  const records = new Map<string | null, VersionRecord>();
  const note = (version: string | null, hours: number, ended: string | null): void => {
    const record = records.get(version) ?? {
      ...{ fw_version: version, hours: 0, starts: 0, crashes: 0, power_losses: 0, hours_per_crash: null },
    };
    record.hours += Math.max(0, hours);
    record.starts += 1;
    if (isCrash(ended)) record.crashes += 1;
    if (isPowerLoss(ended)) record.power_losses += 1;
    records.set(version, record);
  };
  const oldestFirst = boots.toReversed();
  const first = oldestFirst[0];
  // Which version ran before the first start that was seen is not known.
  if (first?.previous_uptime_s) note(null, first.previous_uptime_s / 3600, first.reason);
  for (const [i, boot] of oldestFirst.entries()) {
    const next = oldestFirst[i + 1];
    if (!next) continue;
    // It may have been off for a while before it started again.
    const between = (Date.parse(next.at) - Date.parse(boot.at)) / HOUR;
    note(boot.fw_version, Math.min(between, (next.previous_uptime_s ?? Infinity) / 3600), next.reason);
  }
  const newest = boots[0];
  if (newest) note(newest.fw_version ?? fw_version, hoursSince(newest.at, last_seen), null);
  else if (uptimeS !== null) note(fw_version, uptimeS / 3600, null);
  return [...records.values()].toReversed().map((record) => ({
    ...record,
    hours: round(record.hours),
    hours_per_crash: record.crashes === 0 ? null : round(record.hours / record.crashes),
  }));
}

const hoursSince = (at: string, seen: string | null): number =>
  seen === null ? 0 : (Date.parse(seen) - Date.parse(at)) / HOUR;
const round = (hours: number): number => Math.round(hours * 10) / 10;
