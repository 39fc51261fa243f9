import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import type { FleetDevice } from '../harness/fleet.ts';
import { createJob, executionOf, makeFirmware, makeUpdatable } from '../harness/updating.ts';
import { telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const waiting = async (): Promise<number> =>
  Number(
    await db.value(
      `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    ),
  );

test.each([
  ['retired', '1.1.0', (serial: string) => ['select ec.retire_device($1, true)', [serial]]],
  [
    'handed_over',
    '1.2.0',
    (serial: string) => ['select ec.assign_device($1, $2)', [serial, { org_id: world.sibling.id }]],
  ],
] as const)(
  'a device whose packets are being stored is %s after them: neither waits for ever',
  async (reason, version, leave) => {
    const { id } = await makeFirmware(db, world.orgAdmin, world.org.id, version);
    const [device] = (await makeUpdatable(db, world.org.id, 1)) as [FleetDevice];
    const bridge = await db.connect('ec_bridge');
    await bridge.query('begin');
    await telemetry(bridge, device.serial, { temp: 20 });
    const job = await createJob(db, world.orgAdmin, world.org.id, id, [device]);
    const [sql, values] = leave(device.serial);
    const leaving = db.as(world.admin, (session) => session.query(sql as string, values as unknown[]));
    await expect.poll(waiting, { timeout: 10_000, interval: 5 }).toBe(1);
    await telemetry(bridge, device.serial, { temp: 21, fw_version: '0.9.0' });
    await bridge.query('commit');
    await leaving;
    expect(await executionOf(db, job.id, device.serial)).toMatchObject({ state: 'cancelled', reason });
  },
);
