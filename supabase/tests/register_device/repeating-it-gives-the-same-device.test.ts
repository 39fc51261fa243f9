import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeMember, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const count = (sql: string, values: unknown[] = []): Promise<string> =>
  db.value(`select count(*) ${sql}`, values);

test('a new serial becomes a manufactured device of the caller’s org with state, tenure and audit row', async () => {
  const result = await db.as(world.apiKey, (session) => register(session, 'EC-1', { firmware: '1.2.0' }));
  expect(result).toMatchObject({
    created: true,
    issued: true,
    claim_issued: true,
    device: {
      serial: 'EC-1',
      product_type: 'EC-CLIMATE-V1',
      fw_version: '1.2.0',
      lifecycle: 'manufactured',
      org_id: world.org.id,
    },
  });
  const [state] = await db.query('select org_num, tenure_id from public.device_state where serial = $1', [
    'EC-1',
  ]);
  const [tenure] = await db.query('select id from public.device_tenures where device_id = $1', [
    result.device.id,
  ]);
  expect(state).toEqual({ org_num: world.org.num, tenure_id: tenure!['id'] });
  const [audit] = await db.query(
    `select actor_kind, org_id, before, after from public.audit_log where target_id = 'EC-1' and action = 'device_registered'`,
  );
  expect(audit).toMatchObject({
    actor_kind: 'api_key',
    org_id: world.org.id,
    before: null,
    after: { serial: 'EC-1' },
  });
});

test('the same serial by the same caller is the same device', async () => {
  const first = await db.as(world.apiKey, (session) => register(session, 'EC-2'));
  const second = await db.as(world.apiKey, (session) => register(session, 'EC-2'));
  expect(second).toMatchObject({ created: false, device: { id: first.device.id } });
  expect(await count('from public.devices where serial = $1', ['EC-2'])).toBe('1');
});

test('another credential of the org gets the device and no secret', async () => {
  await db.as(world.apiKey, (session) => register(session, 'EC-3'));
  const other = await db.as(world.orgAdmin, (session) => register(session, 'EC-3'));
  expect(other).toMatchObject({ created: false, issued: false, claim_issued: false });
});

test('two registrations at the same moment make one device and one live secret', async () => {
  const results = await Promise.all(
    [1, 2, 3, 4].map(() => db.as(world.apiKey, (session) => register(session, 'EC-RACE'))),
  );
  expect(results.filter(({ created }) => created)).toHaveLength(1);
  expect(new Set(results.map(({ device }) => device.id)).size).toBe(1);
  expect(await count(`from ec.mqtt_credentials where serial = 'EC-RACE'`)).toBe('1');
});

test('the same serial under another product type is a conflict', async () => {
  await db.as(world.apiKey, (session) => register(session, 'EC-4'));
  await expectRefusal(
    db.as(world.apiKey, (session) => register(session, 'EC-4', { productType: 'tracker' })),
    'EC409',
    'conflict',
  );
});

test('the firmware version follows registrations only until the first packet', async () => {
  const firmware = (version: string | null): Promise<unknown> =>
    db.as(world.apiKey, (session) => register(session, 'EC-5', { firmware: version }));
  const stored = (): Promise<unknown> =>
    db.value(`select fw_version from public.devices where serial = 'EC-5'`);
  await firmware('1.0.0');
  await firmware('1.1.0');
  await firmware(null);
  expect(await stored()).toBe('1.1.0');
  await db.query(
    `update public.devices set activated_at = now(), lifecycle = 'active' where serial = 'EC-5'`,
  );
  await firmware('1.0.0');
  expect(await stored()).toBe('1.1.0');
});

test.each(['ab', 'has space', 'a/b', 'a+b', 'a#b', '-starts', 'x'.repeat(65), 'ünicode', 'new\nline', ''])(
  'a serial like %j cannot be part of a topic and is refused',
  async (serial) => {
    await expectRefusal(
      db.as(world.apiKey, (session) => register(session, serial)),
      'EC400',
      'invalid_request',
    );
  },
);

test('an unknown product type is refused with the known ones', async () => {
  const refusal = await expectRefusal(
    db.as(world.apiKey, (session) => register(session, 'EC-6', { productType: 'toaster' })),
    'EC422',
    'unprocessable',
  );
  expect(refusal.hint).toEqual({ known: ['EC-CLIMATE-V1', 'tracker'] });
});

test('a product type of another maker is unknown', async () => {
  await db.query(
    `insert into public.product_types (key, name, maker_org_id) values ('secret-type', 'x', $1)`,
    [world.stranger.id],
  );
  const refusal = await expectRefusal(
    db.as(world.apiKey, (session) => register(session, 'EC-7', { productType: 'secret-type' })),
    'EC422',
    'unprocessable',
  );
  expect(JSON.stringify(refusal)).not.toContain('"secret-type","');
  expect(refusal.hint).toEqual({ known: ['EC-CLIMATE-V1', 'tracker'] });
  expect(
    await db.as(world.strangerAdmin, (session) => register(session, 'EC-7', { productType: 'secret-type' })),
  ).toMatchObject({ created: true });
});

test('whoever has several orgs says which; whoever has none is refused', async () => {
  await expectRefusal(
    db.as(world.partnerUser, (session) => register(session, 'EC-8')),
    'EC400',
    'invalid_request',
  );
  const there = await db.as(world.partnerUser, (session) =>
    register(session, 'EC-8', { orgId: world.sibling.id }),
  );
  expect(there.device.org_id).toBe(world.sibling.id);
  // The serial tells the org from then on.
  expect(await db.as(world.partnerUser, (session) => register(session, 'EC-8'))).toMatchObject({
    created: false,
  });
  for (const actor of [world.viewer, world.operator, world.tenant, world.customer, world.outsider])
    await expectRefusal(
      db.as(actor, (session) => register(session, 'EC-9')),
      'EC403',
      'forbidden',
    );
  const readKey = await makeMember(db, 'late', 'viewer', { org: world.org.id });
  await expectRefusal(
    db.as(readKey, (session) => register(session, 'EC-9', { orgId: world.org.id })),
    'EC403',
    'forbidden',
  );
});

test('naming an org that is not one’s own is like naming none that exists', async () => {
  const into = (orgId: string): Promise<unknown> =>
    db.as(world.orgAdmin, (session) => register(session, 'EC-10', { orgId }));
  const foreign = await expectRefusal(into(world.stranger.id), 'EC404', 'not_found');
  const missing = await expectRefusal(into('00000000-0000-4000-8000-000000000000'), 'EC404', 'not_found');
  expect(foreign).toEqual(missing);
});
