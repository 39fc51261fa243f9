import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { hashPassword, renderAcl, renderPasswords } from '../../../mqtt-bridge/src/broker-agent/files.ts';
import { BRIDGE_USERS } from '../../../mqtt-bridge/src/topics.ts';
import { mosquittoConfig } from '../../stack/broker/mosquitto-config.ts';
import { startChild, type Child } from '../../stack/child.ts';
import type { Tls } from '../../stack/tls.ts';
import type { LabDevice } from './devices.ts';
import type { LabPorts } from './ports.ts';

export type BrokerKind = 'mosquitto' | 'embedded';

export interface BrokerSetup {
  dataDir: string;
  ports: LabPorts;
  tls: Tls;
  devices: LabDevice[];
  /** Password of the bridge, the peers and the bench's own publishers. */
  password: string;
  /** Postgres as ec_broker. */
  dbUrl: string;
}

export interface LabBroker {
  readonly kind: BrokerKind;
  readonly pid: number;
  /** Messages that wait for a subscriber, where the broker tells (Mosquitto's $SYS, once a second). */
  waiting(): number | undefined;
  stop(): Promise<void>;
}

/** Publishers of the bench: users that may publish for any device, over few connections. Mosquitto only. */
export const BENCH_USERS = Array.from({ length: 64 }, (_, i) => `ec.bridge.bench${i}`);
/** What the peers subscribe as. */
export const PEER_USER = 'ec.bridge.peer';

/** A broker without a past: sessions and queues of the run before are gone. */
export async function startLabBroker(kind: BrokerKind, setup: BrokerSetup): Promise<LabBroker> {
  const folder = join(setup.dataDir, `broker-${kind}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return kind === 'mosquitto' ? startMosquitto(folder, setup) : startEmbedded(folder, setup);
}

/** The product's own mosquitto.conf, the same for every contender, with $SYS every second. */
async function startMosquitto(folder: string, setup: BrokerSetup): Promise<LabBroker> {
  const { ports, tls, password } = setup;
  const files = {
    passwords: join(folder, 'passwords'),
    acl: join(folder, 'acl'),
    conf: join(folder, 'mosquitto.conf'),
  };
  const users = [...BRIDGE_USERS, PEER_USER, ...BENCH_USERS];
  const hash = hashPassword(password);
  const devices = new Map(setup.devices.map(({ serial, secret }) => [serial, hashPassword(secret)]));
  writeFileSync(files.passwords, renderPasswords(new Map(users.map((user) => [user, hash])), devices), {
    mode: 0o600,
  });
  writeFileSync(files.acl, renderAcl(users), { mode: 0o600 });
  const config = mosquittoConfig({
    mqttPort: ports.mqtt,
    mqttsPort: ports.mqtts,
    tls: { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile },
    dataDir: folder,
    pid: join(folder, 'mosquitto.pid'),
    passwords: files.passwords,
    acl: files.acl,
    user: userInfo().username,
  });
  writeFileSync(files.conf, `sys_interval 1\n${config}`, { mode: 0o600 });
  const child = startChild({
    command: process.env['EC_MOSQUITTO_PATH'] ?? 'mosquitto',
    args: ['-c', files.conf],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` },
    logFile: join(setup.dataDir, 'logs/mosquitto.log'),
  });
  await answers(ports.mqtt, child);
  const monitor = await watchQueue(ports.mqtt, password);
  return {
    kind: 'mosquitto',
    pid: child.pid,
    waiting: monitor.waiting,
    async stop() {
      await monitor.client.endAsync(true);
      await child.stop();
    },
  };
}

async function watchQueue(
  port: number,
  password: string,
): Promise<{ client: MqttClient; waiting(): number }> {
  const client = connect(`mqtt://127.0.0.1:${port}`, {
    username: 'ec.bridge.monitor',
    password,
    protocolVersion: 4,
  });
  let messages = 0;
  let retained = 0;
  client.on('message', (topic, body) => {
    if (topic.endsWith('/store/messages/count')) messages = Number(body);
    else retained = Number(body);
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  await client.subscribeAsync(['$SYS/broker/store/messages/count', '$SYS/broker/retained messages/count']);
  return { client, waiting: () => Math.max(0, messages - retained) };
}

/** The stack's broker in a process of its own, so that its CPU can be told from the bench's. */
async function startEmbedded(folder: string, setup: BrokerSetup): Promise<LabBroker> {
  const { ports, tls, password, dbUrl } = setup;
  const options = {
    kind: 'embedded',
    mqttPort: ports.mqtt,
    mqttsPort: ports.mqtts,
    tls: { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile },
    dbUrl,
    dataDir: folder,
    bridgePassword: password,
  };
  const child = startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, 'embedded-broker.ts')],
    env: { PATH: process.env['PATH'], EC_BROKER_OPTIONS: JSON.stringify(options) },
    logFile: join(setup.dataDir, 'logs/embedded-broker.log'),
  });
  await answers(ports.mqtt, child);
  return { kind: 'embedded', pid: child.pid, waiting: () => undefined, stop: () => child.stop() };
}

async function answers(port: number, child: Child): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (!child.isRunning()) throw new Error(`The broker did not start:\n${child.tail()}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connectSocket(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('The broker does not answer.');
}
