import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { heard, read, ring, unread } from '../harness/ringing.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
beforeEach(async () => {
  await db.query('delete from public.notifications');
  await db.query('truncate ec.live_leases');
  await db.query('delete from realtime.messages');
});
afterAll(() => db.drop());

const age = (interval: string): Promise<unknown> =>
  db.query(
    'update public.notifications set created_at = created_at - $1::interval, first_at = first_at - $1::interval',
    [interval],
  );

describe('the same thing again', () => {
  test('within a day comes up again with its newest words, unread for everybody', async () => {
    const id = await ring(db, world.org.id, { group: 'offline:x', title: 'x is offline', severity: 'warn' });
    await ring(db, world.org.id, { title: 'another' });
    await read(db, world.operator, id);
    const again = await ring(db, world.org.id, {
      group: 'offline:x',
      title: 'x is offline again',
      severity: 'bad',
    });
    expect(again).toBe(id);
    const list = await heard(db, world.operator, world.org.id);
    expect(list.map(({ title }) => title)).toEqual(['x is offline again', 'another']);
    expect(list[0]).toMatchObject({ times: 2, severity: 'bad', read: false });
    expect(list[0]!.first_at < list[0]!.created_at).toBe(true);
  });

  test('after a day is something new', async () => {
    const first = await ring(db, world.org.id, { group: 'offline:x' });
    await age('1 day 1 minute');
    expect(await ring(db, world.org.id, { group: 'offline:x' })).not.toBe(first);
    expect(await heard(db, world.operator, world.org.id)).toHaveLength(2);
  });

  test('in another org, or without a group, is never the same thing', async () => {
    await ring(db, world.org.id, { group: 'offline:x' });
    await ring(db, world.sibling.id, { group: 'offline:x' });
    await ring(db, world.org.id);
    await ring(db, world.org.id);
    expect(await unread(db, world.operator, world.org.id)).toBe(3);
  });

  test('from two transactions at once is still one', async () => {
    const [one, two] = [await db.connect('postgres'), await db.connect('postgres')];
    await one.query('begin');
    const id = await ring(one, world.org.id, { group: 'race' });
    const second = ring(two, world.org.id, { group: 'race' });
    await one.query('commit');
    expect(await second).toBe(id);
  });
});

test('a transaction that fails has rung no bell', async () => {
  const work = await db.connect('postgres');
  await work.query('begin');
  await ring(work, world.org.id);
  await work.query('rollback');
  expect(await heard(db, world.operator, world.org.id)).toEqual([]);
});

test('a bell that nobody looks at stays short: ninety days, a thousand entries', async () => {
  await ring(db, world.org.id, { title: 'old' });
  await age('91 days');
  await ring(db, world.org.id, { title: 'new' });
  expect((await heard(db, world.operator, world.org.id)).map(({ title }) => title)).toEqual(['new']);
  await db.query(
    `insert into public.notifications (org_id, kind, severity, title) select $1, 'test', 'info', 'n' || i from generate_series(1, 1200) i`,
    [world.org.id],
  );
  await ring(db, world.org.id, { title: 'newest' });
  expect(
    await db.value('select count(*)::int from public.notifications where org_id = $1', [world.org.id]),
  ).toBe(1000);
  expect((await heard(db, world.operator, world.org.id))[0]!.title).toBe('newest');
});

test.each([
  ['https://elsewhere.example', 'a foreign address'],
  ['//elsewhere.example', 'an address without a scheme'],
  ['/\\elsewhere.example', 'what a browser reads as one'],
])('%s is refused as a link', async (link) => {
  await expect(ring(db, world.org.id, { link })).rejects.toMatchObject({ code: '23514' });
});

describe('screens', () => {
  const messages = (): Promise<{ topic: string; event: string; payload: Record<string, unknown> }[]> =>
    db.query('select topic, event, payload from realtime.messages order by inserted_at');
  const lease = (kind: string): Promise<unknown> =>
    db.as(world.operator, (session) =>
      session.query('select * from ec.lease_topics($1)', [[`${kind}:${world.org.id}`]]),
    );

  test('that show the bell hear it at once, on a topic of its own', async () => {
    await lease('bell');
    const id = await ring(db, world.org.id, { title: 'Firmware 1.3.0 is ready', link: '/org/firmware' });
    expect(await messages()).toEqual([
      {
        topic: `bell:${world.org.id}:1`,
        event: 'notification',
        payload: expect.objectContaining({
          id,
          title: 'Firmware 1.3.0 is ready',
          link: '/org/firmware',
          read: false,
        }),
      },
    ]);
  });

  test('that show something else, or nothing, or another org, hear nothing', async () => {
    await lease('org');
    await ring(db, world.org.id);
    await lease('bell');
    await ring(db, world.stranger.id);
    expect(await messages()).toEqual([]);
  });

  test('of people who do not run the org get no lease', async () => {
    for (const actor of [world.viewer, world.partnerUser, world.tenant, world.strangerAdmin]) {
      const leases = await db.as(actor, (session) =>
        session.query('select * from ec.lease_topics($1)', [[`bell:${world.org.id}`]]),
      );
      expect(leases).toEqual([]);
    }
  });
});
