import { connect, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { BROKER_KINDS, startTestBroker, type TestBroker } from '../../../mqtt-bridge/test/support/brokers.ts';
import { connectDevice } from '../../../mqtt-bridge/test/support/devices.ts';
import { createFleet, type TestDevice } from '../../../mqtt-bridge/test/support/fleet.ts';
import { until } from '../../../mqtt-bridge/test/support/until.ts';
import { createDatabase, type TestDatabase } from '../testing.ts';

describe.each(BROKER_KINDS)('limits of the %s broker', (kind) => {
  let database: TestDatabase;
  let broker: TestBroker;
  let device: TestDevice;
  let witness: TestDevice;

  beforeAll(async () => {
    database = await createDatabase();
    [device, witness] = (await createFleet(database.url(), 'LIM-', 2)) as [TestDevice, TestDevice];
    broker = await startTestBroker(kind, database.url('ec_broker'));
  });
  afterAll(async () => {
    await broker.stop();
    await database.drop();
  });

  function raw(): { socket: Socket; closed: Promise<void>; answer: () => Buffer } {
    const { hostname, port } = new URL(broker.url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {}); // being cut off is what is expected
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    return { socket, closed, answer: () => Buffer.concat(chunks) };
  }

  it('takes the largest batch there may be', async () => {
    const client = await connectDevice(broker.url, device);
    await client.publishAsync(`devices/${device.serial}/telemetry`, Buffer.alloc(256 * 1024, 32), { qos: 1 });
    await client.endAsync();
  });

  it('cuts off whoever sends more, and only them', async () => {
    const other = await connectDevice(broker.url, witness);
    const client = await connectDevice(broker.url, device);
    client.publish(`devices/${device.serial}/telemetry`, Buffer.alloc(2 * 1024 * 1024, 32), { qos: 1 });
    await until(() => !client.connected, 'it is cut off');
    await other.publishAsync(`devices/${witness.serial}/telemetry`, '{}', { qos: 1 });
    await Promise.all([client.endAsync(true), other.endAsync(true)]);
  });

  it.each([
    ['something that is no MQTT', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    [
      'a PUBLISH before the CONNECT',
      mqttPacket.generate({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, dup: false, retain: false }),
    ],
    [
      'a CONNECT of 200 MB',
      Buffer.concat([Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64]), Buffer.alloc(600_000)]),
    ],
  ])('cuts off a stranger who sends %s', async (_what, bytes) => {
    const { socket, closed } = raw();
    socket.write(bytes);
    await closed;
  });

  it('takes packets sent right behind the CONNECT without waiting for the answer', async () => {
    const { socket, answer } = raw();
    const { serial, secret } = device;
    socket.write(
      mqttPacket.generate({
        ...{
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          clientId: 'x',
          keepalive: 60,
        },
        ...{ username: serial, password: Buffer.from(secret) },
      } as never),
    );
    for (let messageId = 1; messageId <= 100; messageId++)
      socket.write(
        mqttPacket.generate({
          ...{ cmd: 'publish', topic: `devices/${serial}/telemetry`, payload: '{"temp":1}', qos: 1 },
          ...{ messageId, dup: false, retain: false },
        } as never),
      );
    await until(() => answer().length >= 4 + 100 * 4, 'CONNACK and a hundred PUBACKs arrive');
    socket.destroy();
  });

  it('keeps serving others while a device floods it and does not read', async () => {
    const { socket } = raw();
    const { serial, secret } = device;
    socket.pause();
    socket.write(
      mqttPacket.generate({
        ...{
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          clientId: 'x',
          keepalive: 60,
        },
        ...{ username: serial, password: Buffer.from(secret) },
      } as never),
    );
    const flood = setInterval(() => {
      if (socket.writableLength < 1 << 20)
        for (let i = 0; i < 2_000; i++) socket.write(Buffer.from([0xc0, 0])); // PINGREQ
    }, 5);
    const client = await connectDevice(broker.url, witness);
    for (let i = 0; i < 50; i++)
      await client.publishAsync(`devices/${witness.serial}/telemetry`, '{"temp":1}', { qos: 1 });
    clearInterval(flood);
    socket.destroy();
    await client.endAsync();
  });
});
