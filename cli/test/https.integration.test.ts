import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HttpsDoor, tracker, VirtualDevice } from '../src/simulate/index.ts';
import { parse, SECRET } from './support/broker.ts';
import { ImageServer, PUBLIC_KEY } from './support/image-server.ts';

const running: VirtualDevice[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((device) => device.stop()));
});

describe('a virtual device on HTTPS', () => {
  let http: Server;
  let url: string;
  let answer = 200;
  /** What `commands` answers; nothing as long as nothing is to be told. */
  let told = '';
  let posts: { path: string; authorization: string | undefined; body: unknown }[] = [];

  beforeAll(async () => {
    http = createServer((request, response) => {
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
        response.writeHead(answer).end(path.endsWith('/commands') ? told : '');
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
      bootMs: 50,
      updates: { publicKey: PUBLIC_KEY, installMs: 40 },
      door: (listeners) => new HttpsDoor({ url, serial, secret: SECRET, pollS: 0.1 }, listeners),
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

  it('finds an update among its commands and reports on it, even when nobody wants to hear of it', async () => {
    const images = await ImageServer.start(Buffer.from('a raw image of no chip'));
    const device = gsm('EC-G-4');
    const {
      url: fw_url,
      version: fw_version,
      ...order
    } = images.order({ version: '2.2.0', product_type: 'tracker' });
    told = JSON.stringify({ desired: {}, desired_version: 0, commands: [], fw_url, fw_version, ...order });
    device.start();
    await vi.waitFor(() => expect(device.version).toBe('2.2.0'), 5_000);
    await vi.waitFor(() => expect(posts.at(-1)!.body).toMatchObject({ reboot_reason: 'SW' }));
    const reports = posts.filter(({ path }) => path.endsWith('/EC-G-4/ota/status'));
    expect(reports.map(({ body }) => (body as { state: string }).state)).toEqual(
      expect.arrayContaining(['downloading', 'installing', 'rebooting']),
    );
    expect(posts.map(({ body }) => (body as Record<string, unknown>)['fw_version'])).toContain('2.2.0');
    expect(images.ranges).toHaveLength(1);
    told = '';
    images.stop();
  });
});
