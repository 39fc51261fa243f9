import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAccount } from '../harness/account.ts';
import { claim, epochOf, makeClaimable, reissue, unclaim } from '../harness/claiming.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { ingest } from '../harness/fleet.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const lease = (actor: Actor, asked: string): Promise<string[]> =>
  db.as(actor, async (session) =>
    (await session.query<{ topic: string }>('select topic from ec.lease_topics($1)', [[asked]])).map(
      ({ topic }) => topic,
    ),
  );
/** Topics that hear of a packet sent now. */
async function topicsOf(serial: string): Promise<string[]> {
  await db.query('delete from realtime.messages');
  // Not held back because something was sent just before.
  await db.query('update ec.live_leases set last_sent_at = null');
  await ingest(db, [{ s: serial, d: { temp: 20 }, r: Date.now() * 1000 }]);
  const rows = await db.query<{ topic: string }>(
    'select distinct topic from realtime.messages order by topic',
  );
  return rows.map(({ topic }) => topic);
}

test('after a transfer the old holder’s topics fall silent at once and never become the new holder’s', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'SOUND-1');
  await db.query('update public.orgs set live_epoch = 4 where id = $1', [world.stranger.id]);
  await db.query('update public.orgs set live_epoch = 5 where id = $1', [world.org.id]);
  const [old] = await lease(world.viewer, 'device:SOUND-1');
  expect(await topicsOf('SOUND-1')).toEqual([old]);
  await claim(db, world.strangerAdmin, device, world.stranger.id);
  expect(await topicsOf('SOUND-1')).toEqual([]);
  expect(await lease(world.viewer, 'device:SOUND-1')).toEqual([]);
  const [next] = await lease(world.strangerAdmin, 'device:SOUND-1');
  expect(next).not.toBe(old);
  expect(await topicsOf('SOUND-1')).toEqual([next]);
});

test('a customer who loses the device hears nothing more, and who stays joins under the new epoch', async () => {
  const person = await makeAccount(db, 'listener');
  const device = await makeClaimable(db, world.orgAdmin, 'SOUND-2');
  await claim(db, person, device);
  const [old] = await lease(person, 'device:SOUND-2');
  await unclaim(db, world.orgAdmin, 'SOUND-2');
  expect(await topicsOf('SOUND-2')).toEqual([]);
  expect(await lease(person, 'device:SOUND-2')).toEqual([]);
  const [next] = await lease(world.viewer, 'device:SOUND-2');
  expect(next).not.toBe(old);

  await claim(db, person, await reissue(db, world.orgAdmin, device));
  const [mine] = await lease(person, 'device:SOUND-2');
  // Handing it to the next customer takes it from this one.
  await claim(db, await makeAccount(db, 'heir'), await reissue(db, world.orgAdmin, device));
  expect(await topicsOf('SOUND-2')).toEqual([]);
  expect(await lease(person, 'device:SOUND-2')).toEqual([]);
  expect(mine).not.toBe(old);
});

test('tenants hear nothing of a device that left their room', async () => {
  const { serial } = world.org.device;
  const [old] = await lease(world.tenant, `device:${serial}`);
  expect(await topicsOf(serial)).toEqual([old]);
  await db.as(world.orgAdmin, (session) =>
    session.query('select ec.assign_device($1, $2)', [serial, { location_id: world.org.otherRoom }]),
  );
  expect(await topicsOf(serial)).toEqual([]);
  expect(await lease(world.tenant, `device:${serial}`)).toEqual([]);
});

test('somebody removed hears nothing of the org from that moment', async () => {
  const viewer = await makeMember(db, 'gone', 'viewer', { org: world.sibling.id });
  const { serial } = world.sibling.device;
  const [topic] = await lease(viewer, `org:${world.sibling.id}`);
  expect(await topicsOf(serial)).toEqual([topic]);
  await db.query('update public.memberships set ended_at = now() where user_id = $1', [viewer.user]);
  expect(await topicsOf(serial)).toEqual([]);
  expect(await db.query(`select 1 from ec.live_pending where topic = $1`, [topic])).toEqual([]);
});

test('claiming what nobody else watched changes no topics', async () => {
  const device = await makeClaimable(db, world.orgAdmin, 'SOUND-3');
  const epoch = await epochOf(db, world.org.id);
  await claim(db, await makeAccount(db, 'quiet'), device);
  expect(await epochOf(db, world.org.id)).toBe(epoch);
});
