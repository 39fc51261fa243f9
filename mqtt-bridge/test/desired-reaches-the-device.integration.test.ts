import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { operatorOf } from './support/operator.ts';
import { until } from './support/until.ts';
import { allSent, isThere, reportedOf, switchOn } from './support/virtual.ts';
import { createWorld, type World } from './support/world.ts';

it.each(BROKER_KINDS)('%s: the device does it and says so', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const running = switchOn(world);
  const { device } = running;
  await isThere(world, running);
  for (const setpoint of [25, 26, 27]) {
    await operator.setDesired(serial, { setpoint });
    await until(async () => (await reportedOf(world, serial))['setpoint'] === setpoint, 'it is confirmed');
  }
  // Pending as long as the device does not follow.
  device.break({ refuses: true });
  await operator.setDesired(serial, { setpoint: 20 });
  const delivered = device.counters.delivered;
  await until(() => device.counters.delivered > delivered + 2, 'it goes on');
  expect((await operator.setDesired(serial, {})).delta).toEqual({ setpoint: 20 });
  device.break({});
  await until(async () => (await reportedOf(world, serial))['setpoint'] === 20, 'it is confirmed in the end');
});

it.each(BROKER_KINDS)('%s: what changed while the device was away it does on its return', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  for (const setpoint of [18, 19, 24]) await operator.setDesired(serial, { setpoint });
  await allSent(world);
  switchOn(world);
  await until(async () => (await reportedOf(world, serial))['setpoint'] === 24, 'it is confirmed');
});

it.each(BROKER_KINDS)('%s: shadow/get is answered with the version and what is left to do', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  await operator.setDesired(serial, { relay: true, setpoint: 21 });
  await allSent(world);
  const client = await world.connect(world.fleet[0]!);
  const documents: Record<string, unknown>[] = [];
  client.on('message', (_topic, payload) => documents.push(JSON.parse(payload.toString())));
  await client.subscribeAsync(`devices/${serial}/shadow/document`, { qos: 1 });
  await client.publishAsync(`devices/${serial}/shadow/reported`, '{"relay":true}', { qos: 1 });
  await client.publishAsync(`devices/${serial}/shadow/get`, '', { qos: 1 });
  await until(() => documents.length > 0, 'the document comes');
  expect(documents).toEqual([
    {
      version: 1,
      desired: { relay: true, setpoint: 21 },
      delta: { setpoint: 21 },
      at: expect.stringMatching(/Z$/),
    },
  ]);
});

/** Retained messages of a device, as somebody sees them who subscribes now. */
async function retainedOf(world: World): Promise<string[]> {
  const { serial } = world.fleet[0]!;
  const client = await world.connect(world.fleet[0]!);
  const seen: string[] = [];
  client.on('message', (topic, payload, { retain }) => {
    if (retain) seen.push(`${topic.split('/').slice(2).join('/')} ${String(payload)}`);
  });
  for (const kind of ['config', 'shadow/desired'])
    await client.subscribeAsync(`devices/${serial}/${kind}`, { qos: 1 });
  // Whatever is retained comes before the answer to this.
  let answered = false;
  client.on('message', (topic) => (answered ||= topic.endsWith('shadow/document')));
  await client.subscribeAsync(`devices/${serial}/shadow/document`, { qos: 1 });
  await client.publishAsync(`devices/${serial}/shadow/get`, '', { qos: 1 });
  await until(() => answered, 'the document comes');
  await client.endAsync();
  return seen.sort();
}

it.each(BROKER_KINDS)('%s: a broker that lost its retained messages gets them again', async (kind) => {
  const world = await createWorld(kind, 1);
  const bridge = await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  await operator.setDesired(serial, { relay: true });
  await allSent(world);
  const both = ['config {"relay":true}', 'shadow/desired {"relay":true}'];
  expect(await retainedOf(world)).toEqual(both);
  const restored = (): number => bridge.logs.filter(({ msg }) => String(msg).includes('sent again')).length;
  expect(restored()).toBe(1); // at its first start it knew nothing

  await world.broker.restart();
  await until(async () => (await bridge.health()).status === 200, 'the bridge is back');
  expect(await retainedOf(world)).toEqual(both);
  expect(restored()).toBe(1);

  await world.broker.restart({ forgetting: true });
  await until(() => restored() === 2, 'the bridge notices');
  await allSent(world);
  expect(await retainedOf(world)).toEqual(both);
});

it('with its last secret a device loses what the broker keeps for it', async () => {
  const world = await createWorld('embedded', 2);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  await operator.setDesired(serial, { relay: true });
  await allSent(world);
  expect(await retainedOf(world)).toHaveLength(2);
  const [credential] = await world.sql<{ id: string }>(
    'select id from public.device_credentials where serial = $1',
    [serial],
  );
  await operator.revoke(credential!.id);
  await allSent(world);
  await world.sql('update public.device_credentials set revoked_at = null where serial = $1', [serial]);
  expect(await retainedOf(world)).toEqual([]);
});
