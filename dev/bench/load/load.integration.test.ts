import { createServer, type AddressInfo, type Server } from 'node:net';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Generator } from './driver.ts';

const SERIALS = Array.from({ length: 50 }, (_, i) => `EC-BENCH-${String(i).padStart(5, '0')}`);

let aedes: Aedes;
let server: Server;
let target: { host: string; port: number };
let stored: Map<string, number[]>;
let clients: Set<Client>;
/** Milliseconds every acknowledgement is held back. */
let slowness = 0;

beforeAll(async () => {
  aedes = await Aedes.createBroker({
    authenticate: (_client, _username, password, done) => done(null, password?.toString() === 'right'),
    authorizePublish: (client, packet, done) => {
      if (client) note(packet as AedesPublishPacket);
      if (slowness > 0) setTimeout(() => done(null), slowness);
      else done(null);
    },
  });
  aedes.on('client', (client) => clients.add(client));
  server = createServer((socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  stored = new Map();
  clients = new Set();
});

afterAll(async () => {
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  server.close();
});

const generators: Generator[] = [];
afterEach(async () => {
  slowness = 0;
  stored.clear();
  await Promise.all(generators.splice(0).map((generator) => generator.stop()));
});

async function start(connections: number, password = 'right'): Promise<Generator> {
  const logins = Array.from({ length: connections }, (_, i) => ({ username: `bench${i}`, password }));
  const generator = await Generator.start({ target, serials: SERIALS, logins });
  generators.push(generator);
  return generator;
}

describe('the load generator', () => {
  it('publishes every reading of every device once, in turn, and knows each is acknowledged', async () => {
    const generator = await start(3);
    const done = await generator.run({ kind: 'closed', window: 100, readings: 5_000 });
    expect(done.sent).toBe(5_000);
    expect(done.acked).toBe(5_000);
    expect(done.ackedOf).toEqual(SERIALS.map(() => 100));
    for (const serial of SERIALS)
      expect(stored.get(serial)!.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
  });

  it('stays within its window in a closed loop', async () => {
    slowness = 20;
    const generator = await start(1);
    const began = Date.now();
    await generator.run({ kind: 'closed', window: 10, readings: 100 });
    expect(Date.now() - began).toBeGreaterThan(9 * 20);
  });

  it('keeps its schedule in an open loop although acknowledgements come late', async () => {
    slowness = 300;
    const generator = await start(2);
    const done = await generator.run({ kind: 'open', rate: 1_000, seconds: 1 });
    expect(done.sent).toBe(1_000);
    expect(done.lastAckAt - done.startedAt).toBeLessThan(3_000);
    expect(done.lateness.p50).toBeLessThan(20);
  });

  it('ends when it is told to, with everything it sent acknowledged', async () => {
    const generator = await start(1);
    const run = generator.run({ kind: 'open', rate: 1_000, seconds: 3_600 });
    await vi.waitFor(() => expect(generator.progress.acked).toBeGreaterThan(100), 10_000);
    generator.finish();
    const done = await run;
    expect(done.acked).toBe(done.sent);
    expect(done.ackedOf.reduce((a, b) => a + b, 0)).toBe(done.sent);
  });

  it('says so when the broker refuses it', async () => {
    await expect(start(1, 'wrong')).rejects.toThrow(/refused the login/);
  });

  it('says so when a connection breaks, instead of counting on', async () => {
    slowness = 5_000;
    const generator = await start(1);
    const run = generator.run({ kind: 'closed', window: 10, readings: 1_000 });
    setTimeout(() => clients.forEach((client) => client.conn.destroy()), 200);
    await expect(run).rejects.toThrow(/closed|ECONNRESET/);
  });
});

function note(packet: AedesPublishPacket): void {
  const serial = packet.topic.split('/')[1]!;
  const { uptime } = JSON.parse(packet.payload.toString()) as { uptime: number };
  stored.set(serial, [...(stored.get(serial) ?? []), uptime]);
}
