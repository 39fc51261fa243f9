import { join } from 'node:path';
import { startChild, type Child } from '../../stack/child.ts';
import { PEER_USER } from '../lab/broker.ts';
import type { Lab } from '../lab/lab.ts';
import { peerStore, type Contender } from './contender.ts';

/** What most tutorials show: a listener on `message` that awaits one INSERT each. */
export const oneInsert: Contender = {
  name: 'one-insert',
  label: 'Node bridge, one INSERT per message',
  does: 'one row per message and commit; no key, no dedup, no state',
  acknowledges: 'before commit',
  broker: 'mosquitto',
  store: peerStore,
  async start(lab) {
    const child = startPeer(lab, 'one-insert-bridge.ts');
    await ready(child);
    return { pids: () => [child.pid], stop: () => child.stop() };
  },
};

let told = '';

function startPeer(lab: Lab, script: string): Child {
  told = '';
  return startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, script)],
    env: {
      PATH: process.env['PATH'],
      PEER_MQTT_URL: `mqtt://127.0.0.1:${lab.ports.mqtt}`,
      PEER_MQTT_USER: PEER_USER,
      PEER_MQTT_PASSWORD: lab.password,
      PEER_DB_URL: lab.db.url('supabase_admin'),
    },
    logFile: join(lab.dataDir, 'logs/one-insert.log'),
    onLine: (line) => (told += `${line}\n`),
  });
}

async function ready(child: Child): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (told.includes('ready')) return;
    if (!child.isRunning()) throw new Error(`The one-insert bridge did not start:\n${child.tail()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('The one-insert bridge does not subscribe.');
}
