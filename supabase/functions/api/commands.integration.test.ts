import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
const token: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const { world } = api;
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  key = await api.apiKey(['read', 'write', 'provision']);
  for (const [role, actor] of Object.entries({
    ...{ admin: world.admin, partner: world.partnerUser, org_admin: world.orgAdmin },
    ...{ operator: world.operator, viewer: world.viewer, customer: world.customer },
    ...{ tenant: world.tenant, outsider: world.outsider, stranger: world.strangerAdmin },
  }))
    token[role] = await api.tokenOf(actor);
});
afterAll(() => api?.stop());

const send = (serial: string, body: unknown, as = key): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/commands`, { as, body });
const push = (serial: string, secret: string): Promise<Answer> =>
  api.call('POST', `/devices/${serial}/telemetry`, { as: secret, body: { temp: 20 } });
const poll = (serial: string, secret: string): Promise<Answer> =>
  api.get(`/devices/${serial}/commands`, secret);
const get = (serial: string, id: string): Promise<Answer> =>
  api.get(`/devices/${serial}/commands/${id}`, key);

describe('a command', () => {
  it('waits, is fetched over HTTPS, answered once and shown with the answer', async () => {
    const secret = await api.device('EC-C1', key);
    const sent = await send('EC-C1', { type: 'open_valve', payload: { seconds: 30 } });
    expect([sent.status, sent.body]).toEqual([
      201,
      {
        ...{ id: expect.any(String), serial: 'EC-C1', type: 'open_valve', payload: { seconds: 30 } },
        ...{
          state: 'queued',
          created_by: expect.stringMatching(/^test \(ec_live_/),
          created_by_kind: 'api_key',
        },
        ...{ created_at: expect.stringMatching(/\.\d{3}Z$/), expires_at: expect.stringMatching(/\.\d{3}Z$/) },
        ...{ sent_at: null, sent_door: null, acknowledged_at: null, result: null, reason: null },
      },
    ]);
    const { id, created_at, expires_at } = sent.body;
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(3_600_000);
    expect((await get('EC-C1', id)).body).toEqual(sent.body);

    const { body } = await poll('EC-C1', secret);
    expect(body.commands).toEqual([{ id, type: 'open_valve', payload: { seconds: 30 }, expires_at }]);
    expect((await get('EC-C1', id)).body).toMatchObject({ state: 'sent', sent_door: 'https' });
    // Until it is answered it is told again: the reply may have been lost on the way.
    expect((await poll('EC-C1', secret)).body.commands).toHaveLength(1);

    const ack = { as: secret, body: { ok: true, result: { opened: 1 } } };
    for (let n = 0; n < 2; n++) {
      const answer = await api.call('POST', `/devices/EC-C1/commands/${id}/ack`, ack);
      expect([answer.status, answer.body]).toEqual([200, { id, state: 'acknowledged' }]);
    }
    expect((await get('EC-C1', id)).body).toMatchObject({ state: 'acknowledged', result: { opened: 1 } });
    expect((await poll('EC-C1', secret)).body.commands).toEqual([]);
  });

  it('fails with the reason of the device', async () => {
    const secret = await api.device('EC-C2', key);
    const { id } = (await send('EC-C2', { type: 'beep' })).body;
    const ack = { as: secret, body: { ok: false, result: { reason: 'no buzzer' } } };
    await api.call('POST', `/devices/EC-C2/commands/${id}/ack`, ack);
    expect((await get('EC-C2', id)).body).toMatchObject({ state: 'failed', reason: 'no buzzer' });
  });

  it('is told to nobody after its end', async () => {
    const secret = await api.device('EC-C3', key);
    const { id } = (await send('EC-C3', { type: 'beep', expires_s: 5 })).body;
    await api.db.query(
      `update public.device_commands set expires_at = now() - interval '1 second' where id = $1`,
      [id],
    );
    expect((await poll('EC-C3', secret)).body.commands).toEqual([]);
    await api.db.query('select ec.expire_commands(now())');
    expect((await get('EC-C3', id)).body).toMatchObject({ state: 'expired' });
    const late = { as: secret, body: { ok: true } };
    const answer = await api.call('POST', `/devices/EC-C3/commands/${id}/ack`, late);
    expect(answer.body.state).toBe('expired');
  });

  it('is taken back as long as nobody sent it', async () => {
    const secret = await api.device('EC-C4', key);
    const first = (await send('EC-C4', { type: 'beep' })).body.id;
    const take = (id: string): Promise<Answer> =>
      api.call('DELETE', `/devices/EC-C4/commands/${id}`, { as: key });
    expect((await take(first)).status).toBe(204);
    expect((await get('EC-C4', first)).body).toMatchObject({ state: 'failed', reason: 'cancelled' });
    expect((await take(first)).body.code).toBe('conflict');
    const second = (await send('EC-C4', { type: 'beep' })).body.id;
    await poll('EC-C4', secret);
    expect((await take(second)).body.code).toBe('conflict');
    expect((await take(randomUUID())).status).toBe(404);
  });

  it.each([
    [{ type: 'Beep' }, 400],
    [{ type: '' }, 400],
    [{}, 400],
    [{ type: 'beep', expires_s: 4 }, 400],
    [{ type: 'beep', expires_s: 604_801 }, 400],
    [{ type: 'beep', more: 1 }, 400],
    [{ type: 'beep', payload: 'x'.repeat(5000) }, 413],
    [{ type: 'beep', payload: { a: '\u0000' } }, 400],
  ])('%j: %i', async (body, status) => {
    await api.device('EC-C5', key);
    expect((await send('EC-C5', body)).status).toBe(status);
  });

  it('is sent once for an Idempotency-Key', async () => {
    await api.device('EC-C6', key);
    const headers = { 'idempotency-key': 'press-1' };
    const ask = { as: key, body: { type: 'beep' }, headers };
    const [first, again] = [
      await api.call('POST', '/devices/EC-C6/commands', ask),
      await api.call('POST', '/devices/EC-C6/commands', ask),
    ];
    expect(again.body.id).toBe(first.body.id);
    expect((await api.get('/devices/EC-C6/commands', key)).body).toHaveLength(1);
  });

  it('is listed newest first, by state and by page', async () => {
    const secret = await api.device('EC-C7', key);
    for (const type of ['one', 'two', 'three']) await send('EC-C7', { type });
    const path = '/devices/EC-C7/commands';
    const all = await api.get(path, key);
    expect(all.body.map(({ type }: { type: string }) => type)).toEqual(['three', 'two', 'one']);
    await api.call('POST', `${path}/${all.body[2].id}/ack`, { as: secret, body: { ok: true } });
    expect((await api.get(`${path}?state=acknowledged`, key)).body).toMatchObject([{ type: 'one' }]);
    const page = await api.get(`${path}?limit=2`, key);
    const after = /after=([^&>]+)/.exec(page.headers.get('link') ?? '')?.[1];
    expect((await api.get(`${path}?limit=2&after=${after}`, key)).body).toMatchObject([{ type: 'one' }]);
    expect((await api.get(`${path}?state=lost`, key)).status).toBe(400);
  });
});

describe('a reboot over HTTPS', () => {
  const reboot = (serial: string, as = key): Promise<Answer> =>
    api.call('POST', `/devices/${serial}/reboot`, { as });

  it('is 205 with an empty body, once, after the packet was stored', async () => {
    const secret = await api.device('EC-R1', key);
    expect((await push('EC-R1', secret)).status).toBe(200);
    const { body, status } = await reboot('EC-R1');
    expect([status, body]).toMatchObject([201, { type: 'reboot', state: 'queued' }]);
    const answer = await push('EC-R1', secret);
    expect([answer.status, answer.text]).toEqual([205, '']);
    expect((await api.get('/devices/EC-R1/telemetry?hours=1', key)).body).toHaveLength(2);
    expect((await get('EC-R1', body.id)).body).toMatchObject({ state: 'sent', sent_door: 'https' });
    // The next packet says that it is back.
    expect((await push('EC-R1', secret)).status).toBe(200);
    expect((await get('EC-R1', body.id)).body).toMatchObject({ state: 'acknowledged' });
  });

  it('is 205 on asking for commands, and for one of many that ask at once', async () => {
    const secret = await api.device('EC-R2', key);
    await reboot('EC-R2');
    const answer = await poll('EC-R2', secret);
    expect([answer.status, answer.text]).toEqual([205, '']);
    expect((await poll('EC-R2', secret)).status).toBe(200);
    await reboot('EC-R2');
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 2 ? push('EC-R2', secret) : poll('EC-R2', secret))),
    );
    expect(answers.filter(({ status }) => status === 205)).toHaveLength(1);
  });

  it('is 205 on the way with an Idempotency-Key too', async () => {
    const secret = await api.device('EC-R3', key);
    await reboot('EC-R3');
    const ask = { as: secret, body: { temp: 1 }, headers: { 'idempotency-key': 'packet-9' } };
    expect((await api.call('POST', '/devices/EC-R3/telemetry', ask)).status).toBe(205);
    expect((await push('EC-R3', secret)).status).toBe(200);
  });

  it('that nobody fetched in time never happens', async () => {
    const secret = await api.device('EC-R4', key);
    const { body } = await reboot('EC-R4');
    await api.db.query(
      `update public.device_commands set expires_at = now() - interval '1 second' where id = $1`,
      [body.id],
    );
    expect((await push('EC-R4', secret)).status).toBe(200);
    expect((await poll('EC-R4', secret)).status).toBe(200);
  });
});

describe('who may send commands', () => {
  it.each([
    ['admin', 201, 200],
    ['partner', 403, 200],
    ['org_admin', 201, 200],
    ['operator', 201, 200],
    ['viewer', 403, 200],
    ['customer', 403, 403],
    ['tenant', 403, 403],
    ['outsider', 403, 403],
    ['stranger', 404, 404],
  ])('%s: %i, and to read them: %i', async (role, mayWrite, mayRead) => {
    const { serial } = api.world.org.device;
    expect((await send(serial, { type: 'beep' }, token[role])).status).toBe(mayWrite);
    const reboot = await api.call('POST', `/devices/${serial}/reboot`, { as: token[role]! });
    expect(reboot.status).toBe(mayWrite);
    expect((await api.get(`/devices/${serial}/commands`, token[role])).status).toBe(mayRead);
  });

  it('a key with scope write, and no other', async () => {
    const { serial } = api.world.org.device;
    const writer = await api.apiKey(['write']);
    const sent = await send(serial, { type: 'beep' }, writer);
    expect([sent.status, sent.body.state]).toEqual([201, 'queued']);
    const reader = await api.apiKey(['read', 'ota', 'provision']);
    expect((await send(serial, { type: 'beep' }, reader)).status).toBe(403);
  });

  it('a device reads and answers its own alone', async () => {
    const mine = await api.device('EC-C8', key);
    const other = await api.device('EC-C9', key);
    const { id } = (await send('EC-C8', { type: 'beep' })).body;
    const ack = (serial: string, as: string): Promise<Answer> =>
      api.call('POST', `/devices/${serial}/commands/${id}/ack`, { as, body: { ok: true } });
    expect((await ack('EC-C8', other)).status).toBe(403);
    expect((await ack('EC-C9', other)).status).toBe(404);
    expect((await ack('EC-C8', key)).status).toBe(403);
    expect((await get('EC-C9', id)).status).toBe(404);
    expect((await send('EC-C8', { type: 'beep' }, mine)).status).toBe(403);
    expect((await get('EC-C8', id)).body.state).toBe('queued');
  });
});
