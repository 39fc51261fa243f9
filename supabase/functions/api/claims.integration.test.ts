import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';
import { newPerson, registerForClaim, type Person } from '../test/people.ts';

let api: TestApi;
let admin: string;
let key: string;
beforeAll(async () => {
  api = await startApi();
  admin = await api.tokenOf(api.world.orgAdmin);
  key = await api.apiKey(['read', 'write', 'provision']);
});
afterAll(() => api?.stop());

let count = 0;
const fresh = () => registerForClaim(api, `CLAIM-${++count}`, key);
const preview = (serial: string, code: string, as?: string) =>
  api.call('POST', '/claims/preview', { body: { serial, code }, ...(as && { as }) });
const claim = (serial: string, code: string, as: string, org_id?: string) =>
  api.call('POST', '/claims', { as, body: { serial, code, ...(org_id && { org_id }) } });
const push = (serial: string, secret: string, temp: number) =>
  api.call('POST', `/devices/${serial}/telemetry`, { as: secret, body: { temp } });
const temps = async (serial: string, as: string) =>
  (await api.get(`/devices/${serial}/telemetry`, as)).body.map((row: { temp: number }) => row.temp);

describe('a scanned code', () => {
  it('shows what it stands for before anybody signed in', async () => {
    const { serial, code } = await fresh();
    const { status, body } = await preview(serial, code);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'claimable',
      serial,
      product_type: { key: 'EC-CLIMATE-V1' },
      org: { name: 'acme', slug: 'acme', brand: {} },
    });
  });

  it('that is wrong, of another device, or of none at all is the same 404', async () => {
    const [one, two] = [await fresh(), await fresh()];
    const answers = [
      await preview(one.serial, 'wrong-code'),
      await preview(one.serial, two.code),
      await preview('CLAIM-NOBODY', one.code),
    ];
    const bodies = answers.map(({ status, body: { request_id: _, ...rest } }) => ({ status, ...rest }));
    expect(bodies[0]).toMatchObject({ status: 404, code: 'not_found' });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
  });

  it('that is no code is refused as such', async () => {
    expect((await preview('CLAIM-1', 'x y')).status).toBe(400);
    expect((await preview('a/b', 'wrong-code')).status).toBe(400);
  });
});

describe('claiming into the portal', () => {
  it('makes somebody new a customer who sees the device live, and only what it measures from then on', async () => {
    const { serial, code, secret } = await fresh();
    await push(serial, secret, 1);
    const person = await newPerson(api);
    const { status, body } = await claim(serial, code, person.token);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      place: 'portal',
      home: `/portal/devices/${serial}`,
      device: { serial_no: serial, customer_id: person.id, shadow_reported: {} },
    });
    expect((await api.get('/me', person.token)).body).toMatchObject({ role: 'customer', home: '/portal' });
    expect(await temps(serial, person.token)).toEqual([]);
    await push(serial, secret, 2);
    expect(await temps(serial, person.token)).toEqual([2]);
    expect((await api.get(`/devices/${serial}`, person.token)).body.shadow_reported).toMatchObject({
      temp: 2,
    });
    expect((await preview(serial, code, person.token)).body.state).toBe('yours');
    expect((await preview(serial, code)).body.state).toBe('used');
  });

  it('repeated by the same person is the same answer, by another it was used', async () => {
    const { serial, code } = await fresh();
    const [one, two] = [await newPerson(api), await newPerson(api)];
    expect((await claim(serial, code, one.token)).status).toBe(201);
    const again = await claim(serial, code, one.token);
    expect([again.status, again.body.device.serial_no]).toEqual([200, serial]);
    const late = await claim(serial, code, two.token);
    expect([late.status, late.body.code, late.body.reason]).toEqual([409, 'already_used', 'used']);
  });

  it('at the same moment by two people makes one of them its customer', async () => {
    const { serial, code } = await fresh();
    const people = await Promise.all([newPerson(api), newPerson(api), newPerson(api)]);
    const statuses = await Promise.all(
      people.map(async (person) => (await claim(serial, code, person.token)).status),
    );
    expect(statuses.sort()).toEqual([201, 409, 409]);
  });
});

describe('claiming into an organisation', () => {
  it('needs the right to provision there', async () => {
    const { serial, code } = await fresh();
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    const viewer = await api.tokenOf(api.world.viewer);
    expect((await claim(serial, code, stranger, api.world.sibling.id)).status).toBe(404);
    expect((await claim(serial, code, viewer, api.world.org.id)).status).toBe(403);
    const { status, body } = await claim(serial, code, stranger, api.world.stranger.id);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      place: 'org',
      home: `/org/devices/${serial}`,
      device: { org_id: api.world.stranger.id, lifecycle: 'claimed' },
    });
    expect((await api.get(`/devices/${serial}`, admin)).status).toBe(404);
  });

  it('beyond the plan is refused with the numbers', async () => {
    const { serial, code } = await fresh();
    await api.db.query(`update public.plan_limits set max_devices = 1 where plan = 'starter'`);
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    const { status, body } = await claim(serial, code, stranger, api.world.stranger.id);
    expect([status, body.code]).toEqual([403, 'plan_limit']);
    expect(body).toMatchObject({ limit: 1, plan: 'starter' });
    await api.db.query(`update public.plan_limits set max_devices = 1000 where plan = 'starter'`);
    expect((await claim(serial, code, stranger, api.world.stranger.id)).status).toBe(201);
  });
});

describe('a code that no longer works says why', () => {
  let person: Person;
  beforeAll(async () => {
    person = await newPerson(api);
  });
  const expectEnded = async (serial: string, code: string, reason: string) => {
    expect((await preview(serial, code)).body.state).toBe(reason);
    const { status, body } = await claim(serial, code, person.token);
    expect([status, body.code, body.reason]).toEqual([410, 'expired', reason]);
  };

  it('reissued', async () => {
    const { serial, code } = await fresh();
    const issued = await api.call('POST', `/devices/${serial}/claim-code`, { as: admin });
    expect(issued.status).toBe(201);
    expect(issued.body.claim_url).toBe(`http://web.test/claim?serial=${serial}&code=${issued.body.code}`);
    await expectEnded(serial, code, 'reissued');
    expect((await preview(serial, issued.body.code)).body.state).toBe('claimable');
    const status = await api.get(`/devices/${serial}/claim-code`, admin);
    expect(status.body).toMatchObject({ state: 'claimable', used_at: null });
    expect(status.text).not.toContain(issued.body.code);
  });

  it('expired', async () => {
    const { serial, code } = await fresh();
    await api.db.query(
      `update public.claim_codes c set expires_at = now() - interval '1 minute' from public.devices d
       where d.id = c.device_id and d.serial = $1`,
      [serial],
    );
    await expectEnded(serial, code, 'expired');
  });

  it('transferred', async () => {
    const { serial, code } = await fresh();
    const partner = await api.tokenOf(api.world.partnerUser);
    const body = { org_id: api.world.sibling.id };
    expect((await api.call('PATCH', `/devices/${serial}`, { as: partner, body })).status).toBe(200);
    await expectEnded(serial, code, 'transferred');
  });

  it('unclaimed, and a new code claims it again', async () => {
    const { serial, code, secret } = await fresh();
    const owner = await newPerson(api);
    await claim(serial, code, owner.token);
    await push(serial, secret, 21);
    const back = await api.call('POST', `/devices/${serial}/unclaim`, { as: owner.token });
    expect(back.status).toBe(204);
    expect((await api.get(`/devices/${serial}`, owner.token)).status).toBe(404);
    await expectEnded(serial, code, 'unclaimed');
    const { body } = await api.call('POST', `/devices/${serial}/claim-code`, { as: key });
    expect((await claim(serial, body.code, person.token)).status).toBe(201);
    expect(await temps(serial, person.token)).toEqual([]);
  });

  it('retired', async () => {
    const { serial, code, secret } = await fresh();
    await push(serial, secret, 1);
    await api.call('DELETE', `/devices/${serial}?force=true`, { as: admin });
    await expectEnded(serial, code, 'retired');
  });
});

it('a claim code is in one answer alone, and in no log', async () => {
  const { serial } = await fresh();
  const headers = { 'idempotency-key': `claim-code-${serial}` };
  const first = await api.call('POST', `/devices/${serial}/claim-code`, { as: admin, headers });
  const again = await api.call('POST', `/devices/${serial}/claim-code`, { as: admin, headers });
  expect(first.body.code).toMatch(/^[\w-]{22}$/);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body).not.toHaveProperty('code');
  expect(again.body).not.toHaveProperty('claim_url');
  expect(api.log.join()).not.toContain(first.body.code);
});

it('the history of a device names its holders to its own staff only', async () => {
  const { serial, code } = await fresh();
  const person = await newPerson(api);
  await claim(serial, code, person.token);
  const history = await api.get(`/devices/${serial}/tenures`, admin);
  expect(history.body).toMatchObject([
    { org_name: 'acme', customer_email: person.email, ended_at: null },
    { org_name: 'acme', customer_email: null },
  ]);
  expect(history.body[1].ended_at).toMatch(/^\d{4}-.*\.\d{3}Z$/);
  expect((await api.get(`/devices/${serial}/tenures`, person.token)).status).toBe(403);
  expect(
    (await api.get(`/devices/${serial}/tenures`, await api.tokenOf(api.world.strangerAdmin))).status,
  ).toBe(404);
});

it('what was claimed is in the audit trail with the address it was asked from', async () => {
  const { serial, code } = await fresh();
  const person = await newPerson(api);
  await claim(serial, code, person.token);
  const { body } = await api.get(
    `/orgs/${api.world.org.id}/audit?target=${serial}&actor=${person.email}`,
    admin,
  );
  expect(body[0]).toMatchObject({ actor: person.email, target_id: serial, address: '127.0.0.1' });
});
