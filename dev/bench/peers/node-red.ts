import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, type Child } from '../../stack/child.ts';
import { PEER_USER } from '../lab/broker.ts';
import type { Lab } from '../lab/lab.ts';
import { peerStore, type Contender } from './contender.ts';
import { installPeers } from './install.ts';

const VERSION = '4.1.15';

/** Node-RED as people use it: an mqtt-in node and a function node that inserts through a pool of ten. */
export const nodeRed: Contender = {
  name: 'node-red',
  label: `Node-RED ${VERSION} with pg`,
  does: 'one row per message over ten connections; no key, no dedup, no state; queues in memory without a limit',
  acknowledges: 'before commit',
  broker: 'mosquitto',
  store: peerStore,
  prepare() {
    installPeers('node-red', { 'node-red': VERSION, pg: '8.23.1' });
    return Promise.resolve();
  },
  async start(lab) {
    const home = installPeers('node-red', { 'node-red': VERSION, pg: '8.23.1' });
    const folder = join(lab.dataDir, 'node-red');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'settings.cjs'), settings(home, lab), { mode: 0o600 });
    writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow(lab), null, 1));
    writeFileSync(
      join(folder, 'flows_cred.json'),
      JSON.stringify({ broker: { user: PEER_USER, password: lab.password } }),
      { mode: 0o600 },
    );
    let connected = false;
    const child = startChild({
      command: process.execPath,
      args: [join(home, 'node_modules/node-red/red.js'), '-u', folder, '-s', join(folder, 'settings.cjs')],
      env: { PATH: process.env['PATH'], HOME: folder },
      logFile: join(lab.dataDir, 'logs/node-red.log'),
      onLine: (line) => (connected ||= /connected to broker/i.test(line)),
    });
    await untilSubscribed(child, () => connected);
    return { pids: () => [child.pid], stop: () => child.stop() };
  },
};

function settings(home: string, lab: Lab): string {
  const pg = JSON.stringify(join(home, 'node_modules/pg'));
  const url = JSON.stringify(lab.db.url('supabase_admin'));
  return `const { Pool } = require(${pg});
module.exports = {
  uiPort: ${lab.ports.nodeRed}, uiHost: '127.0.0.1', httpAdminRoot: false, httpNodeRoot: false,
  flowFile: 'flows.json', credentialSecret: false, telemetry: { enabled: false },
  functionGlobalContext: { pool: new Pool({ connectionString: ${url}, max: 10 }) },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
`;
}

function flow(lab: Lab): unknown[] {
  return [
    { id: 'tab', type: 'tab', label: 'telemetry' },
    {
      ...{ id: 'broker', type: 'mqtt-broker', name: '', broker: '127.0.0.1', port: String(lab.ports.mqtt) },
      ...{ clientid: PEER_USER, autoConnect: true, usetls: false, protocolVersion: '4', keepalive: '60' },
      ...{ cleansession: false, birthTopic: '', closeTopic: '', willTopic: '' },
    },
    {
      ...{ id: 'in', type: 'mqtt in', z: 'tab', name: '', topic: 'devices/+/telemetry', qos: '1' },
      ...{ datatype: 'json', broker: 'broker', nl: false, rap: true, rh: 0, inputs: 0, wires: [['store']] },
    },
    {
      ...{ id: 'store', type: 'function', z: 'tab', name: 'insert', outputs: 0, wires: [] },
      ...{ initialize: '', finalize: '', libs: [], timeout: 0 },
      func: `const serial = msg.topic.split('/')[1];
global.get('pool').query('insert into public.bench_readings (serial, data) values ($1, $2)', [serial, msg.payload])
  .catch((error) => node.error(error.message));
return null;`,
    },
  ];
}

/** Its log says when the broker took the connection; the subscription follows on the same socket. */
async function untilSubscribed(child: Child, connected: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt++) {
    if (!child.isRunning()) throw new Error(`Node-RED did not start:\n${child.tail()}`);
    if (connected()) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Node-RED does not connect:\n${child.tail()}`);
}
