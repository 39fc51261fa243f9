import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeProvisioningKey } from '../harness/keys.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { register } from '../harness/register.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

interface Row {
  line: number;
  serial: string | null;
  action: string;
  changes?: Record<string, { from: unknown; to: unknown }>;
  errors: { column: string | null; code: string; detail: string }[];
}
interface Reply {
  rows: Row[];
  counts: Record<string, number>;
  applied: boolean;
}

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

const importRows = (
  rows: unknown[],
  dryRun: boolean,
  actor: Actor = world.orgAdmin,
  org = world.org.id,
): Promise<Reply> =>
  db.as(actor, (session) =>
    session.value('select ec.import_devices($1, $2, $3)', [org, JSON.stringify(rows), dryRun]),
  );
const numbered = (...rows: Record<string, unknown>[]): Record<string, unknown>[] =>
  rows.map((row, n) => ({ line: n + 2, ...row }));
const TYPE = 'EC-CLIMATE-V1';
const count = (): Promise<string> => db.value('select count(*) from public.devices');
/** Everything an import may touch. */
const footprint = (): Promise<unknown> =>
  db.query(
    `select (select count(*) from public.devices) as devices, (select count(*) from public.device_tenures) as tenures,
       (select max(id) from public.audit_log) as audit, (select count(*) from ec.mqtt_outbox) as outbox,
       (select jsonb_agg(to_jsonb(d) order by d.serial) from public.devices d) as rows`,
  );

test('a preview says what would happen and writes nothing; the real run does exactly that', async () => {
  await db.as(world.orgAdmin, (session) => register(session, 'CSV-OLD'));
  await db.as(world.orgAdmin, (session) => register(session, 'CSV-SAME'));
  await db.as(world.orgAdmin, (session) =>
    session.query(`select ec.update_device('CSV-OLD', '{"name":"Old"}')`),
  );
  const rows = numbered(
    {
      serial: 'CSV-NEW',
      product_type: TYPE,
      name: 'Window',
      location: 'main / LAB',
      tags: ['north', 'wall'],
      attributes: { po: '4711' },
    },
    { serial: 'CSV-OLD', name: 'New', location: 'Main/Store' },
    { serial: 'CSV-SAME', product_type: TYPE, name: null },
  );
  const before = await footprint();
  const preview = await importRows(rows, true);
  expect(await footprint()).toEqual(before);
  expect(preview).toEqual({
    applied: false,
    counts: { create: 1, update: 1, unchanged: 1, error: 0 },
    rows: [
      {
        line: 2,
        serial: 'CSV-NEW',
        action: 'create',
        errors: [],
        changes: {
          product_type: { from: null, to: TYPE },
          name: { from: null, to: 'Window' },
          location: { from: null, to: 'Main / Lab' },
          tags: { from: null, to: ['north', 'wall'] },
          'attributes.po': { from: null, to: '4711' },
        },
      },
      {
        line: 3,
        serial: 'CSV-OLD',
        action: 'update',
        errors: [],
        changes: { name: { from: 'Old', to: 'New' }, location: { from: null, to: 'Main / Store' } },
      },
      { line: 4, serial: 'CSV-SAME', action: 'unchanged', errors: [], changes: {} },
    ],
  });
  expect(await importRows(rows, false)).toEqual({ ...preview, applied: true });
  const stored = await db.query(
    `select serial, name, location_id, tags, attributes, lifecycle from public.devices where serial like 'CSV-%' order by serial`,
  );
  expect(stored).toMatchObject([
    {
      serial: 'CSV-NEW',
      name: 'Window',
      location_id: world.org.room,
      tags: ['north', 'wall'],
      attributes: { po: '4711' },
      lifecycle: 'manufactured',
    },
    { serial: 'CSV-OLD', name: 'New', location_id: world.org.otherRoom },
    { serial: 'CSV-SAME', name: null },
  ]);
  const again = await importRows(rows, false);
  expect(again.counts).toEqual({ create: 0, update: 0, unchanged: 3, error: 0 });
});

test('what was imported gets its secret when it registers', async () => {
  await importRows(numbered({ serial: 'CSV-BOOT', product_type: TYPE }), false);
  const key = await makeProvisioningKey(db, world.org.id);
  const reply = await db.as(key, (session) => register(session, 'CSV-BOOT'));
  expect(reply).toMatchObject({ created: false, issued: true, claim_issued: true });
});

test('an empty name or place is cleared, attributes are merged', async () => {
  await importRows(
    numbered({
      serial: 'CSV-CLEAR',
      product_type: TYPE,
      name: 'A',
      location: 'Main / Lab',
      attributes: { a: 1, b: 2 },
    }),
    false,
  );
  const { rows } = await importRows(
    numbered({ serial: 'CSV-CLEAR', name: '', location: '', attributes: { b: null, c: 3 } }),
    false,
  );
  expect(rows[0]!.changes).toEqual({
    name: { from: 'A', to: null },
    location: { from: 'Main / Lab', to: null },
    'attributes.b': { from: 2, to: null },
    'attributes.c': { from: null, to: 3 },
  });
});

test('every bad row says all that is wrong with it, and costs only itself', async () => {
  await db.as(world.orgAdmin, (session) => register(session, 'CSV-TYPED'));
  await db.as(world.orgAdmin, (session) => register(session, 'CSV-GONE'));
  await db.query(
    `update public.devices set lifecycle = 'retired', retired_at = now() where serial = 'CSV-GONE'`,
  );
  const reply = await importRows(
    numbered(
      { serial: 'no spaces please', name: 'x'.repeat(201), location: 'Nowhere / At all', tags: [' '] },
      { serial: 'CSV-GOOD', product_type: TYPE },
      { serial: 'CSV-GOOD', name: 'Twice' },
      { serial: world.stranger.device.serial, name: 'Mine now' },
      { serial: 'CSV-TYPELESS' },
      { serial: 'CSV-UNKNOWN', product_type: 'TOASTER' },
      { serial: 'CSV-TYPED', product_type: 'tracker' },
      { serial: 'CSV-GONE', name: 'Back' },
      { product_type: TYPE },
      { serial: 'CSV-ODD', product_type: TYPE, attributes: 'a=1' },
    ),
    false,
  );
  expect(reply.counts).toEqual({ create: 1, update: 0, unchanged: 0, error: 9 });
  expect(
    reply.rows.map(({ action, errors }) => [action, errors.map(({ column, code }) => `${column} ${code}`)]),
  ).toEqual([
    [
      'error',
      ['serial invalid_request', 'name invalid_request', 'location not_found', 'tags invalid_request'],
    ],
    ['create', []],
    ['error', ['serial conflict']],
    ['error', ['serial serial_taken']],
    ['error', ['product_type unprocessable']],
    ['error', ['product_type unprocessable']],
    ['error', ['product_type conflict']],
    ['error', ['serial conflict']],
    ['error', ['serial invalid_request']],
    ['error', ['null invalid_request']],
  ]);
  expect(reply.rows.every(({ errors }) => errors.every(({ detail }) => detail.endsWith('.')))).toBe(true);
  expect(await db.value(`select count(*) from public.devices where serial = 'CSV-ODD'`)).toBe('0');
  expect(
    await db.value(`select name from public.devices where serial = $1`, [world.stranger.device.serial]),
  ).toBeNull();
});

test('a place of two is asked back', async () => {
  for (const type of ['site', 'building'])
    await db.query(`insert into public.locations (org_id, type, name) values ($1, $2, 'Twin')`, [
      world.org.id,
      type,
    ]);
  const { rows } = await importRows(
    numbered({ serial: 'CSV-TWIN', product_type: TYPE, location: 'twin' }),
    true,
  );
  expect(rows[0]!.errors).toMatchObject([{ column: 'location', code: 'conflict' }]);
});

test('the plan’s limit counts in the preview, too', async () => {
  const used = Number(
    await db.value(`select count(*) from public.devices where org_id = $1 and lifecycle <> 'retired'`, [
      world.org.id,
    ]),
  );
  await db.query(`update public.plan_limits set max_devices = $1 where plan = 'starter'`, [used + 1]);
  const rows = numbered(
    { serial: 'CSV-FIT', product_type: TYPE },
    { serial: 'CSV-OVER', product_type: TYPE },
  );
  for (const dryRun of [true, false]) {
    const reply = await importRows(rows, dryRun);
    expect(reply.rows.map(({ errors }) => errors[0]?.code)).toEqual([undefined, 'plan_limit']);
  }
  await db.query(`update public.plan_limits set max_devices = 1000 where plan = 'starter'`);
});

test('who may not configure imports nothing; a key without provision changes but creates nothing', async () => {
  const rows = numbered({ serial: 'CSV-RIGHTS', product_type: TYPE }, { serial: 'CSV-OLD', name: 'By key' });
  for (const actor of [world.viewer, world.operator])
    await expectRefusal(importRows(rows, true, actor), 'EC403', 'forbidden');
  for (const actor of [world.strangerAdmin, world.tenant, 'nobody'] as Actor[])
    await expectRefusal(importRows(rows, true, actor), 'EC404', 'not_found');
  const writer = await makeApiKey(db, world.org.id, ['read', 'write']);
  const reply = await importRows(rows, false, writer);
  expect(reply.rows.map(({ action, errors }) => [action, errors[0]?.code])).toEqual([
    ['error', 'forbidden'],
    ['update', undefined],
  ]);
});

test('nothing and too much are refused as a whole', async () => {
  const before = await count();
  for (const rows of [[], Array.from({ length: 501 }, (_, n) => ({ line: n, serial: `CSV-${n}` }))])
    await expectRefusal(importRows(rows, false), 'EC400', 'invalid_request');
  expect(await count()).toBe(before);
});

test('five hundred rows take seconds, not minutes', { timeout: 60_000 }, async () => {
  const rows = numbered(
    ...Array.from({ length: 500 }, (_, n) => ({
      serial: `CSV-MANY-${n}`,
      product_type: TYPE,
      name: `Device ${n}`,
      location: 'Main / Store',
    })),
  );
  const started = performance.now();
  expect((await importRows(rows, true)).counts['create']).toBe(500);
  expect(performance.now() - started).toBeLessThan(20_000);
});
