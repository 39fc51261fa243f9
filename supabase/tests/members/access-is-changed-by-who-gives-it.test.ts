import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { meet } from '../harness/overtaking.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const membershipOf = (actor: Actor): Promise<string> =>
  db.value('select id from public.memberships where user_id = $1', [(actor as { user: string }).user]);
const change = (actor: Actor, membership: string, role: string): Promise<Record<string, unknown>> =>
  db.as(actor, (session) => session.value('select ec.change_member_role($1, $2)', [membership, role]));
const end = (actor: Actor, membership: string): Promise<unknown> =>
  db.as(actor, (session) => session.query('select ec.end_membership($1)', [membership]));
const isLive = (membership: string): Promise<boolean> =>
  db.value('select ended_at is null from public.memberships where id = $1', [membership]);
const devicesOf = async (actor: Actor): Promise<number> =>
  (await db.as(actor, (session) => session.query('select 1 from public.devices'))).length;

let viewer: Actor;
let membership: string;
beforeEach(async () => {
  viewer = await makeMember(db, 'changing', 'viewer', { org: world.org.id });
  membership = await membershipOf(viewer);
});

test('an org admin changes roles among staff, and it counts at the next request', async () => {
  expect(await change(world.orgAdmin, membership, 'org_admin')).toMatchObject({
    id: membership,
    role: 'org_admin',
    user_id: (viewer as { user: string }).user,
  });
  const rename = (): Promise<unknown> =>
    db.as(viewer, (session) =>
      session.query(`select ec.update_org($1, '{"timezone":"UTC"}')`, [world.org.id]),
    );
  await rename();
  await change(world.partnerUser, membership, 'operator');
  await expectRefusal(rename(), 'EC403', 'forbidden');
  const log = await db.as(world.orgAdmin, (session) =>
    session.query(
      `select before, after from public.audit_log where action = 'member_role_changed' and target_id = $1 order by id`,
      [membership],
    ),
  );
  expect(log).toEqual([
    { before: { role: 'viewer' }, after: { role: 'org_admin' } },
    { before: { role: 'org_admin' }, after: { role: 'operator' } },
  ]);
});

test('nobody becomes more than staff of the org, and customers and tenants stay what they are', async () => {
  for (const role of ['admin', 'partner', 'customer', 'tenant', 'owner'])
    await expectRefusal(change(world.admin, membership, role), 'EC422', 'unprocessable');
  for (const actor of [world.customer, world.tenant])
    await expectRefusal(
      change(world.orgAdmin, await membershipOf(actor), 'viewer'),
      'EC422',
      'unprocessable',
    );
});

test('readers may not, strangers find nothing, and nobody raises themselves', async () => {
  for (const act of [
    (actor: Actor) => change(actor, membership, 'org_admin'),
    (actor: Actor) => end(actor, membership),
  ]) {
    for (const actor of [world.operator, world.viewer, world.apiKey])
      await expectRefusal(act(actor), 'EC403', 'forbidden');
    const missing = await expectRefusal(end(world.orgAdmin, world.org.id), 'EC404', 'not_found');
    for (const actor of [
      world.strangerAdmin,
      world.customer,
      world.tenant,
      world.outsider,
      'nobody',
    ] as Actor[])
      expect(await expectRefusal(act(actor), 'EC404', 'not_found')).toEqual(missing);
  }
  await expectRefusal(change(viewer, membership, 'org_admin'), 'EC403', 'forbidden');
  expect(await isLive(membership)).toBe(true);
});

test('ending access ends it at once; everybody may leave by themselves', async () => {
  expect(await devicesOf(viewer)).toBe(1);
  await end(world.orgAdmin, membership);
  await end(world.orgAdmin, membership);
  expect(await devicesOf(viewer)).toBe(0);

  const tenant = await makeMember(db, 'leaving', 'tenant', { org: world.org.id, location: world.org.room });
  expect(await devicesOf(tenant)).toBe(1);
  await end(tenant, await membershipOf(tenant));
  expect(await devicesOf(tenant)).toBe(0);
  const log = await db.value(
    `select count(*) from public.audit_log where action = 'tenant_moved_out' and actor_id = $1`,
    [tenant.user],
  );
  expect(log).toBe('1');
});

test('the last org admin stays, unless the partner or an administrator takes them away', async () => {
  const admin = world.strangerAdmin;
  const last = await membershipOf(admin);
  await expectRefusal(end(admin, last), 'EC409', 'conflict');
  await expectRefusal(change(admin, last, 'viewer'), 'EC409', 'conflict');
  const second = await makeMember(db, 'second', 'org_admin', { org: world.stranger.id });
  await change(admin, last, 'viewer');
  await expectRefusal(end(second, await membershipOf(second)), 'EC409', 'conflict');
  const partner = await makeMember(db, 'south', 'partner', { partner: world.otherPartner });
  await end(partner, await membershipOf(second));
  expect(await isLive(await membershipOf(second))).toBe(false);
});

test('two admins who remove each other at the same moment leave one', async () => {
  const [one, two] = [
    await makeMember(db, 'one', 'org_admin', { org: world.sibling.id }),
    await makeMember(db, 'two', 'org_admin', { org: world.sibling.id }),
  ];
  const [first, second] = [await membershipOf(one), await membershipOf(two)];
  const [, later] = await meet(
    db,
    one,
    (session) => session.query('select ec.end_membership($1)', [second]),
    () => end(two, first),
  );
  expect(later.status).toBe('rejected');
  expect([await isLive(first), await isLive(second)]).toEqual([true, false]);
});

test('partner and platform access is the administrators’, and one of those stays', async () => {
  const colleague = await makeMember(db, 'colleague', 'partner', { partner: world.partner });
  const theirs = await membershipOf(colleague);
  await expectRefusal(end(world.partnerUser, theirs), 'EC403', 'forbidden');
  await expectRefusal(end(world.orgAdmin, theirs), 'EC404', 'not_found');
  await end(world.admin, theirs);
  expect(await isLive(theirs)).toBe(false);

  await expectRefusal(end(world.admin, await membershipOf(world.admin)), 'EC409', 'conflict');
  await expectRefusal(end(world.partnerUser, await membershipOf(world.admin)), 'EC404', 'not_found');
  const second = await makeMember(db, 'second-admin', 'admin', {});
  await end(world.admin, await membershipOf(second));
});
