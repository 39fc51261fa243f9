import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let admin: string;
let partner: string;
let orgAdmin: string;
let org: string;
beforeAll(async () => {
  api = await startApi();
  org = api.world.org.id;
  admin = await api.tokenOf(api.world.admin);
  partner = await api.tokenOf(api.world.partnerUser);
  orgAdmin = await api.tokenOf(api.world.orgAdmin);
});
afterAll(() => api?.stop());

const post = (path: string, body: unknown, as = orgAdmin): Promise<Answer> =>
  api.call('POST', path, { as, body });
const patch = (path: string, body: unknown, as = orgAdmin): Promise<Answer> =>
  api.call('PATCH', path, { as, body });
const names = (answer: Answer): string[] => answer.body.map((item: { name: string }) => item.name);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('GET /me', () => {
  it('tells a person their live memberships and their home', async () => {
    const { body } = await api.get('/me', await api.tokenOf(api.world.tenant));
    expect(body).toMatchObject({ kind: 'user', role: 'tenant', home: '/portal/room' });
    expect(body.memberships).toMatchObject([
      {
        role: 'tenant',
        org_id: org,
        org_name: 'acme',
        org_slug: 'acme',
        location_id: api.world.org.room,
        location_name: 'Lab',
      },
    ]);
    expect((await api.get('/me', admin)).body).toMatchObject({ role: 'admin', home: '/' });
    expect((await api.get('/me', partner)).body).toMatchObject({
      home: '/partner',
      memberships: [{ partner_name: 'north' }],
    });
    const outsider = await api.get('/me', await api.tokenOf(api.world.outsider));
    expect(outsider.body).toMatchObject({ role: null, home: null, memberships: [] });
  });

  it('makes the profile of somebody who signed up a moment ago', async () => {
    const id = await api.db.value<string>(
      `insert into auth.users (id, email, raw_user_meta_data)
       values (gen_random_uuid(), 'new@example.com', '{"full_name":"Nora New"}') returning id`,
    );
    const { status, body } = await api.get('/me', await api.tokenOf({ user: id }));
    expect([status, body.id, body.email, body.full_name]).toEqual([200, id, 'new@example.com', 'Nora New']);
  });
});

describe('orgs', () => {
  it('are listed with their devices, by name, page by page', async () => {
    const all = await api.get('/orgs', admin);
    expect(names(all)).toEqual(['acme', 'elsewhere', 'harbour']);
    expect(all.body[0]).toMatchObject({
      id: org,
      devices: 1,
      online: 0,
      plan: 'starter',
      created_at: expect.stringMatching(TIME),
    });
    expect(names(await api.get('/orgs', partner))).toEqual(['acme', 'harbour']);
    expect(names(await api.get('/orgs', orgAdmin))).toEqual(['acme']);
    const first = await api.get('/orgs?limit=2', admin);
    const next = /<[^>]*\/api(\/[^>]*)>; rel="next"/.exec(first.headers.get('link')!)![1]!;
    expect([...names(first), ...names(await api.get(next, admin))]).toEqual(['acme', 'elsewhere', 'harbour']);
  });

  it('are created by admins and by partners for themselves', async () => {
    const made = await post(
      '/orgs',
      { name: 'Café Zürich', timezone: 'Europe/Zurich', product: 'tracker' },
      partner,
    );
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'Café Zürich',
      slug: expect.stringMatching(/^[a-z0-9-]+$/),
      plan: 'starter',
      product: 'tracker',
      timezone: 'Europe/Zurich',
      partner_id: api.world.partner,
    });
    const foreign = await post('/orgs', { name: 'X', partner_id: api.world.otherPartner }, partner);
    expect(foreign.status).toBe(404);
    const here = await post(
      `/partners/${api.world.partner}/orgs`,
      { name: 'Inn', slug: 'inn', product: 'tracker', plan: 'pro' },
      partner,
    );
    expect(here.body).toMatchObject({ slug: 'inn', plan: 'pro', partner_id: api.world.partner });
    expect((await post('/orgs', { name: 'Inn', slug: 'inn' }, admin)).body.code).toBe('conflict');
    expect((await post('/orgs', { name: 'Y', product: 'toaster' }, admin)).status).toBe(422);
    for (const bad of [
      {},
      { name: '' },
      { name: 'x', plan: 'gold' },
      { name: 'x', timezone: 'Mars' },
      { name: 'x', slug: 'A B' },
    ]) {
      expect([bad, (await post('/orgs', bad, admin)).status]).toEqual([bad, 400]);
    }
  });

  it('are changed by their admins, but not their own plan', async () => {
    expect((await patch(`/orgs/${org}`, { timezone: 'Europe/Berlin' })).body).toMatchObject({
      timezone: 'Europe/Berlin',
    });
    expect((await patch(`/orgs/${org}`, { plan: 'business' })).status).toBe(403);
    expect((await patch(`/orgs/${org}`, { plan: 'business' }, partner)).body.plan).toBe('business');
    expect((await patch(`/orgs/${org}`, {})).status).toBe(400);
  });
});

describe('rooms and locations', () => {
  it('a room finds or makes its floor and building', async () => {
    const first = await post(`/orgs/${org}/rooms`, { name: 'Lab 2', floor: '2nd floor', building: 'Main' });
    const second = await post(`/orgs/${org}/rooms`, { name: 'Lab 3', floor: '2ND FLOOR', building: 'main' });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body).toMatchObject({
      name: 'Lab 2',
      floor: '2nd floor',
      building: 'Main',
      created_at: expect.stringMatching(TIME),
    });
    expect(second.body.parent_id).toBe(first.body.parent_id);
    expect(names(await api.get(`/orgs/${org}/rooms`, orgAdmin))).toEqual(['Lab', 'Store', 'Lab 2', 'Lab 3']);
    expect(
      (await post(`/orgs/${org}/rooms`, { name: 'lab 2', floor: '2nd floor', building: 'Main' })).body.code,
    ).toBe('conflict');
  });

  it('the tree keeps its order', async () => {
    const site = (
      await post(`/orgs/${org}/locations`, { name: 'Campus', type: 'site', timezone: 'Europe/Berlin' })
    ).body;
    const building = (
      await post(`/orgs/${org}/locations`, { name: 'North', type: 'building', parent_id: site.id })
    ).body;
    expect(building).toMatchObject({ type: 'building', parent_id: site.id });
    const upside = await post(`/orgs/${org}/locations`, { name: 'X', type: 'site', parent_id: building.id });
    expect(upside.status).toBe(422);
    const foreign = await post(`/orgs/${org}/locations`, {
      name: 'X',
      type: 'room',
      parent_id: api.world.stranger.building,
    });
    expect(foreign.status).toBe(422);
    const types = (await api.get(`/orgs/${org}/locations`, orgAdmin)).body.map(
      (l: { type: string }) => l.type,
    );
    expect(types).toEqual([...types].sort((a, b) => rank(a) - rank(b)));

    expect((await patch(`/locations/${building.id}`, { name: 'South', parent_id: null })).body).toMatchObject(
      {
        name: 'South',
        parent_id: null,
      },
    );
    expect((await api.call('DELETE', `/locations/${building.id}`, { as: orgAdmin })).status).toBe(204);
    expect((await api.call('DELETE', `/locations/${api.world.org.room}`, { as: orgAdmin })).body.code).toBe(
      'conflict',
    );
  });
});

describe('keys', () => {
  it('an API key is shown once, listed without its key, and revoked', async () => {
    const made = await post(`/orgs/${org}/api-keys`, {
      name: 'CI',
      scopes: ['read'],
      expires_at: '2030-01-01T00:00:00+01:00',
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'CI',
      scopes: ['read'],
      expires_at: '2029-12-31T23:00:00.000Z',
      org_id: org,
    });
    expect(made.body.key.startsWith(made.body.prefix)).toBe(true);
    const listed = await api.get(`/orgs/${org}/api-keys`, orgAdmin);
    expect(listed.text).not.toContain(made.body.key);
    expect(listed.text).not.toContain('sha256');
    expect((await api.call('DELETE', `/api-keys/${made.body.id}`, { as: orgAdmin })).status).toBe(204);
    const [first] = (await api.get(`/orgs/${org}/api-keys`, orgAdmin)).body;
    expect(first).toMatchObject({ id: made.body.id, revoked_at: expect.stringMatching(TIME) });
  });

  it('a partner cannot give more than a partner may', async () => {
    expect((await post(`/orgs/${org}/api-keys`, { name: 'x', scopes: ['ota'] }, partner)).status).toBe(403);
    expect((await post(`/orgs/${org}/api-keys`, { name: 'x' }, partner)).body.scopes).not.toContain('ota');
  });

  it('a provisioning key for new serials needs its bounds', async () => {
    const path = `/orgs/${org}/provisioning-keys`;
    expect((await post(path, { name: 'x', product_type: 'tracker', mode: 'new' })).status).toBe(400);
    const made = await post(path, { name: 'line 1', product_type: 'tracker' });
    expect(made.body).toMatchObject({
      mode: 'known',
      key: expect.stringMatching(/^ec_prov_/),
      used_count: 0,
    });
    const listed = await api.get(path, orgAdmin);
    expect(listed.text).not.toContain(made.body.key);
    expect((await api.call('DELETE', `/provisioning-keys/${made.body.id}`, { as: orgAdmin })).status).toBe(
      204,
    );
    expect((await api.get('/me', made.body.key)).status).toBe(401);
  });
});

describe('audit', () => {
  it('says who did what, when, before and after, with the request id', async () => {
    const headers = { 'x-request-id': 'audited-request-1' };
    await api.call('PATCH', `/orgs/${org}`, { as: orgAdmin, body: { name: 'Acme Manufacturing' }, headers });
    const [entry] = (await api.get(`/orgs/${org}/audit?limit=1`, orgAdmin)).body;
    expect(entry).toMatchObject({
      action: 'org_updated',
      actor: expect.stringMatching(/^org-.*@example\.com$/),
      actor_kind: 'user',
      before: { name: 'acme' },
      after: { name: 'Acme Manufacturing' },
      request_id: 'audited-request-1',
      created_at: expect.stringMatching(TIME),
    });
  });

  it('pages newest first and can be filtered by action', async () => {
    const ids: number[] = [];
    let path: string | undefined = `/orgs/${org}/audit?limit=3`;
    while (path !== undefined) {
      const answer: Answer = await api.get(path, orgAdmin);
      ids.push(...answer.body.map((entry: { id: number }) => entry.id));
      path = /<[^>]*\/api(\/[^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(ids.length).toBeGreaterThan(6);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a));
    const created = await api.get(`/orgs/${org}/audit?action=location_created`, orgAdmin);
    expect(new Set(created.body.map((entry: { action: string }) => entry.action))).toEqual(
      new Set(['location_created']),
    );
  });
});

describe('the overview', () => {
  it('counts, shows exceptions newest first, rooms with their climate, and what happened', async () => {
    await api.db.query(`update public.orgs set plan = 'business' where id = $1`, [org]);
    const key = await api.apiKey(['read', 'write', 'provision']);
    const secrets: Record<string, string> = {};
    for (const serial of ['on-1', 'off-1', 'stale-1', 'bad-1', 'new-1'])
      secrets[serial] = await api.device(serial, key);
    const push = (serial: string, body: unknown) =>
      api.call('POST', `/devices/${serial}/telemetry`, { as: secrets[serial]!, body });
    await patch('/devices/on-1', { location_id: api.world.org.otherRoom, name: 'Store sensor' });
    await push('on-1', { temp: 18, bat: 4 });
    await push('off-1', { temp: 1 });
    await push('stale-1', { temp: 1 });
    await push('bad-1', { '1bad': 1 });
    await api.db.query(
      `update public.device_state set last_seen = now() - interval '1 hour' where serial = 'off-1'`,
    );
    await api.db.query(
      `update public.device_state set last_telemetry_at = now() - interval '2 hours' where serial = 'stale-1'`,
    );
    await api.db.query(
      `update public.devices set created_at = now() - interval '3 days' where serial in ('new-1')`,
    );

    const { body } = await api.get(`/orgs/${org}/overview`, orgAdmin);
    expect(body.counts).toEqual({ total: 6, online: 2, offline: 1, never_seen: 3 });
    expect(body.exceptions.map((e: { kind: string; serial_no: string }) => [e.kind, e.serial_no])).toEqual([
      ['dead_letters', 'bad-1'],
      ['offline', 'off-1'],
      ['stale', 'stale-1'],
      ['never_seen', 'new-1'],
    ]);
    expect(body.exceptions[0]).toMatchObject({
      count: 1,
      reason: 'bad_key',
      since: expect.stringMatching(TIME),
    });
    expect(body.exceptions_total).toBe(4);
    expect(body.rooms.find((room: { name: string }) => room.name === 'Store')).toMatchObject({
      path: 'Main · Store',
      devices: 1,
      online: 1,
      values: { temp: 18 },
      at: expect.stringMatching(TIME),
    });
    expect(body.firmware).toEqual([{ product_type: 'EC-CLIMATE-V1', fw_version: null, devices: 6 }]);
    expect(body.activity[0]).toMatchObject({ action: expect.any(String), at: expect.stringMatching(TIME) });
    expect(body.server_time).toMatch(TIME);
  });
});

describe('partners', () => {
  it('see their own orgs and counts, and admins make new ones', async () => {
    const made = await post(
      '/partners',
      { name: 'West', slug: 'west', contact_email: 'w@example.com', plan: 'pro' },
      admin,
    );
    expect([made.status, made.body]).toMatchObject([
      201,
      { slug: 'west', plan: 'pro', contact_email: 'w@example.com' },
    ]);
    expect(names(await api.get('/partners', partner))).toEqual(['north']);
    const orgs = await api.get(`/partners/${api.world.partner}/orgs`, partner);
    const acme = orgs.body.find((item: { id: string }) => item.id === org);
    expect(acme).toMatchObject({
      devices: 6,
      online: 2,
      anomalies_open: 0,
      last_activity_at: expect.stringMatching(TIME),
    });
    const stats = await api.get(`/partners/${api.world.partner}/stats`, partner);
    expect(stats.body).toEqual({
      orgs: orgs.body.length,
      total_devices: 7,
      online_devices: 2,
      active_devices: 3,
    });
  });
});

describe('live', () => {
  it('leases what the caller may watch and leaves the rest out', async () => {
    const topics = [`org:${org}`, 'device:acme-001', `org:${api.world.stranger.id}`, 'device:nobody'];
    const { status, body } = await post('/live/leases', { topics });
    expect([status, body.renew_s]).toEqual([200, 10]);
    expect(body.leases.map((lease: { asked: string }) => lease.asked).sort()).toEqual(
      ['device:acme-001', `org:${org}`].sort(),
    );
    expect(body.leases[0].topic).toMatch(/^(org|device):[0-9a-f-]{36}:\d+$/);
    expect(Date.parse(body.leases[0].expires_at) - Date.parse(body.server_time)).toBeGreaterThan(15_000);
    for (const bad of [[], ['org:*'], ['device:a/b'], Array(101).fill(`org:${org}`)]) {
      expect((await post('/live/leases', { topics: bad })).status).toBe(400);
    }
  });

  it('a token names exactly what was leased, and nothing leased is 404', async () => {
    const key = await api.apiKey(['read']);
    const { body } = await post('/live/token', { topics: ['device:acme-001', 'device:nobody'] }, key);
    const claims = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({
      role: 'authenticated',
      ec_kind: 'api_key',
      ec_topics: [body.leases[0].topic],
    });
    expect((await post('/live/token', { topics: ['device:nobody'] }, key)).status).toBe(404);
  });
});

function rank(type: string): number {
  return ['site', 'building', 'floor', 'room'].indexOf(type);
}
