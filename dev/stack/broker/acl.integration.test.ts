import type { MqttClient } from 'mqtt';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BRIDGE_PASSWORD,
  BROKER_KINDS,
  startTestBroker,
  type TestBroker,
} from '../../../mqtt-bridge/test/support/brokers.ts';
import { connectDevice } from '../../../mqtt-bridge/test/support/devices.ts';
import { createFleet, type TestDevice } from '../../../mqtt-bridge/test/support/fleet.ts';
import { until } from '../../../mqtt-bridge/test/support/until.ts';
import { createDatabase, type TestDatabase } from '../testing.ts';

const UP = ['telemetry', 'shadow/reported', 'shadow/get', 'ota/status', 'cmd/ack', 'status'];
const DOWN = ['shadow/desired', 'shadow/document', 'config', 'ota', 'cmd'];

// What is granted says nothing (Mosquitto grants everything): only what arrives counts.
/** The embedded broker speaks 3.1.1 only. */
const VERSIONS = { embedded: [4], mosquitto: [4, 5] } as const;

/** Everything a device might ask for to overhear others, or itself where it only speaks. */
const greedyFilters = (own: string, other: string): string[] => [
  ...['#', '+', '+/#', '/#', '+/+/#', '+/+/shadow/desired', 'devices/#', 'devices/+', 'devices/+/+'],
  ...[
    'devices/+/ota',
    'devices/+/telemetry',
    'devices/+/shadow/#',
    `devices/${other}/#`,
    `devices/${other}/cmd`,
  ],
  ...[`devices/${other}/+`, `devices/${other}/shadow/desired`, `devices/${own}/../${other}/cmd`],
  ...['$share/x/#', '$share/x/+/+/+', '$share/x/devices/#', `$share/x/devices/${other}/cmd`],
  ...[`$share/devices/${own}/#`, '$queue/#', '$SYS/#', '$SYS/broker/#', '$SYS/+/clients/+'],
  `devices/${own}/#`,
];

describe.each(BROKER_KINDS)('the ACL of the %s broker', (kind) => {
  let database: TestDatabase;
  let broker: TestBroker;
  let a: TestDevice;
  let b: TestDevice;
  let bridge: MqttClient;
  const heard: string[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    [a, b] = (await createFleet(database.url(), 'ACL-', 2)) as [TestDevice, TestDevice];
    broker = await startTestBroker(kind, database.url('ec_broker'));
    bridge = await connectAsync(broker.url, {
      ...{ username: 'ec.bridge.monitor', password: BRIDGE_PASSWORD, clientId: 'x', protocolVersion: 4 },
      reconnectPeriod: 0,
    });
    bridge.on('message', (topic, payload, { retain }) =>
      heard.push(`${topic} ${String(payload)}${retain ? ' R' : ''}`),
    );
    await bridge.subscribeAsync('devices/#', { qos: 1 });
  });
  afterAll(async () => {
    await bridge.endAsync(true);
    await broker.stop();
    await database.drop();
  });

  /** The bridge hears this after everything that was published before it. */
  async function settle(): Promise<void> {
    const mark = `devices/mark/${Math.random()}`;
    await bridge.publishAsync(mark, 'x', { qos: 1 });
    await until(() => heard.some((line) => line.startsWith(mark)), 'the mark is heard');
  }

  it.each(VERSIONS[kind])(
    'delivers to a device its own messages and nothing else, whatever it subscribes to (MQTT %i)',
    async (protocolVersion) => {
      const client = await connectDevice(broker.url, a, { protocolVersion });
      const got: string[] = [];
      client.on('message', (topic) => got.push(topic));
      for (const filter of greedyFilters(a.serial, b.serial))
        await client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
      expect(client.connected, 'asking for too much ends no connection').toBe(true);
      for (const serial of [a.serial, b.serial])
        for (const topic of [...DOWN, ...UP])
          await bridge.publishAsync(`devices/${serial}/${topic}`, '{"x":1}', { qos: 1 });
      await bridge.publishAsync(`devices/${a.serial}/cmd`, 'last', { qos: 1 });
      await until(() => got.length >= DOWN.length + 1, 'its own messages arrive');
      await settle();
      expect([...new Set(got)].sort()).toEqual(DOWN.map((topic) => `devices/${a.serial}/${topic}`).sort());
      await client.endAsync(true);
    },
  );

  it.each(VERSIONS[kind])(
    'gives a device nothing of what is retained for another one (MQTT %i)',
    async (protocolVersion) => {
      const retained = [a, b].flatMap(({ serial }) =>
        ['shadow/desired', 'config'].map((topic) => `devices/${serial}/${topic}`),
      );
      for (const topic of retained) await bridge.publishAsync(topic, topic, { qos: 1, retain: true });
      const client = await connectDevice(broker.url, a, { protocolVersion });
      const got: string[] = [];
      client.on('message', (topic, payload) => got.push(`${topic} ${String(payload)}`));
      for (const filter of greedyFilters(a.serial, b.serial))
        await client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
      await bridge.publishAsync(`devices/${a.serial}/cmd`, 'end', { qos: 1 });
      await until(() => got.some((line) => line.endsWith(' end')), 'the last message arrives');
      const own = retained.filter((topic) => topic.includes(a.serial)).map((topic) => `${topic} ${topic}`);
      expect([...new Set(got)].sort()).toEqual([...own, `devices/${a.serial}/cmd end`].sort());
      for (const topic of retained) await bridge.publishAsync(topic, '', { qos: 1, retain: true });
      await client.endAsync(true);
    },
  );

  it('keeps nothing of others for a device that was away with a session of greedy subscriptions', async () => {
    const away = { clean: false, protocolVersion: 4 } as const;
    const client = await connectDevice(broker.url, a, away);
    for (const filter of greedyFilters(a.serial, b.serial))
      await client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
    await client.endAsync();
    for (const serial of [b.serial, a.serial])
      await bridge.publishAsync(`devices/${serial}/cmd`, `for ${serial}`, { qos: 1 });
    const back = await connectDevice(broker.url, a, away);
    const got: string[] = [];
    back.on('message', (_topic, payload) => got.push(String(payload)));
    await back.subscribeAsync(`devices/${a.serial}/#`, { qos: 1 });
    await bridge.publishAsync(`devices/${a.serial}/cmd`, 'end', { qos: 1 });
    await until(() => got.includes('end'), 'the last message arrives');
    expect(got.filter((text) => text.includes(b.serial))).toEqual([]);
    await back.endAsync(true);
    await (await connectDevice(broker.url, a, { clean: true })).endAsync(true);
  });

  it('takes from a device its own topics; anything else is acknowledged and goes nowhere', async () => {
    const client = await connectDevice(broker.url, a);
    let closed = false;
    client.on('close', () => (closed = true));
    heard.length = 0;
    const denied = [
      ...UP.map((topic) => `devices/${b.serial}/${topic}`),
      ...DOWN.map((topic) => `devices/${a.serial}/${topic}`),
      ...[`devices/${a.serial}/telemetry/x`, `devices/${a.serial}`, 'devices/x', '$SYS/x', 'somewhere/else'],
      ...[
        `$share/x/devices/${b.serial}/cmd`,
        `devices/${a.serial}/../${b.serial}/cmd`,
        `/devices/${b.serial}/cmd`,
      ],
    ];
    for (const qos of [0, 1] as const)
      for (const topic of denied) await client.publishAsync(topic, 'evil', { qos, retain: qos === 1 });
    for (const topic of UP) await client.publishAsync(`devices/${a.serial}/${topic}`, 'good', { qos: 1 });
    await settle();
    expect(heard.filter((line) => line.includes('evil'))).toEqual([]);
    const good = heard.filter((line) => line.endsWith(' good'));
    expect(good.sort()).toEqual(UP.map((topic) => `devices/${a.serial}/${topic} good`).sort());
    expect(closed).toBe(false);
    await client.endAsync();
  });

  it('shows no device what another one, or it itself, tried to retain', async () => {
    const client = await connectDevice(broker.url, a);
    await client.publishAsync(`devices/${b.serial}/shadow/desired`, 'evil', { qos: 1, retain: true });
    await client.publishAsync(`devices/${a.serial}/shadow/desired`, 'evil', { qos: 1, retain: true });
    await client.publishAsync(`devices/${a.serial}/telemetry`, 'mine', { qos: 1, retain: true });
    await client.endAsync();
    for (const device of [a, b]) {
      const later = await connectDevice(broker.url, device);
      const got: string[] = [];
      later.on('message', (_topic, payload) => got.push(String(payload)));
      for (const filter of [`devices/${device.serial}/#`, `devices/${a.serial}/telemetry`, '#'])
        await later.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
      await bridge.publishAsync(`devices/${device.serial}/cmd`, 'end', { qos: 1 });
      await until(() => got.includes('end'), 'the last message arrives');
      expect(got.filter((text) => text !== 'end')).toEqual([]);
      await later.endAsync(true);
    }
  });

  it('sends a last will to the topic of its own device only', async () => {
    heard.length = 0;
    for (const [topic, protocolVersion] of [
      ...[
        `devices/${b.serial}/status`,
        `devices/${b.serial}/cmd`,
        `devices/${a.serial}/shadow/desired`,
      ].flatMap((denied) => VERSIONS[kind].map((version) => [denied, version] as const)),
      [`devices/${a.serial}/status`, 4] as const,
    ]) {
      const client = await connectDevice(broker.url, a, {
        protocolVersion,
        will: { topic, payload: 'will', qos: 1, retain: true },
      });
      client.stream.destroy();
      await until(() => client.connected === false, 'it is gone');
    }
    await until(() => heard.some((line) => line.includes(' will')), 'the will is heard');
    await settle();
    expect(heard.filter((line) => line.includes(' will'))).toEqual([`devices/${a.serial}/status will`]);
  });

  it('gives every session the name of its device, whatever the client calls itself', async () => {
    const first = await connectDevice(broker.url, a, { clientId: b.serial });
    const other = await connectDevice(broker.url, b, { clientId: a.serial });
    expect(first.connected && other.connected).toBe(true);
    let replaced = false;
    first.on('close', () => (replaced = true));
    const second = await connectDevice(broker.url, a, { clientId: 'something-else' });
    await until(() => replaced, 'the first session of the device is replaced');
    expect(other.connected).toBe(true);
    await Promise.all([second.endAsync(true), other.endAsync(true)]);
  });

  it.each([
    ['no name', { username: undefined, password: undefined }],
    ['a wildcard as name', { username: '#' }],
    ['a plus as name', { username: '+' }],
    ['another device with its own secret', { username: 'ACL-00002' }],
    ['a bridge with a device secret', { username: 'ec.bridge.ingest' }],
    ['an unknown bridge with the right password', { username: 'ec.bridge.evil', password: BRIDGE_PASSWORD }],
    ['a wrong secret', { password: 'ec_dev_wrong' }],
    ['an empty secret', { password: '' }],
  ])('refuses %s', async (_what, options) => {
    await expect(connectDevice(broker.url, a, options)).rejects.toThrow();
  });
});
