import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
let serial: string;
const token: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const { world } = api;
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  key = await api.apiKey(['read', 'write', 'provision']);
  serial = world.org.device.serial;
  for (const [role, actor] of Object.entries({
    ...{ admin: world.admin, partner: world.partnerUser, org_admin: world.orgAdmin },
    ...{ operator: world.operator, viewer: world.viewer, customer: world.customer },
    ...{ tenant: world.tenant, outsider: world.outsider, stranger: world.strangerAdmin },
  }))
    token[role] = await api.tokenOf(actor);
});
afterAll(() => api?.stop());

const patch = (body: unknown, as = key, headers = {}, of = serial): Promise<Answer> =>
  api.call('PATCH', `/devices/${of}/shadow/desired`, { as, body, headers });
const messages = async (of: string): Promise<{ topic: string; body: unknown; retain: boolean }[]> =>
  (
    await api.db.query<{ topic: string; payload: string; retain: boolean }>(
      'select topic, payload, retain from ec.mqtt_outbox where serial = $1 order by id',
      [of],
    )
  ).map(({ topic, payload, retain }) => ({
    topic: topic.split('/').slice(2).join('/'),
    body: payload === '' ? '' : JSON.parse(payload),
    retain,
  }));

describe('PATCH /devices/:serial/shadow/desired', () => {
  it('merges the flat patch, counts versions and tells the device in the same moment', async () => {
    await api.device('EC-S1', key);
    const first = await patch({ relay: true, pid: { kp: 1, ki: 2 } }, key, {}, 'EC-S1');
    expect([first.status, first.body]).toEqual([
      200,
      {
        serial: 'EC-S1',
        desired_version: 1,
        desired: { relay: true, pid: { kp: 1, ki: 2 } },
        desired_times: { relay: expect.any(String), pid: { kp: expect.any(String), ki: expect.any(String) } },
        reported: {},
        delta: { relay: true, pid: { kp: 1, ki: 2 } },
      },
    ]);
    const second = await patch({ relay: null, pid: { ki: null }, days: [1, 2] }, key, {}, 'EC-S1');
    expect(second.body).toMatchObject({ desired_version: 2, desired: { pid: { kp: 1 }, days: [1, 2] } });
    const sent = await messages('EC-S1');
    expect(sent.slice(-3)).toEqual([
      { topic: 'shadow/desired', body: { pid: { kp: 1 }, days: [1, 2] }, retain: true },
      { topic: 'config', body: { pid: { kp: 1 }, days: [1, 2] }, retain: true },
      {
        topic: 'shadow/document',
        body: {
          version: 2,
          desired: { pid: { kp: 1 }, days: [1, 2] },
          delta: { pid: { kp: 1 }, days: [1, 2] },
          at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
        },
        retain: false,
      },
    ]);
    const device = await api.get('/devices/EC-S1', key);
    expect(device.body).toMatchObject({
      shadow_desired: { pid: { kp: 1 }, days: [1, 2] },
      desired_version: 2,
      desired_times: { pid: { kp: first.body.desired_times.pid.kp } },
    });
  });

  it('is refused with the present version when somebody else was first', async () => {
    await api.device('EC-S2', key);
    const { body } = await patch({ relay: true }, key, { 'if-match': '0' }, 'EC-S2');
    for (const stale of ['0', '"0"', 'W/"0"', '7']) {
      const answer = await patch({ relay: false }, key, { 'if-match': stale }, 'EC-S2');
      expect([answer.status, answer.body]).toMatchObject([
        409,
        { code: 'stale_version', desired_version: 1 },
      ]);
    }
    for (const fresh of [String(body.desired_version), '*']) {
      const answer = await patch({ relay: fresh === '*' }, key, { 'if-match': fresh }, 'EC-S2');
      expect(answer.status).toBe(200);
    }
    expect((await patch({ relay: false }, key, { 'if-match': 'soon' }, 'EC-S2')).body).toMatchObject({
      code: 'invalid_request',
      issues: [{ path: ['headers', 'If-Match'] }],
    });
  });

  it('gives the client token back, to the caller and to the device', async () => {
    await api.device('EC-S3', key);
    const answer = await patch({ relay: true }, key, { 'x-client-token': 'press-7' }, 'EC-S3');
    expect(answer.body.client_token).toBe('press-7');
    expect((await messages('EC-S3')).at(-1)?.body).toMatchObject({ client_token: 'press-7' });
    expect((await patch({ relay: true }, key, { 'x-client-token': 'x'.repeat(65) }, 'EC-S3')).status).toBe(
      400,
    );
  });

  it.each([
    ['{"__proto__":{"x":1}}', 400, 'bad_key'],
    ['{"constructor":1}', 400, 'bad_key'],
    ['{"a b":1}', 400, 'bad_key'],
    [`{"a":${'{"a":'.repeat(9)}1${'}'.repeat(9)}}`, 400, 'too_deep'],
    [`{"a":"${'x'.repeat(9000)}"}`, 413, 'too_large'],
    ['{"a":1e999}', 400, 'bad_value'],
    ['{"a":"\\u0000"}', 400, 'bad_value'],
    ['[1]', 400, 'not_an_object'],
    ['{"a"', 400, 'not_json'],
    ['', 400, 'empty'],
  ])('%.30s is refused with the reason', async (raw, status, reason) => {
    const answer = await api.call('PATCH', `/devices/${serial}/shadow/desired`, { as: key, raw });
    expect([answer.status, answer.body.issues?.[0]?.code]).toEqual([status, reason]);
  });

  it('many at once lose nothing', async () => {
    await api.device('EC-S4', key);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => patch({ [`k${n}`]: n }, key, {}, 'EC-S4')),
    );
    expect(new Set(answers.map(({ body }) => body.desired_version)).size).toBe(40);
    const { body } = await api.get('/devices/EC-S4', key);
    expect(body.shadow_desired).toEqual(
      Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`k${n}`, n])),
    );
    const documents = (await messages('EC-S4')).filter(({ topic }) => topic === 'shadow/document');
    expect(documents.map(({ body: document }) => (document as { version: number }).version)).toEqual(
      Array.from({ length: 40 }, (_, n) => n + 1),
    );
  });

  it('is over when the device reports the same', async () => {
    const secret = await api.device('EC-S5', key);
    await patch({ relay: true, setpoint: 22 }, key, {}, 'EC-S5');
    await api.call('POST', '/devices/EC-S5/telemetry', { as: secret, body: { relay: true, setpoint: 21 } });
    expect((await patch({}, key, {}, 'EC-S5')).body).toMatchObject({
      delta: { setpoint: 22 },
      desired_version: 1,
    });
    const report = { as: secret, body: { setpoint: 22.0 } };
    await api.call('POST', '/devices/EC-S5/shadow/reported', report);
    expect((await patch({}, key, {}, 'EC-S5')).body).toMatchObject({ delta: {}, desired_version: 1 });
  });
});

describe('who may change desired', () => {
  it.each([
    ['admin', 200],
    ['partner', 403],
    ['org_admin', 200],
    ['operator', 200],
    ['viewer', 403],
    ['tenant', 403],
    ['outsider', 403],
    ['stranger', 404],
  ])('%s: %i', async (role, status) => {
    expect((await patch({ who: role }, token[role])).status).toBe(status);
  });

  it('a customer the keys of the product type alone, and is told which others there were', async () => {
    await api.db.query(
      `update public.product_types set controllable_keys = '{relay,setpoint}' where key = 'EC-CLIMATE-V1'`,
    );
    expect((await patch({ relay: true, setpoint: 20 }, token['customer'])).status).toBe(200);
    const answer = await patch({ relay: false, interval: 1, mode: 'x' }, token['customer']);
    expect([answer.status, answer.body.keys]).toEqual([403, ['interval', 'mode']]);
    await api.device('EC-S6', key);
    expect((await patch({ relay: true }, token['customer'], {}, 'EC-S6')).status).toBe(404);
  });

  it('a key with scope write, and never the device itself', async () => {
    expect((await patch({ a: 1 }, await api.apiKey(['read', 'ota', 'provision']))).status).toBe(403);
    expect((await patch({ a: 1 }, await api.apiKey(['write']))).status).toBe(200);
    const secret = await api.device('EC-S7', key);
    expect((await patch({ a: 1 }, secret, {}, 'EC-S7')).status).toBe(403);
  });
});

describe('GET /devices/:serial/shadow/history', () => {
  it('says who changed which keys, newest first', async () => {
    await api.device('EC-S8', key);
    await patch({ relay: true, setpoint: 20 }, key, {}, 'EC-S8');
    await patch({ setpoint: 21, relay: true }, token['operator'], {}, 'EC-S8');
    await patch({ relay: null }, token['org_admin'], {}, 'EC-S8');
    const path = '/devices/EC-S8/shadow/history';
    const { body, status } = await api.get(path, token['viewer']);
    expect(status).toBe(200);
    expect(body).toMatchObject([
      { before: { relay: true }, after: {}, actor_kind: 'user' },
      { before: { setpoint: 20 }, after: { setpoint: 21 }, actor_kind: 'user' },
      { before: {}, after: { relay: true, setpoint: 20 }, actor_kind: 'api_key' },
    ]);
    const first = await api.get(`${path}?limit=2`, key);
    expect(first.body).toHaveLength(2);
    const next = /after=([^&>]+)/.exec(first.headers.get('link') ?? '')?.[1];
    expect((await api.get(`${path}?limit=2&after=${next}`, key)).body).toEqual(body.slice(2));
    for (const role of ['customer', 'tenant', 'outsider'])
      expect((await api.get(path, token[role])).status).toBe(403);
    expect((await api.get(path, token['stranger'])).status).toBe(404);
  });
});
