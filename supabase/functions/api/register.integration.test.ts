import { pbkdf2Sync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startApi();
  key = await api.apiKey(['read', 'write', 'provision']);
});
afterAll(() => api?.stop());

const register = (body: unknown, as = key, headers = {}): Promise<Answer> =>
  api.call('POST', '/devices/register', { as, body, headers });
const climate = (serial_no: string) => ({ serial_no, product_type: 'EC-CLIMATE-V1' });

describe('POST /devices/register', () => {
  it('the first time is 201 with everything a device needs to live', async () => {
    const { status, body } = await register({ ...climate('EC-1'), fw_version: '1.2.0' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      serial_no: 'EC-1',
      product_type: 'EC-CLIMATE-V1',
      fw_version: '1.2.0',
      status: 'never_seen',
      lifecycle: 'manufactured',
      org_id: api.world.org.id,
      mqtt_username: 'EC-1',
      mqtt_password: expect.stringMatching(/^ec_dev_[A-Za-z0-9_-]{43}$/),
      mqtt_host: 'mqtt.test',
      mqtt_port: 8883,
      mqtt_ca: 'PEM',
      https_url: 'http://supabase.test/functions/v1/api',
      claim_url: expect.stringMatching(/^http:\/\/web\.test\/claim\?serial=EC-1&code=[A-Za-z0-9_-]{22}$/),
      ota_public_key: expect.stringMatching(/^[A-Za-z0-9+\/]{43}=$/),
      telemetry_interval_s: 5,
      server_time: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    });
  });

  it('the aliases serial and productType mean the same', async () => {
    const { status, body } = await register({ serial: 'EC-2', productType: 'tracker', mac: 'ignored' });
    expect([status, body.serial_no, body.product_type]).toEqual([201, 'EC-2', 'tracker']);
  });

  it('repeating it gives a new secret until the device first used one, and then none', async () => {
    const first = await register(climate('EC-3'));
    const again = await register(climate('EC-3'));
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id]);
    expect(again.body.mqtt_password).toMatch(/^ec_dev_/);
    expect(again.body.mqtt_password).not.toBe(first.body.mqtt_password);

    const push = (as: string) => api.call('POST', '/devices/EC-3/telemetry', { as, body: { temp: 1 } });
    expect((await push(first.body.mqtt_password)).status).toBe(401);
    expect((await push(again.body.mqtt_password)).status).toBe(200);

    const third = await register(climate('EC-3'));
    expect([third.status, third.body.lifecycle, third.body.status]).toEqual([200, 'active', 'online']);
    for (const member of ['mqtt_password', 'mqtt_username', 'claim_url', 'mqtt_host']) {
      expect(third.body).not.toHaveProperty(member);
    }
  });

  it('another credential never gets the secret', async () => {
    await register(climate('EC-4'));
    const other = await register(climate('EC-4'), await api.apiKey(['provision']));
    expect([other.status, other.body.mqtt_password]).toEqual([200, undefined]);
  });

  it('another org’s serial is taken and says nothing more', async () => {
    const { status, body } = await register(climate(api.world.stranger.device.serial));
    expect([status, body.code]).toEqual([409, 'serial_taken']);
    expect(JSON.stringify(body)).not.toContain(api.world.stranger.id);
  });

  it('an unknown product type is 422 and lists the known ones', async () => {
    const { status, body } = await register({ serial_no: 'EC-5', product_type: 'toaster' });
    expect([status, body.code, body.known]).toEqual([422, 'unprocessable', ['EC-CLIMATE-V1', 'tracker']]);
    expect(body.detail).toContain('EC-CLIMATE-V1, tracker');
  });

  it.each([
    [{ serial_no: 'a/b', product_type: 'tracker' }, 'serial_no'],
    [{ serial_no: 'EC-#', product_type: 'tracker' }, 'serial_no'],
    [{ serial_no: 'x'.repeat(65), product_type: 'tracker' }, 'serial_no'],
    [{ serial_no: 'EC-1' }, 'product_type'],
    [{ product_type: 'tracker' }, 'serial_no'],
    [{ serial_no: 'EC-1', serial: 'EC-2', product_type: 'tracker' }, 'serial'],
  ])('%j is 400 and names the field', async (body, field) => {
    const answer = await register(body);
    expect([answer.status, answer.body.code, answer.body.issues[0].path]).toEqual([
      400,
      'invalid_request',
      [field],
    ]);
  });

  it('stores hashes that brokers can check, and the secret nowhere', async () => {
    const { body } = await register(climate('EC-6'));
    const [row] = await api.db.query<{ password_hash: string; salt: string; all: string }>(
      `select c.password_hash, c.salt, c::text as all from public.device_credentials c where serial = 'EC-6'`,
    );
    const [, kind, iterations, salt, hash] = row!.password_hash.split('$');
    expect([kind, iterations, Buffer.from(salt!, 'base64').toString()]).toEqual(['7', '101', row!.salt]);
    expect(pbkdf2Sync(body.mqtt_password, row!.salt, 101, 64, 'sha512').toString('base64')).toBe(hash);
    expect(row!.all).not.toContain(body.mqtt_password.slice(7));
    expect(api.log.join('\n')).not.toContain(body.mqtt_password.slice(7, 20));
  });
});

describe('who may register', () => {
  it('a person of several orgs says for which one', async () => {
    const partner = await api.tokenOf(api.world.partnerUser);
    expect((await register(climate('EC-7'), partner)).body.code).toBe('invalid_request');
    const query = `/devices/register?org_id=${api.world.sibling.id}`;
    const answer = await api.call('POST', query, { as: partner, body: climate('EC-7') });
    expect([answer.status, answer.body.org_id]).toEqual([201, api.world.sibling.id]);
    const foreign = `/devices/register?org_id=${api.world.stranger.id}`;
    expect((await api.call('POST', foreign, { as: partner, body: climate('EC-8') })).status).toBe(404);
  });

  it('an org_admin may, everybody below may not', async () => {
    expect((await register(climate('EC-9'), await api.tokenOf(api.world.orgAdmin))).status).toBe(201);
    const { operator, viewer, customer, tenant, outsider } = api.world;
    for (const person of [operator, viewer, customer, tenant, outsider]) {
      expect((await register(climate('EC-10'), await api.tokenOf(person))).status).toBe(403);
    }
    expect((await register(climate('EC-10'), await api.apiKey(['read', 'write', 'ota']))).status).toBe(403);
  });

  it('a provisioning key registers within its limits and can do nothing else', async () => {
    const made = await api.call('POST', `/orgs/${api.world.org.id}/provisioning-keys`, {
      as: await api.tokenOf(api.world.orgAdmin),
      body: {
        name: 'firmware',
        product_type: 'tracker',
        mode: 'new',
        serial_prefix: 'GPS-',
        max_count: 1,
        expires_at: Date.now() + 3_600_000,
      },
    });
    expect(made.status).toBe(201);
    const prov: string = made.body.key;
    expect(prov).toMatch(/^ec_prov_/);
    expect((await register({ serial_no: 'GPS-1', product_type: 'tracker' }, prov)).status).toBe(201);
    expect(
      (await register({ serial_no: 'GPS-1', product_type: 'tracker' }, prov)).body.mqtt_password,
    ).toMatch(/^ec_dev_/);
    for (const body of [
      climate('GPS-2'),
      { serial_no: 'GPS-2', product_type: 'tracker' },
      { serial_no: 'X-1', product_type: 'tracker' },
    ]) {
      expect((await register(body, prov)).status).toBe(403);
    }
    for (const path of ['/devices', '/devices/GPS-1', '/orgs', '/product-types']) {
      expect([path, (await api.get(path, prov)).status]).toEqual([path, 403]);
    }
    expect((await api.get('/me', prov)).body).toMatchObject({
      kind: 'provisioning_key',
      org_id: api.world.org.id,
    });
  });
});

describe('POST /devices/bulk', () => {
  it('gives each device its own result', async () => {
    const devices = [
      climate('B-1'),
      { serial: 'B-2' },
      climate(api.world.stranger.device.serial),
      climate('B-3'),
      climate('B-1'),
    ];
    const { status, body } = await api.call('POST', '/devices/bulk', { as: key, body: { devices } });
    expect([status, body.created, body.existing, body.failed]).toEqual([200, 2, 1, 2]);
    expect(body.results.map((r: Record<string, unknown>) => [r['index'], r['serial_no'], r['ok']])).toEqual([
      [0, 'B-1', true],
      [1, 'B-2', false],
      [2, api.world.stranger.device.serial, false],
      [3, 'B-3', true],
      [4, 'B-1', true],
    ]);
    expect(body.results[1].error.code).toBe('invalid_request');
    expect(body.results[2].error.code).toBe('serial_taken');
    const secret = body.results[3].device.mqtt_password;
    expect((await api.call('POST', '/devices/B-3/telemetry', { as: secret, body: { temp: 1 } })).status).toBe(
      200,
    );
  });

  it('takes 1 to 500', async () => {
    for (const devices of [[], Array.from({ length: 501 }, (_, n) => climate(`C-${n}`))]) {
      expect((await api.call('POST', '/devices/bulk', { as: key, body: { devices } })).status).toBe(400);
    }
    const devices = Array.from({ length: 500 }, (_, n) => climate(`D-${n}`));
    const { body } = await api.call('POST', '/devices/bulk', { as: key, body: { devices } });
    expect([body.created, body.failed]).toEqual([500, 0]);
  });
});

describe('Idempotency-Key', () => {
  it('a replay is the same answer without anything secret', async () => {
    const headers = { 'idempotency-key': 'register-1' };
    const first = await register(climate('EC-11'), key, headers);
    const again = await register(climate('EC-11'), key, headers);
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([
      201,
      201,
      'true',
    ]);
    const { mqtt_password, claim_url, ...rest } = first.body;
    expect(mqtt_password && claim_url).toBeTruthy();
    expect(again.body).toEqual(rest);
    const kept = await api.db.query<{ text: string }>('select k::text as text from ec.idempotency_keys k');
    expect(kept.map((row) => row.text).join()).not.toContain(mqtt_password.slice(7));
    // The replay did not issue a new secret, so the first one still works.
    expect(
      (await api.call('POST', '/devices/EC-11/telemetry', { as: mqtt_password, body: { a: 1 } })).status,
    ).toBe(200);
  });

  it('a parallel repeat waits for the first and does the work once', async () => {
    const headers = { 'idempotency-key': 'register-2' };
    const all = await Promise.all([1, 2, 3, 4].map(() => register(climate('EC-12'), key, headers)));
    expect(all.map((answer) => answer.status)).toEqual([201, 201, 201, 201]);
    expect(all.filter((answer) => answer.body.mqtt_password)).toHaveLength(1);
  });

  it('under the same key another request is a conflict, another credential is free', async () => {
    const headers = { 'idempotency-key': 'register-3' };
    await register(climate('EC-13'), key, headers);
    expect((await register(climate('EC-14'), key, headers)).body.code).toBe('conflict');
    const other = await api.apiKey(['provision']);
    expect((await register(climate('EC-14'), other, headers)).status).toBe(201);
  });

  it('a failed request is not remembered', async () => {
    const headers = { 'idempotency-key': 'register-4' };
    const admin = await api.tokenOf(api.world.admin);
    const create = () =>
      api.call('POST', '/orgs', { as: admin, body: { name: 'New', slug: 'acme-2' }, headers });
    await api.db.query(`insert into public.orgs (name, slug) values ('blocker', 'acme-2')`);
    expect((await create()).status).toBe(409);
    await api.db.query(`delete from public.orgs where slug = 'acme-2'`);
    expect((await create()).status).toBe(201);
  });
});
