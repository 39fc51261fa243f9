import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
let secret: string;
beforeAll(async () => {
  api = await startApi();
  key = await api.apiKey(['read', 'write', 'provision']);
  secret = await api.device('EC-1', key);
});
afterAll(() => api?.stop());

const push = (body: unknown, as = secret, serial = 'EC-1', headers = {}): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/telemetry`, { as, body, headers });
const pushRaw = (raw: BodyInit, as = secret): Promise<Answer> =>
  api.call('POST', '/devices/EC-1/telemetry', { as, raw });
const stored = (serial = 'EC-1'): Promise<Record<string, unknown>[]> =>
  api.db.query(
    `select t.data from public.telemetry t join public.devices d on d.num = t.device_num where d.serial = $1 order by t.ts`,
    [serial],
  );
const newestLetter = async (): Promise<Record<string, unknown>> =>
  (await api.db.query('select * from public.dead_letters order by id desc limit 1'))[0] ?? {};

describe('telemetry over HTTPS', () => {
  it('one packet is stored and the device becomes active and online', async () => {
    const answer = await push({ temperature: 21.5, humidity: 40, relay: false });
    expect([answer.status, answer.body]).toEqual([200, { ok: true, accepted: 1, duplicate: 0, rejected: 0 }]);
    const device = await api.get('/devices/EC-1', key);
    expect(device.body).toMatchObject({
      status: 'online',
      lifecycle: 'active',
      last_door: 'https',
      shadow_reported: { temp: 21.5, hum: 40, relay: false },
    });
  });

  it('a batch is stored once, however often it is sent', async () => {
    const batch = [0, 1, 2].map((n) => ({ temp: n, ts: Date.now() - 60_000 + n }));
    expect((await push(batch)).body).toEqual({ ok: true, accepted: 3, duplicate: 0, rejected: 0 });
    expect((await push(batch)).body).toEqual({ ok: true, accepted: 0, duplicate: 3, rejected: 0 });
  });

  it('poison loses itself and not its neighbours, and lies in the dead letters with a reason', async () => {
    const poison = [
      ['{"a":"\\u0000"}', 'bad_value'],
      ['{"a":"\\ud800"}', 'bad_value'],
      ['{"a":NaN}', 'not_json'],
      ['{"a":1e999}', 'bad_value'],
      ['{"__proto__":{"polluted":true}}', 'bad_key'],
      [`{"a":${'['.repeat(4000)}${']'.repeat(4000)}}`, 'too_deep'],
      [`{"a":"${'x'.repeat(9000)}"}`, 'too_large'],
      ['{"temp":1,"ts":"1999-01-01T00:00:00Z"}', 'ts_out_of_range'],
      ['[]', 'not_an_object'],
      ['{}', 'empty'],
    ];
    for (const [text, reason] of poison) {
      const marker = randomBytes(4).toString('hex');
      const answer = await pushRaw(`[{"first":"${marker}"},${text},{"last":"${marker}"}]`);
      expect([answer.status, answer.body]).toMatchObject([
        200,
        { accepted: 2, rejected: 1, rejects: [{ index: 1, reason }] },
      ]);
      expect((await stored()).slice(-2)).toEqual([{ data: { first: marker } }, { data: { last: marker } }]);
      expect(await newestLetter()).toMatchObject({
        reason,
        serial: 'EC-1',
        door: 'https',
        org_id: api.world.org.id,
      });
    }
    expect((await api.get(`/orgs/${api.world.org.id}/dead-letters?reason=too_deep`, key)).body).toMatchObject(
      [{ serial: 'EC-1', door: 'https', reason: 'too_deep', payload_bytes: 8006 }],
    );
    expect((await api.get('/devices/EC-1/dead-letters?limit=2', key)).body).toHaveLength(2);
  });

  it('poison of one device does not hurt requests that share its transaction', async () => {
    const other = await api.device('EC-2', key);
    const before = (await stored('EC-2')).length;
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        n % 3 === 0 ? pushRaw(`{"n":${n},"bad":"\\u0000"}`) : push({ n }, other, 'EC-2'),
      ),
    );
    expect(answers.map((answer) => answer.body.accepted)).toEqual(
      answers.map((_, n) => (n % 3 === 0 ? 0 : 1)),
    );
    expect((await stored('EC-2')).length - before).toBe(40);
  });

  it('what is no JSON at all is 400 with issues, and a dead letter', async () => {
    for (const raw of ['{"temp":', 'hello', '', '5', '[{"temp":1},{"te']) {
      const answer = await pushRaw(raw);
      expect([raw, answer.status, answer.body.code, answer.body.issues.length]).toEqual([
        raw,
        400,
        'invalid_request',
        1,
      ]);
    }
    expect(await newestLetter()).toMatchObject({ reason: 'not_json', payload: '[{"temp":1},{"te' });
    const binary = await pushRaw(Uint8Array.of(0xff, 0x00, 0x7b));
    expect(binary.status).toBe(400);
    expect(await newestLetter()).toMatchObject({
      reason: 'not_json',
      payload: '\\xff\\x00{',
      payload_bytes: 3,
    });
  });

  it('a body beyond 256 KB is 413, with and without a length, and a dead letter', async () => {
    const chunk = new TextEncoder().encode(`{"a":"${'x'.repeat(64 * 1024)}"},`);
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
    for (const raw of ['x'.repeat(300_000), endless]) {
      const answer = await pushRaw(raw);
      expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
      expect(await newestLetter()).toMatchObject({ reason: 'too_large' });
    }
    const packet = await push({ a: 'x'.repeat(9000) });
    expect([packet.status, packet.body.code]).toEqual([413, 'too_large']);
  });

  it('JSON is read whatever the content type says', async () => {
    const types = [
      {},
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
    ];
    for (const headers of types) {
      const answer = await api.call('POST', '/devices/EC-1/telemetry', {
        as: secret,
        raw: '{"temp":1}',
        headers,
      });
      expect([answer.status, answer.body.accepted]).toEqual([200, 1]);
    }
  });
});

describe('who may push', () => {
  it('a wrong secret is 401, another device’s is 403, and both store nothing', async () => {
    const other = await api.device('EC-3', key);
    const before = (await stored()).length;
    expect((await push({ temp: 1 }, 'ec_dev_wrong')).body.code).toBe('unauthenticated');
    expect((await push({ temp: 1 }, other)).body.code).toBe('forbidden');
    expect((await push({ temp: 1 }, other, 'EC-nobody')).body.code).toBe('forbidden');
    expect((await stored()).length).toBe(before);
  });

  it('an API key needs scope write and a device of its org', async () => {
    expect((await push({ temp: 1 }, key)).body).toMatchObject({ ok: true, accepted: 1 });
    expect((await push({ temp: 1 }, await api.apiKey(['read']))).status).toBe(403);
    expect((await push({ temp: 1 }, key, api.world.stranger.device.serial)).status).toBe(404);
    expect((await push({ temp: 1 }, key, 'EC-nobody')).status).toBe(404);
    expect((await pushRaw('{"a":"\\u0000"}', key)).body).toMatchObject({ accepted: 0, rejected: 1 });
    expect((await pushRaw('{"a"', key)).status).toBe(400);
    expect(await newestLetter()).toMatchObject({ reason: 'not_json', payload: '{"a"' });
  });

  it('a repeated Idempotency-Key stores once, without a time of the packet’s own', async () => {
    const before = (await stored()).length;
    const headers = { 'idempotency-key': 'packet-1' };
    const first = await push({ temp: 7 }, secret, 'EC-1', headers);
    const again = await push({ temp: 7 }, secret, 'EC-1', headers);
    expect([first.body, again.body]).toEqual(
      Array(2).fill({ ok: true, accepted: 1, duplicate: 0, rejected: 0 }),
    );
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await stored()).length).toBe(before + 1);
  });

  it('a revoked, replaced or retired device is turned away at once', async () => {
    const old = await api.device('EC-4', key);
    await push({ temp: 1 }, old, 'EC-4');
    const rotated = await api.call('POST', '/devices/EC-4/credentials/rotate', {
      as: key,
      body: { overlap_s: 0 },
    });
    expect(rotated.status).toBe(201);
    expect((await push({ temp: 1 }, old, 'EC-4')).status).toBe(401);
    expect((await push({ temp: 1 }, rotated.body.mqtt_password, 'EC-4')).status).toBe(200);
    await api.call('DELETE', `/devices/EC-4/credentials/${rotated.body.id}`, { as: key });
    expect((await push({ temp: 1 }, rotated.body.mqtt_password, 'EC-4')).status).toBe(401);

    const retired = await api.device('EC-5', key);
    await push({ temp: 1 }, retired, 'EC-5');
    expect((await api.call('DELETE', '/devices/EC-5', { as: key })).body.code).toBe('conflict');
    expect((await api.call('DELETE', '/devices/EC-5?force=true', { as: key })).status).toBe(204);
    expect((await push({ temp: 1 }, retired, 'EC-5')).status).toBe(401);
  });
});

describe('the HTTPS twins of MQTT', () => {
  it('commands give the full desired document', async () => {
    const answer = await api.get('/devices/EC-1/commands', secret);
    expect([answer.status, answer.body]).toEqual([200, { commands: [], desired: {}, desired_version: 0 }]);
  });

  it('reported is merged, and null removes a key', async () => {
    const report = (body: unknown) => api.call('POST', '/devices/EC-1/shadow/reported', { as: secret, body });
    expect((await report({ relay: true, led: 3 })).body).toMatchObject({
      serial: 'EC-1',
      reported: { relay: true, led: 3 },
    });
    const { body } = await report({ led: null });
    expect(body.reported).toMatchObject({ relay: true });
    expect(body.reported).not.toHaveProperty('led');
    for (const bad of [[], [{ relay: true }], { '1x': 1 }, 'text'])
      expect((await report(bad)).status).toBe(400);
  });

  it('belong to the device alone', async () => {
    const other = await api.device('EC-6', key);
    for (const as of [key, await api.tokenOf(api.world.admin)]) {
      const report = { as, body: { relay: true } };
      expect((await api.call('POST', '/devices/EC-1/shadow/reported', report)).status).toBe(403);
    }
    expect((await api.get('/devices/EC-1/commands', other)).status).toBe(403);
    expect((await api.get('/devices/EC-1/commands', 'ec_dev_wrong')).status).toBe(401);
    expect((await api.get('/devices/EC-1/commands')).status).toBe(401);
    for (const path of ['/devices', '/me', '/devices/EC-1', '/devices/EC-1/telemetry', '/orgs']) {
      expect([path, (await api.get(path, secret)).status]).toEqual([path, 403]);
    }
  });
});
