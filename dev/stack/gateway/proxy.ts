import {
  Agent,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

const agent = new Agent({ keepAlive: true, maxSockets: 512, timeout: 60_000 });

/** Headers that belong to one connection, not to the message (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

function forwarded(incoming: IncomingMessage): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = { ...incoming.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  headers['x-forwarded-for'] = incoming.socket.remoteAddress ?? '127.0.0.1';
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = incoming.headers.host ?? '';
  // A body of unknown length goes on in chunks.
  if (incoming.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked';
  return headers;
}

/** Passes a request on to a loopback port, streaming both ways. Answers 503 when nobody is there. */
export function proxy(
  incoming: IncomingMessage,
  response: ServerResponse,
  port: number,
  path: string,
  unavailable: (response: ServerResponse) => void,
): void {
  const upstream = request(
    { agent, host: '127.0.0.1', port, path, method: incoming.method, headers: forwarded(incoming) },
    (answer) => {
      const headers = { ...answer.headers };
      for (const name of HOP_BY_HOP) delete headers[name];
      response.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    },
  );
  upstream.once('error', () => {
    if (response.headersSent) response.destroy();
    else unavailable(response);
  });
  response.once('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

/** Passes a websocket handshake and everything after it on to a loopback port. */
export function proxyUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, port: number): void {
  const upstream = connect(port, '127.0.0.1', () => {
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2)
      lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
  });
  upstream.once('error', () => socket.destroy());
  socket.once('error', () => upstream.destroy());
}

/** The API's own error form, for when it cannot answer itself. */
export function problemUnavailable(response: ServerResponse, what: string): void {
  const body = {
    type: 'about:blank',
    title: 'Unavailable',
    status: 503,
    code: 'unavailable',
    detail: `${what} does not answer at the moment: try again.`,
    request_id: crypto.randomUUID(),
  };
  response.writeHead(503, {
    'content-type': 'application/problem+json',
    'retry-after': '1',
    'access-control-allow-origin': '*',
  });
  response.end(JSON.stringify(body));
}
