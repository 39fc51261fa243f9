import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import { Database } from '../../../mqtt-bridge/src/db.ts';
import { errorText } from '../../../mqtt-bridge/src/log.ts';
import { INGEST_FILTERS, INGEST_USER } from '../../../mqtt-bridge/src/topics.ts';
import { isBridgeUser, isSerial, mayPublish, mayReceive, maySubscribe } from './acl.ts';
import { Admission } from './admission.ts';
import type { Broker, BrokerOptions } from './index.ts';
import { Journal } from './journal.ts';
import { limitPacketSize } from './packet-limit.ts';
import { SessionStore } from './session-store.ts';

/** Readings the ingest session may owe before publishers have to wait for their PUBACK. Packet ids: 65,535. */
const BACKLOG_LIMIT = 50_000;
/** A refused publish goes here: acknowledged as Mosquitto does it for MQTT 3.1.1, and delivered to nobody. */
const NOWHERE = '$denied';
const SWEEP_MS = 60_000;

type Packet = AedesPublishPacket;

/** Aedes on a TLS and a plain loopback listener, with devices checked against the database. */
export async function startEmbedded(options: BrokerOptions): Promise<Broker> {
  const { log } = options;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const journal = new Journal(join(options.dataDir, 'broker.journal'), options.durable === true);
  const store = new SessionStore({
    journal: { append: (op) => journal.append(op), scope: options.durable ? 'all' : 'state' },
    onDropped: (client, topic) => log('warn', 'queue of an absent device is full', { serial: client, topic }),
  });
  journal.load((op) => store.apply(op));
  // Before the first bridge ever connected, readings must already have somewhere to wait.
  for (const filter of INGEST_FILTERS) store.open(INGEST_USER).filters.set(filter, 1);

  const db = new Database(options.dbUrl, { max: 4, name: 'ec-broker', log, statementTimeoutMs: 5_000 });
  const admission = new Admission({ db, dbUrl: options.dbUrl, bridgePassword: options.bridgePassword, log });
  const aedes = new Aedes({
    // No shared delivery slots: one stalled subscriber must not hold up messages for everybody else.
    concurrency: 0,
    drainTimeout: 10_000,
    queueLimit: 500,
    persistence: store as never,
    preConnect(client, packet, done) {
      // The client id is the user name, whatever the client says: takeover only by the same credential.
      if (packet.username) packet.clientId = packet.username;
      (client as Client & { hasWill?: boolean }).hasWill = packet.will !== undefined;
      done(null, true);
    },
    authenticate(client, username, password, done) {
      admission.authenticate(client, username ?? '', password).then(
        (ok) => done(null, ok),
        (error) => {
          log('error', 'cannot check credentials', { serial: username, error: errorText(error) });
          done(Object.assign(new Error('credentials cannot be checked now'), { returnCode: 3 }), null);
        },
      );
    },
    authorizePublish(client, packet, done) {
      const user = client?.id ?? (packet as { clientId?: string }).clientId ?? '';
      packet.dup = false; // [MQTT-3.3.1-3]: the publisher's flag says nothing about this delivery
      if (!mayPublish(user, packet.topic)) {
        log('warn', 'publish denied', { serial: user, topic: packet.topic.slice(0, 200) });
        packet.topic = NOWHERE;
        packet.retain = false;
        return done(null);
      }
      if (isBridgeUser(user)) return keep(packet, done);
      packet.retain = false; // retained messages are the platform's; a device's would outlive its tenure
      store.open(INGEST_USER).whenBelow(BACKLOG_LIMIT, () => keep(packet, done));
    },
    authorizeSubscribe(client, sub, done) {
      done(null, maySubscribe(client.id, sub.topic) ? sub : null);
    },
    authorizeForward(client, packet) {
      if (!mayReceive(client.id, packet.topic)) return null;
      if (!store.admit(client, packet as never)) return null;
      if (packet.qos > 1) packet.qos = 1; // nobody here subscribes at 2, but aedes would deliver at 2
      return packet;
    },
  });

  /** With `durable`, the PUBACK waits until the message is on the disk. */
  function keep(packet: { topic: string; retain: boolean }, done: (error?: Error | null) => void): void {
    if (!options.durable) return done(null);
    void packet;
    journal.flushed().then(() => done(null), done);
  }

  const send = (serial: string, online: boolean): void => {
    const payload = Buffer.from(JSON.stringify({ online }));
    const status = {
      cmd: 'publish',
      topic: `devices/${serial}/status`,
      payload,
      qos: 1,
      retain: false,
      dup: false,
    };
    aedes.publish(status as never, () => {});
  };
  aedes.on('clientReady', (client) => {
    if (isSerial(client.id)) send(client.id, true);
  });
  aedes.on('clientDisconnect', (client) => {
    admission.left(client);
    if (isSerial(client.id)) send(client.id, false);
  });
  for (const event of ['clientError', 'connectionError'] as const)
    aedes.on(event, (client, error) =>
      log('debug', 'connection ended', { serial: client.id, error: error.message }),
    );
  aedes.on('error' as never, (error: unknown) => log('error', 'broker error', { error: errorText(error) }));
  admission.onKick((client, gone) => {
    log('info', 'session ended: its credential is no longer valid', { serial: client.id });
    client.close();
    if (gone) store.purge(client.id);
  });

  await aedes.listen();
  journal.rewrite(store.dump(false));
  await admission.start();
  const serve = (socket: Socket): void => limitPacketSize(aedes.handle(socket as never));
  const [cert, key] = await Promise.all([readFile(options.tls.cert), readFile(options.tls.key)]);
  const plain = createServer({ noDelay: true }, serve);
  const tls = createTlsServer({ cert, key, minVersion: 'TLSv1.2', noDelay: true }, serve);
  tls.on('tlsClientError', (error) => log('debug', 'TLS handshake failed', { error: error.message }));
  try {
    await bind(plain, options.mqttPort, '127.0.0.1');
    await bind(tls, options.mqttsPort, options.host ?? '127.0.0.1');
  } catch (error) {
    await Promise.allSettled([admission.stop(), db.close()]);
    plain.close();
    throw error;
  }
  const sweep = setInterval(() => {
    store.purgeExpired((id) => id in (aedes as unknown as { clients: object }).clients);
    if (journal.wantsRewrite) journal.rewrite(store.dump(false));
  }, SWEEP_MS);

  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= stop()) };

  async function stop(): Promise<void> {
    clearInterval(sweep);
    const closed = [plain, tls].map((server) => new Promise((resolve) => server.close(resolve)));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await Promise.all(closed);
    // Publishes acknowledged a moment ago are still on their way into the queues.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await journal.flushed().catch(() => {}); // already logged; the rewrite below is the better try
    journal.rewrite(store.dump(true));
    journal.close();
    await admission.stop();
    await db.close();
  }
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
