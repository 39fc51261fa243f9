import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startApi();
  // More calls than a Starter org's keys have.
  await api.db.query(`update public.orgs set plan = 'business' where id = $1`, [api.world.org.id]);
  key = await api.apiKey(['read', 'write', 'provision']);
  const devices = Array.from({ length: 12 }, (_, n) => ({
    serial_no: `EC-${String(n).padStart(2, '0')}`,
    product_type: n % 3 === 0 ? 'tracker' : 'EC-CLIMATE-V1',
    fw_version: n < 4 ? '1.0.0' : '2.0.0',
  }));
  await api.call('POST', '/devices/bulk', { as: key, body: { devices } });
  await patch('EC-03', { location_id: api.world.org.room });
  for (const n of [1, 2, 3]) await seen(`EC-0${n}`, n);
  await seen('EC-04', 3600);
  await patch('EC-01', { name: 'Zebra 100%', tags: ['pilot', 'floor 2'] });
  await patch('EC-02', { name: 'apple_tree' });
});
afterAll(() => api?.stop());

const patch = (serial: string, body: unknown): Promise<Answer> =>
  api.call('PATCH', `/devices/${serial}`, { as: key, body });
const seen = (serial: string, secondsAgo: number): Promise<unknown> =>
  api.db.query(
    `update public.device_state set last_seen = now() - make_interval(secs => $2), reported = '{"temp": 1}' where serial = $1`,
    [serial, secondsAgo],
  );
const serials = (answer: Answer): string[] =>
  answer.body.map((device: { serial_no: string }) => device.serial_no);
const find = async (query: string, as = key): Promise<string[]> =>
  serials(await api.get(`/devices?${query}`, as));

describe('GET /devices', () => {
  it.each([
    ['product_type=tracker', ['EC-00', 'EC-03', 'EC-06', 'EC-09']],
    ['status=online', ['EC-01', 'EC-02', 'EC-03']],
    ['status=offline', ['EC-04']],
    ['status=never_seen&product_type=tracker', ['EC-00', 'EC-06', 'EC-09']],
    ['fw_version=1.0.0', ['EC-00', 'EC-01', 'EC-02', 'EC-03']],
    ['tag=pilot', ['EC-01']],
    ['tag=floor%202', ['EC-01']],
    ['q=ec-0&status=online', ['EC-01', 'EC-02', 'EC-03']],
    ['q=ZEBRA', ['EC-01']],
    ['q=100%25', ['EC-01']],
    ['q=e_t', ['EC-02']],
    ['q=%25', ['EC-01']],
    ['lifecycle=retired', []],
    ['org_id=00000000-0000-4000-8000-000000000000', []],
  ])('?%s', async (query, expected) => {
    expect(await find(query)).toEqual(expected);
  });

  it('room_id and its older name tenant_id find the room and what lies above it', async () => {
    const { room, building, otherRoom } = api.world.org;
    expect(await find(`room_id=${room}`)).toEqual(['EC-03', 'acme-001']);
    expect((await find(`tenant_id=${room}`)).length).toBe(2);
    expect((await find(`room_id=${building}`)).length).toBe(2);
    expect(await find(`room_id=${otherRoom}`)).toEqual([]);
    expect(await find(`room_id=${api.world.stranger.room}`)).toEqual([]);
  });

  it.each(['serial', 'name', 'last_seen', 'product_type', 'status'])(
    'sorted by %s, pages forward and back meet every device once',
    async (sort) => {
      for (const direction of ['', '-']) {
        const whole = await find(`sort=${direction}${sort}`);
        expect(whole).toHaveLength(13);
        const forward: string[] = [];
        let url: string | undefined = `/devices?sort=${direction}${sort}&limit=5`;
        let last = '';
        while (url !== undefined) {
          const answer: Answer = await api.get(url, key);
          expect(answer.headers.get('x-total-count')).toBe('13');
          forward.push(...serials(answer));
          last = url;
          url = link(answer, 'next');
        }
        expect(forward).toEqual(whole);

        const back: string[] = [];
        let previous = link(await api.get(last, key), 'prev');
        while (previous !== undefined) {
          const answer = await api.get(previous, key);
          back.unshift(...serials(answer));
          previous = link(answer, 'prev');
        }
        expect(back).toEqual(whole.slice(0, 10));
      }
    },
  );

  it('links are absolute, under the public address', async () => {
    const { headers } = await api.get('/devices?limit=1&product_type=tracker', key);
    expect(headers.get('link')).toMatch(
      /^<http:\/\/supabase\.test\/functions\/v1\/api\/devices\?limit=1&product_type=tracker&after=[\w-]+>; rel="next"$/,
    );
  });

  it('shows a customer who is a tenant too only what is theirs, not what measures their room', async () => {
    const { tenant, org } = api.world;
    if (tenant === 'nobody' || !('user' in tenant)) throw new Error('a tenant is a user');
    await api.db.query(`insert into public.memberships (user_id, role, org_id) values ($1, 'customer', $2)`, [
      tenant.user,
      org.id,
    ]);
    const as = await api.tokenOf(tenant);
    expect((await api.get(`/rooms/${org.room}`, as)).status).toBe(200);
    expect(await find('', as)).toEqual([]);
    for (const path of ['', '/telemetry', '/telemetry?buckets=auto']) {
      expect([path, (await api.get(`/devices/EC-03${path}`, as)).status]).toEqual([path, 404]);
    }
  });

  it('shows a customer their own devices, and a stranger none of these', async () => {
    expect(await find('', await api.tokenOf(api.world.customer))).toEqual(['acme-001']);
    expect(await find('', await api.tokenOf(api.world.strangerAdmin))).toEqual(['elsewhere-001']);
  });
});

describe('one device', () => {
  it('tells where it is and how it is', async () => {
    expect((await api.get('/devices/EC-03', key)).body).toMatchObject({
      serial_no: 'EC-03',
      status: 'online',
      location_name: 'Lab',
      room_path: 'Main · Lab',
      shadow_reported: { temp: 1 },
      online_window_s: 300,
      connected: false,
    });
  });

  it('an online window of its own overrides the product type’s', async () => {
    expect((await patch('EC-04', { online_window_s: 7200 })).body).toMatchObject({
      status: 'online',
      online_window_s: 7200,
    });
    expect((await patch('EC-04', { online_window_s: null })).body).toMatchObject({
      status: 'offline',
      online_window_s: 300,
    });
  });

  it('attributes are merged, null removes one; tags are replaced', async () => {
    await patch('EC-05', { attributes: { order: 'A-1', floor: 2 }, tags: ['a'] });
    const { body } = await patch('EC-05', { attributes: { floor: null, wired: true }, tags: ['b', 'c'] });
    expect(body).toMatchObject({ attributes: { order: 'A-1', wired: true }, tags: ['b', 'c'] });
    expect(body.attributes).not.toHaveProperty('floor');
  });

  it('a patch that fails in part changes nothing', async () => {
    const answer = await patch('EC-06', { name: 'Moved', location_id: api.world.stranger.room });
    expect(answer.status).toBe(404);
    expect((await api.get('/devices/EC-06', key)).body.name).toBeNull();
  });

  it('is assigned to a room by either route, and moved to another org by who manages both', async () => {
    const { otherRoom } = api.world.org;
    const answer = await api.call('PATCH', '/devices/EC-07/location', {
      as: key,
      body: { location_id: otherRoom },
    });
    expect(answer.body).toMatchObject({ location_id: otherRoom, location_name: 'Store' });
    expect((await patch('EC-07', { org_id: api.world.sibling.id })).status).toBe(404);
    const partner = await api.tokenOf(api.world.partnerUser);
    const moved = await api.call('PATCH', '/devices/EC-07', {
      as: partner,
      body: { org_id: api.world.sibling.id },
    });
    expect(moved.body).toMatchObject({
      org_id: api.world.sibling.id,
      location_id: null,
      lifecycle: 'claimed',
    });
    expect((await api.get('/devices/EC-07', key)).status).toBe(404);
  });

  it('that never lived is deleted; one that lived is retired and keeps its history', async () => {
    expect((await api.call('DELETE', '/devices/EC-08', { as: key })).status).toBe(204);
    expect((await api.get('/devices/EC-08', key)).status).toBe(404);

    const secret = await api.device('EC-20', key);
    await api.call('POST', '/devices/EC-20/telemetry', { as: secret, body: { temp: 1 } });
    const refused = await api.call('DELETE', '/devices/EC-20', { as: key });
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
    expect((await api.call('DELETE', '/devices/EC-20?force=true', { as: key })).status).toBe(204);
    expect((await api.get('/devices/EC-20', key)).body).toMatchObject({ lifecycle: 'retired' });
    expect(await find('q=EC-20')).toEqual([]);
    expect(await find('lifecycle=retired')).toEqual(['EC-20']);
    expect((await api.get('/devices/EC-20/telemetry', key)).body).toHaveLength(1);
  });
});

describe('credentials', () => {
  it('are listed without anything secret, rotated with an overlap and revoked', async () => {
    const first = await api.device('EC-30', key);
    const rotated = await api.call('POST', '/devices/EC-30/credentials/rotate', {
      as: key,
      body: { overlap_s: 600 },
    });
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({
      mqtt_username: 'EC-30',
      mqtt_password: expect.stringMatching(/^ec_dev_/),
    });
    const ends = Date.parse(rotated.body.old_expires_at) - Date.now();
    expect(ends).toBeGreaterThan(500_000);
    for (const as of [first, rotated.body.mqtt_password]) {
      expect((await api.call('POST', '/devices/EC-30/telemetry', { as, body: { temp: 1 } })).status).toBe(
        200,
      );
    }

    const { body, text } = await api.get('/devices/EC-30/credentials', key);
    expect(body).toHaveLength(2);
    expect(body[0]).toMatchObject({
      id: rotated.body.id,
      serial: 'EC-30',
      issued_by_kind: 'api_key',
      revoked_at: null,
    });
    expect(body.every((credential: { first_used_at: unknown }) => credential.first_used_at)).toBe(true);
    expect(text).not.toMatch(/sha256|hash|salt|\$7\$|ec_dev_/);

    const wrongDevice = await api.call('DELETE', `/devices/EC-01/credentials/${body[0].id}`, { as: key });
    expect(wrongDevice.status).toBe(404);
    expect((await api.call('DELETE', `/devices/EC-30/credentials/${body[0].id}`, { as: key })).status).toBe(
      204,
    );
    expect((await api.call('DELETE', `/devices/EC-30/credentials/${body[0].id}`, { as: key })).status).toBe(
      204,
    );
    expect(
      (await api.call('POST', '/devices/EC-30/telemetry', { as: rotated.body.mqtt_password, body: { a: 1 } }))
        .status,
    ).toBe(401);
    expect((await api.call('POST', '/devices/EC-30/telemetry', { as: first, body: { a: 1 } })).status).toBe(
      200,
    );
  });
});

/** Path and query of a link, for the test's own address. */
function link(answer: Answer, rel: string): string | undefined {
  const match = new RegExp(`<[^>]*/api(/[^>]*)>; rel="${rel}"`).exec(answer.headers.get('link') ?? '');
  return match?.[1];
}
