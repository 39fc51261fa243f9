import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { until } from './support/until.ts';
import { createWorld, type World } from './support/world.ts';

const connected = async (world: World, serial: string): Promise<boolean> => {
  const [row] = await world.sql<{ connected: boolean }>(
    'select coalesce(connected, false) as connected from public.device_state where serial = $1',
    [serial],
  );
  return row?.connected ?? false;
};

it.each(BROKER_KINDS)('%s: birth and last will of a device set and clear connected', async (kind) => {
  const world = await createWorld(kind, 2);
  await world.startBridge();
  const [device, other] = world.fleet as [(typeof world.fleet)[0], (typeof world.fleet)[0]];
  const topic = `devices/${device.serial}/status`;
  const will = { will: { topic, payload: '{"online":false}', qos: 1, retain: true } };
  for (let round = 0; round < 2; round++) {
    const client = await world.connect(device, will);
    await client.publishAsync(topic, '{"online":true}', { qos: 1, retain: true });
    await until(() => connected(world, device.serial), 'it is connected');
    client.stream.destroy();
    await until(async () => !(await connected(world, device.serial)), 'it is not any more');
  }
  const client = await world.connect(other, {
    will: { ...will.will, topic: `devices/${other.serial}/status` },
  });
  await client.publishAsync(`devices/${other.serial}/status`, '{"online":true}', { qos: 1 });
  await until(() => connected(world, other.serial), 'the other is connected');
  expect(await connected(world, device.serial)).toBe(false);
});

it('embedded: a client without birth and will is covered by the broker', async () => {
  const world = await createWorld('embedded', 1);
  await world.startBridge();
  const [device] = world.fleet as [(typeof world.fleet)[0]];
  const client = await world.connect(device);
  await until(() => connected(world, device.serial), 'it is connected');
  await client.endAsync();
  await until(async () => !(await connected(world, device.serial)), 'it is not any more');
});

it('embedded: a device that does not come back after the broker died counts as disconnected', async () => {
  const world = await createWorld('embedded', 1);
  await world.startBridge();
  const [device] = world.fleet as [(typeof world.fleet)[0]];
  await world.connect(device);
  await until(() => connected(world, device.serial), 'it is connected');
  await world.broker.restart();
  await until(async () => !(await connected(world, device.serial)), 'it is not any more');
});

it.each(BROKER_KINDS)('%s: shadow/reported is merged, null removes', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const [device] = await world.connectAll();
  const { serial, client } = device as NonNullable<typeof device>;
  const publish = (document: object): Promise<unknown> =>
    client.publishAsync(`devices/${serial}/shadow/reported`, JSON.stringify(document), { qos: 1 });
  await publish({ relay: true, mode: 'auto' });
  await publish({ mode: null, setpoint: 22 });
  await until(async () => {
    const [row] = await world.sql<{ reported: object }>(
      'select reported from public.device_state where serial = $1',
      [serial],
    );
    return JSON.stringify(row?.reported) === JSON.stringify({ relay: true, setpoint: 22 });
  }, 'both documents are merged');
});
