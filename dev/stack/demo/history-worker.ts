import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { seedBoots, seedRefused, seedSilent } from './history-extras.ts';
import { historyRows, type DeviceNumbers } from './history-rows.ts';
import { HISTORY_DAYS } from './history-times.ts';
import type { HistoryJob, HistoryOutcome } from './history.ts';
import { DEVICES, ORGS, PEOPLE } from './plan.ts';

const DAY = 86_400_000;
const ACTION = 'demo_history_filled';
const ROLLUP_COLUMNS = '(device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums)';

/** One transaction: either the whole past is there, with its mark in the audit log, or nothing of it. */
async function fill({ dbUrl, until }: HistoryJob): Promise<HistoryOutcome> {
  const began = performance.now();
  const db = new pg.Client({ connectionString: dbUrl, application_name: 'ec-demo-history' });
  await db.connect();
  try {
    const known = await db.query(`select 1 from public.audit_log where action = $1 limit 1`, [ACTION]);
    if (known.rowCount) return { readings: 0, ms: performance.now() - began };
    // Before the long transaction: making a partition locks the table that live readings go into.
    await db.query(`select ec.ensure_partitions($1, make_interval(days => $2))`, [
      new Date(until),
      HISTORY_DAYS + 1,
    ]);
    await db.query('begin');
    await db.query('set local synchronous_commit = off');
    await backdate(db, until);
    const readings = await copyHistory(db, until);
    await planRollups(db, until);
    await seedSilent(db, until);
    await seedBoots(db, until);
    await seedRefused(db, until);
    await db.query(
      `insert into public.audit_log (org_id, actor_kind, actor_label, action, target_kind, target_id, after)
       select id, 'system', 'Demo', $1, 'org', slug, jsonb_build_object('days', $3::int)
       from public.orgs where slug = any ($2)`,
      [ACTION, ORGS.map(({ slug }) => slug), HISTORY_DAYS],
    );
    await db.query('commit');
    return { readings, ms: performance.now() - began };
  } finally {
    await db.end();
  }
}

/**
 * A device with a past was registered before it, or its own page would contradict its chart; and it was in its
 * room all the time. What registering and assigning left seconds apart becomes one tenure. Whoever lives there or has
 * it has had it since before: people see nothing of a tenure that began before they came.
 */
async function backdate(db: pg.Client, until: number): Promise<void> {
  const used = DEVICES.filter((device) => !device.unused).map(({ serial }) => serial);
  const birth = new Date(until - (HISTORY_DAYS + 1) * DAY);
  await db.query(
    `delete from public.device_tenures t using public.devices d
     where d.serial = any ($1) and t.device_id = d.id and t.ended_at is not null`,
    [used],
  );
  await db.query(
    `update public.device_tenures t set started_at = least(t.started_at, $2)
     from public.devices d where d.serial = any ($1) and t.id = d.tenure_id`,
    [used, birth],
  );
  await db.query(
    `update public.device_state set tenure_started_at = least(tenure_started_at, $2) where serial = any ($1)`,
    [used, birth],
  );
  await db.query(
    `update public.devices set created_at = least(created_at, $2), activated_at = least(activated_at, $2)
     where serial = any ($1)`,
    [used, birth],
  );
  // Tenants and customers see what was measured since they came: the demo's have been there for all of it.
  await db.query(
    `update public.memberships m set created_at = least(m.created_at, $2)
     from public.profiles p where p.id = m.user_id and p.email = any ($1)`,
    [PEOPLE.map(({ email }) => email), birth],
  );
}

async function copyHistory(db: pg.Client, until: number): Promise<number> {
  const { rows } = await db.query<DeviceNumbers>(
    `select serial, device_num, org_num, tenure_id from public.device_state where serial = any ($1)`,
    [DEVICES.map(({ serial }) => serial)],
  );
  let readings = 0;
  for (const device of DEVICES) {
    const numbers = rows.find(({ serial }) => serial === device.serial);
    if (!numbers || device.unused) continue;
    const history = historyRows(device, numbers, until);
    readings += history.readings;
    await copy(
      db,
      'public.telemetry (device_num, ts, received_at, org_num, tenure_id, data)',
      history.telemetry,
    );
    for (const [level, text] of Object.entries(history.rollups))
      await copy(db, `public.rollups_${level} ${ROLLUP_COLUMNS}`, text);
  }
  return readings;
}

async function copy(db: pg.Client, target: string, text: string): Promise<void> {
  const stream = db.query(copyFrom(`copy ${target} from stdin`));
  stream.end(text);
  await once(stream, 'finish');
}

/**
 * Leaves to the roll-up job what the copied rows do not hold: the minute that is not over, and the hours and
 * days above the quarters.
 */
async function planRollups(db: pg.Client, until: number): Promise<void> {
  const serials = DEVICES.filter((device) => !device.unused).map(({ serial }) => serial);
  await db.query(
    `insert into ec.ingest_log (device_nums, minutes)
     select array_agg(device_num), array_agg($2::int) from public.device_state where serial = any ($1)`,
    [serials, Math.floor(until / 60_000)],
  );
  await db.query(
    `with quarters as (
       select q.device_num, q.org_num, q.bucket, o.timezone
       from public.rollups_15m q join public.orgs o on o.num = q.org_num
       where q.device_num in (select device_num from public.device_state where serial = any ($1))
     )
     insert into ec.rollup_pending (level, device_num, org_num, bucket, ends_at)
     select distinct '1h', device_num, 0, h, h + interval '1 hour'
     from quarters, date_trunc('hour', bucket, 'UTC') h
     union all
     select distinct '1d', device_num, org_num, d, ec.next_day_start(d, timezone)
     from quarters, ec.day_start(bucket, timezone) d
     on conflict do nothing`,
    [serials],
  );
}

parentPort?.postMessage(await fill(workerData as HistoryJob));
