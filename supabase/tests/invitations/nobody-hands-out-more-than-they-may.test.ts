import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { invite, type Target } from '../harness/inviting.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

let count = 0;
const address = (): string => `somebody-${++count}@example.com`;
const inOrg = (role: string, orgId = world.org.id): Target => ({ org_id: orgId, role, email: address() });
const inRoom = (): Target => ({ ...inOrg('tenant'), location_id: world.org.room });
const STAFF = ['org_admin', 'operator', 'viewer', 'customer'];

describe('who may invite whom', () => {
  test('org admins and administrators invite everybody of an org, tenants with their room', async () => {
    for (const actor of [world.orgAdmin, world.admin]) {
      for (const role of STAFF) await invite(db, actor, inOrg(role));
      await invite(db, actor, inRoom());
    }
  });

  test('partners invite into all their orgs, but tenants are the org’s business', async () => {
    for (const org of [world.org.id, world.sibling.id])
      for (const role of STAFF) await invite(db, world.partnerUser, inOrg(role, org));
    await expectRefusal(invite(db, world.partnerUser, inRoom()), 'EC403', 'forbidden');
    await expectRefusal(
      invite(db, world.partnerUser, inOrg('viewer', world.stranger.id)),
      'EC404',
      'not_found',
    );
  });

  test('only administrators invite partners', async () => {
    const target = (partner: string): Target => ({
      partner_id: partner,
      role: 'partner',
      email: address(),
    });
    await invite(db, world.admin, target(world.partner));
    await expectRefusal(invite(db, world.partnerUser, target(world.partner)), 'EC403', 'forbidden');
    for (const actor of [world.partnerUser, world.orgAdmin, world.outsider])
      await expectRefusal(invite(db, actor, target(world.otherPartner)), 'EC404', 'not_found');
    await expectRefusal(invite(db, world.admin, target(world.org.id)), 'EC404', 'not_found');
  });

  test('everybody else is refused, and strangers learn nothing', async () => {
    for (const actor of [world.operator, world.viewer, world.apiKey])
      await expectRefusal(invite(db, actor, inOrg('viewer')), 'EC403', 'forbidden');
    for (const actor of [
      world.strangerAdmin,
      world.customer,
      world.tenant,
      world.outsider,
      { device: world.org.device.id },
      'nobody',
    ] as Actor[])
      await expectRefusal(invite(db, actor, inOrg('viewer')), 'EC404', 'not_found');
  });

  test('no invitation makes an administrator, and roles keep their scope', async () => {
    for (const role of ['admin', 'partner', 'owner'])
      await expectRefusal(invite(db, world.admin, inOrg(role)), 'EC422', 'unprocessable');
    await expectRefusal(
      invite(db, world.admin, { partner_id: world.partner, role: 'org_admin', email: address() }),
      'EC422',
      'unprocessable',
    );
    await expectRefusal(invite(db, world.orgAdmin, inOrg('tenant')), 'EC422', 'unprocessable');
    await expectRefusal(
      invite(db, world.orgAdmin, { ...inOrg('viewer'), location_id: world.org.room }),
      'EC422',
      'unprocessable',
    );
    for (const location_id of [world.stranger.room, world.org.building])
      await expectRefusal(invite(db, world.orgAdmin, { ...inRoom(), location_id }), 'EC404', 'not_found');
  });

  test('an address that is none, and somebody who has the access already, are refused', async () => {
    for (const email of ['', 'nobody', 'two words@example.com', '@', `${'x'.repeat(250)}@example.com`])
      await expectRefusal(
        invite(db, world.orgAdmin, { ...inOrg('viewer'), email }),
        'EC422',
        'unprocessable',
      );
    const email = await db.value<string>('select upper(email) from public.profiles where id = $1', [
      (world.viewer as { user: string }).user,
    ]);
    await expectRefusal(invite(db, world.orgAdmin, { ...inOrg('viewer'), email }), 'EC409', 'conflict');
    await invite(db, world.orgAdmin, { ...inOrg('operator'), email });
  });
});

test('sending again and revoking follow the same rights', async () => {
  const { invitation } = await invite(db, world.orgAdmin, inOrg('viewer'));
  const resend = (actor: Actor): Promise<unknown> =>
    db.as(actor, (session) =>
      session.value('select ec.resend_invitation($1, sha256($2), $3)', [
        invitation.id,
        Buffer.from(address()),
        'https://example.com/x',
      ]),
    );
  const revoke = (actor: Actor): Promise<unknown> =>
    db.as(actor, (session) => session.query('select ec.revoke_invitation($1)', [invitation.id]));
  for (const act of [resend, revoke]) {
    await expectRefusal(act(world.viewer), 'EC403', 'forbidden');
    for (const actor of [world.strangerAdmin, world.tenant, 'nobody'] as Actor[])
      await expectRefusal(act(actor), 'EC404', 'not_found');
  }
  expect(await resend(world.partnerUser)).toMatchObject({ sent_count: 2, state: 'open' });
  await revoke(world.partnerUser);
  await expectRefusal(resend(world.orgAdmin), 'EC409', 'conflict');
});

test('two invitations of one person at the same moment are one', async () => {
  const target = inOrg('viewer');
  const results = await Promise.all([1, 2, 3].map(() => invite(db, world.orgAdmin, target)));
  expect(new Set(results.map(({ invitation }) => invitation.id)).size).toBe(1);
  expect(results.map(({ invitation }) => invitation.sent_count).sort()).toEqual([1, 2, 3]);
});
