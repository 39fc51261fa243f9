import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let api: Session;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  api = await db.connect('ec_api');
});
afterAll(() => db.drop());

describe('the pair of keys of a product type and its maker', () => {
  const store = (session: Session, n: number, org = world.org.id): Promise<unknown> =>
    session.value('select ec.store_signing_key($1, $2, $3, $4)', [
      'EC-CLIMATE-V1',
      org,
      `public-${n}`,
      `private-${n}`,
    ]);

  test('is made once: whoever comes second gets the first one’s', async () => {
    const others = await Promise.all([1, 2, 3].map(() => db.connect('ec_api')));
    const pairs = await Promise.all(others.map((session, n) => store(session, n)));
    expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(1);
    expect(await api.value('select ec.signing_key($1, $2)', ['EC-CLIMATE-V1', world.org.id])).toEqual(
      pairs[0],
    );
    expect(await store(api, 9, world.sibling.id), 'another maker has his own').toEqual({
      public_key: 'public-9',
      private_key: 'private-9',
    });
  });

  test('keeps its private half to the API: no person, key or service reads it', async () => {
    await store(api, 1);
    for (const actor of [world.admin, world.orgAdmin, world.apiKey])
      await expect(
        db.as(actor, (session) =>
          session.value('select ec.signing_key($1, $2)', ['EC-CLIMATE-V1', world.org.id]),
        ),
      ).rejects.toThrow(/permission denied/);
    for (const role of ['ec_bridge', 'ec_worker', 'ec_broker']) {
      const other = await db.connect(role);
      await expect(
        other.value('select ec.signing_key($1, $2)', ['EC-CLIMATE-V1', world.org.id]),
      ).rejects.toThrow(/permission denied/);
    }
    await expect(
      db.as(world.orgAdmin, (session) => session.query('select secret_id from public.product_type_keys')),
    ).rejects.toThrow(/permission denied/);
    const stored = await db.value<string>(
      `select string_agg(s.secret, ' ') from vault.secrets s where s.name like 'ec_ota_key_%'`,
    );
    expect(stored).not.toContain('private');
  });
});

describe('of two versions', () => {
  const ordered = [
    ...[
      '0.9',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.1',
    ],
    ...['1.9.0', '1.10.0', '2.0.0-dev', '2.0.0', '10.0.0'],
  ];
  const compare = (a: string | null, b: string | null): Promise<number> =>
    db.value('select private.compare_versions($1, $2)', [a, b]);

  test('the newer one is found, whichever comes first', async () => {
    for (let i = 1; i < ordered.length; i++) {
      expect(await compare(ordered[i - 1]!, ordered[i]!), `${ordered[i - 1]} < ${ordered[i]}`).toBe(-1);
      expect(await compare(ordered[i]!, ordered[i - 1]!), `${ordered[i]} > ${ordered[i - 1]}`).toBe(1);
    }
  });

  test.each([
    ['1.2.0', 'v1.2.0', 0],
    ['1.2', '1.2.0', 0],
    ['1.02.0', '1.2.0', 0],
    ['1.2.0+build5', '1.2.0', 0],
    [null, '0.0.1', -1],
    [null, null, 0],
    ['99999999999999999999.1', '99999999999999999999.2', -1],
    ['main-a1b2', 'main-a1b3', -1],
  ])('%s and %s: %i', async (a, b, expected) => {
    expect(await compare(a, b)).toBe(expected);
  });
});

describe('saved filters', () => {
  const save = (
    actor: Actor,
    name: string,
    filter: unknown,
    org = world.org.id,
  ): Promise<{ id: string; name: string }> =>
    db.as(actor, (session) => session.value('select ec.save_device_filter($1, $2, $3)', [org, name, filter]));
  const remove = (actor: Actor, id: string): Promise<unknown> =>
    db.as(actor, (session) => session.query('select ec.delete_device_filter($1)', [id]));
  const list = (actor: Actor): Promise<{ name: string }[]> =>
    db.as(actor, (session) => session.query('select name from public.device_filters order by name'));

  test('are kept by who controls devices, and read by the staff', async () => {
    const { id } = await save(world.operator, ' Cold rooms ', { tag: 'cold', status: 'online' });
    expect(await list(world.viewer)).toEqual([{ name: 'Cold rooms' }]);
    expect(await list(world.tenant)).toEqual([]);
    await expectRefusal(save(world.viewer, 'x', {}), 'EC403', 'forbidden');
    await expectRefusal(save(world.strangerAdmin, 'x', {}), 'EC404', 'not_found');
    await expectRefusal(remove(world.strangerAdmin, id), 'EC404', 'not_found');
    await expectRefusal(remove(world.viewer, id), 'EC403', 'forbidden');
    await remove(world.operator, id);
    expect(await list(world.viewer)).toEqual([]);
  });

  test('have a name of their own', async () => {
    await save(world.operator, 'Twice', {});
    await expectRefusal(save(world.operator, 'TWICE', {}), 'EC409', 'conflict');
  });

  test.each([
    [{ colour: 'red' }],
    [{ room_id: 'x' }],
    [{ status: 'sleeping' }],
    [{ lifecycle: 'lost' }],
    [{ tag: 5 }],
    [{ q: '' }],
    [[]],
  ])('ask nothing that has no answer: %j', async (filter) => {
    await expectRefusal(save(world.operator, 'x', JSON.stringify(filter)), 'EC400', 'invalid_request');
  });
});
