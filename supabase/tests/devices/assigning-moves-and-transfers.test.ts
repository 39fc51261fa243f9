import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const assign = (
  serial: string,
  target: Record<string, unknown>,
  actor: Actor = world.orgAdmin,
): Promise<Record<string, unknown>> =>
  db.as(actor, (session) => session.value('select ec.assign_device($1, $2)', [serial, target]));
const make = (serial: string): Promise<unknown> =>
  db.as(world.orgAdmin, (session) => register(session, serial));
const tenures = (serial: string): Promise<string> =>
  db.value(
    'select count(*) from public.device_tenures t join public.devices d on d.id = t.device_id where d.serial = $1',
    [serial],
  );

test('a room, another room, no room: a tenure for each, none for a repetition', async () => {
  await make('MOVE-1');
  expect(await assign('MOVE-1', { location_id: world.org.room })).toMatchObject({
    location_id: world.org.room,
  });
  await assign('MOVE-1', { location_id: world.org.room });
  await assign('MOVE-1', { location_id: world.org.otherRoom });
  expect(await assign('MOVE-1', { location_id: null })).toMatchObject({ location_id: null });
  expect(await tenures('MOVE-1')).toBe('4');
});

test('a move among empty rooms keeps the shadow; entering or leaving a tenant’s room does not', async () => {
  await make('MOVE-2');
  const desired = (): Promise<unknown> =>
    db.value(`select desired from public.devices where serial = 'MOVE-2'`);
  const set = (): Promise<unknown> =>
    db.query(`update public.devices set desired = '{"relay":true}' where serial = 'MOVE-2'`);
  await set();
  await assign('MOVE-2', { location_id: world.org.otherRoom });
  expect(await desired()).toEqual({ relay: true });
  await assign('MOVE-2', { location_id: world.org.room });
  expect(await desired()).toEqual({});
  await set();
  await assign('MOVE-2', { location_id: null });
  expect(await desired()).toEqual({});
});

test('a transfer needs rights on both sides and leaves nothing of the old holder behind', async () => {
  await make('MOVE-3');
  await assign('MOVE-3', { location_id: world.org.room });
  await db.query(`update public.devices set desired = '{"relay":true}' where serial = 'MOVE-3'`);
  await expectRefusal(assign('MOVE-3', { org_id: world.sibling.id }), 'EC404', 'not_found');
  await expectRefusal(
    assign('MOVE-3', { org_id: world.stranger.id }, world.partnerUser),
    'EC404',
    'not_found',
  );
  const epoch = await db.value<number>('select live_epoch from public.orgs where id = $1', [world.org.id]);

  const moved = await assign('MOVE-3', { org_id: world.sibling.id }, world.partnerUser);
  expect(moved).toMatchObject({ org_id: world.sibling.id, location_id: null, lifecycle: 'claimed' });
  const [row] = await db.query(
    `select d.desired, d.claimed_at is not null as claimed, s.org_num, d.maker_org_id
     from public.devices d join public.device_state s on s.device_id = d.id where d.serial = 'MOVE-3'`,
  );
  expect(row).toEqual({ desired: {}, claimed: true, org_num: world.sibling.num, maker_org_id: world.org.id });
  expect(
    await db.as(world.viewer, (session) =>
      session.query(`select 1 from public.devices where serial = 'MOVE-3'`),
    ),
  ).toEqual([]);
  expect(await db.value('select live_epoch from public.orgs where id = $1', [world.org.id])).toBe(epoch + 1);
  const unused = `select count(*) from public.claim_codes c join public.devices d on d.id = c.device_id where d.serial = 'MOVE-3' and revoked_at is null`;
  expect(await db.value(unused)).toBe('0');
});

test('a room of another org is like no room at all', async () => {
  await make('MOVE-4');
  const foreign = await expectRefusal(
    assign('MOVE-4', { location_id: world.stranger.room }),
    'EC404',
    'not_found',
  );
  const missing = await expectRefusal(assign('MOVE-4', { location_id: world.org.id }), 'EC404', 'not_found');
  const device = await expectRefusal(
    assign(world.stranger.device.serial, { location_id: null }),
    'EC404',
    'not_found',
  );
  expect(foreign).toEqual(missing);
  expect(device).toEqual(missing);
});

test('readers, tenants and customers are forbidden, strangers find nothing', async () => {
  const { serial } = world.org.device;
  for (const actor of [world.viewer, world.operator, world.tenant, world.customer])
    await expectRefusal(assign(serial, { location_id: null }, actor), 'EC403', 'forbidden');
  for (const actor of [world.outsider, world.strangerAdmin, { device: world.org.device.id }])
    await expectRefusal(assign(serial, { location_id: null }, actor), 'EC404', 'not_found');
});

test('in bulk every item has its own result', async () => {
  for (const serial of ['BULK-1', 'BULK-2']) await make(serial);
  const items = [
    { serial: 'BULK-2', location_id: world.org.room },
    { serial: world.stranger.device.serial, location_id: null },
    { serial: 'BULK-1', location_id: 'no uuid' },
    { serial: 'BULK-1', location_id: world.org.otherRoom },
  ];
  const results = await db.as(world.orgAdmin, (session) =>
    session.value<{ i: number; ok: boolean; error?: { code: string } }[]>('select ec.assign_devices($1)', [
      JSON.stringify(items),
    ]),
  );
  expect(results.map(({ i, ok, error }) => [i, ok, error?.code])).toEqual([
    [0, true, undefined],
    [1, false, 'not_found'],
    [2, false, 'unprocessable'],
    [3, true, undefined],
  ]);
});

test('a customer’s device stays theirs in another room and not in another org', async () => {
  const { serial } = world.org.device;
  await makeMember(db, 'x', 'viewer', { org: world.sibling.id });
  await assign(serial, { location_id: world.org.otherRoom });
  const customer = `select customer_id from public.devices where serial = '${serial}'`;
  expect(await db.value(customer)).toBe((world.customer as { user: string }).user);
  await assign(serial, { org_id: world.sibling.id }, world.partnerUser);
  expect(await db.value(customer)).toBeNull();
  expect(await db.as(world.customer, (session) => session.query('select 1 from public.devices'))).toEqual([]);
});
