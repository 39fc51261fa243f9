import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { seedWorld } from '../harness/world.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

const AT = new Date('2026-11-20T10:00:20Z');
const take = async (
  session: Session,
  key: string,
  wanted = 1,
  options: { max?: number; windowS?: number; at?: Date } = {},
): Promise<[number, number]> => {
  const [row] = await session.query<{ granted: number; retry_after: number }>(
    'select granted, retry_after from ec.take_turns($1, $2, $3, $4, $5)',
    [key, options.max ?? 10, options.windowS ?? 60, wanted, options.at ?? AT],
  );
  return [row!.granted, row!.retry_after];
};

test('as many as are left are granted, with the seconds until the window ends', async () => {
  const api = await db.connect('ec_api');
  expect(await take(api, 'a', 4)).toEqual([4, 40]);
  expect(await take(api, 'a', 0)).toEqual([0, 40]);
  expect(await take(api, 'a', 4, { at: new Date('2026-11-20T10:00:59.5Z') })).toEqual([4, 1]);
  expect(await take(api, 'a', 4)).toEqual([2, 40]);
  expect(await take(api, 'a', 1)).toEqual([0, 40]);
  expect(await take(api, 'b', 1)).toEqual([1, 40]);
});

test('a new window starts on the clock’s own minute, full again', async () => {
  const api = await db.connect('ec_api');
  expect(await take(api, 'c', 10)).toEqual([10, 40]);
  expect(await take(api, 'c', 1, { at: new Date('2026-11-20T10:01:00Z') })).toEqual([1, 60]);
  // A late straggler of the window before counts in the new one.
  expect(await take(api, 'c', 20, { at: new Date('2026-11-20T10:00:59Z') })).toMatchObject({ 0: 9 });
});

test('turns that were given back are there again, never more than were taken', async () => {
  const api = await db.connect('ec_api');
  expect(await take(api, 'd', 10)).toEqual([10, 40]);
  expect(await take(api, 'd', -3)).toEqual([-3, 40]);
  expect(await take(api, 'd', -2)).toEqual([-2, 40]);
  expect(await take(api, 'd', 10)).toEqual([5, 40]);
  expect(await take(api, 'd', -99)).toEqual([-10, 40]);
  expect(await take(api, 'nobody', -1)).toEqual([0, 40]);
  expect(await take(api, 'd', 99)).toEqual([10, 40]);
});

test('a lower limit grants nothing to who is above it', async () => {
  const api = await db.connect('ec_api');
  await take(api, 'e', 10);
  expect(await take(api, 'e', 1, { max: 5 })).toEqual([0, 40]);
});

test('many connections at once get exactly the limit together', async () => {
  const apis = await Promise.all(Array.from({ length: 8 }, () => db.connect('ec_api')));
  const grants = await Promise.all(
    apis.map(async (api) => {
      let sum = 0;
      for (let n = 0; n < 30; n++) sum += (await take(api, 'shared', 1, { max: 100 }))[0];
      return sum;
    }),
  );
  expect(grants.reduce((sum, granted) => sum + granted, 0)).toBe(100);
});

test('it counts by the wall clock when no time is given, and old windows are purged', async () => {
  const api = await db.connect('ec_api');
  const [row] = await api.query<{ granted: number; retry_after: number }>(
    `select * from ec.take_turns('now', 5, 900)`,
  );
  expect(row!.granted).toBe(1);
  expect(row!.retry_after).toBeGreaterThan(0);
  expect(row!.retry_after).toBeLessThanOrEqual(900);
  await db.query(`select ec.purge_expired(now() + interval '2 days')`);
  expect(await db.query('select 1 from ec.rate_windows')).toEqual([]);
});

test('a try counts although the request it was for fails, and nobody else counts turns', async () => {
  const world = await seedWorld(db);
  const api = await db.connect('ec_api');
  await take(api, 'failing', 1);
  await expect(
    db.as('nobody', (session) => session.query(`select ec.preview_claim('NOPE-1', '')`)),
  ).rejects.toMatchObject({ code: 'EC404' });
  expect(await take(api, 'failing', 99)).toEqual([9, 40]);
  for (const actor of [world.admin, 'nobody'] as const)
    await expect(
      db.as(actor, (session) => session.query(`select * from ec.take_turns('x', 1, 1)`)),
    ).rejects.toMatchObject({ code: '42501' });
});
