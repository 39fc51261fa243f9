import { afterAll, beforeAll, expect, it } from 'vitest';
import { espImage } from '../../../sdk/test/esp-image.ts';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startApi({}, { store: true });
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  key = await api.apiKey(['read', 'write', 'ota', 'provision']);
});
afterAll(() => api?.stop());

const PUBLIC_KEY = /^[A-Za-z0-9+/]{43}=$/;
const register = (serial_no: string, product_type: string, as = key): Promise<Answer> =>
  api.call('POST', '/devices/register', { as, body: { serial_no, product_type } });
const keysOf = async (orgId: string, as: string): Promise<{ product_type: string; public_key: string }[]> =>
  (await api.get(`/orgs/${orgId}/signing-keys`, as)).body;

it('many devices that register first at the same time all get the one key of their type', async () => {
  const other = await api.copy();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      (n % 2 ? api : other).call('POST', '/devices/register', {
        as: key,
        body: { serial_no: `KEY-${n}`, product_type: 'EC-CLIMATE-V1' },
      }),
    ),
  );
  const keys = new Set(answers.map(({ body }) => body.ota_public_key));
  expect([...keys]).toEqual([expect.stringMatching(PUBLIC_KEY)]);
  expect(await keysOf(api.world.org.id, key)).toEqual([
    { product_type: 'EC-CLIMATE-V1', public_key: [...keys][0], created_at: expect.any(String) },
  ]);
});

it('every answer of a registration has the key: repeated, in bulk, replayed, and when the secret is rotated', async () => {
  const first = (await register('KEY-20', 'EC-CLIMATE-V1')).body.ota_public_key;
  expect((await register('KEY-20', 'EC-CLIMATE-V1')).body.ota_public_key).toBe(first);
  const devices = ['EC-CLIMATE-V1', 'tracker', 'tracker', 'EC-CLIMATE-V1'].map((product_type, n) => ({
    serial_no: `KEY-3${n}`,
    product_type,
  }));
  const ask = { as: key, body: { devices }, headers: { 'idempotency-key': 'line-1' } };
  const bulk = await api.call('POST', '/devices/bulk', ask);
  const keys = bulk.body.results.map((item: Answer['body']) => item.device.ota_public_key);
  expect(keys).toEqual([first, expect.stringMatching(PUBLIC_KEY), keys[1], first]);
  expect(keys[1]).not.toBe(first);
  const again = await api.call('POST', '/devices/bulk', ask);
  expect(again.body.results.map((item: Answer['body']) => item.device.ota_public_key)).toEqual(keys);
  await api.call('POST', '/devices/KEY-20/telemetry', {
    as: (await register('KEY-20', 'EC-CLIMATE-V1')).body.mqtt_password,
    body: { temp: 1 },
  });
  const used = (await register('KEY-20', 'EC-CLIMATE-V1')).body;
  expect([used.mqtt_password, used.ota_public_key]).toEqual([undefined, first]);
  const staff = await api.tokenOf(api.world.orgAdmin);
  const rotated = await api.call('POST', '/devices/KEY-20/credentials/rotate', { as: staff, body: {} });
  expect(rotated.body.ota_public_key).toBe(first);
});

it('a provisioning key gets it too, and a device keeps its maker’s when another org holds it', async () => {
  const { org, stranger, admin, strangerAdmin } = api.world;
  const as = await api.tokenOf(admin);
  const line = await api.call('POST', `/orgs/${org.id}/provisioning-keys`, {
    as,
    body: { name: 'line', product_type: 'tracker' },
  });
  await register('KEY-40', 'tracker');
  const made = (await register('KEY-40', 'tracker', line.body.key)).body.ota_public_key;
  expect(made).toBe((await keysOf(org.id, key)).find((one) => one.product_type === 'tracker')?.public_key);
  await api.call('PATCH', '/devices/KEY-40', { as, body: { org_id: stranger.id } });
  const theirs = await api.tokenOf(strangerAdmin);
  const rotated = await api.call('POST', '/devices/KEY-40/credentials/rotate', { as: theirs, body: {} });
  expect([rotated.status, rotated.body.ota_public_key]).toEqual([201, made]);
  expect((await register('KEY-41', 'tracker', theirs)).body.ota_public_key).not.toBe(made);
});

it('what it signs is checked with the key that devices got before', async () => {
  const { ota_public_key } = (await register('KEY-50', 'EC-CLIMATE-V1')).body;
  const image = espImage({ version: '5.0.0' });
  const body = { product_type: 'EC-CLIMATE-V1', filename: 'a.bin', size: image.length };
  const begun = (await api.call('POST', '/firmware', { as: key, body })).body;
  await fetch(begun.upload.url, { method: 'PUT', headers: begun.upload.headers, body: image });
  const { signature, sha256 } = (await api.call('POST', `/firmware/${begun.firmware.id}/finish`, { as: key }))
    .body;
  const publicKey = await crypto.subtle.importKey(
    'raw',
    Buffer.from(ota_public_key, 'base64'),
    'Ed25519',
    false,
    ['verify'],
  );
  const message = Buffer.concat([Buffer.from(sha256, 'hex'), Buffer.from('5.0.0EC-CLIMATE-V1')]);
  const valid = (text: Buffer): Promise<boolean> =>
    crypto.subtle.verify('Ed25519', publicKey, Buffer.from(signature, 'base64'), Uint8Array.from(text));
  expect(await valid(message)).toBe(true);
  message[0] = (message[0] ?? 0) ^ 1;
  expect(await valid(message)).toBe(false);
});

it('the private key is in no log, no answer that was kept, and no table but the vault', async () => {
  const secrets = await api.db.query<{ secret: string }>(
    `select decrypted_secret as secret from vault.decrypted_secrets where name like 'ec_ota_key%'`,
  );
  expect(secrets.length).toBeGreaterThanOrEqual(2);
  const tables = await api.db.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname in ('public', 'ec', 'private', 'auth', 'storage') and not c.relispartition`,
  );
  for (const { secret } of secrets) {
    expect(Buffer.from(secret, 'base64')).toHaveLength(48);
    // The 32 bytes behind the head that all of them share.
    const own = secret.slice(-43);
    expect(api.log.filter((line) => line.includes(own))).toEqual([]);
    for (const { name } of tables) {
      const found = `select count(*)::int from ${name} t where position($1 in t::text) > 0`;
      expect([name, await api.db.value<number>(found, [own])]).toEqual([name, 0]);
    }
  }
});

it('nobody but the API reads or stores one, whatever they may do otherwise', async () => {
  const { admin, org } = api.world;
  for (const sql of [
    `select ec.signing_key('tracker', '${org.id}')`,
    `select ec.store_signing_key('tracker', '${org.id}', 'a', 'b')`,
    'select secret_id from public.product_type_keys',
    'select decrypted_secret from vault.decrypted_secrets',
  ]) {
    await expect(api.db.as(admin, (session) => session.query(sql))).rejects.toThrow(/permission denied/);
  }
});

it('whose keys they are decides who reads them', async () => {
  const { stranger, strangerAdmin, org, viewer } = api.world;
  const theirs = await api.tokenOf(strangerAdmin);
  expect((await api.get(`/orgs/${org.id}/signing-keys`, theirs)).status).toBe(404);
  expect((await keysOf(stranger.id, theirs)).map((one) => one.product_type)).toEqual(['tracker']);
  expect(await keysOf(org.id, await api.tokenOf(viewer))).toHaveLength(2);
});
