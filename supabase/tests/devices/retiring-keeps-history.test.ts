import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const retire = (
  serial: string,
  force = false,
  actor: Actor = world.orgAdmin,
): Promise<{ deleted: boolean }> =>
  db.as(actor, (session) => session.value('select ec.retire_device($1, $2)', [serial, force]));

test('an active device needs force; then its secrets end and its history stays', async () => {
  const secret = makeSecret();
  await db.as(world.orgAdmin, (session) => register(session, 'RET-1', { secret }));
  await db.query(
    `update public.devices set lifecycle = 'active', activated_at = now(), desired = '{"relay":true}', pending_fw_version = '2' where serial = 'RET-1'`,
  );
  await db.query(
    `insert into public.telemetry (device_num, ts, tenure_id, org_num, data)
     select device_num, now(), tenure_id, org_num, '{"temp":1}' from public.device_state where serial = 'RET-1'`,
  );
  await expectRefusal(retire('RET-1'), 'EC409', 'conflict');
  const broker = await db.connect('ec_broker');
  await broker.query('listen ec_credentials');
  const heard = new Promise((resolve) =>
    broker.client.once('notification', ({ payload }) => resolve(payload)),
  );
  expect(await retire('RET-1', true)).toEqual({ deleted: false });
  expect(await heard).toBe('RET-1');
  const [device] = await db.query(
    `select lifecycle, retired_at is not null as retired, desired, pending_fw_version from public.devices where serial = 'RET-1'`,
  );
  expect(device).toEqual({ lifecycle: 'retired', retired: true, desired: {}, pending_fw_version: null });
  expect(await db.query('select * from ec.resolve_device($1, $2)', ['RET-1', secret.sha256])).toEqual([]);
  expect(await db.query(`select * from ec.mqtt_credentials where serial = 'RET-1'`)).toEqual([]);
  expect(
    await db.value(`select count(*) from ec.mqtt_outbox where serial = 'RET-1' and retain and payload = ''`),
  ).toBe('2');
  const readings = await db.as(world.viewer, (session) =>
    session.query(
      `select 1 from public.telemetry t join public.devices d on d.num = t.device_num where d.serial = 'RET-1'`,
    ),
  );
  expect(readings).toHaveLength(1);
  expect(await retire('RET-1')).toEqual({ deleted: false });
});

test('a device that never lived is deleted and its serial is free again', async () => {
  await db.as(world.orgAdmin, (session) => register(session, 'RET-2'));
  expect(await retire('RET-2')).toEqual({ deleted: true });
  for (const table of ['devices', 'device_state', 'device_credentials'])
    expect(await db.query(`select 1 from public.${table} where serial = 'RET-2'`)).toEqual([]);
  expect(await db.as(world.strangerAdmin, (session) => register(session, 'RET-2'))).toMatchObject({
    created: true,
  });
  expect(
    await db.value(
      `select count(*) from public.audit_log where action = 'device_deleted' and target_id = 'RET-2'`,
    ),
  ).toBe('1');
});

test('one whose secret was used is kept', async () => {
  await db.as(world.orgAdmin, (session) => register(session, 'RET-3'));
  await db.query(`select ec.mark_device_authenticated('RET-3')`);
  expect(await retire('RET-3')).toEqual({ deleted: false });
});

test('only who registers may, and foreign is missing', async () => {
  const { serial } = world.org.device;
  for (const actor of [world.viewer, world.operator, world.customer, world.tenant])
    await expectRefusal(retire(serial, true, actor), 'EC403', 'forbidden');
  const foreign = await expectRefusal(retire(world.stranger.device.serial, true), 'EC404', 'not_found');
  expect(await expectRefusal(retire('NOWHERE', true), 'EC404', 'not_found')).toEqual(foreign);
});
