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

const end = (actor: Actor): Promise<unknown> =>
  db.query('update public.memberships set ended_at = now() where user_id = $1', [
    (actor as { user: string }).user,
  ]);
const devices = async (actor: Actor): Promise<number> =>
  (await db.as(actor, (session) => session.query('select 1 from public.devices'))).length;
const epochs = (): Promise<number[]> =>
  db
    .query<{ live_epoch: number }>('select live_epoch from public.orgs order by slug')
    .then((rows) => rows.map(({ live_epoch }) => live_epoch));

test('the next query of someone removed finds nothing, and the org’s live topics change', async () => {
  const [acme, elsewhere, harbour] = await epochs();
  expect(await devices(world.operator)).toBe(1);
  await end(world.operator);
  expect(await devices(world.operator)).toBe(0);
  expect(await epochs()).toEqual([acme! + 1, elsewhere, harbour]);
});

test('a partner’s end changes the topics of all its orgs and no other’s', async () => {
  const [acme, elsewhere, harbour] = await epochs();
  expect(await devices(world.partnerUser)).toBe(2);
  await end(world.partnerUser);
  expect(await devices(world.partnerUser)).toBe(0);
  expect(await epochs()).toEqual([acme! + 1, elsewhere, harbour! + 1]);
});

test('a lower role counts at once', async () => {
  const [acme] = await epochs();
  await db.query(`update public.memberships set role = 'viewer' where user_id = $1`, [
    (world.orgAdmin as { user: string }).user,
  ]);
  await expectRefusal(
    db.as(world.orgAdmin, (session) =>
      session.query(`select ec.update_org($1, '{"name":"x"}')`, [world.org.id]),
    ),
    'EC403',
    'forbidden',
  );
  expect((await epochs())[0]).toBe(acme! + 1);
});

test('gaining access changes no topics', async () => {
  const before = await epochs();
  await db.query(`insert into public.memberships (user_id, role, org_id) values ($1, 'viewer', $2)`, [
    (world.outsider as { user: string }).user,
    world.org.id,
  ]);
  expect(await devices(world.outsider)).toBe(1);
  expect(await epochs()).toEqual(before);
});
