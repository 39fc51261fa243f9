import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { meet } from '../harness/overtaking.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface RoomCode {
  room_id: string;
  code: string | null;
  version: number;
  created_at: string | null;
  expires_at: string | null;
}

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const show = (room: string, actor: Actor = world.orgAdmin): Promise<RoomCode> =>
  db.as(actor, (session) => session.value('select ec.room_code($1)', [room]));
const rotate = (
  room: string,
  options: { expiresAt?: Date; endTenants?: boolean; actor?: Actor } = {},
): Promise<RoomCode> =>
  db.as(options.actor ?? world.orgAdmin, (session) =>
    session.value('select ec.rotate_room_code($1, $2, $3)', [
      room,
      options.expiresAt ?? null,
      options.endTenants ?? false,
    ]),
  );
const revoke = (room: string, endTenants = false): Promise<unknown> =>
  db.as(world.orgAdmin, (session) => session.query('select ec.revoke_room_code($1, $2)', [room, endTenants]));
const preview = (room: string, code: string, actor: Actor = 'nobody'): Promise<unknown> =>
  db.as(actor, (session) => session.value('select ec.preview_room($1, $2)', [room, code]));
const enter = (
  actor: Actor,
  room: string,
  code: string,
): Promise<{ membership: Record<string, unknown>; repeated: boolean }> =>
  db.as(actor, (session) => session.value('select ec.claim_room($1, $2)', [room, code]));
const tenantsOf = async (room: string): Promise<number> =>
  Number(
    await db.value(
      `select count(*) from public.memberships where location_id = $1 and role = 'tenant' and ended_at is null`,
      [room],
    ),
  );
const makeRoom = (name: string): Promise<string> =>
  db.value(
    `insert into public.locations (org_id, parent_id, type, name) values ($1, $2, 'room', $3) returning id`,
    [world.org.id, world.org.building, name],
  );

test('a room has no code until somebody makes one, and then the same one every time it is printed', async () => {
  const room = await makeRoom('Print');
  expect(await show(room)).toEqual({
    room_id: room,
    code: null,
    version: 0,
    created_at: null,
    expires_at: null,
  });
  const made = await rotate(room);
  expect(made).toMatchObject({ room_id: room, version: 1, expires_at: null });
  expect(made.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
  expect(await show(room)).toEqual(made);
  expect((await rotate(await makeRoom('Other'))).code).not.toBe(made.code);
});

test('whoever holds the code sees whose room it is, signed in or not, however it was typed', async () => {
  const room = await makeRoom('Typed');
  const { code } = await rotate(room);
  const shown = { room: { id: room, name: 'Typed' }, org: { name: 'acme', slug: 'acme', brand: {} } };
  const sloppy = `${code!.slice(0, 4)}-${code!.slice(4)} `
    .toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll('1', 'l');
  for (const text of [code!, sloppy]) expect(await preview(room, text)).toEqual(shown);
  const wrong = await expectRefusal(preview(room, '0000000000000000'), 'EC404', 'not_found');
  const other = await expectRefusal(preview(world.org.room, code!), 'EC404', 'not_found');
  const missing = await expectRefusal(preview(world.org.id, code!), 'EC404', 'not_found');
  expect([wrong, other]).toEqual([missing, missing]);
});

test('scanning makes a new person the tenant of that room, once however often they scan', async () => {
  const room = await makeRoom('Home');
  const { code } = await rotate(room);
  const person = await makeAccount(db, 'tenant');
  const first = await enter(person, room, code!);
  expect(first).toMatchObject({
    repeated: false,
    membership: { role: 'tenant', org_name: 'acme', location_id: room, location_name: 'Home' },
  });
  expect(await enter(person, room, code!)).toEqual({ ...first, repeated: true });
  const again = await Promise.all([1, 2, 3].map(() => enter(person, room, code!)));
  expect(again.every(({ repeated }) => repeated)).toBe(true);
  expect(await tenantsOf(room)).toBe(1);
  const rooms = await db.as(person, (session) =>
    session.query(`select id from public.locations where type = 'room'`),
  );
  expect(rooms).toEqual([{ id: room }]);
});

test('two scans of one person at the same moment make one tenancy', async () => {
  const room = await makeRoom('Twice');
  const { code } = await rotate(room);
  const person = await makeAccount(db, 'double');
  await db.as(person, (session) => session.query('select ec.ensure_profile()'));
  const results = await Promise.all([enter(person, room, code!), enter(person, room, code!)]);
  expect(results.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
  expect(await tenantsOf(room)).toBe(1);
});

test('a renewal waits for those who are just moving in, and then the old code is over', async () => {
  const room = await makeRoom('Changing');
  const { code } = await rotate(room);
  const person = await makeAccount(db, 'moving');
  await db.as(person, (session) => session.query('select ec.ensure_profile()'));
  const [, renewed] = await meet(
    db,
    person,
    (session) => session.value('select ec.claim_room($1, $2)', [room, code]),
    () => rotate(room, { endTenants: true }),
  );
  expect(renewed.status).toBe('fulfilled');
  expect(await tenantsOf(room)).toBe(0);
});

test('a rotated, revoked or expired code lets nobody in and leaves those inside', async () => {
  const room = await makeRoom('Renewed');
  const first = await rotate(room);
  const person = await makeAccount(db, 'inside');
  await enter(person, room, first.code!);

  const second = await rotate(room);
  expect(second).toMatchObject({ version: 2 });
  const rotated = await expectRefusal(enter(world.outsider, room, first.code!), 'EC410', 'expired');
  expect(rotated.hint).toEqual({ reason: 'rotated' });

  await revoke(room);
  await revoke(room);
  const revoked = await expectRefusal(preview(room, second.code!), 'EC410', 'expired');
  expect(revoked.hint).toEqual({ reason: 'revoked' });
  expect(await show(room)).toMatchObject({ code: null, version: 2 });

  const third = await rotate(room, { expiresAt: new Date(Date.now() + 3_600_000) });
  expect(await preview(room, third.code!)).toBeTruthy();
  await db.query(
    `update public.room_codes set expires_at = now() where location_id = $1 and revoked_at is null`,
    [room],
  );
  const expired = await expectRefusal(enter(world.outsider, room, third.code!), 'EC410', 'expired');
  expect(expired.hint).toEqual({ reason: 'expired' });
  expect(await show(room)).toMatchObject({ code: null });
  expect(await tenantsOf(room)).toBe(1);
});

test('asked to, renewing or revoking also moves everybody out at once', async () => {
  const room = await makeRoom('Emptied');
  const people = [await makeAccount(db, 'a'), await makeAccount(db, 'b')];
  const { code } = await rotate(room);
  for (const person of people) await enter(person, room, code!);
  await rotate(room, { endTenants: true });
  expect(await tenantsOf(room)).toBe(0);
  expect(await db.as(people[0]!, (session) => session.query('select 1 from public.locations'))).toEqual([]);

  await enter(people[0]!, room, (await show(room)).code!);
  await revoke(room, true);
  expect(await tenantsOf(room)).toBe(0);
});

test('only who hands out access handles codes; a tenant may not, strangers find nothing', async () => {
  const { room } = world.org;
  for (const actor of [world.viewer, world.operator, world.apiKey, world.tenant])
    await expectRefusal(show(room, actor), 'EC403', 'forbidden');
  for (const actor of [world.strangerAdmin, world.outsider, world.customer, 'nobody'] as Actor[])
    await expectRefusal(rotate(room, { actor }), 'EC404', 'not_found');
  for (const actor of [world.partnerUser, world.admin]) await rotate(room, { actor });
  // A building is no room.
  await expectRefusal(show(world.org.building), 'EC404', 'not_found');
  await expectRefusal(rotate(room, { expiresAt: new Date(Date.now() - 1000) }), 'EC400', 'invalid_request');
});

test('only people move in', async () => {
  const room = await makeRoom('Machines');
  const { code } = await rotate(room);
  for (const actor of [world.apiKey, { device: world.org.device.id }, 'nobody'] as Actor[])
    await expectRefusal(enter(actor, room, code!), 'EC403', 'forbidden');
});

test('sheets for many rooms keep the codes there are and make the missing ones', async () => {
  const rooms = [await makeRoom('Sheet 1'), await makeRoom('Sheet 2')];
  const made = await rotate(rooms[1]!);
  const sheets = (ids: string[]): Promise<Record<string, unknown>[]> =>
    db.as(world.orgAdmin, (session) =>
      session.value('select ec.list_room_codes($1, $2)', [world.org.id, ids]),
    );
  const list = await sheets([rooms[1]!, rooms[0]!]);
  expect(list.map(({ name, path, code }) => [name, path, code === made.code])).toEqual([
    ['Sheet 2', 'Main · Sheet 2', true],
    ['Sheet 1', 'Main · Sheet 1', false],
  ]);
  expect(await sheets([rooms[1]!, rooms[0]!])).toEqual(list);
  await expectRefusal(sheets([rooms[0]!, world.stranger.room]), 'EC404', 'not_found');
  await expectRefusal(sheets([]), 'EC400', 'invalid_request');
});

test('no code is stored, and deleting a room ends its codes', async () => {
  const room = await makeRoom('Gone');
  const { code } = await rotate(room);
  const rows = await db.query('select to_jsonb(c)::text as row from public.room_codes c');
  expect(JSON.stringify(rows)).not.toContain(code);
  expect(
    JSON.stringify(await db.query('select to_jsonb(a)::text as row from public.audit_log a')),
  ).not.toContain(code);
  await db.as(world.orgAdmin, (session) => session.query('select ec.delete_location($1)', [room]));
  await expectRefusal(preview(room, code!), 'EC404', 'not_found');
});
