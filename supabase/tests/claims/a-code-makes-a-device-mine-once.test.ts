import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { claim, claimIn, makeClaimable, reissue } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { meet } from '../harness/overtaking.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const serialsOf = (actor: Actor): Promise<string[]> =>
  db.as(actor, async (session) =>
    (await session.query<{ serial: string }>('select serial from public.devices order by serial')).map(
      ({ serial }) => serial,
    ),
  );
const rowOf = (serial: string): Promise<Record<string, unknown>> =>
  db.value(
    `select jsonb_build_object('org_id', org_id, 'customer_id', customer_id, 'lifecycle', lifecycle,
       'claimed', claimed_at is not null, 'location_id', location_id) from public.devices where serial = $1`,
    [serial],
  );

test('somebody new gets the device into their portal, and the maker keeps operating it', async () => {
  const person = await makeAccount(db, 'phone');
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-1');
  expect(await claim(db, person, device)).toEqual({
    device_id: device.id,
    serial: 'MINE-1',
    place: 'portal',
    org_id: world.org.id,
    repeated: false,
  });
  expect(await serialsOf(person)).toEqual(['MINE-1']);
  expect(await serialsOf(world.viewer)).toContain('MINE-1');
  expect(await rowOf('MINE-1')).toMatchObject({
    org_id: world.org.id,
    customer_id: person.user,
    lifecycle: 'claimed',
  });
  const me = await db.as(person, (session) =>
    session.value<{ memberships: { role: string; org_id: string }[] }>('select ec.me()'),
  );
  expect(me.memberships).toMatchObject([{ role: 'customer', org_id: world.org.id }]);
});

test('an org admin names their org, and the device leaves its maker with nothing of before', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-2');
  await db.query(
    `update public.devices set desired = '{"relay":true}', location_id = $2, name = 'Sample' where serial = $1`,
    ['MINE-2', world.org.otherRoom],
  );
  expect(await claim(db, world.strangerAdmin, device, world.stranger.id)).toMatchObject({
    place: 'org',
    org_id: world.stranger.id,
  });
  expect(await rowOf('MINE-2')).toEqual({
    org_id: world.stranger.id,
    customer_id: null,
    lifecycle: 'claimed',
    claimed: true,
    location_id: null,
  });
  expect(await db.value(`select desired from public.devices where serial = 'MINE-2'`)).toEqual({});
  expect(await serialsOf(world.orgAdmin)).not.toContain('MINE-2');
  expect(await serialsOf(world.strangerAdmin)).toContain('MINE-2');
});

test('the maker’s own admin may claim for the maker', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-3');
  await claim(db, world.orgAdmin, device, world.org.id);
  expect(await rowOf('MINE-3')).toMatchObject({
    org_id: world.org.id,
    customer_id: null,
    lifecycle: 'claimed',
  });
});

test('a repeated claim by the same person gives the same answer, by anybody else already used', async () => {
  const person = await makeAccount(db, 'again');
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-4');
  const first = await claim(db, person, device);
  expect(await claim(db, person, device)).toEqual({ ...first, repeated: true });
  const refusal = await expectRefusal(claim(db, world.outsider, device), 'EC409', 'already_used');
  expect(refusal.hint).toEqual({ reason: 'used' });
  // Not into another place either: the code was for one claim.
  await expectRefusal(claim(db, world.strangerAdmin, device, world.stranger.id), 'EC409', 'already_used');
  expect(await rowOf('MINE-4')).toMatchObject({ customer_id: person.user });
});

test('of two claims at the same moment one wins', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-5');
  const people = [await makeAccount(db, 'one'), await makeAccount(db, 'two'), await makeAccount(db, 'three')];
  const results = await Promise.allSettled(people.map((person) => claim(db, person, device)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(
    results.flatMap((result) => (result.status === 'rejected' ? [(result.reason as Error).message] : [])),
  ).toEqual(['already_used', 'already_used']);
  const winner = people[results.findIndex(({ status }) => status === 'fulfilled')]!;
  expect(await rowOf('MINE-5')).toMatchObject({ customer_id: winner.user });
  const seen = await Promise.all(people.map((person) => serialsOf(person)));
  expect(seen.filter((serials) => serials.includes('MINE-5'))).toHaveLength(1);
  const members = await db.value(
    `select count(*) from public.memberships where user_id = any ($1) and role = 'customer'`,
    [people.map(({ user }) => user)],
  );
  expect(members).toBe('1');
});

test('a claim that comes while another is not finished waits, and then finds the code used', async () => {
  const [first, second] = [await makeAccount(db, 'quick'), await makeAccount(db, 'slow')];
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-13');
  const [, later] = await meet(
    db,
    first,
    (session) => claimIn(session, device.serial, device.code),
    () => claim(db, second, device),
  );
  expect(later).toMatchObject({ status: 'rejected', reason: { message: 'already_used' } });
  expect(await rowOf('MINE-13')).toMatchObject({ customer_id: first.user });
});

test('a code of another device, an unknown code and an unknown serial are the same nothing', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-6');
  const other = await makeClaimable(db, world.orgAdmin, 'MINE-7');
  const refusals = [
    await expectRefusal(claim(db, world.outsider, { ...device, code: other.code }), 'EC404', 'not_found'),
    await expectRefusal(
      claim(db, world.outsider, { ...device, code: randomBytes(32) }),
      'EC404',
      'not_found',
    ),
    await expectRefusal(claim(db, world.outsider, { ...device, serial: 'NOWHERE-1' }), 'EC404', 'not_found'),
  ];
  expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1);
  expect(await rowOf('MINE-6')).toMatchObject({ lifecycle: 'manufactured', customer_id: null });
});

test('nobody claims for an org they may not register for, and only people claim', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-8');
  await expectRefusal(claim(db, world.viewer, device, world.org.id), 'EC403', 'forbidden');
  await expectRefusal(claim(db, world.outsider, device, world.stranger.id), 'EC404', 'not_found');
  for (const actor of [world.apiKey, { device: device.id }, 'nobody'] as Actor[])
    await expectRefusal(claim(db, actor, device), 'EC403', 'forbidden');
  expect(await rowOf('MINE-8')).toMatchObject({ lifecycle: 'manufactured' });
});

test('a new sticker passes a device from one customer to the next, who shares nothing', async () => {
  const [first, second] = [await makeAccount(db, 'first'), await makeAccount(db, 'second')];
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-9');
  await claim(db, first, device);
  await claim(db, second, await reissue(db, world.orgAdmin, device));
  expect(await serialsOf(first)).toEqual([]);
  expect(await serialsOf(second)).toEqual(['MINE-9']);
});

test('a first packet after the claim makes it active, and the claim is in the log', async () => {
  const person = await makeAccount(db, 'active');
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-10');
  const ingest = (): Promise<unknown> =>
    db.query(`select ec.ingest_telemetry($1::json, 'mqtt')`, [
      JSON.stringify([{ i: 0, s: 'MINE-10', d: { temp: 20 }, r: Date.now() * 1000 }]),
    ]);
  await ingest();
  expect(await rowOf('MINE-10')).toMatchObject({ lifecycle: 'active' });
  await claim(db, person, device);
  expect(await rowOf('MINE-10')).toMatchObject({ lifecycle: 'claimed' });
  await ingest();
  expect(await rowOf('MINE-10')).toMatchObject({ lifecycle: 'active' });
  const [entry] = await db.as(world.orgAdmin, (session) =>
    session.query(
      `select actor_id, before, after from public.audit_log where action = 'device_claimed' and target_id = 'MINE-10'`,
    ),
  );
  expect(entry).toMatchObject({ actor_id: person.user, after: { customer_id: person.user } });
});

test('the maker’s log says that a device was claimed, not by whom elsewhere', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-11');
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  const log = await db.as(world.orgAdmin, (session) =>
    session.query<{ action: string; actor_id: string | null; actor_label: string }>(
      `select action, actor_id, actor_label, before, after from public.audit_log
       where target_id = 'MINE-11' and action like '%claimed'`,
    ),
  );
  expect(log).toEqual([
    {
      action: 'device_claimed',
      actor_id: null,
      actor_label: 'another organisation',
      before: null,
      after: null,
    },
  ]);
});

test('claiming works in one transaction with what follows, and a failure leaves the code usable', async () => {
  const person = await makeAccount(db, 'undo');
  const device = await makeClaimable(db, world.orgAdmin, 'MINE-12');
  await expect(
    db.as(person, async (session) => {
      await claimIn(session, device.serial, device.code);
      throw new Error('the reply could not be made');
    }),
  ).rejects.toThrow('could not be made');
  expect(await claim(db, person, device)).toMatchObject({ repeated: false });
});
