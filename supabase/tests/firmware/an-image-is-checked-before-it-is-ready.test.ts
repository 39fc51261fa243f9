import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { expectRefusal } from '../harness/refusal.ts';
import {
  asApi,
  begin,
  facts,
  finish,
  makeFirmware,
  type Firmware,
  type Upload,
} from '../harness/updating.ts';
import { makeApiKey, seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
});
afterAll(() => db.drop());

let count = 0;
const fresh = (): string => `1.${++count}.0`;
const start = (upload: Upload = {}, actor: Actor = world.orgAdmin): Promise<Firmware> =>
  begin(db, actor, world.org.id, { version: fresh(), ...upload });

test('from the first word to the bell: its size, hash, signature, chip and project are kept', async () => {
  const { id, state, object_path } = await start({ version: 'v7.0.0', notes: 'Quieter relay' });
  expect(state).toBe('uploading');
  expect(object_path).toBe(`${world.org.id}/EC-CLIMATE-V1/${id}.bin`);
  const ready = await finish(db, world.orgAdmin, id, {
    version: '7.0.0',
    chip: 'ESP32',
    size: 1234,
    sha256: 'a'.repeat(64),
  });
  expect(ready).toMatchObject({
    ...{
      state: 'ready',
      version: '7.0.0',
      size: 1234,
      sha256: 'a'.repeat(64),
      chip: 'esp32',
      project: 'climate',
    },
    ...{
      idf_version: 'v5.2',
      signature: 'c2lnbg==',
      refused_reason: null,
      detail: null,
      notes: 'Quieter relay',
    },
  });
  expect(
    await db.query(
      `select kind, severity, title, body from public.notifications where subject ->> 'firmware' = $1`,
      [id],
    ),
  ).toEqual([
    {
      kind: 'firmware_uploaded',
      severity: 'info',
      title: 'Firmware 7.0.0 for Climate node is ready',
      body: 'Quieter relay',
    },
  ]);
  expect(await db.query('select action, actor_id from public.audit_log where target_id = $1', [id])).toEqual([
    { action: 'firmware_uploaded', actor_id: (world.orgAdmin as { user: string }).user },
  ]);
});

test('without a version the image’s own counts, without its v', async () => {
  const { id, version } = await start({ version: null });
  expect(version).toBeNull();
  expect(await finish(db, world.orgAdmin, id, { version: 'v8.0.0' })).toMatchObject({
    state: 'ready',
    version: '8.0.0',
  });
});

describe('refused at once is', () => {
  test.each<[string, Upload, string, string, string | undefined]>([
    ['an empty file', { size: 0 }, 'EC422', 'unprocessable', 'empty_file'],
    ['more than 32 MiB', { size: 33_554_433 }, 'EC413', 'too_large', 'too_large'],
    ['a version with a blank', { version: '1 2' }, 'EC422', 'unprocessable', 'invalid_version'],
    ['a version of 32 characters', { version: '1'.repeat(32) }, 'EC422', 'unprocessable', 'invalid_version'],
    [
      'a raw image without a version',
      { version: null, raw: true },
      'EC422',
      'unprocessable',
      'version_missing',
    ],
    ['an unknown product type', { type: 'toaster' }, 'EC422', 'unprocessable', undefined],
  ])('%s', async (_what, upload, state, code, reason) => {
    const { hint } = await expectRefusal(start(upload), state, code);
    expect(hint?.['reason']).toBe(reason);
  });

  test('exactly 32 MiB are not', async () => {
    expect((await start({ size: 33_554_432 })).state).toBe('uploading');
  });

  test('a version that is ready already', async () => {
    const { version } = await makeFirmware(db, world.orgAdmin, world.org.id, fresh());
    const { hint } = await expectRefusal(start({ version }), 'EC409', 'conflict');
    expect(hint).toEqual({ reason: 'duplicate_version' });
  });
});

describe('what the API read decides; the row stays and says why', () => {
  test.each<[string, Upload, Record<string, unknown>, string]>([
    ['nothing in it', {}, { size: 0 }, 'empty_file'],
    ['larger than announced', {}, { size: 33_554_433 }, 'too_large'],
    ['for another chip', {}, { chip: 'esp32s3' }, 'wrong_chip'],
    ['another version than said', { version: '9.9.9' }, { version: '9.9.8' }, 'version_mismatch'],
    ['no version anywhere', { version: null }, { version: '' }, 'version_missing'],
    ['a version with odd letters', { version: null }, { version: '1.0 beta' }, 'invalid_version'],
  ])('%s', async (_what, upload, read, reason) => {
    const { id, version } = await start(upload);
    const refused = await finish(db, world.orgAdmin, id, { version, ...read });
    expect(refused).toMatchObject({
      state: 'refused',
      refused_reason: reason,
      detail: expect.stringMatching(/\.$/),
    });
    await expectRefusal(finish(db, world.orgAdmin, id), 'EC409', 'conflict');
  });

  test('a version that became ready meanwhile', async () => {
    const { id } = await start({ version: null });
    const version = fresh();
    await makeFirmware(db, world.orgAdmin, world.org.id, version);
    expect(await finish(db, world.orgAdmin, id, { version })).toMatchObject({
      refused_reason: 'duplicate_version',
    });
  });

  test('no image at all', async () => {
    const { id } = await start();
    const refused = await asApi(db, world.orgAdmin, (session) =>
      session.value<Firmware>('select ec.refuse_firmware($1, $2)', [id, 'not_an_image']),
    );
    expect(refused).toMatchObject({ state: 'refused', refused_reason: 'not_an_image' });
  });
});

test('a raw image is taken as it is, whatever its chip', async () => {
  const { id, version } = await start({ raw: true });
  expect(await finish(db, world.orgAdmin, id, { chip: null, version: null })).toMatchObject({
    state: 'ready',
    version,
  });
});

test('a type without a chip takes any', async () => {
  await db.query(`insert into public.product_types (key, name) values ('any-chip', 'Any')`);
  const { id, version } = await start({ type: 'any-chip' });
  expect(await finish(db, world.orgAdmin, id, { chip: 'esp32c6', version })).toMatchObject({
    state: 'ready',
  });
});

test('who lost the connection begins again, and the former upload is over', async () => {
  const version = fresh();
  const first = await start({ version });
  const second = await start({ version });
  await expectRefusal(finish(db, world.orgAdmin, first.id, { version }), 'EC409', 'conflict');
  expect((await finish(db, world.orgAdmin, second.id, { version })).state).toBe('ready');
});

test('two that are finished at once: one is ready', async () => {
  const version = fresh();
  const uploads = [await start({ version: null }), await start({ version: null })];
  const ended = await Promise.all(uploads.map(({ id }) => finish(db, world.orgAdmin, id, { version })));
  expect(ended.map(({ state }) => state).toSorted()).toEqual(['ready', 'refused']);
});

describe('who', () => {
  test('uploads: who runs the org, and a key with the scope for it', async () => {
    for (const actor of [world.orgAdmin, world.admin, await makeApiKey(db, world.org.id, ['ota'])])
      expect((await start({}, actor)).state).toBe('uploading');
    for (const actor of [
      world.operator,
      world.viewer,
      world.partnerUser,
      await makeApiKey(db, world.org.id, ['read', 'write']),
    ])
      await expectRefusal(start({}, actor), 'EC403', 'forbidden');
    for (const actor of [world.strangerAdmin, world.customer, world.tenant, 'nobody' as const])
      await expectRefusal(start({}, actor), 'EC404', 'not_found');
  });

  test('says what an object holds: the API alone, for somebody who may', async () => {
    const { id } = await start();
    await expect(
      db.as(world.orgAdmin, (session) => session.value('select ec.finish_firmware($1, $2)', [id, facts()])),
    ).rejects.toThrow(/permission denied/);
    await expectRefusal(finish(db, world.strangerAdmin, id), 'EC404', 'not_found');
    await expectRefusal(finish(db, world.operator, id), 'EC403', 'forbidden');
  });

  test('uploads for a type that has a maker: that maker', async () => {
    await db.query(
      `insert into public.product_types (key, name, maker_org_id) values ('theirs', 'Theirs', $1)`,
      [world.stranger.id],
    );
    await expectRefusal(start({ type: 'theirs' }), 'EC422', 'unprocessable');
    expect((await begin(db, world.strangerAdmin, world.stranger.id, { type: 'theirs' })).state).toBe(
      'uploading',
    );
  });

  test('changes the notes', async () => {
    const { id } = await makeFirmware(db, world.orgAdmin, world.org.id, fresh());
    const update = (actor: Actor, notes: string): Promise<{ notes: string }> =>
      db.as(actor, (session) => session.value('select ec.update_firmware_notes($1, $2)', [id, notes]));
    expect(await update(world.orgAdmin, 'Mends the relay')).toMatchObject({ notes: 'Mends the relay' });
    await expectRefusal(update(world.viewer, 'x'), 'EC403', 'forbidden');
    await expectRefusal(update(world.strangerAdmin, 'x'), 'EC404', 'not_found');
    await expectRefusal(update(world.orgAdmin, 'x'.repeat(10_001)), 'EC413', 'too_large');
  });
});
