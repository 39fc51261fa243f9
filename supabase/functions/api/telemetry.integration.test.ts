import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';

const NOW = Date.now();
const COUNT = 40;
/** One packet every 10 s, the newest now; hum in every second one only. */
const packets = Array.from({ length: COUNT }, (_, n) => ({
  ts: NOW - (COUNT - 1 - n) * 10_000,
  seq: n,
  temp: n,
  ...(n % 2 === 0 ? { hum: 50 } : {}),
}));
const iso = (ms: number): string => new Date(ms).toISOString();

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startApi();
  await api.db.query(`update public.orgs set plan = 'business' where id = $1`, [api.world.org.id]);
  key = await api.apiKey(['read', 'write', 'provision']);
  const secret = await api.device('EC-1', key);
  await api.call('POST', '/devices/EC-1/telemetry', { as: secret, body: packets });
  const old = [
    { ts: NOW - 2 * 3_600_000, temp: -1 },
    { ts: NOW - 30 * 3_600_000, temp: -2 },
  ];
  await api.call('POST', '/devices/EC-1/telemetry', { as: secret, body: old });
});
afterAll(() => api?.stop());

const read = (query: string, as = key): Promise<Answer> => api.get(`/devices/EC-1/telemetry?${query}`, as);
const temps = (answer: Answer): number[] => answer.body.map((row: { temp: number }) => row.temp);

describe('rows', () => {
  it('are the newest N, oldest first, with their time, seq and values', async () => {
    const { body } = await read('hours=1&limit=3');
    expect(body).toEqual([
      { timestamp: iso(NOW - 20_000), seq: 37, temp: 37 },
      { timestamp: iso(NOW - 10_000), seq: 38, temp: 38, hum: 50 },
      { timestamp: iso(NOW), seq: 39, temp: 39 },
    ]);
  });

  it.each([
    ['hours=1', COUNT],
    ['hours=6', COUNT + 1],
    ['hours=24', COUNT + 1],
    ['', COUNT + 1],
    ['hours=168', COUNT + 2],
    [`from=${NOW - 100_000}&to=${NOW - 50_000}`, 6],
    [`from=${iso(NOW - 100_000)}`, 11],
  ])('?%s', async (query, count) => {
    expect((await read(query)).body).toHaveLength(count);
  });

  it.each([
    'hours=2',
    'hours=0',
    'hours=x',
    'limit=10001',
    'limit=0',
    `from=${NOW}&to=${NOW - 1}`,
    'from=yesterday',
    'format=xml',
    'after=x',
  ])('?%s is 400', async (query) => expect((await read(query)).status).toBe(400));

  it('only the asked metrics, and only packets that have one of them', async () => {
    const { body } = await read('hours=1&metrics=hum');
    expect(body).toHaveLength(COUNT / 2);
    expect(body[0]).toEqual({ timestamp: iso(packets[0]!.ts), seq: 0, hum: 50 });
  });

  it('go back page by page and forward again, without loss', async () => {
    let answer = await read('hours=168&limit=9');
    expect(link(answer, 'next')).toBeUndefined();
    const all = [temps(answer)];
    for (let previous = link(answer, 'prev'); previous !== undefined; previous = link(answer, 'prev')) {
      answer = await api.get(previous, key);
      all.unshift(temps(answer));
    }
    const expected = [-2, -1, ...packets.map((packet) => packet.temp)];
    expect(all.flat()).toEqual(expected);
    const forward = [temps(answer)];
    for (let next = link(answer, 'next'); next !== undefined; next = link(answer, 'next')) {
      answer = await api.get(next, key);
      forward.push(temps(answer));
    }
    expect(forward.flat()).toEqual(expected);
  });

  it('packets of one microsecond each keep their place across pages', async () => {
    const secret = await api.device('EC-2', key);
    await api.call('POST', '/devices/EC-2/telemetry', {
      as: secret,
      body: Array.from({ length: 50 }, (_, n) => ({ n })),
    });
    let answer = await api.get('/devices/EC-2/telemetry?limit=7', key);
    const all: number[] = answer.body.map((row: { n: number }) => row.n);
    for (let previous = link(answer, 'prev'); previous !== undefined; previous = link(answer, 'prev')) {
      answer = await api.get(previous, key);
      all.unshift(...answer.body.map((row: { n: number }) => row.n));
    }
    expect(all).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });
});

describe('chart series', () => {
  it('have [time, min, avg, max], at most 600 points and only the asked metrics', async () => {
    const { status, body } = await read('hours=1&buckets=auto&metrics=temp');
    expect(status).toBe(200);
    expect(Object.keys(body.series)).toEqual(['temp']);
    expect(body.series.temp.length).toBeLessThanOrEqual(600);
    const points = body.series.temp.filter((point: unknown) => point !== null);
    for (const [t, min, avg, max] of points) {
      expect(t % (body.bucket_s * 1000)).toBe(0);
      expect(min <= avg && avg <= max).toBe(true);
    }
    expect(points.at(-1)[3]).toBe(39);
    expect(points[0][1]).toBe(0);
  });

  it('take from and to for a zoomed chart', async () => {
    const { body } = await read(`from=${NOW - 100_000}&to=${NOW - 50_000}&buckets=auto`);
    expect(body.bucket_s).toBe(1);
    expect(Object.keys(body.series).sort()).toEqual(['hum', 'temp']);
  });
});

describe('CSV', () => {
  it('is a download that opens safely', async () => {
    const secret = await api.device('EC-3', key);
    const body = { ts: NOW, temp: -3.5, note: '=HYPERLINK("http://x")', gps: { lat: 1 }, on: true };
    await api.call('POST', '/devices/EC-3/telemetry', { as: secret, body });
    const answer = await api.get('/devices/EC-3/telemetry?format=csv', key);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="EC-3.csv"');
    expect(answer.text).toBe(
      `timestamp,gps,note,on,temp\r\n${iso(NOW)},"{""lat"":1}","'=HYPERLINK(""http://x"")",true,-3.5\r\n`,
    );
  });
});

describe('who reads', () => {
  it('a customer reads since their own access began', async () => {
    const customer = await api.tokenOf(api.world.customer);
    const admin = await api.tokenOf(api.world.admin);
    const secret = (await api.call('POST', '/devices/acme-001/credentials/rotate', { as: admin, body: {} }))
      .body.mqtt_password;
    await api.call('POST', '/devices/acme-001/telemetry', { as: secret, body: { temp: 1 } });
    expect((await api.get('/devices/acme-001/telemetry', customer)).body).toHaveLength(1);
    await api.call('PATCH', '/devices/acme-001', { as: admin, body: { org_id: api.world.sibling.id } });
    expect((await api.get('/devices/acme-001/telemetry', customer)).status).toBe(404);
    await api.call('POST', '/devices/acme-001/telemetry', { as: secret, body: { temp: 2 } });
    const newOwner = await api.apiKey(['read'], api.world.sibling.id);
    const { body } = await api.get('/devices/acme-001/telemetry', newOwner);
    expect(body.map((row: { temp: number }) => row.temp)).toEqual([2]);
  });
});

describe('rooms', () => {
  it('a tenant sees the climate of their room: the mean of its devices, and no batteries', async () => {
    const { org, tenant } = api.world;
    const secrets = new Map<string, string>();
    for (const serial of ['R-1', 'R-2']) {
      secrets.set(serial, await api.device(serial, key));
      await api.call('PATCH', `/devices/${serial}`, { as: key, body: { location_id: org.room } });
    }
    // One time for both: each at its own arrival could fall into two buckets of the chart.
    const ts = Date.now();
    for (const [serial, temp] of [
      ['R-1', 20],
      ['R-2', 22],
    ] as const) {
      await api.call('POST', `/devices/${serial}/telemetry`, {
        as: secrets.get(serial)!,
        body: { ts, temp, bat: 4, co2: 600 },
      });
    }
    const as = await api.tokenOf(tenant);
    const room = await api.get(`/rooms/${org.room}`, as);
    expect(room.body).toMatchObject({
      id: org.room,
      name: 'Lab',
      path: 'Main · Lab',
      timezone: 'UTC',
      org_name: 'acme',
      status: 'online',
      values: { temp: 21, co2: 600 },
    });
    expect(room.body.values).not.toHaveProperty('bat');
    const { body } = await api.get(`/rooms/${org.room}/climate?hours=1`, as);
    expect(Object.keys(body.series)).toEqual(['co2', 'temp']);
    expect(body.series.temp.at(-1).slice(1)).toEqual([20, 21, 22]);
    expect((await api.get(`/rooms/${org.otherRoom}/climate`, as)).status).toBe(404);
  });

  it('an empty room has no climate', async () => {
    const { otherRoom } = api.world.org;
    expect((await api.get(`/rooms/${otherRoom}`, key)).body).toMatchObject({
      status: 'never_seen',
      values: {},
      at: null,
    });
    expect((await api.get(`/rooms/${otherRoom}/climate`, key)).body.series).toEqual({});
  });
});

function link(answer: Answer, rel: string): string | undefined {
  const match = new RegExp(`<[^>]*/api(/[^>]*)>; rel="${rel}"`).exec(answer.headers.get('link') ?? '');
  return match?.[1];
}
