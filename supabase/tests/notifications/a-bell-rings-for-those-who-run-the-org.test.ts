import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { heard, read, readAll, ring, unread } from '../harness/ringing.ts';
import { makeApiKey, makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
beforeEach(() => db.query('delete from public.notifications'));
afterAll(() => db.drop());

const refused = (work: Promise<unknown>, state: string): Promise<unknown> =>
  expectRefusal(work, state, state === 'EC403' ? 'forbidden' : 'not_found');

test('administrators and operators of the org hear it, newest first, and so do keys that may read', async () => {
  await ring(db, world.org.id, { title: 'first' });
  await ring(db, world.org.id, { title: 'second', link: '/org/firmware', subject: { device: 'acme-001' } });
  await ring(db, world.stranger.id, { title: 'not ours' });
  for (const actor of [world.orgAdmin, world.operator, world.admin, world.apiKey]) {
    const list = await heard(db, actor, world.org.id);
    expect(list.map(({ title }) => title)).toEqual(['second', 'first']);
    expect(list[0]).toMatchObject({
      kind: 'test',
      severity: 'info',
      link: '/org/firmware',
      subject: { device: 'acme-001' },
      times: 1,
      read: false,
    });
    expect(await unread(db, actor, world.org.id)).toBe(2);
  }
});

describe('who does not hear it', () => {
  test.each([
    ['a viewer is refused', () => world.viewer, 'EC403'],
    ['a partner, who does not run it, is refused', () => world.partnerUser, 'EC403'],
    ['a customer finds nothing there', () => world.customer, 'EC404'],
    ['a tenant finds nothing there', () => world.tenant, 'EC404'],
    ['a stranger finds nothing there', () => world.strangerAdmin, 'EC404'],
  ])('%s', async (_who, actor, state) => {
    const id = await ring(db, world.org.id);
    await refused(heard(db, actor(), world.org.id), state);
    await refused(unread(db, actor(), world.org.id), state);
    await refused(readAll(db, actor(), world.org.id), state);
    await refused(read(db, actor(), id), 'EC404');
  });

  test('a key that may not read is refused, and one of another org finds nothing', async () => {
    const id = await ring(db, world.org.id);
    const writer = await makeApiKey(db, world.org.id, ['write']);
    await refused(heard(db, writer, world.org.id), 'EC403');
    await refused(read(db, writer, id), 'EC404');
    await refused(heard(db, await makeApiKey(db, world.stranger.id, ['read']), world.org.id), 'EC404');
  });

  test('somebody whose membership ended, from that moment on', async () => {
    const leaver = await makeMember(db, 'leaver', 'operator', { org: world.org.id });
    await ring(db, world.org.id);
    expect(await unread(db, leaver, world.org.id)).toBe(1);
    await db.query('update public.memberships set ended_at = now() where user_id = $1', [leaver.user]);
    await refused(unread(db, leaver, world.org.id), 'EC404');
  });
});

test('what rang before somebody was let in is there to look up, but nothing new to them', async () => {
  await ring(db, world.org.id, { title: 'before' });
  const newcomer = await makeMember(db, 'newcomer', 'org_admin', { org: world.org.id });
  await ring(db, world.org.id, { title: 'after' });
  expect((await heard(db, newcomer, world.org.id)).map(({ title, read }) => [title, read])).toEqual([
    ['after', false],
    ['before', true],
  ]);
  expect(await unread(db, newcomer, world.org.id)).toBe(1);
});

describe('reading', () => {
  test('is everybody’s own', async () => {
    const id = await ring(db, world.org.id);
    expect(await read(db, world.operator, id)).toMatchObject({ id, read: true });
    expect(await unread(db, world.operator, world.org.id)).toBe(0);
    expect(await unread(db, world.orgAdmin, world.org.id)).toBe(1);
    expect(await unread(db, world.apiKey, world.org.id)).toBe(1);
  });

  test('one thing twice changes nothing', async () => {
    const id = await ring(db, world.org.id);
    await read(db, world.operator, id);
    await expect(read(db, world.operator, id)).resolves.toMatchObject({ read: true });
    expect(await heard(db, world.operator, world.org.id, true)).toEqual([]);
  });

  test('all of an org leaves those of others, and says how many were new', async () => {
    const admin: Actor = world.admin;
    const first = await ring(db, world.org.id);
    await ring(db, world.org.id);
    await ring(db, world.org.id);
    await ring(db, world.stranger.id);
    await read(db, admin, first);
    expect(await readAll(db, admin, world.org.id)).toBe(2);
    expect(await readAll(db, admin, world.org.id)).toBe(0);
    expect(await unread(db, admin, world.org.id)).toBe(0);
    expect(await unread(db, admin, world.stranger.id)).toBe(1);
  });

  test('of something that does not exist is the same as of something foreign', async () => {
    const foreign = await ring(db, world.stranger.id);
    await refused(read(db, world.orgAdmin, foreign), 'EC404');
    await refused(read(db, world.orgAdmin, '00000000-0000-4000-8000-000000000000'), 'EC404');
  });
});

test('pages go on where the one before ended, also when all rang in one moment', async () => {
  for (let i = 0; i < 7; i++) await ring(db, world.org.id, { title: `n${i}` });
  await db.query(`update public.notifications set created_at = '2026-11-20T10:00:00.123456Z'`);
  const seen: string[] = [];
  let cursor: [string | null, string | null] = [null, null];
  for (let page = 0; page < 4; page++) {
    const rows = await db.as(world.orgAdmin, (session) =>
      session.query<{ notification: { id: string; title: string }; cursor_at: string }>(
        'select * from ec.list_notifications($1, false, 2, $2::text::timestamptz, $3::uuid)',
        [world.org.id, ...cursor],
      ),
    );
    seen.push(...rows.map(({ notification }) => notification.title));
    cursor = [rows.at(-1)!.cursor_at, rows.at(-1)!.notification.id];
  }
  expect(seen.toSorted()).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
});
