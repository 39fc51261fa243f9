import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const update = (actor: Actor, patch: object, partner = world.partner): Promise<Record<string, unknown>> =>
  db.as(actor, (session) => session.value('select ec.update_partner($1, $2)', [partner, patch]));

test('its people change name and contact, administrators also plan and slug', async () => {
  expect(
    await update(world.partnerUser, { name: 'North Ltd', contact_email: 'hi@north.example' }),
  ).toMatchObject({
    name: 'North Ltd',
    contact_email: 'hi@north.example',
  });
  for (const patch of [{ plan: 'enterprise' }, { slug: 'nord' }])
    await expectRefusal(update(world.partnerUser, patch), 'EC403', 'forbidden');
  expect(await update(world.admin, { plan: 'pro', slug: 'nord', contact_email: null })).toMatchObject({
    plan: 'pro',
    slug: 'nord',
    contact_email: null,
  });
  const log = await db.as(world.partnerUser, (session) =>
    session.query(
      `select before, after from public.audit_log where action = 'partner_updated' order by id limit 1`,
    ),
  );
  expect(log).toMatchObject([{ before: { name: 'north' }, after: { name: 'North Ltd' } }]);
});

test('another partner’s is like none, and a taken slug is a conflict', async () => {
  const foreign = await expectRefusal(
    update(world.partnerUser, { name: 'Ours' }, world.otherPartner),
    'EC404',
    'not_found',
  );
  for (const actor of [world.orgAdmin, world.apiKey, world.outsider, 'nobody'] as Actor[])
    expect(await expectRefusal(update(actor, { name: 'Ours' }), 'EC404', 'not_found')).toEqual(foreign);
  expect(await expectRefusal(update(world.admin, { name: 'x' }, world.org.id), 'EC404', 'not_found')).toEqual(
    foreign,
  );
  await expectRefusal(update(world.admin, { slug: 'south' }), 'EC409', 'conflict');
});
