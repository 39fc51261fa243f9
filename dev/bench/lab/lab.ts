import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { killAllChildren, onChildStart, type Child } from '../../stack/child.ts';
import { lockDataDir } from '../../stack/lock.ts';
import { loadSecrets } from '../../stack/secrets.ts';
import { ensureTls } from '../../stack/tls.ts';
import { startLabBridge } from './bridge.ts';
import { startLabBroker, type BrokerKind, type LabBroker } from './broker.ts';
import { LabDatabase } from './database.ts';
import { labDevices, type LabDevice } from './devices.ts';
import { labPorts, type LabPorts } from './ports.ts';

export interface LabOptions {
  /** Kept between benches: making it takes seconds, filling it minutes. */
  dataDir: string;
  portBase: number;
  /** Devices that must exist. */
  devices: number;
}

export const DEFAULT_DATA_DIR = join(import.meta.dirname, '../.data');

/** A laboratory: the parts of the product that a reading passes, started one by one and measured apart. */
export interface Lab {
  readonly db: LabDatabase;
  readonly devices: LabDevice[];
  readonly ports: LabPorts;
  readonly password: string;
  readonly dataDir: string;
  broker(kind: BrokerKind): Promise<LabBroker>;
  bridge(): Promise<Child>;
  stop(): Promise<void>;
}

export async function openLab(options: LabOptions): Promise<Lab> {
  const { dataDir } = options;
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  const lock = await lockDataDir(dataDir);
  onChildStart((pid) => lock.noteChild(pid));
  const secrets = loadSecrets(dataDir);
  const ports = labPorts(options.portBase);
  // Whatever ends the bench, nothing it started stays behind.
  process.once('exit', killAllChildren);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const db = await LabDatabase.start(dataDir, ports.postgres, secrets);
  const tls = await ensureTls(dataDir);
  const devices = await labDevices(db, options.devices);
  const password = secrets.bridgePassword;
  return {
    db,
    devices,
    ports,
    password,
    dataDir,
    broker: (kind) =>
      startLabBroker(kind, { dataDir, ports, tls, devices, password, dbUrl: db.url('ec_broker') }),
    bridge: () => startLabBridge({ dataDir, ports, password, dbUrl: db.url('ec_bridge') }),
    async stop() {
      await db.stop();
      lock.release();
    },
  };
}
