import { afterAll, beforeAll, expect, test } from 'vitest';
import { send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { expectRefusal, refusalOf } from '../harness/refusal.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const serial = (): string => world.org.device.serial;
const order = (actor: Actor, device = serial()): Promise<Command> => send(db, actor, device, 'blink');
const cancel = (actor: Actor, id: string, device = serial()): Promise<Command> =>
  db.as(actor, (session) => session.value('select ec.cancel_command($1, $2)', [device, id]));

test('who controls the org’s devices sends and takes back, and the log says who', async () => {
  const writer = await makeApiKey(db, world.org.id, ['write']);
  for (const actor of [world.admin, world.orgAdmin, world.operator, world.apiKey, writer])
    expect(await cancel(actor, (await order(actor)).id)).toMatchObject({ reason: 'cancelled' });
  const log = await db.query<{ action: string; actor_kind: string }>(
    `select action, actor_kind from public.audit_log where target_id = $1 and action like 'command\\_%' order by id`,
    [serial()],
  );
  expect(log).toHaveLength(10);
  expect(log.slice(-2)).toEqual([
    { action: 'command_sent', actor_kind: 'api_key' },
    { action: 'command_cancelled', actor_kind: 'api_key' },
  ]);
});

test('a command says who sent it', async () => {
  expect((await order(world.operator)).created_by).toMatch(/^operator-.*@example\.com$/);
  expect((await order(world.apiKey)).created_by).toMatch(/^test \(ec_live_test/);
});

test('who may only see the device is told so, its customer included', async () => {
  const { id } = await order(world.operator);
  for (const actor of [world.viewer, world.partnerUser, world.customer, world.tenant]) {
    await expectRefusal(order(actor), 'EC403', 'forbidden');
    await expectRefusal(cancel(actor, id), 'EC403', 'forbidden');
  }
});

test('for everybody else device and command are missing, exactly as what does not exist', async () => {
  const { id } = await order(world.operator);
  const missing = await refusalOf(order(world.strangerAdmin, 'NOBODY-001'));
  expect(missing).toMatchObject({ state: 'EC404', code: 'not_found' });
  for (const actor of [
    world.strangerAdmin,
    world.outsider,
    { device: world.org.device.id },
    'nobody' as const,
  ]) {
    expect(await refusalOf(order(actor))).toEqual(missing);
    expect(await refusalOf(cancel(actor, id))).toEqual(missing);
    expect(await db.as(actor, (session) => session.query('select id from public.device_commands'))).toEqual(
      [],
    );
  }
  expect(await refusalOf(cancel(world.strangerAdmin, id, world.stranger.device.serial))).toEqual(missing);
});

test('a key that ships in firmware commands nothing', async () => {
  const line = await makeProvisioningKey(db, world.org.id);
  expect((await refusalOf(order(line))).state).toMatch(/EC40[34]/);
});
