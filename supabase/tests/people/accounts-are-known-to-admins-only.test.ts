import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface User {
  id: string;
  email: string;
  full_name: string | null;
  created_at: Date;
  memberships: { role: string; org_name: string | null }[];
}

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const list = (
  q: string | null,
  options: { actor?: Actor; max?: number; after?: User } = {},
): Promise<User[]> =>
  db.as(options.actor ?? world.admin, (session) =>
    session.query<User & Record<string, unknown>>('select * from ec.list_users($1, $2, $3, $4)', [
      q,
      options.max ?? 100,
      options.after?.created_at ?? null,
      options.after?.id ?? null,
    ]),
  );

test('administrators find everybody by name or address, those without a profile too, with their live access', async () => {
  const fresh = await makeAccount(db, 'fresh', { email: 'fresh_100%@example.com' });
  expect(await list('fresh_100%')).toMatchObject([{ id: fresh.user, memberships: [] }]);
  // The wildcards of LIKE mean nothing.
  expect(await list('fresh%%%')).toEqual([]);
  const [tenant] = await list('tenant-');
  expect(tenant!.memberships).toMatchObject([{ role: 'tenant', org_name: 'acme', location_name: 'Lab' }]);
  await db.as(fresh, (session) => session.value(`select ec.update_me('{"full_name":" Fresh Person "}')`));
  expect(await list('fresh person')).toMatchObject([{ email: fresh.email, full_name: 'Fresh Person' }]);
});

test('pages follow each other without a gap or a repetition', async () => {
  for (let n = 0; n < 5; n++) await makeAccount(db, `page-${n}`);
  const all = await list(null);
  const paged: User[] = [];
  for (;;) {
    const page = await list(null, { max: 3, ...(paged.length > 0 && { after: paged.at(-1)! }) });
    paged.push(...page);
    if (page.length < 3) break;
  }
  expect(new Set(paged.map(({ id }) => id)).size).toBe(paged.length);
  expect(paged.length).toBe(all.length);
});

test('nobody else does', async () => {
  for (const actor of [
    world.partnerUser,
    world.orgAdmin,
    world.viewer,
    world.apiKey,
    world.outsider,
    'nobody',
  ] as Actor[])
    await expectRefusal(list(null, { actor }), 'EC403', 'forbidden');
});

test('people change their name and preferences, nothing else, and only people', async () => {
  const update = (patch: object, actor: Actor = world.viewer): Promise<Record<string, unknown>> =>
    db.as(actor, (session) => session.value('select ec.update_me($1)', [patch]));
  expect(await update({ full_name: 'Vera', preferences: { theme: 'dark', unit: 'C' } })).toMatchObject({
    full_name: 'Vera',
    preferences: { theme: 'dark', unit: 'C' },
    kind: 'user',
  });
  expect(await update({ full_name: null, preferences: { unit: null } })).toMatchObject({
    full_name: null,
    preferences: { theme: 'dark' },
  });
  for (const patch of [
    { email: 'x@example.com' },
    { full_name: ' ' },
    { full_name: 'x'.repeat(201) },
    { preferences: [] },
  ])
    await expectRefusal(update(patch), 'EC400', 'invalid_request');
  for (const actor of [world.apiKey, { device: world.org.device.id }, 'nobody'] as Actor[])
    await expectRefusal(update({ full_name: 'X' }, actor), 'EC403', 'forbidden');
});
