/** How a device is: facts of the database, judged by the thresholds of its product type. */
import type { DeviceDiagnostics, DiagnosticsQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { judgeBattery } from './diagnosis/battery.ts';
import { numberOf, timeOf, verdict, type Facts } from './diagnosis/facts.ts';
import { judgeGps } from './diagnosis/gps.ts';
import { judgeHeap } from './diagnosis/heap.ts';
import { judgeClock, judgeLoss } from './diagnosis/packets.ts';
import { judgeReboots, versionRecords } from './diagnosis/reboots.ts';
import { judgeSignal } from './diagnosis/signal.ts';
import { span } from './diagnosis/words.ts';
import { isMine } from './device-rows.ts';
import { missing } from './devices.ts';

export async function readDiagnostics(
  db: Db,
  serial: string,
  { hours }: DiagnosticsQuery,
): Promise<DeviceDiagnostics> {
  const [row] = await db<{ facts: Facts }[]>`
    select ec.read_diagnostics(d.serial, ${hours}::int) as facts
    from public.devices d where d.serial = ${serial} and ${isMine(db)}`;
  if (row === undefined) throw missing();
  return diagnose(row.facts, hours);
}

export function diagnose(facts: Facts, hours: number): DeviceDiagnostics {
  const uptime = readUptime(facts);
  const started = Date.parse(uptime?.started_at ?? facts.boots[0]?.at ?? '');
  return {
    serial: facts.serial,
    at: facts.now,
    hours,
    fw_version: facts.fw_version,
    battery: judgeBattery(facts),
    signal: judgeSignal(facts),
    heap: judgeHeap(facts, Number.isNaN(started) ? null : started),
    uptime,
    reboots: { list: facts.boots, verdict: judgeReboots(facts, uptime?.seconds ?? null) },
    crash_free: { by_version: versionRecords(facts, uptime?.seconds ?? null) },
    gps: judgeGps(facts),
    loss: judgeLoss(facts),
    skew: judgeClock(facts),
    series: facts.series,
    thresholds: facts.health,
  };
}

function readUptime(facts: Facts): DeviceDiagnostics['uptime'] {
  const seconds = numberOf(facts, 'uptime');
  if (seconds === null) return null;
  const at = timeOf(facts, 'uptime');
  return {
    seconds,
    at,
    started_at: at === null ? null : new Date(Date.parse(at) - seconds * 1000).toISOString(),
    verdict: verdict('ok', 'running', `It has run for ${span(seconds / 3600)} without a restart.`),
  };
}
