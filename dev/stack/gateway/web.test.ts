import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { listenOn } from '../listen.ts';
import type { Ports } from '../ports.ts';
import { webGateway } from './web.ts';

const servers: Server[] = [];
let address: string;
const ports = {} as Ports;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

/** Says who it is and what it was asked. */
const echo = (name: string): Server =>
  createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      const forwarded = Object.fromEntries(
        Object.entries(headers).filter(([key]) => key.startsWith('x-forwarded')),
      );
      response.writeHead(207, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
      response.end(JSON.stringify({ name, method, url, host: headers.host, forwarded, body }));
    });
  });

beforeAll(async () => {
  const site = echo('site');
  new WebSocketServer({ server: site }).on('connection', (socket) =>
    socket.on('message', (data) => socket.send(`site ${data}`)),
  );
  ports.site = await listening(site);
  ports.supabase = await listening(echo('supabase'));
  ports.api = await listening(echo('api'));
  address = `http://127.0.0.1:${await listening(webGateway(ports))}`;
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const ask = async (path: string, init?: RequestInit) => (await fetch(`${address}${path}`, init)).json();

test.each([
  ['/api/devices?limit=1', 'api', '/api/devices?limit=1'],
  ['/api', 'api', '/api'],
  ['/registry/devices/register', 'api', '/api/devices/register'],
  ['/auth/v1/verify?token=x', 'supabase', '/auth/v1/verify?token=x'],
  ['/apiary', 'site', '/apiary'],
  ['/org/devices', 'site', '/org/devices'],
])('%s is answered by %s as %s', async (path, name, url) =>
  expect(await ask(path)).toMatchObject({ name, url }),
);

test('a form post carries its body and the address people used, white-label host included', async () => {
  const seen = await ask('/sign-in', {
    method: 'POST',
    body: 'email=a',
    headers: { 'x-forwarded-host': 'evil.example' },
  });
  expect(seen).toMatchObject({
    method: 'POST',
    body: 'email=a',
    host: new URL(address).host,
    forwarded: {
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(address).host,
      'x-forwarded-for': '127.0.0.1',
    },
  });
});

test('status and every cookie come back', async () => {
  const response = await fetch(`${address}/`);
  expect(response.status).toBe(207);
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test('websockets pass', async () => {
  const socket = new WebSocket(`${address.replace('http', 'ws')}/live`);
  await once(socket, 'open');
  socket.send('hello');
  expect(String((await once(socket, 'message'))[0])).toBe('site hello');
  socket.close();
});

test('while a part is down the API answers with its own error form and the web app with a page that reloads', async () => {
  const down = { site: 1, api: 1, supabase: 1 } as Ports;
  const base = `http://127.0.0.1:${await listening(webGateway(down))}`;
  const api = await fetch(`${base}/api/devices`);
  expect(api.status).toBe(503);
  expect(api.headers.get('content-type')).toBe('application/problem+json');
  expect(await api.json()).toMatchObject({
    code: 'unavailable',
    status: 503,
    request_id: expect.any(String),
  });
  const page = await fetch(`${base}/org`);
  expect(page.status).toBe(503);
  expect(await page.text()).toContain('http-equiv="refresh"');
});

test('stopping does not wait for open websockets', async () => {
  const gateway = await listenOn(webGateway(ports), 0);
  const { port } = gateway.server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await gateway.close();
  await closed;
});
