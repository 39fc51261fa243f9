import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

type Row = Record<string, unknown>;
const create = (actor: Actor, input: unknown): Promise<Row> =>
  db.as(actor, (session) => session.value('select ec.create_org($1)', [JSON.stringify(input)]));
const update = (actor: Actor, id: string, patch: unknown): Promise<Row> =>
  db.as(actor, (session) => session.value('select ec.update_org($1, $2)', [id, JSON.stringify(patch)]));

test('a partner makes orgs of its own and at once administers them', async () => {
  const org = await create(world.partnerUser, {
    name: 'New Works',
    plan: 'pro',
    product: 'tracker',
    timezone: 'Europe/Berlin',
  });
  expect(org).toMatchObject({
    slug: 'new-works',
    partner_id: world.partner,
    plan: 'pro',
    product: 'tracker',
    timezone: 'Europe/Berlin',
  });
  expect(await update(world.partnerUser, org['id'] as string, { brand: { color: '#123456' } })).toMatchObject(
    {
      brand: { color: '#123456' },
    },
  );
  await expectRefusal(
    create(world.partnerUser, { name: 'Theirs', partner_id: world.otherPartner }),
    'EC404',
    'not_found',
  );
});

test('a name alone is enough and never collides; a slug asked for twice is a conflict', async () => {
  const slugs = await Promise.all(
    ['Ünïcode & Söhne', 'Ünïcode & Söhne', '???'].map((name) => create(world.admin, { name })),
  );
  expect(new Set(slugs.map(({ slug }) => slug)).size).toBe(3);
  await create(world.admin, { name: 'A', slug: 'wanted' });
  await expectRefusal(create(world.admin, { name: 'B', slug: 'wanted' }), 'EC409', 'conflict');
});

test('a partner’s user of two partners says for which', async () => {
  await db.query(`insert into public.memberships (user_id, role, partner_id) values ($1, 'partner', $2)`, [
    (world.outsider as { user: string }).user,
    world.partner,
  ]);
  await db.query(`insert into public.memberships (user_id, role, partner_id) values ($1, 'partner', $2)`, [
    (world.outsider as { user: string }).user,
    world.otherPartner,
  ]);
  await expectRefusal(create(world.outsider, { name: 'Which' }), 'EC400', 'invalid_request');
  expect(await create(world.outsider, { name: 'This', partner_id: world.otherPartner })).toMatchObject({
    partner_id: world.otherPartner,
  });
});

test('nobody else makes orgs, and only admins make partners', async () => {
  for (const actor of [world.orgAdmin, world.viewer, world.tenant, world.apiKey])
    await expectRefusal(create(actor, { name: 'x' }), 'EC403', 'forbidden');
  const createPartner = (actor: Actor): Promise<Row> =>
    db.as(actor, (session) =>
      session.value('select ec.create_partner($1)', [
        { name: 'P', slug: 'p', contact_email: 'p@example.com', plan: 'pro' },
      ]),
    );
  for (const actor of [world.partnerUser, world.orgAdmin])
    await expectRefusal(createPartner(actor), 'EC403', 'forbidden');
  expect(await createPartner(world.admin)).toMatchObject({ slug: 'p', plan: 'pro' });
});

test('an org’s admin changes settings, not the plan or the partner; an admin moves it', async () => {
  const { id } = world.org;
  expect(await update(world.orgAdmin, id, { name: 'Acme GmbH', timezone: 'Asia/Tokyo' })).toMatchObject({
    name: 'Acme GmbH',
  });
  await expectRefusal(update(world.orgAdmin, id, { plan: 'enterprise' }), 'EC403', 'forbidden');
  await expectRefusal(update(world.orgAdmin, id, { partner_id: null }), 'EC403', 'forbidden');
  await expectRefusal(
    update(world.partnerUser, id, { partner_id: world.otherPartner }),
    'EC403',
    'forbidden',
  );
  expect(await update(world.partnerUser, id, { plan: 'business' })).toMatchObject({ plan: 'business' });
  const before = await db.value<number>('select live_epoch from public.orgs where id = $1', [
    world.stranger.id,
  ]);
  await update(world.admin, world.stranger.id, { partner_id: world.partner });
  expect(await db.value('select live_epoch from public.orgs where id = $1', [world.stranger.id])).toBe(
    before + 1,
  );
  expect(
    await db.as(world.partnerUser, (session) =>
      session.query('select 1 from public.orgs where id = $1', [world.stranger.id]),
    ),
  ).toHaveLength(1);
  await update(world.admin, world.stranger.id, { partner_id: world.otherPartner });
});

test('unknown keys, time zones and products are refused', async () => {
  const { id } = world.org;
  await expectRefusal(update(world.orgAdmin, id, { live_epoch: 99 }), 'EC400', 'invalid_request');
  await expectRefusal(update(world.orgAdmin, id, { timezone: 'Mars/Olympus' }), 'EC422', 'unprocessable');
  await expectRefusal(update(world.orgAdmin, id, { product: 'toaster' }), 'EC422', 'unprocessable');
});

test('foreign and missing orgs are the same, readers are forbidden', async () => {
  const foreign = await expectRefusal(
    update(world.orgAdmin, world.stranger.id, { name: 'x' }),
    'EC404',
    'not_found',
  );
  const missing = await expectRefusal(
    update(world.orgAdmin, world.org.room, { name: 'x' }),
    'EC404',
    'not_found',
  );
  expect(foreign).toEqual(missing);
  const operator = await makeMember(db, 'op', 'operator', { org: world.org.id });
  await expectRefusal(update(operator, world.org.id, { name: 'x' }), 'EC403', 'forbidden');
});
