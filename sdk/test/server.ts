/** A real HTTP server whose answers a test scripts, and what it was asked. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface Scripted {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Never answers. */
  hang?: boolean;
  /** Drops the connection. */
  drop?: boolean;
}

export interface ScriptedServer {
  url: string;
  asked: Asked[];
  /** The next answers, in order; the last one repeats. */
  script(...answers: (Scripted | ((asked: Asked) => Scripted))[]): void;
  stop(): Promise<void>;
}

export async function startServer(): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  let answers: (Scripted | ((asked: Asked) => Scripted))[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      asked.push(one);
      const next = answers.length > 1 ? answers.shift() : answers[0];
      const {
        status = 200,
        headers = {},
        body,
        hang,
        drop,
      } = typeof next === 'function' ? next(one) : (next ?? {});
      if (hang) return;
      if (drop) return void request.socket.destroy();
      const isText = typeof body === 'string';
      response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
      response.end(body === undefined ? undefined : isText ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    asked,
    script: (...next) => {
      asked.length = 0;
      answers = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
