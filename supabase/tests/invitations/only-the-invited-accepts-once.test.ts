import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { accept, invite } from '../harness/inviting.ts';
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

const preview = (token: Buffer): Promise<Record<string, unknown>> =>
  db.as('nobody', (session) => session.value('select ec.preview_invitation($1)', [token]));
const rolesOf = async (user: string): Promise<string[]> =>
  (
    await db.query<{ role: string }>(
      'select role from public.memberships where user_id = $1 and ended_at is null order by role',
      [user],
    )
  ).map(({ role }) => role);

test('the invited person accepts with their confirmed address, in any case of letters', async () => {
  const person = await makeAccount(db, 'new', { email: 'Mixed.Case@Example.com' });
  const { token, invitation } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'operator',
    email: ' mixed.case@EXAMPLE.com ',
  });
  expect(invitation).toMatchObject({ email: 'mixed.case@example.com', state: 'open', sent_count: 1 });
  expect(await preview(token)).toMatchObject({
    state: 'open',
    email: 'mixed.case@example.com',
    role: 'operator',
    org: { name: 'acme', slug: 'acme', brand: {} },
    partner: null,
  });
  const first = await accept(db, person, token);
  expect(first).toMatchObject({ repeated: false, membership: { role: 'operator', org_id: world.org.id } });
  expect(await accept(db, person, token)).toEqual({ ...first, repeated: true });
  expect(await rolesOf(person.user)).toEqual(['operator']);
  expect(await preview(token)).toMatchObject({ state: 'accepted' });
});

test('nobody else accepts it, nor the same address unconfirmed, and they hear which address was meant', async () => {
  const person = await makeAccount(db, 'meant', { confirmed: false });
  const { token } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'viewer',
    email: person.email,
  });
  for (const actor of [person, world.outsider, world.orgAdmin] as Actor[]) {
    const refusal = await expectRefusal(accept(db, actor, token), 'EC403', 'forbidden');
    expect(refusal.hint).toEqual({ email: person.email });
  }
  for (const actor of [world.apiKey, { device: world.org.device.id }, 'nobody'] as Actor[])
    await expectRefusal(accept(db, actor, token), 'EC403', 'forbidden');
  await db.query('update auth.users set email_confirmed_at = now() where id = $1', [person.user]);
  await accept(db, person, token);
});

test('of parallel accepts one makes the membership, the others find it made', async () => {
  const person = await makeAccount(db, 'parallel');
  const { token } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'customer',
    email: person.email,
  });
  const results = await Promise.all([1, 2, 3, 4].map(() => accept(db, person, token)));
  expect(results.filter(({ repeated }) => !repeated)).toHaveLength(1);
  expect(new Set(results.map(({ membership }) => membership.id)).size).toBe(1);
  expect(await rolesOf(person.user)).toEqual(['customer']);
});

test('an accept that comes while another is not finished waits, and then finds it accepted', async () => {
  const person = await makeAccount(db, 'twice');
  const { token } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'viewer',
    email: person.email,
  });
  const [first, second] = await meet(
    db,
    person,
    (session) => session.value('select ec.accept_invitation($1)', [token]),
    () => accept(db, person, token),
  );
  expect(first).toMatchObject({ repeated: false });
  expect(second).toMatchObject({ status: 'fulfilled', value: { repeated: true } });
});

test('a revocation that comes first wins over an accept', async () => {
  const person = await makeAccount(db, 'toolate');
  const { token, invitation } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'viewer',
    email: person.email,
  });
  const [, accepted] = await meet(
    db,
    world.orgAdmin,
    (session) => session.query('select ec.revoke_invitation($1)', [invitation.id]),
    () => accept(db, person, token),
  );
  expect(accepted).toMatchObject({ status: 'rejected', reason: { message: 'expired' } });
  expect(await rolesOf(person.user)).toEqual([]);
});

test('it does not bring back who was removed, and a second use is a used one', async () => {
  const person = await makeAccount(db, 'removed');
  const { token } = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'viewer',
    email: person.email,
  });
  const { membership } = await accept(db, person, token);
  await db.as(world.orgAdmin, (session) => session.query('select ec.end_membership($1)', [membership.id]));
  await expectRefusal(accept(db, person, token), 'EC409', 'already_used');
  expect(await rolesOf(person.user)).toEqual([]);
});

test('an expired, a revoked and an unknown one each say so', async () => {
  const person = await makeAccount(db, 'late');
  const target = { org_id: world.org.id, role: 'viewer', email: person.email };
  const { token, invitation } = await invite(db, world.orgAdmin, target);
  await db.query('update public.invitations set expires_at = now() where id = $1', [invitation.id]);
  expect(await preview(token)).toMatchObject({ state: 'expired' });
  const expired = await expectRefusal(accept(db, person, token), 'EC410', 'expired');
  expect(expired.hint).toEqual({ reason: 'expired' });

  const again = await invite(db, world.orgAdmin, target);
  expect(again.invitation).toMatchObject({ id: invitation.id, state: 'open', sent_count: 2 });
  const revoke = (): Promise<unknown> =>
    db.as(world.orgAdmin, (session) => session.query('select ec.revoke_invitation($1)', [invitation.id]));
  await revoke();
  await revoke();
  expect(await preview(again.token)).toMatchObject({ state: 'revoked' });
  const revoked = await expectRefusal(accept(db, person, again.token), 'EC410', 'expired');
  expect(revoked.hint).toEqual({ reason: 'revoked' });

  const unknown = await expectRefusal(accept(db, person, randomBytes(32)), 'EC404', 'not_found');
  // The link of the first mail ended when the second was sent.
  expect(await expectRefusal(accept(db, person, token), 'EC404', 'not_found')).toEqual(unknown);
  expect(await expectRefusal(preview(token), 'EC404', 'not_found')).toEqual(unknown);
});

test('a higher role raises the one they have in the org, a lower one changes nothing', async () => {
  const person = await makeAccount(db, 'rising');
  const give = async (role: string): Promise<string> => {
    const { token } = await invite(db, world.orgAdmin, { org_id: world.org.id, role, email: person.email });
    return (await accept(db, person, token)).membership.role;
  };
  expect(await give('operator')).toBe('operator');
  expect(await give('org_admin')).toBe('org_admin');
  expect(await give('viewer')).toBe('org_admin');
  expect(await rolesOf(person.user)).toEqual(['org_admin']);
});

test('a partner and a tenant come in by invitation, too', async () => {
  const [partner, tenant] = [await makeAccount(db, 'partner'), await makeAccount(db, 'tenant')];
  const first = await invite(db, world.admin, {
    partner_id: world.otherPartner,
    role: 'partner',
    email: partner.email,
  });
  expect(await preview(first.token)).toMatchObject({
    org: null,
    partner: { name: 'south', slug: 'south', brand: {} },
  });
  expect((await accept(db, partner, first.token)).membership).toMatchObject({
    role: 'partner',
    partner_id: world.otherPartner,
  });
  const second = await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'tenant',
    location_id: world.org.otherRoom,
    email: tenant.email,
  });
  expect((await accept(db, tenant, second.token)).membership).toMatchObject({
    role: 'tenant',
    location_id: world.org.otherRoom,
  });
});

test('the token is stored as a hash, and nobody reads that', async () => {
  await expect(
    db.as(world.orgAdmin, (session) => session.query('select token_sha256 from public.invitations')),
  ).rejects.toMatchObject({ code: '42501' });
  const seen = await db.as(world.orgAdmin, (session) =>
    session.query(
      `select email, private.invitation_state(accepted_at, revoked_at, expires_at) as state from public.invitations where role = 'partner' or org_id <> $1`,
      [world.org.id],
    ),
  );
  expect(seen).toEqual([]);
  const member = await makeMember(db, 'reader', 'viewer', { org: world.org.id });
  expect(await db.as(member, (session) => session.query('select id from public.invitations'))).toEqual([]);
});
