import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

async function addressNoted(setting: string): Promise<string | null> {
  await db.as(world.orgAdmin, async (session) => {
    await session.query(`select set_config('ec.client_address', $1, true)`, [setting]);
    await session.query(`select ec.update_org($1, jsonb_build_object('name', gen_random_uuid()))`, [
      world.org.id,
    ]);
  });
  return db.value(`select host(address) from public.audit_log order by id desc limit 1`);
}

test('the address the API found stands in the entry, and nonsense leaves it empty', async () => {
  expect(await addressNoted('203.0.113.7')).toBe('203.0.113.7');
  expect(await addressNoted('2001:db8::1')).toBe('2001:db8::1');
  for (const nonsense of ['', 'unknown', '203.0.113.7, 10.0.0.1', "'; drop table x"])
    expect(await addressNoted(nonsense)).toBeNull();
});

test('it does not stick to the connection', async () => {
  expect(await addressNoted('203.0.113.9')).toBe('203.0.113.9');
  await db.as(world.orgAdmin, (session) =>
    session.query(`select ec.update_org($1, jsonb_build_object('name', gen_random_uuid()))`, [world.org.id]),
  );
  expect(await db.value('select address from public.audit_log order by id desc limit 1')).toBeNull();
});
