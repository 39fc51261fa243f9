import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type Client } from 'aedes';
import { Database } from '../../../mqtt-bridge/src/db.ts';
import { errorText } from '../../../mqtt-bridge/src/log.ts';
import { INGEST_FILTERS, INGEST_USER } from '../../../mqtt-bridge/src/topics.ts';
import { isSerial } from './acl.ts';
import { Admission } from './admission.ts';
import { tameClient } from './connection.ts';
import { hooks } from './hooks.ts';
import type { Broker, BrokerOptions } from './index.ts';
import { Journal } from './journal.ts';
import { SessionStore } from './session-store.ts';

const EXPIRY_SWEEP_MS = 60_000;
/** Devices connected when the broker died get this long to come back before they count as disconnected. */
const RETURN_GRACE_MS = 60_000;

/** Aedes on a TLS and a plain loopback listener, with devices checked against the database. */
export async function startEmbedded(options: BrokerOptions): Promise<Broker> {
  const { log } = options;
  const durable = options.durable === true;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const store = new SessionStore({
    journal: { append: (op) => journal.append(op), scope: durable ? 'all' : 'state' },
    onDropped: (serial, topic) => log('warn', 'queue of an absent device is full', { serial, topic }),
  });
  const journal = new Journal(join(options.dataDir, 'broker.journal'), durable, () => store.dump(false));
  journal.load((op) => store.apply(op));
  // Before the first bridge ever connected, readings must already have somewhere to wait.
  for (const filter of INGEST_FILTERS) store.open(INGEST_USER).filters.set(filter, 1);

  const db = new Database(options.dbUrl, { max: 4, name: 'ec-broker', log, timeoutMs: 5_000 });
  const admission = new Admission({
    db,
    dbUrl: options.dbUrl,
    bridgePassword: options.bridgePassword,
    log,
    onKick(client) {
      log('info', 'session ended: its credential is no longer valid', { serial: client.id });
      client.close();
    },
    onGone: (serial) => store.purge(serial),
  });
  const aedes: Aedes = new Aedes({
    // No shared delivery slots: one stalled subscriber must not hold up messages for everybody else.
    concurrency: 0,
    queueLimit: 500,
    persistence: store,
    ...hooks({
      store,
      admission,
      log,
      ...(durable ? { journal } : {}),
      nextCounter: () => ++counterOf(aedes).counter,
    }),
  } as never);
  announcePresence(aedes, store);
  aedes.on('clientDisconnect', (client) => admission.left(client));
  for (const event of ['clientError', 'connectionError'] as const)
    aedes.on(event, (client, error) =>
      log('debug', 'connection ended', { serial: client.id, error: error.message }),
    );
  (aedes as unknown as NodeJS.EventEmitter).on('error', (error) =>
    log('error', 'broker error', { error: errorText(error) }),
  );

  await aedes.listen();
  journal.rewrite();
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    tameClient(aedes.handle(socket as never), log);
  };
  const [cert, key] = await Promise.all([readFile(options.tls.cert), readFile(options.tls.key)]);
  const plain = createServer({ noDelay: true }, serve);
  const tls = createTlsServer({ cert, key, minVersion: 'TLSv1.2', noDelay: true }, serve);
  tls.on('tlsClientError', (error) => log('debug', 'TLS handshake failed', { error: error.message }));
  try {
    await admission.start();
    await bind(plain, options.mqttPort, '127.0.0.1');
    await bind(tls, options.mqttsPort, options.host ?? '127.0.0.1');
  } catch (error) {
    plain.close();
    await Promise.allSettled([admission.stop(), db.close()]);
    throw error;
  }
  const expiry = setInterval(() => store.purgeExpired((id) => id in clientsOf(aedes)), EXPIRY_SWEEP_MS);

  const stop = async (): Promise<void> => {
    clearInterval(expiry);
    const closed = [plain, tls].map((server) => new Promise((resolve) => server.close(resolve)));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    for (const socket of sockets) socket.destroy(); // those that never sent a CONNECT
    await Promise.all(closed);
    // What was acknowledged a moment ago is still on its way into the queues.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await journal.flushed().catch(() => {}); // a disk that failed before may take the whole now
    journal.rewrite(store.dump(true));
    journal.close();
    await admission.stop();
    await db.close();
  };
  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= stop()) };
}

/** The broker knows who is connected; clients without a last will or birth message are covered by this. */
function announcePresence(aedes: Aedes, store: SessionStore): void {
  const send = (serial: string, online: boolean): void => {
    store.setOnline(serial, online);
    const payload = Buffer.from(JSON.stringify({ online }));
    const topic = `devices/${serial}/status`;
    aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => {});
  };
  aedes.on('clientReady', (client) => {
    if (isSerial(client.id)) send(client.id, true);
  });
  aedes.on('clientDisconnect', (client) => {
    if (isSerial(client.id)) send(client.id, false);
  });
  const before = [...store.online];
  const grace = setTimeout(() => {
    for (const serial of before) if (!(serial in clientsOf(aedes))) send(serial, false);
  }, RETURN_GRACE_MS);
  grace.unref();
}

function clientsOf(aedes: Aedes): Record<string, Client> {
  return (aedes as unknown as { clients: Record<string, Client> }).clients;
}

function counterOf(aedes: Aedes): { counter: number } {
  return aedes as unknown as { counter: number };
}

function bind(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`Port ${port} is already in use by another program.`) : error);
    });
    server.listen(port, host, resolve);
  });
}
