import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker, type Broker } from '../../../dev/stack/broker/index.ts';
import { freePort } from '../../../dev/stack/test-cluster.ts';
import { ensureTls } from '../../../dev/stack/tls.ts';
import type { Log } from '../../src/log.ts';

export type BrokerKind = 'embedded' | 'mosquitto';

export const BRIDGE_PASSWORD = 'the-bridge-password';

/** Both where Mosquitto is installed (the test runner installs it in CI), the embedded one otherwise. */
export const BROKER_KINDS: BrokerKind[] = hasMosquitto() ? ['embedded', 'mosquitto'] : ['embedded'];

function hasMosquitto(): boolean {
  const found = process.env['EC_MOSQUITTO_PATH'] ?? '/usr/sbin/mosquitto';
  return existsSync(found) || spawnSync('mosquitto', ['-h']).error === undefined;
}

export interface TestBroker {
  readonly url: string;
  readonly tlsUrl: string;
  readonly tlsPort: number;
  readonly caFile: string;
  readonly dataDir: string;
  readonly logs: Array<{ level: string; msg: string; extra?: Record<string, unknown> }>;
  /** Stops it cleanly and starts it again on the same ports and data, or with nothing it knew. */
  restart(options?: { forgetting: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestBroker(kind: BrokerKind, dbUrl: string, durable = false): Promise<TestBroker> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ec-broker-'));
  const tls = await ensureTls(dataDir);
  const mqttPort = await freePort();
  const mqttsPort = await freePort();
  const logs: TestBroker['logs'] = [];
  const log: Log = (level, msg, extra) => void logs.push({ level, msg, ...(extra ? { extra } : {}) });
  const start = (): Promise<Broker> =>
    startBroker({
      ...{ kind, mqttPort, mqttsPort, dbUrl, durable, log },
      tls: { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile },
      dataDir: join(dataDir, 'broker'),
      bridgePassword: BRIDGE_PASSWORD,
    });
  let broker = await start();
  return {
    url: `mqtt://127.0.0.1:${mqttPort}`,
    tlsUrl: `mqtts://localhost:${mqttsPort}`,
    tlsPort: mqttsPort,
    caFile: tls.caFile,
    dataDir: join(dataDir, 'broker'),
    logs,
    async restart(options) {
      await broker.stop();
      if (options?.forgetting) rmSync(join(dataDir, 'broker'), { recursive: true });
      broker = await start();
    },
    async stop() {
      await broker.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
