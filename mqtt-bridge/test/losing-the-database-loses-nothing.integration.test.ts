import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startBridge } from './support/bridge-process.ts';
import { BRIDGE_PASSWORD, startTestBroker } from './support/brokers.ts';
import { connectDevice, Load } from './support/devices.ts';
import { createFleet } from './support/fleet.ts';
import { startOwnCluster } from './support/own-cluster.ts';
import { compare, storedAtLeast } from './support/stored.ts';
import { until } from './support/until.ts';

it('every acknowledged packet is stored once over 3 × pg_ctl stop -m immediate under load, and the bridge recovers by itself', async () => {
  const cluster = await startOwnCluster();
  onTestFinished(() => cluster.stop());
  const fleet = await createFleet(cluster.url('postgres'), 'PG-', 50);
  const broker = await startTestBroker('embedded', cluster.url('ec_broker'));
  onTestFinished(() => broker.stop());
  const bridge = await startBridge({
    ...{ dbUrl: cluster.url('ec_bridge'), mqttUrl: broker.url, password: BRIDGE_PASSWORD },
  });
  const clients = await Promise.all(
    fleet.map(async (device) => ({ serial: device.serial, client: await connectDevice(broker.url, device) })),
  );
  const load = new Load(clients, 500);
  for (let crash = 0; crash < 3; crash++) {
    await sleep(300 + Math.random() * 500);
    await cluster.crash();
    await until(async () => (await bridge.health()).status === 503, 'the bridge says it cannot work');
    await sleep(Math.random() * 1_000);
    await cluster.start();
    await until(async () => (await bridge.health()).status === 200, 'the bridge is well again');
  }
  await load.stop();
  const stored = await storedAtLeast(cluster.url('postgres'), load.acknowledged.size);
  expect(load.acknowledged.size).toBeGreaterThan(500);
  expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
  // It was one connection all the time: nothing had to be sent again.
  expect(await bridge.metric('ec_bridge_redelivered_total')).toBe(0);
  expect(await bridge.metric('ec_bridge_unacked')).toBe(0);
  await Promise.all(clients.map(({ client }) => client.endAsync(true)));
}, 180_000);
