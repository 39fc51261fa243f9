import { join } from 'node:path';
import { startChild, type Child } from '../../stack/child.ts';
import { root } from '../../stack/paths.ts';
import type { LabPorts } from './ports.ts';

export interface BridgeSetup {
  dataDir: string;
  ports: LabPorts;
  /** Postgres as ec_bridge. */
  dbUrl: string;
  password: string;
}

/** The bridge exactly as it ships, in its own process. Resolves when its health endpoint says it works. */
export async function startLabBridge({ dataDir, ports, dbUrl, password }: BridgeSetup): Promise<Child> {
  const child = startChild({
    command: process.execPath,
    args: [join(root, 'mqtt-bridge/src/main.ts')],
    env: {
      PATH: process.env['PATH'],
      TZ: 'UTC',
      EC_BRIDGE_DB_URL: dbUrl,
      EC_MQTT_URL: `mqtt://127.0.0.1:${ports.mqtt}`,
      EC_MQTT_PASSWORD: password,
      EC_BRIDGE_PORT: String(ports.metrics),
      EC_LOG_LEVEL: 'warn',
    },
    cwd: root,
    logFile: join(dataDir, 'logs/bridge.log'),
  });
  for (let attempt = 0; attempt < 400; attempt++) {
    if (!child.isRunning()) throw new Error(`The bridge did not start:\n${child.tail()}`);
    const status = await fetch(`http://127.0.0.1:${ports.metrics}/health`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return child;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The bridge does not answer:\n${child.tail()}`);
}
