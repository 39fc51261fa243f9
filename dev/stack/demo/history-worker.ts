import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { beatOf, profileOf } from './board.ts';
import type { HistoryJob, HistoryOutcome } from './history.ts';
import { historyTimes } from './history-times.ts';
import { DEVICES, ORGS, type DemoDevice } from './plan.ts';
import { seedRefused, seedSilent } from './history-extras.ts';

const DAY = 86_400_000;
const ACTION = 'demo_history_filled';
const CHUNK_BYTES = 256 * 1024;

interface Numbers {
  serial: string;
  device_num: number;
  org_num: number;
  tenure_id: number;
}

/** One transaction: either the whole past is there, with its mark in the audit log, or nothing of it. */
async function fill({ dbUrl, until }: HistoryJob): Promise<HistoryOutcome> {
  const began = performance.now();
  const db = new pg.Client({ connectionString: dbUrl, application_name: 'ec-demo-history' });
  await db.connect();
  try {
    const known = await db.query(`select 1 from public.audit_log where action = $1 limit 1`, [ACTION]);
    if (known.rowCount) return { readings: 0, ms: performance.now() - began };
    // Each in a transaction of its own: making a partition locks the table that live readings go into.
    for (let day = 15; day >= 0; day--)
      await db.query(`select ec.ensure_partitions($1)`, [new Date(until - day * DAY)]);
    await db.query('begin');
    await db.query('set local synchronous_commit = off');
    const readings = await copyReadings(db, until);
    await db.query(`select ec.rebuild_rollups($1, $2)`, [new Date(until - 15 * DAY), new Date(until)]);
    await seedSilent(db, until);
    await seedRefused(db, until);
    await backdate(db, until);
    await db.query(
      `insert into public.audit_log (org_id, actor_kind, actor_label, action, target_kind, target_id, after)
       select id, 'system', 'Demo', $1, 'org', slug, jsonb_build_object('days', 14) from public.orgs where slug = any ($2)`,
      [ACTION, ORGS.map(({ slug }) => slug)],
    );
    await db.query('commit');
    return { readings, ms: performance.now() - began };
  } finally {
    await db.end();
  }
}

async function copyReadings(db: pg.Client, until: number): Promise<number> {
  const { rows } = await db.query<Numbers>(
    `select serial, device_num, org_num, tenure_id from public.device_state where serial = any ($1)`,
    [DEVICES.map(({ serial }) => serial)],
  );
  const stream = db.query(
    copyFrom('copy public.telemetry (device_num, ts, received_at, org_num, tenure_id, data) from stdin'),
  );
  let readings = 0;
  let text = '';
  for (const device of DEVICES) {
    const numbers = rows.find(({ serial }) => serial === device.serial);
    if (!numbers || device.unused) continue;
    for (const line of lines(device, numbers, until)) {
      readings++;
      text += line;
      if (text.length < CHUNK_BYTES) continue;
      if (!stream.write(text)) await once(stream, 'drain');
      text = '';
    }
  }
  stream.end(text);
  await once(stream, 'finish');
  return readings;
}

function* lines(device: DemoDevice, numbers: Numbers, until: number): Generator<string> {
  const profile = profileOf(device);
  const { device_num, org_num, tenure_id } = numbers;
  for (const at of historyTimes(device.serial, until, beatOf(device), device.silentForH)) {
    const time = new Date(at).toISOString();
    const data = JSON.stringify(profile.sample(at));
    yield `${device_num}\t${time}\t${time}\t${org_num}\t${tenure_id}\t${data}\n`;
  }
}

/** A device with a past was registered before it, or its own page would contradict its chart. */
async function backdate(db: pg.Client, until: number): Promise<void> {
  const used = DEVICES.filter((device) => !device.unused).map(({ serial }) => serial);
  const birth = new Date(until - 15 * DAY);
  await db.query(
    `update public.devices set created_at = least(created_at, $2), activated_at = least(activated_at, $2)
     where serial = any ($1)`,
    [used, birth],
  );
  await db.query(
    `update public.device_tenures t set started_at = least(t.started_at, $2)
     from public.devices d where d.serial = any ($1) and t.id = d.tenure_id`,
    [used, birth],
  );
}

parentPort?.postMessage(await fill(workerData as HistoryJob));
