import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BrokerOptions } from '../../dev/stack/broker/index.ts';
import { freePort } from '../../dev/stack/test-cluster.ts';
import { createDatabase } from '../../dev/stack/testing.ts';
import { ensureTls } from '../../dev/stack/tls.ts';
import { startBridge } from './support/bridge-process.ts';
import { BRIDGE_PASSWORD, BROKER_KINDS } from './support/brokers.ts';
import { connectDevice, pagePayload } from './support/devices.ts';
import { createFleet, type TestDevice } from './support/fleet.ts';
import { compare, storedAtLeast } from './support/stored.ts';
import { createWorld } from './support/world.ts';

const BURST = 4_000;

/** Publishes a burst while no bridge is there; returns what was acknowledged. */
async function burst(url: string, fleet: TestDevice[], count: number): Promise<Set<string>> {
  const acknowledged = new Set<string>();
  const each = count / fleet.length;
  await Promise.all(
    fleet.map(async (device) => {
      const client = await connectDevice(url, device);
      await Promise.all(
        Array.from({ length: each }, async (_, n) => {
          await client.publishAsync(`devices/${device.serial}/telemetry`, pagePayload(n), { qos: 1 });
          acknowledged.add(`${device.serial} ${n}`);
        }),
      );
      await client.endAsync();
    }),
  );
  return acknowledged;
}

describe.each(BROKER_KINDS)('%s', (kind) => {
  it('keeps a burst for a bridge that is away, and hands over all of it', async () => {
    const world = await createWorld(kind, 40);
    await (await world.startBridge()).stop();
    const acknowledged = await burst(world.broker.url, world.fleet, BURST * 3);
    expect(acknowledged.size).toBe(BURST * 3);
    await world.startBridge();
    const stored = await storedAtLeast(world.database.url(), acknowledged.size);
    expect(compare(acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
  }, 120_000);

  it('keeps everything over a clean stop', async () => {
    const world = await createWorld(kind, 40);
    await (await world.startBridge()).stop();
    const acknowledged = await burst(world.broker.url, world.fleet, BURST);
    await world.broker.restart();
    await world.startBridge();
    const stored = await storedAtLeast(world.database.url(), acknowledged.size);
    expect(compare(acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
  }, 120_000);
});

describe.each(BROKER_KINDS)('kill -9 of the %s broker with --broker-durable', (kind) => {
  it('loses nothing it acknowledged', async () => {
    const database = await createDatabase();
    onTestFinished(() => database.drop());
    const fleet = await createFleet(database.url(), 'EC-', 20);
    const broker = await startKillableBroker(kind, database.url('ec_broker'));
    const options = { dbUrl: database.url('ec_bridge'), mqttUrl: broker.url, password: BRIDGE_PASSWORD };
    await (await startBridge(options)).stop();
    const acknowledged = await burst(broker.url, fleet, 1_000);
    // Mosquitto writes its database at most every second.
    if (kind === 'mosquitto') await new Promise((resolve) => setTimeout(resolve, 2_500));
    await broker.kill();
    await broker.start();
    await startBridge(options);
    const stored = await storedAtLeast(database.url(), acknowledged.size);
    const { lost, doubled } = compare(acknowledged, stored);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
  }, 120_000);
});

interface KillableBroker {
  url: string;
  start(): Promise<void>;
  /** The broker itself, whichever process that is. */
  kill(): Promise<void>;
}

async function startKillableBroker(kind: BrokerOptions['kind'], dbUrl: string): Promise<KillableBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'ec-broker-'));
  const tls = await ensureTls(folder);
  const mqttPort = await freePort();
  const options: Omit<BrokerOptions, 'log'> = {
    ...{ kind, mqttPort, mqttsPort: await freePort(), dbUrl, durable: true, dataDir: join(folder, 'broker') },
    ...{ tls: { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile }, bridgePassword: BRIDGE_PASSWORD },
  };
  const main = fileURLToPath(new URL('./support/broker-main.ts', import.meta.url));
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [main], {
      env: { PATH: process.env['PATH'], BROKER_OPTIONS: JSON.stringify(options) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
  };
  await start();
  onTestFinished(async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill('SIGTERM')) await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    url: `mqtt://127.0.0.1:${mqttPort}`,
    start,
    async kill() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const pidFile = join(options.dataDir, 'mosquitto.pid');
      if (kind === 'mosquitto') process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
