import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { requestedRange } from '../file-storage.ts';
import type { Lite } from '../lite-app.ts';
import type { OnUpgrade } from '../listen.ts';
import { auth } from './auth-mends.ts';
import { problemUnavailable, proxy } from './proxy.ts';
import { mendDownload, mendRange, mendSigned, mendUpload } from './storage-mends.ts';

export interface GatewayOptions {
  lite: Lite;
  /** Port of each Edge Function's process. */
  functions: Record<string, number>;
  /** Takes `/realtime/v1/websocket`; absent when the part does not run. */
  realtime(): OnUpgrade | undefined;
}

/** The address that supabase-js, devices and the API's clients talk to, as hosted Supabase's gateway. */
export function supabaseGateway(options: GatewayOptions): Server {
  const toLite = getRequestListener((request) => liteFetch(options.lite, request), {
    overrideGlobalObjects: false,
  });
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/functions/v1/')) toFunction(options.functions, request, response);
    else if (request.url === '/health')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    else void toLite(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
    const realtime = request.url?.startsWith('/realtime/v1/websocket') ? options.realtime() : undefined;
    if (realtime) realtime(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
  });
  return server;
}

/** As upstream: `/functions/v1` is stripped, the function sees `/<its name>/…`. */
function toFunction(
  functions: Record<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = (request.url ?? '').slice('/functions/v1'.length);
  const name = /^\/([^/?]+)/.exec(path)?.[1] ?? '';
  const port = functions[name];
  if (port === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'NOT_FOUND', message: 'Requested function was not found' }));
    return;
  }
  proxy(request, response, port, path, (unavailable) => problemUnavailable(unavailable, `Function ${name}`));
}

async function liteFetch(lite: Lite, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const forward = (mended: Request): Promise<Response> => lite.fetch(mended, { peerAddress: '127.0.0.1' });
  if (path.startsWith('/auth/v1/')) return auth(request, forward);
  if (!path.startsWith('/storage/v1/')) return forward(request);
  if (request.method === 'POST' && /^\/storage\/v1\/object\/(upload\/)?sign\//.test(path))
    return mendSigned(path, await forward(request));
  if (request.method === 'POST' || request.method === 'PUT') return forward(await mendUpload(request));
  const range = request.headers.get('range') ?? undefined;
  const response = await requestedRange.run(range, () => forward(withoutAuthenticated(request)));
  return mendDownload(request, mendRange(response));
}

/** Hosted has `/object/authenticated/<bucket>/…` as another name of `/object/<bucket>/…`. */
function withoutAuthenticated(request: Request): Request {
  if (!request.url.includes('/storage/v1/object/authenticated/')) return request;
  const url = request.url.replace('/storage/v1/object/authenticated/', '/storage/v1/object/');
  return new Request(url, { method: request.method, headers: request.headers });
}
