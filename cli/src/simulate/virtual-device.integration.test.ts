import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { climateNode, Fleet, HttpsDoor, MqttDoor, tracker, VirtualDevice } from './index.ts';
import type { DeviceEvent, Faults, VirtualDeviceOptions } from './index.ts';

interface Seen {
  client: string;
  topic: string;
  qos: number;
  body: unknown;
}

const SECRET = 'ec_dev_test';
const tls = { ca: '', url: '' };
let aedes: Aedes;
let server: ReturnType<typeof createTlsServer>;
let seen: Seen[] = [];
let clients = new Map<string, Client>();
/** While set, publishes are held back without a PUBACK. */
let holding = false;

beforeAll(async () => {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  aedes = await Aedes.createBroker({
    authenticate: (_client, username, password, done) =>
      done(null, password?.toString() === SECRET && username !== undefined),
    authorizePublish: (client, packet, done) => {
      if (client && !holding) seen.push(toSeen(client, packet as AedesPublishPacket));
      if (!holding) done(null);
    },
  });
  aedes.on('client', (client) => clients.set(client.id, client));
  server = createTlsServer({ cert: pems.cert, key: pems.private }, (socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tls.ca = pems.cert;
  tls.url = `mqtts://localhost:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  server.close();
});

const running: VirtualDevice[] = [];
afterEach(async () => {
  holding = false;
  await Promise.all(running.splice(0).map((device) => device.stop()));
  seen = [];
  clients = new Map();
});

function climate(
  serial: string,
  more: Partial<VirtualDeviceOptions> & { password?: string; ca?: string } = {},
) {
  const events: DeviceEvent[] = [];
  const device = new VirtualDevice({
    serial,
    profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin' }),
    intervalS: 0.05,
    door: (listeners) =>
      new MqttDoor(
        { url: tls.url, serial, password: more.password ?? SECRET, ca: more.ca ?? tls.ca },
        listeners,
      ),
    onEvent: (event) => events.push(event),
    ...more,
  });
  running.push(device);
  return { device, events };
}

describe('a virtual device on MQTT', () => {
  it('says that it is there, then sends the packet of the product page at its beat with QoS 1', async () => {
    const { device } = climate('EC-T-1');
    device.start();
    await vi.waitFor(() => expect(telemetry('EC-T-1').length).toBeGreaterThan(3));
    expect(seen[0]).toMatchObject({
      client: 'EC-T-1',
      topic: 'devices/EC-T-1/status',
      body: { online: true },
    });
    expect(seen.every(({ qos }) => qos === 1)).toBe(true);
    expect(telemetry('EC-T-1')[0]).toHaveProperty('co2');
    expect(telemetry('EC-T-1')[0]).not.toHaveProperty('ts');
    await vi.waitFor(() => expect(device.counters.delivered).toBeGreaterThan(2));
  });

  it('keeps its beat: one reading per interval, none twice, however late a busy machine is', async () => {
    const { device } = climate('EC-T-9', { clock: true, intervalS: 0.1 });
    device.start();
    const started = Date.now();
    await vi.waitFor(() => expect(device.counters.sampled).toBeGreaterThan(11), 10_000);
    // Twice the rate was seen once: a timer that fires early must not make a beat of its own.
    expect(Date.now() - started).toBeGreaterThan(11 * 100 - 5);
    await vi.waitFor(() =>
      expect(telemetry('EC-T-9').length + batches('EC-T-9').flat().length).toBeGreaterThan(11),
    );
    const times = [
      ...(batches('EC-T-9').flat() as { ts: number }[]),
      ...(telemetry('EC-T-9') as { ts: number }[]),
    ];
    expect(new Set(times.map(({ ts }) => ts)).size).toBe(times.length);
  });

  it('trusts only the authority it was given', async () => {
    const other = await generate([{ name: 'commonName', value: 'elsewhere' }], { keySize: 2048 });
    const { device, events } = climate('EC-T-2', { ca: other.cert });
    device.start();
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'refused')).toBe(true));
    expect(seen).toEqual([]);
  });

  it('keeps trying with a wrong secret and keeps its readings meanwhile', async () => {
    const { device, events } = climate('EC-T-3', { password: 'wrong' });
    device.start();
    await vi.waitFor(() => expect(device.waiting).toBeGreaterThan(2));
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'refused')).toBe(true));
    expect(telemetry('EC-T-3')).toEqual([]);
  });

  it('loses no reading to a broken connection: they come later with their own time, in order', async () => {
    const { device } = climate('EC-T-4');
    device.start();
    await vi.waitFor(() => expect(telemetry('EC-T-4').length).toBeGreaterThan(1));
    holding = true;
    await vi.waitFor(() => expect(device.counters.sampled - device.counters.delivered).toBeGreaterThan(3));
    holding = false;
    clients.get('EC-T-4')!.conn.destroy();
    await vi.waitFor(() => expect(batches('EC-T-4').flat().length).toBeGreaterThan(3), 5_000);
    await vi.waitFor(() => expect(device.waiting).toBe(0));
    const late = batches('EC-T-4').flat() as { ts: number }[];
    expect(late.length).toBeGreaterThan(3);
    expect(late.map(({ ts }) => ts)).toEqual(late.map(({ ts }) => ts).toSorted((a, b) => a - b));
    await device.stop();
    const delivered = telemetry('EC-T-4').length + late.length;
    expect(delivered).toBeGreaterThanOrEqual(device.counters.sampled - 1);
    expect(delivered).toBeLessThanOrEqual(device.counters.sampled + 1);
  });

  it('leaves a last will when it is cut off, and says so itself when it leaves', async () => {
    const wills: string[] = [];
    const watch = (packet: AedesPublishPacket, done: () => void) => {
      wills.push(packet.payload.toString());
      done();
    };
    aedes.subscribe('devices/EC-T-5/status', watch, () => undefined);
    const { device } = climate('EC-T-5', { faults: { offline: { everyS: 1e9, forS: 0 } } });
    device.start();
    await vi.waitFor(() => expect(wills).toEqual(['{"online":true}']));
    clients.get('EC-T-5')!.conn.destroy();
    await vi.waitFor(() => expect(wills.slice(1, 3)).toEqual(['{"online":false}', '{"online":true}']), 5_000);
    await device.stop();
    expect(wills.slice(3)).toEqual(['{"online":false}']);
    aedes.unsubscribe('devices/EC-T-5/status', watch, () => undefined);
  });

  it('does what its shadow asks, confirms it at once and again with its telemetry', async () => {
    const { device } = climate('EC-T-6');
    device.start();
    await vi.waitFor(() => expect(telemetry('EC-T-6').length).toBeGreaterThan(0));
    publish('devices/EC-T-6/shadow/desired', '{"relay":true,"setpoint":23,"gpio5":1}');
    await vi.waitFor(() =>
      expect(bodies('devices/EC-T-6/shadow/reported')).toEqual([{ relay: true, setpoint: 23 }]),
    );
    await vi.waitFor(() => expect(telemetry('EC-T-6').at(-1)).toMatchObject({ relay: true }));
    publish('devices/EC-T-6/shadow/desired', '{"relay":false}');
    await vi.waitFor(() => expect(telemetry('EC-T-6').at(-1)).toMatchObject({ relay: false }));
  });

  it('makes the faults it is told to make', async () => {
    const faults: Faults = { drop: 0.2, duplicate: 0.2, reorder: 0.2, garble: 0.2 };
    const { device } = climate('EC-T-7', { faults, clock: true, intervalS: 0.01 });
    device.start();
    await vi.waitFor(() => expect(device.counters.sampled).toBeGreaterThan(120), 10_000);
    await device.stop();
    const sent = bodies('devices/EC-T-7/telemetry') as { ts: number }[];
    const times = sent.map((packet) => packet.ts).filter((ts) => Number.isFinite(ts) && ts <= Date.now());
    expect(device.counters.dropped).toBeGreaterThan(5);
    expect(times.length - new Set(times).size).toBeGreaterThan(5);
    expect(times.some((ts, i) => i > 0 && ts < times[i - 1]!)).toBe(true);
    expect(sent.length - times.length).toBeGreaterThan(5);
  });

  it('sends with the time of its wrong clock', async () => {
    const { device } = climate('EC-T-8', { faults: { skewMs: -3_600_000 } });
    device.start();
    await vi.waitFor(() => expect(telemetry('EC-T-8').length).toBeGreaterThan(0));
    const { ts } = telemetry('EC-T-8')[0] as { ts: number };
    expect(Math.abs(ts + 3_600_000 - Date.now())).toBeLessThan(5_000);
  });

  it('starts and stops as a fleet', async () => {
    const fleet = new Fleet(
      Array.from({ length: 40 }, (_, i) => climate(`EC-F-${i}`, { intervalS: 0.2 }).device),
    );
    fleet.start(200);
    await vi.waitFor(() => expect(fleet.connected).toBe(40), 10_000);
    await vi.waitFor(() => expect(fleet.counters().delivered).toBeGreaterThan(80), 10_000);
    await fleet.stop();
    expect(fleet.connected).toBe(0);
    expect(fleet.counters().failed).toBe(0);
  });
});

describe('a virtual device that is told to do something', () => {
  const cmd = (serial: string, body: unknown): void => send(`devices/${serial}/cmd`, JSON.stringify(body));
  const acks = (serial: string): unknown[] => bodies(`devices/${serial}/cmd/ack`);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const isOn = (serial: string): Promise<void> =>
    vi.waitFor(() => expect(telemetry(serial).length).toBeGreaterThan(0));

  it('does it once for an id and answers every time', async () => {
    const { device, events } = climate('EC-K-1');
    device.start();
    await isOn('EC-K-1');
    for (let n = 0; n < 3; n++) cmd('EC-K-1', { id: 'a', type: 'ping', payload: 5, expires_at: later });
    cmd('EC-K-1', { id: 'b', type: 'fly', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-1')).toHaveLength(4));
    expect(acks('EC-K-1').slice(2)).toEqual([
      { id: 'a', ok: true, result: { pong: 5 } },
      { id: 'b', ok: false, result: { reason: 'unknown_command' } },
    ]);
    expect(events.filter(({ kind }) => kind === 'commanded')).toHaveLength(2);
  });

  it('does nothing that is over, and nothing that is no command', async () => {
    const { device } = climate('EC-K-2');
    device.start();
    await isOn('EC-K-2');
    cmd('EC-K-2', { id: 'old', type: 'ping', expires_at: new Date(Date.now() - 1).toISOString() });
    for (const bad of [{ type: 'ping' }, { id: 5, type: 'ping' }, [], 'ping', null]) cmd('EC-K-2', bad);
    cmd('EC-K-2', { id: 'new', type: 'ping', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-2')).toEqual([{ id: 'new', ok: true, result: { pong: null } }]));
  });

  it('restarts once, comes back with the reason, and still knows what it did', async () => {
    const { device, events } = climate('EC-K-3');
    device.start();
    await isOn('EC-K-3');
    cmd('EC-K-3', { id: 'r', type: 'reboot', expires_at: later });
    await vi.waitFor(() =>
      expect(telemetry('EC-K-3').at(-1)).toMatchObject({ uptime: 0, reboot_reason: 'SW' }),
    );
    cmd('EC-K-3', { id: 'r', type: 'reboot', expires_at: later });
    await vi.waitFor(() => expect(acks('EC-K-3')).toHaveLength(2));
    expect(events.filter(({ kind }) => kind === 'restarted')).toHaveLength(1);
  });

  it('a press sets values now, without their becoming desired', async () => {
    const { device } = climate('EC-K-4');
    device.start();
    await isOn('EC-K-4');
    cmd('EC-K-4', { id: 'p', type: 'set', payload: { setpoint: 25 }, expires_at: later });
    cmd('EC-K-4', { id: 'q', type: 'set', payload: { colour: 'red' }, expires_at: later });
    await vi.waitFor(() =>
      expect(acks('EC-K-4')).toEqual([
        { id: 'p', ok: true, result: { setpoint: 25 } },
        { id: 'q', ok: false, result: { reason: 'nothing_to_set' } },
      ]),
    );
    expect(bodies('devices/EC-K-4/shadow/reported')).toEqual([{ setpoint: 25 }]);
  });

  it('is silent or refuses when it is told to, and does in the end what is still desired', async () => {
    const { device } = climate('EC-K-5', { faults: { silent: true } });
    device.start();
    await isOn('EC-K-5');
    document('EC-K-5', 1, { setpoint: 24 });
    cmd('EC-K-5', { id: 's', type: 'ping', expires_at: later });
    const sent = telemetry('EC-K-5').length;
    await vi.waitFor(() => expect(telemetry('EC-K-5').length).toBeGreaterThan(sent + 2));
    device.break({ refuses: true });
    document('EC-K-5', 1, { setpoint: 24 });
    cmd('EC-K-5', { id: 't', type: 'ping', expires_at: later });
    await vi.waitFor(() =>
      expect(acks('EC-K-5')).toEqual([{ id: 't', ok: false, result: { reason: 'refused' } }]),
    );
    expect(bodies('devices/EC-K-5/shadow/reported')).toEqual([]);
    device.break({});
    document('EC-K-5', 1, { setpoint: 24 });
    await vi.waitFor(() => expect(bodies('devices/EC-K-5/shadow/reported')).toEqual([{ setpoint: 24 }]));
  });

  it('obeys the newest version of desired, and asks when a document without one says something else', async () => {
    const { device } = climate('EC-K-6');
    device.start();
    await isOn('EC-K-6');
    document('EC-K-6', 3, { setpoint: 23 });
    document('EC-K-6', 2, { setpoint: 18 });
    document('EC-K-6', 3, { setpoint: 23 });
    const asked = (): number => seen.filter(({ topic }) => topic === 'devices/EC-K-6/shadow/get').length;
    const before = asked();
    send('devices/EC-K-6/shadow/desired', '{"setpoint":12}');
    await vi.waitFor(() => expect(asked()).toBe(before + 1), 5_000);
    document('EC-K-6', 4, { setpoint: 26 });
    await vi.waitFor(() =>
      expect(bodies('devices/EC-K-6/shadow/reported')).toEqual([{ setpoint: 23 }, { setpoint: 26 }]),
    );
  });
});

describe('a virtual device on HTTPS', () => {
  let http: Server;
  let url: string;
  let answer = 200;
  let posts: { path: string; authorization: string | undefined; body: unknown }[] = [];

  beforeAll(async () => {
    http = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        if (answer < 400 && request.method === 'POST')
          posts.push({
            path,
            authorization: headers.authorization,
            body: parse(Buffer.concat(chunks).toString()),
          });
        response.writeHead(answer).end();
        if (answer === 205) answer = 200;
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/functions/v1/api`;
  });
  afterAll(() => http.close());

  function gsm(serial: string) {
    const device = new VirtualDevice({
      serial,
      profile: tracker({ serial, plan: 'van', zone: 'Europe/Berlin' }),
      intervalS: 0.05,
      clock: true,
      door: (listeners) => new HttpsDoor({ url, serial, secret: SECRET }, listeners),
    });
    running.push(device);
    posts = [];
    return device;
  }

  it('posts packets with its secret and its own time', async () => {
    const device = gsm('EC-G-1');
    device.start();
    await vi.waitFor(() => expect(posts.length).toBeGreaterThan(2));
    expect(posts[0]).toMatchObject({
      path: '/functions/v1/api/devices/EC-G-1/telemetry',
      authorization: `Bearer ${SECRET}`,
      body: { gps_fix: expect.any(Boolean), ts: expect.any(Number) },
    });
  });

  it('waits while the platform is down and then delivers what it kept as one batch', async () => {
    const device = gsm('EC-G-2');
    answer = 503;
    device.start();
    await vi.waitFor(() => expect(device.waiting).toBeGreaterThan(4));
    answer = 200;
    await vi.waitFor(() => expect(posts.length).toBeGreaterThan(0), 10_000);
    expect((posts[0]!.body as unknown[]).length).toBeGreaterThan(4);
    await vi.waitFor(() => expect(device.waiting).toBe(0));
  });

  it('restarts when the answer is 205', async () => {
    const device = gsm('EC-G-3');
    device.start();
    await vi.waitFor(() => expect(posts.length).toBeGreaterThan(0));
    answer = 205;
    await vi.waitFor(() => expect(posts.at(-1)!.body).toMatchObject({ uptime: 0, reboot_reason: 'SW' }));
  });
});

function toSeen(client: Client, packet: AedesPublishPacket): Seen {
  return { client: client.id, topic: packet.topic, qos: packet.qos, body: parse(packet.payload.toString()) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { rubbish: text };
  }
}

function bodies(topic: string): unknown[] {
  return seen.filter((message) => message.topic === topic).map(({ body }) => body);
}

function telemetry(serial: string): Record<string, unknown>[] {
  return bodies(`devices/${serial}/telemetry`).filter((body) => !Array.isArray(body)) as Record<
    string,
    unknown
  >[];
}

function batches(serial: string): unknown[][] {
  return bodies(`devices/${serial}/telemetry`).filter((body) => Array.isArray(body)) as unknown[][];
}

function document(serial: string, version: number, desired: object): void {
  const at = new Date().toISOString();
  send(`devices/${serial}/shadow/document`, JSON.stringify({ version, desired, delta: desired, at }));
}

function send(topic: string, payload: string): void {
  const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false };
  aedes.publish(packet as AedesPublishPacket, () => undefined);
}

function publish(topic: string, payload: string): void {
  const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: true, dup: false };
  aedes.publish(packet as AedesPublishPacket, () => undefined);
}
