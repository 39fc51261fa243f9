import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { ingest, makeDevices, makeFleetOrg, readState, type FleetDevice } from '../harness/fleet.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('a late reading belongs to who held the device then, and never becomes current for who holds it now', async () => {
  const before = await makeFleetOrg(db);
  const after = await makeFleetOrg(db);
  const [device] = (await makeDevices(db, before.id, 1)) as [FleetDevice];
  const { serial, num } = device;
  const now = Date.now();
  await ingest(db, [{ s: serial, d: { temp: 1 }, r: (now - 7_200_000) * 1000, t: now - 7_200_000 }]);

  await db.query('update public.devices set org_id = $2 where id = $1', [device.id, after.id]);
  await db.query('select private.start_tenure($1, true)', [device.id]);
  await db.query(
    `update public.device_tenures set started_at = started_at - interval '3 hours', ended_at = ended_at - interval '1 hour'
     where device_num = $1 and ended_at is not null`,
    [num],
  );
  await db.query(
    `update public.device_tenures set started_at = started_at - interval '1 hour' where device_num = $1 and ended_at is null`,
    [num],
  );
  await db.query(
    `update public.device_state set tenure_started_at = tenure_started_at - interval '1 hour' where device_num = $1`,
    [num],
  );

  await ingest(db, [
    { s: serial, d: { temp: 2 }, r: now * 1000, t: now - 5_400_000 },
    { s: serial, d: { temp: 3 }, r: now * 1000 + 1, t: now - 5_300_000 },
  ]);
  expect(await readState(db, num)).toMatchObject({ reported: {}, reported_at: null });
  await ingest(db, [{ s: serial, d: { temp: 4 }, r: now * 1000 + 2, t: now - 60_000 }]);
  expect(await readState(db, num)).toMatchObject({ reported: { temp: 4 } });

  const holders = await db.query(
    `select (data -> 'temp')::int as temp, org_num, t.org_id from public.telemetry r join public.device_tenures t on t.id = r.tenure_id
     where r.device_num = $1 order by ts`,
    [num],
  );
  expect(holders).toEqual([
    ...[1, 2, 3].map((temp) => ({ temp, org_num: before.num, org_id: before.id })),
    { temp: 4, org_num: after.num, org_id: after.id },
  ]);
});
