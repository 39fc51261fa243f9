import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { sha256 } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const begin = (session: Session, key: string, body = 'body'): Promise<unknown> =>
  session.value('select ec.begin_idempotent($1, $2)', [key, sha256(body)]);

/** A request as the API handles it: replay, or work and keep the reply, in one transaction. */
let work = 0;
const request = (actor: Actor, key: string, body = 'body'): Promise<unknown> =>
  db.as(actor, async (session) => {
    const replay = await begin(session, key, body);
    if (replay !== null) return replay;
    work += 1;
    const reply = { n: work };
    await session.query('select ec.finish_idempotent($1, $2, $3)', [key, 201, reply]);
    return { status: 201, response: reply };
  });

test('a repetition works once and gets the same reply', async () => {
  const first = await request(world.orgAdmin, 'k1');
  expect(await request(world.orgAdmin, 'k1')).toEqual(first);
});

test('the same key for another request is a conflict; another actor’s key is another key', async () => {
  const first = await request(world.orgAdmin, 'k2');
  await expectRefusal(request(world.orgAdmin, 'k2', 'other body'), 'EC409', 'conflict');
  expect(await request(world.viewer, 'k2')).not.toEqual(first);
});

test('parallel repetitions work once', async () => {
  const before = work;
  const replies = await Promise.all([1, 2, 3, 4].map(() => request(world.orgAdmin, 'k3')));
  expect(work).toBe(before + 1);
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
});

test('a failed request may be tried again', async () => {
  await expect(
    db.as(world.orgAdmin, async (session) => {
      await begin(session, 'k4');
      throw new Error('the work failed');
    }),
  ).rejects.toThrow('the work failed');
  expect(await request(world.orgAdmin, 'k4')).toMatchObject({ status: 201 });
});

test('after 24 hours a key is new', async () => {
  const first = await request(world.orgAdmin, 'k5');
  await db.query(`update ec.idempotency_keys set created_at = now() - interval '25 hours' where key = 'k5'`);
  expect(await request(world.orgAdmin, 'k5')).not.toEqual(first);
});
