import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { claim, makeClaimable, reissue, unclaim, type Claimable } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface Preview {
  state: string;
  serial: string;
  product_type: { key: string; name: string };
  org: { name: string; slug: string; brand: object } | null;
}

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const preview = (device: Claimable, actor: Actor = 'nobody'): Promise<Preview> =>
  db.as(actor, (session) => session.value('select ec.preview_claim($1, $2)', [device.serial, device.code]));
/** The state of the page, and the reason the claim itself gives. */
async function outcome(device: Claimable): Promise<[string, unknown]> {
  const { state } = await preview(device);
  const person = await makeAccount(db, 'late');
  const refusal = await claim(db, person, device).then(
    () => 'claimed',
    (error: { hint?: string }) => (JSON.parse(error.hint ?? '{}') as { reason?: string }).reason,
  );
  return [state, refusal];
}

test('a fresh code shows the product and who hands it out, to anybody', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-1');
  expect(await preview(device)).toEqual({
    state: 'claimable',
    serial: 'STICK-1',
    product_type: { key: 'EC-CLIMATE-V1', name: 'Climate node' },
    org: { name: 'acme', slug: 'acme', brand: {} },
  });
});

test('a used code is yours for its claimer and the org’s people, used for the rest', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-2');
  const person = await makeAccount(db, 'owner');
  await claim(db, person, device);
  expect((await preview(device, person)).state).toBe('yours');
  expect((await preview(device, world.viewer)).state).toBe('yours');
  expect((await preview(device, world.outsider)).state).toBe('used');
  expect(await outcome(device)).toEqual(['used', 'used']);
});

test('expired, reissued, transferred, unclaimed and retired each have their own answer', async () => {
  const expired = await makeClaimable(db, world.orgAdmin, 'STICK-3');
  await db.query(
    `update public.claim_codes set expires_at = now() - interval '1 second' where device_id = $1`,
    [expired.id],
  );
  expect(await outcome(expired)).toEqual(['expired', 'expired']);

  const reissued = await makeClaimable(db, world.orgAdmin, 'STICK-4');
  const fresh = await reissue(db, world.orgAdmin, reissued);
  expect(await outcome(reissued)).toEqual(['reissued', 'reissued']);
  expect((await preview(fresh)).state).toBe('claimable');

  const transferred = await makeClaimable(db, world.orgAdmin, 'STICK-5');
  await db.as(world.partnerUser, (session) =>
    session.query('select ec.assign_device($1, $2)', ['STICK-5', { org_id: world.sibling.id }]),
  );
  expect(await outcome(transferred)).toEqual(['transferred', 'transferred']);

  const unclaimed = await makeClaimable(db, world.orgAdmin, 'STICK-6');
  const person = await makeAccount(db, 'brief');
  await claim(db, person, unclaimed);
  await unclaim(db, person, 'STICK-6');
  expect(await outcome(unclaimed)).toEqual(['unclaimed', 'unclaimed']);

  const retired = await makeClaimable(db, world.orgAdmin, 'STICK-7');
  await claim(db, world.orgAdmin, retired, world.org.id);
  await db.as(world.orgAdmin, (session) => session.query(`select ec.retire_device('STICK-7', true)`));
  expect(await outcome(retired)).toEqual(['retired', 'retired']);
});

test('an old sticker never tells who has the device today', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-8');
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  expect(await preview(device)).toMatchObject({ state: 'used', org: { slug: 'acme' } });
  expect(await preview(device, world.orgAdmin)).toMatchObject({ state: 'used', org: { slug: 'acme' } });
  expect(await preview(device, world.strangerAdmin)).toMatchObject({
    state: 'yours',
    org: { slug: 'elsewhere' },
  });
});

test('a code that was never issued is like a serial that does not exist', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-9');
  const wrong = await expectRefusal(preview({ ...device, code: randomBytes(32) }), 'EC404', 'not_found');
  const missing = await expectRefusal(preview({ ...device, serial: 'STICK-99' }), 'EC404', 'not_found');
  expect(wrong).toEqual(missing);
});

test('who may register issues a new code; its history is read by the org alone', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-10');
  for (const actor of [world.viewer, world.operator, await makeProvisioningKey(db, world.org.id)])
    await expectRefusal(reissue(db, actor, device), 'EC403', 'forbidden');
  for (const actor of [world.strangerAdmin, world.outsider, 'nobody'] as Actor[])
    await expectRefusal(reissue(db, actor, device), 'EC404', 'not_found');
  for (const actor of [world.orgAdmin, world.partnerUser, world.apiKey]) await reissue(db, actor, device);

  const read = (actor: Actor): Promise<unknown> =>
    db.as(actor, (session) => session.value(`select ec.read_claim_code('STICK-10')`));
  expect(await read(world.viewer)).toMatchObject({ state: 'claimable', used_at: null });
  await expectRefusal(read(world.strangerAdmin), 'EC404', 'not_found');
  await db.query(`delete from public.claim_codes where device_id = $1`, [device.id]);
  expect(await read(world.viewer)).toMatchObject({ state: 'none' });
});

test('a retired device gets no code, and none that ended before it began', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'STICK-11');
  await expectRefusal(
    db.as(world.orgAdmin, (session) =>
      session.query(`select ec.reissue_claim_code('STICK-11', $1, now() - interval '1 minute')`, [
        randomBytes(32),
      ]),
    ),
    'EC400',
    'invalid_request',
  );
  await claim(db, world.orgAdmin, device, world.org.id);
  await db.as(world.orgAdmin, (session) => session.query(`select ec.retire_device('STICK-11', true)`));
  await expectRefusal(reissue(db, world.orgAdmin, device), 'EC409', 'conflict');
});
