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

type Row = Record<string, unknown> & { id: string };
const create = (input: unknown, actor: Actor = world.orgAdmin, org = world.org.id): Promise<Row> =>
  db.as(actor, (session) => session.value('select ec.create_location($1, $2)', [org, JSON.stringify(input)]));
const createRoom = (input: unknown, actor: Actor = world.orgAdmin): Promise<Row> =>
  db.as(actor, (session) =>
    session.value('select ec.create_room($1, $2)', [world.org.id, JSON.stringify(input)]),
  );
const update = (id: string, patch: unknown, actor: Actor = world.orgAdmin): Promise<Row> =>
  db.as(actor, (session) => session.value('select ec.update_location($1, $2)', [id, JSON.stringify(patch)]));
const remove = (id: string, actor: Actor = world.orgAdmin): Promise<unknown> =>
  db.as(actor, (session) => session.query('select ec.delete_location($1)', [id]));

test('site, building, floor, room nest in this order; levels may be left out', async () => {
  const site = await create({ name: 'Campus', type: 'site' });
  const building = await create({ name: 'North', type: 'building', parent_id: site.id });
  const floor = await create({ name: '2nd', type: 'floor', parent_id: building.id });
  await create({ name: '201', type: 'room', parent_id: floor.id });
  await create({ name: 'Gate', type: 'room', parent_id: site.id });
  for (const [type, parent] of [
    ['site', site],
    ['building', floor],
    ['floor', floor],
  ] as const)
    await expectRefusal(create({ name: 'wrong', type, parent_id: parent.id }), 'EC422', 'unprocessable');
  await expectRefusal(update(building.id, { parent_id: floor.id }), 'EC422', 'unprocessable');
});

test('a parent of another org does not exist', async () => {
  const foreign = await expectRefusal(
    create({ name: 'x', type: 'room', parent_id: world.stranger.building }),
    'EC422',
    'unprocessable',
  );
  const missing = await expectRefusal(
    create({ name: 'x', type: 'room', parent_id: world.org.id }),
    'EC422',
    'unprocessable',
  );
  expect(foreign).toEqual(missing);
  await expectRefusal(
    update(world.org.room, { parent_id: world.stranger.building }),
    'EC422',
    'unprocessable',
  );
});

test('a room finds its building and floor by name or makes them, also in parallel', async () => {
  const rooms = await Promise.all(
    ['1', '2', '3', '4'].map((name) => createRoom({ name, building: 'Tower', floor: 'Ground' })),
  );
  expect(new Set(rooms.map(({ parent_id }) => parent_id)).size).toBe(1);
  const again = await createRoom({ name: '5', building: 'tower', floor: 'GROUND' });
  expect(again['parent_id']).toBe(rooms[0]!['parent_id']);
  expect(
    await db.value(`select count(*) from public.locations where lower(name) in ('tower', 'ground')`),
  ).toBe('2');
});

test('a name stands once in a place', async () => {
  await createRoom({ name: 'Twin' });
  await expectRefusal(createRoom({ name: 'twin' }), 'EC409', 'conflict');
  await createRoom({ name: 'Twin', floor: 'Other floor' });
  await expectRefusal(createRoom({ name: 'x', timezone: 'Nowhere/At_all' }), 'EC422', 'unprocessable');
});

test('only an empty place is deleted', async () => {
  await expectRefusal(remove(world.org.building), 'EC409', 'conflict');
  await expectRefusal(remove(world.org.room), 'EC409', 'conflict');
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', [world.org.device.serial, { location_id: null }]),
  );
  await expectRefusal(remove(world.org.room), 'EC409', 'conflict');
  await db.query('update public.memberships set ended_at = now() where location_id = $1', [world.org.room]);
  await remove(world.org.room);
  await remove(world.org.otherRoom);
  await remove(world.org.building);
  expect(await db.value(`select count(*) from public.audit_log where action = 'location_deleted'`)).toBe('3');
});

test('readers are forbidden, strangers find nothing', async () => {
  const room = await createRoom({ name: 'Guarded' });
  for (const actor of [world.viewer, world.operator]) {
    await expectRefusal(update(room.id, { name: 'x' }, actor), 'EC403', 'forbidden');
    await expectRefusal(createRoom({ name: 'x' }, actor), 'EC403', 'forbidden');
  }
  for (const actor of [world.strangerAdmin, world.outsider]) {
    const foreign = await expectRefusal(remove(room.id, actor), 'EC404', 'not_found');
    expect(await expectRefusal(remove(world.org.id, actor), 'EC404', 'not_found')).toEqual(foreign);
    await expectRefusal(createRoom({ name: 'x' }, actor), 'EC404', 'not_found');
  }
});
