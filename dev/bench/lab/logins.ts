import type { Login } from '../load/connection.ts';
import { BENCH_USERS, type BrokerKind } from './broker.ts';
import type { Lab } from './lab.ts';

/**
 * Who publishes. `devices`: every device over its own connection with its own secret, as in the field, on
 * either broker. A number: so many of the bench's users, each publishing for its share of the devices; only
 * the lab's Mosquitto knows them, the embedded broker admits nobody but devices and the bridge.
 */
export type Connections = 'devices' | number;

export function loginsFor(lab: Lab, broker: BrokerKind, count: number, connections: Connections): Login[] {
  if (connections === 'devices' || broker === 'embedded')
    return lab.devices.slice(0, count).map(({ serial, secret }) => ({ username: serial, password: secret }));
  if (connections < 1 || connections > BENCH_USERS.length)
    throw new Error(`--connections is "devices" or a number from 1 to ${BENCH_USERS.length}`);
  return BENCH_USERS.slice(0, connections).map((username) => ({ username, password: lab.password }));
}
