import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { operatorOf } from './support/operator.ts';
import { until } from './support/until.ts';
import { isThere, reportedOf, switchOn } from './support/virtual.ts';
import { createWorld } from './support/world.ts';

it.each(BROKER_KINDS)('%s: a command reaches the device and its answer comes back', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const running = switchOn(world);
  await isThere(world, running);

  const id = await operator.send(serial, 'ping', { n: 7 });
  await until(async () => (await operator.command(id)).state === 'acknowledged', 'it is answered');
  expect((await operator.command(id)).result).toEqual({ pong: { n: 7 } });
  expect(running.effects('ping')).toBe(1);

  const strange = await operator.send(serial, 'make_coffee');
  await until(async () => (await operator.command(strange)).state === 'failed', 'it is refused');

  running.device.break({ refuses: true });
  const refused = await operator.send(serial, 'ping');
  await until(async () => (await operator.command(refused)).state === 'failed', 'it is refused');
  running.device.break({ silent: true });
  const unheard = await operator.send(serial, 'ping', null, 5);
  await until(async () => (await operator.command(unheard)).state === 'sent', 'it is sent');
  await world.sql(`select ec.expire_commands(now() + interval '1 minute')`);
  expect((await operator.command(unheard)).state).toBe('expired');
});

it.each(BROKER_KINDS)('%s: a reboot restarts the device, which says why', async (kind) => {
  const world = await createWorld(kind, 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const running = switchOn(world);
  await isThere(world, running);
  const id = await operator.send(serial, 'reboot');
  await until(async () => {
    const { uptime, reboot_reason } = await reportedOf(world, serial);
    return reboot_reason === 'SW' && Number(uptime) < 30;
  }, 'it is back and says why');
  expect((await operator.command(id)).state).toBe('acknowledged');
  expect(running.events.filter((event) => event.kind === 'restarted')).toHaveLength(1);
});

it('a command for an absent device waits for it, and one whose time is over is never told', async () => {
  const world = await createWorld('embedded', 1);
  await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const waits = await operator.send(serial, 'ping');
  const over = await operator.send(serial, 'identify', null, 5);
  await world.sql(
    `update public.device_commands set expires_at = now() - interval '1 second' where id = $1`,
    [over],
  );
  expect((await operator.command(waits)).state).toBe('queued');
  const running = switchOn(world);
  await until(async () => (await operator.command(waits)).state === 'acknowledged', 'it is answered');
  expect([running.effects('ping'), running.effects('identify')]).toEqual([1, 0]);
});

it.each(BROKER_KINDS)('%s: two bridges tell it once', async (kind) => {
  const world = await createWorld(kind, 1);
  await Promise.all([world.startBridge(), world.startBridge()]);
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const received: string[] = [];
  const client = await world.connect(world.fleet[0]!);
  client.on('message', (_topic, payload) => received.push(JSON.parse(payload.toString()).id));
  await client.subscribeAsync(`devices/${serial}/cmd`, { qos: 1 });
  await client.publishAsync(`devices/${serial}/status`, '{"online":true}', { qos: 1 });
  const ids: string[] = [];
  for (let n = 0; n < 20; n++) ids.push(await operator.send(serial, 'ping', n));
  await until(() => received.length >= 20, 'all arrive');
  await until(async () => (await operator.command(ids[19]!)).state === 'sent', 'the last is sent');
  expect(received).toEqual(ids);
});

it('kill -9 of the bridge between claim and PUBACK: the command comes again and acts once', async () => {
  const world = await createWorld('embedded', 1);
  let bridge = await world.startBridge();
  const operator = await operatorOf(world);
  const { serial } = world.fleet[0]!;
  const running = switchOn(world);
  await isThere(world, running);
  const ids: string[] = [];
  for (let kill = 0; kill < 5; kill++) {
    for (let n = 0; n < 4; n++) ids.push(await operator.send(serial, 'ping', `${kill}-${n}`));
    await bridge.kill(); // the moment is random: claimed, published, acknowledged or none of them
    // What the dead bridge had claimed is nobody's any more, as after its 30 seconds.
    await world.sql(`update ec.mqtt_outbox set claimed_until = now() where sent_at is null`);
    bridge = await world.startBridge();
  }
  await until(
    async () => {
      const states = await Promise.all(ids.map((id) => operator.command(id)));
      return states.every(({ state }) => state === 'acknowledged');
    },
    'all are answered',
    90_000,
  );
  expect(running.effects('ping')).toBe(20);
}, 180_000);
