import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { until } from './support/until.ts';
import { createWorld, type World } from './support/world.ts';

const enqueue = (
  world: World,
  serial: string,
  kind: string,
  payload: string,
  retain = false,
): Promise<unknown> =>
  world.sql('select private.enqueue_mqtt($1, $2, $3, $4)', [serial, kind, payload, retain]);
const waiting = async (world: World): Promise<number> => {
  const [row] = await world.sql<{ n: number }>(
    'select count(*)::int as n from ec.mqtt_outbox where sent_at is null and (expires_at is null or expires_at > now())',
  );
  return row?.n ?? 0;
};

it.each(BROKER_KINDS)(
  '%s: an outbox row reaches the device at once, retained ones also later ones',
  async (kind) => {
    const world = await createWorld(kind, 1);
    await world.startBridge();
    const [{ serial, client }] = (await world.connectAll()) as [Awaited<ReturnType<World['connectAll']>>[0]];
    const got: string[] = [];
    client.on('message', (topic, payload) =>
      got.push(`${topic.split('/').slice(2).join('/')} ${String(payload)}`),
    );
    await client.subscribeAsync(`devices/${serial}/#`, { qos: 1 });
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      await enqueue(world, serial, 'cmd', `{"id":${i}}`);
      await until(() => got.includes(`cmd {"id":${i}}`), 'the command arrives');
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThan(500); // a few ms on an idle machine; a slow poll would be 5,000
    await enqueue(world, serial, 'shadow/desired', '{"relay":true}', true);
    await until(() => got.includes('shadow/desired {"relay":true}'), 'desired arrives');
    await until(async () => (await waiting(world)) === 0, 'all rows are finished');
    await client.endAsync();
    const later = await world.connect(world.fleet[0] as never);
    const retained: string[] = [];
    later.on('message', (topic, payload) => retained.push(`${topic} ${String(payload)}`));
    await later.subscribeAsync(`devices/${serial}/shadow/desired`, { qos: 1 });
    await until(() => retained.length === 1, 'the retained document arrives');
    await enqueue(world, serial, 'shadow/desired', '', true); // as a transfer does
    await until(async () => (await waiting(world)) === 0, 'it is cleared');
    const last = await world.connect({ ...world.fleet[0] } as never);
    const nothing: string[] = [];
    last.on('message', (topic, payload) => nothing.push(`${topic} ${String(payload)}`));
    await last.subscribeAsync(`devices/${serial}/#`, { qos: 1 });
    await enqueue(world, serial, 'cmd', 'end');
    await until(() => nothing.length > 0, 'the next message arrives');
    expect(nothing).toEqual([`devices/${serial}/cmd end`]);
  },
);

it('kill -9 of the relay at random moments: every message arrives, none of a topic before an older one', async () => {
  const world = await createWorld('embedded', 5);
  let bridge = await world.startBridge({ EC_BRIDGE_ROLES: 'relay' });
  const got = new Map<string, number[]>();
  for (const { serial, client } of await world.connectAll()) {
    got.set(serial, []);
    client.on('message', (_topic, payload) => got.get(serial)?.push(Number(payload)));
    await client.subscribeAsync(`devices/${serial}/cmd`, { qos: 1 });
  }
  let n = 0;
  for (let kill = 0; kill < 4; kill++) {
    for (let i = 0; i < 40; i++, n++)
      for (const { serial } of world.fleet) await enqueue(world, serial, 'cmd', String(n));
    await sleep(Math.random() * 50);
    await bridge.kill();
    bridge = await world.startBridge({ EC_BRIDGE_ROLES: 'relay' });
  }
  // Leases of a killed relay last up to 30 s.
  await until(async () => (await waiting(world)) === 0, 'all rows are finished', 60_000);
  for (const numbers of got.values()) {
    expect(new Set(numbers).size).toBe(n);
    let newest = -1;
    for (const number of numbers) {
      expect(number).toBeLessThanOrEqual(newest + 1); // again is fine, too early is not
      newest = Math.max(newest, number);
    }
  }
}, 120_000);

it('an expired row is never sent', async () => {
  const world = await createWorld('embedded', 1);
  const { serial } = world.fleet[0] as { serial: string };
  await world.sql(`select private.enqueue_mqtt($1, 'cmd', 'old', false, now() - interval '1 second')`, [
    serial,
  ]);
  const [device] = await world.connectAll();
  const got: string[] = [];
  device?.client.on('message', (_topic, payload) => got.push(String(payload)));
  await device?.client.subscribeAsync(`devices/${serial}/cmd`, { qos: 1 });
  await world.startBridge();
  await enqueue(world, serial, 'cmd', 'new');
  await until(() => got.length > 0, 'the new one arrives');
  expect(got).toEqual(['new']);
});

it('messages written while the broker is away go out when it is back', async () => {
  const world = await createWorld('embedded', 1);
  const bridge = await world.startBridge();
  const restarted = world.broker.restart();
  const { serial } = world.fleet[0] as { serial: string };
  for (let i = 0; i < 10; i++) await enqueue(world, serial, 'shadow/desired', `{"n":${i}}`, true);
  await restarted;
  await until(async () => (await waiting(world)) === 0, 'all rows are finished');
  // The rows may all have left before the broker did.
  await until(async () => (await bridge.health()).status === 200, 'the bridge is back');
  const client = await world.connect(world.fleet[0] as never);
  const got: string[] = [];
  client.on('message', (_topic, payload) => got.push(String(payload)));
  await client.subscribeAsync(`devices/${serial}/shadow/desired`, { qos: 1 });
  await until(() => got.length > 0, 'the document arrives');
  expect(got).toEqual(['{"n":9}']);
});
