import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { BUCKETS, CALLERS, PLACES, placesFor, TOPICS, type Place } from './expectations.ts';
import { seedPlaces, type Places } from './places.ts';

const EPOCH = 7;

let db: Database;
let places: Places;
let client: Session;
beforeAll(async () => {
  db = await openDatabase();
  places = await seedPlaces(db);
  await db.query('update public.orgs set live_epoch = $1', [EPOCH]);
  client = await db.connect('authenticator');
});
afterAll(() => db.drop());

/** What the work sees as that caller; rows the service writes before are gone afterwards. */
async function as<Result>(
  actor: Actor,
  prepare: () => Promise<unknown>,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query('begin');
  try {
    await client.query('set local role service_role');
    await prepare();
    await client.query('set local role authenticated');
    await client.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify(claimsOf(actor)),
    ]);
    return await work();
  } finally {
    await client.query('rollback');
  }
}

/** As Realtime asks on joining a private channel: may this token read, or speak on, the topic? */
const joins = (actor: Actor, topic: string): Promise<{ hears: boolean; speaks: boolean }> =>
  as(
    actor,
    () =>
      client.query(
        `insert into realtime.messages (topic, extension, private) values ($1, 'broadcast', true)`,
        [topic],
      ),
    async () => {
      await client.query(`select set_config('realtime.topic', $1, true)`, [topic]);
      const hears = (await client.query('select 1 from realtime.messages')).length === 1;
      const speaks = await client
        .query(`insert into realtime.messages (topic, extension) values ($1, 'broadcast')`, [topic])
        .then(
          () => true,
          () => false,
        );
      return { hears, speaks };
    },
  );

test('every kind of live topic has an expectation', async () => {
  const source = await db.value<string>(`select prosrc from pg_proc where proname = 'can_join_topic'`);
  const kinds = /\^\(([a-z|_]+)\):/.exec(source)?.[1]?.split('|');
  expect(kinds?.sort()).toEqual(Object.keys(TOPICS).sort());
});

test('only one policy opens Realtime, and it asks the function that knows the kinds', async () => {
  const policies = await db.query(
    `select policyname, cmd, qual ~ 'can_join_topic' as asks from pg_policies where schemaname = 'realtime' and tablename = 'messages'`,
  );
  expect(policies).toEqual([{ policyname: 'ec_live_select', cmd: 'SELECT', asks: true }]);
});

describe.each(Object.keys(TOPICS))('topics of kind %s', (kind) => {
  test.each(CALLERS)('%s hears exactly its own places and speaks on none', async (caller) => {
    // The neighbour's org is one's own; it has no topic of its own.
    const things = kind === 'device' || kind === 'job' ? places[kind] : places.org;
    const asked = PLACES.filter((place) => things !== places.org || place !== 'neighbour');
    const heard: Place[] = [];
    for (const place of asked) {
      const { id } = things[place];
      const { hears, speaks } = await joins(places.actors[caller], `${kind}:${id}:${EPOCH}`);
      if (hears) heard.push(place);
      expect(speaks, place).toBe(false);
    }
    expect(heard).toEqual(placesFor(caller, TOPICS[kind]!).filter((place) => asked.includes(place)));
  });
});

test('every bucket has an expectation', async () => {
  const buckets = await db.query<{ id: string }>('select id from storage.buckets order by 1');
  expect(buckets.map(({ id }) => id)).toEqual(Object.keys(BUCKETS).sort());
});

describe.each(['not-opened', ...Object.keys(BUCKETS)])('bucket %s', (bucket) => {
  test.each(CALLERS)('%s reads and writes no object of it', async (caller) => {
    const names = PLACES.map((place) => `${places.org[place].id}/${places.device[place].id}/file.bin`);
    const seen = await as(
      places.actors[caller],
      async () => {
        await client.query('insert into storage.buckets (id, name) values ($1, $1) on conflict do nothing', [
          bucket,
        ]);
        for (const name of names)
          await client.query('insert into storage.objects (bucket_id, name) values ($1, $2)', [bucket, name]);
      },
      async () => {
        const rows: unknown[] = [];
        for (const attempt of [
          'select name from storage.objects',
          'select id from storage.buckets',
          `update storage.objects set name = name || 'x' returning name`,
          'delete from storage.objects returning name',
          `insert into storage.objects (bucket_id, name) values ('${bucket}', 'mine') returning name`,
        ]) {
          await client.query('savepoint before');
          rows.push(...(await client.query(attempt).catch(() => [])));
          await client.query('rollback to before');
        }
        return rows;
      },
    );
    expect(seen).toEqual([]);
  });
});
