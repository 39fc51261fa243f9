import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { claim, makeClaimable } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { accept, invite } from '../harness/inviting.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let org: string;
let admin: Actor;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  await db.query(`update public.plan_limits set max_devices = 3, max_users = 2 where plan = 'pro'`);
});
afterAll(() => db.drop());

let count = 0;
const serial = (): string => `PLAN-${1000 + ++count}`;
/** An org of three devices and two people at most, with one admin. */
beforeEach(async () => {
  org = await db.value(
    `insert into public.orgs (partner_id, name, slug, plan) values ($1, 'Small', $2, 'pro') returning id`,
    [world.partner, `small-${++count}`],
  );
  admin = await makeMember(db, 'small', 'org_admin', { org });
});
const make = (): Promise<{ device: { serial: string } }> =>
  db.as(admin, (session) => register(session, serial(), { orgId: org }));
const devices = async (): Promise<number> =>
  Number(
    await db.value(`select count(*) from public.devices where org_id = $1 and lifecycle <> 'retired'`, [org]),
  );

test('the limits of the plans are read by everybody who is signed in', async () => {
  const rows = await db.as(world.outsider, (session) =>
    session.query(
      `select plan, max_devices, max_users, max_orgs from public.plan_limits where plan <> 'pro' order by plan`,
    ),
  );
  expect(rows).toEqual([
    { plan: 'business', max_devices: 100_000, max_users: 1000, max_orgs: null },
    { plan: 'enterprise', max_devices: null, max_users: null, max_orgs: null },
    { plan: 'starter', max_devices: 1000, max_users: 25, max_orgs: null },
  ]);
});

test('registering ends at the limit with what is allowed and used, and a retired device makes room', async () => {
  for (let n = 0; n < 3; n++) await make();
  const refusal = await expectRefusal(make(), 'EC403', 'plan_limit');
  expect(refusal.hint).toEqual({ plan: 'pro', kind: 'devices', limit: 3, used: 3 });
  const first = await db.value<string>('select min(serial) from public.devices where org_id = $1', [org]);
  // Repeating a registration adds nothing.
  await db.as(admin, (session) => register(session, first, { orgId: org }));
  await db.query(`update public.devices set activated_at = now() where serial = $1`, [first]);
  await db.as(admin, (session) => session.query('select ec.retire_device($1, true)', [first]));
  await make();
  // The retired one comes back only when there is room.
  await expectRefusal(
    db.as(admin, (session) => register(session, first, { orgId: org })),
    'EC403',
    'plan_limit',
  );
});

test('a bulk registration takes what fits, item by item', async () => {
  const items = Array.from({ length: 5 }, () => ({
    serial: serial(),
    product_type: 'EC-CLIMATE-V1',
    secret_sha256: '',
  }));
  const results = await db.as(admin, (session) =>
    session.value<{ ok: boolean; error?: { code: string } }[]>(
      `select ec.register_devices((select json_agg(to_jsonb(i) || jsonb_build_object('secret_sha256', encode(sha256(i.serial::bytea), 'hex'),
         'password_hash', '$7$101$' || repeat('a', 16) || '$' || repeat('a', 86) || '==', 'salt', repeat('s', 12)))
         from json_to_recordset($1) i (serial text, product_type text)), $2)`,
      [JSON.stringify(items), org],
    ),
  );
  expect(results.map(({ ok, error }) => (ok ? 'ok' : error!.code))).toEqual([
    'ok',
    'ok',
    'ok',
    'plan_limit',
    'plan_limit',
  ]);
  expect(await devices()).toBe(3);
});

test('registrations at the same moment do not pass the limit together', async () => {
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => make()));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(await devices()).toBe(3);
});

test('claiming and transferring into a full org are refused, and a customer’s claim is not', async () => {
  for (let n = 0; n < 3; n++) await make();
  const device = await makeClaimable(db, world.orgAdmin, serial());
  await expectRefusal(claim(db, admin, device, org), 'EC403', 'plan_limit');
  await expectRefusal(
    db.as(world.partnerUser, (session) =>
      session.query('select ec.assign_device($1, $2)', [device.serial, { org_id: org }]),
    ),
    'EC403',
    'plan_limit',
  );
  // Refused means nothing happened to the code.
  expect(await claim(db, await makeAccount(db, 'customer'), device)).toMatchObject({ place: 'portal' });
});

test('people are counted with those who are invited, customers and tenants are not', async () => {
  const inviting = (role: string, email: string): ReturnType<typeof invite> =>
    invite(db, admin, { org_id: org, role, email });
  const person = await makeAccount(db, 'second');
  const { token } = await inviting('viewer', person.email);
  const refusal = await expectRefusal(inviting('operator', 'third@example.com'), 'EC403', 'plan_limit');
  expect(refusal.hint).toMatchObject({ kind: 'users', limit: 2, used: 2 });
  // The same person again takes no second seat, and customers take none.
  await inviting('operator', person.email);
  await inviting('customer', 'fourth@example.com');
  await accept(db, person, token);
  await expectRefusal(inviting('viewer', 'third@example.com'), 'EC403', 'plan_limit');
});

test('accepting after the plan shrank is refused and leaves the invitation open', async () => {
  const people = [await makeAccount(db, 'a'), await makeAccount(db, 'b')];
  await db.query(`update public.orgs set plan = 'starter' where id = $1`, [org]);
  const tokens: Buffer[] = [];
  for (const { email } of people)
    tokens.push((await invite(db, admin, { org_id: org, role: 'viewer', email })).token);
  await db.query(`update public.orgs set plan = 'pro' where id = $1`, [org]);
  const results = await Promise.allSettled(people.map((person, n) => accept(db, person, tokens[n]!)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const loser = results.findIndex(({ status }) => status === 'rejected');
  await expectRefusal(accept(db, people[loser]!, tokens[loser]!), 'EC403', 'plan_limit');
  await db.query(`update public.orgs set plan = 'starter' where id = $1`, [org]);
  await accept(db, people[loser]!, tokens[loser]!);
});

test('a partner makes as many orgs as its plan says, unlimited unless it says so', async () => {
  const create = (): Promise<unknown> =>
    db.as(world.partnerUser, (session) => session.value(`select ec.create_org('{"name":"Another"}')`));
  await create();
  const used = Number(
    await db.value('select count(*) from public.orgs where partner_id = $1', [world.partner]),
  );
  await db.query(`update public.plan_limits set max_orgs = $1 where plan = 'starter'`, [used + 1]);
  await create();
  const refusal = await expectRefusal(create(), 'EC403', 'plan_limit');
  expect(refusal.hint).toEqual({ plan: 'starter', kind: 'orgs', limit: used + 1, used: used + 1 });
});
