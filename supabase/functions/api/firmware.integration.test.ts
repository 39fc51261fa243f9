import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenEspImages, espImage, sha256 } from '../../../sdk/test/esp-image.ts';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
/** May update, and nothing else. */
let updater: string;
let key: string;
let staff: string;
beforeAll(async () => {
  api = await startApi({}, { store: true });
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  updater = await api.apiKey(['ota']);
  key = await api.apiKey(['read', 'write', 'ota', 'provision']);
  staff = await api.tokenOf(api.world.orgAdmin);
});
afterAll(() => api?.stop());

interface Upload {
  as?: string;
  type?: string;
  version?: string;
  raw?: boolean;
  /** Announced; the real one by default. */
  size?: number;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const begin = (image: Uint8Array, { as = updater, type = 'EC-CLIMATE-V1', ...rest }: Upload = {}) =>
  api.call('POST', '/firmware', {
    as,
    body: { product_type: type, filename: 'node.bin', size: image.length, ...rest },
  });
const put = (upload: { url: string; method: string; headers: Record<string, string> }, image: Uint8Array) =>
  fetch(upload.url, { method: upload.method, headers: upload.headers, body: image as BodyInit });
const finish = (id: string, as = updater): Promise<Answer> =>
  api.call('POST', `/firmware/${id}/finish`, { as });
/** All three steps. */
async function upload(image: Uint8Array, options: Upload = {}): Promise<Answer> {
  const begun = await begin(image, options);
  if (begun.status !== 201) return begun;
  expect((await put(begun.body.upload, image)).status).toBe(200);
  return finish(begun.body.firmware.id, options.as);
}
const stored = (id: string): Promise<number> =>
  api.db.value(`select count(*)::int from storage.objects where name like '%' || $1 || '%'`, [id]);

describe('an upload', () => {
  it('ends as signed firmware that any holder of the public key can check', async () => {
    const image = espImage({ version: 'v1.3.0', project: 'climate', idf_version: 'v5.3' });
    const begun = await begin(image);
    expect(begun.status).toBe(201);
    const { firmware, upload: to, max_bytes } = begun.body;
    expect([max_bytes, to.method]).toEqual([33_554_432, 'PUT']);
    expect(firmware).toMatchObject({ state: 'uploading', version: null, sha256: null, signature: null });
    expect(Date.parse(to.expires_at)).toBeGreaterThan(Date.now() + 60_000);
    expect((await finish(firmware.id)).body).toMatchObject({ code: 'conflict', reason: 'not_uploaded' });
    expect((await put(to, image)).status).toBe(200);

    const done = await finish(firmware.id);
    expect([done.status, done.body]).toEqual([
      200,
      {
        ...{ id: firmware.id, org_id: api.world.org.id, product_type: 'EC-CLIMATE-V1', version: '1.3.0' },
        ...{ notes: '', filename: 'node.bin', size: image.length, sha256: hex(sha256(image)) },
        ...{ signature: expect.any(String), chip: 'esp32', project: 'climate', idf_version: 'v5.3' },
        ...{ raw: false, state: 'ready', refused_reason: null, created_by_kind: 'api_key' },
        ...{ created_by: expect.stringContaining('ec_live_'), created_at: expect.any(String) },
        ready_at: expect.stringMatching(/\.\d{3}Z$/),
      },
    ]);
    expect((await api.get(`/firmware/${firmware.id}`, key)).body).toEqual(done.body);
    // The lost answer of a finish is asked for again.
    expect((await finish(firmware.id)).body).toEqual(done.body);

    const [signing] = (await api.get(`/orgs/${api.world.org.id}/signing-keys`, key)).body;
    expect(signing).toMatchObject({ product_type: 'EC-CLIMATE-V1' });
    expect(signed(done.body.signature, signing.public_key, image, '1.3.0EC-CLIMATE-V1')).toBe(true);
    expect(signed(done.body.signature, signing.public_key, image, '1.3.1EC-CLIMATE-V1')).toBe(false);
    expect(signed(done.body.signature, signing.public_key, espImage(), '1.3.0EC-CLIMATE-V1')).toBe(false);
  });

  it('is what was put there first: its address takes no second file', async () => {
    const image = espImage({ version: '1.4.0' });
    const { firmware, upload: to } = (await begin(image)).body;
    await put(to, image);
    expect((await put(to, espImage({ version: '1.4.0', fill: 1 }))).ok).toBe(false);
    expect((await finish(firmware.id)).body.sha256).toBe(hex(sha256(image)));
    expect((await put(to, espImage({ version: '1.4.0', fill: 1 }))).ok).toBe(false);
  });

  it('that two finish at the same time is one firmware', async () => {
    const image = espImage({ version: '1.4.1', size: 200_000 });
    const { firmware, upload: to } = (await begin(image)).body;
    await put(to, image);
    const answers = await Promise.all([finish(firmware.id), finish(firmware.id)]);
    const fine = answers.filter(({ status }) => status === 200);
    expect(fine.length).toBeGreaterThanOrEqual(1);
    for (const { status, body } of answers) if (status !== 200) expect(body.code).toBe('conflict');
    expect((await finish(firmware.id)).body.state).toBe('ready');
  });

  it('of 32 MiB is taken, from a person, with notes', async () => {
    const empty = espImage({ version: '1.5.0', size: 0 }).length;
    const image = espImage({ version: '1.5.0', size: 32 * 1024 * 1024 - empty });
    expect(image.length).toBe(32 * 1024 * 1024);
    const body = { product_type: 'tracker', filename: 'big.bin', size: image.length, notes: 'Large.' };
    const begun = await api.call('POST', '/firmware', { as: staff, body });
    await put(begun.body.upload, image);
    const done = await finish(begun.body.firmware.id, staff);
    expect([done.status, done.body.sha256, done.body.notes]).toEqual([200, hex(sha256(image)), 'Large.']);
    expect(done.body.created_by).toMatch(/^org.*@/);
  });

  it('of anything is taken raw, with a version', async () => {
    const image = new Uint8Array(5000).fill(3);
    expect((await upload(image, { raw: true })).body.reason).toBe('version_missing');
    const done = await upload(image, { raw: true, version: 'v7-beta' });
    expect(done.body).toMatchObject({ state: 'ready', version: '7-beta', chip: null, raw: true });
  });
});

describe('what is no firmware', () => {
  it.each([
    ['no image', brokenEspImages.notAnImage, 'not_an_image'],
    ['a bootloader', brokenEspImages.bootloader, 'not_an_image'],
    ['half an image', brokenEspImages.truncated, 'truncated_image'],
    ['a header alone', brokenEspImages.headerOnly, 'truncated_image'],
    ['a damaged image', brokenEspImages.flipped, 'corrupt_image'],
    ['an image for another chip', () => espImage({ chipId: 9, version: '3.0.0' }), 'wrong_chip'],
    ['an image without a version', () => espImage({ version: '' }), 'version_missing'],
    ['a version nobody can write down', () => espImage({ version: 'my build' }), 'invalid_version'],
  ])('%s is refused, kept as a row that says why, and its file is gone', async (_, image, reason) => {
    const answer = await upload(image());
    expect([answer.status, answer.body]).toMatchObject([422, { code: 'unprocessable', reason }]);
    expect(answer.body.detail).toMatch(/^[A-Z].*\.$/);
    const [row] = (await api.get('/firmware?state=refused&limit=1', key)).body;
    expect(row).toMatchObject({ state: 'refused', refused_reason: reason, signature: null });
    expect(await stored(row.id)).toBe(0);
    expect((await finish(row.id)).body).toMatchObject({ code: 'unprocessable', reason });
  });

  it('an empty or an oversized file is refused before it is sent', async () => {
    const sized = (size: number): Promise<Answer> => begin(new Uint8Array(), { size });
    expect([(await sized(0)).status, (await sized(0)).body.reason]).toEqual([422, 'empty_file']);
    const large = await sized(33_554_433);
    expect([large.status, large.body]).toMatchObject([
      413,
      { code: 'too_large', reason: 'too_large', max_bytes: 33_554_432 },
    ]);
  });

  it('a file of another size than announced did not arrive whole', async () => {
    const image = new Uint8Array(2000).fill(3);
    const answer = await upload(image, { raw: true, version: '8.0', size: 4000 });
    expect([answer.status, answer.body.reason]).toEqual([422, 'size_mismatch']);
  });

  it('the version that was said must be that in the image; a leading v means nothing', async () => {
    const image = espImage({ version: 'v1.6.0' });
    expect((await upload(image, { version: '1.6.1' })).body).toMatchObject({
      reason: 'version_mismatch',
      detail: expect.stringContaining('1.6.1'),
    });
    expect((await upload(image, { version: '1.6.0' })).body).toMatchObject({ version: '1.6.0' });
    expect((await begin(image, { version: 'not/one' })).body.reason).toBe('invalid_version');
    expect((await begin(image, { version: 'x'.repeat(32) })).body.reason).toBe('invalid_version');
  });

  it('a version exists once, whether it is said first or found in the image', async () => {
    const image = espImage({ version: '1.7.0' });
    expect((await upload(image)).status).toBe(200);
    for (const options of [{}, { version: 'v1.7.0' }]) {
      const again = await upload(image, options);
      expect([again.status, again.body]).toMatchObject([
        409,
        { code: 'conflict', reason: 'duplicate_version' },
      ]);
    }
    // Another product type has versions of its own.
    expect((await upload(image, { type: 'tracker' })).status).toBe(200);
  });

  it('an upload that nobody finished ends, and its file is gone with the next one', async () => {
    const image = espImage({ version: '1.7.5' });
    const { firmware, upload: to } = (await begin(image)).body;
    await put(to, image);
    await api.db.query(`update public.firmware set created_at = now() - interval '4 hours' where id = $1`, [
      firmware.id,
    ]);
    expect((await upload(image)).status).toBe(200);
    expect((await api.get(`/firmware/${firmware.id}`, key)).body).toMatchObject({
      ...{ state: 'refused', refused_reason: 'abandoned' },
    });
    expect(await stored(firmware.id)).toBe(0);
    expect((await finish(firmware.id)).body).toMatchObject({ code: 'conflict', reason: 'abandoned' });
  });

  it('a product type that nobody knows says which there are', async () => {
    const { status, body } = await begin(espImage(), { type: 'toaster' });
    expect([status, body.known]).toEqual([422, expect.arrayContaining(['EC-CLIMATE-V1'])]);
  });
});

describe('firmware that is there', () => {
  it('is listed newest first, by type, state and page, for its org and no other', async () => {
    const path = `/firmware?org_id=${api.world.org.id}&product_type=EC-CLIMATE-V1&state=ready`;
    const all = (await api.get(path, key)).body;
    const versions = all.map(({ version }: { version: string }) => version);
    expect(versions.slice(0, 2)).toEqual(['1.7.5', '1.7.0']);
    const page = await api.get(`${path}&limit=2`, key);
    const after = /after=([^&>]+)/.exec(page.headers.get('link') ?? '')?.[1];
    const next = (await api.get(`${path}&limit=1&after=${after}`, key)).body;
    expect(next).toEqual([all[2]]);
    expect(all[0]).not.toHaveProperty('object_path');
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    expect((await api.get('/firmware', stranger)).body).toEqual([]);
    expect((await api.get(`/firmware/${all[0].id}`, stranger)).status).toBe(404);
  });

  it('is for whoever holds a device of its maker, and for reading only', async () => {
    const [{ id }] = (await api.get('/firmware?product_type=EC-CLIMATE-V1&state=ready', key)).body;
    const { stranger, strangerAdmin, admin } = api.world;
    const holder = await api.tokenOf(strangerAdmin);
    await api.device('EC-SOLD', key);
    const as = await api.tokenOf(admin);
    await api.call('PATCH', '/devices/EC-SOLD', { as, body: { org_id: stranger.id } });
    expect((await api.get(`/firmware?org_id=${stranger.id}`, holder)).body.length).toBeGreaterThan(0);
    const theirs = await api.get(`/firmware/${id}`, holder);
    expect([theirs.status, theirs.body]).toMatchObject([200, { created_by: null, created_by_kind: null }]);
    expect((await api.get(`/firmware/${id}`, key)).body.created_by).toBeTruthy();
    const patch = { as: holder, body: { notes: 'mine' } };
    expect((await api.call('PATCH', `/firmware/${id}`, patch)).status).toBe(404);
    expect((await api.get(`/firmware/${id}/file`, holder)).status).toBe(404);
    expect((await api.get('/firmware?state=refused', holder)).body).toEqual([]);
  });

  it('changes its notes, and retires', async () => {
    const { id } = (await upload(espImage({ version: '1.8.0' }))).body;
    const patch = { as: updater, body: { notes: ' Mends the relay. ' } };
    expect((await api.call('PATCH', `/firmware/${id}`, patch)).body).toMatchObject({
      id,
      notes: 'Mends the relay.',
      state: 'ready',
    });
    expect((await api.call('DELETE', `/firmware/${id}`, { as: updater })).status).toBe(204);
    expect((await api.get(`/firmware/${id}`, key)).body.state).toBe('retired');
    expect((await finish(id)).body.code).toBe('conflict');
    expect((await upload(espImage({ version: '1.8.0' }))).status).toBe(200);
  });

  it('is fetched by whoever may update, under its name, and by nobody else', async () => {
    const image = espImage({ version: '1.9.0' });
    const { id } = (await upload(image)).body;
    const answer = await api.get(`/firmware/${id}/file`, updater);
    expect([answer.status, answer.text]).toEqual([302, '']);
    const file = await fetch(answer.headers.get('location')!);
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(image);
    expect(file.headers.get('content-disposition')).toContain('node.bin');
    for (const as of [await api.apiKey(['read', 'write']), await api.tokenOf(api.world.operator)])
      expect((await api.get(`/firmware/${id}/file`, as)).status).toBe(403);
    expect((await api.get(`/firmware/${id}/file`)).status).toBe(401);
  });
});

/** As a device checks it: Ed25519 over sha256 ‖ version ‖ product type. */
function signed(signature: string, publicKey: string, image: Uint8Array, text: string): boolean {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const jwk = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const message = Buffer.concat([sha256(image), Buffer.from(text)]);
  return verify(null, message, jwk, Buffer.from(signature, 'base64'));
}
