import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';
import { tellApiUrl, uploadFirmware } from '../test/firmware.ts';
import { ADDRESS_LIMITS } from './http/limits.ts';

let api: TestApi;
let key: string;
let firmware: Answer['body'];
let count = 0;
beforeAll(async () => {
  api = await startApi({}, { store: true });
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  await tellApiUrl(api);
  key = await api.apiKey(['read', 'write', 'ota', 'provision']);
  firmware = await uploadFirmware(api, key, { version: '2.0.0', size: 50_000 });
});
afterAll(() => api?.stop());

interface Node {
  serial: string;
  secret: string;
}
/** A new device with an older version. */
async function node(): Promise<Node> {
  const serial = `OTA-${++count}`;
  const body = { serial_no: serial, product_type: 'EC-CLIMATE-V1', fw_version: '1.0.0' };
  const reply = await api.call('POST', '/devices/register', { as: key, body });
  return { serial, secret: reply.body.mqtt_password };
}
const push = (serial: string, as = key, body: object = { firmware_id: firmware.id }): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/ota`, { as, body });
const poll = async ({ serial, secret }: Node): Promise<Answer['body']> =>
  (await api.get(`/devices/${serial}/commands`, secret)).body;
const say = ({ serial, secret }: Node, body: object): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/ota/status`, { as: secret, body });
const measure = ({ serial, secret }: Node, more: object = {}): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/telemetry`, { as: secret, body: { temp: 20, ...more } });
const updateOf = async (serial: string): Promise<Answer['body']> =>
  (await api.get(`/devices/${serial}/ota`, key)).body[0];
const device = async (serial: string): Promise<Answer['body']> =>
  (await api.get(`/devices/${serial}`, key)).body;
/** A device that was told, and the link it was told. */
async function told(): Promise<Node & { url: string; token: string; job_id: string }> {
  const one = await node();
  await push(one.serial);
  const { fw_url, job_id } = await poll(one);
  return { ...one, url: fw_url, token: fw_url.split('/').at(-1), job_id };
}

describe('a device that speaks HTTPS', () => {
  it('is told, fetches the image, says how it gets on, and has it when it says so', async () => {
    const one = await node();
    expect(await poll(one)).not.toHaveProperty('fw_url');
    const pushed = await push(one.serial);
    expect([pushed.status, pushed.body]).toMatchObject([
      201,
      {
        single: true,
        state: 'running',
        targeted: 1,
        firmware: { version: '2.0.0' },
        number: expect.any(Number),
      },
    ]);
    expect(await device(one.serial)).toMatchObject({ fw_version: '1.0.0', pending_fw_version: '2.0.0' });

    const order = await poll(one);
    expect(order).toEqual({
      ...{ commands: [], desired: {}, desired_version: 0 },
      ...{ fw_url: expect.stringMatching(/\/firmware\/files\/[\w-]{32}$/), fw_version: '2.0.0' },
      ...{ job_id: pushed.body.id, attempt: 1, size: firmware.size, sha256: firmware.sha256 },
      ...{ signature: firmware.signature, product_type: 'EC-CLIMATE-V1' },
    });
    const file = await fetch(order.fw_url);
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(order.sha256);

    for (const [state, more] of [
      ['downloading', { percent: 40 }],
      ['installing', {}],
      ['rebooting', {}],
    ] as const) {
      const answer = await say(one, { job_id: order.job_id, attempt: 1, state, ...more });
      expect([answer.status, answer.body]).toEqual([
        200,
        { job_id: order.job_id, attempt: 1, state, changed: true },
      ]);
    }
    await measure(one, { fw_version: '2.0.0' });
    expect(await updateOf(one.serial)).toMatchObject({
      ...{ state: 'succeeded', job_id: order.job_id, job_number: pushed.body.number, from_version: '1.0.0' },
      ...{ version: '2.0.0', attempt: 1, stage: 0 },
    });
    expect(await device(one.serial)).toMatchObject({ fw_version: '2.0.0', pending_fw_version: null });
    expect(await poll(one)).not.toHaveProperty('fw_url');
    const { body } = await api.get(`/ota-jobs/${order.job_id}/devices/${one.serial}/events`, key);
    expect(body.map(({ state }: Answer['body']) => state)).toEqual([
      ...['queued', 'sent', 'downloading', 'installing', 'rebooting', 'succeeded'],
    ]);
  });

  it('gets a fresh link each time it asks, and each works', async () => {
    const one = await told();
    const again = await poll(one);
    expect([again.job_id, again.attempt, again.fw_url === one.url]).toEqual([one.job_id, 1, false]);
    for (const url of [one.url, again.fw_url]) expect((await fetch(url)).status).toBe(200);
  });

  it('says why it failed', async () => {
    const one = await told();
    const failed = await say(one, { job_id: one.job_id, state: 'failed', reason: 'bad signature' });
    expect(failed.body).toMatchObject({ state: 'failed', changed: true });
    expect(await updateOf(one.serial)).toMatchObject({ state: 'failed', reason: 'bad signature' });
    // What it says after the end changes nothing.
    const late = await say(one, { job_id: one.job_id, state: 'downloading' });
    expect([late.status, late.body.changed]).toEqual([200, false]);
    expect(await poll(one)).not.toHaveProperty('fw_url');
  });

  it('may put it off', async () => {
    const one = await told();
    const body = { job_id: one.job_id, state: 'deferred', reason: 'pump runs', retry_s: 600 };
    expect((await say(one, body)).body.state).toBe('queued');
    expect(await poll(one)).not.toHaveProperty('fw_url');
    const { reason, not_before } = await updateOf(one.serial);
    expect(reason).toContain('pump runs');
    expect(Date.parse(not_before) - Date.now()).toBeGreaterThan(590_000);
  });

  it('speaks of its own update alone', async () => {
    const [one, other] = [await told(), await told()];
    const body = { job_id: one.job_id, state: 'failed' };
    expect((await say(other, body)).status).toBe(404);
    expect((await say({ ...one, secret: other.secret }, body)).status).toBe(403);
    expect((await api.call('POST', `/devices/${one.serial}/ota/status`, { as: key, body })).status).toBe(403);
    expect((await updateOf(one.serial)).state).toBe('sent');
  });

  it.each([
    [{ state: 'done' }],
    [{ state: 'downloading', percent: 101 }],
    [{ state: 'deferred', retry_s: 86_401 }],
    [{ state: 'failed', attempt: 0 }],
    [{ state: 'failed', reason: 7 }],
  ])('%j is no status', async (body) => {
    const one = await told();
    expect((await say(one, { job_id: one.job_id, ...body })).status).toBe(400);
    expect((await say(one, { state: 'failed' })).status).toBe(400);
  });
});

describe('the link in a message', () => {
  it('redirects to the file without any credential, and serves ranges there', async () => {
    const { url } = await told();
    const answer = await fetch(url, { redirect: 'manual' });
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([
      302,
      '',
      'no-store',
    ]);
    const part = await fetch(url, { headers: { range: 'bytes=1000-1999' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 1000-1999/${firmware.size}`,
    ]);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(firmware.image.slice(1000, 2000));
    // Some HTTP clients send their credential wherever they go.
    const { secret } = await node();
    expect((await fetch(url, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
  });

  it('ends after its hour', async () => {
    const { url } = await told();
    await api.db.query(`update ec.firmware_links set expires_at = now() - interval '1 second'`);
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toMatchObject([410, { code: 'expired' }]);
  });

  it('leads to one file alone: no other token, and no other path in the store', async () => {
    const { url, token } = await told();
    for (const wrong of [`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, 'x', 'x'.repeat(128)])
      expect((await fetch(url.replace(token, wrong))).status).toBe(404);
    const location = (await fetch(url, { redirect: 'manual' })).headers.get('location')!;
    const other = await uploadFirmware(api, key, { version: '2.0.1' });
    expect((await fetch(location.replace(firmware.id, other.id))).ok).toBe(false);
    expect((await fetch(location.replace(/token=.*/, ''))).ok).toBe(false);
  });

  it('is followed only so often from one address, right or wrong', async () => {
    const strict = await api.copy({ EC_ADDRESS_LIMITS: 'on' });
    const { token } = await told();
    const follow = (name: string): Promise<Answer> => strict.call('GET', `/firmware/files/${name}`);
    const { name, limit, windowS } = ADDRESS_LIMITS.firmware;
    expect([(await follow(token)).status, (await follow('wrong')).status]).toEqual([302, 404]);
    await api.db.query('select ec.take_turns($1, $2, $3, $2)', [
      ...[`address:${name}:127.0.0.1`, limit, windowS],
    ]);
    // What the copy had leased before, it hands out.
    await expect.poll(async () => (await follow('wrong')).status).toBe(429);
    const refused = await follow(token);
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
  });

  it('is kept as a hash, and in no log', async () => {
    const { url, token } = await told();
    await fetch(url);
    const kept = await api.db.query<{ text: string }>('select l::text as text from ec.firmware_links l');
    expect(kept.map(({ text }) => text).join()).not.toContain(token);
    expect(api.log.filter((line) => line.includes(token))).toEqual([]);
    const log = api.log.filter((line) => line.includes('/firmware/files/{token}'));
    expect(log.length).toBeGreaterThan(0);
  });
});
