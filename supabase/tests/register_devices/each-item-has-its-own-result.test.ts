import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { makeSecret } from '../harness/secrets.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

interface ItemResult {
  i: number;
  ok: boolean;
  issued?: boolean;
  device?: { serial: string };
  error?: { status: string; code: string; detail: string; extra: unknown };
}

function item(serial: string, productType = 'tracker'): Record<string, string> {
  const { sha256, passwordHash, salt, claim } = makeSecret();
  const hex = { secret_sha256: sha256.toString('hex'), claim_sha256: claim.toString('hex') };
  return { serial, product_type: productType, password_hash: passwordHash, salt, ...hex };
}
const registerAll = (actor: Actor, items: unknown[]): Promise<ItemResult[]> =>
  db.as(actor, (session) => session.value('select ec.register_devices($1)', [JSON.stringify(items)]));

test('one bad item loses none of its neighbours, and results come in the order given', async () => {
  const results = await registerAll(world.apiKey, [
    item('TR-3'),
    item(world.stranger.device.serial),
    item('no good'),
    item('TR-1'),
    item('TR-2', 'toaster'),
    item('TR-3'),
  ]);
  expect(results.map(({ i }) => i)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(results.map(({ ok }) => ok)).toEqual([true, false, false, true, false, true]);
  expect(results[1]!.error).toMatchObject({ status: 'EC409', code: 'serial_taken' });
  expect(results[2]!.error).toMatchObject({ status: 'EC400', code: 'invalid_request' });
  expect(results[4]!.error).toMatchObject({
    status: 'EC422',
    code: 'unprocessable',
    extra: { known: expect.any(Array) },
  });
  // The serial that stands twice: the second is a repetition.
  expect([results[0], results[5]].map((result) => result!.issued)).toEqual([true, true]);
  expect(await db.value(`select count(*) from public.devices where serial like 'TR-%'`)).toBe('2');
});

test('500 devices fit in one call, 501 and none do not', async () => {
  const items = Array.from({ length: 500 }, (_, i) => item(`BULK-${String(i).padStart(5, '0')}`));
  const results = await registerAll(world.apiKey, items);
  expect(results.every(({ ok, issued }) => ok && issued)).toBe(true);
  await expectRefusal(registerAll(world.apiKey, [...items, item('BULK-X')]), 'EC400', 'invalid_request');
  await expectRefusal(registerAll(world.apiKey, []), 'EC400', 'invalid_request');
});

test('two calls over the same serials in opposite order both finish', async () => {
  const items = (): unknown[] => Array.from({ length: 60 }, (_, i) => item(`OPP-${i}`));
  const results = await Promise.all([
    registerAll(world.apiKey, items()),
    registerAll(world.apiKey, items().reverse()),
  ]);
  expect(results.flat().every(({ ok }) => ok)).toBe(true);
  expect(await db.value(`select count(*) from public.devices where serial like 'OPP-%'`)).toBe('60');
});
