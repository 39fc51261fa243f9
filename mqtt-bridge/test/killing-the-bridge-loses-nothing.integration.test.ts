import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../dev/stack/testing.ts';
import { startBridge } from './support/bridge-process.ts';
import { BRIDGE_PASSWORD, BROKER_KINDS, startTestBroker } from './support/brokers.ts';
import { connectDevice, Load } from './support/devices.ts';
import { createFleet } from './support/fleet.ts';
import { compare, storedAtLeast } from './support/stored.ts';

const KILLS = 10;
const PER_SECOND = 500;

describe.each(BROKER_KINDS)('%s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it(`stores every acknowledged packet once over ${KILLS} × kill -9 under load, without ts or seq`, async () => {
    const fleet = await createFleet(database.url(), 'KILL-', 40);
    const broker = await startTestBroker(kind, database.url('ec_broker'));
    const options = { dbUrl: database.url('ec_bridge'), mqttUrl: broker.url, password: BRIDGE_PASSWORD };
    let bridge = await startBridge(options);
    const clients = await Promise.all(
      fleet.map(async (device) => ({
        serial: device.serial,
        client: await connectDevice(broker.url, device),
      })),
    );
    const load = new Load(clients, PER_SECOND);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(200 + Math.random() * 600); // the random moment is the point
      await bridge.kill();
      bridge = await startBridge(options);
    }
    await load.stop();
    const stored = await storedAtLeast(database.url(), load.acknowledged.size);
    expect(load.acknowledged.size).toBeGreaterThan(KILLS * 200);
    expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
    await Promise.all(clients.map(({ client }) => client.endAsync(true)));
    expect(await bridge.stop()).toMatchObject({ code: 0 });
    await broker.stop();
  }, 120_000);
});
