import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { setDesired, type ShadowReply } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const set = (patch: unknown): Promise<ShadowReply> =>
  setDesired(db, world.operator, world.org.device.serial, patch);

/** An object without children has 1. */
const nested = (depth: number): Record<string, unknown> => (depth === 1 ? {} : { a: nested(depth - 1) });

describe('refused, with the path to what is wrong', () => {
  test.each<[string, unknown, string[]]>([
    ['a key with a blank', { 'a b': 1 }, ['a b']],
    ['an empty key', { '': 1 }, ['']],
    ['a key that begins with a digit', { '1a': 1 }, ['1a']],
    ['a key of 65 letters', { ['k'.repeat(65)]: 1 }, ['k'.repeat(65)]],
    ['constructor', { a: { constructor: 1 } }, ['a', 'constructor']],
    ['prototype inside an array', { a: [{ prototype: 1 }] }, ['a', '0', 'prototype']],
    ['null inside an array', { a: { b: [1, null] } }, ['a', 'b', '1']],
    ['a number nobody can store', { a: { b: 1e200 } }, ['a', 'b']],
    ['nine levels', nested(9), Array.from({ length: 8 }, () => 'a')],
    ['an array that is too deep', { a: [[[[[[[[1]]]]]]]] }, ['a', '0', '0', '0', '0', '0', '0', '0']],
  ])('%s', async (_what, patch, path) => {
    const { hint } = await expectRefusal(set(patch), 'EC400', 'invalid_request');
    expect(hint).toEqual({ path });
  });

  test('__proto__', async () => {
    const text = '{"a":{"__proto__":1}}';
    const patch = db.as(world.operator, (session) =>
      session.value('select ec.set_shadow_desired($1, $2::jsonb)', [world.org.device.serial, text]),
    );
    expect((await expectRefusal(patch, 'EC400', 'invalid_request')).hint).toEqual({
      path: ['a', '__proto__'],
    });
  });

  test.each([[[1]], ['text'], [7], [true], [null]])('%j instead of an object', async (patch) => {
    await expectRefusal(set(patch), 'EC400', 'invalid_request');
  });
});

test('every other key and value is stored as it is', async () => {
  const patch = {
    ...{ a: 0, Z_9: -1.5, ['k'.repeat(64)]: 'ünï "quoted" \\ \n, : ', flag: false, empty: {}, none: [] },
    ...{ hasOwnProperty: 'yes', toString: 1, tiny: 1e-7, list: [1, 'x', { y: [2] }] },
  };
  expect((await set(patch)).desired).toEqual(patch);
  await set(Object.fromEntries(Object.keys(patch).map((key) => [key, null])));
});

test('eight levels are stored', async () => {
  expect((await set(nested(8))).desired).toEqual(nested(8));
  await set({ a: null });
});

test('8 KB after the merge are stored, a byte more is refused and changes nothing', async () => {
  await set({ a: 'x'.repeat(4000) });
  const rest = 8192 - '{"a":"","b":""}'.length - 4000;
  expect((await set({ b: 'y'.repeat(rest) })).desired_version).toBeGreaterThan(0);
  const { hint } = await expectRefusal(set({ b: 'y'.repeat(rest + 1) }), 'EC413', 'too_large');
  expect(hint).toEqual({ max_bytes: 8192 });
  expect((await set({})).desired).toEqual({ a: 'x'.repeat(4000), b: 'y'.repeat(rest) });
  await set({ a: null, b: null });
});
