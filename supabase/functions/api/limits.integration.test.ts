import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApi, type Answer, type CallOptions, type TestApi } from '../test/api.ts';
import { registerForClaim } from '../test/people.ts';
import { windowWithRoom } from '../test/window.ts';

/** Two running copies of the function behind one gateway that says who asked. */
let api: TestApi;
let copies: TestApi['call'][];
let key: string;
beforeAll(async () => {
  api = await startApi({
    EC_ADDRESS_LIMITS: 'on',
    EC_TRUSTED_PROXIES: '1',
    EC_DEVICE_REQUESTS_PER_MINUTE: '',
    EC_WEB_SECRET: 'web-secret',
  });
  copies = [api.call, (await api.copy()).call];
  key = await api.apiKey(['provision']);
});
afterAll(() => api?.stop());

let turn = 0;
/** The copies take turns, as behind a load balancer. */
const call = (method: string, path: string, options?: CallOptions): Promise<Answer> =>
  copies[turn++ % copies.length]!(method, path, options);
const from = (address: string) => ({ headers: { 'x-forwarded-for': `6.6.6.6, ${address}` } });
const count = (answers: Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

describe('requests a minute, over two copies of the function together', () => {
  beforeEach(() => windowWithRoom(60, 15), 30_000);

  it('are 100 of one API key of a Starter organisation, and nearly all of them can be used', async () => {
    const reader = await api.apiKey(['read']);
    const answers = await Promise.all(
      Array.from({ length: 130 }, () => call('GET', '/product-types', { as: reader })),
    );
    expect(count(answers, 200)).toBeLessThanOrEqual(100);
    expect(count(answers, 200)).toBeGreaterThanOrEqual(95);
    const refused = answers.find((answer) => answer.status === 429)!;
    expect(refused.body).toMatchObject({ code: 'rate_limited', limit_per_minute: 100 });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  });

  it('are 100 of one person of a Starter organisation, whoever else asks', async () => {
    const [viewer, operator] = [await api.tokenOf(api.world.viewer), await api.tokenOf(api.world.operator)];
    const answers = await Promise.all(Array.from({ length: 130 }, () => call('GET', '/me', { as: viewer })));
    expect(count(answers, 200)).toBeLessThanOrEqual(100);
    expect(count(answers, 200)).toBeGreaterThanOrEqual(95);
    expect((await call('GET', '/me', { as: operator })).status).toBe(200);
  });

  it('are 60 of one device, by any of its routes, whatever other secrets are tried for it', async () => {
    const [one, two] = [await api.device('LIMIT-1', key), await api.device('LIMIT-2', key)];
    await call('POST', '/devices/LIMIT-2/telemetry', { as: 'ec_dev_wrong', body: { temp: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, n) =>
        n % 4 === 0
          ? call('GET', '/devices/LIMIT-1/commands', { as: one })
          : call('POST', '/devices/LIMIT-1/telemetry', { as: one, body: { temp: n } }),
      ),
    );
    expect(count(answers, 200)).toBeLessThanOrEqual(60);
    expect(count(answers, 200)).toBeGreaterThanOrEqual(57);
    expect(count(answers, 429)).toBe(80 - count(answers, 200));
    expect((await call('POST', '/devices/LIMIT-2/telemetry', { as: two, body: { temp: 1 } })).status).toBe(
      200,
    );
  });
});

describe('guesses at the code of a device', () => {
  beforeEach(() => windowWithRoom(900, 25), 40_000);

  const guess = (serial: string, address: string, code = `wrong-code-${turn}`) =>
    call('POST', '/claims/preview', { body: { serial, code }, ...from(address) });

  it('are ten in a quarter of an hour from all addresses together; then the right one is refused as well', async () => {
    const { serial, code } = await registerForClaim(api, 'GUESS-1', key);
    for (let n = 0; n < 10; n++) expect((await guess(serial, `10.1.0.${n}`)).status).toBe(404);
    const locked = await guess(serial, '10.1.0.99', code);
    expect([locked.status, locked.body.code, locked.body.limit]).toEqual([429, 'rate_limited', 10]);
    expect(Number(locked.headers.get('retry-after'))).toBeLessThanOrEqual(900);
    const other = await registerForClaim(api, 'GUESS-2', key);
    expect((await guess(other.serial, '10.1.0.99', other.code)).status).toBe(200);
  });

  it('are counted the same for a serial that does not exist', async () => {
    const statuses = [];
    for (let n = 0; n < 11; n++) statuses.push((await guess('GUESS-NOWHERE', `10.2.0.${n}`)).status);
    expect(statuses).toEqual([...Array(10).fill(404), 429]);
  });

  it('cost nothing when they are right', async () => {
    const { serial, code } = await registerForClaim(api, 'GUESS-3', key);
    const answers = [];
    for (let n = 0; n < 40; n++) answers.push(await guess(serial, '10.3.0.1', code));
    expect(count(answers, 200)).toBe(40);
  });

  it('are thirty from one address, the one our own proxy saw and not the one the caller made up', async () => {
    const statuses = [];
    for (let n = 0; n < 31; n++) statuses.push((await guess(`GUESS-MANY-${n}`, '10.4.0.1')).status);
    expect(statuses).toEqual([...Array(30).fill(404), 429]);
    const visitor = { 'x-ec-client-address': '10.4.0.2', 'x-forwarded-for': '10.4.0.1' };
    const body = { serial: 'GUESS-MANY-40', code: 'wrong-code' };
    const byWeb = (secret: string) =>
      call('POST', '/claims/preview', { body, headers: { ...visitor, 'x-ec-web-secret': secret } });
    expect((await byWeb('another-secret')).status).toBe(429);
    expect((await byWeb('web-secret')).status).toBe(404);
  });

  it('at the code of a room are ten as well, and at tokens of invitations thirty an address', async () => {
    const room_id = api.world.org.room;
    const rooms = [];
    for (let n = 0; n < 11; n++) {
      const body = { room_id, code: `WRONGC0DE${n}` };
      rooms.push((await call('POST', '/room-claims/preview', { body, ...from(`10.5.0.${n}`) })).status);
    }
    expect(rooms).toEqual([...Array(10).fill(404), 429]);
    const tokens = [];
    for (let n = 0; n < 31; n++) {
      const body = { token: `${'x'.repeat(40)}${n}` };
      tokens.push((await call('POST', '/invitations/preview', { body, ...from('10.6.0.1') })).status);
    }
    expect(tokens).toEqual([...Array(30).fill(404), 429]);
  });

  it('sign-ins are ten for one account and a hundred for all from one address', async () => {
    const attempt = async (email: string, address: string) =>
      (await call('POST', '/sign-in/attempts', { body: { email }, ...from(address) })).status;
    const one = [];
    for (let n = 0; n < 11; n++)
      one.push(await attempt(n % 2 ? 'Ann@example.com' : 'ann@example.com', '10.7.0.1'));
    expect(one).toEqual([...Array(10).fill(204), 429]);
    expect(await attempt('ann@example.com', '10.7.0.2')).toBe(204);
    const many = [];
    for (let n = 0; n < 91; n++) many.push(await attempt(`person-${n}@example.com`, '10.7.0.1'));
    expect(many).toEqual([...Array(90).fill(204), 429]);
  });

  it('a sign-in that was right gives its turn back, once a session and to its own account alone', async () => {
    const email = 'operator@example.com';
    const attempt = async () =>
      (await call('POST', '/sign-in/attempts', { body: { email }, ...from('10.10.0.1') })).status;
    const succeed = async (as: string, address = email) =>
      (await call('POST', '/sign-in/successes', { as, body: { email: address }, ...from('10.10.0.1') }))
        .status;
    const session = async () => {
      const token = await api.tokenOf(api.world.operator);
      const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object;
      return api.sign({ ...claims, email });
    };
    for (let n = 0; n < 15; n++) {
      expect(await attempt()).toBe(204);
      expect(await succeed(await session())).toBe(204);
    }
    for (let n = 0; n < 10; n++) expect(await attempt()).toBe(204);
    expect(await attempt()).toBe(429);
    const token = await session();
    expect(await succeed(token, 'somebody-else@example.com')).toBe(403);
    expect(await attempt()).toBe(429);
    expect([await succeed(token), await succeed(token)]).toEqual([204, 429]);
    expect([await attempt(), await attempt()]).toEqual([204, 429]);
  });
});

it('an address registers 600 times a minute', async () => {
  await windowWithRoom(60, 40);
  const statuses = new Map<number, number>();
  const keys = await Promise.all(
    Array.from({ length: 8 }, () => api.apiKey(['provision'], api.world.org.id)),
  );
  const body = { devices: [{}] };
  await Promise.all(
    Array.from({ length: 610 }, async (_, n) => {
      const { status } = await call('POST', '/devices/bulk', { as: keys[n % 8]!, body, ...from('10.8.0.1') });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }),
  );
  expect(statuses.get(200)).toBe(600);
  expect(statuses.get(429)).toBe(10);
}, 90_000);

it('neither codes nor tokens nor addresses of people are logged or kept where limits are counted', async () => {
  await call('POST', '/sign-in/attempts', {
    body: { email: 'secret-person@example.com' },
    ...from('10.9.0.1'),
  });
  const keys = await api.db.query<{ key: string }>('select key from ec.rate_windows');
  const text = [...api.log, ...keys.map((row) => row.key)].join('\n');
  expect(text).not.toMatch(/wrong-code|WRONGC0DE|example\.com|xxxxxxxx/);
});
