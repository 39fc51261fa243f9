import { createAdaptorServer } from '@hono/node-server';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { StackFailure } from './failure.ts';

export interface Listening {
  server: Server;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

export type Fetch = (request: Request, env: unknown) => Response | Promise<Response>;
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Serves fetch-style code on a loopback port. */
export async function listen(port: number, fetch: Fetch, onUpgrade?: OnUpgrade): Promise<Listening> {
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  if (onUpgrade) server.on('upgrade', onUpgrade);
  return listenOn(server, port);
}

/** Binds a server that exists to a loopback port. */
export async function listenOn(server: Server, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new StackFailure(`Port ${port} is taken.`) : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  // Connections that became websockets are no longer the HTTP server's to close.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
