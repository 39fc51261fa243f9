import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { claim, epochOf, makeClaimable, reissue, unclaim } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const rowOf = (serial: string): Promise<Record<string, unknown>> =>
  db.value(
    `select jsonb_build_object('org_id', org_id, 'customer_id', customer_id, 'lifecycle', lifecycle, 'name', name,
       'claimed', claimed_at is not null, 'location_id', location_id, 'desired', desired) from public.devices where serial = $1`,
    [serial],
  );
const history = (actor: Actor, serial: string): Promise<Record<string, unknown>[]> =>
  db.as(actor, (session) => session.value('select ec.device_history($1)', [serial]));

test('a customer gives their device back, and nothing of them stays on it', async () => {
  const person = await makeAccount(db, 'brief');
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-1');
  await claim(db, person, device);
  await db.query(`update public.devices set desired = '{"relay":true}' where serial = 'BACK-1'`);
  await db.query('delete from ec.mqtt_outbox');
  expect(await unclaim(db, person, 'BACK-1')).toEqual({
    serial: 'BACK-1',
    ended: 'customer',
    visible: false,
  });
  expect(await rowOf('BACK-1')).toMatchObject({
    org_id: world.org.id,
    customer_id: null,
    lifecycle: 'manufactured',
    claimed: false,
  });
  expect(await db.value(`select desired from public.devices where serial = 'BACK-1'`)).toEqual({});
  expect(await db.as(person, (session) => session.query('select 1 from public.devices'))).toEqual([]);
  const cleared = await db.query(
    `select topic from ec.mqtt_outbox where retain and payload = '' order by topic`,
  );
  expect(cleared).toEqual([{ topic: 'devices/BACK-1/config' }, { topic: 'devices/BACK-1/shadow/desired' }]);
});

test('the org takes a customer’s device out of the portal, its own claim next, then there is nothing left', async () => {
  const person = await makeAccount(db, 'taken');
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-2');
  await claim(db, world.orgAdmin, device, world.org.id);
  await claim(db, person, await reissue(db, world.orgAdmin, device));
  expect(await unclaim(db, world.orgAdmin, 'BACK-2')).toMatchObject({ ended: 'customer', visible: true });
  await expectRefusal(unclaim(db, world.orgAdmin, 'BACK-2'), 'EC409', 'conflict');
  await claim(db, world.orgAdmin, await reissue(db, world.orgAdmin, device), world.org.id);
  expect(await unclaim(db, world.orgAdmin, 'BACK-2')).toMatchObject({ ended: 'claim' });
});

test('a holder’s device goes back to its maker, without the words the holder wrote on it', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-3');
  await db.query(`update public.devices set attributes = '{"batch":"7"}' where serial = 'BACK-3'`);
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  expect(await db.value(`select attributes from public.devices where serial = 'BACK-3'`)).toEqual({
    batch: '7',
  });
  await db.as(world.strangerAdmin, (session) =>
    session.query(
      `select ec.update_device('BACK-3', '{"name":"Bedroom","tags":["night"],"attributes":{"guest":"Ann"}}')`,
    ),
  );
  expect(await unclaim(db, world.strangerAdmin, 'BACK-3')).toMatchObject({ ended: 'holder', visible: false });
  expect(await rowOf('BACK-3')).toMatchObject({
    org_id: world.org.id,
    lifecycle: 'manufactured',
    name: null,
    claimed: false,
  });
  expect(await db.query(`select tags, attributes from public.devices where serial = 'BACK-3'`)).toEqual([
    { tags: [], attributes: {} },
  ]);
  await expectRefusal(unclaim(db, world.strangerAdmin, 'BACK-3'), 'EC404', 'not_found');
  // It can be claimed once more.
  await claim(db, world.strangerAdmin, await reissue(db, world.orgAdmin, device), world.stranger.id);
});

test('everybody sees the history of their own time with it', async () => {
  const person = await makeAccount(db, 'chronicle');
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-4');
  await claim(db, person, device);
  await unclaim(db, person, 'BACK-4');
  const next = await reissue(db, world.orgAdmin, device);
  await claim(db, world.strangerAdmin, next, world.stranger.id);
  const mine = await history(world.strangerAdmin, 'BACK-4');
  expect(mine.map((row) => [row['org_name'], row['customer_email'], row['ended_at']])).toEqual([
    ['elsewhere', null, null],
  ]);
  await expectRefusal(history(world.orgAdmin, 'BACK-4'), 'EC404', 'not_found');
  await unclaim(db, world.strangerAdmin, 'BACK-4');
  const makers = await history(world.viewer, 'BACK-4');
  expect(makers.map((row) => [row['org_name'], row['customer_email']])).toEqual([
    ['acme', null],
    ['acme', null],
    ['acme', person.email],
    ['acme', null],
  ]);
});

test('neither readers nor firmware nor strangers give it back, and a customer sees no history', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-5');
  const person = await makeAccount(db, 'reader');
  await claim(db, person, device);
  for (const actor of [world.viewer, world.operator, await makeProvisioningKey(db, world.org.id)])
    await expectRefusal(unclaim(db, actor, 'BACK-5'), 'EC403', 'forbidden');
  for (const actor of [world.strangerAdmin, world.customer, { device: device.id }] as Actor[])
    await expectRefusal(unclaim(db, actor, 'BACK-5'), 'EC404', 'not_found');
  await expectRefusal(history(person, 'BACK-5'), 'EC403', 'forbidden');
  await expectRefusal(unclaim(db, person, 'BACK-99'), 'EC404', 'not_found');
});

test('ending a customer’s access empties their portal and passes the device on clean', async () => {
  const person = await makeAccount(db, 'leaving');
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-6');
  await claim(db, person, device);
  await db.query(
    `update public.device_state set reported = '{"temp":21}', reported_at = now() where device_id = $1`,
    [device.id],
  );
  const epoch = await epochOf(db, world.org.id);
  await db.query(`update public.memberships set ended_at = now() where user_id = $1`, [person.user]);
  expect(await rowOf('BACK-6')).toMatchObject({ customer_id: null, lifecycle: 'manufactured' });
  expect(
    await db.value('select reported from public.device_state where device_id = $1', [device.id]),
  ).toEqual({});
  expect(await epochOf(db, world.org.id)).toBeGreaterThan(epoch);
  const open = await db.query(
    `select t.customer_id from public.device_tenures t where t.device_id = $1 and t.ended_at is null`,
    [device.id],
  );
  expect(open).toEqual([{ customer_id: null }]);
});

test('deleting a customer’s account gives their device back, too', async () => {
  const person = await makeAccount(db, 'deleted');
  const device = await makeClaimable(db, world.orgAdmin, 'BACK-7');
  await claim(db, person, device);
  await db.query(`update public.devices set desired = '{"relay":true}' where serial = 'BACK-7'`);
  await db.query('delete from auth.users where id = $1', [person.user]);
  expect(await rowOf('BACK-7')).toMatchObject({ customer_id: null, lifecycle: 'manufactured' });
  expect(await db.value(`select desired from public.devices where serial = 'BACK-7'`)).toEqual({});
  await claim(db, await makeAccount(db, 'next'), await reissue(db, world.orgAdmin, device));
});
